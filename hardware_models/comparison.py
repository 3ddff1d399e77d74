"""Two models of devices side by side: how their latencies of the same operators or networks differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hardware_models.documents import DeviceModel
from hardware_models.held_out import kendall_tau, spearman
from hardware_models.latency_table import LatencyTable
from hardware_models.learned_table import LearnedTable
from hardware_models.listed_table import ListedTable

SAMPLED = 2_000
"""How many networks are compared where a space has more."""

SHOWN = 5


@dataclass(frozen=True, slots=True)
class SideBySide:
    """What two models say of what both have.

    Attributes:
      of: `operators` or `networks`.
      names: (n,) of them.
      first_ms, second_ms: (n,) their latencies.
      only_first, only_second: how many one model has alone.
    """

    of: str
    names: Sequence[str]
    first_ms: np.ndarray
    second_ms: np.ndarray
    only_first: int = 0
    only_second: int = 0


@dataclass(frozen=True, slots=True)
class Disagreement:
    """What two models say of one operator or network, in ms."""

    what: str
    first_ms: float
    second_ms: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """How the second model's latencies stand to the first's.

    Attributes:
      of: `operators` or `networks`.
      common: how many both have; those of no latency on either are left out of what follows.
      only_first, only_second: how many one has alone.
      median, geometric_mean, tenth, ninetieth, least, most: of the ratios second / first.
      kendall_tau, spearman: rank correlations; None where they are undefined.
      largest: those whose ratios are the farthest from the median, the farthest first.
    """

    of: str
    common: int
    only_first: int
    only_second: int
    median: float
    geometric_mean: float
    tenth: float
    ninetieth: float
    least: float
    most: float
    kendall_tau: float | None
    spearman: float | None
    largest: tuple[Disagreement, ...]


def compare_models(first: DeviceModel, second: DeviceModel) -> Comparison:
    """Return the comparison of two tables of operators, or of two models of the same space.

    Raises:
      ValueError: where one is a table of operators and the other a model of a space, their spaces differ, or nothing
        that takes time is common.
    """
    return compared(side_by_side(first, second))


def side_by_side(first: DeviceModel, second: DeviceModel) -> SideBySide:
    """Return what both models have: operators, or networks, at most 20,000 if all of a space's can be listed.

    Raises:
      ValueError: where one is a table of operators and the other a model of a space, or their spaces differ.
    """
    if isinstance(first, LatencyTable) and isinstance(second, LatencyTable):
        common = [op for op in first.entries if op in second.entries]
        left, right = ([model.entries[op].latency_ms for op in common] for model in (first, second))
        alone = (len(first.entries) - len(common), len(second.entries) - len(common))
        return SideBySide("operators", [str(op) for op in common], np.array(left), np.array(right), *alone)
    if isinstance(first, LatencyTable) or isinstance(second, LatencyTable):
        raise ValueError("a table of operators and a model of whole networks have nothing in common to be compared")
    return _of_networks(first, second)


def _of_networks(first: LearnedTable | ListedTable, second: LearnedTable | ListedTable) -> SideBySide:
    space = first.space
    if space.fingerprint != second.space.fingerprint:
        raise ValueError(
            f"the models are of different spaces: {space.name} ({space.fingerprint[:12]}) and {second.space.name} "
            f"({second.space.fingerprint[:12]})"
        )
    rng = np.random.default_rng(0)
    rows = rng.integers(np.array(space.cardinalities), size=(SAMPLED, space.width))
    if space.grid_size is not None and space.grid_size <= 10 * SAMPLED:
        rows = space.grid()
    rows = np.unique(np.where(space.active(rows), rows, 0), axis=0)
    codes = [space.code(row) for row in rows]
    return SideBySide("networks", codes, first.costs(rows)[:, 0], second.costs(rows)[:, 0])


def compared(sides: SideBySide) -> Comparison:
    """Return the comparison. Raises ValueError where nothing that takes time is common."""
    of, names, left, right = sides.of, sides.names, sides.first_ms, sides.second_ms
    timed = np.flatnonzero((left > 0) & (right > 0)) if len(names) else np.zeros(0, np.int64)
    if not len(timed):
        raise ValueError(f"the models have no {of} in common that take time")
    ratios = right[timed] / left[timed]
    median = float(np.median(ratios))
    farthest = timed[np.argsort(-np.abs(np.log(ratios / median)), kind="stable")[:SHOWN]]
    tenth, ninetieth = (float(part) for part in np.quantile(ratios, (0.1, 0.9)))
    return Comparison(
        of=of,
        common=len(names),
        only_first=sides.only_first,
        only_second=sides.only_second,
        median=median,
        geometric_mean=float(np.exp(np.log(ratios).mean())),
        tenth=tenth,
        ninetieth=ninetieth,
        least=float(ratios.min()),
        most=float(ratios.max()),
        kendall_tau=kendall_tau(left[timed], right[timed]),
        spearman=spearman(left[timed], right[timed]),
        largest=tuple(Disagreement(names[index], float(left[index]), float(right[index])) for index in farthest),
    )
