"""Formats of latency tables from outside, a module each, found by its name; see `hardware_models.importing`."""
