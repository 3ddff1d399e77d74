"""One launch of a study: known metrics, the search itself, direct measurements, the report."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.algorithms._learned import uniform
from search.cli.device_costs import DeviceCosts
from search.cli.early_check import check_early
from search.cli.failures import ExitCode, Failure
from search.cli.interruption import INTERRUPTED, Interrupted, Interruption
from search.cli.known import Known, known_metrics
from search.cli.latency import is_this_machine
from search.cli.output import Output
from search.cli.preparing import Prepared, Preparing, check_same
from search.cli.progress import ProgressLine
from search.cli.report import Report, print_report
from search.cli.runs import KeepingRecipe, results_folder
from search.cli.tables import table_line, warning_of
from search.cli.unmet import unmet
from search.cli.verify import Verification, verify
from search.errors import StudyNotFound
from search.launch_command import DONE
from search.preparations import USED
from search.problem import problem_of
from search.study import Study
from search.study_tables import RECOSTS, recosts_of, tables_used, with_tables
from search.trials import FINISHED, TrialState

if TYPE_CHECKING:
    from search.launchers._base import Launcher
    from search.storage import Storage
    from search.study_file import StudyDefinition
    from search.study_view import StudyView


@dataclass(frozen=True, slots=True)
class Session:
    """What one launch works with."""

    out: Output
    storage: Storage
    definition: StudyDefinition
    name: str
    address: str | None
    stop: Interruption
    runs: Path

    def run(self, plot: Path | None, storage_url: str) -> int:
        """Run the study until it ends or is stopped; print what it found; return the exit code."""
        began = time.monotonic()
        progress = ProgressLine(live=self.out.live)
        try:
            self._say_begin()
            stored = self._stored()
            self._check_early()
            known = self._known(stored, progress)
            prepared = self._prepare(stored, known, progress, storage_url)
            with closing(self._study(stored, known, prepared)) as study:
                before = finished(study)
                self._say_ready(study, before, known)
                reason = self._search(study, prepared, progress)
                new = finished(study) - before
                verified = self._verify(study, known, progress) if reason in DONE and new else Verification()
                study.finish(reason)
                progress.close()
                if reason in DONE and self.definition.constraints and not sum(study.counts().values()):
                    study.close()
                    self.storage.delete(self.name)
                    raise Failure(
                        f"no candidate was found within {unmet(self.definition, known.metrics)}; loosen it",
                        ExitCode.BAD_INPUT,
                    )
                picture = (
                    None if reason == INTERRUPTED else plot or results_folder(storage_url) / f"{self.name}-pareto.png"
                )
                costs = DeviceCosts(self.storage, study, lambda: self.definition)
                report = Report(study, costs, reason, new, time.monotonic() - began, verified, picture, storage_url)
                print_report(self.out, report)
                return self._exit_code(study, reason)
        finally:
            progress.close()

    def _stored(self) -> dict[str, Any]:
        """Return what is kept with the study so far; nothing for a new one."""
        try:
            return Study.open(self.storage, self.name).settings
        except StudyNotFound:
            return {}

    def _check_early(self) -> None:
        """Have what the study needs looked at before all else, unless its budget is used up."""
        try:
            done = finished(Study.open(self.storage, self.name)) >= self.definition.max_trials
        except StudyNotFound:
            done = False
        if not done:
            check_early(self.definition, self.address)

    def _known(self, stored: Mapping[str, Any], progress: ProgressLine) -> Known:
        """Return the known metrics; a latency table is measured where none is stored, which Ctrl-C may break off."""

        def say(text: str, fraction: float) -> None:
            self.stop.check()
            progress.message(text, fraction)

        known = known_metrics(self.storage, self.definition, tables_used(stored), say)
        progress.close()
        return known

    def _prepare(self, stored: Mapping[str, Any], known: Known, progress: ProgressLine, url: str) -> Prepared:
        """Run the study's preparations, once it is certain that the study can be searched with them."""
        definition = self.definition
        preparing = Preparing(self.storage, definition, known.metrics, self.out, url)
        check_same(self.name, stored, preparing.keys)
        if not preparing.keys:
            return Prepared()
        if preparing.left:
            asked = problem_of(
                definition.space, definition.objectives, definition.constraints, seed=definition.seed,
                budget=definition.max_trials, known=known.metrics, distributions=[uniform(definition.space)],
            )  # fmt: skip
            definition.algorithm.start(asked)
        preparing.run(make_launcher(definition, self.address), self.stop, progress)
        return preparing.prepared()

    def _study(self, stored: Mapping[str, Any], known: Known, prepared: Prepared) -> Study:
        """Return the study, made or resumed; refused where its tables were changed since `stored` was read."""
        definition = self.definition
        settings = settings_of(definition) | {"runs": str(self.runs)}
        settings |= with_tables(stored, known.facts)
        settings |= {RECOSTS: recosts_of(stored)} if stored else {}
        settings |= {USED: list(prepared.used)} if prepared.used else {}
        return Study.create_or_resume(
            self.storage, self.name, definition.space, definition.algorithm, definition.objectives,
            definition.constraints, max_trials=definition.max_trials, seed=definition.seed, known=known.metrics,
            retries=definition.retries, settings=settings, distributions=prepared.distributions,
        )  # fmt: skip

    def _say_begin(self) -> None:
        """Say on stderr what is searched."""
        definition = self.definition
        count = definition.space.size
        size = "open floats" if count is None else f"{count:,} candidate{'s' if count > 1 else ''}"
        self.out.note(f"{self.name}: {definition.description or 'a study'}")
        self.out.note(f"{size}, {definition.algorithm.name}, {definition.launcher} launcher, seed {definition.seed}")

    def _say_ready(self, study: Study, done: int, known: Known) -> None:
        """Say on stderr where latencies come from, and where a study goes on."""
        for name, table in known.tables.items():
            self.out.note(table_line(table, name))
            warning = warning_of(table.model)
            if warning is not None:
                self.out.note(f"warning: {f'{name}: ' if name else ''}{warning}")
        for name, model in known.models.items():
            self.out.note(f"{name}: {model['model']}, given in the study file")
        if study.remark:
            self.out.note(study.remark)
        if done:
            self.out.note(f"going on at {done:,} of {study.max_trials:,} trials")

    def _search(self, study: Study, prepared: Prepared, progress: ProgressLine) -> str:
        """Run the launcher and return why it ended; an evaluation that outlives its grace is cut off."""
        launcher = make_launcher(self.definition, self.address)
        recipe = KeepingRecipe(self.definition.recipe, str(self.runs), prepared.folders)
        reason = launcher.run(study, recipe, self.stop, progress)
        progress.close()
        self.stop.disarm()
        return reason

    def _verify(self, study: Study, known: Known, progress: ProgressLine) -> Verification:
        """Measure networks of the front directly, where the study's latencies come from a table of this machine."""
        here = [
            (name, table)
            for name, table in known.tables.items()
            if callable(table.model) and is_this_machine(table.origin["device"])
        ]
        if not here:
            return Verification()

        def say(done: int, total: int) -> None:
            if self.stop.signal is not None:
                raise Interrupted
            progress.message(f"measuring {self.definition.measure} networks of the front", done / total)

        name, table = here[0]
        return verify(study, self.definition.space, table, name, self.definition.measure, say)

    def _exit_code(self, study: Study, reason: str) -> int:
        if reason == INTERRUPTED:
            return self.stop.exit_code
        if reason not in DONE:
            return int(ExitCode.BUDGET_LEFT)
        counts = study.counts()
        failed = counts[TrialState.FAILED]
        if failed and failed == sum(counts.values()):
            reason = str(study.trials().reasons[0]).partition("\n")[0]
            said = f"all {failed} trials failed, the first" if failed > 1 else "the only trial failed"
            raise Failure(f"{said} with: {reason}")
        return int(ExitCode.DONE)


