"""Which column of a table holds what, when the caller does not say.

The rules, in this order. *Times*: the one column with a name of `TIME_NAMES`, else the one column
of dates or durations, else an index of dates. *Realisations*: the one column with a name of
`REALIZATION_NAMES`. *Marks*: the one column with a name of `MARK_NAMES`, else the one further
column of text, categories or truth values, else, if times are the only column, none: one mark.
A column that is then left, and could be marks or realisations (it has one of these names, or of
`OPEN_NAMES`; its values repeat, or are text), is refused unless both times and marks were named.
The levels of an index of pandas that have such names, or repeat, count as columns.
Names are compared without case, blanks and punctuation. Whatever is open after that is refused,
with what to write. Tables in files (`hawkeys.datasets`, the command line) go by the same lists.
"""

from __future__ import annotations

import logging
import math
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from hawkeys._validation import brief, brief_names
from hawkeys.exceptions import InvalidEventsError

if TYPE_CHECKING:
    import narwhals.stable.v2 as nw

__all__ = [
    "MARK_NAMES",
    "OPEN_NAMES",
    "REALIZATION_NAMES",
    "TIME_NAMES",
    "Columns",
    "choose_columns",
    "looks_like_columns",
    "looks_like_time",
    "plain",
]

TIME_NAMES = {"time", "times", "timestamp", "timestamps", "datetime", "date", "dates", "t", "when"}
MARK_NAMES = {
    *("mark", "marks", "type", "eventtype", "kind", "event", "label", "channel", "node", "dim"),
    *("dimension", "neuron", "key", "category", "symbol", "who", "source"),
}
REALIZATION_NAMES = {
    f"{name}{end}" for name in ("realization", "realisation", "run", "trial") for end in ("", "id")
}
# could tell realisations apart, or not: asked for
OPEN_NAMES = {"segment", "sequence", "seq", "day", "recording", "replicate", "experiment"} | {
    f"{name}{end}"
    for name in (
        *("session", "subject", "patient", "participant", "person", "user", "animal", "customer"),
        *("group", "city", "site"),
    )
    for end in ("", "id")
}
_NAMES = TIME_NAMES | MARK_NAMES | REALIZATION_NAMES | OPEN_NAMES
_log = logging.getLogger("hawkeys")


class Columns(NamedTuple):
    """Columns of a table: times, and marks and realisations or None."""

    time: Any
    mark: Any
    realization: Any


def plain(name: Any) -> str:
    """Return a column's name in lower case without blanks and punctuation."""
    return re.sub(r"[\W_]", "", str(name).lower())


def looks_like_columns(names: Any) -> bool:
    """Tell whether keys are the names of columns, times and marks."""
    found = {plain(name) for name in names}
    return bool(found & TIME_NAMES) and bool(found & MARK_NAMES)


def looks_like_time(name: Any) -> bool:
    """Tell whether a column is called by a number or date, as where the first line is an event."""
    if not isinstance(name, str):
        return False  # pandas numbers columns without names
    if re.match(r"\s*\d{1,4}([-/.])\d{1,2}\1\d{1,4}", name):
        return True
    try:
        return math.isfinite(float(name))
    except ValueError:
        return False


def choose_columns(
    frame: nw.DataFrame[Any], time: str | None, mark: str | None, realization: str | None
) -> Columns:
    """Return the three columns of a table, by name or by the rules above. Refuses what is open."""
    for name in (time, mark, realization):
        if name is not None and name not in frame.columns:
            raise InvalidEventsError(
                f"the frame has no column {brief(name)}; it has {brief_names(frame.columns)}. Name "
                "one of them."
            )
    given = time, mark, realization
    frame = _with_named_index(frame)
    when = _index_of(frame) if time is None else frame.get_column(time)
    if when is None:
        time = _one_of(frame, TIME_NAMES, [mark, realization]) or _only_dates(frame)
        when = frame.get_column(time)
    if mark is not None and realization is None and time is not None:
        realization = _one_of(frame, REALIZATION_NAMES, [time, mark])
    elif realization is None:
        realization = _realization(frame, [time, mark])
    if mark is None:
        mark = _mark(frame, [time, realization])
    named = [name for name in (time, mark, realization) if name is not None]
    if len(set(named)) < len(named):
        raise InvalidEventsError(
            f"times, marks and realisations must be columns of their own; got {brief(time)}, "
            f"{brief(mark)} "
            f"and {brief(realization)}."
        )
    if given[0] is None or given[1] is None:
        _refuse_unread(frame, [time, mark, realization])
    if (time, mark, realization) != given:
        _log.info("columns read: time %r, mark %r, realization %r", time, mark, realization)
    return Columns(
        when,
        None if mark is None else frame.get_column(mark),
        None if realization is None else frame.get_column(realization),
    )


