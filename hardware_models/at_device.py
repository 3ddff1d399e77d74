"""A hardware model as one of several devices: its metrics carry the device's name, `latency_ms@pixel3`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hardware_models.op import Op

FORWARDED = ("terms", "total", "costs", "space")
"""What a hardware model may have beside its call; all but the metrics' names stays as the model has it."""


def at(metric: str, device: str) -> str:
    """Return a metric's name on a device, e.g. `latency_ms@pixel3`."""
    return f"{metric}@{device}"


class AtDevice:
    """Gives a model's metrics under the device's name, and has those ways of costing that the model has.

    `callable` and `hasattr` tell which they are: a call with operators, `terms` and `total`, or `costs` of genotypes.

    Attributes:
      model: the hardware model.
      device: the name.
      metrics: the model's, each with `@device` at its end.
    """

    def __new__(cls, model: Any, device: str) -> AtDevice:  # noqa: ARG004 - as `__init__`
        """Return one that can be called if the model can."""
        return super().__new__(_Called if callable(model) else AtDevice)

    def __init__(self, model: Any, device: str) -> None:
        """Take a model whose metrics name no device yet. Raises ValueError for one whose metrics do."""
        placed = [metric for metric in model.metrics if "@" in metric]
        if placed:
            raise ValueError(f"metric {placed[0]!r} names a device already: use the model as it is, without {device!r}")
        self.model, self.device = model, device
        self.metrics: tuple[str, ...] = tuple(at(metric, device) for metric in model.metrics)
        for way in FORWARDED:
            if hasattr(model, way):
                setattr(self, way, getattr(model, way))

    def __reduce__(self) -> tuple[type[AtDevice], tuple[Any, str]]:
        """Return what makes it again."""
        return AtDevice, (self.model, self.device)

    def __repr__(self) -> str:
        return f"AtDevice({self.model!r:.80}, {self.device!r})"


class _Called(AtDevice):
    """One whose model costs operators."""

    def __call__(self, ops: Sequence[Op]) -> Mapping[str, float]:
        """Return the model's metrics of a network that runs `ops`. Raises what the model raises."""
        return {at(metric, self.device): value for metric, value in self.model(ops).items()}
