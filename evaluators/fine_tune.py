"""Trains a pruned network on, from the weights that the whole one had when its rates were learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from evaluators._base import Task
from evaluators._early import check_place
from evaluators.pruning.result import PruningPreparation, learned_weights
from evaluators.train import Train
from hardware_models.architecture import architecture_of
from spaces.genotype import GenotypeSpace


@dataclass(frozen=True)
class FineTune(Train):
    """`evaluators.train.Train` of candidates of `spaces.lapp.lapp(...)` that starts from a preparation's weights.

    Of each group the units with the largest filters among these weights stay. Usual are fewer epochs and a lower
    learning rate than for a training from the start.

    Attributes:
      pruning: the place, from 0, of the preparation among the study's: `evaluators.lapp.Lapp` or
        `evaluators.trained_pruning.TrainedPruning`.
    """

    pruning: int = 0

    def check_early(self, space: GenotypeSpace, preparations: Sequence[object]) -> None:
        """See `Train`. Raises ValueError, too, where `pruning` is the place of no preparation of pruning."""
        check_place(f"FineTune(pruning={self.pruning})", self.pruning, preparations, PruningPreparation)
        super().check_early(space, preparations)

    def first_network(self, task: Task) -> nn.Module:
        """See `Train`. Raises FileNotFoundError where the preparation has left no weights."""
        network: nn.Module = architecture_of(task.candidate).build(learned_weights(task.prepared[self.pruning]))
        return network
