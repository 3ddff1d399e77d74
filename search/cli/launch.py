"""`launch`: run a study, or go on with it, and show what it found."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from search.cli.command import NAME, command, json_option, name_option, output, storage_option
from search.cli.failures import ExitCode
from search.cli.interruption import TIME_IS_UP, Interrupted, Interruption

if TYPE_CHECKING:
    from search.study_file import StudyDefinition


@command("launch", example="launch nasbench201\n"
    "launch nasbench201 --max-trials 500 --workers 4 --storage postgresql://user@host/search\n"
    "launch my_study.py --name first --set max_trials=50 --launcher serial")  # fmt: skip
@click.argument("study")
@name_option
@storage_option
@click.option("--max-trials", type=click.IntRange(min=1), metavar="N", help="Trials in all; a larger number extends.")
@click.option("--max-time", type=click.FloatRange(min=0, min_open=True), metavar="S", help="Stop after S seconds.")
@click.option("--launcher", type=click.Choice(["ray", "serial"]), help="Where evaluations run.")
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Ray workers; as many as there is room for.")
@click.option("--address", metavar="A", help="The Ray cluster to join; $RAY_ADDRESS, else one is started here.")
@click.option("--seed", type=click.IntRange(min=0), metavar="S", help="Of every random number.")
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="Replace a value of the study file.")
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Where the picture goes; NAME-pareto.png beside the database by default.")  # fmt: skip
@json_option
def launch(
    *, study: str, name: str | None, storage: str, max_trials: int | None, max_time: float | None, launcher: str | None,
    workers: int | None, address: str | None, seed: int | None, assignments: tuple[str, ...], plot: Path | None,
    json: bool,
) -> int:  # fmt: skip
    """Run STUDY, a shipped study's name or the path of a study file.

    Launching the same name again goes on where it stopped. Ctrl-C stops cleanly: nothing that finished is lost.
    """
    from search.cli.runs import runs_folder
    from search.cli.session import Session
    from search.plots import check_picture_path
    from search.storage import open_storage
    from search.study_file import load_study_file

    settings = {"max_trials": max_trials, "launcher": launcher, "workers": workers, "seed": seed}
    overrides = {**_pairs(assignments), **{key: str(value) for key, value in settings.items() if value is not None}}
    if plot is not None:
        check_picture_path(plot)
    with Interruption(max_time) as stop:
        try:
            definition = load_study_file(study, overrides)
            with closing(open_storage(storage)) as store:
                name = name or _name_of(definition)
                session = Session(output(json=json), store, definition, name, address, stop, runs_folder(name, storage))
                return session.run(plot, storage)
        except Interrupted:
            return int(ExitCode.BUDGET_LEFT) if stop() == TIME_IS_UP else stop.exit_code


def _pairs(assignments: Sequence[str]) -> dict[str, str]:
    """Return `--set` options as key and value."""
    pairs = [assignment.partition("=") for assignment in assignments]
    wrong = [assignment for assignment, (key, sign, _) in zip(assignments, pairs, strict=True) if not sign or not key]
    if wrong:
        raise ValueError(f"--set {wrong[0]!r} is not understood: expected KEY=VALUE, e.g. --set max_trials=500")
    return {key.strip(): value for key, _, value in pairs}


def _name_of(definition: StudyDefinition) -> str:
    """Return the study file's stem, which must be able to name a study."""
    if not NAME.fullmatch(definition.name):
        raise ValueError(f"the file name {definition.name!r} cannot name a study: give it another one with --name")
    return definition.name
