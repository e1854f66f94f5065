"""`events_from_lobster`: message files of LOBSTER, a day a realisation."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hawkeys._typing import FloatArray, IntArray
from hawkeys._validation import as_float_array, brief, check_choice
from hawkeys.events import Events
from hawkeys.exceptions import EventsWarning, InvalidEventsError, InvalidParameterError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["events_from_lobster"]

_COLUMNS = ("time", "type", "order_id", "size", "price", "direction")
_NAMED = re.compile(r"_(\d+)_(\d+)_message_\d+$")  # milliseconds after midnight
_TYPES = ("submission", "cancellation", "deletion", "execution", "hidden execution", "auction")
_TRADES = ("buy", "sell", "hidden")
_EXECUTION, _HIDDEN, _HALT = 4, 5, 7
_HALTED, _QUOTING, _TRADING = -1, 0, 1  # "prices" of a halt


class _Piece(NamedTuple):
    """A time of trading without a halt, and the rows of its messages."""

    start: float
    end: float
    rows: slice


class _Chosen(NamedTuple):
    """What events are made of: rows of a file, the mark of each, and the names of all marks."""

    rows: IntArray
    codes: IntArray
    names: tuple[str, ...]


def events_from_lobster(
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    marks: str | Callable[[pd.DataFrame], Any] = "trades",
    window: tuple[float, float] | None = None,
) -> Events:
    """Read message files of LOBSTER; values are sizes.

    Parameters
    ----------
    paths : path-like or sequence of path-like
        Message files, one for each day, such as
        ``AAPL_2012-06-21_34200000_57600000_message_10.csv``.
    marks : {"trades", "types"} or callable, default "trades"
        "trades": executions, "buy" and "sell" by the side of the order that came last (minus the
        direction in the file, which is that of the order that rested), and "hidden" ones, whose
        side is not known. "types": all messages by their type, from "submission" to "auction". A
        function is given a frame of the messages (time, type, order_id, size, price and direction
        as in the file, prices times 10,000) and returns a label for each; None leaves one out, as
        all of halts are.
    window : (float, float), optional
        Start and end of observation in seconds after midnight, of every file. Default: what the
        name of each file says.

    Returns
    -------
    Events
        A realisation per day, or several where trading was halted; times in seconds after midnight.

    Raises
    ------
    InvalidEventsError
        A file is missing or of another layout, a number is out of range, times decrease or leave
        the window, or `marks` leaves nothing; the message names file and line.
    InvalidParameterError
        The window is not known from the name and not given, or it or `marks` is wrong.

    Warns
    -----
    EventsWarning
        Trading was halted (type 7). The day is cut there into realisations, and messages within the
        halt are left out.

    Notes
    -----
    An order that meets several others is an execution for each, all at one time; such events do not
    excite each other (`Events.n_ties` counts them). Parts of a day are cut by `Events.between`.

    References
    ----------
    R. Huang and T. Polak (2011). LOBSTER: limit order book reconstruction system. SSRN 1977207,
    doi:10.2139/ssrn.1977207.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from hawkeys.interop import events_from_lobster
    >>> name = "AAPL_2012-06-21_34200000_57600000_message_1.csv"
    >>> path = pathlib.Path(tempfile.mkdtemp()) / name
    >>> _ = path.write_text("34200.017459617,4,16113575,18,5853300,1\\n")
    >>> events = events_from_lobster(path)
    >>> events.mark_names, events.counts, events.values
    (('buy', 'sell', 'hidden'), array([[0, 1, 0]]), array([18.]))
    """
    if not callable(marks):
        check_choice(marks, "marks", ("trades", "types"))
    bounds = None if window is None else _bounds(window)
    files = (
        [Path(paths)] if isinstance(paths, str | os.PathLike) else [Path(path) for path in paths]
    )
    if not files:
        raise InvalidParameterError("paths is empty. Name a message file for each day.")
    days = []
    for path in files:
        table = _table(path)
        start, end = _named_window(path) if bounds is None else bounds
        pieces = _pieces(table, start, end, path)
        days.append((table, pieces, _chosen(table, marks, path)))
    return _joined(days)


def _bounds(window: Any) -> tuple[float, float]:
    """Return the window that was given."""
    found = as_float_array(window, "window")
    if found.shape != (2,) or found[0] >= found[1]:
        raise InvalidParameterError(
            f"window must be start and end in seconds after midnight, such as (34200, 57600); got "
            f"{brief(window)}."
        )
    return float(found[0]), float(found[1])


def _named_window(path: Path) -> tuple[float, float]:
    """Return the window that the name of a file says."""
    found = _NAMED.search(path.stem)
    if found is None:
        raise InvalidParameterError(
            f"{path}: the name does not say when observation began and ended, as in "
            "AAPL_2012-06-21_34200000_57600000_message_10.csv. Give window=(34200, 57600), in "
            "seconds after midnight."
        )
    return int(found[1]) / 1000, int(found[2]) / 1000


def _table(path: Path) -> pd.DataFrame:
    """Return the messages of a file."""
    import pandas as pd

    try:
        # times as text: the parser of some versions is off in the last place, by which they differ
        table = pd.read_csv(path, header=None, dtype={0: object})
    except pd.errors.EmptyDataError as error:
        raise InvalidEventsError(f"{path} is empty; a day without messages has no file.") from error
    except (OSError, UnicodeDecodeError, pd.errors.ParserError) as error:
        raise InvalidEventsError(f"{path} cannot be read: {error}.") from error
    if table.shape[1] != len(_COLUMNS):
        raise InvalidEventsError(
            f"{path}: a message has the {len(_COLUMNS)} columns {', '.join(_COLUMNS)}; got "
            f"{table.shape[1]}. Files named ..._orderbook_... have the book instead."
        )
    table.columns = pd.Index(_COLUMNS)
    for name in _COLUMNS:
        column = table[name]
        bad = np.flatnonzero(~np.isfinite(pd.to_numeric(column, errors="coerce")))
        if bad.size:
            raise InvalidEventsError(
                f"{path}, line {bad[0] + 1}: the {name} must be a number; got "
                f"{brief(column.iloc[bad[0]])}. Message files have no header."
            )
    table["time"] = np.array(table["time"].tolist(), dtype=np.float64)
    _refuse_others(table, "type", range(1, 8), path)
    _refuse_others(table, "direction", (-1, 0, 1), path)
    negative = np.flatnonzero(table["size"] < 0)
    if negative.size:
        raise InvalidEventsError(f"{path}, line {negative[0] + 1}: the size is negative.")
    return table


def _refuse_others(table: pd.DataFrame, name: str, allowed: Sequence[int], path: Path) -> None:
    """Refuse values of a column that are not among those of the format."""
    bad = np.flatnonzero(~table[name].isin(allowed))
    if bad.size:
        raise InvalidEventsError(
            f"{path}, line {bad[0] + 1}: the {name} is {table[name].iloc[bad[0]]}; LOBSTER has "
            f"{allowed[0]} to {allowed[-1]}."
        )


def _pieces(table: pd.DataFrame, start: float, end: float, path: Path) -> list[_Piece]:
    """Return the times of trading within a window, by the messages of type 7; warn if there are."""
    _refuse_outside(table, start, end, path)
    halts = _halts(table, path)
    if not halts:
        return [_Piece(start, end, slice(0, len(table)))]
    times = table["time"].to_numpy()
    edges = [(start, 0)]
    for first, last in halts:
        edges.append((start if first is None else times[first], first or 0))
        edges.append((end, len(table)) if last is None else (times[last], last + 1))
    edges.append((end, len(table)))
    pieces = [_Piece(float(a), float(b), slice(i, j))
              for (a, i), (b, j) in zip(edges[::2], edges[1::2], strict=True) if b > a]  # fmt: skip
    if not pieces:
        raise InvalidEventsError(f"{path}: trading was halted all the time. Leave the day out.")
    within = len(table) - sum(one.rows.stop - one.rows.start for one in pieces)
    told = ", ".join(f"{a:.12g} to {b:.12g}"
                     for (a, _), (b, _) in zip(edges[1::2], edges[2::2], strict=False))  # fmt: skip
    warnings.warn(
        f"{path}: trading was halted, {told} s after midnight. The day is {len(pieces)} "
        f"realisations; {within} messages within the halts, those of the halts themselves "
        "included, are left out.",
        EventsWarning,
        stacklevel=3,
    )
    return pieces


def _refuse_outside(table: pd.DataFrame, start: float, end: float, path: Path) -> None:
    """Refuse times that decrease or leave the window; after them rows stand for times."""
    times = table["time"].to_numpy()
    falls = np.flatnonzero(times[1:] < times[:-1])
    if falls.size:
        k = int(falls[0]) + 1
        raise InvalidEventsError(
            f"{path}, line {k + 1}: the time {times[k]} is before that of the line above, "
            f"{times[k - 1]}. Files are in the order of the exchange; copy it again."
        )
    outside = np.flatnonzero((times < start) | (times > end))
    if outside.size:
        k = int(outside[0])
        raise InvalidEventsError(
            f"{path}, line {k + 1}: the time {times[k]} lies outside the window [{start:.12g}, "
            f"{end:.12g}], as {outside.size} do. Give window= as the file has it; Events.between "
            "cuts parts."
        )


def _halts(table: pd.DataFrame, path: Path) -> list[tuple[int | None, int | None]]:
    """Return the rows at which halts began and trading went on; None is before or after the day."""
    halts: list[tuple[int | None, int | None]] = []
    since: int | None = None
    halted = False
    rows = np.flatnonzero(table["type"] == _HALT)
    for row, sign in zip(rows.tolist(), table["price"].to_numpy()[rows].tolist(), strict=True):
        if sign not in (_HALTED, _QUOTING, _TRADING):
            raise InvalidEventsError(
                f"{path}, line {row + 1}: the price of a halt is -1 (halted), 0 (quoting goes on) "
                f"or 1 (trading goes on); got {sign}."
            )
        if sign == _TRADING:
            if halted or not halts:
                halts.append((since, row))
            since, halted = None, False
        elif not halted:
            since, halted = (row if sign == _HALTED or halts else None), True
    return [*halts, (since, None)] if halted else halts


def _chosen(table: pd.DataFrame, marks: Any, path: Path) -> _Chosen:
    """Return the rows that become events, and their marks."""
    import pandas as pd

    kind, side = table["type"].to_numpy(), table["direction"].to_numpy()
    if callable(marks):
        labels = marks(table.copy())
        if np.shape(labels) != (len(table),):
            raise InvalidParameterError(
                f"{path}: the function given as marks must return one label for each of the "
                f"{len(table)} messages; got {brief(labels)}."
            )
        codes, names = pd.factorize(pd.Series(list(labels), dtype=object).map(_text), sort=True)
        rows = np.flatnonzero((codes >= 0) & (kind != _HALT))
        return _Chosen(rows, codes[rows], tuple(names))
    if marks == "types":
        rows = np.flatnonzero(kind != _HALT)
        return _Chosen(rows, kind[rows].astype(np.int64) - 1, _TYPES)
    rows = np.flatnonzero((kind == _EXECUTION) | (kind == _HIDDEN))
    unknown = rows[(kind[rows] == _EXECUTION) & (side[rows] == 0)]
    if unknown.size:
        raise InvalidEventsError(
            f"{path}, line {unknown[0] + 1}: an execution (type 4) has the direction 0: its side "
            "is not known. Take marks='types' or a function."
        )
    codes = np.where(kind[rows] == _HIDDEN, 2, (side[rows] > 0).astype(np.int64))
    return _Chosen(rows, codes, _TRADES)


def _text(label: Any) -> str | None:
    """Return a label as text; None if it is missing."""
    import pandas as pd

    return None if pd.isna(label) is True else str(label)


def _joined(days: Sequence[tuple[pd.DataFrame, list[_Piece], _Chosen]]) -> Events:
    """Return a realisation per piece of a day."""
    import pandas as pd

    names = tuple(dict.fromkeys(name for *_, chosen in days for name in chosen.names))
    if not names:
        raise InvalidEventsError("marks= gives no message a label, so that no event is left.")
    times: list[FloatArray] = []
    sizes: list[FloatArray] = []
    codes: list[IntArray] = []
    windows: list[tuple[float, float]] = []
    for table, pieces, chosen in days:
        moved = np.array([names.index(name) for name in chosen.names], dtype=np.int64)
        for start, end, rows in pieces:
            inside = (chosen.rows >= rows.start) & (chosen.rows < rows.stop)
            times.append(table["time"].to_numpy(dtype=np.float64)[chosen.rows[inside]])
            sizes.append(table["size"].to_numpy(dtype=np.float64)[chosen.rows[inside]])
            codes.append(moved[chosen.codes[inside]])
            windows.append((start, end))
    mark = pd.Categorical.from_codes(np.concatenate(codes), list(names))
    return Events.from_data(
        np.concatenate(times),
        mark=pd.Series(mark),
        realization=np.repeat(np.arange(len(times)), [len(one) for one in times]),
        values=np.concatenate(sizes),
        start_time={r: start for r, (start, _) in enumerate(windows)},
        end_time={r: end for r, (_, end) in enumerate(windows)},
        unit="s",
    )
