"""ScheduledDropPath: its schedule, that it is exact in expectation, and what of a network it drops."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from spaces.nasnet import Block, Cell, nasnet, published
from spaces.networks.scheduled_drop_path import ScheduledDropPath, drop_path, keep_probability


def network_of(operation: str, **settings: Any) -> torch.nn.Module:
    """Return a small network all of whose blocks do one thing to the cell's input."""
    candidate = nasnet(cells=2, filters=4, resolution=8, drop_path_keep=0.25, **settings)
    blocks = [Block(0, 0, operation, operation, "add") for _ in range(5)]
    candidate.rebind({"normal": Cell(blocks), "reduction": Cell([block.clone() for block in blocks])})
    torch.manual_seed(0)
    return candidate.build()


@pytest.mark.parametrize(
    ("progress", "cell", "keep"),
    [(0.0, 19, 1.0), (0.5, 0, 0.99), (0.5, 9, 0.9), (0.5, 19, 0.8), (1.0, 0, 0.98), (1.0, 19, 0.6), (2.0, 19, 0.6)],
)
def test_the_probability_falls_with_progress_and_depth(progress: float, cell: int, keep: float) -> None:
    assert keep_probability(progress, cell, 20, 0.6) == pytest.approx(keep, abs=1e-15)


def test_examples_are_dropped_whole_or_scaled_up() -> None:
    torch.manual_seed(0)
    dropped = drop_path(torch.ones(1000, 3, 2, 2), 0.8)
    assert dropped.unique().tolist() == [0.0, 1.25]
    assert all(len(example.unique()) == 1 for example in dropped)


def test_it_is_exact_in_expectation() -> None:
    torch.manual_seed(0)
    means = drop_path(torch.ones(200_000, 1, 1, 1), 0.7).mean().item()
    assert means == pytest.approx(1.0, abs=4 * (0.3 / 0.7 / 200_000) ** 0.5)  # four standard errors


def test_gradients_are_dropped_and_scaled_alike() -> None:
    torch.manual_seed(0)
    features = torch.ones(100, 2, 1, 1, requires_grad=True)
    dropped = drop_path(features, 0.5)
    dropped.sum().backward()
    assert torch.equal(features.grad, dropped.detach())


def test_nothing_is_dropped_in_evaluation_or_at_the_start() -> None:
    path, features = ScheduledDropPath(0, 1, 0.1), torch.ones(100, 1, 1, 1)
    assert path(features) is features
    path.progress = 1.0
    assert path(features) is not features
    assert path.eval()(features) is features


def test_a_network_drops_once_it_is_told_that_training_is_on() -> None:
    network, images = network_of("conv_1x1"), torch.ones(8, 3, 8, 8)
    start = network(images)
    assert torch.equal(network(images), start)
    network.at_progress(1.0)
    assert not torch.equal(network(images), start)
    network.eval()
    assert torch.equal(network(images), network(images))


def test_equal_generators_drop_alike() -> None:
    network, images = network_of("max_pool_3x3"), torch.ones(8, 3, 8, 8)
    network.at_progress(0.5)
    logits = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        logits.append(network(images))
    assert torch.equal(logits[0], logits[1])
    assert not torch.equal(logits[0], logits[2])


def test_identities_are_not_dropped() -> None:
    network, images = network_of("identity"), torch.ones(8, 3, 8, 8)
    start = network(images)
    network.at_progress(1.0)
    assert torch.equal(network(images), start)


def test_stem_and_reduction_cells_count() -> None:
    with torch.device("meta"):
        network = published("nasnet_a_large").build()
    network.at_progress(1.0)
    keeps = sorted({path.keep for path in network.modules() if isinstance(path, ScheduledDropPath)})
    assert keeps == pytest.approx([1 - 0.3 * cell / 22 for cell in range(22, 0, -1)])


def test_a_probability_out_of_bounds_is_refused() -> None:
    with pytest.raises(ValueError, match=r"must be in \(0, 1\], got 0"):
        ScheduledDropPath(0, 1, 0)
