"""Which networks of a supernet a step trains, and on what: one small class for each paper's way."""
