"""HESSO and CRIC (Chen et al., 2024): units that matter least fade to zero while a network trains, some each period.

Their groups are those of OTO's search space: see `evaluators.pruning.units`. How many units go is given, not what they
cost. "Mean magnitude" is taken for the root of the mean square, and of each group one unit stays (this project's).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from evaluators.pruning.units import Units

PERIODS = 10
CYCLES = 10
TRIED = (0.25, 0.5, 0.75)
"""The shares of a group's units that CRIC sets to zero on trial."""


def fade(step: int, steps: int) -> float:
    """Return what weights are multiplied by after step 0, 1, ... of `steps`, so that they fall along a line to zero.

    Their shares of the start are (steps - 1) / steps, ..., 0: of five steps 0.8, 0.6, 0.4, 0.2, 0.
    """
    return (steps - step - 1) / (steps - step)


def saliency(units: Units) -> Tensor:
    """Return how much each unit matters, (count,): a fifth each of five criteria over their L2 norms over all units.

    They are the L2 norm of a unit's weights w, its root mean square, the cosine between w and the gradient g, plus 1,
    |sum of w g|, and half its square.
    """
    count = units.sums(lambda weights, _: torch.ones_like(weights))
    norm = units.sums(lambda weights, _: weights.square()).sqrt()
    steep = units.sums(lambda _, gradients: gradients.square()).sqrt()
    product = units.sums(lambda weights, gradients: weights * gradients)
    cosine = product / (norm * steep).clamp(min=1e-12)
    criteria = (norm, norm / count.sqrt(), cosine + 1, product.abs(), 0.5 * product.square())
    parts = [one / one.norm().clamp(min=1e-12) for one in criteria]
    return 0.2 * torch.stack(parts).sum(0)


def lowest(units: Units, scores: Tensor, count: int, taken: Tensor) -> Tensor:
    """Return which units are the `count` of least score that are not taken, (count,) bool; one of a group stays."""
    chosen = taken.clone()
    left = torch.tensor(units.sizes) - torch.zeros(len(units.sizes), dtype=torch.long).index_add(
        0, units.groups, taken.long()
    )
    for unit in scores.argsort(stable=True).tolist():
        group = int(units.groups[unit])
        if count and not chosen[unit] and left[group] > 1:
            chosen[unit], left[group], count = True, left[group] - 1, count - 1
    return chosen & ~taken


@dataclass
class Hesso:
    """A training's pruning: call `after_step` behind each step of the optimiser.

    Attributes:
      units: of the model that trains.
      sparsity: the share of all units that shall go.
      start: steps before the first period.
      steps: of each period.
      periods: in which they go, equally many in each; the last takes the remainder.
      extra: what is added to a unit's saliency, (count,); of CRIC.
      redundant: the units that are zero or fading, (count,) bool.
    """

    units: Units
    sparsity: float
    start: int
    steps: int
    periods: int = PERIODS
    extra: Tensor | None = None
    redundant: Tensor = field(init=False)

    def __post_init__(self) -> None:
        if not 0 <= self.sparsity < 1 or min(self.steps, self.periods) < 1 or self.start < 0:
            raise ValueError(
                f"sparsity must be in [0, 1), steps and periods at least 1 and start at least 0, got {self.sparsity}, "
                f"{self.steps}, {self.periods} and {self.start}"
            )
        self.redundant = torch.zeros(self.units.count, dtype=torch.bool)
        self._fading = self.redundant.clone()

    def state(self) -> dict[str, Tensor | None]:
        """Return what `load` needs to go on behind a step."""
        return {"redundant": self.redundant, "fading": self._fading, "extra": self.extra}

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self.redundant, self._fading, self.extra = state["redundant"], state["fading"], state["extra"]

    def after_step(self, step: int) -> None:
        """Fade and zero units after step 0, 1, ... of the training, whose gradients are still there."""
        period, within = divmod(step - self.start, self.steps)
        if step < self.start:
            return
        if within == 0 and period < self.periods:
            self._choose(period)
        factors = torch.where(self.redundant & ~self._fading, 0.0, 1.0)
        if period < self.periods:
            factors = torch.where(self._fading, fade(within, self.steps), factors)
        else:
            factors = torch.where(self._fading, 0.0, factors)
        self.units.multiply(factors)

    def _choose(self, period: int) -> None:
        total = int(self.sparsity * self.units.count)
        each = total // self.periods
        count = each if period + 1 < self.periods else total - each * (self.periods - 1)
        scores = saliency(self.units)
        scores = scores if self.extra is None else scores + self.extra
        self._fading = lowest(self.units, scores, count, self.redundant)
        self.redundant = self.redundant | self._fading


def losses_without(units: Units, model: nn.Module, loss: Callable[[], float]) -> Tensor:
    """Return for each unit, (count,), by how much the loss grows where shares of its group are zero: CRIC's first look.

    Of each group the quarter, half and three quarters of least saliency are zeroed in turn; a unit has the mean ratio
    of those trials that it was in, and the largest of its group where it was in none. Divided by the L2 norm of all.
    """
    scores, whole = saliency(units), max(loss(), 1e-12)
    found, tried = torch.zeros(units.count), torch.zeros(units.count)
    for members in torch.split(torch.arange(units.count), units.sizes):
        order = members[scores[members].argsort(stable=True)]
        for share in TRIED:
            gone = order[: int(share * len(order))]
            if not len(gone):
                continue
            with restored(model):
                units.multiply(torch.ones(units.count).index_fill(0, gone, 0.0))
                found[gone] += loss() / whole
                tried[gone] += 1
        mean = found[members] / tried[members].clamp(min=1)
        found[members] = torch.where(tried[members] > 0, mean, mean.max().clamp(min=1.0))
    grown: Tensor = found / found.norm().clamp(min=1e-12)
    return grown


class restored:  # noqa: N801 - a context
    """A context at whose end a model has the weights and buffers that it had before."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model

    def __enter__(self) -> None:
        self._state = {name: value.clone() for name, value in self._model.state_dict().items()}

    def __exit__(self, *_: object) -> None:
        self._model.load_state_dict(self._state)


def cric(
    units: Units,
    model: nn.Module,
    train_step: Callable[[], None],
    *,
    count: int,
    steps: int,
    extra: Tensor | None = None,
) -> tuple[Tensor, int]:
    """Return the units that are least by scores of several cycles, (count,) bool, and the cycles that it took.

    In each cycle the suspects fade over `steps` of training, so that others can show what they are worth without them;
    the lowest units of then are the next suspects, and all weights are restored. It ends when there are no new ones, or
    after ten cycles. The redundant units are those of least accumulated saliency; let them fade as `Hesso` does.
    """
    none = torch.zeros(units.count, dtype=torch.bool)
    train_step()
    scores = saliency(units) if extra is None else saliency(units) + extra
    suspects = seen = lowest(units, scores, count, none)
    for cycle in range(1, CYCLES + 1):
        with restored(model):
            for step in range(steps):
                train_step()
                units.multiply(torch.where(suspects, fade(step, steps), 1.0))
            now = saliency(units) if extra is None else saliency(units) + extra
        now = torch.where(suspects, scores / cycle, now)  # what is zero would have no score
        scores = scores + now
        new = lowest(units, now, count, none)
        if not (new & ~seen).any():
            break
        suspects, seen = new, seen | new
    return lowest(units, scores, count, none), cycle
