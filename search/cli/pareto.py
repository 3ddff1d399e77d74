"""`pareto`: a study's front, or those on its devices, as a table and as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from search.cli.browse import print_front
from search.cli.command import command, json_option, name_argument, output, storage_option
from search.cli.stored import definition_of, existing_storage, file_option
from search.cli.trial_rows import cost_objective, ordered, ordered_front, view

if TYPE_CHECKING:
    from search.objectives import Objective
    from search.study_view import StudyView
    from search.trials import TrialTable


@command("pareto", example="pareto nasbench201\npareto nasbench201 --plot front.png --json\n"
    "pareto nasbench201 --device pixel3 --plot pixel3.png\npareto nasbench201 --metric params")  # fmt: skip
@name_argument
@click.option("--device", "devices", multiple=True, metavar="D",
              help="The front on a device, any that has a stored latency table; may be repeated.")  # fmt: skip
@click.option("--metric", "metrics", multiple=True, metavar="M",
              help="The front of these metrics, M or M=maximize; one alone goes with the first objective.")  # fmt: skip
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Also draw it: .png, .svg or .pdf.")  # fmt: skip
@file_option
@storage_option
@json_option
def pareto(
    *, name: str, devices: tuple[str, ...], metrics: tuple[str, ...], plot: Path | None, file: str | None,
    storage: str, json: bool,
) -> None:  # fmt: skip
    """Show the trials of a study that no other one dominates, the cheapest first.

    Of a study of several devices: the front on each, all from the same trials.
    """
    from search.cli.device_costs import DeviceCosts
    from search.cli.device_fronts import device_fronts, draw_device_fronts, front_records, print_fronts
    from search.cli.picture import draw, title_of
    from search.study import Study
    from search.study_tables import devices_with_latency

    if devices and metrics:
        raise ValueError("--device and --metric exclude each other: a device's front is that of its latency")
    out = output(json=json)
    with existing_storage(storage) as store, closing(Study.open(store, name)) as study:
        own = devices_with_latency(study.settings)
        chosen = list(dict.fromkeys(devices)) or (own if len(own) > 1 and not metrics else [])
        fronts = device_fronts(study, DeviceCosts(store, study, lambda: definition_of(study, file)), chosen)
        if len(fronts) > 1:
            if plot is not None:
                draw_device_fronts(study, fronts, plot)
            out.document({"study": name, "fronts": front_records(study, fronts), "picture": _text(plot)})
            print_fronts(out, study, fronts)
        else:
            objectives = fronts[0].objectives if fronts else _directed(study, metrics) or study.objectives
            front = fronts[0].front if fronts else _front(study, objectives)
            if plot is not None:
                draw(study, plot, title_of(study, objectives), fronts[0].trials if fronts else None, objectives)
            records = view(study, front, extra=sorted(front.metrics)).records(front)
            out.document({"study": name, "front": records, "picture": _text(plot)})
            print_front(out, study, front, () if objectives is study.objectives else objectives)
        if plot is not None:
            out.line(f"picture: {plot}")


def _front(study: StudyView, objectives: Sequence[Objective]) -> TrialTable:
    """Return the front of some objectives, the cheapest first."""
    if objectives == study.objectives:
        return ordered_front(study)
    found = study.front({objective.metric: objective.direction for objective in objectives})
    return ordered(found, cost_objective(objectives).metric)


def _directed(study: StudyView, metrics: Sequence[str]) -> tuple[Objective, ...]:
    """Return metrics, each `M` or `M=DIRECTION`, as objectives; one alone comes after the study's first objective."""
    found: dict[str, str] = {}
    for text in metrics:
        metric, _, direction = text.partition("=")
        found[metric] = direction or study.directed([metric])[0].direction
    first = study.objectives[0]
    return study.directed({first.metric: first.direction, **found} if len(found) == 1 else found) if found else ()


def _text(plot: Path | None) -> str | None:
    return None if plot is None else str(plot)
