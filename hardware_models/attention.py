"""Scaled dot-product attention as an operator, and with its projections (Vaswani et al., NeurIPS 2017, section 3.2).

For h heads its inputs are the queries (n, h d), the keys (m, h d) and the values (m, h e), or all three side by side in
one input (n, h (2 d + e)), as one linear layer makes them; its output is (n, h e). With a window of w tokens (Liu et
al., ICCV 2021, section 3.2) the tokens stand window after window, and each attends to the w of its own window.
With a bias (the same, equation 4) the tokens that attend to each other are a square image row by row, and for every
head a learned number for each of the (2 s - 1)^2 offsets between two places of a square of side s is added.
"""

from __future__ import annotations

from math import isqrt
from typing import NamedTuple

from hardware_models.op import Op, Shape, chain, linear


class Sizes(NamedTuple):
    """What an attention's costs follow from.

    Attributes:
      queries: the tokens that attend.
      keys: the tokens that each of them attends to.
      query_width: the channels of a query or key in one head.
      value_width: the channels of a value in one head.
    """

    queries: int
    keys: int
    query_width: int
    value_width: int


def attention(
    queries: Shape, heads: int, keys: Shape | None = None, values: Shape | None = None, *, bias: bool = False
) -> Op:
    """Return the attention of `queries` to `keys` and `values`, which are shaped like them unless given.

    Raises:
      ValueError: for channels that the heads do not divide, or a bias where the tokens are no square.
    """
    keys = queries if keys is None else keys
    values = keys if values is None else values
    return _checked(Op("attention", (queries, keys, values), (queries[0], values[1]), bias=bias, heads=heads))


def packed_attention(packed: Shape, heads: int, values: int, window: int = 0) -> Op:
    """Return the attention of one input to itself; all but `values` of its channels are queries and keys.

    Raises:
      ValueError: for channels that the heads do not divide, or tokens that the window does not.
    """
    return _checked(Op("attention", (packed,), (packed[0], values), heads=heads, window=window))


def self_attention(
    tokens: Shape, heads: int, *, query_width: int = 0, value_width: int = 0, window: int = 0, bias: bool = True
) -> Op:
    """Return a composite: one linear layer for queries, keys and values, the attention, and a linear layer back.

    Args:
      tokens: (tokens, channels) of the input and the output.
      heads: of the attention.
      query_width, value_width: channels of one head; channels / heads unless given.
      window: the tokens of a window, which must divide the tokens; 0 for all.
      bias: of the first linear layer; the second always has one.
    """
    wide, values = (width or tokens[1] // heads for width in (query_width, value_width))
    packed = linear(tokens, heads * (2 * wide + values), bias=bias)
    attended = packed_attention(packed.output, heads, heads * values, window)
    return chain("self_attention", packed, attended, linear(attended.output, tokens[1]))


def attention_sizes(op: Op) -> Sizes:
    """Return the sizes of an operator of kind `attention`."""
    tokens = op.inputs[0][0]
    if len(op.inputs) == 1:
        query_channels, keys = (op.inputs[0][1] - op.output[1]) // 2, tokens
    else:
        query_channels, keys = op.inputs[0][1], op.inputs[1][0]
    return Sizes(tokens, op.window or keys, query_channels // op.heads, op.output[1] // op.heads)


def position_table(op: Op) -> Shape:
    """Return the shape of what an attention with a bias has learned: (heads, 2 s - 1, 2 s - 1)."""
    across = 2 * isqrt(attention_sizes(op).keys) - 1
    return op.heads, across, across


def _checked(op: Op) -> Op:
    sizes = attention_sizes(op)
    wide, values = op.heads * sizes.query_width, op.heads * sizes.value_width
    packed = ((sizes.queries, 2 * wide + values),)
    apart = ((sizes.queries, wide), (sizes.keys, wide), (sizes.keys, values))
    if op.inputs not in (packed, apart) or op.output[1] != values:
        raise ValueError(
            f"{op}: expected as many keys as values, of channels that the heads divide, as those of queries"
        )
    if op.window and sizes.queries % op.window:
        raise ValueError(f"{op}: the window must divide the tokens")
    if op.bias and (isqrt(sizes.keys) ** 2 != sizes.keys or op.inputs[0][0] != op.inputs[-1][0]):
        raise ValueError(f"{op}: a bias of positions needs tokens that are a square image")
    return op
