"""Readers of tables in the user's own files: events, and timings of a fixed text."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd

from hawkeys._typing import ArrayLike
from hawkeys.datasets._tables import BrokenFileError, list_names, load_table, numbers_of
from hawkeys.datasets.timings import check_timings
from hawkeys.events import Events
from hawkeys.exceptions import DatasetError, InvalidEventsError, InvalidTimingsError

__all__ = ["read_events", "read_timings"]

_PREFIXES = ("H.", "DD.", "UD.")


def read_events(
    path: str | os.PathLike[str],
    *,
    end_times: ArrayLike,
    start_times: ArrayLike = 0.0,
    time: str = "time",
    mark: str | None = "mark",
    realization: str | None = None,
) -> Events:
    """Read a table with one row per event.

    Parameters
    ----------
    path : str or path-like
        A csv, gzipped csv or xls file with a header line.
    end_times, start_times : float or array_like, shape (n_realizations,)
        Observation windows, as for `hawkeys.Events.from_frame`.
    time, mark : str, default "time" and "mark"
        Names of the columns with the times (numbers) and the marks (any labels). None for `mark`:
        all events have one mark.
    realization : str, optional
        Name of the column that tells the realisations apart. Default: one realisation.

    Returns
    -------
    Events
        Marks and realisations in the sorted order of their labels.

    Raises
    ------
    DatasetNotFoundError
        There is no such file.
    DatasetError
        The file is damaged, lacks a column, or holds text where numbers or unsorted times where
        sorted ones are expected; the message names the file and the place.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from hawkeys.datasets import read_events
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "events.csv"
    >>> _ = path.write_text("time,mark\\n0.5,a\\n1.5,b\\n")
    >>> read_events(path, end_times=2.0)
    Events(n_events=2, n_marks=2, n_realizations=1, mark_names=('a', 'b'))
    """
    frame = load_table(path)
    try:
        if time in frame.columns:
            frame = frame.assign(**{time: numbers_of(frame, [time])[:, 0]})
        if mark is None:
            mark = "mark"
            frame = frame.assign(mark="events")
        return Events.from_frame(
            frame,
            time=time,
            mark=mark,
            realization=realization,
            end_times=end_times,
            start_times=start_times,
        )
    except (BrokenFileError, InvalidEventsError) as error:
        raise DatasetError(f"{path}: {error}") from error


def read_timings(path: str | os.PathLike[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read a table with one typing sample per row.

    Parameters
    ----------
    path : str or path-like
        A csv, gzipped csv or xls file in the layout of the CMU benchmark: columns H.k1, DD.k1.k2,
        UD.k1.k2, H.k2, ..., in seconds, and any others.

    Returns
    -------
    timings : pandas.DataFrame, shape (n_samples, 3 K - 2)
        The timing columns, checked.
    labels : pandas.DataFrame, shape (n_samples, any)
        The other columns.

    Raises
    ------
    DatasetNotFoundError
        There is no such file.
    DatasetError
        The file is damaged, has no timing columns, or its timings contradict each other; the
        message names the file and the place.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from hawkeys.datasets import read_timings
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "timings.csv"
    >>> _ = path.write_text("subject,H.a,DD.a.b,UD.a.b,H.b\\ns1,0.1,0.3,0.2,0.1\\n")
    >>> timings, labels = read_timings(path)
    >>> timings.shape, list(labels)
    ((1, 4), ['subject'])
    """
    frame = load_table(path)
    columns = [name for name in frame.columns if str(name).startswith(_PREFIXES)]
    others = [str(name) for name in frame.columns if name not in columns]
    if not columns:
        raise DatasetError(
            f"{path}: expected timing columns (H.k1, DD.k1.k2, UD.k1.k2, H.k2, ...), got "
            f"{list_names(others)}. Name the columns as the CMU benchmark does."
        )
    try:
        matrix = check_timings(numbers_of(frame, columns))
    except (BrokenFileError, InvalidTimingsError) as error:
        raise DatasetError(f"{path}: {error}") from error
    timings = pd.DataFrame(np.asarray(matrix), columns=columns)
    return timings, frame[others]
