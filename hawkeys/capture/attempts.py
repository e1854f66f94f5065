"""A file of attempts, to which whole lines are appended."""

from __future__ import annotations

import importlib
import json
import os
from pathlib import Path
from types import TracebackType

from hawkeys._files import explained
from hawkeys.capture.records import SCHEMA
from hawkeys.exceptions import OutputError

__all__ = ["AttemptFile"]

_LONGEST_LINE = 2**20


class AttemptFile:
    """A file of attempts: one JSON object a line, appended whole and on the disk at once.

    It is created readable by its owner alone, for it tells what was typed. A process that is killed
    leaves every attempt it has appended; half a line, from a power cut or a full disk, is removed
    when the file is next opened. `hawkeys.datasets.read_key_events` reads it, format "browser".

    Parameters
    ----------
    path : str or path-like
        A new file, or one that holds attempts already.

    Attributes
    ----------
    path : Path
        The file.
    n_bytes_removed : int
        Size of the half line that was found at the end and removed.

    Raises
    ------
    OutputError
        The file cannot be written, holds something else, or another process appends to it.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from hawkeys.capture import AttemptFile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "own.jsonl"
    >>> with AttemptFile(path) as file:
    ...     file.append(b'{"schema": "hawkeys-attempts/1", "events": []}\\n')
    >>> path.read_text().count("\\n")
    1
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.n_bytes_removed = 0
        with explained(self.path):
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
            self._handle = os.open(self.path, flags, 0o600)
        try:
            with explained(self.path):
                self._claim()
                self._check_end()
        except OutputError:
            self.close()
            raise

    def append(self, line: bytes) -> None:
        """Append a line and wait until it is on the disk; all of it or nothing.

        Parameters
        ----------
        line : bytes
            One JSON object and the end of the line.

        Raises
        ------
        OutputError
            It cannot be written; the file is as it was.
        """
        with explained(self.path):
            before = os.fstat(self._handle).st_size
            try:
                if os.write(self._handle, line) < len(line):
                    raise OutputError(
                        f"cannot write all of an attempt to {str(self.path)!r}. Make room on that "
                        "disk, or write to another one."
                    )
                os.fsync(self._handle)
            except OSError:
                os.ftruncate(self._handle, before)
                raise

    def close(self) -> None:
        """Close the file."""
        os.close(self._handle)

    def __enter__(self) -> AttemptFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _claim(self) -> None:
        """Refuse a file that another process appends to, where the system can tell."""
        if os.name != "posix":
            return
        fcntl = importlib.import_module("fcntl")
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OutputError(
                f"another 'hawkeys capture' appends to {str(self.path)!r}. End it, or name another "
                "file."
            ) from error

    def _check_end(self) -> None:
        """Refuse a file of another kind, and remove half a line at the end."""
        size = os.fstat(self._handle).st_size
        if not size:
            return
        os.lseek(self._handle, 0, os.SEEK_SET)
        first = os.read(self._handle, _LONGEST_LINE)
        if not _is_attempt(first.partition(b"\n")[0]) and not _is_half(first):
            raise OutputError(
                f"{str(self.path)!r} holds something else than attempts of 'hawkeys capture' "
                f"(lines with {SCHEMA!r}), which stays as it is. Name another file."
            )
        os.lseek(self._handle, max(0, size - _LONGEST_LINE), os.SEEK_SET)
        last = os.read(self._handle, _LONGEST_LINE).rpartition(b"\n")[2]
        if last and _is_attempt(last):
            self.append(b"\n")
        elif last:
            os.ftruncate(self._handle, size - len(last))
            self.n_bytes_removed = len(last)


def _is_attempt(line: bytes) -> bool:
    """Tell whether a line is an attempt."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(row, dict) and row.get("schema") == SCHEMA


def _is_half(content: bytes) -> bool:
    """Tell whether all that there is may be the beginning of an attempt."""
    start = f'{{"schema":"{SCHEMA}"'.encode()
    return b"\n" not in content and content[: len(start)] == start[: len(content)]
