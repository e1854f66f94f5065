"""`KeyEvents`: presses and releases of keys as a logger wrote them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys.datasets._tables.codes import codes_of, group_numbers
from hawkeys.datasets.tally import Tally

__all__ = ["KeyEvents"]


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
        Seconds since `origin`.
    down : ndarray of bool, shape (n_events,)
        True for a press.
    paired : bool
        True if the source had one row per keystroke: events 2 i and 2 i + 1 are press and release
        of one stroke.
    tally : Tally
        Lines of the source that were "read" (one or two events each) and "blank", the header
        apart, and by rule those that hold no key event or were left out with on_error="drop".
    source : str
        Path of the file, or "frame".
    code : ndarray of str, shape (n_events,), or None
        The physical key, if the source knows it; empty where it does not.
    repeat : ndarray of bool, shape (n_events,), or None
        True for presses that the source itself calls auto-repeat.
    origin : float, default 0.0
        Whole seconds that were subtracted from all times, exactly, because a double holds times
        since 1970 or the year 1 to a quarter of a microsecond at best. On the clock of the source.
    format : str
        Name of the format that was read (see `available_formats`), or "frame".
    dropped : tuple of str
        For each rule that left rows out: how many, and where the first of them stand.
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
    code: np.ndarray | None = None
    repeat: BoolArray | None = None
    origin: float = 0.0
    format: str = "frame"
    dropped: tuple[str, ...] = ()
    # the number of each event's recording, and key, as the reader found them
    _group: IntArray | None = None
    _key: IntArray | None = None

    def __post_init__(self) -> None:
        labels = (self.user, self.session, self.repetition, self.key, self.code)
        for array in (*labels, self.time, self.down, self.repeat, self._group, self._key):
            if array is not None:
                array.flags.writeable = False

    @property
    def press_only(self) -> bool:
        """True if the source knows no release at all."""
        return bool(self.down.all())

    def groups(self) -> IntArray:
        """Return the number of each event's recording, counted in order of first appearance.

        A recording is a user's session or, if the source numbers them, one repetition of it.

        Returns
        -------
        ndarray of int64, shape (n_events,)
            0, 1, ...
        """
        if self._group is not None:
            return self._group
        return group_numbers(self.user, self.session, self.repetition)

    def key_numbers(self) -> IntArray:
        """Return the number of each event's key, counted in order of first appearance.

        Returns
        -------
        ndarray of int64, shape (n_events,)
            0, 1, ...
        """
        return codes_of(self.key) if self._key is None else self._key

    def __len__(self) -> int:
        return self.time.size

    def __repr__(self) -> str:
        lines = [
            f"KeyEvents: {len(self):,} events ({int(self.down.sum()):,} presses) of "
            f"{np.unique(self.user).size} users in {np.unique(self.groups()).size} recordings"
        ]
        return "\n  ".join([*lines, *self.dropped[:8]])
