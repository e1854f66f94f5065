"""`read_key_events`: key events from a file of any known format, or from a frame."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys._validation import check_choice
from hawkeys.datasets._tables.codes import codes_of, group_numbers
from hawkeys.datasets._tables.columns import check_columns
from hawkeys.datasets._tables.faults import Faults
from hawkeys.datasets._tables.files import BrokenFileError, decode_text, load_bytes, one_line
from hawkeys.datasets._tables.sheets import is_sheet, read_sheet
from hawkeys.datasets._tables.times import TIME_UNITS
from hawkeys.datasets.formats import EVENT_FORMATS, LATIN_MARK, Reading, find_format
from hawkeys.datasets.key_events._cells import downs_of, flags_of, labels_of, times_of
from hawkeys.datasets.key_events._rows import EventRows, rows_of_frame
from hawkeys.datasets.key_events.events import KeyEvents
from hawkeys.datasets.tally import Tally
from hawkeys.datasets.timings import LONGEST_HOLD
from hawkeys.exceptions import DatasetError, InvalidParameterError

__all__ = ["ReadOptions", "parse_key_events", "read_key_events"]

# half of the steps from event to event longer than this, in seconds: the unit is another one
_LONGEST_STEP = 10.0
_SHORTEST_STEP = 5e-5
_MANY = 20


@dataclass(frozen=True)
class ReadOptions:
    """How a source is read; see `read_key_events`."""

    format: str = "auto"
    columns: Mapping[str, str] = field(default_factory=dict)
    time_unit: str | None = None
    on_error: str = "raise"
    user: str | None = None
    session: str | None = None

    def filled(self) -> dict[str, str]:
        """Return the labels given for the parts that a source may lack."""
        given = {"user": self.user, "session": self.session}
        return {part: label for part, label in given.items() if label is not None}


def read_key_events(
    path_or_frame: str | os.PathLike[str] | pd.DataFrame,
    *,
    format: str = "auto",  # noqa: A002 (pandas calls it so)
    columns: Mapping[str, str] | None = None,
    time_unit: str | None = None,
    on_error: str = "raise",
    user: str | int | None = None,
    session: str | int | None = None,
) -> KeyEvents:
    """Read raw key events from a logger's file: one row per keystroke, or per press and release.

    Parameters
    ----------
    path_or_frame : path or DataFrame
        A file of any format that `available_formats` lists: text in UTF-8, gzipped or not, or
        .xlsx. Or a table as a frame.
    format : str, default "auto"
        Name of the format; "auto" finds it from the first lines, and takes any other text for csv
        with a header line (commas, semicolons, tabs or bars), or for JSON lines.
    columns : mapping of str to str, optional
        Names of columns of a csv, JSON or frame: keys "user", "session", "key", "press",
        "release", "type", "time", "repetition", "code", "repeat". A part that is not given is
        found by its name, whatever the case, blanks and punctuation: user (userid, subject,
        subjectid, participant, participantid, typist), session (sessionid, sessionindex, sitting),
        key (keyname, keycode), press (timepress, presstime, downtime, timedown), release
        (timerelease, releasetime, uptime, timeup), type (eventtype, event, action), time
        (timestamp, eventtime), repetition (rep, attempt, trial), code (scancode, or keycode beside
        a key). Other columns are not read. A table with press and release has one row per
        keystroke; one with type (down, press, keydown or up, release, keyup) and time, one per
        event; one with press alone has no releases. Repetition, code and repeat are optional.
    time_unit : {"s", "ms", "us", "ns", "100ns", "iso"}, optional
        Unit of the times; "100ns" are the ticks of Windows, "iso" texts as 2024-05-01T12:00:00.5
        (UTC without a zone). Default: the format's own; of csv, JSON and frames seconds, or dates
        if the first cell is one.
    on_error : {"raise", "drop"}, default "raise"
        "drop" leaves broken rows out: `tally` counts them by rule, `dropped` says where the first
        of them stand.
    user, session : str or int, optional
        Labels of a source that has none. Default: "user" and 1 for the files of loggers; a table
        must have the columns.

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
        Or the times cannot be in the unit: half of the holds last over 5 s, or half of the steps
        from event to event over 10 s or under 50 us.
    InvalidParameterError
        An unknown format, unit, part or rule, or neither a path nor a frame.

    Notes
    -----
    O(n) time; a million events of a plain csv take half a second.

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
    check_choice(format, "format", ("auto", *EVENT_FORMATS))
    if time_unit is not None:
        check_choice(time_unit, "time_unit", TIME_UNITS)
    options = ReadOptions(
        format=format,
        columns=check_columns(columns),
        time_unit=time_unit,
        on_error=on_error,
        user=_name(user, "user"),
        session=_name(session, "session"),
    )
    if isinstance(path_or_frame, pd.DataFrame):
        faults = Faults(on_error)
        try:
            rows = rows_of_frame(path_or_frame, options.columns, tuple(options.filled()))
            return _events_of(rows, "frame", options, faults, "frame")
        except BrokenFileError as error:
            raise DatasetError(f"frame: {one_line(error)}") from error
    if not isinstance(path_or_frame, str | os.PathLike):
        raise InvalidParameterError(
            f"path_or_frame must be a path or a DataFrame; got {type(path_or_frame).__name__}."
        )
    return parse_key_events(load_bytes(path_or_frame), str(path_or_frame), options)


