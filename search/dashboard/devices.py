"""`/devices`: what networks cost on each known device, where that comes from, how far it is off; and two compared."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

import numpy as np
import sqlalchemy as sa
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from hardware_models.comparison import compared, side_by_side
from search.dashboard.answers import answer, tag
from search.dashboard.asked import StoreOf
from search.dashboard.device_documents import in_full, line
from search.dashboard.device_models import Device
from search.dashboard.documents import devices as documents
from search.dashboard.documents.document import UNCHANGED
from search.dashboard.refusal import bad_request
from search.dashboard.store import Store
from search.device_places import devices_in_order
from search.metric_names import measured
from search.schema import metrics, studies
from search.study_tables import metric_of, tables_used

router = APIRouter(tags=["devices"], responses=UNCHANGED)

PAIRS = 2000
"""How many pairs are given at most, evenly spread."""

DeviceName = Annotated[str, Path(max_length=255, description="A name, or the beginning of a model's digest.")]
Which = Annotated[str, Query(max_length=255, description="A name, or the beginning of a model's digest.")]


@router.get("/devices", response_model=documents.Devices)
def devices(request: Request, store: StoreOf) -> Response:
    """Return a line on every version of every device's model, stored or shipped with the project."""
    return answer(
        request,
        tag("devices", store.devices.stamp(), _studies(store)),
        lambda: {"devices": _lines(store), "order": _order(store)},
    )


@router.get("/devices/compare", response_model=documents.DeviceComparison)
def compare(request: Request, store: StoreOf, a: Which, b: Which) -> Response:
    """Return how two models differ: of each operator or network that both have, at most 2,000, the latency on both."""
    return answer(request, tag("compare", a, b, store.devices.stamp()), lambda: _compared(store, a, b))


@router.get("/devices/{device}", response_model=documents.Device)
def device(request: Request, store: StoreOf, device: DeviceName) -> Response:
    """Return a device's newest model, or the one of a digest, with entries and provenance.

    `scatter` has [predicted ms, measured ms, study, trial] of networks that studies have measured directly.
    """
    seen = tuple((row["study_id"], row["change_seq"]) for row in store.standing())
    return answer(request, tag(device, store.devices.stamp(), seen), lambda: _document(store, device))


def _studies(store: Store) -> tuple[object, ...]:
    """Return what differs whenever the studies that there are do."""
    query = sa.select(sa.func.count(), sa.func.max(studies.c.id), sa.func.sum(studies.c.id))
    with store.reading.database.read() as connection:
        return tuple(connection.execute(query).one())


def _lines(store: Store) -> list[dict[str, Any]]:
    found = store.devices.all()
    newest = {item.name: item.sha256 for item in reversed(found)}
    return [line(item, current=newest[item.name] == item.sha256) for item in found]


def _order(store: Store) -> list[str]:
    """Return all devices' names in the order by which they are coloured; those that nobody used yet by name."""
    known = devices_in_order(store.reading.database)
    return list(dict.fromkeys([*known, *sorted(item.name for item in store.devices.all())]))


def _document(store: Store, name: str) -> dict[str, Any]:
    found = store.devices.find(name)
    versions = [item for item in store.devices.all() if item.name == found.name]
    return {
        **line(found, current=versions[0].sha256 == found.sha256),
        **in_full(found),
        "versions": [{"sha256": item.sha256, "stored_at": item.stored_at} for item in versions],
        "scatter": _scatter(store, found),
    }


def _scatter(store: Store, of: Device) -> list[list[Any]]:
    """Return what the studies that use this very model have measured of it directly."""
    with store.reading.database.read() as connection:
        rows = connection.execute(sa.select(studies.c.id, studies.c.name, studies.c.settings)).all()
        pairs: list[list[Any]] = []
        for row in rows:
            for name, facts in tables_used(row.settings).items():
                if facts["sha256"] == of.sha256:
                    pairs += [[*pair[:2], row.name, pair[2]] for pair in _measured(connection, row.id, metric_of(name))]
    return _thinned(pairs)


def _measured(connection: sa.Connection, study_id: int, metric: str) -> list[tuple[float, float, int]]:
    said, found = metrics.alias(), metrics.alias()
    same = (said.c.study_id == found.c.study_id) & (said.c.number == found.c.number)
    query = sa.select(said.c.value, found.c.value, said.c.number).join(found, same)
    query = query.where(said.c.study_id == study_id, said.c.name == metric, found.c.name == measured(metric))
    return [(predicted, real, number) for predicted, real, number in connection.execute(query).all()]


def _compared(store: Store, a: str, b: str) -> dict[str, Any]:
    first, second = store.devices.find(a), store.devices.find(b)
    if first.model is None or second.model is None:
        raise bad_request(f"a model is damaged: {first.problem or second.problem}")
    try:
        sides = side_by_side(first.model, second.model)
        found = dataclasses.asdict(compared(sides))
    except ValueError as error:
        raise bad_request(f"{a} and {b} cannot be compared: {error}") from error
    pairs = [list(pair) for pair in zip(sides.first_ms.tolist(), sides.second_ms.tolist(), sides.names, strict=True)]
    ratio = [found[name] for name in ("least", "tenth", "median", "ninetieth", "most")]
    return {"a": line(first, current=True), "b": line(second, current=True), **found, "ratio": ratio,
            "pairs": _thinned(pairs)}  # fmt: skip


def _thinned(pairs: list[list[Any]]) -> list[list[Any]]:
    if len(pairs) <= PAIRS:
        return pairs
    return [pairs[index] for index in np.linspace(0, len(pairs) - 1, PAIRS).astype(int)]
