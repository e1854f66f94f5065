"""`RectifiedHawkes`: a Hawkes process with inhibition, its intensity cut at 0."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np

from hawkeys._loops import rectified as loops
from hawkeys._typing import ArrayLike, FloatArray
from hawkeys._validation import (
    as_float_array,
    check_nonnegative,
    check_positive,
    check_shape,
    check_square,
)
from hawkeys.events import Events
from hawkeys.events._checks import name_marks
from hawkeys.exceptions import InvalidParameterError
from hawkeys.kernels import Exponential
from hawkeys.process.base import Process

__all__ = ["RectifiedHawkes", "as_target_decays", "row_terms"]


class RectifiedHawkes(Process):
    r"""A multivariate Hawkes process with excitation and inhibition, exponential kernels.

    The intensity of mark i is

    .. math:: \lambda_i(t) = \max\Big(0,\; \mu_i + \sum_j W_{ij} \sum_{t_{jl} < t}
        \beta_i e^{-\beta_i (t - t_{jl})}\Big).

    A negative ``adjacency[i, j]`` inhibits: an event of mark j makes events of mark i less likely,
    or impossible for a while. Simultaneous events do not influence each other. Where all of the
    adjacency is >= 0 the process is `hawkeys.Hawkes`; where some is negative, an entry is no longer
    the number of children of an event.

    Parameters
    ----------
    baseline : array_like, shape (n_marks,)
        Rates mu >= 0 without any influence, per unit of time.
    adjacency : array_like, shape (n_marks, n_marks)
        Influence W of any sign, target by source; no unit.
    decay : float or array_like, shape (), (n_marks,) or (n_marks, n_marks)
        Decay beta > 0, per unit of time: one for all, or one per TARGET mark (in
        ``Hawkes(decay=...)`` a vector holds one per source). A matrix must be constant along each
        row.
    mark_names : iterable, length n_marks, optional
        Labels of the marks. Default: "0", "1", ...

    Raises
    ------
    InvalidParameterError
        Wrong shape, a negative baseline, a decay that is not positive or differs within a row, a
        value that is not finite.

    Notes
    -----
    With one decay per target the sum inside the maximum moves monotonically towards mu between
    events. From x < 0 it comes back to 0 after :math:`\log(1 - x / \mu_i) / \beta_i`, so that the
    compensator has a closed form.

    References
    ----------
    Bonnet, A., Martinez Herrera, M. and Sangnier, M. (2021). Maximum likelihood estimation for
    Hawkes processes with self-excitation or inhibition. Statistics & Probability Letters 179,
    109214. doi:10.1016/j.spl.2021.109214

    Bonnet, A., Martinez Herrera, M. and Sangnier, M. (2023). Inference of multivariate exponential
    Hawkes processes with inhibition and application to neuronal activity. Statistics and Computing
    33, 91. doi:10.1007/s11222-023-10264-w

    Examples
    --------
    >>> import hawkeys
    >>> process = hawkeys.RectifiedHawkes([1.0], [[-0.8]], decay=2.0)
    >>> events = hawkeys.Events.from_lists([[[1.0]]], end_times=4.0)
    >>> process.intensity(events, [1.0, 1.1, 2.0]).round(4)  # silent after the event
    array([[1.    ],
           [0.    ],
           [0.7835]])
    >>> process.compensator(events, [1.0, 1.2, 4.0]).round(4)
    array([[1.   ],
           [1.   ],
           [3.267]])
    """

    def __init__(
        self,
        baseline: ArrayLike,
        adjacency: ArrayLike,
        *,
        decay: ArrayLike,
        mark_names: Iterable[object] | None = None,
    ) -> None:
        matrix = check_square(as_float_array(adjacency, "adjacency"), "adjacency")
        rates = np.atleast_1d(check_nonnegative(baseline, "baseline"))
        check_shape(rates, "baseline", matrix.shape[:1], "one rate per mark of the adjacency")
        self.baseline = rates
        self.adjacency = matrix
        self.decay = as_target_decays(decay, rates.size)
        self.mark_names = name_marks(mark_names, self.n_marks, np.empty(0, dtype=np.int64))
        for array in (rates, matrix, self.decay):
            array.flags.writeable = False

    @property
    def kernel(self) -> Exponential:
        """Kernel with the decay of each target along its row."""
        return Exponential(np.tile(self.decay[:, None], (1, self.n_marks)))

    @cached_property
    def spectral_radius(self) -> float:
        """Largest eigenvalue of the positive part of the adjacency; below 1 it is stable.

        That is sufficient, not necessary: inhibition may tame a process that excites more.
        """
        return float(np.abs(np.linalg.eigvals(np.maximum(self.adjacency, 0.0))).max())

    def to_dict(self) -> dict[str, Any]:
        """Return the process as plain JSON types.

        Returns
        -------
        dict
            Keys baseline, adjacency, decay (one per target mark) and mark_names.
        """
        return {
            "baseline": self.baseline.tolist(),
            "adjacency": self.adjacency.tolist(),
            "decay": self.decay.tolist(),
            "mark_names": list(self.mark_names),
        }

    def __repr__(self) -> str:
        inhibited = int((self.adjacency < 0).sum())
        return (
            f"RectifiedHawkes(n_marks={self.n_marks}, n_inhibiting={inhibited}, "
            f"spectral_radius={self.spectral_radius:.4g})"
        )

    def _log_likelihood(self, events: Events) -> float:
        every = np.ones(events.n_realizations)
        rows = (row_terms(events, i, row, every)[0] for i, row in enumerate(self._parameters()))
        return float(sum(rows))

    def _intensity_at(self, events: Events, realization: int, times: FloatArray) -> FloatArray:
        excited = self.kernel.sums_at(events, realization, times, self.adjacency)
        return np.maximum(self.baseline + excited, 0.0)

    def _compensator_at(self, events: Events, realization: int, times: FloatArray) -> FloatArray:
        here = slice(events.offsets[realization], events.offsets[realization + 1])
        path = events.times[here], events.marks[here]
        start = float(events.start_times[realization])
        out = np.empty((self.n_marks, times.size))
        for row, target in zip(self._parameters(), out, strict=True):
            loops.compensator_at(*path, start, row, times, target)
        return out.T

    def _parameters(self) -> FloatArray:
        return np.column_stack((self.baseline, self.adjacency, self.decay))


def row_terms(
    events: Events, target: int, theta: FloatArray, weights: FloatArray
) -> tuple[float, FloatArray, FloatArray]:
    """Return the weighted log-likelihood of one target mark with its derivatives.

    Parameters
    ----------
    events : Events
        The data.
    target : int
        The mark.
    theta : ndarray of float64, shape (n_marks + 2,)
        Baseline, adjacency row and decay.
    weights : ndarray of float64, shape (n_realizations,)
        Weight of each realisation.

    Returns
    -------
    value : float
        In nats; minus infinity if an event was impossible (the derivatives then mean nothing).
    gradient : ndarray of float64, shape (n_marks + 2,)
        By `theta`.
    curvature : ndarray of float64, shape (n_marks + 1, n_marks + 1)
        Minus the second derivatives by baseline and adjacency row; positive semidefinite.
    """
    out = np.zeros((theta.size, theta.size))
    windows = np.column_stack((events.start_times, events.end_times))
    value = loops.row_log_likelihood(
        events.times, events.marks, events.offsets, windows, weights, target, theta, out
    )
    return value, out[0], out[1:, :-1]


def as_target_decays(decay: ArrayLike, n_marks: int) -> FloatArray:
    """Return the decay of each target mark, shape (n_marks,).

    Raises `InvalidParameterError` if a decay is not positive, the shape is not (), (n_marks,) or
    (n_marks, n_marks), or a matrix is not constant along its rows.
    """
    array = check_positive(decay, "decay")
    if array.ndim == 2:
        check_shape(array, "decay", (n_marks, n_marks), "target by source")
        if (array != array[:, :1]).any():
            raise InvalidParameterError(
                "decay must be the same for all sources of a target mark, so that the moment when "
                f"inhibition ends is explicit; got a row {array[(array != array[:, :1]).any(1)][0]}"
                ". Give one number, or one per target mark."
            )
        return array[:, 0].copy()
    if array.ndim == 0:
        return np.full(n_marks, float(array))
    return check_shape(array, "decay", (n_marks,), "one per target mark")
