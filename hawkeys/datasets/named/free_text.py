"""Free and fixed text of Monaco and Tappert: where the files are looked for, and their loader."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from hawkeys._validation import check_choice
from hawkeys.datasets._tables.files import load_bytes
from hawkeys.datasets.key_events.files import ReadOptions, parse_key_events
from hawkeys.datasets.key_events.pairing import pair_events
from hawkeys.datasets.key_events.strokes import Strokes
from hawkeys.datasets.provenance import Provenance, sha256_of
from hawkeys.exceptions import DatasetError, DatasetNotFoundError

__all__ = ["FreeText", "load_free_text"]

# users, sessions of each user, strokes of each session
_SIZES = {"free": (55, 6, 500), "fixed": (60, 4, 100)}
_ADVICE = (
    "There is no download: place the file in the folder free_text of a folder named by the "
    "environment variable HAWKEYS_DATA, or give its path; data/README.md says where it comes from."
)


@dataclass(frozen=True, eq=False, repr=False)
class FreeText(Strokes):
    """Strokes of the free-text or the fixed-text set; see `Strokes` for all but `origin`.

    Attributes
    ----------
    origin : Provenance or None
        Where the strokes come from; its samples are sessions.
    """

    origin: Provenance | None = None

    @property
    def provenance(self) -> dict[str, str]:
        """Where the strokes come from, as text for a report; empty if it is not known."""
        return {} if self.origin is None else self.origin.to_dict()


def load_free_text(path: str | os.PathLike[str] | None = None, *, which: str = "free") -> FreeText:
    """Load the free-text or the fixed-text set of Monaco and Tappert [1]_, after [2]_.

    Free: 55 users wrote what they liked, 6 sessions of 500 strokes each. Fixed: 60 users copied a
    text (a fable or a nursery rhyme, typing errors included), the first 100 strokes of each of 4
    sessions.

    Parameters
    ----------
    path : path, optional
        The file (.csv or .csv.gz). Default: ``free_text/free_text.csv.gz`` (or .csv), or
        ``free_text/fixed_text.csv.gz``, in the folder named by the environment variable
        HAWKEYS_DATA. There is no download.
    which : {"free", "fixed"}, default "free"
        Which of the two sets.

    Returns
    -------
    FreeText
        165,000 or 24,000 strokes; press and release in seconds from the start of the session.
        Part of the sessions lies on a clock of 15.6 ms: simultaneous presses and releases are kept
        and counted in `notes`.

    Raises
    ------
    DatasetNotFoundError
        There is no such file; the message says where it was looked for.
    DatasetError
        The file is damaged or something else.
    InvalidParameterError
        Another name of a set.

    References
    ----------
    .. [1] J. V. Monaco and C. C. Tappert, "The partially observable hidden Markov model and its
       application to keystroke dynamics", Pattern Recognition 76, 2018, arXiv:1607.03854.
    .. [2] M. Villani, C. Tappert, G. Ngo, J. Simone, H. St. Fort and S.-H. Cha, "Keystroke
       biometric recognition studies on long-text input under ideal and application-oriented
       conditions", CVPR Workshop on Biometrics, 2006.

    Examples
    --------
    >>> from hawkeys.datasets import load_free_text
    >>> load_free_text("no-such-file.csv")
    Traceback (most recent call last):
    ...
    hawkeys.exceptions.DatasetNotFoundError: no-such-file.csv: no such file. Check the path.
    """
    check_choice(which, "which", tuple(_SIZES))
    file = _find(which) if path is None else Path(path)
    content = load_bytes(file)
    events = parse_key_events(content, str(file), ReadOptions(format="csv", time_unit="ms"))
    strokes = pair_events(events, order="time")
    _check_sizes(strokes, which, str(file))
    n_users, n_sessions, _ = _SIZES[which]
    origin = Provenance(
        name=f"{which}-text",
        source=str(file),
        sha256=sha256_of(content),
        n_samples=n_users * n_sessions,
        n_subjects=n_users,
        simulated=False,
    )
    return FreeText(
        **{field.name: getattr(strokes, field.name) for field in fields(strokes)}, origin=origin
    )


def free_text_places(which: str = "free") -> list[Path]:
    """Return the places where a file is looked for, in order."""
    folder = os.environ.get("HAWKEYS_DATA")
    if not folder:
        return []
    names = (f"{which}_text.csv.gz", f"{which}_text.csv")
    return [Path(folder).expanduser() / "free_text" / name for name in names]


def _find(which: str) -> Path:
    places = free_text_places(which)
    for place in places:
        if place.exists():
            return place
    looked = ", ".join(str(place) for place in places)
    raise DatasetNotFoundError(
        f"{which} text: no file {looked}. {_ADVICE}"
        if places
        else f"{which} text: no path given and HAWKEYS_DATA is not set. {_ADVICE}"
    )


def _check_sizes(strokes: Strokes, which: str, source: str) -> None:
    """Refuse anything but the whole set."""
    n_users, n_sessions, n_strokes = _SIZES[which]
    sizes = np.bincount(strokes.groups())
    whole = sizes.size == n_users * n_sessions and (sizes == n_strokes).all()
    if len(strokes.subjects) != n_users or not whole or strokes.tally.total != 2 * len(strokes):
        raise DatasetError(
            f"{source}: expected the {which} text, {n_users} users with {n_sessions} sessions of "
            f"{n_strokes} strokes; got {len(strokes.subjects)} users, {sizes.size} sessions and "
            f"{len(strokes):,} strokes. Replace the file by a complete copy, or read other key "
            "events with read_key_events."
        )
