"""Any Optuna sampler (Akiba et al., KDD 2019): TPE, Gaussian process, CMA-ES, QMC, NSGA-III ..."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from search.algorithms._base import Algorithm, Problem, Results
from search.algorithms._supports import Supports

if TYPE_CHECKING:
    import optuna

SAMPLERS = {
    "tpe": "TPESampler",
    "gp": "GPSampler",
    "cmaes": "CmaEsSampler",
    "qmc": "QMCSampler",
    "nsgaii": "NSGAIISampler",
    "nsgaiii": "NSGAIIISampler",
    "brute_force": "BruteForceSampler",
    "random": "RandomSampler",
}
NUMERIC = ("CmaEsSampler", "QMCSampler")
"""Samplers that know numbers alone: every choice is given to them as a place in its order."""
ONE_OBJECTIVE = ("CmaEsSampler",)
FRUITLESS = 8
"""How many repeated or infeasible suggestions in a row it takes before a random genotype is tried."""
VIOLATION = "violation"


@dataclass
class Optuna(Algorithm):
    """Suggests decision after decision, define-by-run, so that only those in force are asked for.

    Choices whose labels are numbers in order are integers to Optuna, other choices categories, floats floats on their
    scale; a `manyof` is suggested place by place and then put into its order. How much a trial violates constraints is
    told by `Trial.set_constraint`; a suggestion that is known to violate some is told PRUNED and never evaluated. A
    trial without a result, and a repeated suggestion, is told FAIL.

    The sampler's memory is Optuna's own study, kept in the process and rebuilt from the trials on resumption. What a
    sampler keeps elsewhere does not come back: its generator's place, and the generations of NSGA-II and NSGA-III,
    which begin anew. So a resumed search goes on with all it has learned, but not exactly as it would have.

    Attributes:
      sampler: tpe, gp, cmaes, qmc, nsgaii, nsgaiii, brute_force, random, or an instance.
      options: the arguments of a sampler that is given by name.
    """

    name: ClassVar[str] = "optuna"
    source: ClassVar[str] = "Akiba et al., KDD 2019"
    supports: ClassVar[Supports] = Supports(exact_resume=False)

    sampler: Any = "tpe"
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, Any]:
        """The algorithm's name and settings; a sampler that is an instance is described by its class."""
        described = self.sampler if isinstance(self.sampler, str) else type(self.sampler).__name__
        options = {name: re.sub(r" at 0x[0-9a-fA-F]+", "", repr(value)) for name, value in self.options.items()}
        return {"name": self.name, "sampler": described, "options": options}

    def start(self, problem: Problem) -> None:
        """Begin with an empty study of Optuna's. Raises ValueError for what the sampler does not support."""
        sampler = self._made(problem.seed)
        kind = type(sampler).__name__
        if kind in ONE_OBJECTIVE and problem.objectives > 1:
            raise ValueError(f"{kind} optimizes one objective, and there are {problem.objectives}; use sampler='tpe'")
        if kind == "BruteForceSampler" and problem.space.size is None:
            raise ValueError("brute_force needs a finite space, and this one has open floats; use sampler='tpe'")
        super().start(problem)
        self._distributions = _distributions(problem, all_numeric=kind in NUMERIC)
        self._names = [f"{index}:{column.name}" for index, column in enumerate(problem.space.columns)]
        self._running: dict[bytes, int] = {}
        self._constrained = False
        self._study = _new_study(sampler, problem.objectives)

    def _draw(self, count: int) -> np.ndarray:
        rows: list[np.ndarray] = []
        for _ in range(count):
            row = self._fresh()
            if row is None:
                break
            rows.append(row)
        return np.array(rows, self._space.dtype).reshape(len(rows), self._space.width)

    def _fresh(self) -> np.ndarray | None:
        """Return a suggestion that is new and feasible; after many that are not, a random genotype, or None."""
        import optuna

        states = optuna.trial.TrialState
        for _ in range(FRUITLESS):
            with _quiet():
                trial = self._study.ask()
                row = self._suggested(trial)
            key = self._space.keys(row[None])[0]
            violation = float(self._problem.known(row[None])[1][0]) if self._problem.known is not None else 0.0
            if key not in self._seen and key not in self._running and violation <= 0:
                self._running[key] = trial.number
                return row
            with _quiet():
                self._constrain(trial.number, violation)
                self._tell(trial.number, None, states.PRUNED if violation > 0 else states.FAIL)
            if len(self._seen) == self._space.size:
                return None
        return self._random_fresh(self._running)

    def _suggested(self, trial: optuna.Trial) -> np.ndarray:
        """Return the genotype that Optuna suggests, decision by decision."""
        columns = self._space.columns
        row = self._space.repair(np.zeros((1, self._space.width)))[0]
        for index, column in enumerate(columns):
            if column.parent < 0 or (self._in_force(row, column.parent) and row[column.parent] == column.parent_choice):
                row[index] = trial._suggest(self._names[index], self._distributions[index])
        repaired: np.ndarray = self._space.repair(row[None])[0]
        return repaired

    def _in_force(self, row: np.ndarray, index: int) -> bool:
        column = self._space.columns[index]
        if column.parent < 0:
            return True
        return bool(row[column.parent] == column.parent_choice) and self._in_force(row, column.parent)

    def learn(self, results: Results) -> None:
        """Tell Optuna what came of its suggestions, and of genotypes that were none of them."""
        import optuna

        keys = self._space.keys(results.genotypes)
        told = zip(keys, results.genotypes, results.scores.tolist(), results.violations.tolist(), strict=True)
        for key, genotype, scores, violation in told:
            values = scores if np.isfinite(scores).all() else None
            state = optuna.trial.TrialState.FAIL if values is None else optuna.trial.TrialState.COMPLETE
            with _quiet():
                number = self._running.pop(key, None)
                if number is None:
                    number = self._add(genotype, optuna.trial.TrialState.RUNNING)
                self._constrain(number, violation)
                self._tell(number, values, state)

    def restore(self, state: dict[str, Any], proposed: np.ndarray, results: Results) -> None:
        """Rebuild Optuna's study: the finished trials in the order told, then those that still run."""
        import optuna

        sampler = self._made(int(np.random.default_rng([self._problem.seed, len(proposed)]).integers(2**31)))
        self._study = _new_study(sampler, self._problem.objectives)
        self._running, self._constrained = {}, False
        super().restore(state, proposed, results)
        finished = set(self._space.keys(results.genotypes))
        with _quiet():
            for key, genotype in zip(self._space.keys(proposed), proposed, strict=True):
                if key not in finished:
                    self._running[key] = self._add(genotype, optuna.trial.TrialState.RUNNING)

    def _add(self, genotype: np.ndarray, state: optuna.trial.TrialState) -> int:
        """Put a genotype into Optuna's study as a trial; return its number."""
        import optuna

        active = self._space.active(genotype[None])[0]
        chosen = [index for index in range(self._space.width) if active[index]]
        trial = optuna.trial.create_trial(
            state=state,
            params={self._names[index]: self._external(genotype, index) for index in chosen},
            distributions={self._names[index]: self._distributions[index] for index in chosen},
        )
        self._study.add_trial(trial)
        return len(self._study.get_trials(deepcopy=False)) - 1

    def _external(self, genotype: np.ndarray, index: int) -> int | float:
        value = genotype[index].item()
        return value if self._space.columns[index].kind == "float" else int(value)

    def _begin_constraints(self) -> None:
        """Give all trials so far a constraint that they keep: Optuna wants it of every trial or of none."""
        import optuna

        past = self._study.get_trials(deepcopy=False)
        self._study = _new_study(self._study.sampler, self._problem.objectives)
        self._constrained = True
        for trial in past:
            finished = trial.state.is_finished()
            self._study.add_trial(
                optuna.trial.create_trial(
                    state=trial.state,
                    values=trial.values,
                    params=trial.params,
                    distributions=trial.distributions,
                    system_attrs=trial.system_attrs,
                    constraints={VIOLATION: 0.0} if finished else None,
                )
            )

    def _constrain(self, number: int, violation: float) -> None:
        """Say how much a running trial violates constraints, from the first violation on."""
        import optuna

        if violation > 0 and not self._constrained:
            self._begin_constraints()
        if not self._constrained:
            return
        trial_id = self._study.get_trials(deepcopy=False)[number]._trial_id
        optuna.Trial(self._study, trial_id).set_constraint(VIOLATION, violation)

    def _tell(self, number: int, values: list[float] | None, state: optuna.trial.TrialState) -> None:
        try:
            self._study.tell(number, values, state=state)
        except RuntimeError as error:  # BruteForceSampler stops a loop that is not Optuna's, once it has been all over
            if "Study.stop" not in str(error):
                raise

    def _made(self, seed: int) -> optuna.samplers.BaseSampler:
        """Return the sampler; one that was made from a name is new. Raises ValueError for an unknown one."""
        import optuna

        if isinstance(self.sampler, optuna.samplers.BaseSampler):
            return self.sampler
        if not isinstance(self.sampler, str) or self.sampler not in SAMPLERS:
            raise ValueError(
                f"sampler {self.sampler!r} is unknown: expected one of {', '.join(SAMPLERS)}, or a sampler"
            )
        made = getattr(optuna.samplers, SAMPLERS[self.sampler])
        given: dict[str, Any] = {"seed": seed % 2**32, **self.options}
        if self.sampler in ("cmaes", "qmc", "gp"):
            given.setdefault("warn_independent_sampling", False)
        if self.sampler == "qmc":
            given.setdefault("scramble", True)
            given.setdefault("warn_asynchronous_seeding", False)
        try:
            with _quiet():
                sampler: optuna.samplers.BaseSampler = made(**given)
        except TypeError as error:
            raise ValueError(f"options {dict(self.options)!r} are not those of {self.sampler!r}: {error}") from error
        return sampler


def _distributions(problem: Problem, *, all_numeric: bool) -> list[Any]:
    """Return Optuna's distribution of each column."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    found: list[Any] = []
    for column in problem.space.columns:
        if column.kind == "float":
            found.append(FloatDistribution(column.low, column.high, log=column.scale == "log"))
        elif all_numeric or _ordered(column.choices):
            found.append(IntDistribution(0, column.cardinality - 1))
        else:
            found.append(CategoricalDistribution(tuple(range(column.cardinality))))
    return found


def _ordered(labels: tuple[str, ...]) -> bool:
    """Return whether labels are numbers that only grow, or only shrink."""
    try:
        steps = np.diff([float(label) for label in labels])
    except ValueError:
        return False
    return bool((steps > 0).all() or (steps < 0).all())


def _new_study(sampler: optuna.samplers.BaseSampler, objectives: int) -> optuna.Study:
    import optuna

    with _quiet():
        return optuna.create_study(sampler=sampler, directions=["maximize"] * objectives)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Optuna's notes on what it does, and its warnings of what is experimental, to itself."""
    logger = logging.getLogger("optuna")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
