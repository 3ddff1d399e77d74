"""Measuring on this machine: operators into a latency table, and whole networks.

The protocol: everything distinct is timed once; operators within their surroundings (`hardware_models.surroundings`)
and whole networks (`anchors`) take turns in shuffled rounds, one warm-up and two samples a visit, by the clock of the
engine: the thread's CPU clock when one thread computes; the fastest visits count (`hardware_models.fastest`); the
anchors calibrate the sum of operators; each is visited until its visits agree, or the rounds allowed are used up.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from hardware_models.bench import Bench, touched
from hardware_models.calibration import MINIMUM_ANCHORS, Calibration, fit
from hardware_models.counts import layers, params
from hardware_models.fastest import split_half_error
from hardware_models.input_use import uses_input
from hardware_models.latency_table import LatencyTable, Provenance
from hardware_models.measurement import Measurement
from hardware_models.op import Op, Shape
from hardware_models.sampling import Progress, Visits, Workload, load_average
from hardware_models.surroundings import parts
from hardware_models.validation import ValidationReport, compare

if TYPE_CHECKING:
    from torch import nn

ROUNDS = 20
"""Rounds that are made at most, unless told otherwise."""

FLOAT_BYTES = 4

OPERATOR_VISITS = 80
MOST_VISITS = 4
"""Where a space has few operators, each is visited several times a round: few errors do not cancel out in a sum."""


class Network(NamedTuple):
    """A network to measure: a module of one input, and that input's shape without the batch.

    In place of the module may stand what builds it. Then only its engine's form of it is kept while it is measured:
    many large networks take half of the memory.
    """

    module: nn.Module | Callable[[], nn.Module]
    input_shape: Shape

    @property
    def built(self) -> nn.Module:
        """The module; built anew at each call, where it is not there."""
        return self.module if isinstance(self.module, torch.nn.Module) else self.module()


class Anchor(NamedTuple):
    """A network to calibrate by: as `Network`, with the operators that it runs."""

    module: nn.Module | Callable[[], nn.Module]
    input_shape: Shape
    ops: Sequence[Op]

    @property
    def network(self) -> Network:
        """The network without its operators."""
        return Network(self.module, self.input_shape)


def profile(
    ops: Iterable[Op],
    anchors: Sequence[Anchor] = (),
    *,
    engine: str = "torch",
    threads: int = 1,
    batch: int = 1,
    rounds: int = ROUNDS,
    seed: int = 0,
    progress: Progress | None = None,
) -> LatencyTable:
    """Return the latency table of `ops` and of the anchors' operators on this machine, each timed once.

    Args:
      ops: may hold one operator many times.
      anchors: whole networks, best 10 to 20 whose latencies span what will be predicted; without any, a network is
        predicted as the plain sum of its operators. One whose output does not depend on its input is left out.
      engine: one of `hardware_models.engines.engine_names()`.
      threads: that the engine computes with. One is timed by its CPU clock, several by the wall clock.
      batch: images in each call; latencies are of a whole batch.
      rounds: at most, with up to four visits to each operator and one to each anchor; an operator or anchor is visited
        in fewer where what counts of its visits agrees to 1 %.
      seed: of the order of visits, and of inputs.
      progress: called with the steps done and the steps in all.

    Raises:
      ValueError: for no operators, 1 to 4 anchors, fewer than 2 rounds, a batch or threads below 1, and for operators
        that PyTorch cannot run or whose declared output is not what they compute.
      ModuleNotFoundError: where the engine's packages are missing.
      TooNoisyError: with several threads, where most samples were interrupted.
    """
    settings: dict[str, Any] = {"engine": engine, "threads": threads, "batch": batch, "rounds": rounds, "seed": seed}
    return profile_and_measure(ops, anchors, (), **settings, progress=progress)[0]


def profile_and_measure(
    ops: Iterable[Op],
    anchors: Sequence[Anchor],
    networks: Sequence[Network],
    *,
    engine: str = "torch",
    threads: int = 1,
    batch: int = 1,
    rounds: int = ROUNDS,
    seed: int = 0,
    progress: Progress | None = None,
) -> tuple[LatencyTable, tuple[Measurement, ...]]:
    """Return what `profile` does, and the latencies of other networks that took their turns in the same rounds.

    This is how a table is validated: what the machine does between two sessions is not counted as the table's error.
    """
    anchors = [Anchor(*anchor) for anchor in anchors]
    distinct = list(dict.fromkeys([*ops, *(op for anchor in anchors for op in anchor.ops)]))
    if not distinct:
        raise ValueError("there are no operators to profile; pass the operators of the space's candidates")
    if 0 < len(anchors) < MINIMUM_ANCHORS:
        raise ValueError(f"expected no anchors or at least {MINIMUM_ANCHORS}, got {len(anchors)}")
    anchors = _live(anchors)
    bench = Bench(engine, threads, batch, seed, moved_bytes=_moved_bytes(anchors), weight_bytes=_weight_bytes(anchors))
    often = max(1, min(MOST_VISITS, OPERATOR_VISITS // len(distinct)))
    around = list(dict.fromkeys((shape, op.dtype) for op in distinct for shape in parts(op)))
    preparations = [partial(bench.operator, op, often) for op in distinct]
    preparations += [partial(bench.surroundings, shape, dtype, often) for shape, dtype in around]
    whole = [*(anchor.network for anchor in anchors), *networks]
    preparations += [partial(_workload, bench, network) for network in whole]
    timed, visits = bench.time(preparations, rounds, progress)
    first, second = len(distinct), len(distinct) + len(around)
    entries = _entries(distinct, timed[:first], dict(zip(around, timed[first:second], strict=True)))
    measured = timed[second:]
    table = LatencyTable(entries, _provenance(entries, visits, bench))
    if anchors:
        table = replace(table, calibration=_calibrate(table, anchors, measured[: len(anchors)]))
    return table, measured[len(anchors) :]


def validate(table: LatencyTable, networks: Sequence[Anchor], measured: Sequence[Measurement]) -> ValidationReport:
    """Return how far the table's predictions of at least one network are from its measurements."""
    predicted = [table(network.ops)["latency_ms"] for network in networks]
    return compare(predicted, [one.latency_ms for one in measured], np.array([one.halves_ms for one in measured]).T)


