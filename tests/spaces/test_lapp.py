"""The space of pruning rates: what its candidates are, build and cost, and what tells two spaces apart."""

from __future__ import annotations

import pickle
import re
from typing import Any

import numpy as np
import pyglove as pg
import pytest
import torch
from torch import Tensor, nn

from hardware_models import counts
from hardware_models.counts import Counts
from search.known_metrics import KnownMetrics
from spaces.genotype import GenotypeSpace
from spaces.lapp import kept, lapp, pruned
from tests.spaces.pruning.nets import VGG, DenseNet, Mixer, ResNet, resnet_a, resnet_b
from tests.spaces_built import built_counts

MAKERS = (resnet_a, resnet_b, VGG, DenseNet)


def some(make: Any, count: int, **settings: Any) -> list[Any]:
    space = GenotypeSpace(lapp(make, (3, 16, 16), **settings))
    return [space.decode(row) for row in space.sample(count, np.random.default_rng(0))]


def test_each_group_has_a_rate() -> None:
    space = GenotypeSpace(lapp(resnet_b, (3, 16, 16)))
    assert space.size == 4**6
    assert [column.name for column in space.columns][:2] == ["rates[stem.0]", "rates[blocks.0.conv1.0]"]
    assert space.columns[0].choices == ("0.0", "0.25", "0.5", "0.75")


@pytest.mark.parametrize(
    ("width", "rate", "multiple", "expected"),
    [(16, 0, 1, 16), (16, 0.3, 1, 11), (16, 0.99, 1, 1), (10, 0.25, 1, 8), (16, 0.3, 4, 12), (16, 0.9, 8, 8)],
)
def test_rates_keep_the_nearest_number(width: int, rate: float, multiple: int, expected: int) -> None:
    assert kept(width, rate, multiple) == expected


@pytest.mark.parametrize("width", [1, 3, 16, 48, 100, 1001])
def test_every_number_of_channels_has_a_rate(width: int) -> None:
    assert [kept(width, 1 - count / width) for count in range(1, width + 1)] == list(range(1, width + 1))


@pytest.mark.parametrize("make", MAKERS)
def test_the_built_network_is_what_is_counted(make: Any) -> None:
    for candidate in some(make, 3, rates=(0.0, 0.3, 0.6, 0.9)):
        object.__setattr__(candidate, "classes", 10)
        assert built_counts(candidate) == (counts.params(candidate.ops()), counts.macs(candidate.ops()))


def test_the_largest_filters_stay() -> None:
    torch.manual_seed(0)
    weights = VGG().state_dict()
    weights["0.weight"][[1, 4]] *= 100
    candidate = pruned(lapp(VGG, (3, 16, 16)).network, (2, 12, 16, 24))
    assert torch.equal(candidate.build(weights)[0].weight, weights["0.weight"][[1, 4]])


def test_known_metrics_are_those_of_the_operators() -> None:
    space = GenotypeSpace(lapp(lambda: ResNet("B", depth=3), (3, 16, 16)))
    known = KnownMetrics(space, [Counts(("macs", "params"))])
    rows = space.sample(200, np.random.default_rng(0))
    ops = [space.decode(row).ops() for row in rows]
    assert known(rows).tolist() == [[counts.macs(each), counts.params(each)] for each in ops]


def test_any_rate_may_be_open() -> None:
    space = GenotypeSpace(lapp(VGG, (3, 16, 16), pg.floatv(0.0, 0.9)))
    assert (space.width, space.size) == (4, None)
    assert space.decode(np.array([0.5, 0.0, 0.26, 0.9])).widths == (4, 12, 12, 2)


def test_a_group_can_be_left_whole() -> None:
    space = GenotypeSpace(lapp(resnet_b, (3, 16, 16)).rebind({"rates[stem.0]": 0.0}))
    assert space.size == 4**5
    assert space.decode(space.enumerate(0, 1)[0]).widths[0] == 8


def test_a_network_has_a_genotype() -> None:
    value = lapp(VGG, (3, 16, 16))
    space = GenotypeSpace(value)
    assert space.encode(pruned(value.network, (4, 6, 12, 24))).tolist() == [2, 2, 1, 0]


def test_the_fingerprint_tells_architectures_apart_and_not_weights() -> None:
    prints = [GenotypeSpace(lapp(make, (3, 16, 16))).fingerprint for make in (VGG, VGG, resnet_a, resnet_b)]
    assert prints[0] == prints[1]
    assert len(set(prints)) == 3
    assert GenotypeSpace(lapp(VGG, (3, 16, 16), multiple=2)).fingerprint not in prints


def test_a_space_goes_to_another_process() -> None:
    space = GenotypeSpace(lapp(VGG, (3, 16, 16)))
    other = pickle.loads(pickle.dumps(space))
    assert other.fingerprint == space.fingerprint
    assert isinstance(other.decode(other.enumerate(100, 1)[0]).build(), VGG)


def test_a_candidate_is_written_as_plain_data() -> None:
    candidate = some(VGG, 1)[0]
    written = pg.to_json(candidate)["network"]
    assert (written["make"], written["input_shape"]) == ("VGG", [3, 16, 16])
    assert written["groups"] == {"0": 8, "2": 12, "6": 16, "10": 24}
    assert "OpaqueObject" not in pg.to_json_str(candidate)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rates": (0.0, 1.0)}, r"rates must be some numbers from 0 up to below 1, got \(0.0, 1.0\)"),
        ({"rates": ()}, "rates must be some numbers"),
        ({"rates": pg.floatv(0.0, 1.0)}, "got 0.0 to 1.0"),
        ({"multiple": 0}, "multiple must be at least 1, got 0"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        lapp(VGG, (3, 16, 16), **settings)


def test_what_makes_no_module_is_refused() -> None:
    with pytest.raises(TypeError, match="returned a int; expected a function that makes a torch module"):
        lapp(lambda: 3, (3, 16, 16))


def test_a_network_that_cannot_be_costed_still_has_a_space() -> None:
    make = lambda: nn.Sequential(nn.Conv2d(3, 8, 1), nn.Hardtanh(), nn.Conv2d(8, 2, 1))  # noqa: E731
    candidate = some(make, 1)[0]
    assert isinstance(candidate.build(), nn.Sequential)
    with pytest.raises(ValueError, match="no kind of operator for 'hardtanh'"):
        candidate.ops()


def test_only_what_is_free_is_open_in_a_mixer() -> None:
    assert GenotypeSpace(lapp(Mixer, (3, 16, 16))).size == 4


class Split(nn.Module):
    """It returns two tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return self.layers[0](images), self.layers(images)


@pytest.mark.parametrize(
    ("make", "shape", "words"),
    [
        (
            VGG,
            (1, 16, 16),
            "VGG cannot run on inputs of shape (1, 16, 16) (one input, without its batch): Given groups",
        ),
        (VGG, (3, 16, -16), "input_shape must be whole numbers above 0, of one input without its batch"),
        (VGG(), (3, 16, 16), "expected a function that makes a torch module, got a VGG itself"),
        (Split, (3, 16, 16), "Split returns a tuple; pruning needs one that returns a tensor"),
    ],
)
def test_a_model_that_does_not_fit_is_refused_in_one_line(make: Any, shape: tuple[int, ...], words: str) -> None:
    with pytest.raises((TypeError, ValueError), match=f"^{re.escape(words)}") as refused:
        lapp(make, shape)
    assert "While executing" not in str(refused.value)
