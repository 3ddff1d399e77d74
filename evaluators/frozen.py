"""Scores a compressed transformer with the weights of the whole one: nothing is trained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from torch import Tensor

from evaluators._base import Metrics, Task
from evaluators._checkpoints import write_checkpoint
from evaluators._early import check_images
from evaluators._reproducible import device_of, images_on, reproducible
from evaluators.datasets import Dataset
from evaluators.diffrate import weights
from evaluators.train import CHECKPOINT, evaluate
from hardware_models.architecture import architecture_of
from spaces.genotype import GenotypeSpace


@dataclass(frozen=True)
class Frozen:
    """An evaluator of candidates of `spaces.diffrate.diffrate(...)`, off the shelf: compressed and not trained further.

    The weights are those that the study's `evaluators.diffrate.DiffRate(train=...)` has trained; in a study without
    preparations those that the model is made with.

    It yields `accuracy`, in percent of the validation images, and `loss`, their mean cross-entropy; with `test=True`
    `test_accuracy` too.

    Attributes:
      dataset, device, threads, test: as of `evaluators.train.Train`.
      keep: whether each trial's folder gets the weights, for `search export`; they are the same for all trials.
    """

    dataset: Dataset = "digits"
    device: str = "auto"
    threads: int = 1
    test: bool = False
    keep: bool = False

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of what it yields."""
        return ("accuracy", "loss", "test_accuracy") if self.test else ("accuracy", "loss")

    def check_early(self, space: GenotypeSpace, preparations: Sequence[object]) -> None:  # noqa: ARG002 - the protocol's
        """Show networks the images, where this machine has them. Raises OSError or ValueError if they do not fit."""
        with suppress(FileNotFoundError):  # only the workers may have them
            check_images(self.dataset, space)

    def __call__(self, task: Task) -> Iterator[Metrics]:
        """Score the task's candidate. Raises FileNotFoundError where a preparation has trained no weights."""
        device = device_of(self.device)
        data = images_on(self.dataset, device)
        trained = _weights(task.prepared[0]) if task.prepared else None
        with reproducible(device, self.threads, task.seed):
            network = architecture_of(task.candidate).build(trained).to(device)
            accuracy, loss = evaluate(network, data.val)
            metrics = {"accuracy": accuracy, "loss": loss}
            if self.test:
                metrics["test_accuracy"] = evaluate(network, data.test)[0]
        if self.keep and task.folder is not None:
            write_checkpoint(task.folder / CHECKPOINT, {"model": network.state_dict()})
        yield metrics


@cache
def _weights(folder: Path) -> dict[str, Tensor]:
    return weights(folder)
