"""Estimates from samples of a machine that is disturbed: the mean of the fastest two fifths of a workload's visits.

Other programs and, on a virtual machine, strangers empty caches and lower the clock frequency for tenths of a second at
a time, which CPU clocks do not notice and which only ever slows down. The single fastest visit of few is a matter of
luck, the median a matter of how loaded the machine was; the mean of the fastest two fifths was closest to networks of
three spaces on two engines, under loads from 4 to 17 on two cores, among quantiles, means of the fastest, and medians
after division by the slowness of neighbouring visits (docs/latency.md).
"""

from __future__ import annotations

import math

import numpy as np

from hardware_models.sampling import Visits

FASTEST = 0.4
"""The share of a workload's visits that counts, at least one."""


def estimate_ms(visits: Visits, count: int) -> np.ndarray:
    """Return the time of each of `count` workloads in ms, shape (count,); NaN for one without an accepted sample.

    A visit counts by its fastest sample, which an interruption has inflated least.
    """
    return np.array([float(kept.mean()) if len(kept) else np.nan for kept in _fastest(visits, count, (0, 1))])


def halves_ms(visits: Visits, count: int) -> np.ndarray:
    """Return two independent estimates, from the even and from the odd rounds, shape (2, count)."""
    halves = (_fastest(visits, count, (parity,)) for parity in (0, 1))
    return np.array([[float(kept.mean()) if len(kept) else np.nan for kept in half] for half in halves])


def spreads(visits: Visits, count: int) -> np.ndarray:
    """Return how far the visits that count lie apart, relative to the fastest, shape (count,); NaN without any."""
    return np.array([kept[-1] / kept[0] - 1.0 if len(kept) else np.nan for kept in _fastest(visits, count, (0, 1))])


def relative_differences(halves: np.ndarray) -> np.ndarray:
    """Return how far two estimates (2, count) are apart, relative to their means, shape (count,); NaN where one is."""
    return np.asarray(np.abs(halves[0] - halves[1]) / halves.mean(axis=0))


def split_half_error(halves: np.ndarray) -> float:
    """Return by how much two estimates (2, count) differ, summed, relative to the sum of their means: the noise."""
    return float(np.abs(halves[0] - halves[1]).sum() / halves.mean(axis=0).sum())


def _fastest(visits: Visits, count: int, parities: tuple[int, ...]) -> list[np.ndarray]:
    """Return the visits that count for each workload, ascending, from the rounds of these parities."""
    times: list[list[float]] = [[] for _ in range(count)]
    for index, number, samples in zip(visits.workloads, visits.rounds, visits.samples_ms, strict=True):
        if samples and number % 2 in parities:
            times[index].append(min(samples))
    return [np.sort(own)[: max(1, math.floor(FASTEST * len(own) + 0.5))] for own in times]
