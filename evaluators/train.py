"""Trains a candidate on a small image data set from scratch and reports its validation accuracy after each epoch."""

from __future__ import annotations

import hashlib
import logging
import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from evaluators._base import Metrics, Task
from evaluators.datasets import Images, Part, load

CHECKPOINT = "checkpoint.pt"
"""The file in a trial's folder that holds its weights; see `trained_weights`."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Train:
    """An evaluator that trains what `task.candidate.build()` returns: a module from images to logits.

    It yields after every epoch `accuracy`, in percent of the validation images, and `loss`, their mean cross-entropy;
    with `test=True`, after the last epoch, `test_accuracy` too. Weights, order of images and dropout follow from
    `task.seed`: on one machine and version of PyTorch, and with one `threads`, equal tasks give equal metrics.

    With `task.folder`, every epoch ends in a checkpoint. A later attempt yields the kept epochs' metrics again at once
    and goes on, to the same numbers as an attempt that was never interrupted.

    Attributes:
      dataset: a name in `evaluators.datasets.DATASETS`, or a function that returns `Images`.
      epochs: passes over the training images.
      batch: images a step; the last, smaller batch of an epoch is dropped.
      optimizer: `sgd` (Nesterov momentum 0.9) or `adamw`.
      lr: the peak learning rate: a linear rise over the first tenth of the steps, then half a cosine to 0.
      weight_decay: of matrices and filters; biases and norms are spared.
      label_smoothing: the share of a label that is spread over all classes in training.
      device: `cpu`, `cuda`, ..., or `auto`: CUDA where there is one.
      threads: of PyTorch on a CPU.
      test: whether to score the test images at the end.
    """

    dataset: str | Callable[[], Images] = "digits"
    epochs: int = 10
    batch: int = 64
    optimizer: Literal["sgd", "adamw"] = "sgd"
    lr: float = 0.1
    weight_decay: float = 5e-4
    label_smoothing: float = 0.1
    device: str = "auto"
    threads: int = 1
    test: bool = False

    def __post_init__(self) -> None:
        if min(self.epochs, self.batch, self.threads) < 1:
            numbers = f"{self.epochs}, {self.batch}, {self.threads}"
            raise ValueError(f"epochs, batch and threads must be at least 1, got {numbers}")
        if self.optimizer not in ("sgd", "adamw"):
            raise ValueError(f"optimizer must be 'sgd' or 'adamw', got {self.optimizer!r}")

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of what it yields."""
        return ("accuracy", "loss", "test_accuracy") if self.test else ("accuracy", "loss")

    def __call__(self, task: Task) -> Iterator[Metrics]:
        """Train the task's candidate; yield its metrics after each epoch.

        Raises:
          FloatingPointError: when the training loss is not finite.
        """
        data = _on_device(self.dataset, self._device)
        with self._epoch(task.seed, 0):
            model = task.candidate.build().to(self._device, memory_format=torch.channels_last)
        optimizer = self._optimizer(model)
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
        model.train()
        for step, rows in enumerate(order):
            for group in optimizer.param_groups:
                group["lr"] = self.lr * schedule((epoch * steps + step) / (self.epochs * steps))
            logits = model(data.images[rows])
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

    def _optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        weights = [parameter for parameter in model.parameters() if parameter.ndim > 1]
        others = [parameter for parameter in model.parameters() if parameter.ndim <= 1]
        groups = [{"params": weights, "weight_decay": self.weight_decay}, {"params": others, "weight_decay": 0.0}]
        if self.optimizer == "adamw":
            return torch.optim.AdamW(groups, self.lr, fused=True)
        return torch.optim.SGD(groups, self.lr, momentum=0.9, nesterov=True, fused=True)

    @property
    def _device(self) -> str:
        if self.device == "auto":
            return "cuda" if torch.cuda.is_available() else "cpu"
        return self.device

    @contextmanager
    def _epoch(self, seed: int, epoch: int) -> Iterator[None]:
        """Give PyTorch this epoch's random numbers, threads and deterministic kernels, and its own back afterwards.

        The numbers depend on the seed and the epoch alone, so that a checkpoint need not hold a generator.
        """
        device = torch.device(self._device)
        devices = [device] if device.type == "cuda" else []
        threads = torch.get_num_threads()
        with torch.random.fork_rng(devices), torch.backends.cudnn.flags(enabled=True, deterministic=True):
            torch.manual_seed(int(np.random.SeedSequence([seed, epoch]).generate_state(1, np.uint64)[0] >> 1))
            torch.set_num_threads(self.threads)
            try:
                yield
            finally:
                torch.set_num_threads(threads)

    def _identity(self, task: Task) -> str:
        """Return what a checkpoint must have been made of to be gone on from."""
        settings = asdict(self)
        if callable(self.dataset):  # its repr would hold an address, and differ between processes
            settings["dataset"] = getattr(self.dataset, "__qualname__", type(self.dataset).__qualname__)
        made_of = (settings, torch.__version__, task.space.fingerprint, task.genotype.tolist(), task.seed)
        return hashlib.sha256(repr(made_of).encode()).hexdigest()

    def _save(
        self, task: Task, model: nn.Module, optimizer: torch.optim.Optimizer, history: list[dict[str, float]]
    ) -> None:
        if task.folder is None:
            return
        kept = {"identity": self._identity(task), "history": history}
        states = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
        task.folder.mkdir(parents=True, exist_ok=True)
        unfinished = task.folder / f"{CHECKPOINT}.{os.getpid()}"
        torch.save(kept | states, unfinished)
        os.replace(unfinished, task.folder / CHECKPOINT)

    def _resume(self, task: Task, model: nn.Module, optimizer: torch.optim.Optimizer) -> list[dict[str, float]]:
        """Load the task's checkpoint, if it has a fitting one, and return its epochs' metrics."""
        kept = _read(task.folder / CHECKPOINT) if task.folder is not None else {}
        if kept.get("identity") != self._identity(task):
            return []
        model.load_state_dict(kept["model"])
        optimizer.load_state_dict(kept["optimizer"])
        return list(kept["history"])


