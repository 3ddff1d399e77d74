"""`/session`: what a page must know of the server that it talks to."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from search.dashboard.answers import json_answer
from search.dashboard.asked import AccessOf, StoreOf
from search.dashboard.documents import studies as documents

router = APIRouter(tags=["session"])


@router.get("/session", response_model=documents.Session)
def session(store: StoreOf, access: AccessOf) -> Response:
    """Return whether anything may be changed, and the token that a change must carry."""
    from search.dashboard.app import package_version

    return json_answer({
        "read_only": access.read_only, "csrf_token": access.csrf, "version": package_version(),
        "storage": store.label, "token_required": access.token is not None,
    })  # fmt: skip
