"""What a candidate is worth: each module holds one way to score it."""
