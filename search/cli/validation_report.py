"""How good a latency table is, for people and programs: the errors on networks that it never saw, beside the noise."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.cli.measuring import Measured
from search.cli.output import Column, Output
from search.metric_names import number

if TYPE_CHECKING:
    from hardware_models.latency_table import LatencyTable
    from hardware_models.validation import ValidationReport


def print_validation(out: Output, table: LatencyTable, picture: Path | None) -> None:
    """Print the error report and, where the table is worse than its noise allows, what is wrong with it."""
    report = table.validation
    if report is None:
        out.line("not validated: no networks were measured that could be held out")
        return
    columns = [Column(f"on {report.networks} networks not used"), Column("table", True), Column("truth's halves", True)]
    out.line()
    out.table(columns, _rows(report))
    if picture is not None:
        out.line(f"picture: {picture}")
    warning = table.warning()
    out.line(f"WARNING: do not rely on this table: {warning}" if warning else "as good as the noise allows")


def _rows(report: ValidationReport) -> list[list[str]]:
    return [
        ["mean error (MAPE)", _percent(report.mape), _percent(report.truth_mape)],
        ["Kendall tau", _three(report.kendall_tau), _three(report.truth_kendall_tau)],
        ["Pearson", _three(report.pearson, 4), ""],
        ["RMSE (ms)", number(report.rmse_ms, 3), ""],
        ["largest error", _percent(report.max_error), ""],
        ["within 5 %", f"{report.within_5:.0%}", ""],
        ["within 10 %", f"{report.within_10:.0%}", ""],
    ]


def summary(report: ValidationReport) -> str:
    """Return the report in a few lines, for a picture."""
    return (
        f"mean error {_percent(report.mape)} (truth's halves {_percent(report.truth_mape)})\n"
        f"Kendall tau {_three(report.kendall_tau)} ({_three(report.truth_kendall_tau)})\n"
        f"within 5 % {report.within_5:.0%}, within 10 % {report.within_10:.0%}"
    )


def record(measured: Measured, picture: Path | None) -> dict[str, Any] | None:
    """Return the report as plain values, with each network's latencies; None where nothing was validated."""
    report = measured.table.validation
    if report is None:
        return None
    latencies = zip(measured.predicted_ms.tolist(), measured.measured_ms.tolist(), strict=True)
    return {
        **dataclasses.asdict(report), "warning": measured.table.warning(),
        "picture": None if picture is None else str(picture),
        "latencies": [{"predicted_ms": predicted, "measured_ms": truth} for predicted, truth in latencies],
    }  # fmt: skip


def _percent(fraction: float | None) -> str:
    return "-" if fraction is None else f"{100 * fraction:.2f} %"


def _three(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
