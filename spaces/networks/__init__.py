"""What candidates build: each module holds the PyTorch networks of the space of the same name."""
