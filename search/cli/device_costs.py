"""Latencies of a stored study's trials on any device: those they have, else computed from a stored table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from search.cli.latency import TableFinder, device_id, setup_of
from search.cli.tables import Table
from search.device_places import devices_in_order
from search.study_devices import StudyDevice
from search.study_tables import device_names, device_of, metric_of, tables_used

if TYPE_CHECKING:
    from search.known_metrics import KnownMetrics
    from search.storage import Storage
    from search.study_file import StudyDefinition
    from search.study_view import StudyView
    from search.trials import TrialTable


class DeviceCosts:
    """Costs one study's trials. Its study file is loaded only where a trial lacks what is asked for."""

    def __init__(self, storage: Storage, study: StudyView, load: Callable[[], StudyDefinition]) -> None:
        """Take the study, and what loads its study file."""
        self._storage, self._study, self._load = storage, study, load

    def name_of(self, device: str) -> str:
        """Return what the study calls a device: "" for that of its plain `latency_ms`; one that is new as it is."""
        settings = self._study.settings
        plain = tables_used(settings).get("")
        own = device in device_names(settings)
        return "" if not own and plain is not None and plain.get("device") == device_id(device) else device

    def devices_in_order(self) -> list[str]:
        """Return all devices that the storage knows, in the order by which they are coloured."""
        return devices_in_order(self._storage.database)

    def costed(self, table: TrialTable, device: str) -> TrialTable:
        """Return trials with their latency on a device, computed where any of them lacks it; no trial is evaluated.

        Raises ValueError for a device without a stored table, and for one whose tables are of other spaces.
        """
        import numpy as np

        name = self.name_of(device)
        metric = metric_of(name)
        if np.isfinite(table.metrics.get(metric, np.full(len(table), np.nan))).all():
            return table
        known = self._known_on(name, device)
        if metric not in known.names:
            raise ValueError(f"device {device!r} is costed by {', '.join(known.names)}: expected {metric}, too")
        values = known(table.genotypes)[:, known.names.index(metric)]
        return replace(table, metrics={**table.metrics, metric: values})

    def _known_on(self, name: str, device: str) -> KnownMetrics:
        """Return a device's metrics: by the table that was used, the study file's own model, or the newest table."""
        from search.known_metrics import KnownMetrics

        used = self.finder.used(name)
        own = next((item.model for item in self.definition.devices if item.name == name), None)
        if used is None and own is not None:
            return KnownMetrics(self.definition.space, [own])
        return self.known(used or self.finder.newest(self.described(name, device)), name)

    def known(self, table: Table, name: str) -> KnownMetrics:
        """Return a table's metrics of any genotype, named for the device."""
        from hardware_models.at_device import AtDevice
        from search.known_metrics import KnownMetrics

        model: Any = AtDevice(table.model, name) if name else table.model
        return KnownMetrics(self.definition.space, [model])

    def described(self, name: str, device: str) -> StudyDevice:
        """Return a device as the study has had it, by id, engine, threads and batch; else as its file lists it."""
        used = tables_used(self._study.settings).get(name)
        if used is not None:
            return device_of(name, used)
        listed = (item for item in self.definition.devices if item.name == name and item.model is None)
        return next(listed, StudyDevice(name, device))

    @cached_property
    def finder(self) -> TableFinder:
        """What finds tables of the study's space. Raises ValueError where the study file is not the study's."""
        definition, used = self.definition, tables_used(self._study.settings)
        return TableFinder(self._storage, definition.space, setup_of(definition), used, lambda _text, _fraction: None)

    @cached_property
    def definition(self) -> StudyDefinition:
        """The study file. Raises ValueError where it is not the study's."""
        return self._load()