def parse_key_events(content: bytes, source: str, options: ReadOptions) -> KeyEvents:
    """Return the key events in the bytes of a file; `source` names it in messages.

    Raises `DatasetError`.
    """
    faults = Faults(options.on_error)
    try:
        if is_sheet(content):
            rows = _rows_of_sheet(content, options)
            return _events_of(rows, source, options, faults, "xlsx")
        found = find_format(decode_text(content, latin_mark=LATIN_MARK), options.format)
        reading = Reading(found.text, options.columns, options.filled(), faults)
        return _events_of(found.format.read(reading), source, options, faults, found.format.name)
    except BrokenFileError as error:
        raise DatasetError(
            f"{source}: {one_line(error)} Key events are read from csv or JSON lines in UTF-8, "
            "gzipped or not."
        ) from error


def _name(label: Any, part: str) -> str | None:
    """Return a label given for a whole file as text."""
    if label is None:
        return None
    if isinstance(label, bool) or not isinstance(label, str | int | np.integer) or label == "":
        raise InvalidParameterError(
            f"{part} must be text or a whole number, the label of the whole file; got {label!r}."
        )
    return str(label)


def _rows_of_sheet(content: bytes, options: ReadOptions) -> EventRows:
    """Return the rows of the first sheet of an .xls or .xlsx file."""
    cells = read_sheet(content)
    frame = pd.DataFrame(cells[1:], columns=cells[0], dtype=object)
    return rows_of_frame(frame, options.columns, tuple(options.filled()))


def _events_of(
    rows: EventRows, source: str, options: ReadOptions, faults: Faults, kind: str
) -> KeyEvents:
    """Check the cells of rows and put them into a record."""
    rows.cells.update(_filled_cells(rows, options))
    alive = np.ones(len(rows), dtype=bool)
    parts = ("user", "session", "key", "repetition", "code")
    labels = {part: labels_of(rows, part, faults, alive) for part in parts if part in rows.cells}
    times, down, repeat, origin = _actions(rows, options, faults, alive)
    if not alive.any():
        raise BrokenFileError(f"no row is left: {'; '.join(faults.described())}.")
    n_each, n_rows = len(times), int(alive.sum())
    if n_rows < len(rows):
        times, down, repeat = [one[alive] for one in times], down[alive], repeat[alive]
    codes = {part: _repeated(one.codes, alive, n_each) for part, one in labels.items()}
    events = KeyEvents(
        user=labels["user"].names[codes["user"]],
        session=labels["session"].numbers(codes["session"]),
        repetition=labels["repetition"].numbers(codes["repetition"])
        if "repetition" in labels
        else None,
        key=labels["key"].names[codes["key"]],
        time=np.column_stack(times).ravel() if n_each == 2 else times[0],
        down=np.tile([True, False], n_rows) if n_each == 2 else down,
        paired=n_each == 2,
        tally=Tally({"read": n_rows, "blank": rows.n_blank, **rows.other, **faults.counts}),
        source=source,
        code=labels["code"].names[codes["code"]] if "code" in labels else None,
        repeat=repeat if repeat.any() else None,
        origin=origin,
        format=kind,
        dropped=faults.described(),
        _group=group_numbers(
            *(codes[part] for part in ("user", "session", "repetition") if part in codes)
        ),
        _key=codes_of(codes["key"]),
    )
    _check_unit(events, options.time_unit or rows.time_unit or "s")
    return events


