"""Whether a network computes anything of its input: some of a space's networks cut it off, and engines drop them."""

from __future__ import annotations

import torch
from torch import nn

from hardware_models.op import Shape


def uses_input(module: nn.Module, input_shape: Shape) -> bool:
    """Return whether two random inputs give different outputs, in evaluation mode.

    Where they do not, e.g. in a cell of NAS-Bench-201 without a path from its input to its output, an engine may
    compute the output once and for all, so that the network's latency says nothing of its operators'.
    """
    dtype = next((weight.dtype for weight in module.parameters() if weight.is_floating_point()), torch.float32)
    images = torch.randn(2, *input_shape, generator=torch.Generator().manual_seed(0)).to(dtype)
    training = module.training
    try:
        with torch.inference_mode():
            first, second = module.eval()(images)
    finally:
        module.train(training)
    return not torch.equal(first, second)
