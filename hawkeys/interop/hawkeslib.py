r"""hawkeslib: normalised kernels with one decay, source by target."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys.events import Events
from hawkeys.interop._layouts import flat_arrays, one_realization, warn_of_ties
from hawkeys.interop._parameters import check_decay, check_rates, check_weights, common_decay
from hawkeys.process import Hawkes

__all__ = ["events_from_hawkeslib", "events_to_hawkeslib", "from_hawkeslib", "to_hawkeslib"]


def from_hawkeslib(
    mu: ArrayLike,
    A: ArrayLike,
    theta: ArrayLike,
    *,
    mark_names: Iterable[object] | None = None,
) -> Hawkes:
    r"""Build the process of hawkeslib's `MultivariateExpHawkesProcess`.

    .. math:: \lambda_k(t) = \mu_k + \sum_l A_{lk} \sum_{t_{li} < t}
        \theta e^{-\theta (t - t_{li})},

    ``A[l, k]`` being the expected number of children of k from one event of l: the transpose of
    the adjacency.

    Parameters
    ----------
    mu : float or array_like, shape (n_marks,)
        Baseline rates, per unit of time; a number for the univariate class.
    A : float or array_like, shape (n_marks, n_marks)
        Infectivity, source by target; no unit. The univariate class calls it ``alpha``.
    theta : float
        Decay rate of all pairs, per unit of time.
    mark_names : iterable, length n_marks, optional
        Labels of the marks. Default: "0", "1", ...

    Returns
    -------
    Hawkes
        The same process.

    Raises
    ------
    InvalidParameterError
        A wrong shape, a negative or non-finite value, a decay that is not positive.

    Notes
    -----
    Tested with hawkeslib 0.2.2: `log_likelihood_with_params` of both exponential classes is
    :math:`\log L`, nothing dropped, except that the later of simultaneous events in the array is
    excited by the earlier.

    References
    ----------
    http://hawkeslib.rtfd.io

    Examples
    --------
    >>> from hawkeys import interop
    >>> process = interop.from_hawkeslib([0.6, 0.9], [[0.1, 0.5], [0.2, 0.0]], 2.0)
    >>> float(process.adjacency[1, 0])  # children of mark 1 from one event of mark 0
    0.5
    """
    weights = check_weights(A, "A")
    size = weights.shape[0]
    rates = check_rates(mu, "mu", size)
    decay = check_decay(theta, "theta", size, (0,))
    return Hawkes(rates, weights.T, decay=decay, mark_names=mark_names)


def to_hawkeslib(process: Hawkes) -> dict[str, Any]:
    r"""Return the arguments of hawkeslib's `MultivariateExpHawkesProcess.set_params`.

    The kernels are :math:`A_{lk} \theta e^{-\theta t}`, source l by target k, as in
    `from_hawkeslib`.

    Parameters
    ----------
    process : Hawkes
        With an exponential kernel of one decay.

    Returns
    -------
    dict
        ``mu`` (n_marks,) per unit of time, ``A`` (n_marks, n_marks), source by target, and
        ``theta``, a float per unit of time. hawkeslib refuses a spectral radius of 1 or more.

    Raises
    ------
    InvalidParameterError
        The kernel is not exponential or has several decays.

    Notes
    -----
    Tested with hawkeslib 0.2.2.

    Examples
    --------
    >>> import hawkeys
    >>> process = hawkeys.Hawkes([0.6, 0.9], [[0.1, 0.2], [0.5, 0.0]], decay=2.0)
    >>> hawkeys.interop.to_hawkeslib(process)["A"]
    array([[0.1, 0.5],
           [0.2, 0. ]])
    """
    shared = common_decay(process, "hawkeslib")
    return {
        "mu": process.baseline.copy(),
        "A": np.ascontiguousarray(process.adjacency.T),
        "theta": shared,
    }


def events_to_hawkeslib(events: Events) -> tuple[FloatArray, IntArray, float]:
    """Return the data arguments ``t``, ``c`` and ``T`` of hawkeslib's methods.

    Parameters
    ----------
    events : Events
        One realisation.

    Returns
    -------
    t : ndarray of float64, shape (n_events,)
        Times from the start of the window; the univariate class takes them without the marks.
    c : ndarray of int64, shape (n_events,)
        Marks.
    T : float
        Length of the window. Pass it: without it hawkeslib ends the window at the last event.

    Raises
    ------
    InvalidEventsError
        Not exactly one realisation.

    Warns
    -----
    HawkeysWarning
        Some events are simultaneous: hawkeslib lets them excite each other.

    Notes
    -----
    Tested with hawkeslib 0.2.2, which refuses unsorted times, NaN and times outside the window.

    Examples
    --------
    >>> import hawkeys
    >>> events = hawkeys.Events.from_lists([[[11.0], [10.5]]], start_times=10.0, end_times=13.0)
    >>> hawkeys.interop.events_to_hawkeslib(events)
    (array([0.5, 1. ]), array([1, 0]), 3.0)
    """
    one = one_realization(events, "hawkeslib")
    warn_of_ties(one, "hawkeslib")
    return flat_arrays(one)


def events_from_hawkeslib(
    t: ArrayLike,
    c: ArrayLike,
    T: float,
    *,
    n_marks: int | None = None,
    mark_names: Iterable[object] | None = None,
) -> Events:
    """Build Events from times and marks of hawkeslib, simulated ones for example.

    Parameters
    ----------
    t : array_like, shape (n_events,)
        Times from 0.
    c : array_like of int, shape (n_events,)
        Mark of each event.
    T : float
        End of the window; not guessed from the last event.
    n_marks : int, optional
        Number of marks. Default: the number of `mark_names`, else the largest mark + 1.
    mark_names : iterable, length n_marks, optional
        Labels of the marks. Default: "0", "1", ...

    Returns
    -------
    Events
        One realisation, checked.

    Raises
    ------
    InvalidEventsError
        Times unsorted, NaN or outside the window, or a mark out of range.

    Notes
    -----
    Tested with hawkeslib 0.2.2.

    Examples
    --------
    >>> from hawkeys import interop
    >>> interop.events_from_hawkeslib([0.5, 1.0], [1, 0], 3.0, n_marks=3).n_marks
    3
    """
    return Events.from_arrays(t, c, end_times=T, n_marks=n_marks, mark_names=mark_names)
