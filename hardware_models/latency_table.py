"""Latency tables: the measured or imported latency of each operator on one device, and the network's as their sum."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hardware_models._base import MissingEntry
from hardware_models.calibration import LEAST_SHARE, Calibration
from hardware_models.counts import layers
from hardware_models.measurement import Measurement
from hardware_models.op import Op
from hardware_models.validation import ValidationReport

Entry = Measurement
"""What a table holds for an operator."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a table comes from: equal device, engine, threads, batch, dtype and layout make tables comparable.

    Attributes:
      device: the device's short id.
      device_name: for people.
      fingerprint: the device's, hexadecimal.
      engine, engine_version: what ran the operators.
      threads: that it computed with.
      batch: the images in each call.
      dtype: of the operators; several are joined by commas.
      layout: of images in memory.
      software: versions by package name, and what else the engine notes, e.g. a GPU's clock.
      created_at: ISO 8601 with the offset from UTC.
      rounds: how often each operator was visited.
      clock: `cpu` (one thread's CPU time), `wall` or `cuda` (events on the GPU).
      load_average: of the last minute, at the end.
      involuntary_switches: while samples were taken.
      wall_over_cpu: the wall time of all samples divided by their CPU time; 1 on a quiet machine with one thread.
      noise: by how much the entries' two halves differ, summed, relative to the sum of the entries.
    """

    device: str
    device_name: str
    fingerprint: str
    engine: str
    engine_version: str
    threads: int
    batch: int
    dtype: str
    layout: str
    software: Mapping[str, str]
    created_at: str
    rounds: int
    clock: str
    load_average: float
    involuntary_switches: int
    wall_over_cpu: float
    noise: float


@dataclass(frozen=True, slots=True)
class LatencyTable:
    """The hardware model of one device and engine: `latency_ms` of any network whose operators it holds.

    Attributes:
      entries: what is known of each operator.
      provenance: where it comes from.
      calibration: from the sum of entries to a network's latency; `Calibration()` leaves the sum as it is.
      validation: predictions of networks that the table was made without, against their measurement; None if none was
        measured.
    """

    entries: Mapping[Op, Entry]
    provenance: Provenance
    calibration: Calibration = field(default_factory=Calibration)
    validation: ValidationReport | None = None

    @property
    def metrics(self) -> tuple[str, ...]:
        """`latency_ms` alone."""
        return ("latency_ms",)

    def __call__(self, ops: Sequence[Op]) -> Mapping[str, float]:
        """Return `latency_ms` of one batch through a network that runs `ops` one after another.

        Raises:
          MissingEntry: for an operator that is not in the table.
        """
        return {"latency_ms": self.calibration(self.total_ms(ops), layers(ops), len(ops))}

    def warning(self) -> str | None:
        """Return why the table should not be relied on; None where nothing speaks against it or it was never tried.

        The rule is `ValidationReport.warning`, on networks that were not used or else on each anchor left out.
        """
        tried = self.validation or self.calibration.validation
        return None if tried is None else tried.warning()

    def total_ms(self, ops: Sequence[Op]) -> float:
        """Return the sum of the entries of `ops`, uncalibrated; 0 for none; the same in whatever order they stand.

        Raises:
          MissingEntry: for an operator that is not in the table.
        """
        try:
            return math.fsum(self.entries[op].latency_ms for op in ops)
        except KeyError as error:
            raise MissingEntry(error.args[0], f"the latency table of {self.provenance.device}") from None

    def terms(self, op: Op) -> np.ndarray:
        """Return what one operator adds to the latency in ms and, where it may bind, to its lower bound: (1,) or (2,).

        Raises:
          MissingEntry: for an operator that is not in the table.
        """
        latency_ms, scale = self.total_ms((op,)), self.calibration.scale
        calls_ms = self.calibration.per_layer_ms * layers((op,)) + self.calibration.per_op_ms
        added = [scale * latency_ms + calls_ms, LEAST_SHARE * scale * latency_ms]
        return np.array(added if self._may_bind else added[:1])

    def total(self, sums: np.ndarray) -> np.ndarray:
        """Return `latency_ms`, (n, 1), of networks whose terms add up to `sums`, (n, 1) or (n, 2)."""
        offset_ms = self.calibration.offset_ms
        if not self._may_bind:
            return sums + offset_ms if offset_ms else sums
        bound: np.ndarray = np.maximum(sums[:, :1] + offset_ms, sums[:, 1:])
        return bound

    @property
    def _may_bind(self) -> bool:
        """Whether the calibrated latency can fall below what a calibration holds to be the least."""
        fit = self.calibration
        return min(fit.offset_ms, fit.per_layer_ms, fit.per_op_ms) < 0

    def to_json(self) -> str:
        """Return the table as one JSON document, which `from_json` reads back exactly."""
        from hardware_models.latency_table_json import dump

        return dump(self)

    @classmethod
    def from_json(cls, text: str | bytes) -> LatencyTable:
        """Return the table of a document from outside; nothing in it is executed.

        Raises:
          ValueError: for anything that `to_json` does not write; one line that names the field.
        """
        from hardware_models.latency_table_json import load

        return load(text)
