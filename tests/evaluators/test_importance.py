"""Sorted channels: the same outputs, the most important first, and those of narrower networks in front."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from evaluators.nested.importance import sort_channels
from evaluators.nested.space import NestedSpace
from evaluators.nested.weights import NestedWeights
from evaluators.samplers._base import Memory, Step
from evaluators.samplers.progressive_shrinking import ProgressiveShrinking
from spaces.elasticvit import elasticvit
from spaces.genotype import GenotypeSpace
from spaces.once_for_all import once_for_all

ONCE_FOR_ALL = NestedSpace(GenotypeSpace(once_for_all(width=0.25, resolutions=[32], depths=(1, 2), classes=10)))
ELASTICVIT = NestedSpace(GenotypeSpace(elasticvit("small", resolutions=[16])))


def at(progress: float) -> Step:
    return Step(
        ONCE_FOR_ALL, round(1000 * progress), 1000, 0, 10, np.random.default_rng(0), lambda _: 1.0, lambda _: 0.0
    )


@pytest.mark.parametrize("nets", [ONCE_FOR_ALL, ELASTICVIT], ids=["once_for_all", "elasticvit"])
def test_sorting_leaves_the_largest_networks_outputs(nets: NestedSpace) -> None:
    torch.manual_seed(0)
    network = nets.space.decode(nets.largest).build().eval()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    images = torch.randn(2, *nets.space.decode(nets.largest).input_shape)
    with torch.inference_mode():
        outputs = network(images)
    sort_channels(network)
    assert any(not torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    with torch.inference_mode():
        assert torch.allclose(network(images), outputs, atol=1e-5)


def test_the_most_important_come_first_behind_what_stays_in_front() -> None:
    torch.manual_seed(0)
    weights = NestedWeights(ONCE_FOR_ALL.space.decode(ONCE_FOR_ALL.largest).build())
    memory: Memory = {"expansion": 2}
    (front,) = ProgressiveShrinking().sorts(at(0.9), memory) or ()
    candidate = ONCE_FOR_ALL.space.decode(front)
    assert (set(candidate.expansions), set(candidate.kernels), candidate.depths) == ({4}, {7}, (2,) * 5)
    network, images = candidate.build(), torch.randn(4, 3, 32, 32)
    outputs = weights(network, images)
    sort_channels(weights.largest, [network])
    assert torch.allclose(weights(network, images), outputs, atol=1e-5)
    name = "blocks.2.0.project.0.weight"
    kept = network.get_parameter(name).shape[1]
    importance = weights.largest.get_parameter(name).abs().sum((0, 2, 3))
    assert 0 < kept < len(importance)
    assert (importance[:kept].diff() <= 0).all()
    assert (importance[kept:].diff() <= 0).all()


def test_channels_are_sorted_when_expansions_open_and_at_no_other_step() -> None:
    memory: Memory = {}
    sampler = ProgressiveShrinking()
    shares = np.arange(0, 1, 0.005)
    fronts = [sampler.sorts(at(share), memory) for share in shares]
    opened = [
        (round(float(share), 3), len(rows)) for share, rows in zip(shares, fronts, strict=True) if rows is not None
    ]
    assert opened == [(0.755, 0), (0.795, 1)]