def _repeated(codes: IntArray, alive: BoolArray, n_each: int) -> IntArray:
    """Return the labels of the rows that are left, once for each of their events."""
    kept = codes if alive.all() else codes[alive]
    return kept if n_each == 1 else np.repeat(kept, n_each)


def _filled_cells(rows: EventRows, options: ReadOptions) -> dict[str, Any]:
    """Return columns of one label for the parts that the source lacks."""
    return {
        part: pd.Categorical.from_codes(np.zeros(len(rows), dtype=np.int8), [label])
        for part, label in options.filled().items()
        if part not in rows.cells
    }


def _actions(
    rows: EventRows, options: ReadOptions, faults: Faults, alive: BoolArray
) -> tuple[list[FloatArray], BoolArray, BoolArray, float]:
    """Return times (one or two an event's row), presses, repeats and the origin."""
    unit = options.time_unit or rows.time_unit
    down = np.ones(len(rows), dtype=bool)
    repeat = np.zeros(len(rows), dtype=bool)
    if "press" in rows.cells:
        parts = tuple(part for part in ("press", "release") if part in rows.cells)
        times, origin = times_of(rows, parts, unit, faults, alive)
        if len(times) == 2:
            _check_order(rows, times, faults, alive)
        return times, down, repeat, origin
    times, origin = times_of(rows, ("time",), unit, faults, alive)
    down, repeat = downs_of(rows, faults, alive)
    if "repeat" in rows.cells:
        repeat = (repeat | flags_of(rows.cells["repeat"])) & down
    return times, down, repeat, origin


def _check_order(
    rows: EventRows, times: list[FloatArray], faults: Faults, alive: BoolArray
) -> None:
    """Strike rows whose release is before their press."""
    press, release = times
    wrong = alive & (release < press)
    faults.strike_rows(
        "release before press",
        wrong,
        lambda row: (
            f"{rows.place(row, 'release')}: the release at {release[row]:.10g} s is before the "
            f"press at {press[row]:.10g} s"
        ),
    )
    alive &= ~wrong


def _check_unit(events: KeyEvents, unit: str) -> None:
    """Refuse times that cannot be in the unit they were read with; raises `BrokenFileError`."""
    if events.paired:
        value, limit = float(np.median(events.time[1::2] - events.time[::2])), LONGEST_HOLD
        what, low = "the median hold", 0.0
    else:
        group = events.groups()
        steps = np.diff(events.time)[group[1:] == group[:-1]]
        steps = steps[steps > 0]
        if not steps.size:
            return
        value, limit = float(np.median(steps)), _LONGEST_STEP
        what, low = "the median step from event to event", _SHORTEST_STEP
        if steps.size < _MANY and steps.min() <= 1:  # a few may hold a long pause
            limit = np.inf
    if value > limit or value < low:
        raise BrokenFileError(
            f"{what} is {value:g} s with time_unit={unit!r}; expected typing, at most {limit:g} s. "
            "Say the unit of the file with time_unit (--time-unit): s, ms, us, ns, 100ns or iso."
        )
