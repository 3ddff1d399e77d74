"""The pages: frames that the browser fills from the API."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote

from fastapi import APIRouter, Request
from starlette.background import BackgroundTask
from starlette.responses import Response
from starlette.templating import Jinja2Templates

from search.dashboard.answers import failure
from search.dashboard.asked import AccessOf, Name, StoreOf
from search.dashboard.modules import STATIC, modules_of
from search.dashboard.refusal import not_found
from search.dashboard.security import local_path, welcome
from search.dashboard.store import Opened

HERE = Path(__file__).parent
TEMPLATES = Jinja2Templates(HERE / "templates")
router = APIRouter(include_in_schema=False)


def page(request: Request, template: str, status: int = 200, **context: Any) -> Response:
    """Return a page; what is given to it is escaped."""
    from search.dashboard.app import package_version

    root, script = request.scope.get("root_path", ""), f"pages/{template.removesuffix('.html')}.js"
    modules = modules_of(*([script] if (STATIC / script).exists() else []), *context.get("also", ()))
    option = request.app.state.store.option
    given = {"root": root, "version": package_version(), "modules": modules, "option": option, **context}
    headers = {"Cache-Control": "no-cache"}
    return TEMPLATES.TemplateResponse(request, template, given, status_code=status, headers=headers)


def failed(request: Request, status: int, message: str) -> Response:
    """Return the answer to a request that failed: to one of the API in JSON, else a page."""
    path = request.url.path.removeprefix(request.scope.get("root_path", ""))
    if path.startswith(("/api/v1/", "/static/")) or status == 405:
        return failure(status, message)
    words = message.partition("; GET ")[0]  # what scripts are told to ask instead
    return page(request, "error.html", status, heading=HTTPStatus(status).phrase.capitalize(), message=words)


def plots() -> list[str]:
    """Return the names of the plots that there are: each is one file."""
    return sorted(path.stem for path in (HERE / "static" / "plots").glob("*.js"))


def encoded(text: str) -> str:
    """Return a text as JavaScript's `encodeURIComponent` writes it."""
    return quote(text, safe="!'()*")


@router.get("/")
def studies_page(request: Request) -> Response:
    """Return the list of studies."""
    return page(request, "studies.html")


@router.get("/studies/{study}")
def study_page(request: Request, study: Name, store: StoreOf) -> Response:
    """Return a study's page, which says at once what it will ask for first: what it is, and its objectives' values."""
    found = store.study(study)
    view = found.view
    columns = [encoded(objective.metric) for objective in view.objectives]
    path = f"/studies/{encoded(view.name)}"
    early = ["/devices", path, f"{path}/columns?names={','.join(['state', *columns])}"]
    also = [f"plots/{name}.js" for name in plots()]
    shown = page(request, "study.html", study=view.name, plots=plots(), columns=columns, early=early, also=also)
    shown.background = BackgroundTask(_read_ahead, found)
    return shown


def _read_ahead(study: Opened) -> None:
    """Read what the page will ask for, while the browser reads the page."""
    study.columns.states(study.sequence)
    for objective in study.view.objectives:
        study.columns.metric(objective.metric, study.sequence)


@router.get("/studies/{study}/trials/{number}")
def trial_page(request: Request, study: Name, number: str, store: StoreOf) -> Response:
    """Return a trial's page."""
    if not (number.isascii() and number.isdecimal() and len(number) < 11):
        raise not_found(f"there is no trial {number[:40]!r}: expected a number")
    return page(request, "trial.html", study=store.row_of(study)["name"], number=int(number))


@router.get("/compare")
def compare_page(request: Request) -> Response:
    """Return the page that compares trials or studies."""
    return page(request, "compare.html", plots=plots())


@router.get("/devices")
def devices_page(request: Request) -> Response:
    """Return the list of devices."""
    return page(request, "devices.html")


@router.get("/devices/{device}")
def device_page(request: Request, device: str) -> Response:
    """Return a device's page."""
    return page(request, "device.html", device=device)


@router.get("/preparations")
def preparations_page(request: Request) -> Response:
    """Return the list of preparations."""
    return page(request, "preparations.html")


@router.get("/preparations/{key}")
def preparation_page(request: Request, key: str) -> Response:
    """Return a preparation's page."""
    return page(request, "preparation.html", key=key)


@router.get("/api/docs")
def api_page(request: Request) -> Response:
    """Return the documentation of the API."""
    return page(request, "api.html")


@router.get("/login")
def login_page(request: Request) -> Response:
    """Return the form that asks for the token."""
    return page(request, "login.html", option="", next=local_path(request.query_params.get("next", "/")))


@router.post("/login")
async def login(request: Request, access: AccessOf) -> Response:
    """Give the cookie for the right token."""
    given = parse_qs((await request.body()).decode("utf-8", "replace"))
    path = local_path(given.get("next", ["/"])[0])
    if access.accepts(given.get("token", [None])[0]):
        return welcome(access, request.scope.get("root_path", "") + path)
    return page(request, "login.html", 401, option="", next=path, message="That is not the token.")
