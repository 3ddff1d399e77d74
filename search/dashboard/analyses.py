"""What many trials say together: importance and effect of decisions, choices of the front, who worked when."""

from __future__ import annotations

import math
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from search.dashboard.answers import answer, tag
from search.dashboard.asked import StoreOf, StudyOf
from search.dashboard.documents import analyses as documents
from search.dashboard.documents.document import UNCHANGED
from search.dashboard.importance import LEAST, METHOD, SAMPLE, Question
from search.dashboard.marginals import choices, effects
from search.dashboard.named_columns import column
from search.dashboard.refusal import bad_request
from search.dashboard.store import Opened, Store
from search.dashboard.studies import direction_of
from search.dashboard.study_columns import COMPLETED
from search.dashboard.timeline import timeline

router = APIRouter(tags=["analyses"], responses=UNCHANGED)

MetricOf = Annotated[str | None, Query(max_length=200, description="By default the first objective.")]


@router.get("/studies/{study}/importance", response_model=documents.Importance)
def importance(request: Request, study: StudyOf, store: StoreOf, metric: MetricOf = None) -> Response:
    """Return how much each decision matters for being among the best tenth in a metric, by PED-ANOVA.

    Of at most 2,000 completed trials; computed in a process of its own, and again after some 4 % more trials.
    """
    name = metric or study.view.objectives[0].metric
    completed = int(study.row["completed"])
    about = completed if completed < LEAST else int(20 * math.log2(completed))
    stamp = (about, study.row["lease_number"])
    return answer(request, tag(study.view.id, name, stamp), lambda: _importance(store, study, name, stamp))


@router.get("/studies/{study}/effects", response_model=documents.Effects)
def effect(request: Request, study: StudyOf, store: StoreOf, metric: MetricOf = None) -> Response:
    """Return a metric's mean, standard deviation and count by each decision's choice, over completed trials."""
    name = metric or study.view.objectives[0].metric
    return answer(
        request, _tag(study, name), lambda: {"metric": name, "decisions": effects(study, _numbers(store, study, name))}
    )


@router.get("/studies/{study}/choices", response_model=documents.Choices)
def choice(request: Request, study: StudyOf) -> Response:
    """Return the shares of each decision's choices, among the front's trials and among all that completed."""
    return answer(request, _tag(study), lambda: choices(study))


@router.get("/studies/{study}/timeline", response_model=documents.Timeline)
def workers(request: Request, study: StudyOf, limit: Annotated[int, Query(ge=1, le=20_000)] = 2000) -> Response:
    """Return when each of the last trials was worked on, and where."""
    return answer(request, _tag(study), lambda: timeline(study, limit))


def _tag(study: Opened, *parts: object) -> str:
    return tag(study.view.id, study.sequence, study.row["lease_number"], *parts)


def _numbers(store: Store, study: Opened, name: str) -> np.ndarray:
    found = column(store, study, name)
    if found.labels is not None:
        raise bad_request(f"{name[:80]!r} is no number: ask for a metric")
    values: np.ndarray = found.values.astype(np.float64)
    return values


def _importance(store: Store, study: Opened, name: str, stamp: object) -> dict[str, Any]:
    values = _numbers(store, study, name)
    rows = np.flatnonzero((study.columns.states(study.sequence) == COMPLETED) & np.isfinite(values))
    rows = np.random.default_rng(study.view.seed).permutation(rows)[:SAMPLE]
    document = {"method": METHOD, "metric": name, "sample": len(rows), "decisions": [], "why": ""}
    if len(rows) < LEAST or not study.columns.decisions:
        return {**document, "why": f"too few completed trials: {len(rows)} of at least {LEAST}"}
    sign = -1.0 if direction_of(study, name) == "maximize" else 1.0
    found, spread = study.columns.known.get(
        ("importance", name), stamp, lambda: store.analyst.importances(_question(study, sign * values, rows))
    )
    decisions = [
        {"name": decision.name, "importance": share, "spread": deviation}
        for decision, share, deviation in zip(study.columns.decisions, found.tolist(), spread.tolist(), strict=True)
    ]
    return {**document, "decisions": sorted(decisions, key=lambda item: -item["importance"])}


def _question(study: Opened, losses: np.ndarray, rows: np.ndarray) -> Question:
    described = study.view.space["columns"]
    return Question(
        losses[rows],
        study.columns.genotypes(study.sequence)[rows],
        study.columns.active(study.sequence)[rows],
        [len(decision.choices) for decision in study.columns.decisions],
        [(float(column["low"]), float(column["high"])) for column in described],
    )
