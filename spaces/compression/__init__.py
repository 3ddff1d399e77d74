"""Ways to make a network smaller beside pruning channels: each a decision of a space, and a transform of a model."""
