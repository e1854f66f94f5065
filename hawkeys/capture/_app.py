"""The application behind the page: who may ask, what is served, what an attempt is answered.

Needs starlette; `hawkeys.capture.extra` imports it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from importlib.resources import files
from threading import Lock
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from hawkeys.capture.answers import answer_in_words, state_of
from hawkeys.capture.session import Session
from hawkeys.exceptions import HawkeysError, OutputError

__all__ = ["LARGEST_BODY", "build_app"]

LARGEST_BODY = 2**19
"""Bytes of an attempt; one of 4,000 events has less."""

_COOKIE = "hawkeys-capture"
_STATIC = {"": ("page.html", "text/html"), "page.js": ("page.js", "text/javascript"),
           "page.css": ("page.css", "text/css")}  # fmt: skip
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    # alone in its process, a page has a clock of 5 microseconds instead of 100
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# the cookie is for the same site alone: a redirect from elsewhere would come without it
_STARTED = """<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><title>hawkeys capture</title>
<meta http-equiv="refresh" content="0; url={room}"><a href="{room}">To the page</a></html>
"""


class _Refused(Exception):
    """A request that gets no answer but why."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Guard:
    """What must hold before a request is looked at; see `check`.

    The cookie belongs to a path that nobody else knows (the room), because browsers send cookies
    of 127.0.0.1 to every port, and so to other users' servers.
    """

    def __init__(self, origin: str, token: str) -> None:
        self.origin, self._token = origin, token
        self._cookie = secrets.token_urlsafe(32)
        self.room = f"/{secrets.token_hex(16)}/"

    def check(self, method: str, path: str, headers: Headers) -> None:
        """Raise `_Refused` unless the request is from the page, at this address, by its owner."""
        if headers.getlist("host") != [self.origin.removeprefix("http://")]:
            raise _Refused(421, f"this server answers at {self.origin} alone. Open that address.")
        if method not in ("GET", "POST"):
            raise _Refused(405, f"{method} is not answered; only GET and POST are.")
        if path == "/start" and method == "GET":
            return
        if headers.get("sec-fetch-site", "same-origin") in ("cross-site", "same-site"):
            raise _Refused(403, "the request comes from another page.")
        if method == "POST" and headers.getlist("origin") != [self.origin]:
            raise _Refused(403, f"the request does not come from the page at {self.origin}.")
        if not path.startswith(self.room) or not self._is_owner(headers):
            raise _Refused(403, "not open to this browser. Open the address that the command "
                           "printed; it works once, so start the command again for a new "
                           "one.")  # fmt: skip

    async def enter(self, request: Request) -> Response:
        """Return the way to the page and the cookie, for the right token and only once."""
        token = request.query_params.get("token", "")
        # bytes, because texts that are not ASCII cannot be compared in constant time
        right = secrets.compare_digest(token.encode(), self._token.encode())
        if not right or not self._token:
            raise _Refused(403, "the token is wrong, or was used already: it works once. If that "
                           "was not you, end the command (Ctrl-C). Start it again for a new "
                           "address.")  # fmt: skip
        self._token = ""
        response = HTMLResponse(_STARTED.format(room=self.room))
        response.set_cookie(_COOKIE, self._cookie, path=self.room, httponly=True, samesite="strict")
        return response

    def _is_owner(self, headers: Headers) -> bool:
        """Tell whether the cookie is there, in constant time."""
        cookies = Request({"type": "http", "headers": headers.raw}).cookies
        given = cookies.get(_COOKIE, "")
        return secrets.compare_digest(given.encode(), self._cookie.encode())


class _Room:
    """The page and what it asks for; one request at a time has the session."""

    def __init__(self, session: Session) -> None:
        self._session, self._lock = session, Lock()

    def state(self, _request: Request) -> Response:
        """Return what the page shows when it is opened."""
        with self._lock:
            return JSONResponse(state_of(self._session))

    def picture(self, _request: Request) -> Response:
        """Return the picture of the samples so far."""
        with self._lock:
            return JSONResponse(self._session.picture())

    async def attempt(self, request: Request) -> Response:
        """Add an attempt, and return what became of it."""
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            raise _Refused(415, "an attempt is sent as application/json.")
        body = await _body_of(request)
        return await run_in_threadpool(self._add, body)

    def _add(self, body: bytes) -> Response:
        with self._lock:
            answer = self._session.add(body)
            said = answer_in_words(answer, self._session)
            return JSONResponse({**said, "state": state_of(self._session)})


async def _body_of(request: Request) -> bytes:
    """Return the body of a request, refusing a large one before it has come."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > LARGEST_BODY:
            raise _Refused(413, f"an attempt has at most {LARGEST_BODY} bytes.")
        parts.append(part)
    return b"".join(parts)


def build_app(session: Session, origin: str, token: str) -> Any:
    """Return the ASGI application of a session at an origin; `token` opens it once."""
    guard, room = Guard(origin, token), _Room(session)
    routes = [
        Route("/start", guard.enter),
        Route(f"{guard.room}state", room.state),
        Route(f"{guard.room}picture", room.picture),
        Route(f"{guard.room}attempts", room.attempt, methods=["POST"]),
        *(Route(guard.room + path, _static(*file)) for path, file in _STATIC.items()),
    ]
    app = Starlette(routes=routes, exception_handlers={_Refused: _refusal, HawkeysError: _failure})
    app.router.redirect_slashes = False
    return _guarded(app, guard)


def _static(name: str, kind: str) -> Callable[[Request], Response]:
    content = (files("hawkeys.capture") / "static" / name).read_bytes()
    return lambda _request: Response(content, media_type=kind)


def _guarded(app: Any, guard: Guard) -> Any:
    """Return the application behind the guard, with the headers on whatever it says."""

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                more = [(name.lower().encode(), text.encode()) for name, text in _HEADERS.items()]
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        try:
            guard.check(scope["method"], scope["path"], Headers(scope=scope))
        except _Refused as error:
            await _refusal(None, error)(scope, receive, send_with_headers)
            return
        await app(scope, receive, send_with_headers)

    return guarded


def _refusal(_request: Any, error: Exception) -> Response:
    status = error.status if isinstance(error, _Refused) else 400
    # what is left of the body is not read
    return PlainTextResponse(f"{error}\n", status, {"Connection": "close"})


def _failure(_request: Any, error: Exception) -> Response:
    return PlainTextResponse(f"{error}\n", 500 if isinstance(error, OutputError) else 400)
