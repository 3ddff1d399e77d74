"""A space's operator costs compiled into arrays: which decisions they hang on together, tables of those, their sums."""
