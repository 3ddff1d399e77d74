"""A network whose pruned channels are zero: what a smaller network must agree with."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from torch import nn

from spaces.pruning.channels import Channels
from spaces.pruning.split_attention import split


@torch.no_grad()
def masked(model: nn.Module, found: Channels, atoms: np.ndarray) -> nn.Module:
    """Return a copy of `model` in which no channel that is not among `atoms` reaches another one.

    Of a removed channel the filter, the bias, and the norm's scale and shift are 0, and so is every weight that reads
    it, since an activation may make another number of the 0 (a sigmoid).
    """
    keep = torch.from_numpy(found.keep(atoms))
    copied = copy.deepcopy(split(model, found.split))
    for path, layer in found.layers.items():
        module: Any = copied.get_submodule(path)
        outputs, inputs = keep[layer.outputs], keep[layer.inputs]
        _zero(module, outputs)
        weight = module.weight
        within = inputs.reshape(-1, weight.shape[1])[0]  # of each group of a convolution the same
        if weight.shape[1] > 1:
            weight[:, ~within] = 0
    for path, channels in found.norms.items():
        _zero(copied.get_submodule(path), keep[channels])
    return copied


def _zero(module: nn.Module, stays: torch.Tensor) -> None:
    for name in ("weight", "bias"):
        tensor = getattr(module, name)
        if tensor is not None:
            tensor[~stays] = 0
