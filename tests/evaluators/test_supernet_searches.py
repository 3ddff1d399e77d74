"""Searches in supernets: schedules, the planted network found, killed runs resumed to equal numbers, bad input."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.planted_chains import (
    BUDGET_MS,
    COST,
    DNAS,
    GATES,
    REINFORCE,
    decode,
    planted,
    planted_costs,
    planted_space,
)
from evaluators._preparation import Costs, Job, Preparation
from evaluators._supernet_search import SupernetSearch, supernet_weights
from evaluators.fbnet_dnas import FBNetDNAS
from evaluators.proxylessnas_search import ProxylessNASSearch
from evaluators.supernet import inherit

LAYERS = 3
SMALL = FBNetDNAS(cost=COST, epochs=3, warmup=1, batch=128)
BINARY = ProxylessNASSearch(cost=COST, reference=BUDGET_MS, epochs=2, warmup=1, batch=128, share=0.3, every=1)
SEARCHES = [
    SMALL,
    replace(SMALL, target=7.0),
    BINARY,
    replace(BINARY, method="full", latency_loss="add#linear"),
    replace(BINARY, method="reinforce", updates=2, samples=3),
]
FOUND = [DNAS, GATES, REINFORCE]


def job(folder: Path, seed: int = 0) -> Job:
    return Job(planted_space(LAYERS), folder, planted_costs(LAYERS), seed)


def name_of(search: SupernetSearch) -> str:
    return f"{search.kind} {getattr(search, 'method', '')}".strip()


def test_fbnets_temperature_after_89_decays() -> None:
    assert FBNetDNAS().temperature_at(0) == 5.0
    assert FBNetDNAS().temperature_at(1) == pytest.approx(5 * 0.9559975)
    assert FBNetDNAS().temperature_at(89) == pytest.approx(0.091, abs=5e-4)


def test_schedules_are_the_papers_and_shorter_ones_keep_proportions() -> None:
    assert (FBNetDNAS().epochs, FBNetDNAS().warmup_epochs) == (90, 10)
    assert (ProxylessNASSearch().epochs, ProxylessNASSearch().warmup_epochs) == (120, 40)
    assert FBNetDNAS(epochs=18).warmup_epochs == 2
    assert FBNetDNAS(epochs=9).temperature_at(8) == pytest.approx(FBNetDNAS().temperature_at(80))
    assert ProxylessNASSearch(epochs=12).warmup_epochs == 4


def test_proxylessnas_logits_move_every_fifth_step_but_not_in_the_first_epoch() -> None:
    search = ProxylessNASSearch()
    assert not any(search._due(0, step, 10) or search._due(-1, step, 10) for step in range(10))
    assert [step for step in range(10) if search._due(1, step, 10)] == [4, 9]


def test_reinforce_updates_are_spread_over_an_epoch() -> None:
    search = ProxylessNASSearch(method="reinforce", updates=300)
    assert sum(search._due(1, step, 1000) for step in range(1000)) == 300
    assert all(search._due(1, step, 14) for step in range(14))


@pytest.mark.slow
@pytest.mark.parametrize("search", FOUND, ids=name_of)
def test_the_planted_network_is_found_within_its_budget(search: SupernetSearch, tmp_path: Path) -> None:
    steps = list(search(job(tmp_path)))
    row, cost = decode(search.distributions(tmp_path)[""], planted_costs(LAYERS), BUDGET_MS)
    assert row.tolist() == planted(LAYERS).tolist()
    assert 0.9 * BUDGET_MS <= cost <= BUDGET_MS
    assert steps[-1].metrics["entropy_nats"] < 0.7 * math.log(4)
    assert steps[-1].share == 1.0


@pytest.mark.parametrize("search", SEARCHES, ids=name_of)
def test_an_interrupted_search_ends_as_an_uninterrupted_one(search: SupernetSearch, tmp_path: Path) -> None:
    preparation: Preparation = search
    expected = list(preparation(job(tmp_path / "whole")))
    interrupted = preparation(job(tmp_path / "broken"))
    assert [next(interrupted) for _ in range(2)] == expected[:2]
    interrupted.close()
    assert list(preparation(job(tmp_path / "broken"))) == expected
    whole, broken = (preparation.distributions(tmp_path / name)[""] for name in ("whole", "broken"))
    assert all(np.array_equal(first, second) for first, second in zip(whole, broken, strict=True))
    states = [supernet_weights(tmp_path / name) for name in ("whole", "broken")]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_a_killed_search_goes_on_in_another_process(tmp_path: Path) -> None:
    code = f"""
