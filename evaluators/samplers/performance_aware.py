"""Performance-aware sampling: of a level's networks, those are trained more often that did well (ElasticViT).

Source: Tang et al., ICCV 2023 (arXiv 2303.09730), and its released code: memory banks, the preference for what spends
its multiply-accumulates on width rather than depth, the chance of drawing from a bank and its schedule.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evaluators._counts import check_counts
from evaluators.nested.space import NestedSpace
from evaluators.samplers._base import Memory, Step, Subnet
from evaluators.samplers.complexity_aware import ComplexityAware

FIRST_CHANCE, RISE, STAGES = 0.2, 0.15, 6
"""Of drawing from a bank: at first, and what each sixth of the training adds (100 of 600 epochs)."""


@dataclass(frozen=True)
class PerformanceAware(ComplexityAware):
    """Draws as `ComplexityAware` does, but for its random networks.

    With a chance that rises from .2 to .95, and while the level's bank is more than half full, a network is drawn from
    it in proportion to the exponential of its score: minus its cross-entropy when it was last looked at. Otherwise the
    one of `explored` random networks is taken for which `preference` is smallest, or the first while the bank is less
    than half full; after its step it is put into the bank, in place of the worst if need be.
    A bank is scored anew at the quarters of an epoch at which it is the step's, all at the first step of an epoch.

    Attributes:
      widths, depths: regular expressions of the columns that `preference` compares.
      capacity: networks in a bank.
      explored: random networks that are compared.
    """

    widths: str = r"^transformers\[\d+\]\.width$"
    depths: str = r"^transformers\[\d+\]\.depth$"
    capacity: int = 50
    explored: int = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(capacity=self.capacity, explored=self.explored)

    def draw(self, at: Step, memory: Memory) -> Sequence[Subnet]:
        """Return the step's networks; those that were not from a bank are of the kind `random`, others `kept`."""
        banks = _banks(memory)
        if at.step == 0:
            for entries in banks.values():
                _rescore(at, entries)
        drawn = super().draw(at, memory)
        quarters = {round(at.steps * share) for share in (0.25, 0.5, 0.75)}
        if at.step in quarters and at.step and any(subnet.kind == "random" for subnet in drawn):
            _rescore(at, banks.get(str(memory["level"]), []))
        return drawn

    def learn(self, at: Step, drawn: Sequence[Subnet], losses: Sequence[float], memory: Memory) -> None:
        """Put the explored networks into the level's bank."""
        entries = _banks(memory).setdefault(str(memory["level"]), [])
        level = self.levels_of(at.nets)[memory["level"]]
        for subnet, loss in zip(drawn, losses, strict=True):
            if subnet.kind != "random" or at.nets.macs(subnet.genotype) > level + self.window_at(level):
                continue
            entry = [subnet.genotype.tolist(), -loss]
            if len(entries) < self.capacity:
                entries.append(entry)
            elif min(score for _, score in entries) < -loss:
                entries[int(np.argmin([score for _, score in entries]))] = entry

    def chance(self, at: Step) -> float:
        """Return the chance of drawing from a bank."""
        return FIRST_CHANCE + RISE * (STAGES * at.epoch // at.epochs)

    def preference(self, nets: NestedSpace, genotype: np.ndarray, anchor: np.ndarray) -> float:
        """Return q: multiply-accumulates with the anchor's widths minus those with the anchor's depths.

        The smaller, the more of them a network owes to its width.
        """
        without = [genotype.copy(), genotype.copy()]
        for changed, pattern in zip(without, (self.widths, self.depths), strict=True):
            columns = [at for at, column in enumerate(nets.space.columns) if re.search(pattern, column.name)]
            changed[columns] = anchor[columns]
        narrow, shallow = (nets.macs(nets.valid(changed)) for changed in without)
        return narrow - shallow

    def anchor(self, at: Step, memory: Memory) -> np.ndarray:
        """Return what networks are compared with: the best of the lowest level's bank, or the smallest network."""
        lowest = _banks(memory).get("0", [])
        if memory.get("level", 0) == 0 or not lowest:
            return at.nets.smallest
        return np.array(max(lowest, key=lambda entry: float(entry[1]))[0], at.nets.space.dtype)

    def _one(self, at: Step, level: float, memory: Memory) -> Subnet:
        entries = _banks(memory).get(str(memory["level"]), [])
        if at.rng.random() < self.chance(at) and len(entries) > self.capacity / 2:
            weights = np.exp([score for _, score in entries])
            row = entries[at.rng.choice(len(entries), p=weights / weights.sum())][0]
            return Subnet(np.array(row, at.nets.space.dtype), "kept")
        rows = [self.random_at(at, level) for _ in range(self.explored)]
        if len(entries) < self.capacity / 2:
            return Subnet(rows[0], "random")
        anchor = self.anchor(at, memory)
        return Subnet(min(rows, key=lambda row: self.preference(at.nets, row, anchor)), "random")


def _banks(memory: Memory) -> dict[str, list[list[Any]]]:
    banks: dict[str, list[list[Any]]] = memory.setdefault("banks", {})
    return banks


def _rescore(at: Step, entries: list[list[Any]]) -> None:
    for entry in entries:
        entry[1] = at.score(np.array(entry[0], at.nets.space.dtype))
