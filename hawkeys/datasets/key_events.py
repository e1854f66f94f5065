"""`KeyEvents`: presses and releases of keys as a logger wrote them, and the reader of its files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys._validation import check_choice
from hawkeys.datasets._columns import check_columns
from hawkeys.datasets._event_cells import downs_of, labels_of, numbered, times_of
from hawkeys.datasets._event_rows import EventRows, rows_of_frame, rows_of_text
from hawkeys.datasets._tables import BrokenFileError, decode_text, load_bytes, one_line
from hawkeys.datasets.tally import Tally
from hawkeys.exceptions import DatasetError, InvalidParameterError

__all__ = ["KeyEvents", "read_key_events"]

_PER_SECOND = {"s": 1.0, "ms": 1e3, "us": 1e6}


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class KeyEvents:
    """Presses and releases in the order of the source, not yet paired into strokes.

    Build it with `read_key_events`, which checks the data. The arrays are read-only.

    Attributes
    ----------
    user, key : ndarray of str, shape (n_events,)
        The typist and the key as the source names them.
    session : ndarray of int64 or str, shape (n_events,)
        Sitting: numbers if every label is a whole number.
    repetition : ndarray of int64 or str, shape (n_events,), or None
        Repetition of a text within the sitting, if the source has such a column.
    time : ndarray of float64, shape (n_events,)
        Seconds.
    down : ndarray of bool, shape (n_events,)
        True for a press.
    paired : bool
        True if the source had one row per keystroke: events 2 i and 2 i + 1 are press and release
        of one stroke.
    tally : Tally
        Lines of the source that were "read" (one or two events each) and "blank", the header apart.
    source : str
        Path of the file, or "frame".
    """

    user: np.ndarray
    session: np.ndarray
    repetition: np.ndarray | None
    key: np.ndarray
    time: FloatArray
    down: BoolArray
    paired: bool
    tally: Tally
    source: str

    def __post_init__(self) -> None:
        for array in (self.user, self.session, self.repetition, self.key, self.time, self.down):
            if array is not None:
                array.flags.writeable = False

    def groups(self) -> IntArray:
        """Return the number of each event's recording, counted in order of first appearance.

        A recording is a user's session or, if the source numbers them, one repetition of it.

        Returns
        -------
        ndarray of int64, shape (n_events,)
            0, 1, ...
        """
        return group_numbers(self.user, self.session, self.repetition)

    def __len__(self) -> int:
        return self.time.size

    def __repr__(self) -> str:
        return (
            f"KeyEvents: {len(self):,} events ({int(self.down.sum()):,} presses) of "
            f"{np.unique(self.user).size} users in {np.unique(self.groups()).size} recordings"
        )


def read_key_events(
    path_or_frame: str | os.PathLike[str] | pd.DataFrame,
    *,
    format: str = "auto",  # noqa: A002 (pandas calls it so)
    columns: Mapping[str, str] | None = None,
    time_unit: str = "s",
) -> KeyEvents:
    """Read raw key events: one row per keystroke, or one row per press and per release.

    Parameters
    ----------
    path_or_frame : path or DataFrame
        A csv file with a header, or JSON lines (one object per line); UTF-8, gzipped or not. Or
        the same table as a frame.
    format : {"auto", "csv", "jsonl"}, default "auto"
        Kind of file; "auto" takes a file that starts with a brace for JSON lines.
    columns : mapping of str to str, optional
        Names of columns: keys "user", "session", "key", "press", "release", "type", "time",
        "repetition". A part that is not given is found by its name, whatever the case, blanks and
        punctuation: user (userid, subject, subjectid, participant, participantid, typist), session
        (sessionid, sessionindex, sitting), key (keyname, keycode), press (timepress, presstime,
        downtime, timedown), release (timerelease, releasetime, uptime, timeup), type (eventtype,
        event, action), time (timestamp, eventtime), repetition (rep, attempt, trial). Other
        columns are not read. A table with press and release has one row per keystroke; one with
        type (down, press, keydown or up, release, keyup) and time, one per event. The repetition
        is optional.
    time_unit : {"s", "ms", "us"}, default "s"
        Unit of the times.

    Returns
    -------
    KeyEvents
        In the order of the rows; `tally` counts the lines. A cell is never guessed or skipped.

    Raises
    ------
    DatasetNotFoundError
        There is no such file.
    DatasetError
        The file is not text, truncated or damaged; a column is missing, ambiguous or twice there;
        a time is no finite number or beyond 1e11 s; a release is before its press; a label is
        empty, longer than 100 characters or not text. The message names file, line and column.
    InvalidParameterError
        An unknown format, unit or part, or neither a path nor a frame.

    Examples
    --------
    >>> import pandas as pd
    >>> from hawkeys.datasets import read_key_events
    >>> rows = [["ann", 1, "a", 100, 180], ["ann", 1, "b", 150, 260]]
    >>> names = ["user", "session", "keyname", "timepress", "timerelease"]
    >>> frame = pd.DataFrame(rows, columns=names)
    >>> events = read_key_events(frame, time_unit="ms")
    >>> events
    KeyEvents: 4 events (2 presses) of 1 users in 1 recordings
    >>> events.time
    array([0.1 , 0.18, 0.15, 0.26])
    """
    check_choice(format, "format", ("auto", "csv", "jsonl"))
    check_choice(time_unit, "time_unit", tuple(_PER_SECOND))
    given = check_columns(columns)
    if isinstance(path_or_frame, pd.DataFrame):
        try:
            return _events_of(rows_of_frame(path_or_frame, given), time_unit, "frame")
        except BrokenFileError as error:
            raise DatasetError(f"frame: {one_line(error)}") from error
    if not isinstance(path_or_frame, str | os.PathLike):
        raise InvalidParameterError(
            f"path_or_frame must be a path or a DataFrame; got {type(path_or_frame).__name__}."
        )
    content = load_bytes(path_or_frame)
    return parse_key_events(
        content, str(path_or_frame), kind=format, given=given, time_unit=time_unit
    )


def parse_key_events(
    content: bytes, source: str, *, kind: str, given: Mapping[str, str], time_unit: str
) -> KeyEvents:
    """Return the key events in the bytes of a file; `source` names it in messages.

    Raises `DatasetError`.
    """
    try:
        return _events_of(rows_of_text(decode_text(content), kind, given), time_unit, source)
    except BrokenFileError as error:
        raise DatasetError(
            f"{source}: {one_line(error)} Key events are read from csv or JSON lines in UTF-8, "
            "gzipped or not."
        ) from error


def group_numbers(*labels: np.ndarray | None) -> IntArray:
    """Return the number of each row's combination of labels, in order of first appearance."""
    frame = pd.DataFrame(
        {place: pd.factorize(label)[0] for place, label in enumerate(labels) if label is not None}
    )
    return frame.groupby(list(frame.columns), sort=False).ngroup().to_numpy(dtype=np.int64)


