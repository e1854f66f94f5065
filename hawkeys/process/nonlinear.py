"""`NonlinearHawkes`: signed delayed influence through a link function."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from hawkeys._loops.choice import Compiled
from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys._validation import as_float_array, check_choice, check_count
from hawkeys.events import Events
from hawkeys.events._checks import name_marks
from hawkeys.exceptions import InvalidParameterError
from hawkeys.process.base import Process
from hawkeys.process.filters import LogTimeFilters

__all__ = ["LINKS", "FilterShape", "NonlinearHawkes", "filter_shape", "nonlinear_terms"]

jit = Compiled("nonlinear")

LINKS = ("exponential", "softplus")
"""Names of the link functions."""

FilterShape = tuple[FloatArray, FloatArray, FloatArray, int, int, int]


class NonlinearHawkes(Process):
    r"""A multivariate process with signed delayed influence of its last events.

    The intensity of mark i is

    .. math:: \lambda_i(t) = g\Big(b_i + \sum_{r=1}^{m} h_{i, m_r, r}(t - t_r)\Big), \qquad
        h_{ijr}(u) = \sum_b w_{r' i j b} f_b(u),

    where t_1 > t_2 > ... are the last m = `memory` events before t, of any mark m_r, f_b the
    `filters`, and g the link: exp, or log(1 + exp(x)). A kernel h may be negative, and may have
    any shape: "not right after a key, but 150 ms later". Its influence depends on the order r of
    the event, too, if `weights` has a layer per order. With the exponential link and one mark the
    process is the log-linear one.

    Parameters
    ----------
    baseline : array_like, shape (n_marks,)
        The sum inside the link without any influence, of any sign; the rate is then its link.
    weights : array_like, shape (n_orders, n_marks, n_marks, n_filters)
        Weights of the filters by order, target and source. One order: all remembered events have
        the same kernels; else as many orders as `memory`, the last event first.
    filters : LogTimeFilters
        The filters.
    memory : int, default 3
        How many events before t have an influence.
    link : {"exponential", "softplus"}, default "exponential"
        The link function.
    mark_names : iterable, length n_marks, optional
        Labels of the marks. Default: "0", "1", ...

    Raises
    ------
    InvalidParameterError
        A shape is wrong, a value is not finite, or the link is unknown.

    Notes
    -----
    As finitely many events have an influence, and the filters are bounded, so is the intensity:
    the process cannot explode, whatever the weights. The log-likelihood is concave in baseline and
    weights for both links [1]_. The compensator is integrated between the moments when an age
    passes a knot, where the intensity is smooth; `LogTimeFilters.rule` says how precisely.

    References
    ----------
    .. [1] Paninski, L. (2004). Maximum likelihood estimation of cascade point-process neural
       encoding models. Network: Computation in Neural Systems 15(4), 243-262.
       doi:10.1088/0954-898X_15_4_002
    .. [2] Bremaud, P. and Massoulie, L. (1996). Stability of nonlinear Hawkes processes. Annals of
       Probability 24(3), 1563-1588. doi:10.1214/aop/1065725193

    Examples
    --------
    >>> import hawkeys
    >>> from hawkeys.process import LogTimeFilters
    >>> filters = LogTimeFilters([0.1, 0.2, 0.4])
    >>> process = hawkeys.NonlinearHawkes([0.0], [[[[-3.0, 1.0]]]], filters, memory=1)
    >>> events = hawkeys.Events.from_lists([[[1.0]]], end_times=4.0)
    >>> process.intensity(events, [1.0, 1.05, 1.2, 2.0]).round(4)
    array([[1.    ],
           [0.0498],
           [2.7183],
           [1.    ]])
    """

    def __init__(
        self,
        baseline: ArrayLike,
        weights: ArrayLike,
        filters: LogTimeFilters,
        *,
        memory: int = 3,
        link: str = "exponential",
        mark_names: Iterable[object] | None = None,
    ) -> None:
        check_count(memory, "memory")
        check_choice(link, "link", LINKS)
        if not isinstance(filters, LogTimeFilters):
            raise InvalidParameterError(
                f"filters must be hawkeys.process.LogTimeFilters; got {type(filters).__name__}."
            )
        rates, layers = np.atleast_1d(as_float_array(baseline, "baseline")), _layers(weights)
        n_marks = rates.size
        wanted = (n_marks, n_marks, filters.n_filters)
        if rates.ndim != 1 or layers.shape[1:] != wanted or layers.shape[0] not in (1, memory):
            raise InvalidParameterError(
                f"weights must have shape (1 or memory={memory}, {n_marks}, {n_marks}, "
                f"{filters.n_filters}) (order, target, source, filter) for baseline of shape "
                f"{rates.shape}; got {layers.shape}."
            )
        self.baseline = rates
        self.weights = layers
        self.filters = filters
        self.memory = memory
        self.link = link
        self.mark_names = name_marks(mark_names, n_marks, np.empty(0, dtype=np.int64))
        for array in (rates, layers):
            array.flags.writeable = False

    @property
    def n_orders(self) -> int:
        """Number of orders with weights of their own: 1 or `memory`."""
        return int(self.weights.shape[0])

    @property
    def parameters(self) -> FloatArray:
        """Baseline and weights of each target, shape (n_marks, 1 + n_orders n_marks n_filters)."""
        by_target = self.weights.transpose(1, 0, 2, 3).reshape(self.n_marks, -1)
        return np.column_stack((self.baseline, by_target))

    @property
    def shape(self) -> FilterShape:
        """What the compiled loops need to know of the filters."""
        return filter_shape(self.filters, self.memory, self.n_orders, self.link)

    def kernel_at(self, times: ArrayLike) -> FloatArray:
        """Return the kernels at given times since an event.

        Parameters
        ----------
        times : array_like, shape (n_times,)
            Times >= 0.

        Returns
        -------
        ndarray of float64, shape (n_times, n_orders, n_marks, n_marks)
            What an event adds inside the link, by order, target and source.

        Raises
        ------
        InvalidParameterError
            A time is negative or not finite.
        """
        return np.einsum("tb,oijb->toij", self.filters.values(times), self.weights)

    def to_dict(self) -> dict[str, Any]:
        """Return the process as plain JSON types.

        Returns
        -------
        dict
            Keys baseline, weights, filters, memory, link and mark_names.
        """
        return {
            "baseline": self.baseline.tolist(),
            "weights": self.weights.tolist(),
            "filters": self.filters.to_dict(),
            "memory": self.memory,
            "link": self.link,
            "mark_names": list(self.mark_names),
        }

    def __repr__(self) -> str:
        return (
            f"NonlinearHawkes(n_marks={self.n_marks}, link={self.link!r}, memory={self.memory}, "
            f"n_orders={self.n_orders}, n_filters={self.filters.n_filters})"
        )

    def _log_likelihood(self, events: Events) -> float:
        return float(self.realization_log_likelihoods(events).sum())

    def realization_log_likelihoods(self, events: Events, *, n_given: int = 0) -> FloatArray:
        """Return the log-likelihood of each realisation.

        Parameters
        ----------
        events : Events
            Realisations with n_marks marks.
        n_given : int, default 0
            How many first events of each realisation are given: they act on what follows, but
            neither they nor the time up to the last of them count.

        Returns
        -------
        ndarray of float64, shape (n_realizations,)
            In nats.

        Raises
        ------
        InvalidParameterError
            `n_given` is no count.
        """
        check_count(n_given, "n_given", minimum=0)
        every = np.ones(events.n_realizations)
        rows = [
            nonlinear_terms(events, i, theta, self.shape, every, n_given)[0]
            for i, theta in enumerate(self.parameters)
        ]
        return np.sum(rows, axis=0)

    def _intensity_at(self, events: Events, realization: int, times: FloatArray) -> FloatArray:
        x = np.empty((self.n_marks, times.size))
        start = float(events.start_times[realization])
        for theta, row in zip(self.parameters, x, strict=True):
            jit.predictor_at(_path(events, realization), start, theta, self.shape, times, row)
        return np.exp(x.T) if self.link == "exponential" else np.logaddexp(0.0, x.T)

    def _compensator_at(self, events: Events, realization: int, times: FloatArray) -> FloatArray:
        out = np.empty((self.n_marks, times.size))
        start = float(events.start_times[realization])
        for theta, row in zip(self.parameters, out, strict=True):
            jit.compensator_at(_path(events, realization), start, theta, self.shape, times, row)
        return out.T


def nonlinear_terms(
    events: Events,
    target: int,
    theta: FloatArray,
    shape: FilterShape,
    weights: FloatArray,
    n_given: int = 0,
    *,
    derivatives: bool = False,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the log-likelihoods of one target mark, and the derivatives of their weighted sum.

    Parameters
    ----------
    events : Events
        The data.
    target : int
        The mark.
    theta : ndarray of float64, shape (P,)
        Baseline, then weights by order, source and filter.
    shape : tuple
        Of `filter_shape`.
    weights : ndarray of float64, shape (n_realizations,)
        Weight of each realisation.
    n_given : int, default 0
        First events of each realisation that are given.
    derivatives : bool, default False
        Whether to compute them.

    Returns
    -------
    values : ndarray of float64, shape (n_realizations,)
        In nats, unweighted.
    gradient : ndarray of float64, shape (P,) or (0,)
        By `theta`.
    curvature : ndarray of float64, shape (P, P) or (0, 0)
        Minus the second derivatives; positive semidefinite.
    """
    size = theta.size if derivatives else 0
    out = np.zeros((size + 1 if derivatives else 0, size))
    given = np.full(events.n_realizations, float(n_given))
    windows = np.column_stack((events.start_times, events.end_times, weights, given))
    values = np.empty(events.n_realizations)
    data = (events.times, events.marks, events.offsets)
    jit.row_log_likelihood(data, windows, target, theta, shape, values, out)
    return values, out[0] if derivatives else np.empty(0), out[1:]


def filter_shape(filters: LogTimeFilters, memory: int, n_orders: int, link: str) -> FilterShape:
    """Return what the compiled loops need: knots, nodes, their weights, memory, orders, link."""
    return (filters.knots, *filters.rule(), memory, n_orders, LINKS.index(link))


def _layers(weights: ArrayLike) -> FloatArray:
    array = as_float_array(weights, "weights")
    if array.ndim != 4:
        raise InvalidParameterError(
            "weights must have four dimensions (order, target, source, filter); got shape "
            f"{array.shape}."
        )
    return array


def _path(events: Events, realization: int) -> tuple[FloatArray, IntArray]:
    here = slice(events.offsets[realization], events.offsets[realization + 1])
    return events.times[here], events.marks[here]
