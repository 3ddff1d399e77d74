"""Tables that are learnt from whole networks: the true one where latencies are additive, an honest error where not."""

from __future__ import annotations

import csv
import gzip
import json
from dataclasses import replace

import numpy as np
import pytest
from shared_data import shared_data

from hardware_models.additive_terms import pairs_of
from hardware_models.learning import learn
from hardware_models.space_identity import SpaceIdentity
from tests.hardware_models.genotype_tables import NESTED, ORIGIN, PLAIN, TABLE

GRID = PLAIN.grid()


def test_an_additive_table_is_found_exactly():
    found = learn(PLAIN, GRID, TABLE.costs(GRID)[:, 0], ORIGIN)
    assert found.intercept_ms == pytest.approx(5.5)
    assert np.concatenate(found.effects_ms) == pytest.approx([-1, 1, -0.5, 0, 0.5, 2, -2])
    assert found.validation is not None
    assert (found.validation.networks, found.validation.folds) == (12, 5)
    assert found.validation.rmse_ms < 1e-9


def test_a_decision_that_hangs_on_another_is_learnt():
    rows = np.array([[0, 0], [0, 1], [1, 0]])
    found = learn(NESTED, rows, np.array([11.0, 21.0, 5.0]), ORIGIN)
    assert found.costs(rows)[:, 0] == pytest.approx([11.0, 21.0, 5.0])


def test_nothing_is_predicted_below_the_least_where_all_networks_were_measured():
    found = learn(PLAIN, GRID, np.array([1.0] + [10.0] * (len(GRID) - 1)), ORIGIN)
    assert found.least_ms == 1.0
    assert replace(found, intercept_ms=-9.0).costs(GRID).min() == 1.0
    assert learn(PLAIN, GRID[1:], np.full(len(GRID) - 1, 10.0), ORIGIN).least_ms == 0.0


def test_the_error_is_that_of_networks_that_were_not_seen():
    rng = np.random.default_rng(0)
    noisy = TABLE.costs(GRID)[:, 0] * rng.uniform(0.9, 1.1, len(GRID))
    found = learn(PLAIN, GRID, noisy, ORIGIN)
    fitted = np.abs(found.costs(GRID)[:, 0] / noisy - 1).mean()
    assert found.validation is not None
    assert found.validation.mape > 1.5 * fitted


def test_pairs_that_interact_are_learnt():
    together = TABLE.costs(GRID)[:, 0] + 4.0 * (GRID[:, 0] == 1) * (GRID[:, 2] == 1)
    alone = learn(PLAIN, GRID, together, ORIGIN)
    paired = learn(PLAIN, GRID, together, ORIGIN, pairs_of(PLAIN, "all"))
    assert alone.validation is not None
    assert paired.validation is not None
    assert paired.costs(GRID)[:, 0] == pytest.approx(together, abs=0.02)
    assert paired.validation.rmse_ms < 0.1 * alone.validation.rmse_ms


def test_words_for_pairs():
    assert pairs_of(PLAIN, "none") == ()
    assert pairs_of(PLAIN, "neighbours") == ((0, 1), (1, 2))
    assert pairs_of(PLAIN, "all") == ((0, 1), (0, 2), (1, 2))
    with pytest.raises(ValueError, match="unknown pairs 'some': expected none, neighbours or all"):
        pairs_of(PLAIN, "some")


def test_a_choice_that_no_network_makes_is_refused():
    some = GRID[GRID[:, 1] != 1]
    with pytest.raises(ValueError, match="no measured network chooses 5 for kernel, nor in 0 other cases"):
        learn(PLAIN, some, np.ones(len(some)), ORIGIN)


def test_too_few_networks_are_refused():
    with pytest.raises(
        ValueError, match="has 5 numbers to be learnt, from at least as many networks; got 4: measure more"
    ):
        learn(PLAIN, GRID[:4], np.ones(4), ORIGIN)


@pytest.mark.parametrize("wrong", [0.0, -1.0, np.nan, np.inf])
def test_latencies_that_are_none_are_refused(wrong: float):
    with pytest.raises(ValueError, match="latencies must be finite and above zero; measure the networks again"):
        learn(PLAIN, GRID, np.r_[np.ones(11), wrong], ORIGIN)


@pytest.mark.parametrize("device", ["raspi4", "pixel3"])
def test_the_true_tables_of_fbnets_space_are_recovered(device: str):
    truth = json.loads(gzip.decompress(shared_data("hw_latency_fbnet/fbnet_additive_lut.json.gz").read_bytes()))
    with gzip.open(shared_data("hw_latency_fbnet/latency_ms.csv.gz"), "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    genotypes = np.array([[int(digit) for digit in row["arch"]] for row in rows])
    names = tuple(f"layer_{index}" for index in range(22))
    space = SpaceIdentity("fbnet", "f", names, (tuple(truth["ops"]),) * 22, (-1,) * 22, (-1,) * 22)
    measured = np.array([float(row[device]) for row in rows])
    found = learn(space, genotypes, measured, replace(ORIGIN, device=device)).relative_to([8] * 22)
    true = np.array(truth["devices"][device]["delta"])[truth["position_to_group"]]
    assert np.abs(np.array(found.effects_ms) - true).max() < 1e-6
    assert abs(found.intercept_ms - truth["devices"][device]["intercept"]) < 1e-6
