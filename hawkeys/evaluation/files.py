"""Output that is either complete or absent: files are built aside and then moved into place."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hawkeys.exceptions import HawkeysError, OutputError

__all__ = ["MANIFEST", "check_output_directory", "staged_directory"]

MANIFEST = "evaluation.json"
"""File of a report that lists, under "files", what the report consists of."""


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
    >>> from hawkeys.evaluation.files import check_output_directory
    >>> check_output_directory(".").name
    ''
    """
    target = Path(directory)
    with _explained(target):
        probe = _temporary_folder(target)
        probe.mkdir()
        probe.rmdir()
    return target


@contextmanager
def staged_directory(directory: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield an empty folder whose files appear in `directory` only if the block succeeds.

    Files of the same names are replaced one by one; files listed in the manifest of an earlier
    report that the new one lacks are removed; all else in the folder is left alone. If the block
    fails or is interrupted, nothing in `directory` changes.

    Parameters
    ----------
    directory : str or path-like
        The target folder; created, with its parents, if missing.

    Yields
    ------
    Path
        A temporary folder on the same file system.

    Raises
    ------
    OutputError
        If a file cannot be written or moved.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from hawkeys.evaluation.files import staged_directory
    >>> with tempfile.TemporaryDirectory() as root:
    ...     with staged_directory(Path(root) / "out") as folder:
    ...         _ = (folder / "a.txt").write_text("done")
    ...     (Path(root) / "out" / "a.txt").read_text()
    'done'
    """
    target = Path(directory)
    with _explained(target):
        folder = _temporary_folder(target)
        folder.mkdir()
        try:
            yield folder
            _publish(folder, target)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _explained(target: Path) -> Iterator[None]:
    """Turn an error of the file system into a sentence that names the target."""
    try:
        yield
    except HawkeysError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"cannot write to {str(target)!r}: {reason}. Choose a folder that you may write to."
        ) from error


def _temporary_folder(target: Path) -> Path:
    """Name a new folder inside the target, or beside where the target will be."""
    place = target.absolute()
    while not place.exists():
        place = place.parent
    return place / f".hawkeys-{uuid.uuid4().hex}"


def _publish(folder: Path, target: Path) -> None:
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        folder.replace(target)
        return
    files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    for name in files:
        if (target / name).is_dir():
            raise OutputError(
                f"cannot write {str(target / name)!r}: a folder of that name is in the way. "
                "Choose another output folder."
            )
    outdated = _listed_files(target) - set(files)
    for name in files:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).replace(target / name)
    for name in outdated:
        (target / name).unlink(missing_ok=True)


def _listed_files(target: Path) -> set[Path]:
    """Return the files that an earlier report says it consists of, if it can be read."""
    try:
        listed = json.loads((target / MANIFEST).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return set()
    entries = listed if isinstance(listed, list) else []
    names = {Path(name) for name in entries if isinstance(name, str)}
    return {name for name in names if not name.is_absolute() and ".." not in name.parts}
