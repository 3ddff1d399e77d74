"""NASNet-A: its two cells, and the three networks that were published of them.

Source: Zoph et al. 2017 (arXiv 1707.07012) and its code, `nasnet_utils.py` and `nasnet.py` of TF-slim
(github.com/tensorflow/models, research/slim/nets/nasnet).
"""

from __future__ import annotations

from typing import Any

BlockCode = tuple[tuple[int, int], tuple[str, str], str]
"""Two states, what is done to each, and how the two are combined."""

NORMAL: tuple[BlockCode, ...] = (
    ((0, 1), ("sep_conv_5x5", "sep_conv_3x3"), "add"),
    ((1, 1), ("sep_conv_5x5", "sep_conv_3x3"), "add"),
    ((0, 1), ("avg_pool_3x3", "identity"), "add"),
    ((1, 1), ("avg_pool_3x3", "avg_pool_3x3"), "add"),
    ((0, 0), ("sep_conv_3x3", "identity"), "add"),
)

REDUCTION: tuple[BlockCode, ...] = (
    ((0, 1), ("sep_conv_5x5", "sep_conv_7x7"), "add"),
    ((0, 1), ("max_pool_3x3", "sep_conv_7x7"), "add"),
    ((0, 1), ("avg_pool_3x3", "sep_conv_5x5"), "add"),
    ((3, 2), ("identity", "avg_pool_3x3"), "add"),
    ((2, 0), ("sep_conv_3x3", "max_pool_3x3"), "add"),
)

KEPT: dict[str, Any] = {"normal_kept": (1,), "reduction_kept": (3,)}
"""The states that each cell puts out although its blocks read them: without them widths are not the published ones."""

STACKS: dict[str, dict[str, Any]] = {
    "nasnet_a_mobile": {
        "cells": 12, "filters": 44, "stem": "imagenet", "stem_filters": 32, "resolution": 224, "classes": 1000,
        "dropout": 0.5, **KEPT,
    },
    "nasnet_a_large": {
        "cells": 18, "filters": 168, "stem": "imagenet", "stem_filters": 96, "resolution": 331, "classes": 1000,
        "dropout": 0.5, "skip_reduction": True, "drop_path_keep": 0.7, **KEPT,
    },
    "nasnet_a_cifar": {
        "cells": 18, "filters": 32, "stem": "cifar", "stem_filters": 96, "resolution": 32, "classes": 10,
        "drop_path_keep": 0.6, **KEPT,
    },
}  # fmt: skip
"""The settings of `spaces.nasnet.nasnet` that a published network's space has."""

TITLES = {
    "NASNet-A mobile 4@1056": "nasnet_a_mobile",
    "NASNet-A large 6@4032": "nasnet_a_large",
    "NASNet-A CIFAR 6@768": "nasnet_a_cifar",
}
"""Cells a stage and channels before the classifier, as the paper names its networks."""
