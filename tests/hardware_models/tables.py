"""A small latency table and hypothesis strategies for any table."""

from __future__ import annotations

from hypothesis import strategies as st

from hardware_models.calibration import Calibration
from hardware_models.latency_table import Entry, LatencyTable, Provenance
from hardware_models.op import Op
from hardware_models.validation import ValidationReport

ENTRY = Entry(1.5, samples=60, minimum_ms=1.25, quartile_ms=1.4, median_ms=1.5, halves_ms=(1.45, 1.55))
PROVENANCE = Provenance(
    device="cpu-x-123456",
    device_name="X, 2 cores",
    fingerprint="123456",
    engine="torch",
    engine_version="2.13.0",
    threads=1,
    batch=1,
    dtype="float32",
    layout="channels_last",
    software={"python": "3.11.7"},
    created_at="2026-01-31T12:00:00+00:00",
    rounds=20,
    clock="cpu",
    load_average=0.5,
    involuntary_switches=3,
    wall_over_cpu=1.01,
    noise=0.02,
)

times = st.floats(0, 1e9)
counts = st.integers(1, 10**6)
texts = st.text(st.characters(categories=("L", "N", "P")), min_size=1, max_size=20)
sizes = st.integers(1, 2**31)
shapes = st.lists(sizes, max_size=4).map(tuple)
correlations = st.none() | st.floats(-1, 1)


def composites(inner: st.SearchStrategy[Op]) -> st.SearchStrategy[Op]:
    """Return operators that may hold others, some with a wiring: each then reads the composite's own inputs."""
    held = st.lists(inner, max_size=3).map(tuple)
    return st.builds(Op, kind=texts, inputs=st.tuples(shapes), output=shapes, inner=held) | st.builds(
        lambda kind, op, count: Op(kind, op.inputs, op.output, inner=(op,) * count, wiring=_all_inputs(op) * count),
        texts,
        inner,
        st.integers(1, 3),
    )


def _all_inputs(op: Op) -> tuple[tuple[int, ...], ...]:
    return (tuple(range(len(op.inputs))),)


plain = st.builds(
    Op,
    kind=texts,
    inputs=st.lists(shapes, max_size=3).map(tuple),
    output=shapes,
    kernel=st.integers(0, 11),
    stride=st.integers(1, 4),
    padding=st.integers(0, 5),
    dilation=st.integers(1, 3),
    groups=sizes,
    bias=st.booleans(),
    dtype=st.sampled_from(["float32", "float16", "int8"]),
    along=st.sampled_from(["both", "height", "width"]),
    heads=counts,
    window=st.integers(0, 64),
)
ops = st.recursive(plain, composites, max_leaves=4)
entries = st.builds(
    lambda latency, samples, spread, halves: Entry(latency, samples, *sorted(spread), halves),
    times,
    counts,
    st.tuples(times, times, times),
    st.tuples(times, times),
)
reports = st.builds(
    ValidationReport,
    networks=counts,
    mape=times,
    max_error=times,
    rmse_ms=times,
    kendall_tau=correlations,
    pearson=correlations,
    within_5=st.floats(0, 1),
    within_10=st.floats(0, 1),
    truth_mape=st.none() | times,
    truth_kendall_tau=correlations,
)
calibrations = st.builds(Calibration, times, times, times, st.floats(-1e9, 1e9), counts, st.none() | reports)
provenances = st.builds(
    Provenance,
    **dict.fromkeys(
        ["device", "device_name", "fingerprint", "engine", "engine_version", "dtype", "layout", "clock"], texts
    ),
    **dict.fromkeys(["threads", "batch", "rounds", "involuntary_switches"], counts),
    **dict.fromkeys(["load_average", "wall_over_cpu", "noise"], times),
    software=st.dictionaries(texts, texts, max_size=3),
    created_at=st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat()),
)
tables = st.builds(
    LatencyTable, st.dictionaries(ops, entries, max_size=4), provenances, calibrations, st.none() | reports
)
