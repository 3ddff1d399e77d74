"""Who may ask what: the Host header, the token, the CSRF token, read-only; and the headers that every answer has."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
import socket
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from search.dashboard.answers import failure

COOKIE = "search_dashboard"
LARGEST_BODY = 256 * 1024
SAFE = ("GET", "HEAD", "OPTIONS")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
OPEN_PATHS = ("/static/", "/login")
"""What can be had without the token: it says nothing of any study."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with `no-referrer` the form of /login would come with `Origin: null`
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class Access:
    """What is asked of a request.

    Attributes:
      host: the address that the server listens at.
      token: what every request must carry; None on this machine's own address, where none is needed.
      read_only: whether every request that changes anything is refused.
      hosts: further names under which the server may be addressed.
      csrf: what a request that changes anything must carry; the page reads it, another site's page cannot.
      session: what the cookie holds once the token was given.
    """

    host: str = "127.0.0.1"
    token: str | None = None
    read_only: bool = False
    hosts: Collection[str] = ()
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    session: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    def knows_host(self, header: str) -> bool:
        """Return whether a Host header is this server's: a page of another site that rebinds its name has its own.

        A server that others can reach has no one name: there a literal address is fine, which cannot be rebound.
        """
        name = host_of(header)
        if name in LOOPBACK or name in self.hosts or name == self.host:
            return True
        return self.host not in LOOPBACK and (is_address(name) or name in (socket.gethostname(), socket.getfqdn()))

    def accepts(self, token: str | None) -> bool:
        """Return whether a token is the one, in a time that does not tell how much of it is right."""
        return self.token is None or (token is not None and _same(token, self.token))


class Guard:
    """Lets the requests through that may pass, and adds the headers to every answer."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_HEADERS]
            await send(message)

        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        answer = self._answer(scope, headers)
        await (answer or self._app)(scope, receive, send_with_headers)

    def _answer(self, scope: Scope, headers: Mapping[str, str]) -> Response | None:
        """Return the answer to a request that is not passed on."""
        access = self._access
        if not access.knows_host(headers.get("host", "")):
            return failure(421, "the Host header names another server: open the address that the dashboard printed")
        answer = self._without_token(scope, headers)
        if answer is not None or scope["method"] in SAFE:
            return answer
        return self._unsafe(scope, headers)

    def _without_token(self, scope: Scope, headers: Mapping[str, str]) -> Response | None:
        access, path = self._access, _path(scope)
        if access.token is None or path.startswith(OPEN_PATHS):
            return None
        given = parse_qs(scope["query_string"].decode("latin-1"))
        if "token" in given and scope["method"] in SAFE and access.accepts(given["token"][0]):
            rest = urlencode([(name, value) for name in given if name != "token" for value in given[name]])
            return welcome(access, scope["path"] + (f"?{rest}" if rest else ""))
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and access.accepts(bearer.strip()):
            return None
        if _same(_cookie(headers.get("cookie", "")), access.session):
            return None
        if path.startswith("/api/v1/") or scope["method"] not in SAFE:
            return failure(401, "the token is missing or wrong: send it as 'Authorization: Bearer TOKEN'")
        return RedirectResponse(f"{scope.get('root_path', '')}/login?{urlencode({'next': path})}", 303)

    def _unsafe(self, scope: Scope, headers: Mapping[str, str]) -> Response | None:
        """Return why a request that changes something is refused, or None."""
        refusal = _body_refused(headers)
        if refusal is None and _from_elsewhere(headers):
            refusal = failure(403, "the request comes from another site's page")
        if refusal is not None or _path(scope) == "/login":
            return refusal
        if not _same(headers.get("x-csrf-token", ""), self._access.csrf):
            return failure(403, "X-CSRF-Token is missing or wrong: GET /api/v1/session has it")
        if self._access.read_only:
            return failure(403, "this dashboard is read-only: start it without --read-only to change anything")
        return None


def _body_refused(headers: Mapping[str, str]) -> Response | None:
    length = headers.get("content-length", "0")
    if "transfer-encoding" in headers or not (length.isascii() and length.isdigit()):
        return failure(411, "a body needs its Content-Length")
    if int(length[:12]) > LARGEST_BODY:
        return failure(413, f"the body is too long: at most {LARGEST_BODY} bytes")
    return None


def _from_elsewhere(headers: Mapping[str, str]) -> bool:
    """Return whether a browser says that a request comes from a page of another site."""
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower():
        return True
    return headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")


def welcome(access: Access, path: str) -> Response:
    """Return the answer to the first request with the right token: a cookie that stands for it, and the same page."""
    answer = RedirectResponse(local_path(path), 303, {"Cache-Control": "no-store"})
    answer.set_cookie(COOKIE, access.session, httponly=True, samesite="strict", path="/")
    return answer


def local_path(path: str) -> str:
    """Return a path of this server: what names another one becomes `/`."""
    plain = path.startswith("/") and not path.startswith("//") and "\\" not in path
    return path if plain and path.isprintable() else "/"


def host_of(header: str) -> str:
    """Return the name or address in a Host header, without its port and brackets; "" for what is none."""
    try:
        return (urlsplit(f"//{header}").hostname or "").lower()
    except ValueError:
        return ""


def is_address(name: str) -> bool:
    """Return whether a host is given by its address."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _path(scope: Scope) -> str:
    return str(scope["path"]).removeprefix(scope.get("root_path", ""))


def _cookie(header: str) -> str:
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return "" if found is None else found.value


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


_HEADERS = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
