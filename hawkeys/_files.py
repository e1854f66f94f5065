"""Writing files so that nothing is ever half written."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hawkeys.exceptions import OutputError

__all__ = ["write_bytes", "write_text"]


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Write `content` to `path` by way of a temporary folder beside it, all or nothing.

    What was there is replaced in one step, and stays if anything goes wrong; a link stays a link,
    and a device or a pipe (/dev/stdout) is written to. Raises `OutputError` if the folder is
    missing or cannot be written.
    """
    try:
        target = Path(path).resolve()
        if target.exists() and not (target.is_file() or target.is_dir()):
            target.write_bytes(content)
            return
        with tempfile.TemporaryDirectory(prefix=".hawkeys-", dir=target.parent) as folder:
            part = Path(folder) / target.name
            part.write_bytes(content)
            part.replace(target)
    except OSError as error:
        raise OutputError(
            f"cannot write {Path(path)}: {error.strerror}. Choose a folder that exists and is "
            "writable."
        ) from error


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write `text` in UTF-8, as `write_bytes` does."""
    write_bytes(path, text.encode("utf-8"))
