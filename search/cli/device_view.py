"""A device's model for people: what each entry costs, where the model comes from, how far it is off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from search.cli.output import Column, Output
from search.decisions import labels_of
from search.metric_names import number

if TYPE_CHECKING:
    from hardware_models.documents import DeviceModel
    from hardware_models.held_out import HeldOut
    from hardware_models.learned_table import LearnedTable
    from hardware_models.listed_table import ListedTable

ENDS = 5
"""How many of the fastest and of the slowest networks are printed."""


def print_model(out: Output, model: DeviceModel) -> None:
    """Print any model."""
    from hardware_models.imported_table import IMPORTED_FROM
    from hardware_models.latency_table import LatencyTable
    from hardware_models.learned_table import LearnedTable
    from search.cli.profile import print_table

    if isinstance(model, LatencyTable):
        print_table(out, model)
        source = model.provenance.software.get(IMPORTED_FROM)
        if source:
            out.line(f"imported from {source}: what its file does not say of the measurements is not known")
        return
    if isinstance(model, LearnedTable):
        _print_learned(out, model)
    else:
        _print_listed(out, model)
    origin = model.origin
    batch = "unknown" if origin.batch is None else str(origin.batch)
    out.line(
        f"{origin.device}, engine {origin.engine}, batch {batch}: {origin.method} from {origin.networks:,} networks of "
        f"{model.space.name} in {origin.source} ({origin.created_at[:10]})"
    )
    if model.validation is not None:
        out.line(held_out_text(model.validation))


def held_out_text(check: HeldOut) -> str:
    """Return a report in a line."""
    ranks = ", ".join(
        f"{name} {'-' if value is None else f'{value:.3f}'}"
        for name, value in (("Kendall tau", check.kendall_tau), ("Spearman", check.spearman))
    )
    how = "each left out once" if check.folds == check.networks else f"{check.folds}-fold cross-validation"
    return (
        f"held out ({check.networks:,} networks, {how}): mean error {100 * check.mape:.2f} %, median "
        f"{100 * check.median_error:.2f} %, RMSE {number(check.rmse_ms)} ms, {ranks}"
    )


def _print_learned(out: Output, table: LearnedTable) -> None:
    columns = [Column("decision"), Column("choice"), Column("adds (ms)", True)]
    rows = [
        [decision if index == 0 else "", label, number(effect)]
        for decision, choices, effects in zip(table.space.decisions, table.space.choices, table.effects_ms, strict=True)
        for index, (label, effect) in enumerate(zip(labels_of(choices), effects, strict=True))
    ]
    out.table(columns, rows)
    pairs = f", and what {len(table.pairs)} pairs of decisions add together" if table.pairs else ""
    least = f", at least {number(table.least_ms)} ms" if table.least_ms else ""
    out.line(f"latency = {number(table.intercept_ms)} ms + what each choice adds{pairs}{least}")


def _print_listed(out: Output, table: ListedTable) -> None:
    order, grid = np.argsort(table.latencies_ms, kind="stable"), table.space.grid()
    ends = [*order[:ENDS], *order[max(len(order) - ENDS, ENDS) :]]
    rows = [[table.space.code(grid[rank]), number(float(table.latencies_ms[rank]))] for rank in ends]
    out.table([Column("architecture"), Column("latency (ms)", True)], rows)
    quantiles = np.quantile(table.latencies_ms, (0.0, 0.1, 0.5, 0.9, 1.0))
    out.line(
        f"the {ENDS} fastest and slowest of {len(order):,} networks; at 0, 10, 50, 90, 100 %: "
        f"{', '.join(number(float(value)) for value in quantiles)} ms"
    )
