"""A new device from a few measured networks and what is known of other devices (the task of Lee et al., HELP, NeurIPS
2021).

A device's latencies are taken for a scaled known device's, or for the mean of all known ones, plus differences: among
known devices, and of how often each choice is made. Bayesian linear regression (Bishop, 2006, section 3.3) on each of
these beginnings, for several sizes of the differences and of the noise, averaged by their marginal likelihoods: few
measurements stay close to the nearest known devices, many leave them. Latencies are in units of their mean, not
logarithms: operators' times add up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from hardware_models.held_out import HeldOut, held_out

SCALE = 3.0
"""How far the new device's latencies may be from a known one's in proportion, as a standard deviation: almost free."""

OVERHEAD = 0.3
"""Standard deviation of what every network takes alike."""

COUNTS = 0.3
"""Standard deviation of what a choice adds if all decisions make it."""

DIFFERENCES = (0.1, 0.3, 1.0)
"""How much devices differ from where they begin, in standard deviations among the known ones."""

NOISES = (0.02, 0.04, 0.08, 0.16, 0.32)
"""Of a measurement, relative to the mean latency."""

USUAL_NOISE = 0.06
"""The median of the log-normal prior of the noise, of log-deviation 1."""

DESIGN_NOISE = 0.1
"""The noise that networks to be measured are chosen for."""

LEAST_MEASURED = 3


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is known of a pool of networks: other devices' latencies and how often each choice is made.

    Attributes:
      known: (n, devices) latencies, each device's at mean 1.
      counts: (n, m), each choice's centred over the pool.
    """

    known: np.ndarray
    counts: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """The mean known device, (n,)."""
        mean: np.ndarray = self.known.mean(axis=1)
        return mean

    @property
    def differences(self) -> np.ndarray:
        """How known devices differ from their mean, and the counts: (n, devices + m), with unit prior variances."""
        known = (self.known - self.mean[:, None]) / np.sqrt(self.known.shape[1])
        return np.concatenate([known, COUNTS * self.counts], axis=1)


def knowledge(known_ms: np.ndarray, counts: np.ndarray) -> Knowledge:
    """Return what is known of n networks from latencies (n, devices) and counts (n, m).

    Raises:
      ValueError: without known devices, for shapes that differ or latencies that are not finite and mostly above zero.
    """
    if known_ms.ndim != 2 or not known_ms.shape[1] or len(counts) != len(known_ms):
        raise ValueError(f"expected latencies (n, devices) and counts (n, m), got {known_ms.shape} and {counts.shape}")
    means = known_ms.mean(axis=0)
    if not np.isfinite(known_ms).all() or not (means > 0).all():
        raise ValueError("known devices' latencies must be finite and above zero on average")
    return Knowledge(known_ms / means, counts - counts.mean(axis=0))


def suggest(known: Knowledge, count: int) -> np.ndarray:
    """Return the indices (count,) of the networks that tell most of a new device, the most telling first.

    Greedily D-optimal (Wynn, 1970): each is the network whose latency is the least certain when those before it are
    measured. There is no chance in it; ties go to the first.

    Raises:
      ValueError: for fewer than `LEAST_MEASURED`, or more than there are networks.
    """
    if not LEAST_MEASURED <= count <= len(known.known):
        raise ValueError(f"expected {LEAST_MEASURED} to {len(known.known)} networks to be measured, got {count}")
    constant = np.full((len(known.known), 1), OVERHEAD)
    features = np.concatenate([SCALE * known.mean[:, None], constant, known.differences], axis=1)
    chosen: list[int] = []
    covariance = np.eye(features.shape[1])
    for _ in range(count):
        variance = np.einsum("ij,jk,ik->i", features, covariance, features, optimize=True)
        variance[chosen] = -1.0
        chosen.append(int(np.argmax(variance)))
        along = covariance @ features[chosen[-1]]
        covariance -= np.outer(along, along) / (features[chosen[-1]] @ along + DESIGN_NOISE**2)
    return np.array(chosen)


