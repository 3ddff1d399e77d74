"""The fronts of one study on several devices, from the same trials: as a table, as records, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.cli.browse import NOTHING_YET
from search.cli.output import Column, Output
from search.cli.picture import front_picture
from search.cli.trial_rows import ordered, spread, view
from search.decisions import read_decisions
from search.metric_names import heading, number
from search.pareto import front_of
from search.plots import Axis, draw_fronts
from search.study_devices import LATENCY
from search.study_tables import objectives_on

if TYPE_CHECKING:
    from search.cli.device_costs import DeviceCosts
    from search.objectives import Objective
    from search.study_view import StudyView
    from search.trials import TrialTable

ROWS = 24
"""How many rows the table has at most, about the same number of each device's front."""


@dataclass(frozen=True, slots=True)
class DeviceFront:
    """One device's front.

    Attributes:
      device: its name.
      objectives: what the front is of, the latency on the device the last one.
      trials: every trial of the study, with that latency where it has ended.
      place: the device's among all that the storage knows, which gives its colour.
    """

    device: str
    objectives: tuple[Objective, ...]
    trials: TrialTable
    place: int

    @property
    def metric(self) -> str:
        """The latency on the device."""
        return self.objectives[-1].metric

    @property
    def front(self) -> TrialTable:
        """The completed trials that no other dominates, the fastest first."""
        return ordered(self.trials.select(front_of(self.trials, self.objectives)), self.metric)


def device_fronts(study: StudyView, costs: DeviceCosts, devices: Sequence[str]) -> list[DeviceFront]:
    """Return the fronts of a study on some devices; all of the trials have the latencies on all of them."""
    table = study.trials(states=["COMPLETED", "INFEASIBLE"])
    for device in devices:
        table = costs.costed(table, device)
    places = list(dict.fromkeys([*costs.devices_in_order(), *devices]))
    return [
        DeviceFront(device, objectives_on(study.objectives, costs.name_of(device)), table, places.index(device))
        for device in devices
    ]


def print_fronts(out: Output, study: StudyView, fronts: Sequence[DeviceFront]) -> None:
    """Print the fronts as one table: each trial with its latencies, and on which devices' fronts it is."""
    import numpy as np

    of = {front.device: front.front for front in fronts}
    if not any(map(len, of.values())):
        out.line(NOTHING_YET)
        return
    each = max(ROWS // len(fronts), 2)
    some = {int(front.numbers[row]) for front in of.values() for row in spread(len(front), each)}
    table = fronts[0].trials
    table = table.select(np.isin(table.numbers, sorted(some)))
    kept = list(dict.fromkeys(objective.metric for front in fronts for objective in front.objectives[:-1]))
    table = ordered(table, kept[0]) if kept else table
    decisions = read_decisions(study.space.get("columns"))
    metrics = [*kept, *dict.fromkeys(front.metric for front in fronts)]
    rows = [
        [
            str(table.numbers[row]),
            *(number(float(table.metrics[metric][row])) for metric in metrics),
            ", ".join(device for device, front in of.items() if table.numbers[row] in front.numbers),
            decisions.text(table.genotypes[row].tolist()),
        ]
        for row in range(len(table))
    ]
    columns = [Column("trial", True), *(Column(heading(metric), True) for metric in metrics)]
    lengths = ", ".join(f"{len(front)} on {device}" for device, front in of.items())
    every = len(set().union(*(front.numbers.tolist() for front in of.values())))
    shown = f"; {len(table)} of {every} trials shown" if len(table) < every else ""
    out.table([*columns, Column("on the front of"), Column("decisions")], rows, f"Pareto fronts: {lengths}{shown}")
    if decisions.columns:
        out.line(f"decisions: {decisions.names}")


def front_records(study: StudyView, fronts: Sequence[DeviceFront]) -> dict[str, list[dict[str, Any]]]:
    """Return each device's front as plain values."""
    return {front.device: view(study, front.front).records(front.front) for front in fronts}


def draw_device_fronts(study: StudyView, fronts: Sequence[DeviceFront], path: Path) -> None:
    """Draw the fronts on common axes to `path`. Raises ValueError for a bad path, and for fronts of latency alone."""
    if any(len(front.objectives) < 2 for front in fronts):
        raise ValueError(f"study {study.name!r} has no objective to draw against the latency")
    quality = heading(fronts[0].objectives[0].metric)
    title, axis = f"{study.name}: {quality} against latency on {len(fronts)} devices", Axis(LATENCY, minimised=True)
    pictures = {front.device: front_picture(study, front.trials, front.objectives, title) for front in fronts}
    places = [front.place for front in fronts]
    draw_fronts({name: replace(picture, x=axis) for name, picture in pictures.items()}, places, path)
