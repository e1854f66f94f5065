"""Verifiers of free text by the mean times of digraphs and holds, the classical baselines."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hawkeys._typing import FloatArray, IntArray
from hawkeys._validation import check_nonnegative, check_positive_number, check_shape
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers.free_text.base import FreeTextVerifier
from hawkeys.verifiers.free_text.recordings import Lags, Recordings, find_sorted, pair_numbers

__all__ = ["DigraphDisorder", "DigraphManhattan"]

_MEASURES = ("press-press", "press-release")


class _Means(NamedTuple):
    """Mean times of the pairs of each recording, ordered by recording, then pair.

    Attributes
    ----------
    recording, pair : ndarray of int64, shape (n_means,)
        Which.
    mean, deviation, weight : ndarray of float64, shape (n_means,)
        Mean time (s), mean absolute deviation from it (s), number of times.
    """

    recording: IntArray
    pair: IntArray
    mean: FloatArray
    deviation: FloatArray
    weight: FloatArray


class DigraphManhattan(FreeTextVerifier):
    r"""Scaled Manhattan distance between mean digraph and hold times.

    For every digraph (time from press to press) and key (hold) that the recording shares with the
    enrolled strokes, the means m and m' are compared; the score is

    .. math:: -\frac{1}{n} \sum_d \min(|m_d - m'_d| / a_d, c)

    with a the enrolled mean absolute deviation, drawn to the typist's overall one.

    Parameters
    ----------
    longest : float, default 0.5
        Digraphs that took longer, in seconds, are left out as pauses.
    clip : float, default 3
        A difference counts at most so many deviations, c; a recording that shares nothing scores
        -c.
    prior_count : float, default 5
        How many occurrences the overall deviation is worth in a_d.

    Attributes
    ----------
    keys_ : tuple of str
        Keys enrolled.
    means_ : dict of ndarray
        Pair numbers, means and deviations of "press-press" and "press-release".

    References
    ----------
    .. [1] L. C. F. Araujo et al. (2005), "User authentication through typing biometrics features",
       IEEE Transactions on Signal Processing 53, doi:10.1109/TSP.2004.839903, for the distance in
       fixed text.

    Examples
    --------
    >>> from hawkeys.verifiers import DigraphManhattan
    >>> press = [0.0, 0.15, 0.31, 0.46, 0.60, 0.77]
    >>> typed = {"key": list("ababab"), "press": press, "release": [t + 0.08 for t in press]}
    >>> round(DigraphManhattan().fit(typed).score(typed), 3)
    0.0
    """

    def __init__(
        self, *, longest: float = 0.5, clip: float = 3.0, prior_count: float = 5.0
    ) -> None:
        self.longest = longest
        self.clip = clip
        self.prior_count = prior_count

    def _learn(self, strokes: Recordings) -> None:
        check_positive_number(self.clip, "clip")
        count = check_shape(
            check_nonnegative(self.prior_count, "prior_count"), "prior_count", (), "one number"
        )
        self.keys_ = strokes.names
        self.means_ = {}
        for measure in _MEASURES:
            found = _enrolled(strokes, measure, self.longest)
            overall = np.average(found.deviation, weights=found.weight)
            spread = (found.weight * found.deviation + count * overall) / (found.weight + count)
            # where all times were equal, a millisecond is a deviation
            self.means_[measure] = (found.pair, found.mean, np.maximum(spread, 1e-3))

    def _score(self, strokes: Recordings) -> FloatArray:
        total, n_shared = np.zeros(strokes.n_recordings), np.zeros(strokes.n_recordings)
        for measure, (pairs, mean, spread) in self.means_.items():
            block = _pair_means(strokes, measure, self.keys_, self.longest)
            rows, place = find_sorted(pairs, block.pair)
            gap = np.minimum(np.abs(block.mean[rows] - mean[place]) / spread[place], self.clip)
            total += np.bincount(block.recording[rows], gap, strokes.n_recordings)
            n_shared += np.bincount(block.recording[rows], minlength=strokes.n_recordings)
        return np.where(n_shared > 0, -total / np.maximum(n_shared, 1), -self.clip)


class DigraphDisorder(FreeTextVerifier):
    r"""Relative and absolute distance between digraph times, after Gunetti and Picardi [1]_.

    R orders the n digraphs that the recording shares with the enrolled strokes by their mean
    time in each, and sums by how many places a digraph is displaced, as a share of the largest sum
    possible, floor(n^2 / 2). A is the share of those digraphs whose two means differ by more than
    the factor `ratio`. The score is -(R + A), and -2 if nothing is shared.

    Parameters
    ----------
    ratio : float, default 1.25
        Means are alike up to this factor.
    longest : float, default 0.5
        Digraphs that took longer, in seconds, are left out as pauses.

    Attributes
    ----------
    keys_ : tuple of str
        Keys enrolled.
    means_ : tuple of ndarray
        Numbers and means of the pairs.

    Notes
    -----
    In [1]_ a recording is compared with each enrolled text and the distances are averaged; here
    it is compared once with the means of all.

    References
    ----------
    .. [1] D. Gunetti and C. Picardi (2005), "Keystroke analysis of free text", ACM Transactions on
       Information and System Security 8, doi:10.1145/1085126.1085129.

    Examples
    --------
    >>> from hawkeys.verifiers import DigraphDisorder
    >>> press = [0.0, 0.15, 0.31, 0.46, 0.60, 0.77]
    >>> typed = {"key": list("abcabc"), "press": press, "release": [t + 0.08 for t in press]}
    >>> slow = {**typed, "press": [2 * t for t in press], "release": [2 * t + 0.1 for t in press]}
    >>> verifier = DigraphDisorder().fit(typed)
    >>> verifier.score(typed), verifier.score(slow)
    (0.0, -1.0)
    """

    def __init__(self, *, ratio: float = 1.25, longest: float = 0.5) -> None:
        self.ratio = ratio
        self.longest = longest

    def _learn(self, strokes: Recordings) -> None:
        if not check_positive_number(self.ratio, "ratio") > 1:
            raise InvalidParameterError(f"ratio must be above 1; got {self.ratio!r}.")
        self.keys_ = strokes.names
        found = _enrolled(strokes, "press-press", self.longest)
        self.means_ = (found.pair, found.mean)

    def _score(self, strokes: Recordings) -> FloatArray:
        pairs, mean = self.means_
        block = _pair_means(strokes, "press-press", self.keys_, self.longest)
        rows, place = find_sorted(pairs, block.pair)
        size = strokes.n_recordings
        recording, here, there = block.recording[rows], block.mean[rows], mean[place]
        shared = np.bincount(recording, minlength=size)
        begin = np.cumsum(shared) - shared
        moved = np.abs(_ranks(recording, here, begin) - _ranks(recording, there, begin))
        disorder = np.bincount(recording, moved, size) / np.maximum(shared**2 // 2, 1)
        apart = np.maximum(here, there) > self.ratio * np.minimum(here, there)
        share = np.bincount(recording, apart, size) / np.maximum(shared, 1)
        return np.where(shared > 0, -(disorder + share), -2.0)


def _ranks(group: IntArray, values: FloatArray, begin: IntArray) -> FloatArray:
    """Return the place of each value in its group; `begin` is where a group starts."""
    ranks = np.empty(values.size)
    order = np.lexsort((values, group))
    ranks[order] = np.arange(values.size) - begin[group[order]]
    return ranks


def _enrolled(strokes: Recordings, measure: str, longest: float) -> _Means:
    """Return the means over all recordings, which must not be empty."""
    check_positive_number(longest, "longest")
    together = Recordings(
        strokes.names, strokes.key, strokes.press, strokes.release, np.zeros_like(strokes.number)
    )
    found = _means_of(strokes.lags(measure), together, strokes.names, measure, longest)
    if not found.mean.size:
        raise InvalidParameterError(
            f"longest = {longest:g} s leaves no digraph of the {len(strokes)} enrolled keystrokes; "
            "raise it, or check that times are in seconds."
        )
    return found


def _pair_means(
    strokes: Recordings, measure: str, known: tuple[str, ...], longest: float
) -> _Means:
    return _means_of(strokes.lags(measure), strokes, known, measure, longest)


def _means_of(
    lags: Lags, strokes: Recordings, known: tuple[str, ...], measure: str, longest: float
) -> _Means:
    if measure == "press-press":
        lags = lags.pick(lags.lag <= longest)
    pair = pair_numbers(lags, strokes.names, known)
    lags, pair = lags.pick(pair >= 0), pair[pair >= 0]
    n_pairs = len(known) ** 2
    labels, group = np.unique(strokes.number[lags.rows] * n_pairs + pair, return_inverse=True)
    count = np.bincount(group, minlength=labels.size).astype(np.float64)
    mean = np.bincount(group, lags.lag, labels.size) / count
    deviation = np.bincount(group, np.abs(lags.lag - mean[group]), labels.size) / count
    return _Means(labels // n_pairs, labels % n_pairs, mean, deviation, count)
