"""What becomes of the gradients of weights that several networks of a step share: their sum, or a mean of them.

Source: the released code of DepS (Annavajjala, Khare et al., ECCV 2024), where the sum is the default.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from evaluators.nested.weights import NestedWeights
from hardware_models.inherited import part_of

POWERS = {"sum": 0.0, "root": 0.5, "mean": 1.0}
"""By name: to which power the scales of the networks that use a weight, added up, divide its gradient."""


@torch.no_grad()
def divide(weights: NestedWeights, networks: Sequence[tuple[nn.Module, float]], shared: str) -> None:
    """Divide each weight's gradient, in place, by what `shared` makes of the scales of the networks that use it.

    That is their sum to one of `POWERS`. `networks` are a step's, each with what its gradients were multiplied by.
    """
    if not POWERS[shared]:
        return
    whole = dict(weights.largest.named_parameters())
    scales = {name: torch.zeros_like(parameter) for name, parameter in whole.items()}
    for network, scale in networks:
        for name, own in network.named_parameters():
            part_of(scales[name], own.shape).add_(scale)
    for name, parameter in whole.items():
        if parameter.grad is not None:
            used = scales[name]
            parameter.grad.div_(used.where(used > 0, 1).pow(POWERS[shared]))
