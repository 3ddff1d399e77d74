"""Small spaces, tables of their genotypes, and hypothesis strategies for any."""

from __future__ import annotations

from math import prod

import numpy as np
from hypothesis import strategies as st

from hardware_models.held_out import HeldOut
from hardware_models.learned_table import LearnedTable, PairEffects
from hardware_models.listed_table import ListedTable
from hardware_models.space_identity import SpaceIdentity
from hardware_models.table_origin import Origin
from tests.hardware_models.tables import texts

ORIGIN = Origin("phone", "tflite", 1, "learned", "pairs.csv", "ab12", 9, "2026-01-31T12:00:00+00:00")
PLAIN = SpaceIdentity(
    "plain", "f1", ("depth", "kernel", "op"), (("1", "2"), ("3", "5", "7"), ("conv", "pool")), (-1,) * 3, (-1,) * 3
)
NESTED = SpaceIdentity("nested", "f2", ("op", "kernel"), (("conv", "pool"), ("3", "5")), (-1, 0), (-1, 0))
"""The kernel is decided only where the operator is a convolution."""

TABLE = LearnedTable(PLAIN, ORIGIN, 5.0, ((-1.0, 1.0), (0.0, 0.5, 1.0), (2.0, -2.0)))

effects = st.floats(-1e9, 1e9)
times = st.floats(0, 1e9)
correlations = st.none() | st.floats(-1, 1)
reports = st.none() | st.builds(HeldOut, st.integers(1, 99), st.integers(1, 9), times, times, times, correlations,
                                correlations)  # fmt: skip
origins = st.builds(
    Origin,
    device=texts,
    engine=texts,
    batch=st.none() | st.integers(1, 512),
    method=st.sampled_from(["learned", "listed", "onboarded"]),
    source=texts,
    sha256=st.sampled_from(["", "ab12"]),
    networks=st.integers(0, 10**6),
    created_at=st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat()),
)


@st.composite
def identities(draw: st.DrawFn, nested: bool = True) -> SpaceIdentity:
    """Return any small space."""
    counts = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    choices = tuple(tuple(draw(texts) for _ in range(count)) for count in counts)
    parents = tuple(draw(st.integers(-1, index - 1)) if nested else -1 for index in range(len(counts)))
    under = tuple(-1 if parent < 0 else draw(st.integers(0, counts[parent] - 1)) for parent in parents)
    names = tuple(f"decision_{index}" for index in range(len(counts)))
    return SpaceIdentity(draw(texts), draw(texts), names, choices, parents, under)


@st.composite
def learned_tables(draw: st.DrawFn) -> LearnedTable:
    """Return any learned table of a small space."""
    space = draw(identities())
    singles = tuple(tuple(draw(effects) for _ in range(count)) for count in space.cardinalities)
    pairs = []
    if space.width > 1 and draw(st.booleans()):
        rows, columns = space.cardinalities[0], space.cardinalities[1]
        pairs = [PairEffects(0, 1, tuple(tuple(draw(effects) for _ in range(columns)) for _ in range(rows)))]
    return LearnedTable(space, draw(origins), draw(effects), singles, tuple(pairs), draw(reports), draw(times))


@st.composite
def listed_tables(draw: st.DrawFn) -> ListedTable:
    """Return any listed table of a small space."""
    space = draw(identities(nested=False))
    latencies = np.array([draw(times) for _ in range(prod(space.cardinalities))])
    return ListedTable(space, draw(origins), latencies, draw(reports))