def schedule(progress: float) -> float:
    """Return the learning rate's factor at `progress` from 0 to 1: up to 1 over the first tenth, then a cosine to 0."""
    if progress < 0.1:
        return (progress + 0.01) / 0.11
    return 0.5 + 0.5 * math.cos(math.pi * (progress - 0.1) / 0.9)


@torch.inference_mode()
def evaluate(model: nn.Module, data: Part, batch: int = 1024) -> tuple[float, float]:
    """Return the accuracy in percent and the mean cross-entropy of `model`, in evaluation mode, on `data`."""
    model.eval()
    logits = torch.cat([model(images) for images in torch.split(data.images, batch)])
    right = (logits.argmax(1) == data.labels).float().mean()
    return 100 * right.item(), functional.cross_entropy(logits, data.labels).item()


def trained_weights(folder: Path) -> dict[str, Tensor]:
    """Return the weights that a trial kept in `folder`, for `load_state_dict`, on the CPU.

    Raises:
      FileNotFoundError: where no checkpoint is, or none that can be read.
    """
    kept = _read(folder / CHECKPOINT)
    if "model" not in kept:
        raise FileNotFoundError(f"no trained weights in {folder}: expected a readable {CHECKPOINT} there")
    weights: dict[str, Tensor] = kept["model"]
    return weights


@cache
def _on_device(dataset: str | Callable[[], Images], device: str) -> Images:
    images = load(dataset)
    return Images(images.classes, images.train.to(device), images.val.to(device), images.test.to(device))


def _read(path: Path) -> dict[str, Any]:
    """Return a checkpoint's contents, tensors on the CPU; nothing when there is none, or none that can be read."""
    if not path.exists():
        return {}
    try:
        kept: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file fails in many ways
        log.warning("the checkpoint %s cannot be read, training starts anew: %s", path, error)
        return {}
    return kept
