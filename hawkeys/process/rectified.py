"""`RectifiedHawkes`: a Hawkes process with inhibition, its intensity cut at 0."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray
from hawkeys._validation import (
    as_float_array,
    check_nonnegative,
    check_shape,
    check_square,
    same_names,
)
from hawkeys.events import Events
from hawkeys.kernels import Exponential
from hawkeys.process._rectified_rows import as_target_decays, row_terms
from hawkeys.process.lag_filters import LagFilters
from hawkeys.process.nonlinear import NonlinearHawkes

__all__ = ["RectifiedHawkes", "as_target_decays", "row_terms"]


class RectifiedHawkes(NonlinearHawkes):
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
        mark_names, baseline, adjacency, decay = same_names(
            mark_names, baseline=baseline, adjacency=adjacency, decay=decay
        )
        matrix = check_square(as_float_array(adjacency, "adjacency"), "adjacency")
        rates = np.atleast_1d(check_nonnegative(baseline, "baseline"))
        check_shape(rates, "baseline", matrix.shape[:1], "one rate per mark of the adjacency")
        self.adjacency = matrix
        self.decay = as_target_decays(decay, rates.size)
        filters = LagFilters(decays=self.decay[:, None])
        weights = (matrix * self.decay[:, None])[None, :, :, None]
        super().__init__(rates, weights, filters, link="rectified", mark_names=mark_names)
        for array in (matrix, self.decay):
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

    def _intensity_at(self, events: Events, realization: int, times: FloatArray) -> FloatArray:
        excited = self.kernel.sums_at(events, realization, times, self.adjacency)
        return np.maximum(self.baseline + excited, 0.0)

    @property
    def rectified_rows(self) -> FloatArray:
        """Baseline, adjacency row and decay of each target, (n_marks, n_marks + 2)."""
        return np.column_stack((self.baseline, self.adjacency, self.decay))
