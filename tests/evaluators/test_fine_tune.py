"""A pruned network's training starts from the weights that the learning of its rates left."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from evaluators._base import Task
from evaluators._preparation import Job
from evaluators.fine_tune import FineTune
from evaluators.pruning.result import leave
from evaluators.train import trained_weights
from spaces.genotype import GenotypeSpace
from spaces.lapp import lapp

STANDING = {"epochs": 1, "lr": 1e-30, "momentum": 0.0, "weight_decay": 0.0, "device": "cpu"}


class Small(nn.Sequential):
    """A convolution whose rate is searched, and a linear layer."""

    def __init__(self) -> None:
        super().__init__(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 10))


def test_the_largest_filters_of_the_left_weights_are_where_training_starts(tmp_path: Path) -> None:
    space, whole = GenotypeSpace(lapp(Small, (1, 8, 8), (0.0, 0.5))), Small()
    with torch.no_grad():
        whole[0].weight.copy_(torch.tensor([1.0, 4.0, 3.0, 2.0])[:, None, None, None].expand(4, 1, 3, 3))
    leave(Job(space, tmp_path / "prepared"), (2,), whole)
    half = space.enumerate(1, 2)[0]
    list(FineTune(**STANDING)(Task(space, half, folder=tmp_path / "trial", prepared=(tmp_path / "prepared",))))
    assert trained_weights(tmp_path / "trial")["0.weight"][:, 0, 0, 0].tolist() == [4.0, 3.0]


def test_another_preparation_is_refused() -> None:
    space = GenotypeSpace(lapp(Small, (1, 8, 8)))
    with pytest.raises(ValueError, match=r"needs the preparation PruningPreparation at place 0, .* there are: str"):
        FineTune().check_early(space, ["not one"])
