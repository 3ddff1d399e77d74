"""The largest network's weights, on parts of which all networks of a nested space run and are trained.

Leading channels: Yu et al., ICLR 2019 (slimmable networks); Cai et al., ICLR 2020, section 3, with the transformations
of kernels; Tang et al., ICCV 2023, without them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.overrides import TorchFunctionMode

from hardware_models.inherited import part_of

FILTERS, LEAST_KERNEL = 4, 3
"""Axes of the weights of a convolution of images; the smallest kernel that is made out of a larger one."""


class NestedWeights(nn.Module):
    """All weights of a nested space.

    With `transforms`, a depthwise kernel of side k - 2 is a matrix times the middle of the one of side k, a matrix of
    its own for each side and layer, at first the identity; without, it is the middle itself.

    Attributes:
      largest: the largest network. Its norms' statistics mean nothing; see `evaluators.nested.scoring`.
      transforms: matrices by layer and side; empty without.
    """

    def __init__(self, largest: nn.Module, *, transforms: bool = False) -> None:
        super().__init__()
        self.largest = largest
        sides = {
            name: tensor.shape[-1] for name, tensor in largest.named_parameters() if transforms and _depthwise(tensor)
        }
        self.transforms = nn.ParameterDict(
            {
                _key(name, smaller): nn.Parameter(torch.eye(smaller**2))
                for name, side in sides.items()
                for smaller in range(LEAST_KERNEL, side, 2)
            }
        )

    def forward(self, network: nn.Module, images: Tensor) -> Tensor:
        """Return what `network`, of the space, makes of images with its part of the weights; gradients go to these.

        Norms' statistics are the network's own.
        """
        outputs: Tensor = functional_call(network, self.parts(network), (images,))
        return outputs

    def parts(self, network: nn.Module) -> dict[str, Tensor]:
        """Return the weights of a network by name: views, or products with `transforms`.

        Raises:
          ValueError: for a network that does not lie within the largest.
        """
        whole, own = dict(self.largest.named_parameters()), dict(network.named_parameters())
        missing = sorted(own.keys() - whole.keys())
        if missing:
            raise ValueError(f"the largest network has no {missing[0]}: the space's networks do not lie within it")
        return {name: self._part(name, whole[name], tensor.shape) for name, tensor in own.items()}

    @torch.no_grad()
    def give(self, network: nn.Module) -> None:
        """Copy a network's weights into it. Raises ValueError as `parts` does."""
        own = dict(network.named_parameters())
        for name, part in self.parts(network).items():
            own[name].copy_(part)

    def _part(self, name: str, whole: Tensor, shape: torch.Size) -> Tensor:
        if not self.transforms or not _depthwise(whole):
            return part_of(whole, shape)
        view = part_of(whole, (*shape[:2], *whole.shape[2:]))
        for side in range(whole.shape[-1] - 2, shape[-1] - 1, -2):
            middle = part_of(view, (*shape[:2], side, side)).flatten(2)
            view = (middle @ self.transforms[_key(name, side)].T).view(*shape[:2], side, side)
        return view


def build_unfilled(candidate: Any) -> nn.Module:
    """Return a candidate's network without drawing its initial weights, which takes most of the time of building it."""
    with _NoInitialWeights():
        network: nn.Module = candidate.build()
    return network


def load_weights(weights: NestedWeights, state: Mapping[str, Tensor]) -> None:
    """Load the state that `trained` gave; norms' statistics, which are not in it, stay as they are."""
    weights.load_state_dict({**weights.state_dict(), **state})


def trained(weights: NestedWeights) -> dict[str, Tensor]:
    """Return what was trained, by name."""
    return {name: parameter.detach() for name, parameter in weights.named_parameters()}


class _NoInitialWeights(TorchFunctionMode):
    """Leaves tensors as they are where `torch.nn.init` would fill them."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        del types
        if getattr(func, "__module__", "") == nn.init.__name__:
            return args[0] if args else (kwargs or {})["tensor"]
        return func(*args, **(kwargs or {}))


def _depthwise(tensor: Tensor) -> bool:
    return tensor.dim() == FILTERS and tensor.shape[1] == 1 and tensor.shape[-1] > LEAST_KERNEL


def _key(name: str, side: int) -> str:
    return f"{name.replace('.', '/')}/{side}"