import os, signal
from pathlib import Path
from benchmarks.planted_chains import planted_costs, planted_space
from evaluators._preparation import Job
from evaluators.fbnet_dnas import FBNetDNAS
search = FBNetDNAS(cost={COST!r}, epochs=3, warmup=1, batch=128)
steps = search(Job(planted_space({LAYERS}), Path({str(tmp_path / "killed")!r}), planted_costs({LAYERS})))
print(next(steps), next(steps))
os.kill(os.getpid(), signal.SIGKILL)
"""
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, env={**os.environ, "PYTHONPATH": "."}, check=False)
    assert done.returncode == -signal.SIGKILL
    assert list(SMALL(job(tmp_path / "killed"))) == list(SMALL(job(tmp_path / "whole")))


def test_steps_name_what_they_measure(tmp_path: Path) -> None:
    steps = list(SMALL(job(tmp_path)))
    assert list(steps[0].metrics) == ["loss", "accuracy", "temperature", "entropy_nats", f"expected_{COST}"]
    assert "logits_loss" in steps[1].metrics
    assert steps[0].metrics["entropy_nats"] == pytest.approx(math.log(4))
    assert steps[0].metrics[f"expected_{COST}"] == pytest.approx(1 + 3 * 7.7 / 4)
    assert [step.share for step in steps] == [1 / 3, 2 / 3, 1.0]


def test_other_seeds_and_costs_start_anew(tmp_path: Path) -> None:
    first = list(SMALL(job(tmp_path)))
    assert list(SMALL(job(tmp_path, seed=1))) != first
    dearer = Costs(COST, 2.0, planted_costs(LAYERS).terms)
    assert list(SMALL(replace(job(tmp_path), costs=dearer))) != first


def test_a_shared_network_runs_alone_with_what_it_inherits(tmp_path: Path) -> None:
    list(SMALL(job(tmp_path)))
    space, row = planted_space(LAYERS), planted(LAYERS)
    weights, network = supernet_weights(tmp_path), space.decode(row).build()
    network.load_state_dict(inherit(weights, row))
    alone = network.state_dict()
    assert torch.equal(alone["stem.0.weight"], weights["stem.0.weight"])
    assert torch.equal(alone["layers.1.conv.weight"], weights[f"layers.1.choices.{row[1]}.conv.weight"])


def test_the_callers_random_numbers_are_left_alone(tmp_path: Path) -> None:
    state = torch.get_rng_state()
    for _ in SMALL(job(tmp_path)):
        assert torch.equal(torch.get_rng_state(), state)


def test_without_a_cost_only_accuracy_counts(tmp_path: Path) -> None:
    steps = list(replace(SMALL, cost=None)(replace(job(tmp_path), costs=None)))
    assert list(steps[-1].metrics) == ["loss", "logits_loss", "accuracy", "temperature", "entropy_nats"]


def test_a_job_without_its_costs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="needs the additive costs 'latency_ms@planted', got None"):
        list(SMALL(replace(job(tmp_path), costs=None)))


def test_costs_too_small_for_a_logarithm_are_refused(tmp_path: Path) -> None:
    tiny = Costs(COST, 0.0, tuple(terms * 1e-4 for terms in planted_costs(LAYERS).terms))
    with pytest.raises(ValueError, match=r"the least latency_ms@planted is 0\.00045: too small for FBNet's loss"):
        list(SMALL(replace(job(tmp_path), costs=tiny)))
    with pytest.raises(ValueError, match=r"must be above 1: the least is 0\.00045, the reference 7\.5"):
        list(BINARY(replace(job(tmp_path), costs=tiny)))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"latency_loss": "added"}, "latency_loss 'added' needs a `strength`"),
        ({"reference": None}, "a cost needs a `reference` above 0 to compare with, got None"),
        ({"method": "three_path"}, "method must be one of two_path, full, reinforce"),
        ({"epochs": 0}, "epochs, every, updates and samples must be whole numbers of at least 1, got 0"),
        ({"epochs": 1.5}, "must be whole numbers of at least 1, got 1.5"),
        ({"warmup": -1}, "warmup must be a whole number of at least 1, got -1"),
        ({"batch": 0}, "batch and threads must be whole numbers of at least 1, got 0 and 1"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(BINARY, **settings)


@pytest.mark.parametrize("settings", [{"warmup": 3}, {"share": 1.0}, {"target": -1.0}])
def test_impossible_settings_of_fbnet_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"at least one must be left|share must be in \(0, 1\)|target must be above 0"):
        replace(SMALL, **settings)


def test_a_damaged_result_is_refused(tmp_path: Path) -> None:
    (tmp_path / "distributions.json").write_text('{"log_probabilities": {"": [[0.5]]}}')
    with pytest.raises(ValueError, match="expected a finite number from -1e"):
        SMALL.distributions(tmp_path)
    with pytest.raises(FileNotFoundError, match="no supernet in"):
        supernet_weights(tmp_path)
