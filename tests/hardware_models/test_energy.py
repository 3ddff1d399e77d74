"""Energy estimated from the costs of arithmetic and of memory."""

from __future__ import annotations

import numpy as np
import pytest

from hardware_models._base import HardwareModel
from hardware_models.energy import HOROWITZ_45NM, Energy, EnergyCosts
from hardware_models.op import Op, elementwise, linear
from tests.hardware_models.published_networks import resnet50

LINEAR = linear((100,), 10, bias=False)


def energy(model: Energy, *ops: Op) -> float:
    """Return the one metric."""
    (found,) = model(ops).values()
    return found


def test_a_layer_costs_its_arithmetic_its_operands_and_its_bytes():
    arithmetic, operands, moved = 1000 * 4.6, 1000 * 2 * 4 * 1.25, 4 * (1000 + 110) * 160
    assert energy(Energy(), LINEAR) == pytest.approx((arithmetic + operands + moved) / 1e9)


def test_small_numbers_cost_less():
    arithmetic, operands, moved = 1000 * 0.23, 1000 * 2 * 1.25, (1000 + 110) * 160
    assert energy(Energy(dtype="int8"), LINEAR) == pytest.approx((arithmetic + operands + moved) / 1e9)


def test_registers_may_hold_the_operands():
    assert energy(Energy(sram_operands=0.0), LINEAR) == pytest.approx((1000 * 4.6 + 4 * 1110 * 160) / 1e9)


def test_a_copy_costs_its_bytes():
    assert energy(Energy(), elementwise("add", (50,), 2)) == pytest.approx(4 * 150 * 160 / 1e9)


def test_nothing_costs_nothing():
    assert energy(Energy()) == 0.0


def test_the_costs_are_those_of_the_source():
    assert HOROWITZ_45NM.mac_pj == pytest.approx({"float32": 4.6, "float16": 1.5, "int8": 0.23})
    assert (8 * HOROWITZ_45NM.sram_pj_per_byte, 4 * HOROWITZ_45NM.dram_pj_per_byte) == (10, 640)


def test_the_name_says_that_it_is_estimated_and_of_what():
    assert Energy().metrics == ("energy_mj@45nm-estimated",)
    assert Energy(dtype="int8").metrics == ("energy_mj@45nm-int8-estimated",)


def test_other_costs_have_another_name():
    model = Energy(EnergyCosts("chip", {"float32": 1.0}, sram_pj_per_byte=0.0, dram_pj_per_byte=0.0))
    assert dict(model([LINEAR])) == {"energy_mj@chip-estimated": pytest.approx(1e-6)}


def test_a_dtype_of_unknown_cost_is_refused():
    with pytest.raises(ValueError, match="the energy of 'bfloat16' on 45nm is not known; give dtype as one of float32"):
        Energy(dtype="bfloat16")([LINEAR])


def test_the_sum_of_terms_is_the_total():
    model, ops = Energy(), resnet50()
    assert isinstance(model, HardwareModel)
    sums = np.sum([model.terms(op) for op in ops], axis=0, keepdims=True)
    assert model.total(sums)[0].tolist() == pytest.approx(list(model(ops).values()))
