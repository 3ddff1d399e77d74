"""A network whose channels are masked by learned thresholds, one a group, with straight-through gradients.

The equations are this project's, as far as the abstract of LAPP (Zhai et al., 2023, arXiv 2309.14157) leaves them open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import gcd
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

SOFTNESS = 0.1
"""The width of the sigmoid that stands for the step in the backward pass, as a share of a group's units."""


class Group(Protocol):
    """Channels with a rate of their own."""

    name: str
    atoms: np.ndarray


class Layer(Protocol):
    """A layer's input and output channels, by atom."""

    inputs: np.ndarray
    outputs: np.ndarray


class Places:
    """Where the units of all groups stand in one row, and which of them each channel of a layer is."""

    def __init__(self, groups: tuple[Group, ...]) -> None:
        """Take the groups of a network."""
        self.sizes = [len(group.atoms) for group in groups]
        self._units = {
            atom: place for place, atom in enumerate(np.concatenate([group.atoms for group in groups]).tolist())
        }
        self.groups = torch.repeat_interleave(torch.arange(len(groups)), torch.tensor(self.sizes))

    @property
    def units(self) -> int:
        """How many units there are."""
        return len(self.groups)

    def of(self, atoms: np.ndarray) -> Tensor:
        """Return the place of each channel's unit, (channels,); `units` for channels in no group."""
        return torch.tensor([self._units.get(atom, self.units) for atom in atoms.tolist()])


class Gate(nn.Module):
    """What a layer's weight is instead: the weight and its bypass, at zero where an input channel is masked.

    The bypass is a 1x1 convolution beside a square, odd kernel, in as many groups as inputs and outputs divide into. It
    starts at 0 and is linear, so that it is folded into the kernel's centre when training ends: no network pays for it.
    """

    def __init__(self, masks: Masks, places: Tensor | None, weight: Tensor, bypass: bool) -> None:
        super().__init__()
        self._masks, self._places = [masks], places  # in a list: no submodule
        outputs, inputs = weight.shape[:2]
        odd = weight.ndim == 4 and weight.shape[2] == weight.shape[3] and weight.shape[2] % 2 == 1
        self._parts = gcd(outputs, inputs)
        shape = (self._parts, outputs // self._parts, inputs // self._parts)
        self.bypass = nn.Parameter(torch.zeros(shape, device=weight.device)) if bypass and odd and inputs > 1 else None

    def forward(self, weight: Tensor) -> Tensor:
        """Return the weight that the layer uses."""
        if self.bypass is not None:
            middle = weight.shape[-1] // 2
            beside = torch.block_diag(*self.bypass)[:, :, None, None]  # type: ignore[no-untyped-call]
            weight = weight + nn.functional.pad(beside, [middle] * 4)
        values = self._masks[0].values
        if self._places is None or values is None:
            return weight
        mask = torch.cat([values, values.new_ones(1)])[self._places]
        return weight * mask.view(1, -1, *[1] * (weight.ndim - 2))


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least and the most of each group's rate, (groups,): equal where a rate is held."""

    low: Tensor
    high: Tensor


class Masks:
    """The masks of a model's channels. They are put into the model, and taken out again by `fold`.

    A group's units are ranked by the L2 norm of their filters, in all layers that make them: the lowest of n has the
    score 0.5/n, the highest 1 - 0.5/n. Those below the group's threshold are masked, so that the threshold is the
    group's rate. Backwards the step is a sigmoid of the difference over `SOFTNESS`.

    Attributes:
      thresholds: (groups,), to be learned.
      values: of the units, 0 or 1; None while nothing is masked.
    """

    def __init__(
        self, model: nn.Module, groups: tuple[Group, ...], layers: Mapping[str, Layer], bounds: Bounds, *, bypass: bool
    ) -> None:
        """Put masks, and a bypass where `bypass`, into every layer of `model`."""
        self.thresholds = nn.Parameter(bounds.low.clone())
        self.values: Tensor | None = None
        self.places, self._bounds = Places(groups), bounds
        self._made = [(model.get_submodule(path), self.places.of(layer.outputs)) for path, layer in layers.items()]
        for path, layer in layers.items():
            module: Any = model.get_submodule(path)
            within = layer.inputs.reshape(-1, module.weight.shape[1])[0]  # of each group of a convolution the same
            read = self.places.of(within) if len(within) > 1 or getattr(module, "groups", 1) == 1 else None
            gate = Gate(self, read, module.weight, bypass)
            parametrize.register_parametrization(module, "weight", gate, unsafe=True)

    def update(self) -> Tensor:
        """Mask by the weights and thresholds of now; return the units that each group keeps, with their gradient."""
        scores = self._scores()
        low, high = self._bounds.low, self._bounds.high
        rates = self.thresholds.clamp(low, high)[self.places.groups]
        soft = torch.sigmoid((scores - rates) / SOFTNESS)
        kept = (scores >= rates.detach()).float()
        self.values = kept + soft - soft.detach()
        sizes = torch.tensor(self.places.sizes, dtype=torch.float32)
        whole = torch.zeros(len(sizes)).index_add(0, self.places.groups, kept)
        smooth = sizes * (1 - self.thresholds)
        return whole + smooth - smooth.detach()

    @torch.no_grad()
    def clamp(self) -> None:
        """Bring the thresholds back into their bounds."""
        self.thresholds.clamp_(self._bounds.low, self._bounds.high)

    @torch.no_grad()
    def _scores(self) -> Tensor:
        """Return the rank of each unit in its group, from 0 to 1, (units,)."""
        squares = torch.zeros(self.places.units + 1)
        mask, self.values = self.values, None
        for module, places in self._made:
            weight: Any = module.weight
            squares.index_add_(0, places, weight.flatten(1).square().sum(1))
        self.values = mask
        parts = torch.split(squares[:-1], self.places.sizes)
        ranks = [(part.argsort(stable=True).argsort() + 0.5) / len(part) for part in parts]
        return torch.cat(ranks)

    def best(self, widths: tuple[int, ...]) -> list[np.ndarray]:
        """Return the places, within each group, of so many units with the highest scores."""
        parts = zip(torch.split(self._scores(), self.places.sizes), widths, strict=True)
        return [np.sort(part.argsort(descending=True, stable=True)[:width].numpy()) for part, width in parts]

    def fold(self) -> None:
        """Take masks and bypasses out: the model's weights are then those that it used, with nothing masked."""
        self.values = None
        for module, _ in self._made:
            parametrize.remove_parametrizations(module, "weight", leave_parametrized=True)