def predict(known: Knowledge, measured: np.ndarray, latencies_ms: np.ndarray) -> np.ndarray:
    """Return the latencies of all networks (n,) on the device on which some were measured; never below zero.

    Args:
      measured: (k,) indices of the measured networks, different.
      latencies_ms: (k,) their latencies.

    Raises:
      ValueError: for fewer than `LEAST_MEASURED`, or latencies that are not finite and above zero.
    """
    _check(measured, latencies_ms)
    unit = float(latencies_ms.mean())
    shares, coefficients = _averaged(known, measured, latencies_ms / unit)
    predicted = shares[0] + known.known @ shares[1:] + known.differences @ coefficients
    return np.asarray(np.maximum(unit * predicted, 0.0))


def left_out(known: Knowledge, measured: np.ndarray, latencies_ms: np.ndarray) -> HeldOut:
    """Return the error on each of four or more measured networks by a prediction from the others; see `predict`.

    The networks of `suggest` are the ones that are hardest to tell from each other: the error on all others is lower.
    """
    _check(measured, latencies_ms)
    predicted = np.empty(len(measured))
    for index in range(len(measured)):
        rest = np.arange(len(measured)) != index
        some = Knowledge(known.known[measured], known.counts[measured])
        predicted[index] = predict(some, np.flatnonzero(rest), latencies_ms[rest])[index]
    return held_out(predicted, latencies_ms, len(measured))


def _check(measured: np.ndarray, latencies_ms: np.ndarray) -> None:
    if len(measured) < LEAST_MEASURED or len(set(measured.tolist())) < len(measured):
        raise ValueError(f"expected at least {LEAST_MEASURED} different measured networks, got {len(measured)}")
    if latencies_ms.shape != measured.shape or not np.isfinite(latencies_ms).all() or latencies_ms.min() <= 0:
        raise ValueError("expected a finite latency above zero for each measured network; measure them again")


def _averaged(known: Knowledge, measured: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the overhead and the share of each known device (1 + devices,), and the differences' coefficients."""
    begins, differences = _beginnings(known)[measured], known.differences[measured]
    fits = list(_fits(begins, differences, targets))
    evidence = np.array([fit[0] for fit in fits])
    weights = np.exp(evidence - evidence.max())
    weights /= weights.sum()
    devices = known.known.shape[1]
    shares, coefficients = np.zeros(1 + devices), np.zeros(differences.shape[1])
    for weight, (_, begin, overhead, share, added) in zip(weights, fits, strict=True):
        shares[0] += weight * overhead
        shares[1:] += weight * share * (1.0 / devices if begin == devices else np.arange(devices) == begin)
        coefficients += weight * added
    return shares, coefficients


def _beginnings(known: Knowledge) -> np.ndarray:
    """Return what a device may be like: each known one and their mean, (n, devices + 1)."""
    return np.concatenate([known.known, known.mean[:, None]], axis=1)


def _fits(
    begins: np.ndarray, differences: np.ndarray, targets: np.ndarray
) -> Iterator[tuple[float, int, float, float, np.ndarray]]:
    """Yield for each model its log evidence, its beginning, the overhead, the share of the beginning, coefficients."""
    among, count = differences @ differences.T, len(targets)
    for noise, size, begin in product(NOISES, DIFFERENCES, range(begins.shape[1])):
        along = begins[:, begin]
        covariance = SCALE**2 * np.outer(along, along) + OVERHEAD**2 + size**2 * among + noise**2 * np.eye(count)
        solved = np.linalg.solve(covariance, targets)
        evidence = -0.5 * (targets @ solved + np.linalg.slogdet(covariance)[1])
        evidence -= 0.5 * np.log(noise / USUAL_NOISE) ** 2
        share, overhead = SCALE**2 * float(along @ solved), OVERHEAD**2 * float(solved.sum())
        yield float(evidence), begin, overhead, share, size**2 * (differences.T @ solved)
