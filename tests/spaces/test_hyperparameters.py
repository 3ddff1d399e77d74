"""The space of training recipes: its decisions, what hangs on what, and that it composes with others."""

from __future__ import annotations

import numpy as np
import pyglove as pg
import pytest

from spaces.genotype import GenotypeSpace
from spaces.hyperparameters import AdamW, Constant, Hyperparameters, hyperparameters
from spaces.mbconv import mbconv


def test_its_decisions() -> None:
    names = [column.name for column in GenotypeSpace(hyperparameters()).columns]
    assert names == [
        "optimizer",
        "optimizer[=0/2].lr",
        "optimizer[=0/2].momentum",
        "optimizer[=0/2].weight_decay",
        "optimizer[=1/2].lr",
        "optimizer[=1/2].weight_decay",
        "schedule",
        "schedule[=1/3].milestones",
        "schedule[=1/3].gamma",
        "warmup",
        "batch",
        "label_smoothing",
    ]


def test_a_finite_space_is_counted() -> None:
    sgd, adamw, schedules = 4 * 3 * 4, 4 * 4, 1 + 3 * 3 + 1
    assert GenotypeSpace(hyperparameters(levels=4)).size == (sgd + adamw) * schedules * 4 * 4 * 4
    assert GenotypeSpace(hyperparameters()).size is None


def test_only_a_step_schedule_has_milestones() -> None:
    space = GenotypeSpace(hyperparameters())
    rows = space.sample(200, np.random.default_rng(0))
    for settings, schedule in ((space.decode(row).settings(), row[6]) for row in rows):
        assert ("milestones" in settings) == ("gamma" in settings) == (schedule == 1)
        assert ("momentum" in settings) == (settings["optimizer"] == "sgd")


def test_learning_rates_are_even_on_a_log_scale_and_each_optimizer_has_its_own() -> None:
    space = GenotypeSpace(hyperparameters())
    found = [space.decode(row).settings() for row in space.sample(2_000, np.random.default_rng(0))]
    for optimizer, middle in (("sgd", 1e-1), ("adamw", 3e-6**0.5)):
        rates = [settings["lr"] for settings in found if settings["optimizer"] == optimizer]
        assert np.median(rates) == pytest.approx(middle, rel=0.3)


def test_the_settings_of_one_recipe() -> None:
    recipe = Hyperparameters(AdamW(1e-3, 1e-4), Constant(), warmup=0.1, batch=32, epochs=5, label_smoothing=0.0)
    assert recipe.settings() == {
        "optimizer": "adamw",
        "lr": 1e-3,
        "weight_decay": 1e-4,
        "schedule": "constant",
        "warmup": 0.1,
        "batch": 32,
        "epochs": 5,
        "label_smoothing": 0.0,
    }


def test_what_has_one_value_is_no_decision() -> None:
    value = hyperparameters(optimizers=["adamw"], schedules=["cosine"], warmup=[0.1], label_smoothing=[0.0])
    names = [column.name for column in GenotypeSpace(value).columns]
    assert names == ["optimizer.lr", "optimizer.weight_decay", "batch"]


def test_it_composes_with_an_architecture() -> None:
    space = GenotypeSpace(pg.Dict(architecture=mbconv(), training=hyperparameters()))
    row = space.sample(1, np.random.default_rng(0))[0]
    candidate = space.decode(row)
    assert candidate.training.settings()["epochs"] == 10
    assert candidate.architecture.input_shape == (1, 8, 8)
    assert np.array_equal(space.encode(candidate), row)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"optimizers": ["adam"]}, "unknown optimizer 'adam'; there are sgd, adamw"),
        ({"schedules": ["linear"]}, "unknown schedule 'linear'; there are cosine, step, constant"),
        ({"batch": []}, r"batch must hold at least one value to choose from, got \[\]"),
        ({"sgd_lr": (0.0, 1.0)}, r"sgd_lr must be \(low, high\) with 0 < low < high, got \(0\.0, 1\.0\)"),
        ({"levels": 1}, "at least 2; got 1"),
    ],
)
def test_impossible_spaces_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        hyperparameters(**settings)  # type: ignore[arg-type]
