"""Made-up latency tables under names of their own, which know every operator but those that they are told not to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from hardware_models.calibration import Calibration
from hardware_models.latency_table import Entry, LatencyTable
from hardware_models.op import Op
from tests.hardware_models.tables import ENTRY, PROVENANCE

CALIBRATIONS = (Calibration(), Calibration(1.1, 0.01, 0.002, 0.3), Calibration(0.9, 0.02, 0.01, -2.0))
"""None, one that only adds, and one whose lower bound is met by small networks."""


class Entries(dict[Op, Entry]):
    """A random latency for each operator, but of those kinds that are left out."""

    def __init__(self, seed: int, without: str = "") -> None:
        super().__init__()
        self._random, self._without = np.random.default_rng(seed), without

    def __missing__(self, op: Op) -> Entry:
        if op.kind == self._without:
            raise KeyError(op)
        self[op] = Entry(float(self._random.uniform(0.01, 1.0)), ENTRY.samples, 0.0, 0.0, 0.0, (0.0, 0.0))
        return self[op]


class Device:
    """A latency table whose metric bears the device's name."""

    def __init__(self, number: int, without: str = "") -> None:
        calibration = CALIBRATIONS[number % len(CALIBRATIONS)]
        self._table = LatencyTable(Entries(number, without), PROVENANCE, calibration)
        self.metrics = (f"latency_ms@{number}",)
        self.terms, self.total = self._table.terms, self._table.total

    def __call__(self, ops: Sequence[Op]) -> Mapping[str, float]:
        """Return the latency."""
        return {self.metrics[0]: self._table(ops)["latency_ms"]}


def devices(count: int) -> list[Device]:
    """Return so many made-up devices."""
    return [Device(number) for number in range(count)]
