"""Measuring a space's latency table with its validation: which networks calibrate it, and which it is tried on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hardware_models.architecture import architecture_of
from search.cli.latency import Say, Setup, network_of
from search.coverage import Coverage, stratified

if TYPE_CHECKING:
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


def measure_and_validate(space: GenotypeSpace, coverage: Coverage, setup: Setup, held_out: int, say: Say) -> Measured:
    """Measure a space's operators, calibrating networks, and up to `held_out` others that the table is tried on.

    All take their turns in the same rounds. Raises ValueError where networks are wanted and candidates build none.
    """
    from hardware_models.profiler import Network, profile_and_measure, validate

    anchors, others = networks_of(space, coverage, setup.anchors, held_out)
    networks = [Network(one.module, one.input_shape) for one in others]
    what = f"measuring {len(coverage.ops)} operators and {len(anchors) + len(others)} networks"
    table, measured = profile_and_measure(
        coverage.ops, anchors, networks, engine=setup.engine, threads=setup.threads, batch=setup.batch,
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

    chosen = stratified(coverage, anchors)
    used = set(space.keys(chosen))
    left = np.array([key not in used for key in space.keys(coverage.genotypes)], dtype=bool)
    rest = Coverage(coverage.ops, coverage.genotypes[left], coverage.costs[left])
    calibrating = _built(space, chosen, {})
    known = {tuple(one.ops): one for one in calibrating}
    return calibrating if len(calibrating) >= MINIMUM_ANCHORS else [], _built(space, stratified(rest, held_out), known)


def _built(space: GenotypeSpace, genotypes: np.ndarray, known: dict[tuple[Op, ...], Anchor]) -> list[Anchor]:
    """Return the networks of these genotypes that use their input, and whose operators are not those of another."""
    from hardware_models.input_use import uses_input
    from hardware_models.profiler import Anchor

    built: dict[tuple[Op, ...], Anchor] = {}
    for genotype in genotypes:
        candidate = architecture_of(space.decode(genotype))
        network, ops = network_of(candidate), tuple(candidate.ops())
        if network is not None and ops not in known and uses_input(*network):
            built.setdefault(ops, Anchor(*network, ops))
    return list(built.values())
