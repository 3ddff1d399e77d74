"""Token counts that meet a budget: how near they come, what is moved and what stays."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spaces.token_compression.budget import counts_within
from spaces.token_compression.counts import published_macs_of
from spaces.token_compression.layouts import Layout

LAYOUT = Layout(32, 4, 2, 4, side=28, channels=1, classes=10)
ANY = [[50], *[list(range(2, 51))] * 3] * 2


def share_of(counts: list[list[int]]) -> float:
    return published_macs_of(LAYOUT, *counts) / published_macs_of(LAYOUT, [50] * 4, [50] * 4)


@settings(max_examples=40)
@given(st.lists(st.floats(2, 50), min_size=8, max_size=8), st.floats(0.6, 1))
def test_any_wish_is_brought_to_the_budget(wished: list[float], share: float) -> None:
    assert share_of(counts_within(LAYOUT, share, wished, ANY)) == pytest.approx(share, rel=0.01)


def test_all_counts_are_moved_by_as_much() -> None:
    pruned, merged = counts_within(LAYOUT, 0.5, [50, 40, 30, 20, 50, 39, 29, 19], ANY)
    assert (pruned, merged) == ([50, 20, 10, 2], [50, 19, 10, 2])


def test_counts_that_meet_it_stay() -> None:
    counts = [[50, 31, 20, 9], [50, 29, 19, 8]]
    assert counts_within(LAYOUT, share_of(counts), [*counts[0], *counts[1]], ANY) == counts


@pytest.mark.parametrize(("share", "kept"), [(0.7, 26), (0.85, 50)])
def test_coarse_counts_come_as_near_as_they_can(share: float, kept: int) -> None:
    held = [[50], [50], [50], [50], [50], [2, 26, 50], [50], [50]]
    pruned, merged = counts_within(LAYOUT, share, [50.0] * 8, held)
    assert (pruned, merged) == ([50] * 4, [50, kept, 50, 50])


def test_what_is_out_of_reach_is_refused() -> None:
    with pytest.raises(ValueError, match=r"keep must be at least 0\.3\d+, what the fewest tokens take, got 0\.2"):
        counts_within(LAYOUT, 0.2, [50.0] * 8, ANY)
