"""The shipped study files: Python files of assignments, found by their names."""
