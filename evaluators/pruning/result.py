"""What a preparation of pruning leaves: the channels that each group keeps, and the whole network's trained weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from evaluators._around import around
from evaluators._checkpoints import read_document, write_checkpoint, write_document
from evaluators._early import check_images
from evaluators._preparation import Distribution, Job
from evaluators.datasets import Dataset
from spaces.genotype import GenotypeSpace

RESULT, WEIGHTS, CHECKPOINT = "pruning.json", "pruning.pt", "pruning-checkpoint.pt"
"""What a finished job leaves in its folder, and what an unfinished one goes on from."""

NEIGHBOURHOOD = 0.1
"""How far from the learned rate one is that is e times less probable than it."""


class PruningPreparation(ABC):
    """What preparations of a space of pruning rates, `spaces.lapp.lapp(...)`, have in common."""

    dataset: Dataset
    least: float
    cost: ClassVar[str | None] = None

    @property
    @abstractmethod
    def macs_share(self) -> float | None:
        """The share of the whole network's multiply-accumulates that is to stay; None where they are not limited."""

    def check_early(self, space: GenotypeSpace, preparations: Sequence[object]) -> None:  # noqa: ARG002 - the protocol's
        """See `evaluators._base.ChecksEarly`. Raises ValueError where the wanted share is out of reach, too."""
        check_images(self.dataset, space)
        if self.macs_share is not None:
            network = network_of(space)
            whole = np.zeros(len(network.groups))
            network.within(network.products, self.macs_share, whole, self.least, space.value.multiple)

    def distributions(self, folder: Path) -> Mapping[str, Distribution]:
        """Return one in which the listed rates that are nearest are the most probable, others the less the further.

        What was learned is one network; what lies around it is this project's.
        """
        return {"": tuple(np.array(column, float) for column in _result(folder)["log_probabilities"])}


def leave(job: Job, widths: Sequence[int], model: nn.Module) -> None:
    """Leave the channels that each group keeps, and the whole network's weights, in a job's folder."""
    groups = job.space.value.network.groups
    logs = [
        around(column.choices, wished, NEIGHBOURHOOD) if column.kind == "choice" else []
        for column, wished in _wished(job.space, widths)
    ]
    named = {group.name: int(width) for group, width in zip(groups, widths, strict=True)}
    write_checkpoint(job.folder / WEIGHTS, model.state_dict())
    write_document(job.folder / RESULT, {"widths": named, "log_probabilities": logs})


def learned(folder: Path) -> tuple[int, ...]:
    """Return the channels that a finished job keeps of each group.

    Raises:
      FileNotFoundError: where no job has finished.
    """
    return tuple(int(width) for width in _result(folder)["widths"].values())


def learned_weights(folder: Path) -> dict[str, Tensor]:
    """Return the whole network's weights as they were when learning ended, bypasses folded in."""
    weights: dict[str, Tensor] = torch.load(folder / WEIGHTS, map_location="cpu", weights_only=True)
    return weights


def genotype(space: GenotypeSpace, widths: Sequence[int]) -> np.ndarray:
    """Return the genotype of these widths: where rates are listed, the one whose rates are nearest.

    Listed rates need not meet the budget that the widths do; open rates, `lapp(..., rates=pg.floatv(0.0, 0.95))`, hold
    every width within their bounds.
    """
    row = space.repair(np.zeros((1, space.width)))[0]
    for place, (column, wished) in enumerate(_wished(space, widths)):
        listed = column.kind == "choice"
        row[place] = np.abs(np.array(column.choices, float) - wished).argmin() if listed else wished
    return np.asarray(space.repair(row[None])[0])


def network_of(space: GenotypeSpace) -> Any:
    """Return what a space of pruning rates is about."""
    network = getattr(space.value, "network", None)
    if not hasattr(network, "within_macs") or not hasattr(space.value, "rates"):
        raise ValueError(f"expected a space of pruning rates, spaces.lapp.lapp(...), got one of {type(space.value)}")
    return network


def _wished(space: GenotypeSpace, widths: Sequence[int]) -> Iterator[tuple[Any, float]]:
    """Yield each column of the space with the rate that gives its group's width."""
    columns = iter(space.columns)
    for group, width in zip(space.value.network.groups, widths, strict=True):
        if not isinstance(space.value.rates[group.name], float | int):
            yield next(columns), 1 - width / group.width


def _result(folder: Path) -> dict[str, Any]:
    return read_document(folder / RESULT, "learned pruning rates")
