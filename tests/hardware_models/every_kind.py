"""At least one operator of every kind, and composites of them."""

from __future__ import annotations

from hardware_models.attention import attention, packed_attention, self_attention
from hardware_models.op import Op, chain, conv2d, elementwise, linear, pool2d

IMAGE, WIDE, TOKENS = (4, 6, 6), (8, 6, 6), (9, 8)

SQUEEZE = chain(
    "squeeze_excitation",
    Op("global_avg_pool", (WIDE,), (8, 1, 1)),
    conv2d((8, 1, 1), 2, 1, bias=True),
    elementwise("relu", (2, 1, 1)),
    conv2d((2, 1, 1), 8, 1, bias=True),
    elementwise("hardsigmoid", (8, 1, 1)),
    Op("mul", (WIDE, (8, 1, 1)), WIDE),
)
"""Hu et al., CVPR 2018, section 3."""

PLAIN = (
    conv2d((3, 15, 9), 16, 3, stride=2),
    conv2d((16, 9, 9), 16, 5, stride=2, groups=16),
    conv2d((16, 9, 9), 32, 3, groups=4, dilation=2, bias=True),
    conv2d((4, 9, 12), 6, 7, along="width"),
    conv2d((4, 9, 12), 6, 3, stride=2, dilation=2, along="height"),
    conv2d((3, 16, 16), 8, 4, stride=4, padding=0, bias=True),
    linear((32,), 10),
    linear((7, 32), 10, bias=False),
    Op("matmul", ((5, 8), (8, 3)), (5, 3)),
    Op("matmul", ((4, 7, 16), (4, 16, 9)), (4, 7, 9)),
    attention(TOKENS, 2),
    attention(TOKENS, 2, keys=(5, 8), values=(5, 12)),
    attention(TOKENS, 2, values=(9, 12), bias=True),
    packed_attention((9, 40), 4, 24),
    packed_attention((12, 24), 2, 8, window=4),
    Op("token_importance", ((9, 24),), (9,), heads=2),
    Op("token_importance", ((9, 8), (9, 8)), (9,), heads=2),
    Op("token_merge", (TOKENS,), (5, 8)),
    Op("token_prune", (TOKENS, (9,)), (5, 8)),
    Op("class_token", (TOKENS,), (10, 8)),
    Op("first_token", (TOKENS,), (8,)),
    Op("token_mean", (TOKENS,), (8,)),
    Op("image_to_tokens", (IMAGE,), (36, 4)),
    Op("tokens_to_image", (TOKENS,), (8, 3, 3)),
    elementwise("position_embedding", TOKENS),
    elementwise("batch_norm1d", TOKENS),
    elementwise("batch_norm1d", (8,)),
    elementwise("batch_norm2d", IMAGE),
    elementwise("layer_norm", TOKENS),
    Op("group_norm", (IMAGE,), IMAGE, groups=2),
    Op("channel_shuffle", (IMAGE,), IMAGE, groups=2),
    elementwise("softmax", TOKENS),
    *(elementwise(kind, IMAGE) for kind in ("dropout", "elu", "gelu", "hardsigmoid", "hardswish", "identity")),
    *(elementwise(kind, IMAGE) for kind in ("leaky_relu", "mish", "relu", "relu6", "sigmoid", "silu", "tanh")),
    elementwise("add", IMAGE, 2),
    elementwise("add", IMAGE, 3),
    Op("mul", (IMAGE, (4, 1, 1)), IMAGE),
    Op("concat", (IMAGE, (2, 6, 6)), (6, 6, 6)),
    Op("split", (IMAGE,), (1, 6, 6)),
    Op("resize_bilinear", (IMAGE,), (4, 12, 9)),
    Op("resize_nearest", (IMAGE,), (4, 12, 9)),
    pool2d("avg_pool2d", IMAGE, 3),
    pool2d("max_pool2d", IMAGE, 2, 2, padding=0),
    Op("adaptive_avg_pool2d", (IMAGE,), (4, 2, 2)),
    Op("adaptive_max_pool2d", (IMAGE,), (4, 2, 2)),
    Op("global_avg_pool", (IMAGE,), (4,)),
    Op("global_avg_pool", (IMAGE,), (4, 1, 1)),
    Op("flatten", (IMAGE,), (144,)),
)

COMPOSITES = (
    chain("relu_conv", elementwise("relu", IMAGE), conv2d(IMAGE, 8, 3), elementwise("batch_norm2d", WIDE)),
    SQUEEZE,
    chain("block_with_gates", conv2d(IMAGE, 8, 1), SQUEEZE, conv2d(WIDE, 4, 1)),
    self_attention(TOKENS, 2),
    self_attention(TOKENS, 2, query_width=3, value_width=5, window=3, bias=False),
)

OPS = (*PLAIN, *COMPOSITES)
