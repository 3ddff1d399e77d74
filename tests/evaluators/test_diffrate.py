"""Learned token counts: the proxies' numbers and gradients, the schedule, what is learned, and that it is replayed."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from evaluators._base import Task
from evaluators._preparation import Job
from evaluators._token_proxies import TokenProxies, least
from evaluators.diffrate import DiffRate, _Run, genotype, learned, weights
from evaluators.frozen import Frozen
from evaluators.train import Train
from spaces.diffrate import Layout, compressed, diffrate
from spaces.genotype import GenotypeSpace
from spaces.mbconv import mbconv

TINY = Layout(16, 3, 2, 2, side=8, channels=1, classes=10)
SETTINGS: dict[str, Any] = {"keep": 0.6, "epochs": 2, "batch": 256, "gap": 1, "lr": 0.3, "unit_macs": 4e4}
TRAINING = Train("digits", epochs=1, optimizer="adamw", lr=0.01)


def job(folder: Path, gap: int = 1, seed: int = 0) -> Job:
    return Job(GenotypeSpace(diffrate(TINY, gap)), folder, seed=seed)


@pytest.mark.parametrize(
    ("patches", "gap", "kept", "chances", "gradient"),
    [
        (4, 1, 4, [1, 1, 0.75, 0.5, 0.25], [0.375, 0.125, -0.125, -0.375]),
        (8, 4, 7, [1, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5], [1, -1]),
    ],
)
def test_proxies_have_the_published_numbers(
    patches: int, gap: int, kept: int, chances: list[float], gradient: list[float]
) -> None:
    proxies = TokenProxies(1, range(patches, 0, -gap))
    assert proxies.kept().tolist() == [kept]
    assert proxies.chances()[0].tolist() == pytest.approx(chances)
    assert torch.autograd.grad(proxies.kept().sum(), proxies.logits)[0][0].tolist() == pytest.approx(gradient)


def test_proxies_of_224_pixels_start_at_101_tokens() -> None:
    proxies = TokenProxies(2, range(196, 0, -4))
    assert proxies.logits.shape == (2, 49)
    assert proxies.kept().tolist() == [101, 101]
    assert proxies.chances()[1, [0, 4, 5, 196]].tolist() == pytest.approx([1, 1, 48 / 49, 1 / 49])


def test_chances_carry_a_gradient_to_each_candidate() -> None:
    proxies = TokenProxies(1, [4, 3, 2, 1])
    (gradient,) = torch.autograd.grad(proxies.chances()[0, 3], proxies.logits)
    assert gradient[0].tolist() == pytest.approx([0.125, 0.125, -0.125, -0.125])


@pytest.mark.parametrize(("tokens", "expected"), [(3.0, 3), (9.0, 5)])
def test_the_least_count_gives_both_steps_its_gradient(tokens: float, expected: float) -> None:
    numbers = [torch.tensor(value, requires_grad=True) for value in (tokens, 5.0, 7.0)]
    found = least(*numbers)
    assert found == expected
    assert torch.autograd.grad(found, numbers, allow_unused=True)[1:] == (1, 1)
    assert torch.autograd.grad(least(*numbers), numbers, allow_unused=True)[0] is None


def test_learning_rates_are_those_that_were_used() -> None:
    assert [DiffRate().lr_at(epoch) for epoch in range(3)] == pytest.approx([0.01, 0.01, 0.00775])


def test_the_macs_that_are_learned_from_are_the_published_ones(tmp_path: Path) -> None:
    run = _Run(DiffRate(**SETTINGS), job(tmp_path), diffrate(TINY).vit.make())
    counts = run.counts()
    assert counts == [[17, 10, 10], [17, 10, 10]]
    macs = run._macs(*run._kept())
    candidate = job(tmp_path).space.decode(genotype(job(tmp_path).space, *counts))
    assert macs.item() == candidate.published_macs
    (gradient,) = torch.autograd.grad(macs, run.proxies.logits)
    attention, perceptron = 4 * 16**2 + 2 * 16 * 2 * 10, 8 * 16**2
    for proxy, each in enumerate([2 * perceptron + attention, perceptron] * 2):
        expected = each if proxy % 2 else perceptron + attention
        assert gradient[proxy, 0].item() == pytest.approx(expected * (16 - 8.5) / 16)


def test_it_learns_counts_near_the_budget_and_leaves_a_genotype(tmp_path: Path) -> None:
    asked = job(tmp_path)
    steps = list(DiffRate(train=TRAINING, **SETTINGS)(asked))
    assert [round(step.share, 2) for step in steps] == [0.33, 0.67, 1]
    assert steps[-1].metrics["macs_share"] == pytest.approx(0.6, rel=0.01)
    candidate = asked.space.decode(genotype(asked.space, *learned(tmp_path)))
    assert (tuple(candidate.prune_kept), tuple(candidate.merge_kept)) == learned(tmp_path)
    trained = candidate.build(weights(tmp_path))
    assert torch.equal(trained.model.cls_token, weights(tmp_path)["cls_token"])


@pytest.mark.parametrize(("keep", "gap"), [(0.6, 1), (0.9, 1), (0.75, 4)])
def test_what_was_not_learned_is_brought_to_the_budget(tmp_path: Path, keep: float, gap: int) -> None:
    asked, settings = job(tmp_path, gap), DiffRate(**SETTINGS | {"lr": 1e-9, "epochs": 2, "keep": keep})
    early, late = (step.metrics["macs_share"] for step in settings(asked))
    assert early == pytest.approx(0.7744, abs=1e-4)
    assert late == pytest.approx(keep, rel=0.01)
    candidate = asked.space.decode(genotype(asked.space, *learned(tmp_path)))
    whole = compressed(candidate.vit, [17] * 3, [17] * 3)
    assert (tuple(candidate.prune_kept), tuple(candidate.merge_kept)) == learned(tmp_path)
    assert candidate.published_macs == pytest.approx(late * whole.published_macs)


def test_a_budget_below_the_fewest_tokens_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"keep must be at least 0\.\d+, what the fewest tokens take, got 0\.2"):
        next(DiffRate(train=TRAINING, keep=0.2)(job(tmp_path)))


def test_the_learned_genotype_is_the_most_probable(tmp_path: Path) -> None:
    asked, settings = job(tmp_path), DiffRate(**SETTINGS)
    list(settings(asked))
    columns = settings.distributions(tmp_path)[""]
    assert [column.argmax() for column in columns] == genotype(asked.space, *learned(tmp_path)).tolist()
    assert [np.exp(column).sum() for column in columns] == pytest.approx([1] * 4)


def test_counts_that_are_not_open_stay(tmp_path: Path) -> None:
    held = Job(GenotypeSpace(diffrate(TINY).rebind({"prune_kept[1]": 12})), tmp_path)
    settings = DiffRate(**SETTINGS | {"keep": 0.7})
    list(settings(held))
    assert learned(tmp_path)[0][1] == 12
    assert len(settings.distributions(tmp_path)[""]) == 3


def test_a_coarser_space_has_the_nearest_genotype(tmp_path: Path) -> None:
    assert genotype(job(tmp_path, gap=4).space, (17, 16, 9), (17, 10, 4)).tolist() == [0, 2, 2, 3]


def test_it_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    settings = DiffRate(train=TRAINING, **SETTINGS)
    whole = [step.metrics for step in settings(job(tmp_path / "whole"))]
    assert len(list(islice(settings(job(tmp_path / "cut")), 2))) == 2
    assert [step.metrics for step in settings(job(tmp_path / "cut"))] == whole
    assert learned(tmp_path / "cut") == learned(tmp_path / "whole")


def test_another_space_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"expected a space of token counts, spaces\.diffrate\.diffrate"):
        next(DiffRate()(Job(GenotypeSpace(mbconv()), tmp_path)))


def test_nothing_is_learned_before_a_job_ends(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no learned token counts in"):
        learned(tmp_path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"keep": 0.0}, "keep must be in"), ({"epochs": 1.5}, "at least 1"), ({"unit_macs": 0.0}, "unit_macs above 0")],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DiffRate(**settings)


def test_candidates_are_scored_with_the_weights_that_were_trained(tmp_path: Path) -> None:
    asked = job(tmp_path)
    steps = list(DiffRate(train=TRAINING, **SETTINGS)(asked))
    (scores,) = Frozen(test=True)(Task(asked.space, genotype(asked.space, *learned(tmp_path)), prepared=(tmp_path,)))
    assert scores["accuracy"] == steps[-1].metrics["accuracy"]
    assert set(scores) == set(Frozen(test=True).metrics)


def test_weights_that_were_not_trained_are_missed(tmp_path: Path) -> None:
    asked = job(tmp_path)
    with pytest.raises(FileNotFoundError, match="no trained weights in"):
        next(Frozen()(Task(asked.space, np.zeros(4, int), prepared=(tmp_path,))))
