"""`list`, `show`, `trials`: what is stored, read without disturbing a running study."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from search.cli.command import command, json_option, name_argument, output, storage_option
from search.cli.output import Column, Output
from search.cli.stored import existing_storage, not_made_yet, storage_hint, stored_study
from search.cli.tables import version_text
from search.cli.trial_rows import ordered_front, spread, view
from search.launch_command import DONE, launch_words
from search.metric_names import ago
from search.study_tables import metric_of, recosts_of, tables_used

if TYPE_CHECKING:
    from search.objectives import Objective
    from search.study_view import StudyView
    from search.trials import TrialTable

FRONT_ROWS = 12
VALUE = re.compile(r"^\S+ is -?[\d.e+-]+: expected ")
NOTHING_YET = "no trial has completed within the constraints yet"


@command("list", example="list\nlist --storage sqlite:///results/search.db --json")
@storage_option
@json_option
def list_studies(storage: str, json: bool) -> None:
    """List the stored studies, the newest last."""
    out = output(json=json)
    summaries = []
    if not not_made_yet(storage):
        with existing_storage(storage) as store:
            summaries = store.studies()
    out.document({"studies": [_summary(summary) for summary in summaries]})
    if not summaries:
        out.line(f"no studies yet; begin with: python -m search launch nasbench201{storage_hint(storage)}")
        return
    columns = [Column("study"), Column("state"), Column("done", True), Column("of", True), Column("objectives"),
               Column("changed")]  # fmt: skip
    out.table(columns, [_summary_row(_summary(summary)) for summary in summaries])


@command("show", example="show nasbench201")
@name_argument
@storage_option
@json_option
def show(name: str, storage: str, json: bool) -> None:
    """Show one study: its state, settings, best results and Pareto front."""
    out = output(json=json)
    with stored_study(storage, name) as study:
        front = ordered_front(study)
        facts = study_facts(study)
        out.document({**facts, "front": view(study, front).records(front)})
        counts = ", ".join(f"{count:,} {state.lower()}" for state, count in facts["counts"].items() if count)
        out.line(f"{name}: {_standing(study)}")
        out.line(f"trials: {counts or 'none'}; budget {study.max_trials:,}; seed {facts['seed']}")
        out.line(f"algorithm: {_settings_text(facts['algorithm'])}")
        out.line(f"objectives: {', '.join(f'{metric} ({way})' for metric, way in facts['objectives'].items())}")
        if facts["constraints"]:
            out.line(f"constraints: {', '.join(facts['constraints'])}")
        for line in [*_table_lines(study.settings), *_preparation_lines(study.settings)]:
            out.line(line)
        out.line()
        print_front(out, study, front)
        why = "" if len(front) else why_line(study, storage_hint(storage))
        if why:
            out.line(why)
            return
        out.line(f"picture: python -m search pareto {name} --plot {name}.png{storage_hint(storage)}")
        words = launch_words(name, study.settings)
        if study.state != "running" and study.reason not in DONE and words:
            out.line(f"go on: python -m search {words}{storage_hint(storage)}")


def why_line(study: StudyView, hint: str) -> str:
    """Return the command that shows why trials gave no result: those of what befell most; "" where none ended so."""
    from search.trials import TrialState

    counts = study.counts()
    state = max((TrialState.FAILED, TrialState.INFEASIBLE, TrialState.STOPPED), key=lambda state: counts[state])
    return f"why: python -m search trials {study.name} --state {state.lower()}{hint}" if counts[state] else ""


@command("trials", example="trials nasbench201 --limit 20\ntrials nasbench201 --state failed --json")
@name_argument
@click.option("--state", type=click.Choice([
    "pending", "running", "completed", "infeasible", "stopped", "failed"], case_sensitive=False),
    help="Only trials in this state.")  # fmt: skip
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the last N trials.")
@storage_option
@json_option
def trials(name: str, state: str | None, limit: int | None, storage: str, json: bool) -> None:
    """List a study's trials with their metrics and decisions."""
    import numpy as np

    out = output(json=json)
    with stored_study(storage, name) as study:
        table = study.trials(states=None if state is None else [state.upper()])
        if limit is not None:
            table = table.select(np.arange(max(len(table) - limit, 0), len(table)))
        shown = view(study, table, extra=sorted(table.metrics))
        out.document({"study": name, "trials": shown.records(table)})
        if len(table):
            shown.print(out, table, states=True)
            _print_reasons(out, table)
        else:
            out.line("no trials" + (f" are {state.lower()}" if state else " yet"))