def measure(
    networks: Sequence[Network],
    *,
    reference: LatencyTable | None = None,
    anchors: Sequence[Anchor] = (),
    engine: str = "torch",
    threads: int = 1,
    batch: int = 1,
    rounds: int = ROUNDS,
    seed: int = 0,
    progress: Progress | None = None,
) -> tuple[Measurement, ...]:
    """Return the latency of each network on this machine, by the protocol and with the arguments of `profile`.

    With a `reference`, latencies are those of the machine at the speed that it had when this table was made: `anchors`
    are timed in the same rounds, and the median ratio of the table's predictions to their times is applied. Best are
    those that the table was calibrated on; operators would not do, as caches that are shared with strangers slow them
    down by less than whole networks. Shared machines change their speed by 10 to 30 % between two sessions.

    Raises:
      ValueError: as `profile`; for a reference without anchors or anchors without a reference; and for a reference of
        another engine, batch, device or number of threads.
      MissingEntry: for an anchor's operator that the reference does not hold.
    """
    if (reference is None) != (not anchors):
        raise ValueError(
            f"reference and anchors come together, got {'no' if reference is None else 'a'} reference and "
            f"{len(anchors)} anchors; pass the table and the networks that it was calibrated on"
        )
    if not networks:
        return ()
    bench = Bench(engine, threads, batch, seed)
    if reference is not None:
        _check_comparable(reference, bench)
    anchors = [Anchor(*anchor) for anchor in anchors]
    expected = [reference(anchor.ops)["latency_ms"] for anchor in anchors] if reference is not None else []
    everything = [*networks, *(anchor.network for anchor in anchors)]
    timed, _ = bench.time([partial(_workload, bench, network) for network in everything], rounds, progress)
    measured, now = timed[: len(networks)], timed[len(networks) :]
    if reference is None:
        return measured
    ratios = [then_ms / again.latency_ms for then_ms, again in zip(expected, now, strict=True)]
    return tuple(one.scaled(float(np.median(ratios))) for one in measured)


