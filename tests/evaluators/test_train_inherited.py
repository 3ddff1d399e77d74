"""Training that starts from the weights of a study's supernet."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from benchmarks.planted_chains import COST, planted, planted_costs, planted_space
from evaluators._base import Task
from evaluators._preparation import Job
from evaluators._supernet_search import supernet_weights
from evaluators.fbnet_dnas import FBNetDNAS
from evaluators.supernet import inherit
from evaluators.train import Train, trained_weights

SEARCH = FBNetDNAS(cost=COST, epochs=4, warmup=1)
STANDING = {"epochs": 1, "lr": 1e-30, "momentum": 0.0, "weight_decay": 0.0, "device": "cpu"}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("supernet")
    list(SEARCH(Job(planted_space(3), folder, planted_costs(3))))
    return folder


def task(folder: Path, *prepared: Path) -> Task:
    return Task(planted_space(3), planted(3), folder=folder, prepared=prepared)


def test_a_networks_first_weights_are_the_supernets(prepared: Path, tmp_path: Path) -> None:
    list(Train(supernet=1, **STANDING)(task(tmp_path, tmp_path / "another", prepared)))
    found, expected = trained_weights(tmp_path), inherit(supernet_weights(prepared), planted(3))
    weights = [name for name in expected if name.endswith(("weight", "bias"))]
    assert len(weights) == 3 + 3 * 3 + 2
    assert all(torch.equal(found[name], expected[name]) for name in weights)


def test_without_a_place_they_are_drawn(prepared: Path, tmp_path: Path) -> None:
    list(Train(**STANDING)(task(tmp_path, prepared)))
    expected = inherit(supernet_weights(prepared), planted(3))
    assert not torch.equal(trained_weights(tmp_path)["layers.1.conv.weight"], expected["layers.1.conv.weight"])


def test_one_epoch_from_the_supernet_is_worth_more_than_one_from_nothing(prepared: Path, tmp_path: Path) -> None:
    settings = {"epochs": 1, "lr": 0.02, "device": "cpu"}
    (inherited,) = Train(supernet=0, **settings)(task(tmp_path / "inherited", prepared))
    (drawn,) = Train(**settings)(task(tmp_path / "drawn", prepared))
    assert inherited["accuracy"] > drawn["accuracy"] + 10


@pytest.mark.parametrize(("place", "preparations", "there"), [
    (0, [], "none"), (1, [SEARCH], "FBNetDNAS"), (-1, [SEARCH], "FBNetDNAS"), (0, ["other"], "str"),
])  # fmt: skip
def test_a_place_without_a_supernet_is_refused_before_the_study_begins(
    place: int, preparations: list[object], there: str
) -> None:
    with pytest.raises(ValueError, match=rf"Train\(supernet={place}\) needs .* SupernetSearch .*: {there}$"):
        Train(supernet=place).check_early(planted_space(3), preparations)
