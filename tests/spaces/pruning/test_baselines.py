"""Baselines of pruning on their sources' numbers: the minimum of global magnitude pruning, and the PQ index."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from spaces.pruning.global_magnitude import global_magnitude, least_of, with_minimum
from spaces.pruning.pq_index import kept_at_least, pq_index, pq_widths, pruned_count
from spaces.pruning.prunable import Prunable
from tests.spaces.pruning.nets import VGG, ResNet


@pytest.mark.parametrize(
    ("counts", "sparsities", "target", "least", "expected"),
    [
        ((1000, 200, 20), (0.85, 0.97, 0.5), 0.86, 30, (0.8792, 0.85, 0)),
        ((5000, 3000, 1000, 1000), (0.90, 0.92, 0.999, 0.85), 0.905, 50, (0.89889, 0.91887, 0.95, 0.84895)),
    ],
)
def test_layers_keep_a_minimum(
    counts: tuple[int, ...], sparsities: tuple[float, ...], target: float, least: int, expected: tuple[float, ...]
) -> None:
    found = with_minimum(counts, sparsities, target, least)
    assert found == pytest.approx(expected, abs=5e-6)
    assert np.dot(found, counts) == pytest.approx(target * sum(counts))


def test_a_minimum_out_of_reach_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a sparsity of 0\.99 leaves no 30 weights to each layer; at most 0\.85 does"):
        with_minimum((150, 150, 300), (0.99, 0.99, 0.99), 0.99, 30)


def test_the_minimum_is_a_share_of_all_weights() -> None:
    assert least_of(25_502_912) == 12_751


def test_the_smallest_filters_of_the_whole_network_go() -> None:
    torch.manual_seed(0)
    network, model = Prunable(VGG, (3, 16, 16)), VGG()
    with torch.no_grad():
        model[2].weight[:6] *= 1e-3
    assert global_magnitude(network, model, 0.6) == (7, 7, 16, 24)


def test_groups_keep_their_least_share() -> None:
    torch.manual_seed(0)
    network, model = Prunable(ResNet, (3, 16, 16)), ResNet()
    nn.init.constant_(model.blocks[0].conv1[0].weight, 0.0)
    assert global_magnitude(network, model, 0.5)[1] == 1
    assert global_magnitude(network, model, 0.5, least=0.5)[1] == 4


@pytest.mark.parametrize(
    ("weights", "halves", "ones", "bounds"),
    [
        ((1, 0, 0, 0), 0.75, 0.5, (1, 1)),
        ((1, 1, 0, 0), 0.5, 0.292893, (2, 2)),
        ((4, 3, 2, 1), 0.055586, 0.087129, (3.7777, 3.3333)),
    ],
)
def test_the_pq_index_and_its_bound(
    weights: tuple[float, ...], halves: float, ones: float, bounds: tuple[float, float]
) -> None:
    row = np.array(weights, float)
    assert (pq_index(row), pq_index(row, 1, 2)) == pytest.approx((halves, ones), abs=1e-6)
    assert (kept_at_least(row), kept_at_least(row, 1, 2)) == pytest.approx(bounds, abs=1e-4)


def test_the_pq_index_of_a_gaussian() -> None:
    weights = np.random.default_rng(0).standard_normal(1_000_000)
    assert pq_index(weights, 1, 2) == pytest.approx(0.20212, abs=1e-3)


def test_equal_weights_stay_and_zeros_go() -> None:
    assert pruned_count(np.ones(10)) == 0
    assert pruned_count(np.array([1.0, 0, 0, 0])) == 3
    assert pruned_count(np.eye(1, 100)[0], gamma=9) == 90


def test_groups_lose_what_their_filters_say() -> None:
    torch.manual_seed(0)
    network, model = Prunable(VGG, (3, 16, 16)), VGG()
    with torch.no_grad():
        model[0].weight[2:] *= 1e-6
        model[0].bias.zero_()
    assert pq_widths(network, model)[:2] == (3, 12)


@pytest.mark.parametrize(("p", "q"), [(1.0, 1.0), (0.0, 1.0), (2.0, 1.0)])
def test_norms_in_the_wrong_order_are_refused(p: float, q: float) -> None:
    with pytest.raises(ValueError, match="expected 0 < p < q, got"):
        pq_index(np.ones(3), p, q)
