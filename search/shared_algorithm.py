"""An algorithm that several processes share: each holds one, and brings it up to date before it proposes."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa

from search.algorithms._base import Algorithm, Problem, Results
from search.genotype_text import genotypes_of
from search.history import bring_back, read_history, results_of
from search.ledger import JSON
from search.objectives import Constraint, Objective
from search.schema import metrics, trials


class SharedAlgorithm:
    """Proposes as if one process alone had proposed everything and taken in every result, in the order told.

    All of it happens within a transaction that holds the study's row. What the algorithm remembers is right only once
    that is committed: call `committed` then. Else it starts anew from what is stored.
    """

    def __init__(
        self, algorithm: Algorithm, problem: Problem, objectives: Sequence[Objective], constraints: Sequence[Constraint]
    ) -> None:
        """Start `algorithm` on `problem`. Raises ValueError where that is not supported."""
        algorithm.start(problem)
        self._algorithm = algorithm
        self._problem = problem
        self._objectives, self._constraints = tuple(objectives), tuple(constraints)
        self._token = uuid.uuid4().hex
        self._proposed = self._learnt = 0
        self._remembers = False

    def propose(
        self, connection: sa.Connection, row: sa.RowMapping, proposed: int, told: int
    ) -> tuple[np.ndarray, str, dict[str, Any]] | None:
        """Return a new genotype, its note, and what changes in the study's `row`; None when the space is used up.

        `proposed` trials are stored, of which `told` have ended.
        """
        remembers, self._remembers = self._remembers, False
        stored = json.loads(row["algorithm_state"])
        proposer = f"{row['lease_number']}:{self._token}"
        if remembers and row["proposer"] == proposer and proposed == self._proposed:
            self._algorithm.learn(self._results(connection, row["study_id"], told))
        elif not (remembers and stored and self._follow(connection, row, stored, proposed, told)):
            self._start_anew(connection, row, stored)
        self._learnt, self._proposed = told, proposed
        genotypes = self._algorithm.propose(1)
        if not len(genotypes):
            return None
        self._proposed += 1
        changed = {"algorithm_state": JSON.encode(self._algorithm.state()), "learnt": told, "proposer": proposer}
        return genotypes[0], self._algorithm.notes(genotypes)[0], changed

    def committed(self) -> None:
        """Say that the transaction of the last `propose` is stored."""
        self._remembers = True

    def _follow(
        self, connection: sa.Connection, row: sa.RowMapping, state: dict[str, Any], proposed: int, told: int
    ) -> bool:
        """Take in what others have done since; return whether the algorithm can."""
        space, study_id = self._problem.space, row["study_id"]
        since = sa.select(trials.c.genotype, trials.c.note).where(
            trials.c.study_id == study_id, trials.c.number >= self._proposed, trials.c.number < proposed
        )
        fresh = connection.execute(since.order_by(trials.c.number)).all()
        genotypes = genotypes_of([item.genotype for item in fresh], space.width, space.dtype)
        notes = [item.note or "" for item in fresh]
        return self._algorithm.follow(state, genotypes, notes, self._results(connection, study_id, told))

    def _results(self, connection: sa.Connection, study_id: int, told: int) -> Results:
        """Return the results that are not learnt yet."""
        space = self._problem.space
        these = (trials.c.study_id == study_id, trials.c.told >= self._learnt, trials.c.told < told)
        query = sa.select(trials.c.number, trials.c.state, trials.c.genotype).where(*these).order_by(trials.c.told)
        rows = connection.execute(query).all() if told > self._learnt else []
        found: dict[int, dict[str, float]] = {item.number: {} for item in rows}
        values = sa.select(metrics.c.number, metrics.c.name, metrics.c.value)
        values = values.where(metrics.c.study_id == study_id, metrics.c.number.in_(sorted(found)))
        for number, name, value in connection.execute(values) if found else ():
            found[number][name] = value
        genotypes = genotypes_of([item.genotype for item in rows], space.width, space.dtype)
        states = [item.state for item in rows]
        return results_of(self._objectives, self._constraints, genotypes, states, list(found.values()))

    def _start_anew(self, connection: sa.Connection, row: sa.RowMapping, stored: dict[str, Any]) -> None:
        """Rebuild the algorithm from its stored state, then let it learn what was told since that was stored."""
        space, algorithm = self._problem.space, self._algorithm
        past = read_history(connection, row["study_id"], self._objectives, self._constraints, space.width, space.dtype)
        algorithm.start(self._problem)
        if not len(past.genotypes):
            return
        shared = stored and str(row["proposer"]).startswith(f"{row['lease_number']}:")
        learnt = row["learnt"] if shared else len(past.results.genotypes)
        known = _part(past.results, slice(None, learnt))
        bring_back(algorithm, stored, past, known, "the study")
        algorithm.learn(_part(past.results, slice(learnt, None)))


def _part(results: Results, rows: slice) -> Results:
    return Results(results.genotypes[rows], results.scores[rows], results.violations[rows])
