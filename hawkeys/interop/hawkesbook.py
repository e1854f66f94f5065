r"""hawkesbook: kernels alpha exp(-beta t), source by target, one decay per target."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError
from hawkeys.interop._layouts import flat_arrays, one_realization, warn_of_ties
from hawkeys.interop._parameters import (
    check_decay,
    check_rates,
    check_weights,
    exponential_decay,
)
from hawkeys.process import Hawkes

__all__ = ["events_from_hawkesbook", "events_to_hawkesbook", "from_hawkesbook", "to_hawkesbook"]


def from_hawkesbook(
    lam: ArrayLike,
    alpha: ArrayLike,
    beta: ArrayLike,
    *,
    mark_names: Iterable[object] | None = None,
) -> Hawkes:
    r"""Build the process of hawkesbook's parameter tuple.

    .. math:: \lambda_i(t) = \lambda_i + \sum_j \alpha_{ji} \sum_{t_{jl} < t}
        e^{-\beta_i (t - t_{jl})},

    ``alpha[j, i]`` being the jump of i at an event of j (the transpose of hawkeys' order) and
    ``beta[i]`` the decay of everything that acts on i, so that the adjacency of target i and
    source j is :math:`\alpha_{ji} / \beta_i`.

    Parameters
    ----------
    lam : float or array_like, shape (n_marks,)
        Baseline rates, per unit of time; a number for the ``exp_`` functions of one mark.
    alpha : float or array_like, shape (n_marks, n_marks)
        Jumps, source by target, per unit of time.
    beta : float or array_like, shape (n_marks,)
        Decay rates, one per target, per unit of time.
    mark_names : iterable, length n_marks, optional
        Labels of the marks. Default: "0", "1", ...

    Returns
    -------
    Hawkes
        The same process, with one decay per pair.

    Raises
    ------
    InvalidParameterError
        A wrong shape, a negative or non-finite value, a decay that is not positive.

    Notes
    -----
    Tested with hawkesbook 0.1.0: `mutual_exp_log_likelihood` and `exp_log_likelihood` are
    :math:`\log L`, nothing dropped, except that the later of simultaneous events in the array is
    excited by the earlier.

    References
    ----------
    Laub, P. J., Lee, Y. and Taimre, T. (2021). The Elements of Hawkes Processes. Springer.
    doi:10.1007/978-3-030-84639-8

    Examples
    --------
    >>> from hawkeys import interop
    >>> process = interop.from_hawkesbook([0.6, 0.9], [[0.1, 0.5], [0.2, 0.0]], [1.0, 2.0])
    >>> float(process.adjacency[1, 0])  # children of mark 1 from one event of mark 0: 0.5 / 2
    0.25
    """
    jumps = check_weights(alpha, "alpha")
    size = jumps.shape[0]
    rates = check_rates(lam, "lam", size)
    per_target = check_decay(np.atleast_1d(beta), "beta", size, (1,))[:, None]
    decay = np.broadcast_to(per_target, (size, size))
    return Hawkes(rates, jumps.T / decay, decay=decay, mark_names=mark_names)


def to_hawkesbook(process: Hawkes) -> tuple[FloatArray, FloatArray, FloatArray]:
    r"""Return the parameter tuple of hawkesbook's ``mutual_exp_`` functions.

    The kernels are :math:`\alpha_{ji} e^{-\beta_i t}` with :math:`\alpha_{ji}` the adjacency of
    target i and source j times :math:`\beta_i`, as in `from_hawkesbook`.

    Parameters
    ----------
    process : Hawkes
        With an exponential kernel whose decay depends on the target alone.

    Returns
    -------
    lam : ndarray of float64, shape (n_marks,)
        Baseline rates, per unit of time.
    alpha : ndarray of float64, shape (n_marks, n_marks)
        Jumps, source by target, per unit of time.
    beta : ndarray of float64, shape (n_marks,)
        Decay rate per target, per unit of time. The ``exp_`` functions take the three single
        numbers instead.

    Raises
    ------
    InvalidParameterError
        The kernel is not exponential, or the decays of a target differ between sources.

    Notes
    -----
    Tested with hawkesbook 0.1.0. A baseline of 0 makes its log-likelihood minus infinity.

    Examples
    --------
    >>> import hawkeys
    >>> process = hawkeys.Hawkes([0.6, 0.9], [[0.1, 0.25], [0.2, 0.0]], decay=2.0)
    >>> float(hawkeys.interop.to_hawkesbook(process)[1][1, 0])  # 0.25 * 2
    0.5
    """
    decay = np.broadcast_to(exponential_decay(process, "hawkesbook"), process.adjacency.shape)
    uneven = (decay != decay[:, :1]).any(axis=1)
    if uneven.any():
        target = int(uneven.argmax())
        raise InvalidParameterError(
            "hawkesbook has one decay per target mark; the decays of what acts on mark "
            f"{target} are {decay[target].tolist()}. Choose a process whose decay is one number, "
            "or a matrix with equal entries in each row."
        )
    alpha = np.ascontiguousarray((process.adjacency * decay).T)
    return process.baseline.copy(), alpha, decay[:, 0].copy()


def events_to_hawkesbook(events: Events) -> tuple[FloatArray, IntArray, float]:
    """Return the data arguments of hawkesbook's ``mutual_exp_`` functions.

    Parameters
    ----------
    events : Events
        One realisation.

    Returns
    -------
    times : ndarray of float64, shape (n_events,)
        Times from the start of the window; the ``exp_`` functions take them without the marks.
    ids : ndarray of int64, shape (n_events,)
        Marks.
    T : float
        Length of the window.

    Raises
    ------
    InvalidEventsError
        Not exactly one realisation.

    Warns
    -----
    HawkeysWarning
        Some events are simultaneous: hawkesbook lets them excite each other.

    Notes
    -----
    Tested with hawkesbook 0.1.0, which computes with unsorted times without a word, as its
    univariate functions do with times after the window; Events have none. It fails where there is
    no event.

    Examples
    --------
    >>> import hawkeys
    >>> events = hawkeys.Events.from_lists([[[11.0], [10.5]]], start_times=10.0, end_times=13.0)
    >>> hawkeys.interop.events_to_hawkesbook(events)
    (array([0.5, 1. ]), array([1, 0]), 3.0)
    """
    one = one_realization(events, "hawkesbook")
    warn_of_ties(one, "hawkesbook")
    return flat_arrays(one)


def events_from_hawkesbook(
    times: ArrayLike,
    ids: ArrayLike,
    T: float,
    *,
    n_marks: int | None = None,
    mark_names: Iterable[object] | None = None,
) -> Events:
    """Build Events from times and ids of hawkesbook.

    Parameters
    ----------
    times : array_like, shape (n_events,)
        Times from 0. Of simulated pairs pass ``*zip(*pairs)``.
    ids : array_like of int, shape (n_events,)
        Mark of each event.
    T : float
        End of the window.
    n_marks : int, optional
        Number of marks. Default: the number of `mark_names`, else the largest id + 1.
    mark_names : iterable, length n_marks, optional
        Labels of the marks. Default: "0", "1", ...

    Returns
    -------
    Events
        One realisation, checked.

    Raises
    ------
    InvalidEventsError
        Times unsorted, NaN or outside the window, or an id out of range.

    Notes
    -----
    Tested with hawkesbook 0.1.0.

    Examples
    --------
    >>> from hawkeys import interop
    >>> pairs = [(0.5, 1), (1.0, 0)]  # as mutual_exp_simulate_by_thinning returns them
    >>> interop.events_from_hawkesbook(*zip(*pairs), 3.0, n_marks=3).n_marks
    3
    """
    return Events.from_arrays(times, ids, end_times=T, n_marks=n_marks, mark_names=mark_names)
