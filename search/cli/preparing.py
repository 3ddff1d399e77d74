"""A launch's preparations: those that are stored are shared, the others are run before the first trial."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.cli.failures import Failure
from search.cli.interruption import Interrupted, Interruption
from search.cli.output import Output
from search.cli.preparation_recipe import StudyPreparation
from search.cli.progress import ProgressLine
from search.cli.runs import preparation_folder
from search.launchers.preparing import LOCK, Ended, PreparationEvent, Step, is_worked_on
from search.metric_names import number
from search.preparation_key import digest_of, key_of, made_from
from search.preparations import (
    Preparation,
    begin_preparation,
    load_preparation,
    record_step,
    save_preparation,
    steps_kept,
    users,
)

if TYPE_CHECKING:
    from search.algorithms._learned import LogProbabilities
    from search.known_metrics import KnownMetrics
    from search.launchers._base import Launcher
    from search.storage import Storage
    from search.study_file import StudyDefinition

SHORT = 12
"""Letters of a key that are shown."""

SHOWN = 3
"""Metrics of a preparation that are shown while it runs."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a study's preparations have left.

    Attributes:
      used: what the study keeps of each: key, kind and cost.
      folders: of each.
      distributions: all that they have learnt, by preparation, then by task.
    """

    used: tuple[dict[str, Any], ...] = ()
    folders: tuple[Path, ...] = ()
    distributions: tuple[LogProbabilities, ...] = ()


@dataclass(slots=True)
class _Job:
    """One preparation of the study file: what stands in the database, and how many of its steps do.

    It `waits` while another process works in its folder.
    """

    recipe: StudyPreparation
    preparation: Any
    row: Preparation
    label: str
    kept: int = 0
    waits: bool = False
    metrics: Mapping[str, float] = field(default_factory=dict)

    def line(self, *, share: bool = True) -> str:
        """Return what it measured last, and its share done."""
        values = [f"{name} {number(value, 4)}" for name, value in list(self.metrics.items())[:SHOWN]]
        label = f"{self.label} (by another process)" if self.waits else self.label
        return ", ".join([f"{label} {self.row.progress:.0%}" if share else label, *values])


class Preparing:
    """Brings a study's preparations to their end. It alone writes to the database."""

    def __init__(
        self, storage: Storage, definition: StudyDefinition, known: KnownMetrics | None, out: Output, address: str
    ) -> None:
        """Take the study, its known metrics, and the storage's URL, beside which folders are made.

        Raises ValueError for a cost that is not known or does not add up over the space's decisions, for settings by
        which equal preparations cannot be told, and for two that are equal.
        """
        self._storage, self._definition, self._out = storage, definition, out
        labels = labels_of(definition.preparations)
        self._jobs = [self._job(index, label, known, address) for index, label in enumerate(labels)]
        keys = [job.row.key for job in self._jobs]
        for index, key in enumerate(keys):
            if key in keys[:index]:
                raise ValueError(f"preparations {keys.index(key)} and {index} are the same: {labels[index]}")

    @property
    def keys(self) -> list[str]:
        """The key of each."""
        return [job.row.key for job in self._jobs]

    @property
    def left(self) -> list[str]:
        """What those are called that are not finished."""
        return [job.label for job in self._jobs if job.row.state != "COMPLETED"]

    def run(self, launcher: Launcher, stop: Interruption, progress: ProgressLine) -> None:
        """Run what is not finished. Raises Failure for what fails, Interrupted where it is time to stop."""
        for job in self._jobs:
            if job.row.state == "COMPLETED":
                self._say_shared(job)
        jobs = [job for job in self._jobs if job.row.state != "COMPLETED"]
        if not jobs:
            return
        for job in jobs:
            self._begin(job)
        with closing(launcher.prepare([job.recipe for job in jobs], stop)) as events, suppress(Interrupted):  # type: ignore[type-var]
            self._listen(jobs, events, progress)
        progress.close()
        if self.left:
            self._out.note(f"{', '.join(self.left)}: not finished; launch again to go on from the last checkpoint")
            raise Interrupted

    def _listen(self, jobs: Sequence[_Job], events: Iterable[PreparationEvent], progress: ProgressLine) -> None:
        """Keep and show what happens, until all have ended or no more does."""
        for event in events:
            if isinstance(event, Step):
                if not self._measured(jobs[event.index], event):
                    continue
            elif isinstance(event, Ended):
                progress.close()
                self._ended(jobs[event.index], event.reason)
            else:
                self._look_at_others(jobs)
            going = [job for job in jobs if job.row.state == "RUNNING"] or jobs
            lines = [job.line(share=len(going) > 1) for job in going]
            together = "; together" if len(going) > 1 else ""
            progress.message(f"{' · '.join(lines)}{together}", sum(job.row.progress for job in going) / len(going))

    def prepared(self) -> Prepared:
        """Return what all of them have left, once they are finished. Raises Failure where a result cannot be read."""
        from search.algorithms._learned import checked

        distributions: list[LogProbabilities] = []
        for job in self._jobs:
            try:
                learnt = job.preparation.distributions(Path(job.row.path))
                distributions += [checked(self._definition.space, tuple(each)) for each in learnt.values()]
            except Exception as error:
                raise Failure(f"what {job.label} has learnt cannot be read from {job.row.path}: {error}") from error
        used = tuple({"key": job.row.key, "kind": job.row.kind, "cost": job.preparation.cost} for job in self._jobs)
        return Prepared(used, tuple(Path(job.row.path) for job in self._jobs), tuple(distributions))

    def _job(self, index: int, label: str, known: KnownMetrics | None, address: str) -> _Job:
        definition = self._definition
        preparation = definition.preparations[index]
        costs = self._costs(preparation.cost, known)
        made = made_from(preparation, definition.space.fingerprint, definition.seed, costs)
        row = load_preparation(self._storage.database, key_of(made))
        if row is None:
            row = Preparation(key_of(made), preparation.kind, settings=made)
        elif row.state == "COMPLETED" and not Path(row.path).is_dir():
            row = replace(row, state="RUNNING", progress=0.0)
        elif row.state == "COMPLETED":
            _check_files(row)
        folder = row.path if row.path and Path(row.path).is_dir() else str(preparation_folder(row.key, address))
        workers = getattr(preparation, "workers", 1)
        recipe = StudyPreparation(definition.recipe, index, folder, costs, definition.seed, workers)
        return _Job(recipe, preparation, row, label)

    def _costs(self, metric: str | None, known: KnownMetrics | None) -> Any:
        from search.costing.additive import additive_costs

        if metric is None:
            return None
        if known is None:
            raise ValueError(f"a preparation needs {metric!r}, and the study has no hardware model that gives it")
        return additive_costs(self._definition.space, known, metric)

    def _say_shared(self, job: _Job) -> None:
        names = users(self._storage.database).get(job.row.key, [])
        of = f", of stud{'y' if len(names) == 1 else 'ies'} {', '.join(names)}" if names else ""
        self._out.note(f"{job.label}: stored as preparation {job.row.key[:SHORT]}{of}")

    def _begin(self, job: _Job) -> None:
        """Make the folder, and keep that the preparation runs; without a folder, it begins afresh."""
        folder = Path(job.recipe.folder)
        afresh = not folder.is_dir()
        folder.mkdir(parents=True, exist_ok=True)
        row = replace(job.row, state="RUNNING", path=str(folder), sha256="", reason="")
        row = replace(row, progress=0.0) if afresh else row
        job.row = begin_preparation(self._storage.database, row, afresh=afresh)
        job.kept = steps_kept(self._storage.database, row.key)
        goes_on = f", going on at {row.progress:.0%}" if row.progress else ""
        job.waits = is_worked_on(folder)
        waits = "; another process works on it, and this one waits for that" if job.waits else ""
        self._out.note(f"{job.label}: preparation {row.key[:SHORT]}{goes_on}{waits}")

    def _look_at_others(self, jobs: Sequence[_Job]) -> None:
        """Read how far those are that other processes work on."""
        for job in jobs:
            if job.waits and (row := load_preparation(self._storage.database, job.row.key)):
                job.row = replace(job.row, progress=row.progress)

    def _measured(self, job: _Job, step: Step) -> bool:
        """Keep a step, unless an earlier attempt has kept it; return whether it is new."""
        job.metrics = step.metrics
        if job.waits:
            job.waits, job.kept = False, steps_kept(self._storage.database, job.row.key)
        if step.step < job.kept:
            return False
        row = replace(job.row, progress=step.share)
        job.row = record_step(self._storage.database, row, step.step, step.metrics)
        job.kept = step.step + 1
        return True

    def _ended(self, job: _Job, reason: str) -> None:
        """Keep how a preparation has ended. Raises Failure where it failed."""
        database = self._storage.database
        if reason:
            job.row = save_preparation(database, replace(job.row, state="FAILED", reason=reason))
            first = reason.partition("\n")[0]
            raise Failure(
                f"{job.label} failed: {first} (the whole: python -m search preparations {job.row.key[:SHORT]})"
            )
        digest = digest_of(Path(job.row.path), LOCK)
        job.row = save_preparation(database, replace(job.row, state="COMPLETED", progress=1.0, sha256=digest))
        self._out.note(job.line())


