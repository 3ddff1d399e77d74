"""Which channels of a network go together, and smaller networks without some of them."""
