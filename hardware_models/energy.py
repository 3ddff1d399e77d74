"""Energy estimated from the cost of each multiply-accumulate and of each byte moved.

    energy = MACs x (multiplication + addition + operands x bytes x SRAM) + bytes moved x DRAM

Costs are of a 45 nm chip: Horowitz, "Computing's energy problem (and what we can do about it)", ISSCC 2014; that of 32
bits of DRAM as in Han et al., NeurIPS 2015, table 1. A newer process costs a fraction of it, in other proportions:
estimates are for ranking networks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hardware_models.estimates import estimated
from hardware_models.op import DTYPE_BYTES, Op
from hardware_models.traffic import Work, works


@dataclass(frozen=True, slots=True)
class EnergyCosts:
    """What a chip spends on elementary steps, in picojoules.

    Attributes:
      id: of the chip or its process, e.g. `45nm`.
      mac_pj: of one multiplication and one addition, by dtype.
      sram_pj_per_byte: of reading a byte from a small memory beside the multipliers.
      dram_pj_per_byte: of moving a byte from or to memory outside of the chip.
    """

    id: str
    mac_pj: Mapping[str, float]
    sram_pj_per_byte: float
    dram_pj_per_byte: float


HOROWITZ_45NM = EnergyCosts(
    id="45nm",
    mac_pj={"float32": 3.7 + 0.9, "float16": 1.1 + 0.4, "int8": 0.2 + 0.03},
    sram_pj_per_byte=10 / 8,
    dram_pj_per_byte=640 / 4,
)
"""Multiplication and addition; 64 bits from 8 KB of SRAM cost 10 pJ, 32 bits of DRAM 640 pJ."""


@dataclass(frozen=True, slots=True)
class Energy:
    """The hardware model `energy_mj@CHIP-estimated` of one image; static power is not in it.

    Attributes:
      costs: of elementary steps.
      dtype: that all operators run in, told by the metric's name; each one's own where it is None.
      sram_operands: how many operands of a multiply-accumulate come from SRAM: 2 where both are read each time, fewer
        where registers hold them for several.
    """

    costs: EnergyCosts = HOROWITZ_45NM
    dtype: str | None = None
    sram_operands: float = 2.0

    @property
    def metrics(self) -> tuple[str, ...]:
        """The one metric's name."""
        return (estimated("energy_mj", self.costs.id if self.dtype is None else f"{self.costs.id}-{self.dtype}"),)

    def __call__(self, ops: Sequence[Op]) -> Mapping[str, float]:
        """Return the estimate for one image; see `terms`."""
        return {self.metrics[0]: float(sum(self.terms(op)[0] for op in ops))}

    def terms(self, op: Op) -> np.ndarray:
        """Return the millijoules that `op` spends, float64 of shape (1,).

        Raises:
          ValueError: for a dtype that the costs do not name, and a kind that cannot be counted.
        """
        return np.array([sum(map(self._energy_mj, works(op, self.dtype)))], np.float64)

    def total(self, sums: np.ndarray) -> np.ndarray:
        """Return the metrics (n, 1) of n networks given the sums of their operators' terms: the sums."""
        return sums

    def _energy_mj(self, work: Work) -> float:
        if work.dtype not in self.costs.mac_pj:
            known = ", ".join(self.costs.mac_pj)
            raise ValueError(
                f"the energy of {work.dtype!r} on {self.costs.id} is not known; give dtype as one of {known}"
            )
        operand_pj = self.sram_operands * DTYPE_BYTES[work.dtype] * self.costs.sram_pj_per_byte
        compute_pj = work.macs * (self.costs.mac_pj[work.dtype] + operand_pj)
        return (compute_pj + work.moved_bytes() * self.costs.dram_pj_per_byte) / 1e9
