"""`Chain`: times drawn within their cells, and what they tell of the likelihood of the cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hawkeys._loops.coarse_times import draw_times
from hawkeys._typing import FloatArray, IntArray
from hawkeys.inference.coarse.cells import Cells

__all__ = ["Chain", "Moments", "split_parameters"]

# draws that are left out after the parameters have changed: so many, or a share; and groups whose
# means are compared
_BURN, _SHARE, _GROUPS = 10, 0.25, 20


@dataclass(frozen=True, eq=False)
class Moments:
    """What draws of the times tell of the log-likelihood of the cells.

    Parameters are the baseline and adjacency row of each target, (D (D + 1),), then the log of all
    decays together.

    Attributes
    ----------
    score : ndarray, shape (P,)
        Its derivatives: the mean of those of the times drawn (Fisher's identity).
    complete : ndarray, shape (P, P)
        Mean information of the times drawn.
    missing : ndarray, shape (P, P)
        Covariance of the derivatives over the draws: what is not known of the times.
    error : ndarray, shape (P, P)
        Covariance of `score` by the randomness of the draws.
    """

    score: FloatArray
    complete: FloatArray
    missing: FloatArray
    error: FloatArray

    @property
    def observed(self) -> FloatArray:
        """Information of the cells: complete less missing (Louis 1982, eq. 3.2)."""
        return self.complete - self.missing


def split_parameters(theta: FloatArray, n_marks: int) -> tuple[FloatArray, FloatArray]:
    """Return baseline (D,) and adjacency (D, D) of parameters (P,)."""
    rows = theta[:-1].reshape(n_marks, n_marks + 1)
    return rows[:, 0].copy(), rows[:, 1:].copy()


class Chain:
    """Times within cells, moved by Metropolis' rule.

    Parameters
    ----------
    cells : Cells
        Where the times lie.
    decay : ndarray, shape (n_marks,)
        Decays of the sources; those of the model are these times exp(theta[-1]).
    rng : numpy.random.Generator
        Source of randomness.
    """

    def __init__(self, cells: Cells, decay: FloatArray, rng: np.random.Generator) -> None:
        self.cells, self._decay, self._rng = cells, decay, rng
        self._arrays = (
            cells.offsets,
            cells.lows,
            cells.highs,
            cells.firsts,
            cells.end_times.copy(),
        )
        times = cells.spread(rng)
        n_rows = 1 if (decay == decay[0]).all() else decay.size
        fades = np.ones((n_rows, times.size))
        self._state = (times, cells.marks.copy(), np.ones(times.size), fades)

    def at(self, theta: FloatArray, n_draws: int) -> Moments:
        """Return what so many draws tell of the log-likelihood at parameters, (P,)."""
        self._draw(theta, max(_BURN, int(_SHARE * n_draws)))
        scores, information = self._draw(theta, max(n_draws, _GROUPS))
        groups = np.array_split(scores, _GROUPS)
        means = np.array([group.mean(axis=0) for group in groups])
        return Moments(
            scores.mean(axis=0),
            _joint(information),
            np.atleast_2d(np.cov(scores, rowvar=False)),
            np.atleast_2d(np.cov(means, rowvar=False)) / _GROUPS,
        )

    def _draw(self, theta: FloatArray, n_draws: int) -> tuple[FloatArray, FloatArray]:
        """Return derivatives after each of so many sweeps, (n_draws, P), and mean information."""
        size = self.cells.n_marks
        model = (*split_parameters(theta, size), self._decay * np.exp(theta[-1]))
        scores, information = draw_times(self._rng, self._arrays, model, self._state, n_draws)
        scores[:, : -1 : size + 1] -= self.cells.total_time
        return scores, information


def _joint(information: FloatArray) -> FloatArray:
    """Return the information of all parameters, from that of each target beside the log decay."""
    size, width = len(information), information.shape[1] - 1
    out = np.zeros((size * width + 1, size * width + 1))
    for i, matrix in enumerate(information):
        own: IntArray = np.append(np.arange(i * width, (i + 1) * width), size * width)
        out[np.ix_(own, own)] += matrix
    return out
