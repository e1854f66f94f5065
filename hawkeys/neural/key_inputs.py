"""What the character network sees of keystrokes: keys, times, words; needs no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hawkeys._typing import FloatArray, IntArray
from hawkeys.verifiers.free_text.recordings import Recordings, as_recordings

__all__ = ["SPACES", "KeyInputs", "inputs_of_arrays", "learn_inputs"]

SPACES = frozenset({" ", "space", "Space", "SPACE", "Key.space", "32"})
"""Names of the key that ends a word."""

# seconds: shorter and longer times count as these
_SHORTEST, _LONGEST = 0.005, 5.0
# keystrokes of a word if keys, and so spaces, are not looked at
_WORD = 5
# times that the mean of a key, or of all, is worth in that of a pair, or of a key
_COUNT = 5.0


@dataclass(frozen=True, eq=False)
class KeyInputs:
    """How keystrokes become numbers: learnt from training recordings.

    Attributes
    ----------
    names : tuple of str
        Known keys; another one is "unknown".
    center, scale : ndarray of float64, shape (n_times,)
        Mean and standard deviation of each kind of time.
    characters : bool
        Whether words end at spaces; else after five keystrokes each.
    hold_of, lag_of : ndarray of float64 or None
        Mean log hold of people in general of each key, (n_keys + 2,), and mean log press-press time
        of each pair, (n_keys + 2, n_keys + 2); None: these are not channels.
    """

    names: tuple[str, ...]
    center: FloatArray
    scale: FloatArray
    characters: bool
    hold_of: FloatArray | None = None
    lag_of: FloatArray | None = None

    def arrays(self, strokes: Any, name: str) -> tuple[np.ndarray, ...]:
        """Return what the network takes: keys, times, sizes, first and last of each word."""
        recordings = as_recordings(strokes, name)
        code, place = self._codes(recordings), recordings.place
        times, starts = _log_times(recordings), place == 0
        if self.hold_of is not None and self.lag_of is not None:
            times = np.concatenate([times, self._excess(code, times)], axis=1)
        times = (times - self.center) / self.scale
        times[starts] = np.where(_OF_LAGS[: times.shape[1]], 0.0, times[starts])
        size = np.bincount(recordings.number)
        keys = np.zeros((size.size, size.max()), dtype=np.int64)
        padded = np.zeros((*keys.shape, times.shape[1]), dtype=np.float32)
        keys[recordings.number, place] = code
        padded[recordings.number, place] = times
        return keys, padded, size, *self._words(recordings)

    def as_arrays(self) -> dict[str, np.ndarray]:
        """Return all fields as arrays by name, for a file; `inputs_of_arrays` reads them."""
        arrays = {
            "names": np.array(self.names, dtype=np.str_),
            "center": self.center,
            "scale": self.scale,
            "characters": np.array(self.characters),
        }
        if self.hold_of is not None and self.lag_of is not None:
            arrays |= {"hold_of": self.hold_of, "lag_of": self.lag_of}
        return arrays

    def _codes(self, recordings: Recordings) -> IntArray:
        """Return 1 for an unknown key, 2, 3, ... for the known ones."""
        known = {key: k + 2 for k, key in enumerate(self.names)}
        return np.array([known.get(key, 1) for key in recordings.names])[recordings.key]

    def _excess(self, code: IntArray, times: FloatArray) -> FloatArray:
        """Return log hold and log press-press time less those of people in general."""
        before = np.concatenate([code[:1], code[:-1]])
        usual = np.stack([self.hold_of[code], self.lag_of[before, code]], axis=1)  # type: ignore[index]
        return times[:, :2] - usual

    def _words(self, recordings: Recordings) -> tuple[IntArray, IntArray]:
        """Return the first and last keystroke of each word, (n_recordings, n_words), -1 beyond."""
        place, number = recordings.place, recordings.number
        if self.characters:
            space = np.array([key in SPACES for key in recordings.names])[recordings.key]
            new = np.concatenate([[True], space[:-1]]) | (place == 0)
        else:
            new = place % _WORD == 0
        start = np.flatnonzero(new)
        end = np.append(start[1:], new.size) - 1
        owner = number[start]
        word = np.arange(start.size) - np.searchsorted(owner, np.arange(owner[-1] + 1))[owner]
        first = np.full((owner[-1] + 1, word.max() + 1), -1)
        last = first.copy()
        first[owner, word], last[owner, word] = place[start], place[end]
        return first, last


# hold, press-press, release-press, hold and press-press less those of people in general
_OF_LAGS = np.array([False, True, True, False, True])


def inputs_of_arrays(arrays: Mapping[str, np.ndarray]) -> KeyInputs:
    """Return what `KeyInputs.as_arrays` wrote; raises `KeyError` if an array is not there."""
    return KeyInputs(
        tuple(arrays["names"].tolist()),
        arrays["center"],
        arrays["scale"],
        bool(arrays["characters"]),
        arrays.get("hold_of"),
        arrays.get("lag_of"),
    )


def learn_inputs(strokes: Any, *, characters: bool, population: bool) -> KeyInputs:
    """Return how keystrokes become numbers, from training recordings.

    Parameters
    ----------
    strokes : Strokes, DataFrame or mapping
        Keystrokes in recordings.
    characters : bool
        Whether keys may be looked at.
    population : bool
        Whether there are channels of times less those of people in general.

    Returns
    -------
    KeyInputs
        Known keys, means and spreads.
    """
    recordings = as_recordings(strokes, "X")
    plain = KeyInputs(recordings.names, np.zeros(3), np.ones(3), characters)
    times, code = _log_times(recordings), plain._codes(recordings)
    later = recordings.place > 0
    hold_of, lag_of = None, None
    if population:
        hold_of, lag_of = _usual_times(code, times, later, len(recordings.names) + 2)
        full = KeyInputs(recordings.names, np.zeros(5), np.ones(5), characters, hold_of, lag_of)
        times = np.concatenate([times, full._excess(code, times)], axis=1)
    pairs = [times[later | ~lag, k] for k, lag in enumerate(_OF_LAGS[: times.shape[1]])]
    center = np.array([values.mean() for values in pairs])
    scale = np.array([values.std() or 1.0 for values in pairs])
    return KeyInputs(recordings.names, center, scale, characters, hold_of, lag_of)


def _log_times(recordings: Recordings) -> FloatArray:
    """Return log hold, log press-press and release-press of each keystroke, (n_strokes, 3)."""
    press, release = recordings.press, recordings.release
    step = np.diff(press, prepend=press[0])
    gap = press - np.concatenate([release[:1], release[:-1]])
    clipped = (np.log(np.clip(one, _SHORTEST, _LONGEST)) for one in (release - press, step))
    return np.stack([*clipped, np.clip(gap, -_LONGEST, _LONGEST)], axis=1)


def _usual_times(
    code: IntArray, times: FloatArray, later: np.ndarray, n_codes: int
) -> tuple[FloatArray, FloatArray]:
    """Return mean log holds by key, and press-press times by pair, shrunk to coarser means."""
    hold = _shrunk(code, times[:, 0], np.full(n_codes, times[:, 0].mean()))
    rows = np.flatnonzero(later)
    lag, second = times[rows, 1], code[rows]
    by_key = _shrunk(second, lag, np.full(n_codes, lag.mean() if lag.size else 0.0))
    pair = code[rows - 1] * n_codes + second
    by_pair = _shrunk(pair, lag, np.tile(by_key, n_codes))
    return hold, by_pair.reshape(n_codes, n_codes)


def _shrunk(group: IntArray, values: FloatArray, prior: FloatArray) -> FloatArray:
    """Return means by group, of which the prior is worth five values."""
    count = np.bincount(group, minlength=prior.size)
    total = np.bincount(group, weights=values, minlength=prior.size)
    return np.asarray((total + _COUNT * prior) / (count + _COUNT))
