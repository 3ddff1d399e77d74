"""Learning a latency table from the latencies of whole networks, with its error on networks that it did not see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hardware_models.additive_terms import Pairs, pair_columns, single_columns
from hardware_models.held_out import HeldOut, held_out
from hardware_models.learned_table import LearnedTable, PairEffects
from hardware_models.space_identity import SpaceIdentity
from hardware_models.table_origin import Origin

FOLDS = 5
PENALTIES = (0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)
"""Of the squared effects of pairs, among which cross-validation chooses; effects of single choices are not shrunk."""


def learn(
    space: SpaceIdentity, genotypes: np.ndarray, latencies_ms: np.ndarray, origin: Origin, pairs: Pairs = ()
) -> LearnedTable:
    """Return the table with the least squared error in ms, its effects centred; see `LearnedTable`.

    Effects of pairs are ridge-penalised, the penalty chosen by the same cross-validation that the error comes from.
    Where the networks do not tell some effects apart, the smallest ones that fit are taken.

    Args:
      genotypes: (n, width), different networks.
      latencies_ms: (n,), finite and above zero.
      pairs: decisions whose choices interact.

    Raises:
      ValueError: for latencies that are none, a choice that no network makes, or fewer networks than effects.
    """
    rows, measured = space.rows(genotypes), _checked(latencies_ms, len(genotypes))
    singles = single_columns(space, rows)
    _check_coverage(space, singles)
    both = pair_columns(space, rows, pairs)
    penalties = PENALTIES if pairs else (0.0,)
    reports = _validated(singles, both, measured, penalties)
    best = min(range(len(penalties)), key=lambda index: reports[index].rmse_ms)
    [(intercept, single_effects, pair_effects)] = _fit(singles, both, measured, penalties[best : best + 1])
    ends = np.cumsum(space.cardinalities)[:-1]
    effects = tuple(tuple(part.tolist()) for part in np.split(single_effects, ends))
    origin = replace(origin, networks=len(rows))
    least = float(measured.min()) if len(rows) == space.grid_size else 0.0  # else smaller networks may be faster
    table = LearnedTable(space, origin, intercept, effects, validation=reports[best], least_ms=least)
    return replace(table.centred(), pairs=_named_pairs(space, pairs, pair_effects))


def _checked(latencies_ms: np.ndarray, count: int) -> np.ndarray:
    measured = np.asarray(latencies_ms, dtype=np.float64)
    if measured.shape != (count,):
        raise ValueError(f"expected one latency for each of {count} networks, got shape {measured.shape}")
    if not np.isfinite(measured).all() or (count and measured.min() <= 0):
        raise ValueError("latencies must be finite and above zero; measure the networks again")
    return measured


def _check_coverage(space: SpaceIdentity, singles: np.ndarray) -> None:
    """Raise ValueError where nothing can be known of a choice."""
    count, needed = len(singles), 1 + sum(space.cardinalities) - space.width
    if count < max(needed, 2):
        raise ValueError(
            f"a table of {space.name} has {needed} numbers to be learnt, from at least as many networks; got {count}: "
            f"measure more, or use what other devices tell (python -m search devices onboard)"
        )
    unseen = np.flatnonzero(singles.sum(axis=0) == 0)
    if len(unseen):
        decision = int(np.searchsorted(np.cumsum(space.cardinalities), unseen[0], side="right"))
        choice = int(unseen[0] - sum(space.cardinalities[:decision]))
        raise ValueError(
            f"no measured network chooses {space.choices[decision][choice]} for {space.decisions[decision]}, nor in "
            f"{len(unseen) - 1} other cases: measure some that do"
        )


def _validated(
    singles: np.ndarray, both: np.ndarray, measured: np.ndarray, penalties: Sequence[float]
) -> list[HeldOut]:
    """Return for each penalty the errors of predictions of `FOLDS` parts, each by a fit on the others."""
    predicted = np.empty((len(penalties), len(measured)))
    parts = np.array_split(np.random.default_rng(0).permutation(len(measured)), min(FOLDS, len(measured)))
    for part in parts:
        rest = np.setdiff1d(np.arange(len(measured)), part)
        for index, (intercept, *effects) in enumerate(_fit(singles[rest], both[rest], measured[rest], penalties)):
            predicted[index, part] = intercept + singles[part] @ effects[0] + both[part] @ effects[1]
    return [held_out(np.maximum(row, 0.0), measured, len(parts)) for row in predicted]


def _fit(
    singles: np.ndarray, both: np.ndarray, measured: np.ndarray, penalties: Sequence[float]
) -> list[tuple[float, np.ndarray, np.ndarray]]:
    """Return for each penalty the intercept, the effects of single choices and those of pairs.

    Pairs are fitted to what singles leave over of measurements and of pairs alike, which is the joint least-squares
    solution (Frisch, Waugh and Lovell), and keeps the singles' part exact where latencies are additive.
    """
    design = np.concatenate([np.ones((len(singles), 1)), singles], axis=1)
    targets = np.column_stack([measured, both])
    alone = np.linalg.lstsq(design, targets, rcond=None)[0]
    left = targets - design @ alone
    values, vectors = np.linalg.eigh(left[:, 1:].T @ left[:, 1:])
    turned = vectors.T @ (left[:, 1:].T @ left[:, 0])
    fits = []
    for penalty in penalties:
        pair_effects = vectors @ (turned / (np.maximum(values, 0.0) + penalty))
        found = alone[:, 0] - alone[:, 1:] @ pair_effects
        fits.append((float(found[0]), found[1:], pair_effects))
    return fits


def _named_pairs(space: SpaceIdentity, pairs: Pairs, effects: np.ndarray) -> tuple[PairEffects, ...]:
    found, start = [], 0
    for first, second in pairs:
        shape = (space.cardinalities[first], space.cardinalities[second])
        block = effects[start : start + shape[0] * shape[1]].reshape(shape)
        found.append(PairEffects(first, second, tuple(tuple(row) for row in block.tolist())))
        start += block.size
    return tuple(found)
