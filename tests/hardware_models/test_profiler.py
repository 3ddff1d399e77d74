"""Tables and networks measured for real: orders of magnitude, never times."""

from __future__ import annotations

import re
import weakref
from datetime import datetime

import pytest
import torch
from torch import nn

from hardware_models.device import this_device
from hardware_models.latency_table import LatencyTable
from hardware_models.op import Op, conv2d, elementwise
from hardware_models.profiler import MOST_VISITS, Anchor, Network, measure, profile, profile_and_measure, validate
from hardware_models.sampling import SAMPLES_A_VISIT
from tests.hardware_models.small_networks import IMAGE, chain_network, chain_ops

SMALL, LARGE = conv2d((8, 8, 8), 8, 3), conv2d((64, 32, 32), 64, 3)
ANCHORS = [
    Anchor(chain_network(width, depth), IMAGE, chain_ops(width, depth)) for width in (8, 32, 64) for depth in (1, 4)
]


@pytest.fixture(scope="module")
def table() -> LatencyTable:
    """A table of chains of two widths, calibrated."""
    return profile([], ANCHORS, rounds=8)


def test_a_larger_convolution_takes_longer():
    entries = profile([SMALL, LARGE], rounds=4).entries
    assert entries[LARGE].latency_ms > 5 * entries[SMALL].latency_ms > 0


def test_each_distinct_operator_has_an_entry(table: LatencyTable):
    assert list(table.entries) == list(dict.fromkeys(op for anchor in ANCHORS for op in anchor.ops))


def test_an_entry_is_told_with_its_spread(table: LatencyTable):
    for entry in table.entries.values():
        assert 0 < entry.minimum_ms <= entry.quartile_ms <= entry.median_ms
        assert entry.samples == SAMPLES_A_VISIT * MOST_VISITS * table.provenance.rounds
        assert min(entry.halves_ms) > 0


def test_the_provenance_tells_where_a_table_is_from(table: LatencyTable):
    provenance = table.provenance
    assert provenance.device == this_device().id
    assert (provenance.engine, provenance.threads, provenance.batch, provenance.clock) == ("torch", 1, 1, "cpu")
    assert (provenance.dtype, provenance.layout) == ("float32", "channels_last")
    assert provenance.software["torch"] == provenance.engine_version == torch.__version__
    assert datetime.fromisoformat(provenance.created_at).utcoffset() is not None


def test_anchors_calibrate_the_table(table: LatencyTable):
    assert table.calibration.anchors == 6
    assert table.calibration.validation is not None
    assert table.calibration.validation.kendall_tau is not None


def test_networks_rank_as_they_are_measured(table: LatencyTable):
    small, large = (table(chain_ops(width, 4))["latency_ms"] for width in (8, 64))
    measured = measure([Network(chain_network(width, 4), IMAGE) for width in (8, 64)], rounds=4)
    assert large > 2 * small
    assert measured[1].latency_ms > 2 * measured[0].latency_ms


def test_a_measured_table_comes_back_from_json(table: LatencyTable):
    assert LatencyTable.from_json(table.to_json()) == table


def test_a_reference_puts_measurements_on_its_speed(table: LatencyTable):
    networks = [Network(chain_network(8, 1), IMAGE)]
    slow = LatencyTable({op: entry.scaled(100.0) for op, entry in table.entries.items()}, table.provenance)
    (plain,) = measure(networks, rounds=4)
    (scaled,) = measure(networks, rounds=4, reference=slow, anchors=ANCHORS)
    assert 20 < scaled.latency_ms / plain.latency_ms < 500


def test_a_reference_of_another_batch_is_refused(table: LatencyTable):
    with pytest.raises(ValueError, match=re.escape("batch 1, 12 operators) does not fit what is measured")):
        measure([Network(chain_network(8, 1), IMAGE)], batch=2, reference=table, anchors=ANCHORS)


def test_a_reference_needs_anchors(table: LatencyTable):
    with pytest.raises(ValueError, match="come together, got a reference and 0 anchors"):
        measure([Network(chain_network(8, 1), IMAGE)], reference=table)


def test_latency_is_of_a_whole_batch():
    one, many = (profile([LARGE], batch=batch, rounds=4).entries[LARGE].latency_ms for batch in (1, 8))
    assert many > 3 * one


def test_progress_ends_at_its_total():
    heard: list[tuple[int, int]] = []
    profile([SMALL], rounds=2, progress=lambda done, total: heard.append((done, total)))
    assert {total for _, total in heard} == {6}
    assert [done for done, _ in heard] == sorted(done for done, _ in heard)
    assert (heard[0], heard[-1]) == ((1, 6), (6, 6))


def test_torch_has_its_threads_back_afterwards():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        profile([SMALL], rounds=2)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_no_networks_are_measured_at_once():
    assert measure([]) == ()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"engine": "tensorrt"}, "unknown engine 'tensorrt'; expected one of onnxruntime, "),
        ({"threads": 0}, "threads must be at least 1, got 0"),
        ({"batch": 0}, "batch must be at least 1, got 0"),
        ({"rounds": 1}, "rounds must be at least 2, got 1"),
        ({"anchors": ANCHORS[:2]}, "expected no anchors or at least 5, got 2"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, object], message: str):
    with pytest.raises(ValueError, match=message):
        profile([SMALL], **settings)  # type: ignore[arg-type]


def test_no_operators_are_refused():
    with pytest.raises(ValueError, match="there are no operators to profile"):
        profile([])


def test_an_operator_that_lies_about_its_output_is_refused():
    lie = Op("relu", ((4, 8, 8),), (4, 4, 4))
    with pytest.raises(ValueError, match=re.escape("declares the output (4, 4, 4), but computes (4, 8, 8)")):
        profile([lie])


def test_an_operator_that_cannot_run_is_refused():
    with pytest.raises(ValueError, match=r"add 4x8x8 [+] 3x8x8 -> 4x8x8: PyTorch cannot run it"):
        profile([Op("add", ((4, 8, 8), (3, 8, 8)), (4, 8, 8)), elementwise("relu", (4,))])


def test_networks_that_were_not_used_validate_a_table():
    held_out = [Anchor(chain_network(width, 2), IMAGE, chain_ops(width, 2)) for width in (8, 32, 64)]
    networks = [one.network for one in held_out]
    table, measured = profile_and_measure([], ANCHORS, networks, rounds=6)
    found = validate(table, held_out, measured)
    assert (found.networks, found.kendall_tau, table.calibration.anchors) == (3, 1.0, 6)


def test_a_network_that_is_given_by_what_builds_it_is_not_kept():
    made: list[weakref.ref[nn.Module]] = []

    def build() -> nn.Module:
        network = chain_network(8, 2)
        made.append(weakref.ref(network))
        return network

    kept = []
    measure([Network(build, IMAGE)], rounds=2, progress=lambda *_: kept.append(made[0]() is not None))
    assert not any(kept)


class Cut(nn.Module):
    """A network that ignores its input."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return zeros."""
        return 0 * images.sum((1, 2, 3))


def test_an_anchor_that_ignores_its_input_is_left_out():
    cut = Anchor(Cut(), IMAGE, chain_ops(8, 1))
    assert profile([], [*ANCHORS, cut], rounds=2).calibration.anchors == 6


def test_anchors_that_all_ignore_their_input_are_refused():
    with pytest.raises(ValueError, match="of 5 anchors only 0 compute anything of their input"):
        profile([], [Anchor(Cut(), IMAGE, chain_ops(8, 1))] * 5)
