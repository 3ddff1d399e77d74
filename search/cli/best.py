"""`best`: one trial of a study: the best in an objective, within bounds if wished, or the knee of a front."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

import click

from search.cli.browse import NOTHING_YET
from search.cli.command import command, json_option, name_argument, output, storage_option
from search.cli.stored import definition_of, existing_storage, file_option, storage_hint
from search.cli.trial_rows import view
from search.metric_names import heading, number
from search.study_devices import devices_named
from search.study_tables import metric_of, objectives_on

if TYPE_CHECKING:
    import numpy as np

    from search.cli.device_costs import DeviceCosts
    from search.cli.output import Output
    from search.objectives import Constraint, Objective
    from search.study_view import StudyView
    from search.trials import TrialTable


@command("best", example="best nasbench201\nbest nasbench201 --metric latency_ms --json\n"
    "best nasbench201 --within 'latency_ms@pixel3 <= 12'\nbest nasbench201 --knee --device pixel3")  # fmt: skip
@name_argument
@click.option("--metric", metavar="METRIC", help="The objective to be best in; the first one by default.")
@click.option("--within", "bounds", multiple=True, metavar="BOUND",
              help="Only trials within a bound, e.g. 'latency_ms@pixel3 <= 12'; may be repeated.")  # fmt: skip
@click.option("--knee", is_flag=True, help="The knee of the front instead: the best trade of all its objectives.")
@click.option("--device", metavar="D", help="With --knee: that of the front on a device.")
@file_option
@storage_option
@json_option
def best(
    *, name: str, metric: str | None, bounds: tuple[str, ...], knee: bool, device: str | None, file: str | None,
    storage: str, json: bool,
) -> None:  # fmt: skip
    """Show the best trial of one objective among those that meet every constraint.

    A bound on the latency on any device with a stored table is computed where trials lack it.
    """
    from search.cli.device_costs import DeviceCosts
    from search.objectives import parse_constraints
    from search.study import Study

    if device is not None and not knee:
        raise ValueError("--device goes with --knee; bound the latency on a device by --within 'latency_ms@D <= ...'")
    if metric is not None and knee:
        raise ValueError("--metric and --knee exclude each other: a knee is of all objectives")
    out = output(json=json)
    with existing_storage(storage) as store, closing(Study.open(store, name)) as study:
        costs = DeviceCosts(store, study, lambda: definition_of(study, file))
        table, unmet = _within(study.trials(states=["COMPLETED"]), costs, parse_constraints(bounds))
        if device is not None:
            table = costs.costed(table, device)
            table = _knee(table, objectives_on(study.objectives, costs.name_of(device)))
        else:
            table = _knee(table, study.objectives) if knee else _best(study, table, metric)
        _show(out, study, table, storage, unmet or NOTHING_YET)


def _show(out: Output, study: StudyView, table: TrialTable, storage: str, otherwise: str) -> None:
    """Print the only trial of a table, or why there is none."""
    shown = view(study, table, extra=sorted(table.metrics))
    record = shown.record(table, 0) if len(table) else None
    out.document({"study": study.name, "trial": record})
    if record is None:
        out.line(otherwise)
        return
    out.line(f"trial {record['number']}")
    for key in shown.metrics:
        out.line(f"  {heading(key)}: {number(record['metrics'].get(key))}")
    for key, value in record["decisions"].items():
        out.line(f"  {key} = {number(value) if isinstance(value, float) else value}")
    out.line(
        f"take it: python -m search export {study.name} --trial {record['number']} "
        f"--to {study.name}-{record['number']}{storage_hint(storage)}"
    )


def _within(table: TrialTable, costs: DeviceCosts, bounds: Sequence[Constraint]) -> tuple[TrialTable, str]:
    """Return the trials within all bounds, and why there are none where a bound leaves none of some.

    Latencies on devices are computed where trials lack them.
    """
    import numpy as np

    unmet = ""
    for bound in bounds:
        metric = bound.metric
        for device in devices_named([metric], ()):
            table, metric = costs.costed(table, device), metric_of(costs.name_of(device))
        if metric not in table.metrics and len(table):
            raise ValueError(f"no trial has {metric!r}: they have {', '.join(table.metrics)}")
        values = table.metrics.get(metric, np.zeros(0))
        held = np.isfinite(values)
        within = held & (bound.excess(values) == 0)
        if held.any() and not within.any():
            unmet = f"no trial is within {bound}: {bound.nearest(values[held], f'{held.sum():,} trials')}"
        table = table.select(within)
    return table, unmet


def _best(study: StudyView, table: TrialTable, metric: str | None) -> TrialTable:
    """Return the trial that is best in an objective; of equals one that no other dominates. Raises ValueError."""
    import numpy as np

    from search.pareto import best_within

    metrics = [objective.metric for objective in study.objectives]
    if metric is not None and metric not in metrics:
        raise ValueError(f"{metric!r} is not an objective of {study.name!r}: expected {' or '.join(metrics)}")
    row = best_within(_points(table, study.objectives), metrics.index(metric or metrics[0]), {})
    return table.select(np.array([] if row is None else [row], np.intp))


def _knee(table: TrialTable, objectives: Sequence[Objective]) -> TrialTable:
    """Return the trial at the knee of the front of some objectives."""
    import numpy as np

    from search.pareto import knee

    row = knee(_points(table, objectives))
    return table.select(np.array([] if row is None else [row], np.intp))


def _points(table: TrialTable, objectives: Sequence[Objective]) -> np.ndarray:
    """Return the trials' scores, shape (n, objectives), larger is better, NaN where unknown."""
    import numpy as np

    unknown = np.full(len(table), np.nan)
    return np.stack([each.sign * table.metrics.get(each.metric, unknown) for each in objectives], axis=1)
