"""Estimates from samples of a machine whose speed drifts.

Virtual machines share cores, caches and clock frequency with strangers: their speed changes by 10-40 % for tenths of a
second at a time, and CPU clocks do not notice. As a round visits everything in random order, the visits just before and
after one tell how fast the machine was then. Each visit's time is modelled as (its workload's time) x (the machine's
slowness at that moment), both unknown, and fitted by turns: slowness is a trimmed mean over neighbouring visits' ratios
to their workloads' times, the visit itself left out; a workload's time is the median of its visits after that division.
The machine's median speed counts as 1.
"""

from __future__ import annotations

import numpy as np

from hardware_models.sampling import Visits

NEIGHBOURS = 4
"""Visits on either side that tell the machine's speed; of 2, 4, 6, 10, 15 and 25 the first two left the least noise."""

_TURNS = 6


def estimate_ms(visits: Visits, count: int) -> np.ndarray:
    """Return the time of each of `count` workloads in ms, shape (count,); NaN for one without an accepted sample.

    A visit counts by its fastest sample, which an interruption has inflated least.
    """
    return _estimate(visits, count, range(len(visits.rounds)))


def halves_ms(visits: Visits, count: int) -> np.ndarray:
    """Return two independent estimates, from the even and from the odd rounds, shape (2, count)."""
    return np.stack(
        [
            _estimate(visits, count, [visit for visit, number in enumerate(visits.rounds) if number % 2 == parity])
            for parity in (0, 1)
        ]
    )


def split_half_error(halves: np.ndarray) -> float:
    """Return the mean relative difference of two estimates, shape (2, count): the noise; NaN where one is NaN."""
    return float(np.mean(np.abs(halves[0] - halves[1]) / halves.mean(axis=0)))


def _estimate(visits: Visits, count: int, chosen: range | list[int]) -> np.ndarray:
    kept = [visit for visit in chosen if visits.samples_ms[visit]]
    if not kept:
        return np.full(count, np.nan)
    workloads = np.array([visits.workloads[visit] for visit in kept], dtype=int)
    logs = np.log([max(min(visits.samples_ms[visit]), 1e-9) for visit in kept])
    times = _medians(logs, workloads, count)
    for _ in range(_TURNS):
        slowness = _slowness(logs - times[workloads])
        times = _medians(logs - (slowness - np.median(slowness)), workloads, count)
    return np.asarray(np.exp(times))


def _medians(values: np.ndarray, workloads: np.ndarray, count: int) -> np.ndarray:
    present = (values[workloads == index] for index in range(count))
    return np.array([np.median(own) if len(own) else np.nan for own in present])


def _slowness(ratios: np.ndarray) -> np.ndarray:
    """Return the interquartile mean of the neighbours of each value, shape (v,); their number shrinks at both ends."""
    padded = np.pad(ratios, NEIGHBOURS, constant_values=np.nan)
    offsets = [offset for offset in range(2 * NEIGHBOURS + 1) if offset != NEIGHBOURS]
    windows = np.sort(np.stack([padded[offset : offset + len(ratios)] for offset in offsets]), axis=0)
    valid = np.sum(~np.isnan(windows), axis=0)
    position = np.arange(len(offsets))[:, None]
    inside = (position >= valid // 4) & (position < valid - valid // 4)
    total = np.where(inside, np.nan_to_num(windows), 0.0).sum(axis=0)
    return np.asarray(total / np.maximum(inside.sum(axis=0), 1))
