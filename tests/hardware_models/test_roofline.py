"""Latency estimated from a device's peaks."""

from __future__ import annotations

import csv
import gzip

import numpy as np
import pytest
from scipy.stats import kendalltau
from shared_data import shared_data

from hardware_models._base import HardwareModel
from hardware_models.device_sheet import DeviceSheet, device_sheet
from hardware_models.op import Op, chain, conv2d, elementwise, linear
from hardware_models.roofline import Roofline
from spaces.nasbench201 import OPERATIONS, NasBench201, live_edges
from tests.hardware_models.published_networks import deit

SHEET = DeviceSheet("toy", "Toy", "made up", {"float32": 1e-3, "int8": 4e-3}, bandwidth_gb_s=1.0, overhead_us=2.0)
BUSY = conv2d((64, 8, 8), 64, 3)
BUSY_MS = 2 * 64 * 64 * 9 * 64 / 1e9 * 1e3
COPY = elementwise("add", (64, 8, 8), 2)
COPY_MS = 4 * 3 * 64 * 64 / 1e9 * 1e3


def latency(model: Roofline, *ops: Op) -> float:
    """Return the one metric."""
    (found,) = model(ops).values()
    return found


def test_arithmetic_bounds_a_busy_operator():
    assert latency(Roofline(SHEET), BUSY) == pytest.approx(BUSY_MS + 0.002)


def test_memory_bounds_a_copy():
    assert latency(Roofline(SHEET), COPY) == pytest.approx(COPY_MS + 0.002)


def test_a_network_is_the_sum_of_its_operators():
    assert latency(Roofline(SHEET), BUSY, COPY, COPY) == pytest.approx(BUSY_MS + 2 * COPY_MS + 0.006)
    assert latency(Roofline(SHEET)) == 0.0


def test_a_composite_starts_each_of_its_layers():
    block = chain("block", BUSY, elementwise("relu", (64, 8, 8)), BUSY)
    assert latency(Roofline(SHEET), block) == pytest.approx(2 * (BUSY_MS + 0.002))


def test_the_overhead_may_be_given():
    assert latency(Roofline(SHEET, overhead_us=0.0), COPY) == pytest.approx(COPY_MS)


def test_another_dtype_has_another_peak_and_fewer_bytes():
    assert latency(Roofline(SHEET, "int8"), BUSY) == pytest.approx(BUSY_MS / 4 + 0.002)
    assert latency(Roofline(SHEET, "int8"), COPY) == pytest.approx(COPY_MS / 4 + 0.002)


def test_a_batch_reads_its_weights_once():
    fast = DeviceSheet("fast", "Fast", "made up", {"float32": 1e6}, bandwidth_gb_s=1.0)
    op = linear((1000,), 1000, bias=False)
    assert latency(Roofline(fast), op) == pytest.approx(4 * (1e6 + 2000) / 1e6)
    assert latency(Roofline(fast, batch=5), op) == pytest.approx(4 * (1e6 + 5 * 2000) / 1e6)


def test_without_fusion_norms_and_activations_are_kernels_of_their_own():
    block = chain("block", BUSY, elementwise("relu", (64, 8, 8)))
    assert latency(Roofline(SHEET), block) == pytest.approx(BUSY_MS + 0.002)
    assert latency(Roofline(SHEET, fused=False), block) == pytest.approx(BUSY_MS + COPY_MS * 2 / 3 + 0.004)


def test_without_a_bandwidth_arithmetic_alone_bounds():
    assert latency(Roofline(device_sheet("edgetpu"), "int8"), BUSY, COPY) == pytest.approx(BUSY_MS / 4000)


def test_the_name_says_that_it_is_estimated_and_of_what():
    assert Roofline(SHEET).metrics == ("latency_ms@toy-estimated",)
    assert Roofline(SHEET, "int8", batch=8).metrics == ("latency_ms@toy-int8-batch8-estimated",)
    assert Roofline(SHEET, fused=False).metrics == ("latency_ms@toy-unfused-estimated",)


def test_a_dtype_without_a_peak_is_refused():
    with pytest.raises(
        ValueError, match="the sheet of toy has no peak for 'float16'; give dtype as one of float32, int8"
    ):
        Roofline(SHEET, "float16")
    with pytest.raises(ValueError, match="the sheet of edgetpu has no peak for 'float32'; give dtype as one of int8"):
        Roofline(device_sheet("edgetpu"))([BUSY])


def test_a_batch_of_none_is_refused():
    with pytest.raises(ValueError, match="batch must be at least 1, got 0"):
        Roofline(SHEET, batch=0)


def test_the_sum_of_terms_is_the_total():
    model, ops = Roofline(device_sheet("raspberrypi4")), deit(192)
    assert isinstance(model, HardwareModel)
    sums = np.sum([model.terms(op) for op in ops], axis=0, keepdims=True)
    assert model.total(sums)[0].tolist() == pytest.approx(list(model(ops).values()))


def test_a_measured_raspberry_pi_is_slower_and_ranks_networks_alike():
    """Of 200 NAS-Bench-201 networks that HW-NAS-Bench measured on the board (Li et al., ICLR 2021)."""
    with gzip.open(shared_data("hw_latency_nasbench201") / "latency_ms.csv.gz", "rt") as file:
        rows = [row for row in csv.DictReader(file) if len(set(row["arch_code"])) > 1][::78]
    cells = [NasBench201(*(OPERATIONS[int(digit)] for digit in row["arch_code"])) for row in rows]
    model = Roofline(device_sheet("raspberrypi4"))
    found = [latency(model, *cell.ops()) for cell in cells if live_edges(cell.edges)]
    measured = [float(row["raspi4"]) for row, cell in zip(rows, cells, strict=True) if live_edges(cell.edges)]
    assert kendalltau(found, measured).statistic > 0.7
    assert (np.array(found) < np.array(measured)).mean() > 0.95
