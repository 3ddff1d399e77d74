"""The progress line: what is left out where the terminal is narrow."""

from __future__ import annotations

from search.cli.progress import fitted

PARTS = ["120/1,000 trials", "38.7/s"], ["accuracy 91.42", "latency 4.594 ms", "front 12"], ["23 s left"]


def test_a_wide_terminal_shows_everything() -> None:
    assert fitted(*PARTS, width=100).endswith("accuracy 91.42 · latency 4.594 ms · front 12 · 23 s left")


def test_a_narrow_terminal_keeps_rate_best_and_time_left() -> None:
    assert fitted(*PARTS, width=60) == "120/1,000 trials · 38.7/s · accuracy 91.42 · 23 s left"
