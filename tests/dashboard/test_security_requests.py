"""Who may ask what: hosts, tokens, other sites' pages, paths; and the headers of every answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from search.dashboard.security import COOKIE, HEADERS, Access
from search.dashboard.store import Store
from tests.dashboard.asking import API, Asking

TOKEN = "correct-horse-battery"
ANSWERS = ["/", "/studies/mixed", "/studies/nosuch", "/api/v1/studies", "/api/v1/studies/nosuch", "/api/v1/nosuch",
           "/static/icon.svg", "/static/nosuch", "/api/docs", "/api/v1/openapi.json", "/login", "/nosuch",
           "/api/v1/studies/mixed/trials.csv", "/api/v1/studies/mixed/trials?where=("]  # fmt: skip


@pytest.fixture
def guarded(demo_folder: Path) -> Iterator[Asking]:
    """The dashboard as others on the network see it: it asks for a token."""
    store = Store(f"sqlite:///{demo_folder}/search.db", read_only=True)
    yield Asking(store, Access("0.0.0.0", TOKEN))
    store.close()


@pytest.mark.parametrize("path", ANSWERS)
def test_every_answer_has_the_headers(api: Asking, path: str) -> None:
    answer = api.get(path)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "access-control-allow-origin" not in answer.headers


def test_the_policy_allows_no_script_but_our_own() -> None:
    policy = HEADERS["Content-Security-Policy"]
    assert policy.startswith("default-src 'self';")
    assert not any(word in policy for word in ("unsafe", "script-src", "http", "*"))


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8090", "127.0.0.1.evil.example", "", "[", "10.0.0.1"])
@pytest.mark.parametrize("path", ["/", "/api/v1/session", "/static/icon.svg"])
def test_another_host_is_refused(api: Asking, host: str, path: str) -> None:
    assert api.get(path, headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost", "LOCALHOST:8090", "[::1]:8090"])
def test_this_machine_is_known_under_its_names(api: Asking, host: str) -> None:
    assert api.get("/api/v1/session", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-CSRF-Token": ""},
        {"X-CSRF-Token": "wrong"},
        {"Origin": "http://evil.example", "right": "1"},
        {"Origin": "null", "right": "1"},
        {"Sec-Fetch-Site": "cross-site", "right": "1"},
        {"Sec-Fetch-Site": "same-site", "right": "1"},
    ],
)
@pytest.mark.parametrize(("method", "body"), [("DELETE", None), ("PATCH", {"archived": True}), ("POST", {})])
def test_a_page_of_another_site_changes_nothing(
    api: Asking, headers: dict[str, str], method: str, body: object
) -> None:
    given = {**headers, **(api.headers_of_change if "right" in headers else {})}
    path = f"{API}/studies/mixed" + ("/control" if method == "POST" else "")
    assert api.request(method, path, json=body, headers=given).status_code == 403
    assert not api.json("/studies/mixed")["archived"]


def test_nothing_is_changed_by_a_get(api: Asking) -> None:
    for path in ("/studies/mixed/control", "/studies/mixed/control?action=stop"):
        assert api.get(API + path).status_code == 405


@pytest.mark.parametrize("path", ["/", "/studies/mixed", "/devices", "/api/docs"])
def test_a_page_without_the_token_leads_to_the_login(guarded: Asking, path: str) -> None:
    answer = guarded.get(path)
    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/login")
    assert "mixed" not in guarded.get("/login").text


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer "},
        {"Authorization": f"Bearer {TOKEN[:-1]}"},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Cookie": f"{COOKIE}={TOKEN}"},
        {"Cookie": f"{COOKIE}="},
        {"Cookie": ";;=;"},
    ],
)
def test_a_wrong_token_is_refused(guarded: Asking, headers: dict[str, str]) -> None:
    for path in ("/api/v1/studies", "/api/v1/session", "/api/v1/openapi.json", "/api/v1/studies?token=wrong"):
        assert guarded.get(path, headers=headers).status_code == 401


def test_the_token_may_come_as_a_header(guarded: Asking) -> None:
    assert guarded.get("/api/v1/studies", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_the_first_use_gives_a_cookie_and_hides_the_token(guarded: Asking) -> None:
    answer = guarded.get(f"/studies/mixed?token={TOKEN}&tab=front")
    assert (answer.status_code, answer.headers["location"]) == (303, "/studies/mixed?tab=front")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert TOKEN not in cookie
    assert guarded.get("/api/v1/studies").status_code == 200


def test_the_login_form_takes_the_token(guarded: Asking) -> None:
    assert guarded.post("/login", data={"token": "wrong"}).status_code == 401
    answer = guarded.post("/login", data={"token": TOKEN, "next": "//evil.example/"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert guarded.get("/api/v1/studies").status_code == 200


def test_the_cookie_is_not_enough_to_change_anything(guarded: Asking) -> None:
    guarded.get(f"/?token={TOKEN}")
    assert guarded.delete("/api/v1/studies/mixed").status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e%2f%2e%2e%2f%2e%2e%2fetc/passwd",
        "/static//etc/passwd",
        "/static/..%5capp.py",
        "/static/%00",
        "/studies/..%2f..%2fetc%2fpasswd",
        "/devices/..%2f..%2fetc%2fpasswd",
        "/api/v1/devices/..%2f..%2fetc%2fpasswd",
        "/api/v1/preparations/..%2f..%2fetc%2fpasswd",
        "/api/v1/studies/..%2fsearch.db",
    ],
)
def test_no_path_leads_to_another_folder(api: Asking, path: str) -> None:
    answer = api.get(path)
    assert answer.status_code in (400, 404)
    assert "root:" not in answer.text
    assert "FastAPI" not in answer.text


def test_a_body_that_is_too_long_is_not_read(api: Asking) -> None:
    body = {"note": "x" * 300_000}
    assert api.change("PATCH", "/studies/mixed", body).status_code == 413
    parts = iter([b"{}"])
    headers = api.headers_of_change
    assert api.request("PATCH", f"{API}/studies/mixed", content=parts, headers=headers).status_code == 411


def test_the_storage_is_shown_without_its_password(api: Asking) -> None:
    assert api.json("/session")["storage"].startswith("sqlite:////")
