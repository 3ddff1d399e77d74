"""Training: it learns, equal seeds give equal metrics, and an interrupted run ends as an uninterrupted one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyglove as pg
import pytest
import torch
from torch import Tensor, nn

from evaluators._base import Task
from evaluators.augmentation import Crop, Cutout
from evaluators.datasets import Mnist, digits
from evaluators.train import Train, trained_weights
from spaces.genotype import GenotypeSpace
from spaces.hyperparameters import AdamW, Constant, Hyperparameters
from spaces.mbconv import mbconv
from spaces.nasnet import nasnet

SHORT = Train(epochs=3)


class Perceptron(pg.Object):  # a candidate with dropout, whose training therefore needs random numbers
    width: int
    scale: float = 1.0

    def build(self) -> nn.Module:
        hidden = nn.Linear(64, self.width)
        nn.init.constant_(hidden.bias, self.scale)
        return nn.Sequential(nn.Flatten(), hidden, nn.ReLU(), nn.Dropout(0.3), nn.Linear(self.width, 10))


class Listener(nn.Sequential):  # a network that keeps what it is told of its training
    def __init__(self) -> None:
        super().__init__(nn.Flatten(), nn.Linear(64, 10))
        self.register_buffer("told", torch.zeros(0, dtype=torch.float64))

    def at_progress(self, share: float) -> None:
        self.told = torch.cat([self.told, torch.tensor([share], dtype=torch.float64)])


class Listening(pg.Object):
    def build(self) -> nn.Module:
        return Listener()


def perceptron(folder: Path | None = None, *, seed: int = 3, scale: float = 1.0) -> Task:
    space = GenotypeSpace(Perceptron(width=pg.oneof([16, 32]), scale=scale))
    return Task(space, np.array([1], np.uint8), seed=seed, folder=folder)


def test_a_candidate_of_the_digits_study_learns_them() -> None:
    space = GenotypeSpace(mbconv())
    steps = list(Train(test=True)(Task(space, space.sample(1, np.random.default_rng(0))[0])))
    assert len(steps) == 10
    assert steps[-1]["accuracy"] >= 95
    assert steps[-1]["test_accuracy"] >= 95
    assert steps[-1]["loss"] < steps[0]["loss"]


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_equal_seeds_give_equal_metrics_and_others_do_not(optimizer: str) -> None:
    train = replace(SHORT, optimizer=optimizer, lr=0.01)
    first = list(train(perceptron()))
    torch.rand(7)  # the caller's random numbers are none of the evaluator's business
    assert list(train(perceptron())) == first
    assert list(train(perceptron(seed=4))) != first


def test_the_callers_random_numbers_and_threads_are_left_alone() -> None:
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    for _ in replace(SHORT, threads=2)(perceptron()):
        assert torch.equal(torch.get_rng_state(), state)
        assert torch.get_num_threads() == threads


@pytest.mark.parametrize(("optimizer", "augment"), [("sgd", ()), ("adamw", (Crop(1), Cutout(3)))], ids=["sgd", "adamw"])
@pytest.mark.parametrize("done", [1, 2, 3])
def test_an_interrupted_run_ends_as_an_uninterrupted_one(
    tmp_path: Path, optimizer: str, augment: tuple[Any, ...], done: int
) -> None:
    train = replace(SHORT, optimizer=optimizer, lr=0.01, augment=augment)
    whole, broken = perceptron(tmp_path / "whole"), perceptron(tmp_path / "broken")
    expected = list(train(whole))
    interrupted = train(broken)
    assert [next(interrupted) for _ in range(done)] == expected[:done]
    interrupted.close()
    assert list(train(replace(broken, attempt=2))) == expected
    weights = [trained_weights(task.folder) for task in (whole, broken) if task.folder]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_finished_epochs_are_not_trained_again(tmp_path: Path) -> None:
    expected = list(SHORT(perceptron(tmp_path)))
    before = (tmp_path / "checkpoint.pt").stat().st_mtime_ns
    assert list(SHORT(perceptron(tmp_path))) == expected
    assert (tmp_path / "checkpoint.pt").stat().st_mtime_ns == before
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_a_checkpoint_of_other_settings_is_not_gone_on_from(tmp_path: Path) -> None:
    list(SHORT(perceptron(tmp_path)))
    longer = replace(SHORT, epochs=4)
    assert list(longer(perceptron(tmp_path))) == list(longer(perceptron()))


def test_data_and_augmentation_are_part_of_a_checkpoints_identity() -> None:
    settings = [
        {}, {"augment": (Crop(1),)}, {"augment": (Crop(2),)}, {"augment": (Cutout(1),)},
        {"dataset": Mnist("a")}, {"dataset": Mnist("b")}, {"dataset": Mnist("a", limit=9)},
    ]  # fmt: skip
    assert len({replace(SHORT, **given)._identity(perceptron()) for given in settings}) == 7
    handed = SHORT.with_shared(SHORT.shared())
    assert handed._identity(perceptron()) == SHORT._identity(perceptron())


def test_augmentation_changes_training_and_nothing_else() -> None:
    first, second = list(SHORT(perceptron())), list(replace(SHORT, augment=[Crop(1)])(perceptron()))
    assert first[0] != second[0]
    assert second == list(replace(SHORT, augment=(Crop(1),))(perceptron()))


def test_data_that_were_handed_over_train_as_loaded_ones() -> None:
    assert list(SHORT.with_shared(SHORT.shared())(perceptron())) == list(SHORT(perceptron()))
    assert replace(SHORT, share=False).shared() == {}


class Ordinary(nn.Module):  # no symbolic class, and no build
    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10))

    def forward(self, images: Tensor) -> Tensor:
        result: Tensor = self.layers(images)
        return result


def test_an_ordinary_module_is_a_candidate_once_it_is_symbolic() -> None:
    space = GenotypeSpace(pg.symbolize(Ordinary)(width=pg.oneof([16, 32])))
    task = Task(space, np.array([1], np.uint8), seed=3)
    first = list(SHORT(task))
    assert first[-1]["accuracy"] > 80
    assert list(SHORT(task)) == first  # made anew each time, from the same random numbers
    with pytest.raises(
        TypeError, match=r"Ordinary has no build\(\) that returns a module, and is no module of a pg\.symb"
    ):
        list(SHORT(Task(GenotypeSpace(pg.oneof([Ordinary(1), Ordinary(2)])), np.array([0], np.uint8))))


def test_an_unreadable_checkpoint_is_not_gone_on_from(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    list(SHORT(perceptron(tmp_path)))
    whole = (tmp_path / "checkpoint.pt").read_bytes()
    (tmp_path / "checkpoint.pt").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FileNotFoundError, match="no trained weights in"):
        trained_weights(tmp_path)
    assert list(SHORT(perceptron(tmp_path))) == list(SHORT(perceptron()))
    assert "cannot be read, training starts anew" in caplog.text


def test_kept_weights_are_the_scored_ones(tmp_path: Path) -> None:
    accuracy = list(SHORT(perceptron(tmp_path)))[-1]["accuracy"]
    network = perceptron().candidate.build()
    network.load_state_dict(trained_weights(tmp_path))
    val = digits().val
    right: Tensor = network.eval()(val.images).argmax(1) == val.labels
    assert 100 * right.float().mean().item() == accuracy


def test_a_network_is_told_before_each_step_how_far_training_is(tmp_path: Path) -> None:
    task = Task(GenotypeSpace(Listening()), np.zeros(0, np.uint8), seed=1, folder=tmp_path)
    list(Train(epochs=2, batch=256)(task))
    steps = 2 * (len(digits().train.labels) // 256)
    assert trained_weights(tmp_path)["told"].tolist() == [step / steps for step in range(steps)]


def test_paths_are_dropped_alike_by_an_interrupted_training(tmp_path: Path) -> None:
    settings = {"cells": 2, "filters": 2, "resolution": 8, "image_channels": 1, "drop_path_keep": 0.5}
    space = GenotypeSpace(nasnet(**settings))
    row = space.sample(1, np.random.default_rng(0))[0]
    train = Train(epochs=2, batch=512)
    whole, broken = (Task(space, row, seed=3, folder=tmp_path / name) for name in ("whole", "broken"))
    expected = list(train(whole))
    interrupted = train(broken)
    assert next(interrupted) == expected[0]
    interrupted.close()
    assert list(train(broken)) == expected
    space = GenotypeSpace(nasnet(**(settings | {"drop_path_keep": 1.0})))
    assert list(train(Task(space, row, seed=3))) != expected


def test_a_loss_that_is_not_finite_ends_the_trial() -> None:
    with pytest.raises(FloatingPointError, match=r"training loss became nan in epoch 0; try lr below 0\.1"):
        list(SHORT(perceptron(scale=float("inf"))))


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="must be 'sgd' or 'adamw', got 'adam'"):
        Train(optimizer="adam")
    with pytest.raises(ValueError, match="whole numbers of at least 1, got 0, 64 and 1"):
        Train(epochs=0)
    with pytest.raises(ValueError, match=r"whole numbers of at least 1, got 1\.5, 64 and 1"):
        Train(epochs=1.5)


def joint(training: object) -> Task:
    """Return the task of a candidate that brings its training along."""
    space = GenotypeSpace(pg.Dict(architecture=Perceptron(width=pg.oneof([16, 32])), training=training))
    return Task(space, np.array([1], np.uint8), seed=3)


def test_a_candidate_brings_its_training() -> None:
    settings = {"epochs": 2, "optimizer": "adamw", "lr": 0.01, "schedule": "step", "milestones": [0.6], "gamma": 0.5}
    expected = list(replace(SHORT, **{**settings, "milestones": (0.6,)})(perceptron()))
    assert list(SHORT(joint(pg.Dict(settings)))) == expected
    assert expected != list(replace(SHORT, epochs=2)(perceptron()))


def test_hyperparameters_are_a_training() -> None:
    recipe = Hyperparameters(AdamW(0.01, 1e-4), Constant(), warmup=0.0, batch=128, epochs=2, label_smoothing=0.0)
    assert list(SHORT(joint(recipe))) == list(SHORT.with_settings(recipe.settings())(perceptron()))


def test_a_candidate_cannot_set_what_is_not_its_own() -> None:
    with pytest.raises(ValueError, match="cannot set 'dataset' of its training; it can epochs, batch, optimizer"):
        list(SHORT(joint(pg.Dict(dataset="mnist"))))
