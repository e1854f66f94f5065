"""`NonlinearHawkes`: signed delayed influence through a link function."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np

from hawkeys._loops.choice import Compiled
from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys._validation import as_float_array, check_count, refuse_labels, same_names
from hawkeys.baselines import Baseline
from hawkeys.events import Events
from hawkeys.events._checks import name_marks
from hawkeys.exceptions import InvalidParameterError
from hawkeys.process._links import LINKS, check_link, check_model
from hawkeys.process._rectified_rows import compensators, row_terms
from hawkeys.process.base import Process
from hawkeys.process.filters import LogTimeFilters
from hawkeys.process.lag_filters import LagFilters
from hawkeys.process.predictor import N_NODES, Predictor, link_at_events, link_slopes

__all__ = [
    "LINKS",
    "FilterShape",
    "NonlinearHawkes",
    "check_model",
    "filter_shape",
    "nonlinear_terms",
]

jit = Compiled("nonlinear")
# events whose columns are held at once, as whole realisations
_AT_A_TIME = 5_000

FilterShape = tuple[FloatArray, FloatArray, FloatArray, int, int, int]


class NonlinearHawkes(Process):
    r"""A multivariate process with signed delayed influence of events, through a link.

    The intensity of mark i is

    .. math:: \lambda_i(t) = g\Big(b_i(t) + \sum_{r} h_{i, m_r, r}(t - t_r)\Big), \qquad
        h_{ijr}(u) = \sum_b w_{r' i j b} f_b(u),

    where t_1 > t_2 > ... are the events before t, of any mark m_r, f_b the `filters`, and g the
    link: exp(x), log(1 + exp(x)) or max(0, x). A kernel h may be negative, and may have any shape:
    "not right after a key, but 150 ms later". With `LogTimeFilters` the last `memory` events have
    an influence, which depends on the order r of the event, too, if `weights` has a layer per
    order; with `LagFilters` all events have, alike. With the exponential link and one mark the
    process is the log-linear one; with the rectified link it is `RectifiedHawkes`.

    Parameters
    ----------
    baseline : array_like, shape (n_marks,) or (n_marks, n_pieces)
        The sum inside the link without any influence, of any sign (at least 0 with the rectified
        link); one number for each of `pieces` if it changes.
    weights : array_like, shape (n_orders, n_marks, n_marks, n_filters)
        Weights of the filters by order, target and source. One order: all events have the same
        kernels; else as many orders as `memory`, the last event first.
    filters : LogTimeFilters or LagFilters
        The filters. The rectified link needs `LagFilters` of one decay, without edges.
    memory : int, optional
        How many events before t have an influence, with `LogTimeFilters`. Default: 3; with
        `LagFilters` all, and none can be given.
    link : {"exponential", "softplus", "rectified"}, default "exponential"
        The link function.
    pieces : PiecewiseConstant or Periodic, optional
        When the baseline changes; its rates are left out, as `baseline` has them. Default: never.
    mark_names : iterable, length n_marks, optional
        Labels of the marks. Default: "0", "1", ...

    Attributes
    ----------
    baseline : ndarray of float64, shape (n_marks,)
        As given; the mean over the pieces if it changes.
    inside : ndarray of float64, shape (n_marks, n_pieces)
        The baseline by piece; one column if it does not change.

    Raises
    ------
    InvalidParameterError
        A shape is wrong, a value is not finite, the link is unknown, or filters, memory or pieces
        do not go with it.

    Notes
    -----
    With `LogTimeFilters` finitely many events have an influence, and the filters are bounded, so
    that the intensity is, too: the process cannot explode, whatever the weights. With `LagFilters`
    it can: with the exponential link nearly any excitation explodes sooner or later.

    The log-likelihood is concave in baseline and weights for every link [1]_. The compensator of
    exponential and softplus links is integrated between the moments when an age passes a knot or
    edge, where the intensity is smooth: exactly for steps; by `LogTimeFilters.rule` for those; and
    by 8 Gauss-Legendre nodes for exponentials, on stretches over which they fade by a factor of e
    or less, with a relative error below 1e-8 for weights up to 10 (`quadrature_error` says what it
    is on given events). That of the rectified link has a closed form.

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
        filters: LogTimeFilters | LagFilters,
        *,
        memory: int | None = None,
        link: str = "exponential",
        pieces: Baseline | None = None,
        mark_names: Iterable[object] | None = None,
    ) -> None:
        self.memory = check_model(filters, memory, link, pieces)
        if np.ndim(baseline) < 2:
            mark_names, baseline = same_names(mark_names, baseline=baseline)
        refuse_labels(baseline, "baseline")
        refuse_labels(weights, "weights")
        inside, layers = np.atleast_1d(as_float_array(baseline, "baseline")), _layers(weights)
        n_pieces = 1 if pieces is None else pieces.n_pieces
        inside = inside[:, None] if inside.ndim == 1 and pieces is None else inside
        n_marks = inside.shape[0]
        if inside.shape != (n_marks, n_pieces):
            raise InvalidParameterError(
                f"baseline must have one row per mark and one column for each of {n_pieces} "
                f"pieces; got shape {np.shape(baseline)}."
            )
        wanted = (n_marks, n_marks, filters.n_filters)
        if layers.shape[1:] != wanted or layers.shape[0] not in (1, self.memory or 1):
            raise InvalidParameterError(
                f"weights must have shape (1 or memory={self.memory}, {n_marks}, {n_marks}, "
                f"{filters.n_filters}) (order, target, source, filter) for baseline of shape "
                f"{np.shape(baseline)}; got {layers.shape}."
            )
        check_link(filters, link, inside)
        self.inside = inside
        self.baseline = inside[:, 0] if pieces is None else inside @ pieces.shares
        self.weights, self.filters, self.link, self.pieces = layers, filters, link, pieces
        self.mark_names = name_marks(mark_names, n_marks, np.empty(0, dtype=np.int64))
        for array in (self.inside, self.baseline, layers):
            array.flags.writeable = False

    @property
    def n_orders(self) -> int:
        """Number of orders with weights of their own: 1 or `memory`."""
        return int(self.weights.shape[0])

    @property
    def parameters(self) -> FloatArray:
        """Baseline and weights of each target, (n_marks, n_pieces + n_orders n_marks n_filters)."""
        by_target = self.weights.transpose(1, 0, 2, 3).reshape(self.n_marks, -1)
        return np.column_stack((self.inside, by_target))

    def with_parameters(self, parameters: FloatArray) -> NonlinearHawkes:
        """Return this process with other parameters.

        Parameters
        ----------
        parameters : ndarray of float64, shape (n_marks, P)
            As `parameters`.

        Returns
        -------
        NonlinearHawkes
            With the filters, link, pieces and marks of this one.

        Raises
        ------
        InvalidParameterError
            A value is not finite, or negative where it may not be.
        """
        inside, weights = np.split(parameters, [self.inside.shape[1]], axis=1)
        layers = weights.reshape(self.n_marks, self.n_orders, self.n_marks, -1)
        return NonlinearHawkes(
            inside[:, 0] if self.pieces is None else inside,
            layers.transpose(1, 0, 2, 3),
            self.filters,
            memory=self.memory,
            link=self.link,
            pieces=self.pieces,
            mark_names=self.mark_names,
        )

    def _held_until(self, end: float) -> NonlinearHawkes:
        """Return the process whose pieces go on up to `end` as they are at their last moment."""
        return NonlinearHawkes(
            self.inside[:, 0] if self.pieces is None else self.inside,
            self.weights,
            self.filters,
            memory=self.memory,
            link=self.link,
            pieces=None if self.pieces is None else self.pieces.held_until(end),
            mark_names=self.mark_names,
        )

    @property
    def _last(self) -> float:
        """The moment after which the baseline says nothing."""
        return np.inf if self.pieces is None else self.pieces.last

    @property
    def predictor(self) -> Predictor:
        """What the columns of the sum inside the link are made of."""
        return Predictor(self.filters, self.memory, self.n_orders, self.pieces)

    @property
    def shape(self) -> FilterShape:
        """What the compiled loops for `LogTimeFilters` need to know of the filters.

        Raises `InvalidParameterError` for other filters.
        """
        if not isinstance(self.filters, LogTimeFilters) or self.memory is None:
            raise InvalidParameterError(
                f"the compiled loops are for LogTimeFilters; got {self.filters!r}."
            )
        return filter_shape(self.filters, self.memory, self.n_orders, self.link)

    @property
    def has_loops(self) -> bool:
        """Whether compiled loops know the process: `LogTimeFilters` and a constant baseline."""
        return isinstance(self.filters, LogTimeFilters) and self.pieces is None

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
        each = [self._filter_values(times, i) for i in range(self.n_marks)]
        return np.einsum("itb,oijb->toij", np.array(each), self.weights)

    @property
    def kernel_integrals(self) -> FloatArray:
        """Integral of each kernel over all times, summed over orders, shape (n_marks, n_marks)."""
        filters, total = self.filters, self.weights.sum(axis=0)
        if isinstance(filters, LogTimeFilters):
            return np.asarray(total @ filters.integrals())
        rows = [total[i] @ filters.integrals(i) for i in range(self.n_marks)]
        return np.array(rows)

    def _filter_values(self, times: ArrayLike, target: int) -> FloatArray:
        if isinstance(self.filters, LagFilters):
            return self.filters.values(times, target)
        return self.filters.values(times)

    def to_dict(self) -> dict[str, Any]:
        """Return the process as plain JSON types.

        Returns
        -------
        dict
            Keys baseline, weights, filters, memory, link, pieces and mark_names.
        """
        return {
            "baseline": (self.baseline if self.pieces is None else self.inside).tolist(),
            "weights": self.weights.tolist(),
            "filters": self.filters.to_dict(),
            "memory": self.memory,
            "link": self.link,
            "pieces": None if self.pieces is None else self.pieces.to_dict(),
            "mark_names": list(self.mark_names),
        }

    def __repr__(self) -> str:
        return (
            f"NonlinearHawkes(n_marks={self.n_marks}, link={self.link!r}, memory={self.memory}, "
            f"n_orders={self.n_orders}, n_filters={self.filters.n_filters})"
        )

    def _log_likelihood(self, events: Events) -> float:
        if self.link == "rectified":
            every = np.ones(events.n_realizations)
            rows = (
                row_terms(events, i, row, every)[0] for i, row in enumerate(self.rectified_rows)
            )
            return float(sum(rows))
        return float(self.realization_log_likelihoods(events).sum())

    def realization_log_likelihoods(self, events: Events, *, n_given: int = 0) -> FloatArray:
        """Return the log-likelihood of each realisation.

        Parameters
        ----------
        events : Events
            Realisations with n_marks marks.
        n_given : int, default 0
            How many first events of each realisation are given: they act on what follows, but
            neither they nor the time up to the last of them count. 0 with the rectified link.

        Returns
        -------
        ndarray of float64, shape (n_realizations,)
            In nats.

        Raises
        ------
        InvalidParameterError
            `n_given` is no count, or not 0 with the rectified link.
        """
        check_count(n_given, "n_given", minimum=0)
        every = np.ones(events.n_realizations)
        if self.link == "rectified":
            if n_given:
                raise InvalidParameterError(
                    f"the rectified link counts all events: n_given must be 0; got {n_given}."
                )
            return np.array([self._log_likelihood(events[r]) for r in range(events.n_realizations)])
        if not self.has_loops:
            return self._by_columns(events, n_given, N_NODES)
        rows = [
            nonlinear_terms(events, i, theta, self.shape, every, n_given)[0]
            for i, theta in enumerate(self.parameters)
        ]
        return np.sum(rows, axis=0)

    def quadrature_error(self, events: Events) -> float:
        """Return how much the log-likelihood changes if the quadrature has twice the nodes.

        Parameters
        ----------
        events : Events
            Realisations with n_marks marks.

        Returns
        -------
        float
            In nats. 0 if there are no exponentials, or the link is rectified.
        """
        filters = self.filters
        if self.link == "rectified" or isinstance(filters, LogTimeFilters) or not filters.n_decays:
            return 0.0
        fine, coarse = (self._by_columns(events, 0, k * N_NODES).sum() for k in (2, 1))
        return float(abs(fine - coarse))

    def _by_columns(self, events: Events, n_given: int, n_nodes: int) -> FloatArray:
        """Return the log-likelihood of each realisation, from the columns of some at a time."""
        share = events.offsets[:-1] // _AT_A_TIME
        first = np.flatnonzero(np.diff(share, prepend=-1))
        parts = [slice(*ends) for ends in pairwise((*first.tolist(), events.n_realizations))]
        return np.concatenate([self._some_by_columns(events[p], n_given, n_nodes) for p in parts])

    def _some_by_columns(self, events: Events, n_given: int, n_nodes: int) -> FloatArray:
        out, model = np.zeros(events.n_realizations), self.predictor
        columns = None
        for i, theta in enumerate(self.parameters):
            if columns is None or model.filters_differ:
                columns = model.columns(events, i, n_given, n_nodes)
            own = columns.counts & (events.marks == i)
            x = columns.at_events[own] @ theta
            np.add.at(out, events.realization[own], link_at_events(x, self.link)[0])
            rate = link_slopes(columns.at_nodes @ theta, self.link)[0]
            np.subtract.at(out, columns.owner, columns.mass * rate)
        return out

    def _intensity_at(self, events: Events, realization: int, times: FloatArray) -> FloatArray:
        x = np.empty((self.n_marks, times.size))
        start = float(events.start_times[realization])
        for i, (theta, row) in enumerate(zip(self.parameters, x, strict=True)):
            if self.has_loops:
                jit.predictor_at(_path(events, realization), start, theta, self.shape, times, row)
            else:
                row[:] = self.predictor.at(events, realization, times, i) @ theta
        if self.link == "rectified":
            return np.maximum(x.T, 0.0)
        return np.exp(x.T) if self.link == "exponential" else np.logaddexp(0.0, x.T)

    def _compensator_at(self, events: Events, realization: int, times: FloatArray) -> FloatArray:
        if self.link == "rectified":
            return compensators(self.rectified_rows, events, realization, times)
        out = np.empty((self.n_marks, times.size))
        start = float(events.start_times[realization])
        for i, (theta, row) in enumerate(zip(self.parameters, out, strict=True)):
            if self.has_loops:
                path = _path(events, realization)
                jit.compensator_at(path, start, theta, self.shape, times, row)
            else:
                row[:] = self._integrals_up_to(events, realization, times, i)
        return out.T

    def _integrals_up_to(
        self, events: Events, realization: int, times: FloatArray, target: int
    ) -> FloatArray:
        """Return the integral of a target's intensity up to sorted times, from the columns."""
        model, start = self.predictor, float(events.start_times[realization])
        cuts = np.union1d(model.cuts(events, realization, start, target), times)
        nodes, weights = model.rule()
        widths = np.diff(cuts)
        when = (cuts[:-1, None] + widths[:, None] * nodes).ravel()
        x = model.at(events, realization, when, target) @ self.parameters[target]
        rates = link_slopes(x, self.link)[0].reshape(widths.size, -1)
        total = np.concatenate(([0.0], np.cumsum(widths * (rates @ weights))))
        return total[np.searchsorted(cuts, times)]

    @property
    def rectified_rows(self) -> FloatArray:
        """Baseline, adjacency row and decay of each target, (n_marks, n_marks + 2).

        For the loops of the rectified link; other links have none.
        """
        each = self.filters.decays_of  # type: ignore[union-attr]
        decay = np.array([each(i)[0] for i in range(self.n_marks)])
        return np.column_stack((self.baseline, self.weights[0, :, :, 0] / decay[:, None], decay))


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
