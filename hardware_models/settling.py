"""Networks with plain weights in place of those that are computed anew at each use, as sparse and rounded ones are."""

from __future__ import annotations

import copy

from torch import nn
from torch.nn.utils import parametrize


def settled(model: nn.Module) -> nn.Module:
    """Return `model` as it is deployed: a copy with plain weights, or itself where none are computed.

    What changes a layer's inputs, such as a rounding of activations, stays.
    """
    if not any(parametrize.is_parametrized(module) for module in model.modules()):
        return model
    plain = copy.deepcopy(model)
    for module in [module for module in plain.modules() if parametrize.is_parametrized(module)]:
        weights = {name: getattr(module, name).detach().clone() for name in module.parametrizations}  # type: ignore[union-attr]
        module.__class__ = parametrize.type_before_parametrizations(module)  # its own was shared with the original
        del module.parametrizations
        for name, weight in weights.items():
            setattr(module, name, nn.Parameter(weight))
    return plain
