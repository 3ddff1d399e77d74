"""Latency tables that others have published: each module reads one format, by its function `read`."""
