"""The extra ``[capture]``: starlette and uvicorn, imported when a server is made."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from hawkeys.exceptions import MissingExtraError

__all__ = ["require_server"]


def require_server() -> tuple[Any, Any]:
    """Return the module with the application of the page, and uvicorn, which serves it.

    Raises `MissingExtraError` if one of the packages is not installed.
    """
    try:
        import_module("starlette")
        uvicorn = import_module("uvicorn")
    except ImportError as error:
        raise MissingExtraError(
            "the capture page needs starlette and uvicorn, which are not installed here. Install "
            'the extra: pip install "hawkeys[capture]".'
        ) from error
    return import_module("hawkeys.capture._app"), uvicorn
