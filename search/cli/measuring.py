"""Measuring a space's latency table with its validation: which networks calibrate it, and which it is tried on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hardware_models.architecture import architecture_of
from search.cli.latency import Say, Setup, network_of
from search.coverage import Coverage, stratified

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hardware_models.latency_table import LatencyTable
    from hardware_models.op import Op
    from hardware_models.profiler import Anchor
    from spaces.genotype import GenotypeSpace


@dataclass(frozen=True, slots=True)
class Measured:
    """A table that was measured and, of each network that it was tried on, the latency as predicted and as measured.

    Attributes:
      table: with its validation, where any network was measured.
      predicted_ms, measured_ms: shape (n,), in ms.
    """

    table: LatencyTable
    predicted_ms: np.ndarray
    measured_ms: np.ndarray

    def named(self, device: str) -> Measured:
        """Return the same as the table of a device of this name."""
        provenance = replace(self.table.provenance, device=device)
        return replace(self, table=replace(self.table, provenance=provenance))


def measure_and_validate(
    space: GenotypeSpace, coverage: Coverage, setup: Setup, held_out: int, say: Say, *, more: Sequence[Op] = ()
) -> Measured:
    """Measure a space's operators, calibrating networks, and up to `held_out` others that the table is tried on.

    All take their turns in the same rounds. `more` are further operators for the table. Raises ValueError where
    networks are wanted and candidates build none.
    """
    from hardware_models.profiler import profile_and_measure, validate

    anchors, others = networks_of(space, coverage, setup.anchors, held_out)
    networks = [one.network for one in others]
    batch = f", batch {setup.batch}" if setup.batch > 1 else ""
    operators = tuple(dict.fromkeys([*coverage.ops, *more]))
    what = f"measuring {len(operators)} operators and {len(anchors) + len(others)} networks{batch}"
    table, measured = profile_and_measure(
        operators, anchors, networks, engine=setup.engine, threads=setup.threads, batch=setup.batch,
        rounds=setup.rounds, progress=lambda done, total: say(what, done / total),
    )  # fmt: skip
    if not others:
        return Measured(table, np.zeros(0), np.zeros(0))
    predicted = np.array([table(one.ops)["latency_ms"] for one in others])
    truth = np.array([one.latency_ms for one in measured])
    return Measured(replace(table, validation=validate(table, others, measured)), predicted, truth)


def networks_of(
    space: GenotypeSpace, coverage: Coverage, anchors: int, held_out: int
) -> tuple[list[Anchor], list[Anchor]]:
    """Return networks to calibrate by and others to try a table on, either evenly spread over the range of costs.

    No two run the same operators, so that none is tried that was used; both may be fewer than wanted, and the former
    are none where there are too few of them.
    """
    from hardware_models.calibration import MINIMUM_ANCHORS

    calibrating = _spread(space, coverage, anchors, set())
    others = _spread(space, coverage, held_out, {tuple(one.ops) for one in calibrating})
    return calibrating if len(calibrating) >= MINIMUM_ANCHORS else [], others


def _spread(space: GenotypeSpace, coverage: Coverage, count: int, known: set[tuple[Op, ...]]) -> list[Anchor]:
    """Return up to `count` networks, evenly spread over the range of costs, whose operators differ and are not known.

    Those that cannot be built, or ignore their input, are left out. Each is built again when it is measured.
    """
    from hardware_models.input_use import uses_input
    from hardware_models.profiler import Anchor

    different: dict[tuple[Op, ...], Any] = {}
    for genotype in stratified(coverage, 2 * (count + len(known))):
        candidate = architecture_of(space.decode(genotype))
        different.setdefault(tuple(candidate.ops()), candidate)
    left = [(ops, candidate) for ops, candidate in different.items() if ops not in known]
    places = np.linspace(0, len(left) - 1, min(count, len(left))).round().astype(int)
    found = []
    for ops, candidate in (left[place] for place in places):
        network = network_of(candidate)
        if network is not None and uses_input(network.built, network.input_shape):
            found.append(Anchor(candidate.build, network.input_shape, ops))
    return found