def _workload(bench: Bench, network: Network) -> Workload:
    return bench.network(network.built, network.input_shape)


def _live(anchors: Sequence[Anchor]) -> list[Anchor]:
    """Return the anchors that say something of their operators. Raises ValueError where too few of some do."""
    live = [anchor for anchor in anchors if uses_input(anchor.network.built, anchor.input_shape)]
    if anchors and len(live) < MINIMUM_ANCHORS:
        raise ValueError(
            f"of {len(anchors)} anchors only {len(live)} compute anything of their input; "
            f"expected at least {MINIMUM_ANCHORS} that do"
        )
    return live


def _moved_bytes(anchors: Sequence[Anchor]) -> int:
    """Return how many bytes of features an anchor reads and writes for one image, the median; 0 without anchors."""
    moved = [sum(FLOAT_BYTES * touched(op) for op in anchor.ops) for anchor in anchors]
    return int(np.median(moved)) if moved else 0


def _weight_bytes(anchors: Sequence[Anchor]) -> int:
    """Return how many bytes of weights an anchor holds, the median; 0 without anchors."""
    held = [FLOAT_BYTES * params(anchor.ops) for anchor in anchors]
    return int(np.median(held)) if held else 0


def _check_comparable(reference: LatencyTable, bench: Bench) -> None:
    provenance = reference.provenance
    here = (bench.engine.device.fingerprint, bench.engine.name, bench.engine.threads, bench.batch)
    there = (provenance.fingerprint, provenance.engine, provenance.threads, provenance.batch)
    if here != there or not reference.entries:
        raise ValueError(
            f"the reference table ({provenance.device}, {provenance.engine}, {provenance.threads} threads, batch "
            f"{provenance.batch}, {len(reference.entries)} operators) does not fit what is measured "
            f"({bench.engine.device.id}, {bench.engine.name}, {bench.engine.threads} threads, batch {bench.batch})"
        )


def _calibrate(table: LatencyTable, anchors: Sequence[Anchor], measured: Sequence[Measurement]) -> Calibration:
    return fit(
        np.array([table.total_ms(anchor.ops) for anchor in anchors]),
        np.array([layers(anchor.ops) for anchor in anchors]),
        np.array([len(anchor.ops) for anchor in anchors]),
        np.array([one.latency_ms for one in measured]),
        np.array([one.halves_ms for one in measured]).T,
    )


def _entries(
    ops: Sequence[Op], timed: Sequence[Measurement], around: Mapping[tuple[Shape, str], Measurement]
) -> dict[Op, Measurement]:
    """Return each operator's own time: what was timed, without its surroundings' part in it."""
    entries = {}
    for op, measured in zip(ops, timed, strict=True):
        own = measured
        for shape, share in parts(op).items():
            own = own.less(around[shape, op.dtype], share)
        entries[op] = own
    return entries


def _provenance(entries: Mapping[Op, Measurement], visits: Visits, bench: Bench) -> Provenance:
    engine = bench.engine
    device = engine.device
    versions = {"python": platform.python_version(), "torch": str(torch.__version__), engine.name: engine.version}
    return Provenance(
        device=device.id,
        device_name=device.name,
        fingerprint=device.fingerprint,
        engine=engine.name,
        engine_version=engine.version,
        threads=engine.threads,
        batch=bench.batch,
        dtype=engine.dtype or ",".join(sorted({op.dtype for op in entries})),
        layout=engine.layout,
        software={**versions, **engine.notes},
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        rounds=visits.rounds[-1] + 1,
        clock=bench.clock.name,
        load_average=load_average(),
        involuntary_switches=visits.involuntary_switches,
        wall_over_cpu=visits.wall_ms / visits.cpu_ms,
        noise=split_half_error(np.array([entry.halves_ms for entry in entries.values()]).T),
    )
