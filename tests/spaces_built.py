"""What PyTorch itself counts in a network, to hold against what its operators say."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode


def built_counts(candidate: Any) -> tuple[int, int]:
    """Return the weights and the multiply-accumulates of the built network, from a pass of shapes without numbers."""
    with torch.device("meta"):
        network, images = candidate.build().eval(), torch.empty(1, *candidate.input_shape)
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        logits = network(images)
    assert logits.shape == (1, candidate.classes)
    return sum(weights.numel() for weights in network.parameters()), counter.get_total_flops() // 2
