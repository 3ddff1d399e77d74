"""Trials as a table for people and as records for programs; the commands share the way they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from search.cli.output import Column, Output
from search.decisions import Decisions, read_decisions
from search.metric_names import heading, number
from search.study_tables import metric_of, objectives_on

if TYPE_CHECKING:
    import numpy as np

    from search.objectives import Objective
    from search.study_view import StudyView
    from search.trials import TrialTable


@dataclass(frozen=True, slots=True)
class TrialView:
    """How the trials of one study are shown: the metrics in order, objectives first, and the decisions' labels."""

    metrics: tuple[str, ...]
    decisions: Decisions

    def print(self, out: Output, table: TrialTable, *, states: bool = False, title: str = "") -> None:
        """Print a table of trials: number, state if wished, metrics with their units, decisions."""
        columns = [Column("trial", numeric=True)]
        columns += [Column("state")] if states else []
        columns += [Column(heading(metric), numeric=True) for metric in self.metrics]
        rows = [self._row(table, index, states=states) for index in range(len(table))]
        out.table([*columns, Column("decisions")], rows, title)
        if len(table) and self.decisions.columns:
            out.line(f"decisions: {self.decisions.names}")

    def record(self, table: TrialTable, index: int) -> dict[str, Any]:
        """Return one trial as plain values."""
        genotype = table.genotypes[index].tolist()
        return {
            "number": int(table.numbers[index]),
            "state": str(table.states[index]),
            "metrics": {name: float(values[index]) for name, values in table.metrics.items()},
            "genotype": genotype,
            "decisions": self.decisions.values(genotype),
            "attempt": int(table.attempts[index]),
            "reason": str(table.reasons[index]),
            "elapsed_s": float(table.elapsed_s[index]),
        }

    def records(self, table: TrialTable) -> list[dict[str, Any]]:
        """Return every trial as plain values."""
        return [self.record(table, index) for index in range(len(table))]

    def _row(self, table: TrialTable, index: int, *, states: bool) -> list[str]:
        cells = [str(table.numbers[index])]
        cells += [str(table.states[index])] if states else []
        cells += [_metric(table.metrics.get(metric), index) for metric in self.metrics]
        return [*cells, self.decisions.text(table.genotypes[index].tolist())]


def view(
    study: StudyView, table: TrialTable, extra: Sequence[str] = (), objectives: Sequence[Objective] = ()
) -> TrialView:
    """Return how `study` shows its trials: objectives first, constraints next, then `extra` metrics it has.

    Where other `objectives` than the study's are given, those alone.
    """
    wanted = [objective.metric for objective in objectives or study.objectives]
    if not objectives:
        wanted += [constraint.metric for constraint in study.constraints]
        reported = study.settings.get("report")
        wanted += [str(metric) for metric in reported] if isinstance(reported, list) else []
    wanted += [metric for metric in extra if metric in table.metrics]
    return TrialView(tuple(dict.fromkeys(wanted)), read_decisions(study.space.get("columns")))


def ordered_front(study: StudyView) -> TrialTable:
    """Return the front in the order of its cheapest objective: the first that is minimised, else the last one."""
    return ordered(study.front(), cost_objective(study.objectives).metric)


def device_front(study: StudyView, name: str) -> TrialTable:
    """Return the front on one of the study's devices, the fastest first; see `objectives_on`."""
    return ordered(study.front({o.metric: o.direction for o in objectives_on(study.objectives, name)}), metric_of(name))


def ordered(table: TrialTable, metric: str) -> TrialTable:
    """Return trials by a metric that all of them have, the least first."""
    import numpy as np

    return table.select(np.argsort(table.metrics[metric], kind="stable")) if len(table) else table


def cost_objective(objectives: Sequence[Objective]) -> Objective:
    """Return the objective that stands on a picture's x axis: the first minimised one, else the last."""
    return next((objective for objective in objectives if objective.direction == "minimize"), objectives[-1])


def spread(count: int, limit: int) -> list[int]:
    """Return up to `limit` indices of 0..count-1, evenly spread, both ends included."""
    if count <= limit:
        return list(range(count))
    if limit == 1:
        return [count // 2]
    return sorted({round(index * (count - 1) / (limit - 1)) for index in range(limit)})


def _metric(values: np.ndarray | None, index: int) -> str:
    return "-" if values is None else number(float(values[index]))
