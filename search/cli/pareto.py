"""`pareto`: a study's front as a table, and as a picture."""

from __future__ import annotations

from pathlib import Path

import click

from search.cli.browse import print_front
from search.cli.command import command, json_option, name_argument, output, storage_option
from search.cli.stored import stored_study
from search.cli.trial_rows import ordered_front, view


@command("pareto", example="pareto nasbench201\npareto nasbench201 --plot front.png --json")
@name_argument
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Also draw it: .png, .svg or .pdf.")  # fmt: skip
@storage_option
@json_option
def pareto(name: str, plot: Path | None, storage: str, json: bool) -> None:
    """Show the trials of a study that no other one dominates, the cheapest first."""
    from search.cli.picture import draw, title_of

    out = output(json=json)
    with stored_study(storage, name) as study:
        front = ordered_front(study)
        if plot is not None:
            draw(study, plot, title_of(study, str(study.settings.get("device", ""))))
        records = view(study, front, extra=sorted(front.metrics)).records(front)
        out.document({"study": name, "front": records, "picture": str(plot) if plot else None})
        print_front(out, study, front)
        if plot is not None:
            out.line(f"picture: {plot}")
