"""Hypothesis strategies for layers of any size: convolutions, linear layers, matrix products, attentions."""

from __future__ import annotations

from hypothesis import strategies as st

from hardware_models.attention import attention, packed_attention, self_attention
from hardware_models.op import Op, conv2d, linear

sides = st.integers(9, 20)
small = st.integers(1, 6)


@st.composite
def convolutions(draw: st.DrawFn) -> Op:
    """Return a convolution with groups, stride, dilation, bias, padding and direction drawn."""
    groups = draw(small)
    shape = (groups * draw(small), draw(sides), draw(sides))
    return conv2d(
        shape,
        groups * draw(small),
        draw(st.integers(1, 5)),
        draw(st.integers(1, 3)),
        groups=groups,
        dilation=draw(st.integers(1, 2)),
        bias=draw(st.booleans()),
        padding=draw(st.none() | st.integers(0, 2)),
        along=draw(st.sampled_from(["both", "height", "width"])),
    )


@st.composite
def attentions(draw: st.DrawFn) -> Op:
    """Return an attention: across two sequences, of one sequence in windows or not, or with its projections."""
    heads, wide, values, tokens, others, windows = (draw(small) for _ in range(6))
    packed = (windows * tokens, heads * (2 * wide + values))
    return draw(
        st.sampled_from(
            [
                attention((tokens, heads * wide), heads, (others, heads * wide), (others, heads * values)),
                attention((tokens**2, heads * wide), heads, values=(tokens**2, heads * values), bias=True),
                packed_attention(packed, heads, heads * values, draw(st.sampled_from([0, tokens]))),
                self_attention((tokens, heads * wide), heads, value_width=values, bias=draw(st.booleans())),
            ]
        )
    )


linears = st.builds(
    lambda shape, features, bias: linear(tuple(shape), features, bias=bias),
    st.lists(small, min_size=1, max_size=3),
    small,
    st.booleans(),
)
products = st.builds(lambda n, k, m: Op("matmul", ((n, k), (k, m)), (n, m)), small, small, small)
layers_of_any_size = convolutions() | attentions() | linears | products
