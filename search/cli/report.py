"""What a launch says at its end: the front, measured latencies, the picture, where results lie, what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from search.cli.browse import print_front, study_facts
from search.cli.device_costs import DeviceCosts
from search.cli.device_fronts import device_fronts, draw_device_fronts, front_records, print_fronts
from search.cli.output import Output
from search.cli.picture import draw, title_of
from search.cli.stored import shown_storage, storage_hint
from search.cli.trial_rows import ordered_front, view
from search.cli.verify import Verification, print_verification, records
from search.launch_command import DONE, launch_words
from search.metric_names import duration, number
from search.study_tables import devices_with_latency
from search.trials import TrialState

if TYPE_CHECKING:
    from search.study_view import StudyView
    from search.trials import TrialTable


@dataclass(frozen=True, slots=True)
class Report:
    """What is known at the end of a launch.

    Attributes:
      study: the study, still open.
      costs: its latencies on its devices.
      reason: why the launch ended.
      new: trials finished by this launch.
      elapsed_s: how long it took.
      verified: what was measured directly.
      picture: where the picture is to go; None for none.
      storage_url: as the user gave it.
    """

    study: StudyView
    costs: DeviceCosts
    reason: str
    new: int
    elapsed_s: float
    verified: Verification
    picture: Path | None
    storage_url: str


def print_report(out: Output, report: Report) -> None:
    """Draw the picture and print everything."""
    study, front = report.study, ordered_front(report.study)
    names = devices_with_latency(study.settings)
    fronts = device_fronts(study, report.costs, names) if len(names) > 1 else []
    picture = report.picture if len(front) else None
    if picture is not None and fronts and all(len(front.objectives) > 1 for front in fronts):
        draw_device_fronts(study, fronts, picture)
    elif picture is not None:
        draw(study, picture, title_of(study, study.objectives))
    out.document({
        **study_facts(study), "reason": report.reason, "new_trials": report.new, "elapsed_s": report.elapsed_s,
        "storage": shown_storage(report.storage_url), "front": view(study, front).records(front),
        **({"fronts": front_records(study, fronts)} if fronts else {}),
        "measured": records(report.verified), "picture": str(picture) if picture else None,
    })  # fmt: skip
    out.line(_outcome(report))
    out.line()
    if fronts and len(front):
        print_fronts(out, study, fronts)
    else:
        print_front(out, study, front)
    print_verification(out, report.verified)
    out.line()
    if picture is not None:
        out.line(f"picture: {picture}")
    out.line(f"results: study {study.name} in {shown_storage(report.storage_url)}")
    out.line(_next(report, front))


def _outcome(report: Report) -> str:
    """Return the line that says what became of the launch."""
    counts = {str(state).lower(): count for state, count in report.study.counts().items() if count}
    states = ", ".join(f"{count:,} {state}" for state, count in counts.items())
    rate = f" ({number(report.new / report.elapsed_s, 3)}/s)" if report.new else ""
    return f"{report.study.name}: {report.reason} after {duration(report.elapsed_s)}; {states or 'no trials'}{rate}"


def _next(report: Report, front: TrialTable) -> str:
    """Return the command to try next: going on where budget is left, else taking a network along."""
    study, hint = report.study, storage_hint(report.storage_url)
    if report.reason not in DONE:
        return f"go on: python -m search {launch_words(study.name, study.settings)}{hint}"
    if not len(front):
        failed = " --state failed" if study.counts()[TrialState.FAILED] else ""
        return f"why: python -m search trials {study.name}{failed}{hint}"
    trial = int(front.numbers[len(front) // 2])
    return f"next: python -m search export {study.name} --trial {trial} --to {study.name}-{trial}{hint}"
