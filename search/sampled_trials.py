"""A study as PyGlove shows one: `pg.tuning.Result`, with its trials, read from the database at each call."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyglove as pg
import sqlalchemy as sa

from search.algorithms._dna_notes import dna_of, is_plain, plain
from search.annotations import Annotations
from search.database import Database
from search.errors import StorageCorrupt
from search.genotype_text import genotypes_of
from search.schema import measurements, steps, trial_links, trial_metadata, trials
from search.spec_document import spec_of
from search.storage import Storage
from search.study_view import StudyView
from search.trials import UNFINISHED, TrialState
from spaces.genotype import GenotypeSpace

SPEC = "pyglove"
"""The setting of a study that holds its specification."""


def value_text(value: Any) -> str:
    """Return a value as JSON text. Raises ValueError unless it is plain: what is stored is never made an object of."""
    try:
        text = str(pg.to_json_str(value))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{value!r:.200} cannot be kept: {error}") from error
    if not is_plain(json.loads(text)):
        raise ValueError(
            f"{value!r:.200} cannot be kept: expected numbers, texts, lists, tuples or mappings of them; "
            f"keep pg.to_json_str(value), and read it with pg.from_json_str where you trust it"
        )
    return text


def value_of(text: str) -> Any:
    """Return the value of a text that `value_text` wrote."""
    return plain(json.loads(text))


class SampledTrials:
    """Reads the trials of a study as `pg.tuning.Trial`."""

    def __init__(self, database: Database, study_id: int, space: GenotypeSpace, metrics: tuple[str, ...]) -> None:
        """Take the study's space and the metrics that it optimizes."""
        self._database = database
        self._study_id = study_id
        self._space = space
        self._metrics = metrics
        self._annotations = Annotations(database, study_id)

    def read(self, number: int | None = None, *, states: tuple[str, ...] | None = None) -> list[pg.tuning.Trial]:
        """Return all trials in order, or the one of that number, or those in these states."""
        these = [trials.c.study_id == self._study_id]
        these += [] if number is None else [trials.c.number == number]
        these += [] if states is None else [trials.c.state.in_(states)]
        same = (measurements.c.study_id == trials.c.study_id) & (measurements.c.number == trials.c.number)
        of_steps = (steps.c.study_id == trials.c.study_id) & (steps.c.number == trials.c.number)
        with self._database.read() as connection:
            rows = connection.execute(sa.select(trials).where(*these).order_by(trials.c.number)).mappings().all()
            values: dict[tuple[int, int], dict[str, float]] = {}
            for row in connection.execute(sa.select(measurements).join(trials, same).where(*these)):
                values.setdefault((row.number, row.step), {})[row.name] = row.value
            order = (steps.c.number, steps.c.step)
            about = connection.execute(sa.select(steps).join(trials, of_steps).where(*these).order_by(*order)).all()
        measured: dict[int, list[pg.tuning.Measurement]] = {}
        for row in about:
            found = values.get((row.number, row.step), {})
            measured.setdefault(row.number, []).append(self._measurement(row, found))
        metadata, links = (self._annotations.of_trials(table, number) for table in (trial_metadata, trial_links))
        return [self._trial(row, measured, metadata, links) for row in rows]

    def _measurement(self, row: Any, values: Mapping[str, float]) -> pg.tuning.Measurement:
        single = self._metrics[0] if len(self._metrics) == 1 else "reward"
        metrics = {name: value for name, value in values.items() if name != "reward"}
        return pg.tuning.Measurement(
            step=row.step,
            elapse_secs=row.elapsed_s,
            reward=values.get("reward", values.get(single)),
            metrics=metrics,
            checkpoint_path=row.checkpoint_path,
        )

    def _trial(
        self,
        row: sa.RowMapping,
        measured: Mapping[int, list[pg.tuning.Measurement]],
        metadata: Mapping[int, Mapping[str, str]],
        links: Mapping[int, Mapping[str, str]],
    ) -> pg.tuning.Trial:
        number, done = row["number"], row["state"] not in UNFINISHED
        steps_taken = measured.get(number, [])
        infeasible = done and row["state"] != TrialState.COMPLETED
        final = steps_taken[-1] if steps_taken and not infeasible else pg.tuning.Measurement(
            step=0, elapse_secs=0.0, reward=0.0)  # fmt: skip
        genotype: np.ndarray = genotypes_of([row["genotype"]], self._space.width, self._space.dtype)[0]
        return pg.tuning.Trial(
            id=number + 1,
            description=row["reason"] or None,
            dna=dna_of(self._space, genotype, row["note"] or ""),
            status="COMPLETED" if done else "PENDING",
            final_measurement=final if done else None,
            infeasible=infeasible,
            measurements=steps_taken,
            metadata={name: value_of(text) for name, text in metadata.get(number, {}).items()},
            related_links=dict(links.get(number, {})),
            created_time=int(row["created_at"]),
            completed_time=int(row["finished_at"]) if row["finished_at"] is not None else None,
        )


