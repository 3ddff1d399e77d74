"""Answers: JSON without NaN, `304 Not Modified` where the asker has it already, errors in one line."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

from fastapi import Request
from starlette.responses import Response

FRESH = {"Cache-Control": "no-cache"}
"""Keep it, but ask each time whether it still holds."""


def tag(*parts: object) -> str:
    """Return the ETag of an answer that depends on `parts` alone."""
    return f'W/"{blake2b(repr(parts).encode(), digest_size=12).hexdigest()}"'


def unchanged(request: Request, etag: str) -> Response | None:
    """Return the 304 for a request whose sender has the answer of this ETag; else None."""
    given = request.headers.get("if-none-match", "")
    if etag not in (part.strip() for part in given.split(",")):
        return None
    return Response(status_code=304, headers={"ETag": etag, **FRESH})


def answer(request: Request, etag: str, document: Callable[[], Any]) -> Response:
    """Return a JSON answer, or a 304 without making it."""
    known = unchanged(request, etag)
    return known or json_answer(document(), headers={"ETag": etag, **FRESH})


def json_answer(document: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a document as JSON."""
    return Response(encoded(document), status, headers or {"Cache-Control": "no-store"}, "application/json")


def encoded(document: Any) -> bytes:
    """Return a document as JSON text in which what is no finite number is null."""
    try:
        return json.dumps(document, allow_nan=False, separators=(",", ":"), ensure_ascii=False).encode(
            "utf-8", "replace"
        )
    except ValueError:
        return json.dumps(_finite(document), separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")


def failure(status: int, message: str) -> Response:
    """Return the answer to a request that failed."""
    return json_answer({"error": " ".join(message.split())}, status)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value
