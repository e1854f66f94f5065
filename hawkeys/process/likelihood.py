"""`LogLikelihood`: the log-likelihood of given events as a function of the parameters."""

from __future__ import annotations

from typing import Any

import numpy as np

from hawkeys._design import Design
from hawkeys._typing import ArrayLike, Bounds, FloatArray
from hawkeys._validation import as_float_array, in_order, refuse_labels
from hawkeys.events.container import as_events
from hawkeys.exceptions import InvalidParameterError
from hawkeys.kernels import Kernel
from hawkeys.process.hawkes import choose_kernel

__all__ = ["LogLikelihood"]


class LogLikelihood:
    r"""The log-likelihood of given events as a function of baseline and adjacency.

    .. math:: L(\mu, W) = \sum_i \Big[ \sum_k \log\Big(\mu_i + \sum_j W_{ij} c_{ijk}\Big)
        - \mu_i T - \sum_j W_{ij} K_{ij} \Big]

    The excitations :math:`c_{ijk}` and kernel integrals :math:`K_{ij}` do not depend on the
    parameters and are computed once; every value after that is a pass over arrays. For optimisers
    and samplers of one's own: `hawkeys.fit` needs none of this.

    Parameters
    ----------
    data : Events, frame, mapping, or sequence
        Anything that `hawkeys.Events.from_data` reads: a frame of pandas, polars or pyarrow, a
        mapping from mark to times, one flat sequence of times, a list of D arrays of times, or a
        list of such lists. All but Events need `end_time`.
    decay : float or array_like, shape (), (n_marks,) or (n_marks, n_marks), optional
        Short for ``kernel=Exponential(decay)``.
    kernel : Kernel, optional
        Excitation kernel with its parameters. Give either this or `decay`.
    end_time : float or array_like, shape (n_realizations,), optional
        End of observation, for lists.
    start_time : float or array_like, shape (n_realizations,), optional
        Start of observation, for lists. Default: 0.0. Times since 1970 need it; integers too large
        for doubles (nanoseconds) are subtracted exactly, see `hawkeys.Events`.
    **reading
        How data other than Events are read: ``time``, ``mark``, ``realization``, ``unit``, ``sort``
        and ``mark_names``; see `hawkeys.Events.from_data`.

    Attributes
    ----------
    n_marks : int
        Number of marks D.
    n_events : int
        Number of events.

    Raises
    ------
    InvalidEventsError
        The data break the contract of `Events`.
    InvalidParameterError
        Not exactly one of `decay` and `kernel`, or one that does not fit the data.

    Notes
    -----
    Parameters are one array x with a row (baseline[i], adjacency[i, 0], ..., adjacency[i, D - 1])
    per mark i, or the same numbers flat, row by row. Each value costs O(n_events n_marks) time; the
    excitations take 8 n_events n_marks bytes.

    References
    ----------
    Ogata, Y. (1978). The asymptotic behaviour of maximum likelihood estimators for stationary point
    processes. Annals of the Institute of Statistical Mathematics 30, 243-261.
    doi:10.1007/BF02480216

    Examples
    --------
    >>> import hawkeys
    >>> likelihood = hawkeys.LogLikelihood([[1.0, 3.0]], decay=1.0, end_time=4.0)
    >>> value, gradient = likelihood.value_and_gradient([[0.5, 0.0]])
    >>> round(value, 6)  # 2 log(0.5) - 0.5 * 4
    -3.386294
    >>> gradient.round(6)  # by the baseline 2 / 0.5 - 4
    array([[ 0.      , -1.311663]])
    """

    def __init__(
        self,
        data: Any,
        *,
        decay: ArrayLike | None = None,
        kernel: Kernel | None = None,
        end_time: Bounds | None = None,
        start_time: Bounds | None = None,
        **reading: Any,
    ) -> None:
        events = as_events(data, reading, end_time=end_time, start_time=start_time, alone=True)
        excitation = choose_kernel(in_order(decay, events.mark_names, "decay"), kernel)
        self.n_marks = events.n_marks
        self.n_events = events.n_events
        self._design = Design.build(events, excitation)

    def value(self, x: ArrayLike) -> float:
        """Return the log-likelihood, natural log, summed, nothing dropped.

        Parameters
        ----------
        x : array_like, shape (n_marks, n_marks + 1) or (n_marks * (n_marks + 1),)
            Baseline and adjacency row of each mark.

        Returns
        -------
        float
            In nats; minus infinity where the intensity is not positive at an event.

        Raises
        ------
        InvalidParameterError
            `x` has another shape or is not finite.
        """
        return float(self._design.log_likelihood(self._rows(x)).sum())

    def value_and_gradient(self, x: ArrayLike) -> tuple[float, FloatArray]:
        """Return the log-likelihood and its gradient.

        Parameters
        ----------
        x : array_like, shape (n_marks, n_marks + 1) or (n_marks * (n_marks + 1),)
            Baseline and adjacency row of each mark.

        Returns
        -------
        value : float
            As `value`.
        gradient : ndarray of float64, shape of `x`
            Derivatives by the entries of `x`; infinite where the value is.

        Raises
        ------
        InvalidParameterError
            `x` has another shape or is not finite.
        """
        rows = self._rows(x)
        values, gradient = self._design.value_and_gradient(rows)
        return float(values.sum()), gradient.reshape(np.shape(x))

    def __repr__(self) -> str:
        return f"LogLikelihood(n_events={self.n_events}, n_marks={self.n_marks})"

    def _rows(self, x: ArrayLike) -> FloatArray:
        refuse_labels(x, "x")
        array = as_float_array(x, "x")
        shape = (self.n_marks, self.n_marks + 1)
        if array.shape not in (shape, (shape[0] * shape[1],)):
            raise InvalidParameterError(
                f"x must have shape {shape}, a row (baseline, adjacency row) per mark, or be flat, "
                f"row by row; got shape {array.shape}."
            )
        return array.reshape(shape)
