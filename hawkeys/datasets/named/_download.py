"""Downloads that give up quickly and leave nothing half-written behind."""

from __future__ import annotations

import io
import threading
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pooch

from hawkeys._files import write_bytes
from hawkeys.exceptions import DatasetNotFoundError, HawkeysWarning

__all__ = ["download", "keep"]

# Connecting and each read may take this long. Resolving a host name has no time limit of its own,
# so a thread does the work and is left behind when nothing has arrived for so many seconds.
_READ_SECONDS = 5
_STALL_SECONDS = 8


def download(url: str) -> bytes:
    """Return what an address holds.

    Parameters
    ----------
    url : str
        An http or https address.

    Returns
    -------
    bytes
        The content.

    Raises
    ------
    DatasetNotFoundError
        No connection, an error page, or nothing received for 8 s.
    """
    received = io.BytesIO()
    failures: list[Exception] = []
    worker = threading.Thread(target=_fetch, args=(url, received, failures), daemon=True)
    worker.start()
    while worker.is_alive():
        size = received.tell()
        worker.join(_STALL_SECONDS)
        if worker.is_alive() and received.tell() == size:
            failures.append(TimeoutError(f"nothing received for {_STALL_SECONDS} s"))
            break
    if failures:
        # the reason is in the message; the network stack's own chain of errors says no more
        raise DatasetNotFoundError(
            f"the download from {url} failed: {_reason(failures[0], url)}."
        ) from None
    return received.getvalue()


def keep(content: bytes, path: Path) -> str | None:
    """Write `content` to `path`, all or nothing; return the path, or None if it cannot be kept.

    Parameters
    ----------
    content : bytes
        What to write.
    path : Path
        The file; its folder is made if need be.

    Returns
    -------
    str or None
        The path, or None after a `HawkeysWarning` that says why there is no file.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, content)
    except OSError as error:
        warnings.warn(
            f"{path}: the download cannot be kept and is repeated next time ({error}). "
            "Make the folder writable, or set HAWKEYS_DATA to a folder with the file.",
            HawkeysWarning,
            stacklevel=2,
        )
        return None
    return str(path)


def _fetch(url: str, received: io.BytesIO, failures: list[Exception]) -> None:
    responses: list[Any] = []

    def remember(response: Any, *_: Any, **__: Any) -> None:
        responses.append(response)

    try:
        pooch.HTTPDownloader(timeout=_READ_SECONDS, hooks={"response": remember})(
            url, received, None
        )
    except (OSError, ValueError) as error:
        failures.append(error)
    finally:
        for response in responses:  # pooch leaves the connection open after a failure
            response.close()


def _reason(error: Exception, url: str) -> str:
    """Put the failure into a few words; those of a failed connection fill half a screen."""
    if isinstance(error, TimeoutError) or getattr(error, "response", None) is not None:
        return " ".join(str(error).split())
    return f"no connection to {urlsplit(url).hostname} ({type(error).__name__})"
