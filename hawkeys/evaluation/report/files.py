"""Output that is either complete or absent: files are built aside and then moved into place."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hawkeys._files import (
    check_output_directory,
    explained,
    remove_abandoned,
    temporary_folder,
)
from hawkeys.exceptions import OutputError

__all__ = ["MANIFEST", "UNFINISHED", "check_output_directory", "staged_directory"]

MANIFEST = "evaluation.json"
"""File of a report that lists, under "files", what the report consists of."""

UNFINISHED = ".unfinished"
"""Folder in that of a report where interrupted evaluations keep what they have finished."""


@contextmanager
def staged_directory(directory: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield an empty folder whose files appear in `directory` only if the block succeeds.

    It lies beside `directory` and takes its place in one step, if there is nothing in that but an
    earlier report, as its manifest lists it. Where there are other files they are left alone:
    those of the earlier report are then set aside, the new ones put in, and all of it is undone if
    that fails. Whatever goes wrong or is interrupted, `directory` holds the whole earlier report or
    the whole new one.

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
    >>> from hawkeys.evaluation.report.files import staged_directory
    >>> with tempfile.TemporaryDirectory() as root:
    ...     with staged_directory(Path(root) / "out") as folder:
    ...         _ = (folder / "a.txt").write_text("done")
    ...     (Path(root) / "out" / "a.txt").read_text()
    'done'
    """
    target = Path(directory)
    with explained(target):
        folder = _make_beside(target.resolve())
        try:
            yield folder
            _publish(folder, target.resolve())
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _make_beside(target: Path) -> Path:
    """Make a folder beside the target; within it, if that is another disk or not permitted."""
    folder = temporary_folder(target)
    for place in {folder.parent, target.parent}:
        remove_abandoned(place)  # of runs that were killed: whole copies of the tables
    if target.is_dir() and not os.path.ismount(target):
        beside = target.parent / folder.name
        with suppress(OSError):
            beside.mkdir()
            return beside
    folder.mkdir()
    return folder


def _publish(folder: Path, target: Path) -> None:
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        folder.replace(target)
        return
    # the manifest last, because it says that the rest is there
    files = sorted(
        (path.relative_to(folder) for path in folder.rglob("*") if path.is_file()),
        key=lambda name: (name == Path(MANIFEST), name),
    )
    for name in files:
        if (target / name).is_dir():
            raise OutputError(
                f"cannot write {str(target / name)!r}: a folder of that name is in the way. "
                "Choose another output folder."
            )
    if folder.parent == target.parent and _is_only_a_report(target, folder):
        _take_the_place(folder, target)
    else:
        _exchange(folder, target, files)


def _is_only_a_report(target: Path, folder: Path) -> bool:
    """Tell whether nothing is in the target but an earlier report, and nobody stands in it."""
    here = Path.cwd()
    if here == target or target in here.parents:
        return False
    own, new = target.stat(), folder.stat()
    if (own.st_uid, own.st_gid) != (new.st_uid, new.st_gid):
        return False
    listed = _listed_files(target)
    known = listed | {parent for name in listed for parent in name.parents}
    found = {path.relative_to(target) for path in target.rglob("*")}
    kept = {name for name in found if name.parts[0] == UNFINISHED}
    return found - kept <= known and len({name for name in kept if len(name.parts) == 2}) < 2


def _take_the_place(folder: Path, target: Path) -> None:
    """Put a folder where the target is, and the target away."""
    old = folder.with_name(f"{folder.name}-old")
    shutil.copymode(target, folder)
    try:
        target.rename(old)
        folder.rename(target)
    finally:
        if not target.exists():
            old.rename(target)
        elif old.exists():
            _adopt(old / UNFINISHED, target / UNFINISHED)
            shutil.rmtree(old, ignore_errors=True)


def _adopt(old: Path, new: Path) -> None:
    """Move a folder, if there is one, or what is in it if there is already one of its name."""
    if not old.exists():
        return
    if not new.exists():
        old.rename(new)
    elif old.is_dir():
        for entry in old.iterdir():
            _adopt(entry, new / entry.name)


def _exchange(folder: Path, target: Path, files: list[Path]) -> None:
    """Replace the files of an earlier report by the new ones; undone if it does not succeed."""
    old = folder.with_name(f"{folder.name}-old")
    outdated = sorted(_listed_files(target) - set(files))
    aside: list[Path] = []
    placed: list[Path] = []
    finished = False
    try:
        for name in [*files, *outdated]:
            if os.path.lexists(target / name):
                (old / name).parent.mkdir(parents=True, exist_ok=True)
                aside.append(name)
                (target / name).rename(old / name)
            if name not in outdated:
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                placed.append(name)
                (folder / name).rename(target / name)
        finished = True
    finally:
        if not finished:
            for name in placed:
                (target / name).unlink(missing_ok=True)
            for name in aside:
                with suppress(FileNotFoundError):
                    (old / name).replace(target / name)
        shutil.rmtree(old, ignore_errors=True)


def _listed_files(target: Path) -> set[Path]:
    """Return the files that an earlier report says it consists of, if it can be read."""
    try:
        listed = json.loads((target / MANIFEST).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return set()
    entries = listed if isinstance(listed, list) else []
    names = {Path(name) for name in entries if isinstance(name, str)}
    return {name for name in names if not name.is_absolute() and ".." not in name.parts}
