"""Latency tables for a study: those it has used, fresh stored ones, and this machine's, measured now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from hardware_models.architecture import architecture_of
from search.cli.tables import FACTS, Table, opened, table_used, tables_of
from search.study_devices import THIS, StudyDevice
from search.study_tables import metric_of

if TYPE_CHECKING:
    from hardware_models.latency_table import LatencyTable
    from hardware_models.profiler import Network
    from search.coverage import Coverage
    from search.storage import Storage
    from search.study_file import StudyDefinition
    from spaces.genotype import GenotypeSpace

FRESH_DAYS = 30
"""For how long a stored table of the same device, engine and versions is used without measuring again."""

TRIED = 32
"""Random genotypes that a model of genotypes must cost to be taken for one of the space."""

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


def setup_of(definition: StudyDefinition) -> Setup:
    """Return how a study file wants latencies measured."""
    return Setup(definition.engine, definition.threads, definition.batch, definition.anchors)


class TableFinder:
    """Finds the latency tables of one study's devices; the space's operators are listed once, if they must be."""

    def __init__(
        self, storage: Storage, space: GenotypeSpace, setup: Setup, used: Mapping[str, Mapping[str, Any]], say: Say
    ) -> None:
        """Take how the study wants latencies measured, and the facts of the tables that it has used so far by name."""
        self._storage, self._space, self._setup, self._used, self._say = storage, space, setup, used, say

    def used(self, name: str) -> Table | None:
        """Return the table that the study has used for a device; None where it has not, or it is gone."""
        return table_used(self._storage, self._used[name]) if name in self._used else None

    def find(self, device: StudyDevice) -> Table:
        """Return the table that the study has used, else the newest that covers the space, else one measured now.

        Only this machine can be measured. Raises ValueError where there is no table, none that covers the space, or
        the study has used another device's, or one of another engine, threads or batch, under this name.
        """
        used = self.used(device.name)
        if used is None:
            return self.newest(device, measure=True)
        said = device.setup | ({} if device.device == THIS else {"device": device.device})
        other = [field for field, value in said.items() if used.origin[field] != value]
        if other:
            was, now = used.origin[other[0]], said[other[0]]
            raise ValueError(
                f"the study's {metric_of(device.name)} comes from a table of {other[0]} {was}, not {now}; "
                f"trials must stay comparable: give the other one another name, or use another study name"
            )
        return used

    def newest(self, device: StudyDevice, *, measure: bool = False) -> Table:
        """Return the newest stored table that covers the space, whatever the study has used; see `find`."""
        if measure and is_this_machine(device.device):
            setup = replace(self._setup, **device.setup)
            return fresh_table(self._storage, setup, self.coverage) or self._measured(setup)
        usual = {"engine": self._setup.engine, "threads": self._setup.threads, "batch": self._setup.batch}
        stored = tables_of(self._storage, replace(device, device=device_id(device.device)), usual)
        problems: list[str] = []
        for table in map(opened, stored):
            problems.append(self.problem(table.model))
            if not problems[-1]:
                return table
        raise ValueError(f"no latency table of device {device.device!r} is of this space: {problems[0]}")

    def problem(self, model: Any) -> str:
        """Return why a model cannot cost the space's networks, or ""."""
        try:
            if hasattr(model, "costs"):
                model.costs(self._space.sample(TRIED, np.random.default_rng(0)))
            else:
                model(self.coverage.ops)
        except (LookupError, ValueError) as error:
            return str(error)
        return ""

    def _measured(self, setup: Setup) -> Table:
        return keep(self._storage, measure_table(self._space, self.coverage, setup, self._say), measured_now=True)

    @cached_property
    def coverage(self) -> Coverage:
        """The operators of the space. Raises ValueError for candidates without `ops()`."""
        self._say("listing the space's operators", 0.0)
        return cover_space(self._space)


def device_id(device: str) -> str:
    """Return the id that a device's tables are stored under: of `this`, this machine's."""
    from hardware_models.device import this_device

    return this_device().id if device == THIS else device


def is_this_machine(device: str) -> bool:
    """Return whether a device, by its id or as `this`, is the one that this process runs on."""
    from hardware_models.device import this_device

    return device_id(device) == this_device().id


def cover_space(space: GenotypeSpace) -> Coverage:
    """Return the operators of a space, the same each time."""
    from search.coverage import cover

    return cover(space, np.random.default_rng(0))


def fresh_table(storage: Storage, setup: Setup, coverage: Coverage) -> Table | None:
    """Return the newest stored table of this machine, engine, threads, batch and versions that holds every operator."""
    from hardware_models.engines import open_engine
    from hardware_models.latency_table import LatencyTable

    engine = open_engine(setup.engine, setup.threads)
    device = engine.device
    stored = storage.load_latency_table(
        device=device.id, engine=engine.name, threads=setup.threads, batch=setup.batch, max_age_s=FRESH_DAYS * 86_400
    )
    table = None if stored is None else opened(stored)
    if table is None or not isinstance(table.model, LatencyTable):
        return None
    origin = table.model.provenance
    same = (origin.fingerprint, origin.engine_version) == (device.fingerprint, engine.version)
    return table if same and all(op in table.model.entries for op in coverage.ops) else None


def keep(storage: Storage, table: LatencyTable, *, measured_now: bool = False) -> Table:
    """Store a table, if it is not yet, and return it."""
    import dataclasses
    from hashlib import sha256

    origin, document = table.provenance, table.to_json()
    storage.save_latency_table(
        document, device=origin.device, engine=origin.engine, threads=origin.threads, batch=origin.batch,
        provenance={**dataclasses.asdict(origin), "software": dict(origin.software)},
    )  # fmt: skip
    facts = {fact: getattr(origin, fact) for fact in FACTS}
    return Table(table, sha256(document.encode()).hexdigest(), facts, measured_now)


def measure_table(space: GenotypeSpace, coverage: Coverage, setup: Setup, say: Say) -> LatencyTable:
    """Measure the operators of a space, and networks of it to calibrate by, on this machine."""
    from hardware_models.calibration import MINIMUM_ANCHORS
    from hardware_models.profiler import Anchor, profile
    from search.coverage import stratified

    candidates = [architecture_of(space.decode(genotype)) for genotype in stratified(coverage, setup.anchors)]
    networks = [(network_of(candidate), candidate.ops()) for candidate in candidates]
    anchors = [Anchor(*network, ops) for network, ops in networks if network is not None]
    anchors = anchors if len(anchors) >= MINIMUM_ANCHORS else []
    batch = f", batch {setup.batch}" if setup.batch > 1 else ""
    what = f"measuring {len(coverage.ops)} operators and {len(anchors)} networks{batch}"
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
