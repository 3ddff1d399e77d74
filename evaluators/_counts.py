"""Settings that count something: epochs, images of a batch, threads."""

from __future__ import annotations

from numbers import Integral


def check_counts(**counts: float) -> None:
    """See that settings, by name, are whole numbers of at least 1; raises ValueError, saying what each of them is."""
    if not all(isinstance(count, Integral) and count >= 1 for count in counts.values()):
        names, got = ([*map(str, each)] for each in (counts, counts.values()))
        what = "whole numbers" if len(names) > 1 else "a whole number"
        raise ValueError(f"{_listed(names)} must be {what} of at least 1, got {_listed(got)}")


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
