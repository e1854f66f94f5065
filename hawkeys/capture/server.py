"""`CaptureServer`: the page of a `Session`, for one browser of this machine."""

from __future__ import annotations

import os
import secrets
import socket
from types import TracebackType
from typing import Any

from hawkeys.capture.extra import require_server
from hawkeys.capture.session import Session
from hawkeys.exceptions import InvalidParameterError

__all__ = ["CaptureServer"]

_HOST = "127.0.0.1"


class CaptureServer:
    """A server on 127.0.0.1 whose page records attempts for a session.

    Nothing outside this machine can reach it, and the page can reach nothing else. The address
    holds a token that works once: whoever opens it first gets a cookie, and nobody else gets
    anything. A request under another host name, from another page or without the cookie is
    refused.

    Parameters
    ----------
    session : Session
        What the attempts are added to.
    port : int, default 0
        Port of 127.0.0.1; 0 for a free one.

    Attributes
    ----------
    origin : str
        "http://127.0.0.1:port", as a browser names it.
    address : str
        What to open in a browser, once: `origin` and the token.

    Raises
    ------
    MissingExtraError
        The extra ``[capture]`` is not installed.
    InvalidParameterError
        A port that is none, or is in use.

    Examples
    --------
    >>> from hawkeys.capture import CaptureServer, Session
    >>> server = CaptureServer(Session("hello"))  # doctest: +SKIP
    >>> print(server.address)  # doctest: +SKIP
    >>> server.run()  # until Ctrl-C  # doctest: +SKIP
    """

    def __init__(self, session: Session, *, port: int = 0) -> None:
        app, uvicorn = require_server()
        self._socket = _bound(port)
        self.origin = _origin(self._socket.getsockname()[1])
        token = secrets.token_urlsafe(32)
        self.address = f"{self.origin}/start?token={token}"
        config: Any = uvicorn.Config(
            app.build_app(session, self.origin, token),
            # what one page needs, and nothing that listens to headers of a proxy
            http="h11",
            ws="none",
            lifespan="off",
            proxy_headers=False,
            server_header=False,
            access_log=False,  # it would show the token
            log_config=None,
            limit_concurrency=32,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)

    def run(self) -> None:
        """Serve until `stop` is called from another thread, or Ctrl-C.

        Raises
        ------
        KeyboardInterrupt
            By Ctrl-C, once all is closed.
        """
        with self:
            self._server.run(sockets=[self._socket])

    def close(self) -> None:
        """Give the port back; `run` does so, too."""
        self._socket.close()

    def __enter__(self) -> CaptureServer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def stop(self) -> None:
        """Let `run` return, from another thread."""
        self._server.should_exit = True


def _origin(port: int) -> str:
    """Return the origin of a page at a port; a browser leaves the usual one out."""
    return f"http://{_HOST}" if port == 80 else f"http://{_HOST}:{port}"


def _bound(port: Any) -> socket.socket:
    """Return a socket of this machine alone at a port."""
    if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port < 2**16:
        raise InvalidParameterError(
            f"port must be a whole number from 0 (any free one) to 65535; got {port!r}."
        )
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if os.name == "posix":  # a port that was just left; elsewhere it would share one in use
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((_HOST, port))
        listening.listen()
    except OSError as error:
        listening.close()
        raise InvalidParameterError(
            f"port {port} of {_HOST} cannot be had ({error.strerror}). Choose another one, or 0 "
            "for any that is free."
        ) from error
    return listening
