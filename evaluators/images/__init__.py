"""Image data sets: what one is in memory, and each layout on disk in a file of its own."""
