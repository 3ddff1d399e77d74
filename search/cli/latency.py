"""Latency tables for a study: those it has used, fresh stored ones, and this machine's, measured now."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from search.cli.tables import Table, keep, keep_shipped, opened, table_used, tables_of
from search.study_devices import THIS, StudyDevice
from search.study_tables import metric_of

if TYPE_CHECKING:
    from hardware_models.profiler import Network
    from search.coverage import Coverage
    from search.storage import Storage
    from search.study_file import StudyDefinition
    from spaces.genotype import GenotypeSpace

FRESH_DAYS = 30
"""For how long a stored table of the same device, engine and versions is used without measuring again."""

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
        named = replace(device, device=device_id(device.device))
        keep_shipped(self._storage, named.device)
        stored = tables_of(self._storage, named, usual)
        problems: list[str] = []
        for table in map(opened, stored):
            problems.append(self.problem(table.model))
            if not problems[-1]:
                return table
        raise ValueError(f"no latency table of device {device.device!r} is of this space: {problems[0]}")

    def problem(self, model: Any) -> str:
        """Return why a model cannot cost the space's networks, or ""."""
        from hardware_models._base import MissingEntry

        try:
            if hasattr(model, "space"):
                model.space.check(self._space)
            else:
                model(self.coverage.ops)
        except MissingEntry as error:
            ops = self.coverage.ops
            lacking = sum(op not in getattr(model, "entries", ops) for op in ops)
            return str(error) + (f"; it lacks {lacking:,} of the space's {len(ops):,} operators" if lacking else "")
        except (LookupError, ValueError) as error:
            return str(error)
        return ""

    def _measured(self, setup: Setup) -> Table:
        from search.cli.measuring import measure_and_validate

        table = measure_and_validate(self._space, self.coverage, setup, 0, self._say).table
        return keep(self._storage, table, measured_now=True)

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
    oldest = time.time() - FRESH_DAYS * 86_400
    for stored in storage.latency_tables(device=engine.device.id, engine=engine.name):
        if (stored.threads, stored.batch) != (setup.threads, setup.batch) or stored.created_at < oldest:
            continue
        table = opened(stored)
        if not isinstance(table.model, LatencyTable):
            continue
        origin = table.model.provenance
        same = (origin.fingerprint, origin.engine_version) == (engine.device.fingerprint, engine.version)
        if same and all(op in table.model.entries for op in coverage.ops):
            return table
    return None


def network_of(candidate: Any) -> Network | None:
    """Return a candidate's network to be measured; None where it builds none or does not say its `input_shape`."""
    from hardware_models.profiler import Network

    if not hasattr(candidate, "build") or not hasattr(candidate, "input_shape"):
        return None
    return Network(candidate.build(), candidate.input_shape)
