"""Attention as an operator: its shapes and sizes."""

from __future__ import annotations

import pytest

from hardware_models.attention import (
    Sizes,
    attention,
    attention_sizes,
    packed_attention,
    position_table,
    self_attention,
)
from hardware_models.counts import macs, params


def test_attention_across_two_sequences():
    op = attention((9, 8), 2, keys=(5, 8), values=(5, 12))
    assert op.output == (9, 12)
    assert attention_sizes(op) == Sizes(queries=9, keys=5, query_width=4, value_width=6)


def test_packed_attention_tells_its_parts_by_the_values():
    assert attention_sizes(packed_attention((9, 40), 4, 24)) == Sizes(9, 9, query_width=2, value_width=6)


def test_each_token_of_a_window_attends_to_the_window():
    assert attention_sizes(packed_attention((12, 24), 2, 8, window=4)) == Sizes(12, 4, query_width=4, value_width=4)
    assert macs([packed_attention((12, 24), 2, 8, window=4)]) == 2 * 12 * 4 * (4 + 4)


def test_a_bias_of_positions_has_a_weight_for_each_head_and_offset():
    plain, biased = (attention((9, 8), 2, bias=bias) for bias in (False, True))
    assert position_table(biased) == (2, 5, 5)
    assert (params([plain]), params([biased]), params([biased], biases=False)) == (0, 50, 50)
    assert macs([plain]) == macs([biased])


@pytest.mark.parametrize("keys", [None, (4, 8)])
def test_a_bias_of_positions_needs_a_square(keys):
    with pytest.raises(ValueError, match="a bias of positions needs tokens that are a square image"):
        attention((9 if keys else 8, 8), 2, keys, bias=True)


def test_self_attention_has_its_projections():
    block = self_attention((9, 8), 2, query_width=3, value_width=5)
    assert [op.kind for op in block.inner] == ["linear", "attention", "linear"]
    assert [op.output for op in block.inner] == [(9, 22), (9, 10), (9, 8)]


@pytest.mark.parametrize("build", [lambda: attention((9, 8), 3), lambda: packed_attention((9, 40), 4, 23)])
def test_heads_must_divide_the_channels(build):
    with pytest.raises(ValueError, match="of channels that the heads divide"):
        build()


@pytest.mark.parametrize(("keys", "values"), [((5, 6), (5, 8)), ((5, 8), (6, 8))])
def test_keys_must_fit_queries_and_values(keys, values):
    with pytest.raises(ValueError, match="expected as many keys as values"):
        attention((9, 8), 2, keys, values)


def test_windows_must_divide_the_tokens():
    with pytest.raises(ValueError, match="the window must divide the tokens"):
        packed_attention((9, 24), 2, 8, window=4)
