"""The kinds of plain operators: what each computes, in groups that cost alike.

Shapes are `(channels, height, width)` of images, `(tokens, channels)` of sequences and `(channels,)` of vectors.
A new kind stands here, in `hardware_models/counts.py` where it has weights or multiplies, and in
`hardware_models/torch_ops.py`; a test holds the three together.
"""

from __future__ import annotations

LAYERS = frozenset({"attention", "conv2d", "linear", "matmul", "token_importance", "token_merge"})
"""What multiplies and accumulates.

`conv2d`; `linear`, on the last axis; `matmul` of two inputs (..., n, k) and (..., k, m); `attention`, scaled dot
products as `hardware_models.attention` describes; `token_importance`, how much the first of n tokens attends to each, a
mean over heads (n,), from queries, keys and values side by side, or from queries and keys apart; `token_merge`, (n,
channels) to the first m tokens, each of the others averaged into the one of them that is most alike (cosine
similarity). The last two are DiffRate's: Chen et al., ICCV 2023.
"""

NORMS = frozenset({"batch_norm1d", "batch_norm2d", "group_norm", "layer_norm"})
"""Normalisation with scale and shift: over the last axis of vectors and sequences, or the channels of images."""

EMBEDDINGS = frozenset({"class_token", "position_embedding"})
"""Learned values: a token put before the others; a sequence added to the input."""

ACTIVATIONS = frozenset(
    {"elu", "gelu", "hardsigmoid", "hardswish", "leaky_relu", "mish", "relu", "relu6", "sigmoid", "silu", "tanh"}
)
"""Functions of each number."""

POOLS = frozenset(
    {"adaptive_avg_pool2d", "adaptive_max_pool2d", "avg_pool2d", "global_avg_pool", "max_pool2d", "token_mean"}
)
"""Averages and maxima; a global average keeps two axes of size 1 where its output has three; a mean over all tokens."""

VIEWS = frozenset({"dropout", "first_token", "flatten", "identity", "image_to_tokens", "split", "tokens_to_image"})
"""What computes and moves nothing: another view of the input. `split` gives the first part along the first axis."""

ARITHMETIC = frozenset({"add", "mul"})
"""Sums and products of inputs, broadcast."""

MOVES = frozenset({"channel_shuffle", "concat", "resize_bilinear", "resize_nearest", "softmax", "token_prune"})
"""What is copied or computed into new memory, without weights.

`concat` joins along the first axis; `channel_shuffle` by `groups`, as in ShuffleNet: Zhang et al., CVPR 2018;
`token_prune` keeps the m tokens of (n, channels) whose importance, its second input (n,), is largest, in their order.
"""

WEIGHTLESS = ACTIVATIONS | POOLS | VIEWS | ARITHMETIC | MOVES
"""What holds no weights and multiplies nothing by any."""

KINDS = LAYERS | NORMS | EMBEDDINGS | WEIGHTLESS
"""All of them."""
