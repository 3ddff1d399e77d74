"""Supernets whose networks lie within the largest one: the space, the shared weights, distillation and scoring."""
