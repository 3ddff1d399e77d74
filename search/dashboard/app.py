"""The application: who may ask, the API under /api/v1, the pages, and nothing from anywhere else."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from search.dashboard import (
    analyses,
    changes,
    columns,
    control,
    curves,
    devices,
    export,
    front,
    pages,
    preparations,
    session,
    studies,
    trial,
    trials,
)
from search.dashboard.answers import failure
from search.dashboard.documents.document import FAILURES
from search.dashboard.refusal import Refusal
from search.dashboard.security import Access, Guard
from search.dashboard.store import Store
from search.errors import StorageError, StudyLocked, StudyNotFound

STATIC = Path(__file__).parent / "static"
PARTS = (
    session,
    studies,
    control,
    columns,
    front,
    export,
    trials,
    trial,
    analyses,
    curves,
    changes,
    devices,
    preparations,
)
DESCRIPTION = "Studies, trials, fronts and devices as the dashboard shows them. Every answer is JSON unless said."


def create_app(store: Store, access: Access | None = None) -> FastAPI:
    """Return the dashboard of a database. Nothing listens yet: an ASGI server runs it."""
    access = access or Access(read_only=store.writing is None)
    app = FastAPI(
        title="search", version=package_version(), description=DESCRIPTION, openapi_url="/api/v1/openapi.json",
        docs_url=None, redoc_url=None,
    )  # fmt: skip
    app.state.store, app.state.access = store, access
    api = APIRouter(prefix="/api/v1", responses=FAILURES)
    for part in PARTS:
        api.include_router(part.router)
    app.include_router(api)
    app.include_router(pages.router)
    app.mount("/static", StaticFiles(directory=STATIC, follow_symlink=False), "static")
    _answer_failures(app)
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=1)
    app.add_middleware(Guard, access=access)
    return app


def package_version() -> str:
    """Return the version that is installed; "" where the source is used as it lies."""
    try:
        return version("symbolic-nas-search")
    except PackageNotFoundError:
        return ""


def _answer_failures(app: FastAPI) -> None:
    """Have every failure answered by one line of JSON, or by a page."""

    @app.exception_handler(Refusal)
    async def refused(request: Request, error: Refusal) -> Response:
        return pages.failed(request, error.status, error.message)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        return pages.failed(request, error.status_code, str(error.detail))

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        place = ".".join(map(str, first.get("loc", ())))
        return failure(422, f"{place}: {first.get('msg', 'is not understood')}")

    @app.exception_handler(StudyNotFound)
    async def gone(request: Request, error: StudyNotFound) -> Response:
        return pages.failed(request, 404, str(error))

    @app.exception_handler(StudyLocked)
    async def locked(_request: Request, error: StudyLocked) -> Response:
        return failure(409, str(error))

    @app.exception_handler(StorageError)
    async def unavailable(request: Request, error: StorageError) -> Response:
        return pages.failed(request, 503, str(error))
