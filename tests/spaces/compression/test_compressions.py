"""Compressed networks: what is left of weights, what numbers they have, what they cost, and that they still train."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyglove as pg
import pytest
import torch
from torch import nn

from evaluators._base import Task
from evaluators.costed import Costed
from evaluators.train import Train
from hardware_models.architecture import architecture_of
from hardware_models.counts import macs, params
from hardware_models.layer_costs import LayerCost, layer_costs, totals
from hardware_models.op import Op, conv2d, elementwise, linear
from hardware_models.settling import settled
from spaces.compression.binary import BINARISERS, Binary, binarisers
from spaces.compression.bit_width import BitWidth, bit_widths, rounded_inputs, rounded_weights
from spaces.compression.compressed import Compressed, Compression
from spaces.compression.layers import layers_of
from spaces.compression.low_rank import LowRank, low_ranks
from spaces.compression.signs import SignWeight, centred, sign_inputs
from spaces.compression.sparsity import NOfM, Unstructured, sparsities
from spaces.compressions import compressions
from spaces.genotype import GenotypeSpace
from spaces.hyperparameters import hyperparameters
from spaces.mbconv import mbconv
from spaces.pruning_rates import pruning_rates
from tests.spaces_built import built_counts

ALL: list[Compression] = [Unstructured(0.5), NOfM(2, 4), BitWidth(4, 8), LowRank(0.25), *map(Binary, BINARISERS)]


class Net(pg.Object):  # type: ignore[misc]
    """Two convolutions and a linear layer for images of 8x8."""

    classes: int = 10

    @property
    def input_shape(self) -> tuple[int, ...]:
        return 1, 8, 8

    def build(self) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU(),
            nn.Flatten(), nn.Linear(512, 10),
        )  # fmt: skip

    def ops(self) -> Sequence[Op]:
        first, second = conv2d((1, 8, 8), 16, 3), conv2d((16, 8, 8), 32, 3, 2, bias=True)
        relus = [elementwise("relu", op.output) for op in (first, second)]
        return first, relus[0], second, relus[1], Op("flatten", ((32, 4, 4),), (512,)), linear((512,), 10)


def held(model: nn.Module) -> list[int]:
    return [int(torch.count_nonzero(module.weight)) for module in layers_of(model).values()]


@pytest.mark.parametrize("choice", [Unstructured(0.75), NOfM(2, 4), NOfM(1, 4), LowRank(0.25), LowRank(0.5)])
def test_the_weights_that_are_held_are_those_that_are_counted(choice: Compression) -> None:
    candidate = choice.applied_to(Net())
    assert held(candidate.build()) == [layer.weights for layer in candidate.layer_costs()]


def test_the_smallest_weights_are_zero() -> None:
    model = nn.Sequential(nn.Linear(4, 2, bias=False))
    model[0].weight.data = torch.tensor([[1.0, -5.0, 2.0, 0.1], [3.0, 0.2, -0.3, 4.0]])
    assert Unstructured(0.5).apply(model)[0].weight.tolist() == [[0, -5, 2, 0], [3, 0, 0, 4]]


def test_two_of_four_in_a_row_are_left() -> None:
    model = nn.Sequential(nn.Linear(8, 1, bias=False))
    model[0].weight.data = torch.tensor([[1.0, -5.0, 2.0, 0.1, 9.0, 8.0, 7.0, -10.0]])
    assert NOfM(2, 4).apply(model)[0].weight.tolist() == [[0, -5, 2, 0, 9, 0, 0, -10]]


def test_rows_of_a_convolution_are_over_its_inputs() -> None:
    model = nn.Sequential(nn.Conv2d(4, 1, (1, 2), bias=False))
    model[0].weight.data = torch.tensor([[[[1.0, 8]], [[2, 7]], [[3, 6]], [[4, 5]]]])
    assert NOfM(2, 4).apply(model)[0].weight.flatten().tolist() == [0, 8, 0, 7, 3, 0, 4, 0]


def test_zeros_may_move_while_a_network_trains() -> None:
    model = Unstructured(0.5).apply(nn.Sequential(nn.Linear(2, 1, bias=False)))
    model(torch.tensor([[3.0, 4.0]])).sum().backward()
    assert model[0].parametrizations.weight.original.grad.tolist() == [[3, 4]]


@pytest.mark.parametrize(("bits", "levels"), [(8, 255), (4, 15), (2, 3)])
def test_weights_have_as_many_levels_as_bits_allow(bits: int, levels: int) -> None:
    weight = torch.linspace(-1, 1, 4001).view(1, -1)
    rounded = rounded_weights(weight, bits)
    assert len(rounded.unique()) == levels
    assert float((rounded - weight).abs().max()) == pytest.approx(0.5 / (2 ** (bits - 1) - 1), rel=0.01)


@pytest.mark.parametrize("bits", [8, 4, 2])
def test_inputs_are_rounded_from_least_to_most_and_zero_stays(bits: int) -> None:
    inputs = torch.cat([torch.linspace(-1, 3, 4001), torch.zeros(1)])
    rounded = rounded_inputs(inputs, bits)
    assert len(rounded.unique()) == 2**bits
    assert float(rounded[-1]) == 0
    assert float((rounded - inputs).abs().max()) <= 4 / (2**bits - 1) + 1e-6


@pytest.mark.parametrize(
    ("binariser", "expected"),
    [
        ("bnn", [[1, -1], [1, 1]]), ("xnor", [[1.5, -1.5], [3, 3]]), ("dorefa", [[2.25, -2.25], [2.25, 2.25]]),
        ("bireal", [[1.5, -1.5], [3, 3]]),
    ],
)  # fmt: skip
def test_binarisers_of_weights(binariser: str, expected: list[list[float]]) -> None:
    assert SignWeight(binariser)(torch.tensor([[1.0, -2.0], [4.0, 2.0]])).tolist() == expected


@pytest.mark.parametrize(
    ("binariser", "value", "gradient"),
    [
        ("bnn", [-1, -1, 1, 1], [0, 1, 1, 0]), ("dorefa", [-1, -1, 1, 1], [0, 1, 1, 0]),
        ("xnor", [-1.5, -1.5, 1.5, 1.5], [0, 1.5, 1.5, 0]), ("bireal", [-1, -1, 1, 1], [0, 1.5, 0.5, 0]),
    ],
)  # fmt: skip
def test_binarisers_of_inputs(binariser: str, value: list[float], gradient: list[float]) -> None:
    inputs = torch.tensor([[-3.0, -0.25, 0.75, 2.0]], requires_grad=True)
    signs = sign_inputs(inputs, binariser)
    signs.sum().backward()
    assert signs.tolist() == [value]
    assert inputs.grad is not None
    assert inputs.grad[0].tolist() == gradient


def test_numbers_behind_a_relu_have_both_signs() -> None:
    inputs = torch.tensor([[0.0, 1.0, 5.0, 6.0], [0.0, 0.0, 0.0, 4.0]])
    assert sign_inputs(centred(inputs), "bnn").tolist() == [[-1, -1, 1, 1], [-1, -1, -1, 1]]


def test_the_first_and_the_last_layer_are_not_binary() -> None:
    layers = Binary("xnor").applied_to(Net()).layer_costs()
    assert [layer.weight_bits for layer in layers] == [32, 1, 32]
    model = Binary("bnn").applied_to(Net()).build()
    assert [len(module.weight.unique()) > 2 for module in layers_of(model).values()] == [True, False, True]


def test_a_full_rank_is_the_layer_itself() -> None:
    torch.manual_seed(0)
    wide, images = nn.Sequential(nn.Conv2d(8, 4, 3, 2, 1), nn.Flatten(), nn.Linear(64, 2)), torch.randn(2, 8, 8, 8)
    expected = wide(images)
    assert torch.allclose(LowRank(1.0).apply(wide)(images), expected, atol=1e-5)


def test_a_lower_rank_is_the_best_approximation() -> None:
    torch.manual_seed(0)
    layer, last = nn.Linear(20, 20), nn.Linear(20, 2)
    weight = layer.weight.detach().clone()
    values = torch.linalg.svdvals(weight)
    first, second = LowRank(0.25).apply(nn.Sequential(layer, last))[0]
    assert float((second.weight @ first.weight - weight).detach().norm()) == pytest.approx(
        float(values[5:].norm()), rel=1e-4
    )


def test_a_low_rank_network_is_what_is_counted() -> None:
    candidate = LowRank(0.25).applied_to(Net())
    object.__setattr__(candidate, "classes", 10)
    assert built_counts(candidate) == (params(candidate.ops()), macs(candidate.ops()))
    assert macs(candidate.ops()) < macs(Net().ops())


def test_costs_of_a_network_that_is_not_compressed() -> None:
    assert totals(layer_costs(Net())) == {
        "held_weights": 144 + 4608 + 5120, "weight_bytes": 4 * 9872,
        "sparse_macs": 9216 + 73728 + 5120, "bit_operations": 1024 * 88064,
    }  # fmt: skip


def test_compressions_add_up() -> None:
    several = BitWidth(4, 8).applied_to(Unstructured(0.75).applied_to(Net()))
    assert totals(several.layer_costs()) == {
        "held_weights": 2468, "weight_bytes": 1234, "sparse_macs": 88064 / 4, "bit_operations": 88064 / 4 * 32,
    }  # fmt: skip


@pytest.mark.parametrize("choice", ALL, ids=repr)
def test_a_compressed_network_trains_and_is_settled(choice: Compression) -> None:
    torch.manual_seed(0)
    model, images = choice.applied_to(Net()).build(), torch.randn(4, 1, 8, 8)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    before = [parameter.clone() for parameter in model.parameters()]
    model(images).square().sum().backward()
    optimizer.step()
    assert all(not torch.equal(one, other) for one, other in zip(before, model.parameters(), strict=True))
    expected = model.eval()(images)
    assert torch.allclose(settled(model)(images), expected, atol=1e-6)
    assert not any("parametrizations" in name for name, _ in settled(model).named_parameters())


def test_a_low_rank_comes_before_zeros() -> None:
    both = LowRank(0.5).applied_to(Unstructured(0.5).applied_to(Net()))
    with pytest.raises(ValueError, match="is sparse or rounded already: put the low rank before that"):
        both.build()
    with pytest.raises(ValueError, match="is sparse already: put the low rank before that"):
        both.layer_costs()


def test_signs_are_never_zero() -> None:
    both = Binary("bnn").applied_to(Unstructured(0.5).applied_to(Net()))
    with pytest.raises(ValueError, match="is sparse or rounded already, and a sign is never 0"):
        both.build()
    with pytest.raises(ValueError, match="have zeros or one bit, not both"):
        both.layer_costs()


def joint(**settings: Any) -> GenotypeSpace:
    small = mbconv(widths=((8, 16), (16, 24)), strides=(1, 2), depth=2, kernels=(3,), expansions=(2,))
    return GenotypeSpace(
        pg.Dict(
            architecture=small,
            pruning=pruning_rates(2),
            compression=compressions(**settings),
            training=hyperparameters(epochs=[1]),
        )
    )


def test_everything_is_one_space() -> None:
    space = joint(weights=[], binary=[])  # rounding makes zeros of its own
    for row in space.sample(6, np.random.default_rng(3)):
        architecture = architecture_of(space.decode(row))
        assert held(architecture.build()) == [layer.weights for layer in layer_costs(architecture)]


def test_costs_come_before_the_training() -> None:
    space = joint()
    row = space.sample(1, np.random.default_rng(3))[0]
    metrics = list(Costed(Train("digits"))(Task(space, row, seed=0)))
    assert set(metrics[0]) == {"held_weights", "weight_bytes", "sparse_macs", "bit_operations"}
    assert set(metrics[1]) == {"accuracy", "loss"}


def test_the_data_are_shared_as_the_evaluator_does() -> None:
    arrays = Costed(Train("digits")).shared()
    metrics = [Costed(Train("digits", epochs=1)), Costed(Train("digits", epochs=1)).with_shared(arrays)]
    space = GenotypeSpace(pg.Dict(architecture=Net(), compression=pg.oneof([None])))
    task = Task(space, np.zeros(1, space.dtype), seed=0)
    assert list(metrics[0](task)) == list(metrics[1](task))
    assert Costed(lambda task: []).shared() == {}


def test_what_a_compressed_network_was_made_from() -> None:
    architecture = Net()
    assert isinstance(BitWidth(8).applied_to(Unstructured(0.5).applied_to(architecture)), Compressed)
    assert pg.eq(BitWidth(8).applied_to(Unstructured(0.5).applied_to(architecture)).whole, architecture)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: sparsities([1.0]), r"expected shares in \(0, 1\)"),
        (lambda: sparsities(patterns=[(4, 4)]), "0 < n < m"),
        (lambda: bit_widths([1]), "bits must be from 2 to 8, or 32, got 1"),
        (lambda: binarisers(["reactnet"]), "unknown binariser 'reactnet'; there are bnn, xnor, dorefa, bireal"),
        (lambda: low_ranks([0.0]), "shares of the rank must be above 0 and at most 1"),
    ],
)
def test_impossible_choices_are_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_a_layer_is_described() -> None:
    op = conv2d((4, 8, 8), 8, 1)
    assert layer_costs(pg.Dict(ops=lambda: [op])) == (LayerCost(op, 32, 2048),)
