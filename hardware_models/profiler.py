"""Measuring on this machine: operators into a latency table, and whole networks.

The protocol: everything distinct is timed once; operators and whole networks (`anchors`) take turns in shuffled
rounds, one warm-up and three samples a visit, by the thread's CPU clock when one thread computes; estimates are
corrected for drift (`hardware_models.drift`); the anchors calibrate the sum of operators; rounds go on until two
independent halves of them agree, or the rounds allowed are used up.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from hardware_models.bench import Bench
from hardware_models.calibration import MINIMUM_ANCHORS, Calibration, fit
from hardware_models.counts import layers
from hardware_models.device import this_device
from hardware_models.drift import split_half_error
from hardware_models.latency_table import LatencyTable, Provenance
from hardware_models.measurement import Measurement
from hardware_models.op import Op, Shape
from hardware_models.sampling import Progress, Visits, load_average

if TYPE_CHECKING:
    from torch import nn

ROUNDS = 20
"""Rounds that are made at most, unless told otherwise."""

OPERATOR_VISITS = 80
MOST_VISITS = 4
"""Where a space has few operators, each is visited several times a round: few errors do not cancel out in a sum."""


class Network(NamedTuple):
    """A network to measure: a module of one input, and that input's shape without the batch."""

    module: nn.Module
    input_shape: Shape


class Anchor(NamedTuple):
    """A network to calibrate by: as `Network`, with the operators that it runs."""

    module: nn.Module
    input_shape: Shape
    ops: Sequence[Op]


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
    """Return the latency table of `ops` and of the anchors' operators on this machine's CPU, each timed once.

    Args:
      ops: may hold one operator many times.
      anchors: whole networks, best 10 to 20 whose latencies span what will be predicted; without any, a network is
        predicted as the plain sum of its operators.
      engine: `torch` or `onnxruntime`.
      threads: that the engine computes with. One is timed by its CPU clock, several by the wall clock.
      batch: images in each call; latencies are of a whole batch.
      rounds: at most, with up to four visits to each operator and one to each anchor; fewer are made where two halves
        of them agree to 1 %.
      seed: of the order of visits, and of inputs.
      progress: called with the visits done and the visits in all.

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
    bench = Bench(engine, threads, batch, seed)
    often = max(1, min(MOST_VISITS, OPERATOR_VISITS // len(distinct)))
    preparations = [partial(bench.operator, op, often) for op in distinct]
    whole = [*(Network(anchor.module, anchor.input_shape) for anchor in anchors), *networks]
    preparations += [partial(bench.network, *network) for network in whole]
    timed, visits = bench.time(preparations, rounds, progress)
    entries, measured = timed[: len(distinct)], timed[len(distinct) :]
    table = LatencyTable(dict(zip(distinct, entries, strict=True)), _provenance(distinct, entries, visits, bench))
    if anchors:
        table = replace(table, calibration=_calibrate(table, anchors, measured[: len(anchors)]))
    return table, measured[len(anchors) :]


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
    """Return the latency of each network on this machine's CPU, by the protocol and with the arguments of `profile`.

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
    everything = [*networks, *(Network(anchor.module, anchor.input_shape) for anchor in anchors)]
    timed, _ = bench.time([partial(bench.network, *network) for network in everything], rounds, progress)
    measured, now = timed[: len(networks)], timed[len(networks) :]
    if reference is None:
        return measured
    ratios = [then_ms / again.latency_ms for then_ms, again in zip(expected, now, strict=True)]
    return tuple(one.scaled(float(np.median(ratios))) for one in measured)


def _check_comparable(reference: LatencyTable, bench: Bench) -> None:
    provenance = reference.provenance
    here = (this_device().fingerprint, bench.engine.name, bench.engine.threads, bench.batch)
    there = (provenance.fingerprint, provenance.engine, provenance.threads, provenance.batch)
    if here != there or not reference.entries:
        raise ValueError(
            f"the reference table ({provenance.device}, {provenance.engine}, {provenance.threads} threads, batch "
            f"{provenance.batch}, {len(reference.entries)} operators) does not fit what is measured "
            f"({this_device().id}, {bench.engine.name}, {bench.engine.threads} threads, batch {bench.batch})"
        )


def _calibrate(table: LatencyTable, anchors: Sequence[Anchor], measured: Sequence[Measurement]) -> Calibration:
    return fit(
        np.array([table.total_ms(anchor.ops) for anchor in anchors]),
        np.array([layers(anchor.ops) for anchor in anchors]),
        np.array([len(anchor.ops) for anchor in anchors]),
        np.array([one.latency_ms for one in measured]),
        np.array([one.halves_ms for one in measured]).T,
    )


def _provenance(ops: Sequence[Op], entries: Sequence[Measurement], visits: Visits, bench: Bench) -> Provenance:
    device, engine = this_device(), bench.engine
    return Provenance(
        device=device.id,
        device_name=device.name,
        fingerprint=device.fingerprint,
        engine=engine.name,
        engine_version=engine.version,
        threads=engine.threads,
        batch=bench.batch,
        dtype=",".join(sorted({op.dtype for op in ops})),
        layout=engine.layout,
        software={"python": platform.python_version(), "torch": str(torch.__version__), engine.name: engine.version},
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        rounds=visits.rounds[-1] + 1,
        clock="cpu" if engine.threads == 1 else "wall",
        load_average=load_average(),
        involuntary_switches=visits.involuntary_switches,
        wall_over_cpu=visits.wall_ms / visits.cpu_ms,
        noise=split_half_error(np.array([entry.halves_ms for entry in entries]).T),
    )