def labels_of(preparations: Sequence[Any]) -> list[str]:
    """Return what preparations are called: by kind and cost, and by what else tells those apart that have the same."""
    labels = [each.kind if each.cost is None else f"{each.kind} for {each.cost}" for each in preparations]
    alike = {label: [preparations[at] for at, other in enumerate(labels) if other == label] for label in labels}
    return [
        f"{label} ({differing})" if (differing := _differing(each, alike[label])) else label
        for label, each in zip(labels, preparations, strict=True)
    ]


def _differing(preparation: Any, others: Sequence[Any]) -> str:
    """Return those fields of a preparation that are not the same in all of the others."""
    names = [each.name for each in fields(preparation)]
    shown = {name: {repr(getattr(other, name, None)) for other in others} for name in names}
    return ", ".join(f"{name}={getattr(preparation, name)!r}" for name in names if len(shown[name]) > 1)


def _check_files(row: Preparation) -> None:
    """Raise ValueError where the files that a finished preparation left are not the same."""
    if digest_of(Path(row.path), LOCK) != row.sha256:
        raise ValueError(
            f"the files of preparation {row.key[:SHORT]} ({row.kind}) are not those that it left in {row.path}: "
            f"restore them, or remove the folder to have it made again"
        )


def check_same(name: str, stored: Mapping[str, Any], keys: Sequence[str]) -> None:
    """Raise ValueError where a stored study has used other preparations: its trials would not be comparable."""
    from search.preparations import keys_used

    if stored and keys_used(stored) != list(keys):
        was, now = ([key[:SHORT] for key in each] or ["none"] for each in (keys_used(stored), keys))
        raise ValueError(
            f"study {name!r} is stored with preparations {', '.join(was)}, not {', '.join(now)}: use another study "
            f"name, or the settings, seed and latency tables that they were made from"
        )
