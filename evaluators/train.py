"""Trains a candidate on a small image data set from scratch and reports its validation accuracy after each epoch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from evaluators._base import Metrics, Task
from evaluators._checkpoints import read_checkpoint, write_checkpoint
from evaluators._counts import check_counts
from evaluators._early import check_images, check_place, network_of
from evaluators._reproducible import device_of, images_on, reproducible
from evaluators._supernet_search import SupernetSearch, inherited
from evaluators.augmentation import Augmentation, bound
from evaluators.datasets import Dataset, Images, Part, described
from evaluators.images.handing_over import HandedOver, from_arrays, to_arrays
from evaluators.optimization import Optimization
from spaces.genotype import GenotypeSpace

CHECKPOINT = "checkpoint.pt"
"""The file in a trial's folder that holds its weights; see `trained_weights`."""

OF_A_CANDIDATE = (
    "epochs", "batch", "optimizer", "lr", "momentum", "weight_decay", "label_smoothing", "schedule", "warmup",
    "milestones", "gamma",
)  # fmt: skip
"""The settings that a candidate may bring along."""


@dataclass(frozen=True)
class Train:
    """An evaluator that trains what `task.candidate.build()` returns: a module from images to logits.

    A candidate that is a module itself, of a class that went through `pg.symbolize`, is made anew and trained.

    A network that has `at_progress(share)` is told before each step which share of all steps is done, 0 at the first:
    ScheduledDropPath drops more as training goes on.

    A candidate may also be a mapping of an `architecture`, which is built, and its `training`: settings that replace
    those below for this candidate, as a mapping or an object with `settings()`, such as `spaces.hyperparameters`.

    It yields after every epoch `accuracy`, in percent of the validation images, and `loss`, their mean cross-entropy;
    with `test=True`, after the last epoch, `test_accuracy` too. Weights, order of images and dropout follow from
    `task.seed`: on one machine and version of PyTorch, and with one `threads`, equal tasks give equal metrics.

    With `task.folder`, every epoch ends in a checkpoint. A later attempt yields the kept epochs' metrics again at once
    and goes on, to the same numbers as an attempt that was never interrupted.

    Attributes:
      dataset: a name in `evaluators.datasets.DATASETS`, `Mnist("FOLDER")` and the like of there, or a function that
        returns `Images`.
      epochs: passes over the training images.
      batch: images a step; the last, smaller batch of an epoch is dropped.
      optimizer, lr, momentum, weight_decay: see `evaluators.optimization.Optimization`; by default Nesterov's SGD.
      label_smoothing: the share of a label that is spread over all classes in training.
      schedule, warmup, milestones, gamma: see there; by default a linear rise over the first tenth of the steps to the
        learning rate `lr`, then half a cosine to 0.
      device: `cpu`, `cuda`, ..., or `auto`: CUDA where there is one.
      threads: of PyTorch on a CPU.
      test: whether to score the test images at the end.
      augment: what changes the training images, one after the other; see `evaluators.augmentation`.
      share: whether workers on one machine may be handed one copy of the data by a driver that loads it; False where
        only the workers have the files.
      supernet: the place, from 0, of the preparation among the study's from whose supernet a network takes its first
        weights; None to draw them. A supernet's norms have seen a mixture of networks: training goes on from there.
    """

    dataset: Dataset = "digits"
    epochs: int = 10
    batch: int = 64
    optimizer: Literal["sgd", "adamw"] = "sgd"
    lr: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    label_smoothing: float = 0.1
    schedule: Literal["cosine", "step", "constant"] = "cosine"
    warmup: float = 0.1
    milestones: tuple[float, ...] = (0.5, 0.75)
    gamma: float = 0.1
    device: str = "auto"
    threads: int = 1
    test: bool = False
    augment: tuple[Augmentation, ...] = ()
    share: bool = True
    supernet: int | None = None

    def __post_init__(self) -> None:
        check_counts(epochs=self.epochs, batch=self.batch, threads=self.threads)
        if not 0 <= self.label_smoothing < 1:
            raise ValueError(f"label_smoothing must be in [0, 1), got {self.label_smoothing}")
        object.__setattr__(self, "milestones", tuple(self.milestones))  # a candidate holds a symbolic list
        object.__setattr__(self, "augment", tuple(self.augment))
        _ = self._optimization  # refuses what it cannot do

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of what it yields."""
        return ("accuracy", "loss", "test_accuracy") if self.test else ("accuracy", "loss")

    def __call__(self, task: Task) -> Iterator[Metrics]:
        """Train the task's candidate; yield its metrics after each epoch.

        Raises:
          FloatingPointError: when the training loss is not finite.
          ValueError: for settings of the candidate that are unknown or out of bounds.
        """
        yield from self.with_settings(_settings_of(task.candidate))._train_all(task)

    def with_settings(self, settings: Mapping[str, Any]) -> Train:
        """Return this evaluator with a candidate's `settings` in place of its own."""
        unknown = sorted(set(settings) - set(OF_A_CANDIDATE))
        if unknown:
            raise ValueError(
                f"a candidate cannot set {unknown[0]!r} of its training; it can {', '.join(OF_A_CANDIDATE)}"
            )
        return replace(self, **settings)

    def check_early(self, space: GenotypeSpace, preparations: Sequence[object]) -> None:
        """Show networks the images, unless only the workers have them. Raises OSError or ValueError if they do not fit.

        Raises ValueError, too, where `augment` needs pixels that the data set does not tell, or where `supernet` is the
        place of no search in a supernet.
        """
        if self.supernet is not None:
            check_place(f"Train(supernet={self.supernet})", self.supernet, preparations, SupernetSearch)
        if self.share:
            check_images(self.dataset, space, self.augment)

    def shared(self) -> Mapping[str, np.ndarray]:
        """Return the data set as arrays, for every worker to hold alike; none with `share=False`."""
        if not self.share:
            return {}
        arrays = to_arrays(images_on(self.dataset, "cpu"))
        images_on.cache_clear()  # the workers hold them from now on
        return arrays

    def with_shared(self, arrays: Mapping[str, np.ndarray]) -> Train:
        """Return this evaluator with the data that `shared` gave in another process, which it only reads."""
        return replace(self, dataset=HandedOver(self.dataset, from_arrays(arrays)))

    def first_network(self, task: Task) -> nn.Module:
        """Return the task's network as its training begins: with weights that are drawn, or its `supernet`'s."""
        model = network_of(task.candidate)
        if self.supernet is not None:
            model.load_state_dict(inherited(task.prepared[self.supernet], task.genotype))
        return model

    def _train_all(self, task: Task) -> Iterator[Metrics]:
        data = images_on(self.dataset, self._device)
        with self._epoch(task.seed, 0):
            model = self.first_network(task)
            model.to(self._device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch omits it
        optimizer = self._optimization.make_optimizer(model)
        history = self._resume(task, model, optimizer)
        yield from history
        for epoch in range(len(history), self.epochs):
            with self._epoch(task.seed, epoch + 1):
                self._train(model, optimizer, data.train, epoch)
                history.append(self._score(model, data, epoch))
            self._save(task, model, optimizer, history)
            yield history[-1]

    def _train(self, model: nn.Module, optimizer: torch.optim.Optimizer, data: Part, epoch: int) -> None:
        """Pass over the training images once, in random order."""
        batch = min(self.batch, len(data.labels))
        steps = len(data.labels) // batch
        order = torch.randperm(len(data.labels))[: steps * batch].view(steps, batch).to(data.labels.device)
        total = torch.zeros((), device=data.labels.device)
        tell = getattr(model, "at_progress", None)
        changes = bound(self.augment, data)
        model.train()
        for step, rows in enumerate(order):
            progress = (epoch * steps + step) / (self.epochs * steps)
            for group in optimizer.param_groups:
                group["lr"] = self._optimization.lr_at(progress)
            if tell is not None:
                tell(progress)
            images = data.inputs(rows)
            for change in changes:
                images = change(images)
            logits = model(images)
            loss = functional.cross_entropy(logits, data.labels[rows], label_smoothing=self.label_smoothing)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            total += loss.detach()
        if not total.isfinite():
            raise FloatingPointError(
                f"the training loss became {total.item()} in epoch {epoch}; try lr below {self.lr}"
            )

    def _score(self, model: nn.Module, data: Images, epoch: int) -> dict[str, float]:
        accuracy, loss = evaluate(model, data.val)
        metrics = {"accuracy": accuracy, "loss": loss}
        if self.test and epoch + 1 == self.epochs:
            metrics["test_accuracy"] = evaluate(model, data.test)[0]
        return metrics

    @property
    def _optimization(self) -> Optimization:
        return Optimization(
            self.optimizer, self.lr, self.momentum, self.weight_decay,
            self.schedule, self.warmup, self.milestones, self.gamma,
        )  # fmt: skip

    @property
    def _device(self) -> str:
        return device_of(self.device)

    def _epoch(self, seed: int, epoch: int) -> AbstractContextManager[None]:
        return reproducible(self._device, self.threads, seed, epoch)

    def _identity(self, task: Task) -> str:
        """Return what a checkpoint must have been made of to be gone on from."""
        settings = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "share"}
        settings["dataset"] = described(self.dataset)
        settings["augment"] = [described(change) for change in self.augment]
        made_of = (settings, torch.__version__, task.space.fingerprint, task.genotype.tolist(), task.seed)
        return hashlib.sha256(repr(made_of).encode()).hexdigest()

    def _save(
        self, task: Task, model: nn.Module, optimizer: torch.optim.Optimizer, history: list[dict[str, float]]
    ) -> None:
        if task.folder is None:
            return
        kept = {"identity": self._identity(task), "history": history}
        states = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
        write_checkpoint(task.folder / CHECKPOINT, kept | states)

    def _resume(self, task: Task, model: nn.Module, optimizer: torch.optim.Optimizer) -> list[dict[str, float]]:
        """Load the task's checkpoint, if it has a fitting one, and return its epochs' metrics."""
        kept = read_checkpoint(task.folder / CHECKPOINT) if task.folder is not None else {}
        if kept.get("identity") != self._identity(task):
            return []
        model.load_state_dict(kept["model"])
        optimizer.load_state_dict(kept["optimizer"])
        return list(kept["history"])


