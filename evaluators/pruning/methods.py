"""What each method that prunes while a network trains does around the steps of that training, and what it remembers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from evaluators.datasets import Images
from evaluators.optimization import Optimization
from evaluators.pruning.hesso import Hesso, cric, losses_without
from evaluators.pruning.units import Units

SCORED = 256
"""Images of the training part by which CRIC tells what a network loses."""


class Training(Protocol):
    """A training that is pruned, as a method sees it."""

    settings: Any
    model: nn.Module
    units: Units
    data: Images
    plan: Optimization
    optimizer: torch.optim.Optimizer

    @property
    def whole(self) -> int:
        """The steps of the whole training."""

    def step(self, rows: Tensor, number: int) -> None:
        """Move the weights by a batch."""

    def loss(self, rows: Tensor) -> Tensor:
        """Return the loss of some training images."""


class Method(ABC):
    """One method's part of a training, most of which do nothing at most places. Steps are numbered over all epochs."""

    def __init__(self, training: Training) -> None:
        self.training = training

    def progress(self, number: int) -> float:
        """Return how far the learning rate's schedule is at a step, from 0 to 1."""
        return number / self.training.whole

    def before_step(self, number: int) -> None:  # noqa: B027
        """Do what comes before a step."""

    def penalise(self) -> None:  # noqa: B027
        """Add to a step's gradients."""

    def after_step(self, number: int) -> None:  # noqa: B027
        """Do what comes behind a step, whose gradients are still there."""

    @abstractmethod
    def redundant(self) -> Tensor:
        """Return the units that are to go, (count,) bool, as the training stands."""

    def state(self) -> dict[str, Any]:
        """Return what `load` needs to go on, beside the model's and the optimiser's states: tensors or None."""
        return {}

    def load(self, state: Mapping[str, Any]) -> None:  # noqa: B027
        """Go on from a state."""


class _FadingUnits(Method):
    """HESSO's part of a training; CRIC's, where that is asked for, lies before its first period."""

    def __init__(self, training: Training) -> None:
        super().__init__(training)
        start = training.whole // 10
        steps = max(1, (training.whole // 4 - start) // 10)
        self._hesso = Hesso(training.units, training.settings.sparsity, start, steps)

    def before_step(self, number: int) -> None:
        if number == self._hesso.start and self.training.settings.method == "cric":
            self._hesso.extra = self._looked(number)

    def after_step(self, number: int) -> None:
        self._hesso.after_step(number)

    def redundant(self) -> Tensor:
        return self._hesso.redundant

    def state(self) -> dict[str, Any]:
        return self._hesso.state()

    def load(self, state: Mapping[str, Any]) -> None:
        self._hesso.load(state)

    def _looked(self, number: int) -> Tensor:
        """Return CRIC's verdict as a score that no saliency outweighs: units that it would keep have 10 more."""
        training, settings = self.training, self.training.settings
        rows = torch.randperm(len(training.data.train.labels))[:SCORED]
        scored: Callable[[], float] = lambda: float(training.loss(rows).detach())  # noqa: E731
        extra = losses_without(training.units, training.model, scored)
        count = int(settings.sparsity * training.units.count)

        def train_step() -> None:
            training.step(torch.randperm(len(training.data.train.labels))[: settings.batch], number)

        chosen, _ = cric(training.units, training.model, train_step, count=count, steps=self._hesso.steps, extra=extra)
        training.optimizer = training.plan.make_optimizer(training.model)  # its momentum is of the trials
        return torch.where(chosen, 0.0, 10.0)


class _SmallScales(Method):
    """MaskSparsity's part of a training: its penalty is on all scales in the first half, then on those in the mask."""

    def __init__(self, training: Training) -> None:
        super().__init__(training)
        self._numbers, self._mask = training.settings.mask_sparsity, None

    def before_step(self, number: int) -> None:
        if number == self.training.whole // 2:
            self._mask = self._numbers.masked(self.training.units)

    def penalise(self) -> None:
        self._numbers.penalise(self.training.units, self._mask)

    def redundant(self) -> Tensor:
        found: Tensor = self._numbers.masked(self.training.units)
        return found

    def state(self) -> dict[str, Any]:
        return {"mask": self._mask}

    def load(self, state: Mapping[str, Any]) -> None:
        self._mask = state["mask"]


class _Rewound(Method):
    """SAP's part of a training: equal iterations, each from the first weights, with what is pruned at zero."""

    def __init__(self, training: Training) -> None:
        super().__init__(training)
        self._numbers = training.settings.sap
        self._first = {name: value.clone() for name, value in training.model.state_dict().items()}
        self._gone = torch.zeros(training.units.count, dtype=torch.bool)
        parts = self._numbers.iterations
        self._starts = [training.whole * part // parts for part in range(parts + 1)]

    def progress(self, number: int) -> float:
        start = max(each for each in self._starts[:-1] if each <= number)
        return float((number - start) / (min(each for each in self._starts if each > number) - start))

    def before_step(self, number: int) -> None:
        if number == 0 or number not in self._starts:
            return
        self._gone, training = self.redundant(), self.training
        training.model.load_state_dict(self._first)
        training.optimizer = training.plan.make_optimizer(training.model)
        self.after_step(number)

    def after_step(self, number: int) -> None:
        del number
        self.training.units.multiply((~self._gone).float())

    def redundant(self) -> Tensor:
        found: Tensor = self._numbers.pruned(self.training.units, self._gone)
        return found

    def state(self) -> dict[str, Any]:
        return {"first": self._first, "gone": self._gone}

    def load(self, state: Mapping[str, Any]) -> None:
        self._first, self._gone = state["first"], state["gone"]


METHODS: dict[str, type[Method]] = {
    "hesso": _FadingUnits,
    "cric": _FadingUnits,
    "mask_sparsity": _SmallScales,
    "sap": _Rewound,
}
