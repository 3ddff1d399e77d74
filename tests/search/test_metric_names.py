"""How metrics and numbers are shown."""

from __future__ import annotations

import math

import pytest

from search.metric_names import ago, duration, heading, is_cost, measured, number


@pytest.mark.parametrize(
    ("metric", "shown"),
    [
        ("latency_ms", "latency (ms)"),
        ("measured_latency_ms", "measured latency (ms)"),
        ("latency_ms@pixel3", "latency on pixel3 (ms)"),
        ("peak_memory_bytes", "peak memory (bytes)"),
        ("accuracy", "accuracy"),
        ("macs", "MACs"),
        ("ms", "ms"),
    ],
)
def test_a_metric_is_shown_with_its_unit(metric: str, shown: str) -> None:
    assert heading(metric) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.69891, "0.6989"),
        (10.194, "10.19"),
        (91.0, "91"),
        (1000.4, "1000"),
        (1531546.0, "1.532M"),
        (2.2e8, "220M"),
        (-3.14159, "-3.142"),
        (0.0, "0"),
        (1e-12, "1.000e-12"),
        (math.nan, "-"),
        (None, "-"),
        (math.inf, "inf"),
    ],
)
def test_a_number_has_four_digits(value: float | None, shown: str) -> None:
    assert number(value) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.44, "0.4 s"), (59.4, "59 s"), (59.9, "1 min 00 s"), (185, "3 min 05 s"), (7800, "2 h 10 min"), (None, "-")],
)
def test_a_duration_is_said_as_a_person_says_it(seconds: float | None, shown: str) -> None:
    assert duration(seconds) == shown


def test_costs_are_told_by_their_names() -> None:
    costs = ["latency_ms", "latency_ms@pixel3", "energy_mj", "params", "macs@a", "peak_memory_bytes"]
    assert all(map(is_cost, costs))
    assert not any(map(is_cost, ["accuracy", "accuracy_percent", "f1", "accuracy@pixel3"]))


def test_what_was_measured_directly_has_a_name_of_its_own() -> None:
    assert measured("latency_ms@a") == "measured_latency_ms@a"
    assert heading(measured("latency_ms@a")) == "measured latency on a (ms)"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-1.0, "just now"), (8.2, "8 s ago"), (1354.0, "23 min ago"), (12600.0, "3.5 h ago"), (260000.0, "3 days ago")],
)
def test_how_long_ago_is_said_roughly(seconds: float, said: str) -> None:
    assert ago(seconds) == said
