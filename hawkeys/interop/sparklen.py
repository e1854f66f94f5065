r"""sparklen: hawkeys' convention with one decay; baseline and adjacency in one matrix."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray
from hawkeys._validation import check_nonnegative, refuse_labels
from hawkeys.events import Events
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError
from hawkeys.interop._layouts import check_events, lists_per_mark
from hawkeys.interop._parameters import check_decay, common_decay
from hawkeys.process import Hawkes

__all__ = ["events_from_sparklen", "events_to_sparklen", "from_sparklen", "to_sparklen"]


def from_sparklen(
    theta: ArrayLike, decay: ArrayLike, *, mark_names: Iterable[object] | None = None
) -> Hawkes:
    r"""Build the process of sparklen's models and learners.

    .. math:: \lambda_i(t) = \mu_i + \sum_j \alpha_{ij} \sum_{t_{jl} < t}
        \beta e^{-\beta (t - t_{jl})},

    the first column of ``theta`` being :math:`\mu`, the others :math:`\alpha`, the influence of j
    on i. Simultaneous events do not excite each other.

    Parameters
    ----------
    theta : array_like, shape (n_marks, n_marks + 1)
        Baseline rates, per unit of time, beside the expected numbers of children, target by
        source. From ``SimuHawkesExp(mu, alpha, beta, ...)`` it is
        ``np.column_stack((mu, alpha))``.
    decay : float
        Decay rate beta of all pairs, per unit of time.
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
    Tested with sparklen 1.0.0: ``ModelHawkesExpLogLikelihood.loss`` is :math:`-\log L`, summed over
    the realisations (its documentation calls it averaged), nothing dropped.

    References
    ----------
    Lacoste, R. E. (2025). Sparklen: a statistical learning toolkit for high-dimensional Hawkes
    processes in Python. https://arxiv.org/abs/2502.18979

    Examples
    --------
    >>> from hawkeys import interop
    >>> process = interop.from_sparklen([[0.4, 0.3, 0.1], [0.2, 0.0, 0.5]], 2.0)
    >>> process.baseline, float(process.adjacency[0, 1])
    (array([0.4, 0.2]), 0.1)
    """
    refuse_labels(theta, "theta")
    matrix = check_nonnegative(theta, "theta")
    if matrix.ndim != 2 or matrix.shape[0] == 0 or matrix.shape[1] != matrix.shape[0] + 1:
        raise InvalidParameterError(
            "theta must have shape (n_marks, n_marks + 1), the baseline in the first column; got "
            f"shape {matrix.shape}."
        )
    shared = check_decay(decay, "decay", matrix.shape[0], (0,))
    return Hawkes(matrix[:, 0], matrix[:, 1:], decay=shared, mark_names=mark_names)


def to_sparklen(process: Hawkes) -> dict[str, Any]:
    r"""Return the coefficients and the decay for sparklen's models.

    The kernels are :math:`\alpha_{ij} \beta e^{-\beta t}`, target by source, as in
    `from_sparklen`.

    Parameters
    ----------
    process : Hawkes
        With an exponential kernel of one decay.

    Returns
    -------
    dict
        ``theta`` (n_marks, n_marks + 1) for ``model.loss``, and ``decay``, a float per unit of
        time, for ``ModelHawkesExpLogLikelihood``.

    Raises
    ------
    InvalidParameterError
        The kernel is not exponential or has several decays.

    Notes
    -----
    Tested with sparklen 1.0.0.

    Examples
    --------
    >>> import hawkeys
    >>> process = hawkeys.Hawkes([0.4, 0.2], [[0.3, 0.1], [0.0, 0.5]], decay=2.0)
    >>> hawkeys.interop.to_sparklen(process)["theta"]
    array([[0.4, 0.3, 0.1],
           [0.2, 0. , 0.5]])
    """
    shared = common_decay(process, "sparklen")
    return {
        "theta": np.column_stack((process.baseline, process.adjacency)),
        "decay": shared,
    }


def events_to_sparklen(events: Events) -> tuple[list[list[FloatArray]], float]:
    """Return the arguments of `set_data` of sparklen's models.

    Parameters
    ----------
    events : Events
        Any number of realisations, all observed for the same length of time.

    Returns
    -------
    data : list of list of ndarray, shape (n_realizations, n_marks, any)
        Times from the start of each window.
    end_time : float
        Length of the windows.

    Raises
    ------
    InvalidEventsError
        The windows differ in length, or there is no realisation.

    Notes
    -----
    Tested with sparklen 1.0.0, which computes with unsorted times, NaN and times outside the
    window without a word; Events have none.

    Examples
    --------
    >>> import hawkeys
    >>> events = hawkeys.Events.from_lists([[[11.0], [10.5]]], start_times=10.0, end_times=13.0)
    >>> hawkeys.interop.events_to_sparklen(events)
    ([[array([1.]), array([0.5])]], 3.0)
    """
    lengths = check_events(events).durations
    if lengths.size == 0 or (lengths != lengths[0]).any():
        found = f"from {lengths.min()} to {lengths.max()}" if lengths.size else "no realisation"
        raise InvalidEventsError(
            f"sparklen has one length of observation for all realisations; got {found}. Convert "
            "realisations of equal length only."
        )
    return lists_per_mark(events), float(lengths[0])


def events_from_sparklen(
    data: Sequence[Sequence[ArrayLike]],
    end_time: float,
    *,
    mark_names: Iterable[object] | None = None,
) -> Events:
    """Build Events from data of sparklen, simulated ones for example.

    Parameters
    ----------
    data : sequence of sequence of array_like, shape (n_realizations, n_marks, any)
        Times per realisation and mark, from 0.
    end_time : float
        End of every window.
    mark_names : iterable, length n_marks, optional
        Labels of the marks. Default: "0", "1", ...

    Returns
    -------
    Events
        Checked copy.

    Raises
    ------
    InvalidEventsError
        Times unsorted, NaN or outside the window.

    Notes
    -----
    Tested with sparklen 1.0.0.

    Examples
    --------
    >>> from hawkeys import interop
    >>> interop.events_from_sparklen([[[1.0], [0.5, 2.0]]], 3.0).marks
    array([1, 0, 1])
    """
    return Events.from_lists(data, end_times=end_time, mark_names=mark_names)