def print_front(out: Output, study: StudyView, front: TrialTable, objectives: Sequence[Objective] = ()) -> None:
    """Print the front as a table of at most 12 rows, evenly spread, with the best of each objective at its ends.

    It is a front of the study's objectives, or of those that are given.
    """
    if not len(front):
        out.line(NOTHING_YET)
        return
    import numpy as np

    rows = spread(len(front), FRONT_ROWS)
    left_out = f", {len(rows)} of them shown" if len(rows) < len(front) else ""
    title = (
        f"Pareto front: {len(front)} trial{'s' if len(front) > 1 else ''}{left_out}"
        if len(objectives or study.objectives) > 1
        else "Best trial"
    )
    view(study, front, objectives=objectives).print(out, front.select(np.array(rows)), title=title)


def _standing(study: StudyView) -> str:
    """Return a study's state, and why."""
    state, reason = study.state, study.reason
    if state == "interrupted":
        host, seen_at = study.driver
        where = f" on host {host}" if host else ""
        when = f" {ago(time.time() - seen_at)}" if seen_at else ""
        reason = f"its driver{where} stopped answering{when}; no result is lost"
    return f"{state} - {reason}" if reason else state


def study_facts(study: StudyView) -> dict[str, Any]:
    """Return what a study is and how it stands, as plain values."""
    return {
        "study": study.name,
        "state": study.state,
        "reason": study.reason,
        "counts": {str(state): count for state, count in study.counts().items()},
        "max_trials": study.max_trials,
        "seed": study.seed,
        "objectives": {objective.metric: objective.direction for objective in study.objectives},
        "constraints": [str(constraint) for constraint in study.constraints],
        "algorithm": study.algorithm_settings,
        "settings": study.settings,
    }


def _table_lines(settings: dict[str, Any]) -> list[str]:
    """Return which versions of latency tables a study's latencies come from, and came from before."""
    lines = [f"{metric_of(name)}: table {version_text(facts)}" for name, facts in tables_used(settings).items()]
    for change in recosts_of(settings):
        before = change.get("before")
        was = f"until then table {version_text(before)}" if isinstance(before, dict) else "added then"
        lines.append(f"{', '.join(map(str, change.get('metrics', [])))} costed anew {change.get('at')}: {was}")
    return lines


def _preparation_lines(settings: dict[str, Any]) -> list[str]:
    """Return which preparations a study's trials share."""
    return [
        f"preparation: {item.get('kind')}, {str(item.get('key'))[:12]}" for item in settings.get("preparations", ())
    ]


def _print_reasons(out: Output, table: TrialTable) -> None:
    """Print why trials did not complete, each reason once; of a broken constraint without each trial's value."""
    reasons: dict[str, list[int]] = {}
    for trial, reason in zip(table.numbers.tolist(), table.reasons.tolist(), strict=True):
        if reason:
            said = VALUE.sub("expected ", reason.splitlines()[0])
            reasons.setdefault(said, []).append(trial)
    for reason, numbers in reasons.items():
        shown = ", ".join(map(str, numbers[:5])) + (", ..." if len(numbers) > 5 else "")
        trials = "trial" if len(numbers) == 1 else "trials"
        out.line(f"{len(numbers)} ended with: {reason} ({trials} {shown})")


def _summary(summary: Any) -> dict[str, Any]:
    import dataclasses

    return dataclasses.asdict(summary)


def _summary_row(summary: dict[str, Any]) -> list[str]:
    objectives = ", ".join(f"{metric} {way}" for metric, way in dict(summary["objectives"]).items())
    age = ago(time.time() - summary["updated_at"])
    done = sum(count for state, count in summary["counts"].items() if state not in ("PENDING", "RUNNING"))
    return [
        summary["name"],
        summary["reason"] or summary["state"],
        f"{done:,}",
        f"{summary['max_trials']:,}",
        objectives,
        age,
    ]


def _settings_text(settings: dict[str, Any]) -> str:
    rest = ", ".join(f"{key}={value}" for key, value in settings.items() if key != "name")
    return f"{settings.get('name', '?')}{f' ({rest})' if rest else ''}"
