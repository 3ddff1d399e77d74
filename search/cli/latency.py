"""The hardware models of a study: its device's latency table, stored or measured now, and counts."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hardware_models.architecture import architecture_of

if TYPE_CHECKING:
    from hardware_models._base import HardwareModel
    from hardware_models.latency_table import LatencyTable
    from hardware_models.profiler import Network
    from search.coverage import Coverage
    from search.known_metrics import KnownMetrics
    from search.storage import Storage
    from search.study_file import StudyDefinition
    from spaces.genotype import GenotypeSpace

FRESH_DAYS = 30
"""For how long a stored table of the same device, engine and versions is used without measuring again."""

LATENCY = "latency_ms"
COUNTS = ("macs", "params")

Say = Callable[[str, float], None]
"""Told what is being done and how much of it is, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Setup:
    """How latencies are measured: the engine, its threads, the batch size, calibrating networks, rounds."""

    engine: str = "torch"
    threads: int = 1
    batch: int = 1
    anchors: int = 18
    rounds: int = 20


@dataclass(frozen=True, slots=True)
class Table:
    """A latency table: the model, the digest it is stored under, and whether it was measured by this run."""

    model: LatencyTable
    sha256: str
    measured_now: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a study's candidates before an evaluation: compiled metrics, and the table among the models."""

    metrics: KnownMetrics | None = None
    table: Table | None = None


def setup_of(definition: StudyDefinition) -> Setup:
    """Return how a study file wants latencies measured."""
    return Setup(definition.engine, definition.threads, definition.batch, definition.anchors)


def known_metrics(storage: Storage, definition: StudyDefinition, used: str | None, say: Say) -> Known:
    """Return the models for those metrics that objectives, constraints or the report name, and no evaluator yields.

    `used` is the digest of the latency table that the study has used so far: it is used on, so that trials stay
    comparable. Raises ValueError for a device that is not this machine, or candidates without `ops()`.
    """
    from hardware_models.counts import Counts
    from search.known_metrics import KnownMetrics

    models: list[HardwareModel] = list(definition.hardware_models)
    missing = _wanted(definition) - {name for model in models for name in model.metrics}
    table = latency_table(storage, definition, used, say) if LATENCY in missing else None
    if table is not None:
        models.append(table.model)
    if missing.intersection(COUNTS):
        models.append(Counts())
    return Known(KnownMetrics(definition.space, models) if models else None, table)


def _wanted(definition: StudyDefinition) -> set[str]:
    """Return the metrics that the study names and its evaluator does not promise."""
    named = {objective.metric for objective in definition.objectives} | set(definition.report)
    named |= {constraint.metric for constraint in definition.constraints}
    promised: Collection[str] = getattr(definition.evaluator, "metrics", ())
    return named - set(promised)


def latency_table(storage: Storage, definition: StudyDefinition, used: str | None, say: Say) -> Table:
    """Return the table that the study has used, or a fresh stored one that covers the space, or one measured now."""
    from hardware_models.latency_table import LatencyTable

    for stored in storage.latency_tables():
        if stored.sha256 == used:
            return Table(LatencyTable.from_json(stored.document), stored.sha256)
    check_device(definition.device)
    say("listing the space's operators", 0.0)
    coverage = cover_space(definition.space)
    setup = setup_of(definition)
    return fresh_table(storage, setup, coverage) or keep(storage, measure_table(definition.space, coverage, setup, say))


def cover_space(space: GenotypeSpace) -> Coverage:
    """Return the operators of a space, the same each time."""
    from search.coverage import cover

    return cover(space, np.random.default_rng(0))


def fresh_table(storage: Storage, setup: Setup, coverage: Coverage) -> Table | None:
    """Return the newest stored table of this machine, engine, threads, batch and versions that holds every operator."""
    from hardware_models.device import this_device
    from hardware_models.engines import open_engine
    from hardware_models.latency_table import LatencyTable

    device, engine = this_device(), open_engine(setup.engine, setup.threads)
    stored = storage.load_latency_table(
        device=device.id, engine=engine.name, threads=setup.threads, batch=setup.batch, max_age_s=FRESH_DAYS * 86_400
    )
    if stored is None:
        return None
    table = LatencyTable.from_json(stored.document)
    same = (table.provenance.fingerprint, table.provenance.engine_version) == (device.fingerprint, engine.version)
    return Table(table, stored.sha256) if same and all(op in table.entries for op in coverage.ops) else None


def keep(storage: Storage, table: LatencyTable) -> Table:
    """Store a table that was just measured."""
    import dataclasses
    from hashlib import sha256

    origin, document = table.provenance, table.to_json()
    storage.save_latency_table(
        document, device=origin.device, engine=origin.engine, threads=origin.threads, batch=origin.batch,
        provenance={**dataclasses.asdict(origin), "software": dict(origin.software)},
    )  # fmt: skip
    return Table(table, sha256(document.encode()).hexdigest(), measured_now=True)


def measure_table(space: GenotypeSpace, coverage: Coverage, setup: Setup, say: Say) -> LatencyTable:
    """Measure the operators of a space, and networks of it to calibrate by, on this machine."""
    from hardware_models.calibration import MINIMUM_ANCHORS
    from hardware_models.profiler import Anchor, profile
    from search.coverage import stratified

    candidates = [architecture_of(space.decode(genotype)) for genotype in stratified(coverage, setup.anchors)]
    networks = [(network_of(candidate), candidate.ops()) for candidate in candidates]
    anchors = [Anchor(*network, ops) for network, ops in networks if network is not None]
    anchors = anchors if len(anchors) >= MINIMUM_ANCHORS else []
    what = f"measuring {len(coverage.ops)} operators and {len(anchors)} networks"
    return profile(
        coverage.ops, anchors, engine=setup.engine, threads=setup.threads, batch=setup.batch, rounds=setup.rounds,
        progress=lambda done, total: say(what, done / total),
    )  # fmt: skip


def network_of(candidate: Any) -> Network | None:
    """Return a candidate's network to be measured; None where it builds none or does not say its `input_shape`."""
    from hardware_models.profiler import Network

    if not hasattr(candidate, "build") or not hasattr(candidate, "input_shape"):
        return None
    return Network(candidate.build(), candidate.input_shape)


def check_device(device: str) -> None:
    """Raise ValueError for a device that latencies cannot be measured on from here."""
    from hardware_models.device import this_device

    if device not in ("this", this_device().id):
        raise ValueError(
            f"device {device!r} is not this machine ({this_device().id}), and no latency table of it is at hand: "
            f"use device = 'this', or name a table of it in hardware_models"
        )