def _settings_of(candidate: Any) -> Mapping[str, Any]:
    """Return the settings of a candidate's `training`; none where it has none."""
    training = candidate.get("training", {}) if isinstance(candidate, Mapping) else {}
    settings: Mapping[str, Any] = training.settings() if hasattr(training, "settings") else training
    return settings


@torch.inference_mode()
def evaluate(model: nn.Module, data: Part, batch: int = 1024) -> tuple[float, float]:
    """Return the accuracy in percent and the mean cross-entropy of `model`, in evaluation mode, on `data`."""
    model.eval()
    starts = range(0, len(data.labels), batch)
    logits = torch.cat([model(data.inputs(slice(start, start + batch))) for start in starts])
    right = (logits.argmax(1) == data.labels).float().mean()
    return 100 * right.item(), functional.cross_entropy(logits, data.labels).item()


def trained_weights(folder: Path) -> dict[str, Tensor]:
    """Return the weights that a trial kept in `folder`, for `load_state_dict`, on the CPU.

    Raises:
      FileNotFoundError: where no checkpoint is, or none that can be read.
    """
    kept = read_checkpoint(folder / CHECKPOINT)
    if "model" not in kept:
        raise FileNotFoundError(f"no trained weights in {folder}: expected a readable {CHECKPOINT} there")
    weights: dict[str, Tensor] = kept["model"]
    return weights