def _with_named_index(frame: nw.DataFrame[Any]) -> nw.DataFrame[Any]:
    """Return a frame of pandas with those levels of its index as columns that could be labels."""
    import narwhals.stable.v2 as nw

    if not frame.implementation.is_pandas():
        return frame
    native = frame.to_native()
    index = native.index
    told = [
        name
        for k, name in enumerate(index.names)
        if isinstance(name, str)
        and name not in frame.columns
        and index.get_level_values(k).dtype.kind not in "mM"
        and (plain(name) in _NAMES or not index.get_level_values(k).is_unique)
    ]
    return nw.from_native(native.reset_index(told), eager_only=True) if told else frame


def _refuse_unread(frame: nw.DataFrame[Any], taken: list[str | None]) -> None:
    """Refuse a further column that could be marks or realisations: its values repeat, or are text.

    Measurements, which are all different, are left out.
    """
    kinds = frame.schema
    for name in frame.columns:
        if name in taken or (n_different := _n_different(frame.get_column(name))) < 2:
            continue
        counted = kinds[name].is_numeric() or kinds[name].is_temporal()
        if plain(name) in _NAMES or n_different < len(frame) or not counted:
            ways = [] if taken[1] is not None else [f"write mark={name!r} if it holds the marks"]
            if taken[2] is None:
                ways.append(f"write realization={name!r} if it tells realisations apart")
            ways.append("leave it out of the frame, or name both time= and mark=, if neither")
            raise InvalidEventsError(
                f"the column {name!r} would not be read, and could be marks or realisations: "
                f"{'; '.join(ways)}."
            )


def _n_different(column: nw.Series[Any]) -> int:
    """Return how many different values a column has; 1 if they cannot be compared."""
    try:
        return int(column.n_unique())
    except TypeError:  # lists, say
        return 1


def _index_of(frame: nw.DataFrame[Any]) -> Any:
    """Return the index of a frame of pandas if it holds dates or durations, and no column does."""
    if not frame.implementation.is_pandas() or any(plain(c) in TIME_NAMES for c in frame.columns):
        return None
    index = frame.to_native().index
    return index if getattr(index, "dtype", None) is not None and index.dtype.kind in "mM" else None


def _one_of(frame: nw.DataFrame[Any], names: set[str], taken: list[str | None]) -> str | None:
    """Return the one column with such a name; refuse several."""
    found = [name for name in frame.columns if plain(name) in names and name not in taken]
    if len(found) > 1:
        part = "time" if names is TIME_NAMES else "mark"
        part = "realization" if names is REALIZATION_NAMES else part
        raise InvalidEventsError(
            f"the columns {brief_names(found)} could all be the {part}s. Say which: "
            f"{part}={found[0]!r}."
        )
    return found[0] if found else None


def _only_dates(frame: nw.DataFrame[Any]) -> str:
    """Return the one column of dates or durations, or the only column."""
    import narwhals.stable.v2 as nw

    kinds = frame.schema
    dated = [c for c in frame.columns if isinstance(kinds[c], nw.Datetime | nw.Duration)]
    dated = dated or ([frame.columns[0]] if len(frame.columns) == 1 else [])
    if len(dated) != 1:
        raise InvalidEventsError(
            f"which column holds the times? Write time='NAME' (and mark='NAME'); the frame has "
            f"{brief_names(frame.columns)}."
        )
    if looks_like_time(dated[0]):
        raise InvalidEventsError(
            f"the column of times is called {dated[0]!r}, which is a time itself: was the first "
            "line of a file taken for the header, its event would be lost. Read the file without a "
            f"header (pandas.read_csv(..., header=None)), or name the column: time={dated[0]!r}."
        )
    return dated[0]


def _realization(frame: nw.DataFrame[Any], taken: list[str | None]) -> str | None:
    """Return a column of realisations by its name; refuse what only the caller can know."""
    named = _one_of(frame, REALIZATION_NAMES, taken)
    if named is not None:
        return named
    for name in frame.columns:
        if (
            name not in taken
            and plain(name) in OPEN_NAMES
            and _n_different(frame.get_column(name)) > 1
        ):
            raise InvalidEventsError(
                f"does the column {name!r} tell realisations (runs) apart? Write "
                f"realization={name!r} if it does; leave the column out of the frame, or name both "
                "time= and mark=, if not."
            )
    return None


def _mark(frame: nw.DataFrame[Any], taken: list[str | None]) -> str | None:
    """Return the column of marks by name or type; None if there is no further column."""
    named = _one_of(frame, MARK_NAMES, taken)
    if named is not None:
        return named
    rest = [name for name in frame.columns if name not in taken]
    kinds = frame.schema
    text = [name for name in rest if not (kinds[name].is_numeric() or kinds[name].is_temporal())]
    if len(text) == 1:
        return str(text[0])
    if rest:
        raise InvalidEventsError(
            f"which of the columns {brief_names(rest)} holds the marks? Write "
            "mark='NAME', or pass the column of times alone if there is one mark."
        )
    return None
