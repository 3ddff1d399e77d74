"""Scores a network with the weights that it inherits from a study's trained supernet: no training, a second or so.

As once-for-all (Cai et al., ICLR 2020) and ElasticViT (Tang et al., ICCV 2023) search and deploy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from evaluators._base import Metrics, Task
from evaluators._checkpoints import write_checkpoint
from evaluators._early import check_place
from evaluators._reproducible import device_of, images_on, reproducible
from evaluators.datasets import Dataset
from evaluators.nested.scoring import re_estimate
from evaluators.nested.weights import NestedWeights
from evaluators.nested_supernet import NestedSupernet, inherited, shared_weights
from evaluators.train import CHECKPOINT, evaluate
from spaces.genotype import GenotypeSpace


@dataclass(frozen=True)
class InheritedAccuracy:
    """An evaluator for a study whose preparations hold a `NestedSupernet`, trained on the same data set.

    It yields `accuracy`, in percent of the validation images, and `loss`, their mean cross-entropy; with `test=True`
    `test_accuracy` too. Norms' statistics are estimated anew for each network, from training images. With `task.folder`
    the network's weights are kept there, as `evaluators.train.trained_weights` reads them and an export finds them.

    Attributes:
      dataset: as of `evaluators.train.Train`.
      supernet: the place, from 0, of the `NestedSupernet` among the study's preparations.
      statistics: how many images the statistics are estimated from.
      batch: images at once while they are.
      test: whether to look at the test images.
      keep: whether to keep weights.
      device: `cpu`, `cuda`, ..., or `auto`: CUDA where there is one.
      threads: of PyTorch on a CPU.
    """

    dataset: Dataset = "digits"
    supernet: int = 0
    statistics: int = 512
    batch: int = 64
    test: bool = False
    keep: bool = True
    device: str = "auto"
    threads: int = 1

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of what it yields."""
        return ("accuracy", "loss", "test_accuracy") if self.test else ("accuracy", "loss")

    def check_early(self, space: GenotypeSpace, preparations: Sequence[object]) -> None:  # noqa: ARG002 - the protocol's
        """See `evaluators._base.ChecksEarly`."""
        check_place(f"InheritedAccuracy(supernet={self.supernet})", self.supernet, preparations, NestedSupernet)

    def __call__(self, task: Task) -> Iterator[Metrics]:
        """Yield the metrics of the task's genotype.

        Raises:
          FileNotFoundError: where the preparation is no trained `NestedSupernet`.
        """
        device = device_of(self.device)
        data = images_on(self.dataset, device)
        with reproducible(device, self.threads, task.seed):
            weights = _weights(task.prepared[self.supernet], task.space)
            fitting = inherited(weights, task.space, task.genotype)
            fitting.to(device)
            re_estimate(fitting, data.train, self.statistics, self.batch)
            accuracy, loss = evaluate(fitting, data.val)
            metrics = {"accuracy": accuracy, "loss": loss}
            if self.test:
                metrics["test_accuracy"] = evaluate(fitting, data.test)[0]
        if task.folder is not None and self.keep:
            write_checkpoint(task.folder / CHECKPOINT, {"model": fitting.network.state_dict()})
        yield metrics


@lru_cache(maxsize=4)
def _weights(folder: Path, space: GenotypeSpace) -> NestedWeights:
    return shared_weights(folder, space)
