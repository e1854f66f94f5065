"""`events_from_easytpp`: the JSON of EasyTPP, one sequence a record."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from hawkeys._typing import ArrayLike
from hawkeys._validation import brief
from hawkeys.events import Events
from hawkeys.exceptions import InvalidEventsError
from hawkeys.interop._sequences import Sequence, events_of_sequences

__all__ = ["events_from_easytpp"]

_TIMES, _MARKS, _LENGTH, _SIZE = "time_since_start", "type_event", "seq_len", "dim_process"


def events_from_easytpp(
    path: str | os.PathLike[str],
    *,
    end_time: ArrayLike | str,
    start_time: ArrayLike | str = 0.0,
    n_marks: int | None = None,
) -> Events:
    """Read event sequences from the JSON of EasyTPP.

    Parameters
    ----------
    path : path-like
        A portion, such as ``train.json``: an array of records or one on each line, each a sequence
        with the lists ``time_since_start`` and ``type_event`` and the number ``dim_process`` of
        types.
    end_time : float, array_like of shape (n_sequences,) or "last"
        End of observation, which the files do not tell. "last": with the last event of each
        sequence, which is what figures published with EasyTPP mean.
    start_time : float, array_like of shape (n_sequences,) or "first", default 0.0
        Its start. "first": with the first event of each.
    n_marks : int, optional
        Number of types. Default: ``dim_process``, which is then the same in all records.

    Returns
    -------
    Events
        A realisation per record, in their order; mark k is type k.

    Raises
    ------
    InvalidEventsError
        The file is missing, damaged or of another layout, a record is incomplete, a type is out of
        range, or times break the contract of `Events`; the message names the record.
    InvalidParameterError
        `end_time`, `start_time` or `n_marks` is wrong.

    Notes
    -----
    A sequence that is observed until its last event ends when it does because of that event:
    rates come out too high, by about one event in as many as a sequence has. The times between
    events (``time_since_last_event``) are not read.

    References
    ----------
    S. Xue et al. (2024). EasyTPP: towards open benchmarking temporal point processes. ICLR,
    arXiv:2307.08097.

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> from hawkeys.interop import events_from_easytpp
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "train.json"
    >>> record = {"dim_process": 2, "time_since_start": [0.0, 1.5], "type_event": [1, 0]}
    >>> _ = path.write_text(json.dumps([record]))
    >>> events_from_easytpp(path, end_time=2.0)
    Events(n_events=2, n_marks=2, n_realizations=1, mark_names=('0', '1'))
    """
    records = _records(Path(path))
    sequences: list[Sequence] = []
    sizes: dict[Any, str] = {}
    for place, record in records:
        sequences.append(_sequence(record, place))
        sizes.setdefault(record.get(_SIZE), place)
    if n_marks is None:
        n_marks = _one_size(sizes, Path(path))
    return events_of_sequences(sequences, (start_time, end_time), n_marks)


def _records(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """Return every record and its place."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidEventsError(f"{path} cannot be read: {error}.") from error
    lines = not text.lstrip().startswith("[")
    try:
        if lines:
            numbered = [(k, json.loads(line)) for k, line in enumerate(text.split("\n"), 1)
                        if line.strip()]  # fmt: skip
        else:
            numbered = list(enumerate(json.loads(text)))
    except (ValueError, RecursionError) as error:
        raise InvalidEventsError(
            f"{path} is no JSON array of records, nor JSON with a record a line: {error}. It may "
            "be cut short; copy it again."
        ) from error
    out = []
    for k, record in numbered:
        place = f"{path}, {'line' if lines else 'record'} {k}: "
        if not isinstance(record, dict) or _TIMES not in record or _MARKS not in record:
            got = brief(list(record)) if isinstance(record, dict) else brief(record)
            raise InvalidEventsError(
                f"{place}a sequence has the lists {_TIMES!r} and {_MARKS!r}; got {got}. Of "
                "older files (.pkl, or with 'event_seqs') write the lists of each sequence out."
            )
        out.append((place, record))
    if not out:
        raise InvalidEventsError(f"{path} holds no sequence.")
    return out


def _sequence(record: dict[str, Any], place: str) -> Sequence:
    """Return times and marks of a record, of which `seq_len` tells the number if it is there."""
    times, marks = record[_TIMES], record[_MARKS]
    for name, values in ((_TIMES, times), (_MARKS, marks)):
        if not isinstance(values, list):
            raise InvalidEventsError(f"{place}{name} must be a list; got {brief(values)}.")
    told = record.get(_LENGTH, len(times))
    if told != len(times):
        raise InvalidEventsError(
            f"{place}{_LENGTH} is {brief(told)}, but there are {len(times)} times. The file is "
            "padded or cut; write the events alone."
        )
    return Sequence(place, times, marks)


def _one_size(sizes: dict[Any, str], path: Path) -> int:
    """Return the one number of types that all records tell."""
    if len(sizes) > 1:
        (first, _), (other, place) = list(sizes.items())[:2]
        raise InvalidEventsError(
            f"{place}{_SIZE} is {brief(other)}, but {brief(first)} in those before. Give n_marks=."
        )
    (size,) = sizes
    if type(size) is not int or size < 1:
        raise InvalidEventsError(
            f"{path}: {_SIZE} must be the number of types in every record; got {brief(size)}. Give "
            "n_marks=."
        )
    return size
