"""A new device from few measured networks: near what other devices tell, and away from it where it must be."""

from __future__ import annotations

import csv
import gzip

import numpy as np
import pytest
from shared_data import shared_data

from hardware_models.held_out import spearman
from hardware_models.onboarding import Knowledge, knowledge, left_out, predict, suggest
from hardware_models.smoothing import smoothed
from hardware_models.space_identity import identity_of
from spaces.genotype import GenotypeSpace
from spaces.nasbench201 import nasbench201


def devices(count: int = 4, networks: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return latencies (networks, count) that choices of six decisions add up to, and how often each is made."""
    rng = np.random.default_rng(seed)
    choices = rng.integers(5, size=(networks, 6))
    counts = np.stack([(choices == choice).mean(axis=1) for choice in range(5)], axis=1)
    return 5.0 + counts @ rng.uniform(0, 20, size=(5, count)), counts


def known() -> Knowledge:
    latencies, counts = devices()
    return knowledge(latencies[:, 1:], counts)


def test_a_few_networks_settle_a_device_that_is_like_others():
    truth = devices()[0][:, 0]
    measured = suggest(known(), 8)
    predicted = predict(known(), measured, truth[measured])
    assert np.abs(predicted / truth - 1).max() < 0.02


def test_the_unit_of_time_does_not_matter():
    truth = devices()[0][:, 0]
    measured = suggest(known(), 6)
    slow = predict(known(), measured, 1000 * truth[measured])
    assert slow == pytest.approx(1000 * predict(known(), measured, truth[measured]))


def test_a_device_that_is_a_scaled_known_one_needs_three_networks():
    latencies, counts = devices(1)
    what = knowledge(latencies, counts)
    measured = suggest(what, 3)
    predicted = predict(what, measured, 7.0 * latencies[measured, 0])
    assert predicted == pytest.approx(7.0 * latencies[:, 0], rel=0.05)


def test_suggestions_differ_do_not_change_and_go_on_from_each_other():
    six, nine = suggest(known(), 6), suggest(known(), 9)
    assert len(set(nine.tolist())) == 9
    assert nine[:6].tolist() == six.tolist()


def test_suggested_networks_tell_more_than_random_ones():
    truth = devices()[0][:, 0] * np.random.default_rng(1).normal(1.0, 0.05, 300)
    errors = []
    for measured in (suggest(known(), 6), *(np.random.default_rng(seed).choice(300, 6, False) for seed in range(8))):
        errors.append(float(np.abs(predict(known(), measured, truth[measured]) / devices()[0][:, 0] - 1).mean()))
    assert errors[0] < np.mean(errors[1:])


def test_each_measured_network_is_left_out_once():
    truth = devices()[0][:, 0]
    measured = suggest(known(), 12)
    report = left_out(known(), measured, truth[measured])
    assert (report.networks, report.folds) == (12, 12)
    assert report.mape < 0.1


@pytest.mark.parametrize(
    ("measured", "latencies", "message"),
    [
        ([0, 1], [1.0, 2.0], "expected at least 3 different measured networks, got 2"),
        ([0, 1, 1], [1.0, 2.0, 2.0], "expected at least 3 different measured networks, got 3"),
        ([0, 1, 2], [1.0, 2.0, 0.0], "expected a finite latency above zero for each measured network"),
        ([0, 1, 2], [1.0, 2.0, np.nan], "expected a finite latency above zero for each measured network"),
        ([0, 1, 2], [1.0, 2.0], "expected a finite latency above zero for each measured network"),
    ],
)
def test_measurements_that_are_none_are_refused(measured: list[int], latencies: list[float], message: str):
    with pytest.raises(ValueError, match=message):
        predict(known(), np.array(measured), np.array(latencies))


def test_what_is_known_must_be_latencies():
    with pytest.raises(ValueError, match=r"expected latencies \(n, devices\) and counts \(n, m\), got \(3, 0\)"):
        knowledge(np.ones((3, 0)), np.ones((3, 1)))
    with pytest.raises(ValueError, match="must be finite and above zero on average"):
        knowledge(np.zeros((3, 1)), np.ones((3, 1)))
    with pytest.raises(ValueError, match="expected 3 to 300 networks to be measured, got 2"):
        suggest(known(), 2)


@pytest.mark.parametrize("device", ["titanx_1", "samsung_a50"])
def test_ten_networks_settle_a_real_device(device: str):
    space = identity_of(GenotypeSpace(nasbench201()), "nasbench201")
    with gzip.open(shared_data("hw_latency_nasbench201/latency_ms.csv.gz"), "rt", encoding="utf-8") as file:
        rows = {row["arch_code"]: row for row in csv.DictReader(file)}
    codes = [space.code(row) for row in space.grid()]
    others = [name for name in next(iter(rows.values())) if not name.startswith(("arch", device.partition("_")[0]))]
    latencies = np.array([[float(rows[code][name]) for name in others] for code in codes])
    smooth = np.stack([smoothed(column, space.cardinalities) for column in latencies.T], axis=1)
    what, truth = knowledge(smooth, space.counts(space.grid())), np.array([float(rows[code][device]) for code in codes])
    measured = suggest(what, 10)
    rest = np.setdiff1d(np.arange(len(truth)), measured)
    assert (spearman(predict(what, measured, truth[measured])[rest], truth[rest]) or 0.0) > 0.97
