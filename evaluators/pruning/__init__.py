"""Masks over the channels of a network that trains."""