class SampledResult(pg.tuning.Result):  # type: ignore[misc]
    """What `pg.poll_result` returns: every property asks the database."""

    def __init__(self, storage: Storage, name: str) -> None:
        """Look the study up. Raises StudyNotFound, and StorageCorrupt where it does not hold its specification."""
        super().__init__()
        self._view = StudyView(storage, name)
        try:
            space = GenotypeSpace(spec_of(self._view.settings[SPEC]))
        except (KeyError, TypeError, ValueError) as error:
            raise StorageCorrupt(
                f"study {name!r} does not hold the specification of its space ({error!r}): expected one of pg.sample"
            ) from error
        metrics = tuple(objective.metric for objective in self._view.objectives)
        self._trials = SampledTrials(storage.database, self._view.id, space, metrics)
        self._annotations = Annotations(storage.database, self._view.id)

    @property
    def metadata(self) -> dict[str, Any]:
        """The metadata of the whole sampling."""
        return {name: value_of(text) for name, text in self._annotations.metadata().items()}

    @property
    def is_active(self) -> bool:
        """Whether workers may still take trials: the loop was not ended, the budget and the space are not used up."""
        return self._view.state != "ended"

    @property
    def last_updated(self) -> datetime.datetime:
        """When anything last changed."""
        return datetime.datetime.fromtimestamp(self._view.updated_at, tz=datetime.UTC)

    @property
    def trials(self) -> list[pg.tuning.Trial]:
        """All trials, by id."""
        return self._trials.read()

    @property
    def best_trial(self) -> pg.tuning.Trial | None:
        """The trial of the highest (first) metric; of equal ones the earliest. None without a result."""
        best = self._view.best().numbers.tolist()
        return self._trials.read(best[0])[0] if best else None

    def format(
        self,
        compact: bool = False,
        verbose: bool = True,  # noqa: ARG002 - PyGlove's interface
        root_indent: int = 0,
        **kwargs: Any,
    ) -> str:
        """Return a summary: how many trials are in which state, and the best."""
        counts = self._view.counts()
        total = sum(counts.values())
        pending = sum(counts[state] for state in UNFINISHED)
        completed = {"PENDING": pending, "COMPLETED": total - pending}
        summary: dict[str, Any] = {"name": self._view.name}
        summary["status"] = {status: f"{count}/{total}" for status, count in completed.items() if count}
        infeasible = total - pending - counts[TrialState.COMPLETED]
        if infeasible:
            summary["infeasible"] = f"{infeasible}/{total}"
        best = self.best_trial
        if best is not None:
            final = best.final_measurement
            summary["best_trial"] = {
                "id": best.id, "reward": final.reward, "step": final.step, "dna": best.dna.format(compact=True)
            }  # fmt: skip
        return str(pg.format(summary, compact, False, root_indent, **kwargs))