def finished(study: StudyView) -> int:
    """Return how many trials have ended, however they did."""
    counts = study.counts()
    return sum(counts[state] for state in FINISHED)


def make_launcher(definition: StudyDefinition, address: str | None) -> Launcher:
    """Return the launcher that the study names. Raises ValueError for an address without Ray."""
    if definition.launcher == "serial":
        if address is not None:
            raise ValueError("--address joins a Ray cluster: use it with --launcher ray")
        from search.launchers.serial import SerialLauncher

        return SerialLauncher(timeout_s=definition.timeout_s)
    from search.launchers.ray import RayLauncher

    return RayLauncher(
        workers=definition.workers,
        cpus_per_worker=definition.cpus_per_worker,
        gpus_per_worker=definition.gpus_per_worker,
        timeout_s=definition.timeout_s,
        address=address,
    )


def settings_of(definition: StudyDefinition) -> dict[str, Any]:
    """Return what is kept with the study of where it comes from."""
    return {
        "study": definition.name,
        "study_file": definition.source.path,
        "overrides": dict(definition.source.overrides),
        "description": definition.description,
        "report": list(definition.report),
        "launcher": definition.launcher,
        "evaluator": re.sub(r" at 0x[0-9a-f]+", "", repr(definition.evaluator))[:1000],
        "options": definition.options,
    }
