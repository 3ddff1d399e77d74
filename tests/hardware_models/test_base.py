"""What hardware models have in common, and the error for an operator that is unknown."""

from __future__ import annotations

import pickle

from hardware_models._base import HardwareModel, MissingEntry
from hardware_models.counts import Counts
from hardware_models.op import conv2d


def test_a_missing_entry_names_the_operator_and_the_way_out():
    error = MissingEntry(conv2d((3, 8, 8), 16, 3), "the latency table of cpu-x")
    assert str(error) == (
        "the latency table of cpu-x has no entry for conv2d 3x8x8 -> 16x8x8 (kernel 3, padding 1): "
        "profile the space again on that device, or import a table that has it"
    )


def test_a_missing_entry_survives_a_process_boundary():
    error = MissingEntry(conv2d((3, 8, 8), 16, 3), "the table")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.op) == (str(error), error.op)


def test_counts_are_a_hardware_model():
    assert isinstance(Counts(), HardwareModel)
