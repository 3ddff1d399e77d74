"""Bayesian optimisation that takes known costs as they are (Jones et al. 1998; Emmerich et al. 2011)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from search.algorithms._base import Algorithm, Problem, Results
from search.algorithms._beliefs import Beliefs, Expectation
from search.algorithms._candidates import candidates, far_apart, neighbours, spread_over
from search.algorithms._features import Features
from search.algorithms._fronts import Archive
from search.algorithms._improvement import boxes, expected_improvement
from search.algorithms._supports import Supports
from search.algorithms._surrogate import USUAL, floor_of

SAMPLED = 512
"""Random genotypes that say what is usual for a known score, and from which the first trials are chosen."""

AT_ONCE = 64
"""Proposals that are made from one set of candidates, at most."""

MOST_OBJECTIVES = 3
"""Of more the expected improvement is not computed exactly."""

BEYOND = 1.0
"""How far the reference point lies beyond the front's worst known score, in ranges of the front."""

NARROWEST = 0.25
"""What the front's range in a known score is taken to be at least, as a part of the range of random genotypes.

A front that begins at one end of the scale would else never be extended to the other.
"""

USUALLY, SOMETIMES = 0.5, 0.25
"""The quantiles of a costly score in the first trials that it counts from: the second for some proposals."""

EVERY = 4
SINCE = 50
"""With several objectives each fourth proposal is made for a larger part of the front, once the better one is known.

How far down a front is of interest only the user knows. Of what is less than usual most is seldom wanted; but where
even the usual is close to the best, it is all of the cheap end.
"""

View = tuple[np.ndarray, np.ndarray]
"""The point (k,) that an improvement is measured from, and the front's points (m, k) that are beyond it."""

SHORTLIST = 192
"""Candidates whose variance is computed: the best when it is bounded by what the nearest trial leaves of it."""

CLIMBED = 24
EACH = 8
"""The best `CLIMBED` candidates get `EACH` neighbours that are candidates, too."""


