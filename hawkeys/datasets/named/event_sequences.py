"""Sequences of events without marks that networks are compared on, in their published portions."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hawkeys._validation import check_choice
from hawkeys.datasets.named._arrays import find_array_file, read_array_file
from hawkeys.datasets.provenance import Provenance, sha256_of
from hawkeys.events import Events
from hawkeys.exceptions import DatasetError

__all__ = ["EventSequences", "event_sequence_places", "load_event_sequences"]

_NAMES = ("hawkes1", "hawkes2", "pubg", "self_correcting", "taxi", "twitter", "yelp_airport")
_SIMULATED = ("hawkes1", "hawkes2", "self_correcting")
_ARRAYS = ("times", "lengths", "end_time")
_TRAINING, _VALIDATION = 0.6, 0.8
_ADVICE = (
    "There is no download: place it in the folder event_sequences of a folder named by the "
    "environment variable HAWKEYS_DATA, or give its path."
)


@dataclass(frozen=True, eq=False)
class EventSequences:
    """Sequences on one window, in three portions.

    Attributes
    ----------
    training, validation, test : Events
        The first 60 %, the next 20 % and the last 20 % of the sequences: one mark, a realisation
        per sequence, windows from 0 to the same end.
    origin : Provenance
        Where they come from; its samples are sequences.
    """

    training: Events
    validation: Events
    test: Events
    origin: Provenance

    @property
    def mean_length(self) -> float:
        """Events per training sequence, by which published figures are divided."""
        return self.training.n_events / self.training.n_realizations

    def loss(self, log_likelihood: float, portion: Events) -> float:
        """Return the figure that is published for a portion.

        Parameters
        ----------
        log_likelihood : float
            Of the whole portion, in nats.
        portion : Events
            Which.

        Returns
        -------
        float
            Negative log-likelihood per sequence over `mean_length`, in nats.
        """
        return -log_likelihood / portion.n_realizations / self.mean_length


def load_event_sequences(name: str, path: str | os.PathLike[str] | None = None) -> EventSequences:
    """Load one of the sets of sequences on which flows and networks are compared [1]_.

    Parameters
    ----------
    name : {"hawkes1", "hawkes2", "pubg", "self_correcting", "taxi", "twitter", "yelp_airport"}
        Which set: three are simulated; deaths in a game, pick-ups of taxis, tweets of a user and
        check-ins at an airport are not.
    path : path, optional
        The file (.npz) with the arrays times (of all sequences, one after the other), lengths
        (events of each) and end_time. Default: ``event_sequences/NAME.npz`` in the folder named by
        the environment variable HAWKEYS_DATA. There is no download.

    Returns
    -------
    EventSequences
        The portions that the published figures are of.

    Raises
    ------
    DatasetNotFoundError
        There is no such file; the message says where it was looked for.
    DatasetError
        An array is missing, or lengths and times do not agree.
    InvalidEventsError
        A time is outside its window, or before the one before it.
    InvalidParameterError
        Another name.

    Notes
    -----
    The times are single-precision numbers, those of "pubg" whole seconds in minutes: a density may
    be raised without limit by spikes at the ticks of such a clock, and a figure that does so says
    nothing about the process.

    References
    ----------
    .. [1] O. Shchur, N. Gao, M. Bilos and S. Gunnemann, "Fast and flexible temporal point processes
       with triangular maps", NeurIPS 33, 2020, arXiv:2006.12631.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from hawkeys.datasets import load_event_sequences
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "taxi.npz"
    >>> np.savez(path, times=[1.0, 2.0, 1.5, 0.5, 3.0], lengths=[2, 0, 1, 1, 1], end_time=4.0)
    >>> load_event_sequences("taxi", path).training
    Events(n_events=3, n_marks=1, n_realizations=3, mark_names=('0',))
    """
    check_choice(name, "name", _NAMES)
    file = find_array_file(path, event_sequence_places(name), f"event sequences {name!r}", _ADVICE)
    arrays = read_array_file(file, _ARRAYS, "a file of event sequences")
    parts = _cut(arrays, file)
    end = float(arrays["end_time"])
    first, second = (int(share * len(parts)) for share in (_TRAINING, _VALIDATION))
    training, validation, test = (
        Events.from_lists([[one] for one in some], end_times=end)
        for some in (parts[:first], parts[first:second], parts[second:])
    )
    origin = Provenance(
        name=name,
        source=str(file),
        sha256=sha256_of(file.read_bytes()),
        n_samples=len(parts),
        n_subjects=1,
        simulated=name in _SIMULATED,
    )
    return EventSequences(training, validation, test, origin)


def event_sequence_places(name: str) -> list[Path]:
    """Return the places where a set is looked for, in order."""
    folder = os.environ.get("HAWKEYS_DATA")
    return [Path(folder).expanduser() / "event_sequences" / f"{name}.npz"] if folder else []


def _cut(arrays: dict[str, np.ndarray], file: Path) -> list[np.ndarray]:
    """Return the times of each sequence."""
    times, lengths, end = (arrays[name] for name in _ARRAYS)
    whole = lengths.ndim == 1 and np.issubdtype(lengths.dtype, np.integer) and lengths.size >= 5
    if not (whole and times.ndim == 1 and (lengths >= 0).all() and lengths.sum() == times.size):
        raise DatasetError(
            f"{file}: lengths must be whole numbers >= 0 of 5 sequences or more that add up to the "
            f"number of times; got {lengths.size} of {lengths.dtype}, and {times.size} times."
        )
    if end.shape != ():
        raise DatasetError(f"{file}: end_time must be one number; got shape {end.shape}.")
    return np.split(times.astype(np.float64), np.cumsum(lengths)[:-1])
