"""Typing samples in the user's own files, of one or many typists, for ``hawkeys benchmark``."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from hawkeys.cli.inputs.labels import impostors_of, only_column
from hawkeys.cli.logs import Log
from hawkeys.datasets import Keystrokes, Provenance
from hawkeys.datasets._repeats import find_copies
from hawkeys.datasets._tables.columns import is_called
from hawkeys.exceptions import DatasetError, DatasetNotFoundError, InvalidTimingsError

__all__ = ["read_own"]


@dataclass(frozen=True)
class _Part:
    """The samples of one file: timings (n, 3 K - 2) and labels (n,) each."""

    timings: pd.DataFrame
    subject: np.ndarray
    session: np.ndarray
    repetition: np.ndarray | None
    impostor: np.ndarray


def read_own(path: Path, log: Log, impostor_column: str | None = None) -> Keystrokes:
    """Read a table of samples, a log, or all files in a folder.

    Parameters
    ----------
    path : Path
        A file in any known format, ``-`` for stdin, or a folder of files. Of a file that does not
        say who typed, the typist is who it is called after; in a subfolder, who that is.
    log : Log
        How files are read; what was typed, for logs.
    impostor_column : str, optional
        Column that labels impostors' samples.

    Returns
    -------
    Keystrokes
        All samples, with the notice in `origin` of what a reader must know.

    Raises
    ------
    DatasetNotFoundError
        There is no such file or folder.
    DatasetError
        A file is broken, or the files are of different texts.
    """
    files = _files(path)
    parts, digest = [], hashlib.sha256()
    for file in files:
        who = file.name.split(".")[0] if file.parent == path or file == path else file.parent.name
        parts.append(_part(file, log, who or "typist", impostor_column))
        digest.update(file.read_bytes() if str(file) != "-" else b"")
    _check_one_text(files, parts)
    typed = _joined(parts, str(path))
    origin = Provenance(
        name="own",
        source=str(path),
        sha256=digest.hexdigest(),
        n_samples=len(typed),
        n_subjects=len(typed.subjects),
        simulated=False,
        notice=_notice(typed),
    )
    return replace(typed, origin=origin)


def _files(path: Path) -> list[Path]:
    """Return the file, or the files in a folder and its folders, in the order of their names."""
    if not path.is_dir():
        if str(path) != "-" and not path.exists():
            raise DatasetNotFoundError(f"{path}: no such file or folder. Check the path.")
        return [path]
    found = sorted(
        file for pattern in ("*", "*/*") for file in path.glob(pattern)
        if file.is_file() and not file.name.startswith(".")
    )  # fmt: skip
    if not found:
        raise DatasetNotFoundError(f"{path}: the folder holds no file. Check the path.")
    return found


def _part(file: Path, log: Log, who: str, impostor_column: str | None) -> _Part:
    """Return the samples of one file; raises `DatasetError`."""
    own = replace(log, user=log.user or who, session=log.session or "1")
    timings, labels = own.samples(file)
    if timings.empty:
        raise DatasetError(f"{file}: no sample. Check the file and --text, or remove the file.")
    if not any(str(name).startswith("H.") for name in timings):
        raise DatasetError(
            f"{file}: the log has no releases, so there are no holds, which the verifiers need. "
            "Record releases, too."
        )
    column = only_column(labels, "user", str(file))
    names = np.full(len(labels), own.user) if column is None else labels[column].to_numpy()
    subject = np.array([str(name) for name in names], dtype=np.str_)
    sitting = only_column(labels, "session", str(file))
    count = next((name for name in labels if is_called(str(name), "repetition")), None)
    counted = None if count is None else labels[count].to_numpy()
    return _Part(
        timings=timings,
        subject=subject,
        session=np.ones(len(labels), np.int64) if sitting is None else labels[sitting].to_numpy(),
        repetition=counted if counted is not None and counted.dtype.kind == "i" else None,
        impostor=impostors_of(labels, subject, impostor_column, str(file)),
    )


def _check_one_text(files: list[Path], parts: list[_Part]) -> None:
    """Refuse files whose keys differ; raises `DatasetError`."""
    first = list(parts[0].timings)
    for file, part in zip(files, parts, strict=True):
        if list(part.timings) != first:
            raise DatasetError(
                f"{file}: has {part.timings.shape[1]} timings ({', '.join(part.timings[:3])}, "
                f"...), {files[0]} has {len(first)} ({', '.join(first[:3])}, ...). Verifiers "
                "compare typists of one and the same text: give files of one text."
            )


def _joined(parts: list[_Part], source: str) -> Keystrokes:
    """Return the samples of all files; raises `DatasetError` if they cannot be timings."""
    session = [part.session for part in parts]
    subject = np.concatenate([part.subject for part in parts])
    apart = len(parts) > 1 or session[0].dtype.kind != "i"
    repetition = [part.repetition for part in parts if part.repetition is not None]
    try:
        return Keystrokes.from_timings(
            pd.concat([part.timings for part in parts], ignore_index=True),
            subject=subject,
            session=_numbered(subject, session) if apart else session[0],
            repetition=np.concatenate(repetition) if len(repetition) == len(parts) else None,
            impostor=np.concatenate([part.impostor for part in parts]),
        )
    except InvalidTimingsError as error:
        raise DatasetError(f"{source}: {error}") from error


def _numbered(subject: np.ndarray, session: list[np.ndarray]) -> np.ndarray:
    """Return sessions as 1, 2, ... of each subject, in order of files and appearance."""
    labels = [(k, label) for k, part in enumerate(session) for label in part.tolist()]
    number: dict[str, dict[tuple[int, object], int]] = {}
    return np.array(
        [number.setdefault(who, {}).setdefault(label, len(number[who]) + 1)
         for who, label in zip(subject.tolist(), labels, strict=True)], dtype=np.int64)  # fmt: skip


def _notice(typed: Keystrokes) -> str:
    """Say what makes figures wrong without being an error: copies of samples."""
    copies = find_copies(typed.timings().to_numpy(), typed.subject)
    said = [
        f"{int(bad.sum()):,} of {len(typed):,} samples equal an earlier one of {whom} in every "
        "interval"
        for bad, whom in ((copies.of_others, "another typist"), (copies.of_own, "the same typist"))
        if bad.any()
    ]
    if not said:
        return ""
    return f"{' and '.join(said)}: copies, which make the figures wrong. Remove them."
