"""Learning-rate schedules on numbers worked out by hand, optimisers' settings, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from evaluators.optimization import Optimization

USUAL = Optimization("sgd", 1.0, 0.9, 5e-4, "cosine", 0.1, (0.5, 0.75), 0.1)


def rates(optimization: Optimization, *progress: float) -> list[float]:
    return [round(optimization.lr_at(share), 4) for share in progress]


def test_a_cosine_rises_then_falls_to_nothing() -> None:
    assert rates(USUAL, 0, 0.05, 0.1, 0.55, 1) == [0.0909, 0.5455, 1.0, 0.5, 0.0]


def test_a_cosine_may_end_above_nothing() -> None:
    assert rates(replace(USUAL, floor=0.01), 0.1, 0.55, 1) == [1.0, 0.505, 0.01]


def test_a_step_schedule_multiplies_at_its_milestones() -> None:
    step = replace(USUAL, schedule="step", warmup=0.0, lr=0.4, gamma=0.5)
    assert rates(step, 0, 0.49, 0.5, 0.74, 0.75, 1) == [0.4, 0.4, 0.2, 0.2, 0.1, 0.1]


def test_a_constant_rate_stays_after_its_warm_up() -> None:
    constant = replace(USUAL, schedule="constant", warmup=0.2)
    assert rates(constant, 0, 0.1, 0.2, 0.9) == [0.0909, 0.5455, 1.0, 1.0]
    assert rates(replace(constant, warmup=0.0), 0) == [1.0]


@pytest.mark.parametrize(("name", "kind"), [("sgd", torch.optim.SGD), ("adamw", torch.optim.AdamW)])
def test_norms_and_biases_do_not_decay(name: str, kind: type) -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
    made = replace(USUAL, optimizer=name, lr=0.01).make_optimizer(model)
    assert isinstance(made, kind)
    assert [(group["weight_decay"], len(group["params"]), group["lr"]) for group in made.param_groups] == [
        (5e-4, 1, 0.01),
        (0.0, 3, 0.01),
    ]


def test_what_is_spared_by_name_does_not_decay() -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 3))
    decaying, others = (group["params"] for group in USUAL.make_optimizer(model, spared=r"^1\.").param_groups)
    assert [each.shape for each in decaying] == [(3, 4)]
    assert [each.shape for each in others] == [(3,), (3, 3), (3,)]


def test_momentum_is_that_of_the_settings() -> None:
    made = replace(USUAL, momentum=0.0).make_optimizer(nn.Linear(2, 2))
    assert [(group["momentum"], group["nesterov"]) for group in made.param_groups] == [(0.0, False)] * 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"optimizer": "adam"}, "must be 'sgd' or 'adamw', got 'adam'"),
        ({"schedule": "linear"}, "one of cosine, step, constant, got 'linear'"),
        ({"lr": 0.0}, r"lr must be above 0, .* got 0\.0, 0\.9, 0\.0005"),
        ({"momentum": 1.0}, r"momentum in \[0, 1\)"),
        ({"warmup": 1.0}, r"warmup must be a share of the training in \[0, 1\), got 1\.0"),
        ({"milestones": (0.7, 0.5)}, r"ascending shares of the training in \(0, 1\), got \(0\.7, 0\.5\)"),
        ({"floor": 2.0}, r"floor must be a share of lr in \[0, 1\], got 2\.0"),
        ({"gamma": 0.0}, r"gamma must be in \(0, 1\], got 0\.0"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(USUAL, **settings)  # type: ignore[arg-type]
