"""The backend "sql" of PyGlove's `pg.sample`: persistence, resumption and many processes, by one argument.

import search.backend

for example, feedback in pg.sample(space, pg.evolution.regularized_evolution(), num_examples=100,
                                   name="mine", backend="sql", storage="sqlite:///search.db"):
    feedback(evaluate(example))
print(pg.poll_result("mine", backend="sql", storage="sqlite:///search.db").best_trial)
"""

from __future__ import annotations

import json
import os
import threading
import uuid
from collections.abc import Sequence
from typing import Any
from weakref import WeakValueDictionary

import pyglove as pg

from search.algorithms._base import Algorithm
from search.algorithms.pyglove import PyGlove
from search.algorithms.registry import make_algorithm
from search.errors import StudyChanged, StudyNotFound
from search.launch_command import DEFAULT_STORAGE
from search.objectives import Constraint, Objective, parse_constraints
from search.sampled_feedback import SampledFeedback
from search.sampled_trials import SPEC, SampledResult, SampledTrials
from search.shared_study import RETRIES, SharedStudy
from search.spec_document import spec_document
from search.storage import Storage, open_storage
from search.study_row import LARGEST_TRIALS
from search.trials import FINISHED
from spaces.genotype import GenotypeSpace

STORAGE_VARIABLE = "SEARCH_STORAGE"


class SqlBackend(pg.tuning.Backend):  # type: ignore[misc]
    """A sampling that is kept in a database.

    Several processes may call `pg.sample` with the same name and storage: each works on trials of its own, or, in one
    `group`, together on the same. A trial whose workers have died is given to the next that asks, at most `retries`
    times; a result is accepted once.
    """

    def __init__(  # noqa: PLR0917 - the interface of pg.tuning
        self,
        name: str | None,
        group: str | int | None,
        dna_spec: pg.DNASpec,
        algorithm: pg.DNAGenerator | Algorithm | str,
        metrics_to_optimize: Sequence[str],
        early_stopping_policy: Any = None,
        num_examples: int | None = None,
        *,
        storage: str | None = None,
        constraints: Sequence[str] = (),
        seed: int = 0,
        retries: int = RETRIES,
    ) -> None:
        """Make the study of that name, or join it.

        Args:
          name: the study's; without one, the study gets a name that no other has.
          group: workers of one group work on the same trial.
          dna_spec, metrics_to_optimize, early_stopping_policy, num_examples: see `pg.sample`; all are maximized.
          algorithm: a PyGlove generator, or one of this package's algorithms, or its name.
          storage: where it is kept; $SEARCH_STORAGE or sqlite:///search.db by default.
          constraints: such as `latency_ms <= 12`, on reported metrics.
          seed: of the algorithm, and of what in a PyGlove generator was given no seed.
          retries: how often a trial may lose its worker.

        Raises:
          ValueError: an argument is not usable, or not what is stored.
          StudyLocked: the study has a driver of its own.
        """
        for given in (algorithm, early_stopping_policy):
            _check_spec(given, dna_spec)
        self.metrics = tuple(metrics_to_optimize)
        self.space = GenotypeSpace(dna_spec)
        self._group = None if group is None else str(group)
        opened = _opened(storage)
        settings = {SPEC: spec_document(dna_spec)}
        self.study = _joined(
            opened,
            name or f"unnamed-{uuid.uuid4().hex[:12]}",
            self.space,
            _adapted(algorithm),
            [Objective(metric, "maximize") for metric in self.metrics],
            parse_constraints(constraints),
            max_trials=LARGEST_TRIALS if num_examples is None else num_examples,
            seed=seed,
            settings=settings,
            retries=retries,
        )
        self.trials = SampledTrials(opened.database, self.study.id, self.space, self.metrics)
        self._policy = early_stopping_policy
        self._policy_knows: set[int] = set()
        self._policy_lock = threading.Lock()
        if early_stopping_policy is not None and early_stopping_policy.dna_spec is None:
            early_stopping_policy.setup(dna_spec)

    def next(self) -> SampledFeedback:
        """Return the feedback on the next trial. Raises StopIteration where the loop is over."""
        worker = self.study.worker(self._group)
        taken = self.study.take(worker)
        if taken is None:
            raise StopIteration
        self._policy_knows.add(taken[0].number + 1)
        return SampledFeedback(self, worker, *taken)

    def should_stop_early(self, trial: pg.tuning.Trial) -> bool:
        """Return what the policy says of a trial; tell it first what came of other workers' trials."""
        if self._policy is None:
            return False
        with self._policy_lock:
            ended = self.trials.read(states=tuple(FINISHED))
            fresh = [past for past in ended if past.id not in self._policy_knows]
            if fresh:
                self._policy.recover(fresh)
                self._policy_knows.update(past.id for past in fresh)
            return bool(self._policy.should_stop_early(trial))

    @classmethod
    def poll_result(cls, name: str, *, storage: str | None = None) -> SampledResult:
        """Return the result of a sampling, finished or not. Raises StudyNotFound."""
        return SampledResult(_opened(storage), name)


def register(name: str = "sql", *, default: bool = False) -> None:
    """Make the backend known to PyGlove under `name`; with `default`, use it where `pg.sample` is told of none."""
    pg.tuning.add_backend(name)(SqlBackend)
    if default:
        pg.tuning.set_default_backend(name)


_lock = threading.Lock()
_storages: dict[str, Storage] = {}
_studies: WeakValueDictionary[tuple[str, str], SharedStudy] = WeakValueDictionary()


def _opened(address: str | None) -> Storage:
    """Return the storage at `address`, opened once in a process."""
    address = address or os.environ.get(STORAGE_VARIABLE) or DEFAULT_STORAGE
    with _lock:
        if address not in _storages:
            _storages[address] = open_storage(address)
        return _storages[address]


def _joined(  # noqa: PLR0917 - a study's parts
    storage: Storage,
    name: str,
    space: GenotypeSpace,
    algorithm: Algorithm,
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint],
    **given: Any,
) -> SharedStudy:
    """Return this process's part in a study, which its threads share as long as one of them holds it."""
    key = (str(storage.database.engine.url), name)
    with _lock:
        study = _studies.get(key)
        if study is not None:
            try:
                study.extend(given["max_trials"])
            except StudyNotFound:  # deleted meanwhile
                study = None
        if study is None:
            study = SharedStudy.create_or_join(storage, name, space, algorithm, objectives, constraints, **given)
            _studies[key] = study
    changed = study.fingerprint != space.fingerprint or study.objectives != tuple(objectives)
    if changed or study.algorithm_settings != json.loads(json.dumps(algorithm.settings)):  # tuples are stored as lists
        raise StudyChanged(f"{name!r} is being sampled with another space, algorithm or metrics; use another name")
    return study


def _adapted(algorithm: pg.DNAGenerator | Algorithm | str) -> Algorithm:
    """Return what proposes genotypes, not started. Raises ValueError for anything else."""
    if isinstance(algorithm, pg.DNAGenerator):
        return PyGlove(generator=algorithm, repeats=True)
    if isinstance(algorithm, str):
        return make_algorithm(algorithm)
    if not isinstance(algorithm, Algorithm):
        raise ValueError(f"algorithm is {algorithm!r:.200}: expected a pg.DNAGenerator, one of ours, or its name")
    return algorithm


def _check_spec(given: Any, spec: pg.DNASpec) -> None:
    """Raise ValueError for a generator or policy that was set up for another space."""
    before = getattr(given, "dna_spec", None)
    if before is not None and pg.ne(before, spec):
        raise ValueError(f"{given!r:.200} has been set up with a different DNASpec; make a new one for this space")


register()
