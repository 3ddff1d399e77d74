"""What `devices = ...` of a study file may say, and what a study's settings say of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from several_devices import SOURCE, device_table, write_study

from hardware_models.at_device import AtDevice
from search.objectives import Objective
from search.study_devices import StudyDevice, devices_named, parse_devices
from search.study_file import StudyDefinition, StudyFileError, load_study_file
from search.study_tables import device_names, devices_with_latency, objectives_on, recosts_of, tables_used, with_tables


class Lookup:
    """A model of genotypes, of no device in particular."""

    metrics: ClassVar[tuple[str, ...]] = ("latency_ms",)

    def __repr__(self) -> str:
        return "Lookup()"  # it names a test, alike in every process

    def costs(self, genotypes: np.ndarray) -> np.ndarray:
        return genotypes[:, :1] * 1.0


class Placed(Lookup):
    """One that names its device."""

    metrics: ClassVar[tuple[str, ...]] = ("latency_ms@chip-estimated",)


@pytest.mark.parametrize(
    ("value", "devices"),
    [
        ("phone", [StudyDevice("phone", "phone")]),
        (["phone", "this"], [StudyDevice("phone", "phone"), StudyDevice("this", "this")]),
        ({"a": "phone"}, [StudyDevice("a", "phone")]),
        ({"b8": {"device": "this", "batch": 8}}, [StudyDevice("b8", "this", batch=8)]),
        ([], []),
    ],
)
def test_names_and_kinds_of_tables(value: Any, devices: list[StudyDevice]) -> None:
    assert parse_devices(value) == tuple(devices)


def test_a_model_is_named_by_its_table_by_its_metrics_or_by_a_mapping() -> None:
    found = parse_devices([device_table("phone"), Placed()]) + parse_devices({"raspi4": Lookup()})
    assert [device.name for device in found] == ["phone", "chip-estimated", "raspi4"]
    metrics = [device.model.metrics[0] for device in found]
    assert metrics == ["latency_ms@phone", "latency_ms@chip-estimated", "latency_ms@raspi4"]
    assert callable(found[0].model) and not callable(found[2].model)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (3, r"expected names of devices, e\.g\. \['pixel3', 'this'\]"),
        ([""], "expected names of devices"),
        ({"a": {"engine": "lite"}}, "expected names of devices"),
        ({"a": {"device": "b", "colour": "red"}}, "'colour' of device 'a' is not understood"),
        ({"a": {"device": "b", "batch": 0}}, "'batch' of device 'a' is not understood"),
        ({"a": {"device": "b", "engine": 5}}, "'engine' of device 'a' is not understood"),
        (["a", "a"], "device 'a' stands twice"),
        (["two words"], r"metric name 'latency_ms@two words' is not usable"),
        ([Lookup()], r"the device of Lookup has no name: give it one by \{'NAME': model\}"),
        ([Lookup], "expected names of devices"),
    ],
    ids=str,
)
def test_anything_else_is_refused(value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_devices(value)


def test_a_model_of_two_devices_is_refused() -> None:
    two = AtDevice(Lookup(), "a")
    two.metrics = ("latency_ms@a", "latency_ms@b")
    with pytest.raises(ValueError, match="metrics latency_ms@a, latency_ms@b are of several devices"):
        parse_devices([two])


def test_devices_are_named_by_metrics_that_nothing_else_gives() -> None:
    metrics = ["accuracy", "latency_ms", "latency_ms@b", "latency_ms@a", "latency_ms@b", "energy_mj@c"]
    assert devices_named(metrics, ["latency_ms@a"]) == ("b",)


def load(folder: Path, source: str = SOURCE, **overrides: str) -> StudyDefinition:
    return load_study_file(write_study(folder, source), overrides)


def test_a_study_file_names_its_devices(tmp_path: Path) -> None:
    assert [device.name for device in load(tmp_path).devices] == ["phone", "board"]
    assert [device.name for device in load(tmp_path, devices="['watch']").devices] == ["watch"]
    assert load(tmp_path, devices="watch").devices == (StudyDevice("watch", "watch"),)


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ("objectives = {'latency_ms': 'minimize'}", r"perceptrons\.py:30: objectives"),
        ("constraints = ['latency_ms <= 5']", r"perceptrons\.py:30: constraints"),
        ("report = ['latency_ms']", r"perceptrons\.py:30: report"),
    ],
)
def test_a_latency_of_no_device_is_refused_in_a_study_of_several(tmp_path: Path, more: str, place: str) -> None:
    expected = f"{place}: 'latency_ms' does not say of which device: write latency_ms@phone or latency_ms@board; or"
    with pytest.raises(StudyFileError, match=expected):
        load(tmp_path, SOURCE + more)


def test_a_latency_of_no_device_is_that_of_the_device_that_is_set(tmp_path: Path) -> None:
    study = load(tmp_path, SOURCE + "report = ['latency_ms']", device="this")
    assert (study.device, study.named) == ("this", ("accuracy", "latency_ms@phone", "latency_ms"))


def test_a_latency_that_the_evaluator_promises_needs_no_device(tmp_path: Path) -> None:
    source = SOURCE + "report = ['latency_ms']\nevaluator.metrics = ('accuracy', 'latency_ms')"
    assert "latency_ms" in load(tmp_path, source).given


def test_the_shipped_study_of_two_batch_sizes() -> None:
    study = load_study_file("nasbench201_devices")
    assert study.devices == (StudyDevice("single", "this"), StudyDevice("batch8", "this", batch=8))
    assert study.named == ("accuracy", "latency_ms@single", "latency_ms@batch8")


def test_models_that_give_no_latency_have_no_front() -> None:
    devices = {"a": {"sha256": "b"}, "b": {"metrics": ["energy_mj@b"]}, "c": {"metrics": ["latency_ms@c"]}, "d": 5}
    assert devices_with_latency({"devices": devices}) == ("a", "c", "d")


def test_settings_say_which_tables_are_used() -> None:
    settings = {"latency_table": {"sha256": "a"}, "devices": {"phone": {"sha256": "b"}, "chip": {"model": "Chip()"}}}
    assert tables_used(settings) == {"": {"sha256": "a"}, "phone": {"sha256": "b"}}
    assert device_names(settings) == ("phone", "chip")
    changed = with_tables(settings, {"phone": {"sha256": "c"}})
    assert changed == {"devices": {"phone": {"sha256": "c"}, "chip": {"model": "Chip()"}}}
    assert with_tables(settings, {"": {"sha256": "d"}}) == {"latency_table": {"sha256": "d"}}


@pytest.mark.parametrize("settings", [{}, {"devices": []}, {"devices": {"a": 3}}, {"latency_table": 5, "recosts": 1}])
def test_settings_that_are_not_as_they_should_be_name_no_table(settings: dict[str, Any]) -> None:
    assert tables_used(settings) == {}
    assert recosts_of(settings) == []


def test_a_devices_front_is_of_what_is_of_no_other_device() -> None:
    names = {"accuracy": "maximize", "latency_ms": "minimize", "latency_ms@a": "minimize", "energy_mj@b": "minimize"}
    objectives = [Objective(metric, direction) for metric, direction in names.items()]
    assert [o.metric for o in objectives_on(objectives, "b")] == ["accuracy", "energy_mj@b", "latency_ms@b"]
    assert [o.metric for o in objectives_on(objectives, "")] == ["accuracy", "latency_ms"]
