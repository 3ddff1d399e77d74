"""Latency estimated from a device's published peaks (the roofline model: Williams et al., CACM 52(4), 2009).

    latency = sum over operators of (max(2 MACs / peak, bytes / bandwidth) + overhead)

Most operators are slower: with direct convolution, and nothing kept in caches from one operator to the next, estimates
are lower bounds. They are for ranking networks, and no substitute for a latency table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hardware_models.device_sheet import DeviceSheet
from hardware_models.estimates import estimated
from hardware_models.op import Op
from hardware_models.traffic import Work, works


@dataclass(frozen=True, slots=True)
class Roofline:
    """The hardware model `latency_ms@DEVICE-estimated` of a device sheet.

    The metric's name tells a dtype that is given, and a batch other than 1: `latency_ms@a100-float16-batch8-estimated`.

    Attributes:
      sheet: the device's figures.
      dtype: that all operators run in; each one's own where it is None.
      batch: images in each call; the latency is of the whole batch.
      overhead_us: microseconds to start one kernel; the sheet's where it is None.
      fused: see `hardware_models.traffic.works`; the name tells where it is not so.
    """

    sheet: DeviceSheet
    dtype: str | None = None
    batch: int = 1
    overhead_us: float | None = None
    fused: bool = True

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise ValueError(f"batch must be at least 1, got {self.batch}")
        if self.dtype is not None:
            self._peak(self.dtype)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The one metric's name."""
        batch, unfused = f"batch{self.batch}" if self.batch > 1 else None, None if self.fused else "unfused"
        return (estimated("latency_ms", "-".join(filter(None, (self.sheet.id, self.dtype, batch, unfused)))),)

    def __call__(self, ops: Sequence[Op]) -> Mapping[str, float]:
        """Return the estimate for one batch; see `terms`."""
        return {self.metrics[0]: float(sum(self.terms(op)[0] for op in ops))}

    def terms(self, op: Op) -> np.ndarray:
        """Return the milliseconds that `op` takes at least, float64 of shape (1,).

        Raises:
          ValueError: for a dtype that the sheet gives no peak of, and a kind that cannot be counted.
        """
        return np.array([sum(map(self._latency_ms, works(op, self.dtype, self.fused)))], np.float64)

    def total(self, sums: np.ndarray) -> np.ndarray:
        """Return the metrics (n, 1) of n networks given the sums of their operators' terms: the sums."""
        return sums

    def _latency_ms(self, work: Work) -> float:
        compute_ms = 2 * self.batch * work.macs / (self._peak(work.dtype) * 1e9)
        bandwidth = self.sheet.bandwidth_gb_s
        memory_ms = work.moved_bytes(self.batch) / (bandwidth * 1e6) if bandwidth else 0.0
        overhead_us = self.sheet.overhead_us if self.overhead_us is None else self.overhead_us
        return max(compute_ms, memory_ms) + overhead_us / 1e3

    def _peak(self, dtype: str) -> float:
        """Return 10^12 operations a second."""
        if dtype not in self.sheet.peak_tflops:
            known = ", ".join(self.sheet.peak_tflops)
            raise ValueError(f"the sheet of {self.sheet.id} has no peak for {dtype!r}; give dtype as one of {known}")
        return self.sheet.peak_tflops[dtype]