@dataclass
class Predictor(Algorithm):
    """Proposes what is expected to add most to the front (with one objective: to the best), batch by batch.

    Each costly objective has a Gaussian process; known ones are exact, in the improvement as in what is feasible. A
    batch, and what is pending, is taken to turn out as expected before the next is chosen. The first `initial` trials
    are spread over a known objective, or else over the space. A proposal's cost is bounded: models hold some 500
    trials. Trials without a result and violated constraints that only an evaluation shows make their surroundings
    less likely to be proposed. At most three objectives.
    """

    name: ClassVar[str] = "predictor"
    supports: ClassVar[Supports] = Supports(objectives=MOST_OBJECTIVES)
    source: ClassVar[str] = "Jones et al., J. Global Optimization 1998; Emmerich et al., CEC 2011"

    initial: int = 16
    candidates: int = 640

    def start(self, problem: Problem) -> None:
        """Begin without trials. Raises ValueError for settings below 2 and for more than three objectives."""
        if min(self.initial, self.candidates) < 2:
            raise ValueError(
                "predictor needs initial and candidates of at least 2, "
                f"got initial={self.initial}, candidates={self.candidates}"
            )
        super().start(problem)
        rng = np.random.default_rng([problem.seed, 1])  # not the proposals' own: it is drawn from again on a restart
        sampled = problem.space.sample(SAMPLED, rng)
        sampled = sampled[problem.space.unique(sampled)]
        scores, violations = self._known(sampled)
        is_known = np.isfinite(scores).all(axis=0)
        known = scores[:, is_known]
        features = Features(problem.space, known)
        self._ranges = np.ptp(scores, axis=0)
        self._is_known = is_known
        self._beliefs = Beliefs(features, lambda rows: self._known(rows)[0], is_known, sampled[:0])
        self._front = Archive(problem.space.width, problem.space.dtype, problem.objectives)
        self._pending: dict[bytes, np.ndarray] = {}
        allowed = violations <= 0
        scaled = features(sampled[allowed], known[allowed]) * np.sqrt(features.prior)[features.groups]
        first = spread_over(known[allowed, 0], self.initial, rng) if is_known.any() else far_apart(scaled, self.initial)
        self._first = sampled[allowed][first]

    def _known(self, genotypes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if self._problem.known is None or not len(genotypes):
            return np.full((len(genotypes), self._problem.objectives), np.nan), np.zeros(len(genotypes))
        return self._problem.known(genotypes)

    def learn(self, results: Results) -> None:
        """Take in results; the models follow when they are next needed."""
        for key in self._space.keys(results.genotypes):
            self._pending.pop(key, None)
        self._beliefs.learn(results)
        usable = np.isfinite(results.scores).all(axis=1) & (results.violations <= 0)
        self._front.learn(Results(results.genotypes[usable], results.scores[usable], results.violations[usable]))

    def state(self) -> dict[str, Any]:
        """Return the generator and the models' hyper-parameters."""
        return {**super().state(), "models": self._beliefs.state()}

    def restore(self, state: dict[str, Any], proposed: np.ndarray, results: Results) -> None:
        """Go on from `state`: the models are built again from the trials."""
        self._pending = dict(zip(self._space.keys(proposed), proposed, strict=True))
        super().restore(state, proposed, results)
        self._beliefs.restore(state["models"])

    def _accept(self, genotypes: np.ndarray, limit: int) -> np.ndarray:
        accepted: np.ndarray = super()._accept(genotypes, limit)
        self._pending.update(zip(self._space.keys(accepted), accepted, strict=True))
        return accepted

    def _draw(self, count: int) -> np.ndarray:
        begun = len(self._seen)
        if begun < len(self._first):
            first: np.ndarray = self._first[begun : begun + count]
            return first
        if self._beliefs.complete < 2:
            return self._space.sample(count, self._random)
        pending = np.array(list(self._pending.values()), self._space.dtype)
        self._beliefs.update(pending.reshape(-1, self._space.width))
        return self._most_promising(min(count, AT_ONCE))

    def _most_promising(self, count: int) -> np.ndarray:
        """Return up to `count` new genotypes, each the best once those before it have turned out as expected."""
        quantiles = [self._quantile(len(self._seen) + place) for place in range(count)]
        views = {quantile: self._view(quantile) for quantile in sorted(set(quantiles))}
        lowest = next(iter(views.values()))[0]
        rows = self._new(candidates(self._space, self._parents(lowest), self.candidates, self._random))
        if not len(rows):
            return rows
        expected = self._beliefs.of(rows)
        shortlist = _best(expected, views, max(SHORTLIST, 4 * count))
        rows, expected = rows[shortlist], expected.narrowed(shortlist)
        climbed = rows[_best(expected, views, CLIMBED)]
        more = self._new(neighbours(self._space, climbed.repeat(EACH, axis=0), self._random))
        more = more[self._space.unique(np.concatenate([rows, more]))[len(rows) :] - len(rows)]
        if len(more):
            rows = np.concatenate([rows, more])
            expected = expected.joined(self._beliefs.of(more).narrowed(np.arange(len(more))))
        return rows[_greedy(expected, views, quantiles)]

    def _quantile(self, place: int) -> float:
        """Return where the proposal of this number counts costly scores from."""
        lower = len(self._is_known) > 1 and place >= SINCE and place % EVERY == EVERY - 1
        return SOMETIMES if lower else USUALLY

    def _new(self, genotypes: np.ndarray) -> np.ndarray:
        """Return those that were not proposed yet and violate no known constraint, none twice."""
        genotypes = genotypes[self._space.unique(genotypes)]
        genotypes = genotypes[[key not in self._seen for key in self._space.keys(genotypes)]]
        allowed: np.ndarray = genotypes[self._known(genotypes)[1] <= 0]
        return allowed

    def _parents(self, reference: np.ndarray) -> np.ndarray:
        """Return the front's genotypes; those beyond the reference point only where there are no others."""
        good = (self._front.scores > reference).all(axis=1)
        return self._front.genotypes[good] if good.any() else self._front.genotypes

    def _view(self, quantile: float) -> View:
        """Return what is measured from, and what is beyond it.

        A costly score counts above a quantile of the first trials' scores, but not below what its model clips at,
        where it cannot tell the worst from the merely bad. A known one counts from beyond the worst of the front: what
        is better in everything else than all of it must count for much.
        """
        reference = np.full(len(self._is_known), -np.inf)
        for objective in self._beliefs.costly:
            values = self._beliefs.scores[:, objective]
            values = values[np.isfinite(values)]
            reference[objective] = max(float(np.quantile(values[:USUAL], quantile)), floor_of(values))
        front = self._front.scores[(self._front.scores >= reference).all(axis=1)]
        for objective in self._is_known.nonzero()[0]:
            values = front[:, objective] if len(front) else np.array([-self._ranges[objective], 0.0])
            range_ = max(float(np.ptp(values)), NARROWEST * float(self._ranges[objective]), 1e-12)
            reference[objective] = values.min() - BEYOND * range_
        return reference, front


def _greedy(expected: Expectation, views: Mapping[float, View], quantiles: list[float]) -> list[int]:
    """Return candidates, each the most promising of its view once those before it have turned out as expected."""
    taken: list[int] = []
    assumed = expected.mean[:0]
    for quantile in quantiles[: len(expected.mean)]:
        reference, front = views[quantile]
        promise = _promise(expected, np.concatenate([front, assumed]), reference)
        promise[taken] = -1.0
        taken.append(int(promise.argmax()))
        assumed = np.concatenate([assumed, expected.mean[taken[-1:]]])
        expected.assume(taken[-1])
    return taken


def _best(expected: Expectation, views: Mapping[float, View], count: int) -> np.ndarray:
    """Return the indices of the `count` most promising of each view, the best first, none twice."""
    promises = [_promise(expected, front, reference) for reference, front in views.values()]
    ranked = np.concatenate([promise.argsort(kind="stable")[::-1][:count] for promise in promises])
    found: np.ndarray = ranked[np.sort(np.unique(ranked, return_index=True)[1])]
    return found


def _promise(expected: Expectation, front: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return the expected improvement, times the probability of a result; shape (m,)."""
    promise: np.ndarray = expected_improvement(expected.mean, expected.deviation, *boxes(front, reference))
    promise *= expected.useful
    return promise
