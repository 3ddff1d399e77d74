"""How a network is trained: optimiser, learning rate, schedule, batch and regularisation, each with what it needs.

Ranges: learning rates and weight decays on logarithmic scales (Bergstra and Bengio, JMLR 2012, section 3), decoupled
decay for AdamW (Loshchilov and Hutter, ICLR 2019), cosine and step schedules with warm-up (He et al., CVPR 2019).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyglove as pg

SCHEDULES = ("cosine", "step", "constant")
OPTIMIZERS = ("sgd", "adamw")


class SGD(pg.Object):  # type: ignore[misc]
    """Stochastic gradient descent with Nesterov momentum."""

    lr: float
    momentum: float
    weight_decay: float

    def settings(self) -> dict[str, Any]:
        """Return its settings by the names that an evaluator knows."""
        momentum, decay = float(self.momentum), float(self.weight_decay)
        return {"optimizer": "sgd", "lr": float(self.lr), "momentum": momentum, "weight_decay": decay}


class AdamW(pg.Object):  # type: ignore[misc]
    """Adam with decoupled weight decay, whose good learning rates are about a hundred times smaller than SGD's."""

    lr: float
    weight_decay: float

    def settings(self) -> dict[str, Any]:
        """Return its settings by the names that an evaluator knows."""
        return {"optimizer": "adamw", "lr": float(self.lr), "weight_decay": float(self.weight_decay)}


class Cosine(pg.Object):  # type: ignore[misc]
    """The learning rate falls to 0 along half a cosine."""

    def settings(self) -> dict[str, Any]:
        """Return its settings by the names that an evaluator knows."""
        return {"schedule": "cosine"}


class Step(pg.Object):  # type: ignore[misc]
    """The learning rate is multiplied by `gamma` at each of `milestones`, shares of the training from 0 to 1."""

    milestones: list[float]
    gamma: float

    def settings(self) -> dict[str, Any]:
        """Return its settings by the names that an evaluator knows."""
        return {"schedule": "step", "milestones": tuple(map(float, self.milestones)), "gamma": float(self.gamma)}


class Constant(pg.Object):  # type: ignore[misc]
    """The learning rate stays."""

    def settings(self) -> dict[str, Any]:
        """Return its settings by the names that an evaluator knows."""
        return {"schedule": "constant"}


class Hyperparameters(pg.Object):  # type: ignore[misc]
    """A training recipe; `warmup` is the share of the training in which the learning rate rises to its peak."""

    optimizer: SGD | AdamW
    schedule: Cosine | Step | Constant
    warmup: float
    batch: int
    epochs: int
    label_smoothing: float

    def settings(self) -> dict[str, Any]:
        """Return all settings, flat, by the names that `evaluators.train.Train` knows."""
        return {
            **self.optimizer.settings(),
            **self.schedule.settings(),
            "warmup": float(self.warmup),
            "batch": int(self.batch),
            "epochs": int(self.epochs),
            "label_smoothing": float(self.label_smoothing),
        }


def hyperparameters(
    *,
    optimizers: Sequence[str] = OPTIMIZERS,
    sgd_lr: tuple[float, float] = (1e-2, 1.0),
    adamw_lr: tuple[float, float] = (1e-4, 3e-2),
    momentum: Sequence[float] = (0.8, 0.9, 0.95),
    weight_decay: tuple[float, float] = (1e-6, 1e-1),
    schedules: Sequence[str] = SCHEDULES,
    milestones: Sequence[Sequence[float]] = ((0.5, 0.75), (0.6, 0.9), (0.3, 0.6, 0.8)),
    gamma: Sequence[float] = (0.1, 0.2, 0.5),
    warmup: Sequence[float] = (0.0, 0.05, 0.1, 0.2),
    batch: Sequence[int] = (16, 32, 64, 128),
    epochs: Sequence[int] = (10,),
    label_smoothing: Sequence[float] = (0.0, 0.05, 0.1, 0.2),
    levels: int = 0,
) -> Any:
    """Return the space; `pg.Dict(architecture=mbconv(), training=hyperparameters())` searches it with networks.

    A decision that hangs on another exists only with it: momentum with SGD, milestones and gamma with a step schedule,
    and each optimiser has its own learning rate and weight decay. What has a single value is no decision.

    Args:
      optimizers: of `sgd` and `adamw`.
      sgd_lr, adamw_lr, weight_decay: the lowest and the highest.
      momentum: of SGD.
      schedules: of `cosine`, `step` and `constant`.
      milestones: those that a step schedule may have, as shares of the training.
      gamma: what a step schedule may multiply the learning rate by.
      warmup: shares of the training in which the learning rate rises.
      batch: images a step.
      epochs: passes over the training images.
      label_smoothing: shares of a label that are spread over all classes.
      levels: 0 leaves learning rates and weight decays open floats on a log scale; else each is a choice of so many
        values of that scale, and the space is finite.

    Raises:
      ValueError: for an unknown optimiser or schedule, nothing to choose from, bounds that do not satisfy
        0 < low < high, or one level.
    """
    sgd = SGD(_rate("sgd_lr", sgd_lr, levels), _one("momentum", momentum), _rate("weight_decay", weight_decay, levels))
    adamw = AdamW(_rate("adamw_lr", adamw_lr, levels), _rate("weight_decay", weight_decay, levels))
    step = Step(_one("milestones", [list(shares) for shares in milestones]), _one("gamma", gamma))
    return Hyperparameters(
        optimizer=_named("optimizer", optimizers, {"sgd": sgd, "adamw": adamw}),
        schedule=_named("schedule", schedules, {"cosine": Cosine(), "step": step, "constant": Constant()}),
        warmup=_one("warmup", warmup),
        batch=_one("batch", batch),
        epochs=_one("epochs", epochs),
        label_smoothing=_one("label_smoothing", label_smoothing),
    )


def _named(kind: str, names: Sequence[str], made: dict[str, Any]) -> Any:
    """Return the choice of one of those that are named."""
    unknown = [name for name in names if name not in made]
    if unknown:
        raise ValueError(f"unknown {kind} {unknown[0]!r}; there are {', '.join(made)}")
    return _one(f"{kind}s", [made[name] for name in names])


def _one(name: str, values: Sequence[Any]) -> Any:
    """Return the choice of one of these values; of a single one, itself."""
    if not len(values):
        raise ValueError(f"{name} must hold at least one value to choose from, got {values!r}")
    return pg.oneof(list(values)) if len(values) > 1 else values[0]


def _rate(name: str, bounds: tuple[float, float], levels: int) -> Any:
    """Return a float that is open on a log scale, or the choice of so many levels of it."""
    if levels < 0 or levels == 1:
        raise ValueError(f"levels must be 0, for open floats, or at least 2; got {levels}")
    low, high = map(float, bounds)
    if not 0 < low < high < float("inf"):
        raise ValueError(f"{name} must be (low, high) with 0 < low < high, got {bounds!r}")
    if not levels:
        return pg.floatv(low, high, scale="log")
    return pg.oneof([float(f"{value:.3g}") for value in np.geomspace(low, high, levels)])
