"""A model under a device's name: its metrics are renamed, and it can do what the model can, no more."""

from __future__ import annotations

import copy
from typing import ClassVar

import numpy as np
import pytest

from hardware_models._base import HardwareModel, MissingEntry
from hardware_models.at_device import AtDevice
from hardware_models.counts import Counts
from hardware_models.latency_table import LatencyTable
from hardware_models.op import linear
from tests.hardware_models.tables import ENTRY, PROVENANCE

TABLE = LatencyTable({linear((8,), 4): ENTRY}, PROVENANCE)


class Additive:
    """A model of one term: an operator's outputs."""

    metrics: ClassVar[tuple[str, ...]] = ("latency_ms", "energy_mj")

    def __call__(self, ops):
        return {"latency_ms": float(len(ops)), "energy_mj": 2.0 * len(ops)}

    def terms(self, op):
        return np.array([1.0])

    def total(self, sums):
        return sums * [1.0, 2.0]


class Lookup:
    """A model of genotypes."""

    metrics: ClassVar[tuple[str, ...]] = ("latency_ms",)

    def costs(self, genotypes):
        return genotypes[:, :1] * 2.0


def test_metrics_carry_the_devices_name() -> None:
    model = AtDevice(TABLE, "pixel3")
    assert model.metrics == ("latency_ms@pixel3",)
    assert model([linear((8,), 4)] * 2) == {"latency_ms@pixel3": 3.0}
    assert isinstance(model, HardwareModel)


def test_every_metric_of_a_model_is_renamed() -> None:
    assert AtDevice(Counts(), "a").metrics == ("macs@a", "params@a")


def test_an_additive_model_stays_one() -> None:
    model = AtDevice(Additive(), "1080ti_1")
    assert model.terms(linear((8,), 4)).tolist() == [1.0]
    assert model.total(np.array([[3.0]])).tolist() == [[3.0, 6.0]]
    assert model([linear((8,), 4)]) == {"latency_ms@1080ti_1": 1.0, "energy_mj@1080ti_1": 2.0}
    assert not hasattr(model, "costs")


def test_a_model_of_genotypes_stays_one_and_cannot_be_called() -> None:
    model = AtDevice(Lookup(), "raspi4")
    assert model.costs(np.array([[1, 5], [3, 5]])).tolist() == [[2.0], [6.0]]
    assert not callable(model)
    assert not hasattr(model, "terms")


@pytest.mark.parametrize("model", [TABLE, Lookup()], ids=["table", "lookup"])
def test_a_copy_is_alike(model: object) -> None:
    again = copy.deepcopy(AtDevice(model, "d"))
    assert (again.metrics, callable(again), hasattr(again, "costs")) == (
        ("latency_ms@d",), callable(model), hasattr(model, "costs"),
    )  # fmt: skip


def test_what_the_model_raises_comes_through() -> None:
    with pytest.raises(MissingEntry, match="the latency table of cpu-x-123456 has no entry"):
        AtDevice(TABLE, "d")([linear((9,), 4)])


def test_a_model_that_names_its_device_is_refused() -> None:
    with pytest.raises(ValueError, match="metric 'latency_ms@a' names a device already"):
        AtDevice(AtDevice(TABLE, "a"), "b")