def _events_of(rows: EventRows, time_unit: str, source: str) -> KeyEvents:
    unit = _PER_SECOND[time_unit]
    user, session, key = (labels_of(rows, part) for part in ("user", "session", "key"))
    repetition = numbered(labels_of(rows, "repetition")) if "repetition" in rows.cells else None
    paired = "press" in rows.cells
    if paired:
        press, release = times_of(rows, "press", unit), times_of(rows, "release", unit)
        _check_order(rows, press, release)
        time, down = np.column_stack([press, release]).ravel(), np.tile([True, False], press.size)
    else:
        time, down = times_of(rows, "time", unit), downs_of(rows)
    n_each = 2 if paired else 1
    return KeyEvents(
        user=np.repeat(user, n_each),
        session=np.repeat(numbered(session), n_each),
        repetition=None if repetition is None else np.repeat(repetition, n_each),
        key=np.repeat(key, n_each),
        time=time,
        down=down,
        paired=paired,
        tally=Tally({"read": len(rows.lines), "blank": rows.n_blank}),
        source=source,
    )


def _check_order(rows: EventRows, press: FloatArray, release: FloatArray) -> None:
    for row in np.flatnonzero(release < press)[:1]:
        raise BrokenFileError(
            f"{rows.place(row, 'release')}: the release at {release[row]:.10g} s is before the "
            f"press at {press[row]:.10g} s; correct or remove the row."
        )
