"""Writing files so that nothing is ever half written."""

from __future__ import annotations

import errno
import os
import platform
import shutil
import stat
import tempfile
import uuid
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hawkeys.exceptions import HawkeysError, OutputError

__all__ = [
    "check_output_directory",
    "explained",
    "is_device",
    "reason",
    "remove_abandoned",
    "temporary_folder",
    "temporary_name",
    "write_bytes",
    "write_text",
]

_PREFIX = ".hawkeys-"
_MACHINE = f"{zlib.crc32(platform.node().encode()):08x}"
# not all systems know all of them
_FULL = {getattr(errno, name, None) for name in ("ENOSPC", "EDQUOT", "EFBIG")}
_BROKEN = {getattr(errno, name, None) for name in ("EIO", "ETIMEDOUT", "ESTALE")}


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
        name = f"{temporary_name()}-"
        with tempfile.TemporaryDirectory(prefix=name, dir=target.parent) as folder:
            part = Path(folder) / target.name
            _write_part(part, content, 0o600 if private else _mode_of(target))
            part.replace(target)
    except OSError as error:
        raise OutputError(f"cannot write {Path(path)}: {reason(error)}") from error


def reason(error: OSError) -> str:
    """Return why a file cannot be written, and what helps, in two sentences."""
    what = error.strerror or str(error)
    if error.errno and error.errno in _FULL:
        helps = "Make room on that disk, or write to another one."
    elif error.errno in (errno.ENAMETOOLONG, errno.EINVAL):
        helps = "Choose a shorter name of plain letters."
    elif error.errno and error.errno in _BROKEN:
        helps = "The disk or its connection fails: write to another one."
    else:
        helps = "Choose a folder that exists and that you may write to."
    return f"{what}. {helps}"


def temporary_name() -> str:
    """Return a new name for a temporary folder, which says what process of what machine made it."""
    return f"{_PREFIX}{_MACHINE}-{os.getpid()}-{uuid.uuid4().hex[:12]}"


def remove_abandoned(place: Path) -> None:
    """Remove the temporary folders in a folder whose process on this machine runs no more.

    A process that was killed cannot remove its own. Those of other machines (the folder may be
    shared) stay, and so do all where one cannot ask for a process (Windows).
    """
    if os.name != "posix":
        return
    with suppress(OSError):
        for folder in place.glob(f"{_PREFIX}{_MACHINE}-*"):
            number = folder.name.removeprefix(f"{_PREFIX}{_MACHINE}-").partition("-")[0]
            if number.isdigit() and not _runs(int(number)):
                shutil.rmtree(folder, ignore_errors=True)


def _runs(process: int) -> bool:
    """Tell whether a process of this machine runs, whoever owns it."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


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


def check_output_directory(directory: str | os.PathLike[str]) -> Path:
    """Make sure that files can be written to a folder, and leave no trace of the attempt.

    Call it before long work, so that a wrong path is found out at once.

    Parameters
    ----------
    directory : str or path-like
        Folder that exists or is to be created, with its parents, by `staged_directory`.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    OutputError
        If the path, or a parent of it, is not a folder or cannot be written to.

    Examples
    --------
    >>> from hawkeys._files import check_output_directory
    >>> check_output_directory(".").name
    ''
    """
    target = Path(directory)
    with explained(target):
        probe = temporary_folder(target)
        probe.mkdir()
        probe.rmdir()
    return target


@contextmanager
def explained(target: Path) -> Iterator[None]:
    """Turn an error of the file system into a sentence that names the target."""
    try:
        yield
    except HawkeysError:
        raise
    except OSError as error:
        raise OutputError(f"cannot write to {str(target)!r}: {reason(error)}") from error


def temporary_folder(target: Path) -> Path:
    """Name a new folder inside the target, or beside where the target will be."""
    place = target.absolute()
    while not place.exists():
        place = place.parent
    return place / temporary_name()
