"""`Strokes`: keystrokes of any text, one after the other, with the tally of their import."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys.datasets._tables.codes import group_numbers
from hawkeys.datasets.keystrokes import pick_rows
from hawkeys.datasets.tally import Tally
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError

__all__ = ["Strokes"]

# seconds; the tables of studies have longer ones, which no rule of pairing has seen
_LONG_HOLD = 10.0


@dataclass(frozen=True, eq=False, repr=False)
class Strokes:
    """Keystrokes with the time of their press and of their release, recording by recording.

    A recording is a user's session or, if the source numbers them, one repetition of it, or what
    lies between two places where its clock went back. Within a recording strokes are in the order
    of their presses. The arrays are read-only.
    ``strokes[rows]`` picks strokes by a boolean mask, indices, a slice or an integer.

    Attributes
    ----------
    user, key : ndarray of str, shape (n_strokes,)
        The typist and the key.
    session : ndarray of int64 or str, shape (n_strokes,)
        Sitting.
    press, release : ndarray of float64, shape (n_strokes,)
        Seconds on the clock of the source; release >= press.
    repetition : ndarray of int64 or str, shape (n_strokes,), or None
        Repetition of a text within the sitting, if the source has such a column.
    tally : Tally
        What became of every event of the source (see `pair_events`): each is counted once, so that
        the counts add up to the number of events. "paired" is twice the number of strokes; events
        of strokes left out by picking are "not picked".
    segment : ndarray of int64, shape (n_strokes,), or None
        1, 2, ... within the session or repetition, a new one wherever the clock went back. None if
        it never did.
    n_disorder : int
        Rows of the source that came up to 20 ms before the row above, and were sorted.

    Examples
    --------
    >>> import pandas as pd
    >>> from hawkeys.datasets import pair_events, read_key_events
    >>> rows = [["ann", 1, "a", 0.0, 0.2], ["ann", 1, "b", 0.1, 0.3]]
    >>> names = ["user", "session", "key", "press", "release"]
    >>> strokes = pair_events(read_key_events(pd.DataFrame(rows, columns=names)))
    >>> strokes
    Strokes: 2 strokes of 1 user (ann) in 1 recording
      paired 4
    >>> strokes[strokes.key == "a"].tally, strokes.notes
    (Tally(paired=2, not picked=2), Tally(rollover=1))
    """

    user: np.ndarray
    session: np.ndarray
    key: np.ndarray
    press: FloatArray
    release: FloatArray
    repetition: np.ndarray | None
    tally: Tally
    segment: IntArray | None = None
    n_disorder: int = 0

    def __post_init__(self) -> None:
        arrays = (self.user, self.session, self.key, self.press, self.release, self.repetition)
        for array in (*arrays, self.segment):
            if array is not None:
                array.flags.writeable = False

    @property
    def subjects(self) -> tuple[str, ...]:
        """The typists, in the order in which they first appear."""
        return tuple(dict.fromkeys(self.user.tolist()))

    @property
    def press_only(self) -> bool:
        """True if no release is known; `press_intervals` makes samples of such strokes."""
        return bool(np.isnan(self.release).all()) and len(self) > 0

    @property
    def notes(self) -> Tally:
        """What the strokes show that needs no repair, counted; the counts may overlap.

        "rollover": strokes whose next stroke is pressed before their release. "release out of
        order": strokes released after the release of the next. "simultaneous": presses and
        releases with the time of another one of the same recording. "hold over 10 s". "clock went
        back": places where a new segment begins. "rows out of order": rows of the source that were
        sorted, by at most 20 ms.
        """
        group = self.groups()
        joined = group[1:] == group[:-1]
        times, twice = np.concatenate([self.press, self.release]), np.tile(group, 2)
        order = np.lexsort((times, twice))
        same = (np.diff(times[order]) == 0) & (np.diff(twice[order]) == 0)
        shared = np.append(same, False) | np.insert(same, 0, False)
        return Tally(
            {
                "rollover": int((joined & (self.press[1:] < self.release[:-1])).sum()),
                "release out of order": int(
                    (joined & (self.release[1:] < self.release[:-1])).sum()
                ),
                "simultaneous": int(shared.sum()) if len(self) else 0,
                "hold over 10 s": int((self.release - self.press > _LONG_HOLD).sum()),
                "clock went back": self._n_back(group),
                "rows out of order": self.n_disorder,
            }
        )

    def _n_back(self, group: IntArray) -> int:
        if self.segment is None or not len(self):
            return 0
        recordings = group_numbers(self.user, self.session, self.repetition)
        return int(group.max() - recordings.max())

    def groups(self) -> IntArray:
        """Return the number of each stroke's recording, counted in order of first appearance.

        Returns
        -------
        ndarray of int64, shape (n_strokes,)
            0, 1, ...
        """
        return group_numbers(self.user, self.session, self.repetition, self.segment)

    def events(self, user: Any, session: Any) -> Events:
        """Return the presses and releases of one session as one realisation.

        Parameters
        ----------
        user : str or int
            The typist.
        session : int or str
            The sitting.

        Returns
        -------
        Events
            Seconds since the first press; the window ends at the last event. Press and release of
            a key are two events of its mark (the press alone if no release is known). Marks
            are all keys of this record, sorted, so that they mean the same in every session.

        Raises
        ------
        InvalidParameterError
            No such session, or its repetitions have clocks of their own.

        Examples
        --------
        >>> import pandas as pd
        >>> from hawkeys.datasets import pair_events, read_key_events
        >>> names = ["user", "session", "key", "press", "release"]
        >>> frame = pd.DataFrame([["ann", 1, "a", 5.0, 5.25]], columns=names)
        >>> pair_events(read_key_events(frame)).events("ann", 1).times
        array([0.  , 0.25])
        """
        rows = np.flatnonzero(
            (self.user == str(user)) & (self.session.astype(np.str_) == str(session))
        )
        if not rows.size:
            raise InvalidParameterError(
                f"user {user!r}, session {session!r}: there are no such strokes; see `subjects`."
            )
        if self.repetition is not None or self.segment is not None:
            what = "segments" if self.repetition is None else "repetitions"
            raise InvalidParameterError(
                f"user {user!r}, session {session!r}: its {what} may have clocks of their "
                "own; use to_keystrokes, whose samples become realisations."
            )
        names, marks = np.unique(self.key, return_inverse=True)
        times = np.concatenate([self.press[rows], self.release[rows]])
        order = np.argsort(times, kind="stable")[: rows.size if self.press_only else None]
        times = times[order] - times[order[0]]
        return Events.from_arrays(
            times,
            np.tile(marks[rows], 2)[order],
            offsets=[0, times.size],
            end_times=times[-1:],
            mark_names=names.tolist(),
        )

    def __getitem__(self, rows: int | slice | ArrayLike) -> Any:
        """Return picked strokes, in their order here.

        By a boolean mask, indices, a slice or an integer.
        Raises `InvalidParameterError` if a stroke is picked twice.
        """
        picked = np.sort(pick_rows(rows, len(self)))
        if (np.diff(picked) == 0).any():
            raise InvalidParameterError("a stroke is picked twice; pick each stroke at most once.")
        rule, n_each = ("press only", 1) if self.press_only else ("paired", 2)
        left_out = n_each * (len(self) - picked.size)
        tally = {**self.tally, rule: n_each * picked.size}
        tally["not picked"] = tally.get("not picked", 0) + left_out
        return replace(
            self,
            user=self.user[picked],
            session=self.session[picked],
            key=self.key[picked],
            press=self.press[picked],
            release=self.release[picked],
            repetition=None if self.repetition is None else self.repetition[picked],
            segment=None if self.segment is None else self.segment[picked],
            tally=Tally(tally),
        )

    def __len__(self) -> int:
        return self.press.size

    def __repr__(self) -> str:
        who, n_groups = self.subjects, np.unique(self.groups()).size
        names = ", ".join(who[:8]) + (", ..." if len(who) > 8 else "")
        counts = ", ".join(f"{rule} {count:,}" for rule, count in self.tally.items())
        return (
            f"{type(self).__name__}: {len(self):,} stroke{'s' * (len(self) != 1)} of {len(who)} "
            f"user{'s' * (len(who) != 1)} ({names}) in {n_groups} "
            f"recording{'s' * (n_groups != 1)}\n  {counts}"
        )
