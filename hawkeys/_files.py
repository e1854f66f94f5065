"""Writing files so that nothing is ever half written."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from hawkeys.exceptions import OutputError

__all__ = ["is_device", "write_bytes", "write_text"]


def write_bytes(path: str | os.PathLike[str], content: bytes, *, private: bool = False) -> None:
    """Write `content` to `path` by way of a temporary folder beside it, all or nothing.

    What was there is replaced in one step, and stays if anything goes wrong; a link stays a link,
    and a device or a pipe (/dev/stdout) is written to. A `private` file can be read by its owner
    alone (mode 600), from its first byte and whatever it replaces; any other one has the mode of
    the file that it replaces. Raises `OutputError` if the folder is missing or cannot be written.
    """
    try:
        if is_device(path):
            Path(path).write_bytes(content)
            return
        target = Path(path).resolve()
        with tempfile.TemporaryDirectory(prefix=".hawkeys-", dir=target.parent) as folder:
            part = Path(folder) / target.name
            _write_part(part, content, 0o600 if private else _mode_of(target))
            part.replace(target)
    except OSError as error:
        raise OutputError(
            f"cannot write {Path(path)}: {error.strerror}. Choose a folder that exists and is "
            "writable."
        ) from error


def write_text(path: str | os.PathLike[str], text: str, *, private: bool = False) -> None:
    """Write `text` in UTF-8, as `write_bytes` does."""
    write_bytes(path, text.encode("utf-8"), private=private)


def is_device(path: str | os.PathLike[str]) -> bool:
    """Tell whether a path is a device or a pipe, which is written to and not replaced."""
    # before links are followed: /dev/stdout leads to a pipe that has no path
    given = Path(path)
    return given.exists() and not (given.is_file() or given.is_dir())


def _mode_of(target: Path) -> int | None:
    return stat.S_IMODE(target.stat().st_mode) if target.is_file() else None


def _write_part(part: Path, content: bytes, mode: int | None) -> None:
    """Write a new file that has its mode before it holds anything; None leaves it to the umask."""
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if mode is None else 0o600)
    with os.fdopen(handle, "wb") as file:
        if mode is not None and hasattr(os, "fchmod"):
            os.fchmod(handle, mode)
        file.write(content)
