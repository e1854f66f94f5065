r"""hawkes-rs (imported as ``hawkes``): hawkeys' convention with one decay for all pairs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from hawkeys._typing import ArrayLike, FloatArray
from hawkeys.events import Events
from hawkeys.interop._layouts import lists_per_mark, one_realization
from hawkeys.interop._parameters import check_decay, check_rates, check_weights, common_decay
from hawkeys.process import Hawkes

__all__ = ["events_from_hawkes_rs", "events_to_hawkes_rs", "from_hawkes_rs", "to_hawkes_rs"]


def from_hawkes_rs(
    baseline: ArrayLike,
    excitation: ArrayLike,
    decay: ArrayLike,
    *,
    mark_names: Iterable[object] | None = None,
) -> Hawkes:
    r"""Build the process that `Parameters` of hawkes-rs describe.

    .. math:: \lambda_i(t) = \mu_i + \sum_j \alpha_{ij} \sum_{t_{jl} < t}
        \beta e^{-\beta (t - t_{jl})},

    ``excitation[i, j]`` being the influence of j on i. Simultaneous events do not excite each
    other.

    Parameters
    ----------
    baseline : float or array_like, shape (n_marks,)
        Rates mu, per unit of time; a number for the univariate `Parameters`.
    excitation : float or array_like, shape (n_marks, n_marks)
        Expected number of children alpha, target by source; no unit.
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
    Tested with hawkes-rs 0.1.2: ``hawkes.multivariate.negative_log_likelihood`` is
    :math:`-\log L`, nothing dropped.

    References
    ----------
    https://github.com/melihakpinar/hawkes-rs

    Examples
    --------
    >>> from hawkeys import interop
    >>> process = interop.from_hawkes_rs([0.3, 0.2], [[0.10, 0.45], [0.05, 0.10]], 1.4)
    >>> float(process.adjacency[0, 1])  # children of mark 0 from one event of mark 1
    0.45
    """
    weights = check_weights(excitation, "excitation")
    size = weights.shape[0]
    rates = check_rates(baseline, "baseline", size)
    shared = check_decay(decay, "decay", size, (0,))
    return Hawkes(rates, weights, decay=shared, mark_names=mark_names)


def to_hawkes_rs(process: Hawkes) -> dict[str, Any]:
    r"""Return the arguments of ``hawkes.multivariate.Parameters``.

    The kernels are :math:`\alpha_{ij} \beta e^{-\beta t}`, target by source, as in
    `from_hawkes_rs`.

    Parameters
    ----------
    process : Hawkes
        With an exponential kernel of one decay.

    Returns
    -------
    dict
        ``baseline`` (n_marks,) per unit of time, ``excitation`` (n_marks, n_marks) and ``decay``,
        a float per unit of time. hawkes-rs refuses a baseline of 0.

    Raises
    ------
    InvalidParameterError
        The kernel is not exponential or has several decays.

    Notes
    -----
    Tested with hawkes-rs 0.1.2.

    Examples
    --------
    >>> import hawkeys
    >>> process = hawkeys.Hawkes([0.3, 0.2], [[0.1, 0.4], [0.0, 0.1]], decay=1.4)
    >>> float(hawkeys.interop.to_hawkes_rs(process)["excitation"][0, 1])
    0.4
    """
    shared = common_decay(process, "hawkes-rs")
    return {
        "baseline": process.baseline.copy(),
        "excitation": process.adjacency.copy(),
        "decay": shared,
    }


def events_to_hawkes_rs(events: Events) -> tuple[list[FloatArray], float]:
    """Return the data arguments of the functions of ``hawkes.multivariate``.

    Parameters
    ----------
    events : Events
        One realisation.

    Returns
    -------
    events : list of ndarray, shape (n_marks, any)
        Times from the start of the window, float64 as hawkes-rs demands.
    horizon : float
        Length of the window.

    Raises
    ------
    InvalidEventsError
        Not exactly one realisation.

    Notes
    -----
    Tested with hawkes-rs 0.1.2, which refuses unsorted times, NaN and times outside the window.

    Examples
    --------
    >>> import hawkeys
    >>> events = hawkeys.Events.from_lists([[[11.0], [10.5]]], start_times=10.0, end_times=13.0)
    >>> hawkeys.interop.events_to_hawkes_rs(events)
    ([array([1.]), array([0.5])], 3.0)
    """
    one = one_realization(events, "hawkes-rs")
    return lists_per_mark(one)[0], float(one.durations[0])


def events_from_hawkes_rs(
    events: Sequence[ArrayLike], horizon: float, *, mark_names: Iterable[object] | None = None
) -> Events:
    """Build Events from events of hawkes-rs, simulated ones for example.

    Parameters
    ----------
    events : sequence of array_like, shape (n_marks, any)
        Times per mark, from 0.
    horizon : float
        End of the window.
    mark_names : iterable, length n_marks, optional
        Labels of the marks. Default: "0", "1", ...

    Returns
    -------
    Events
        One realisation, checked.

    Raises
    ------
    InvalidEventsError
        Times unsorted, NaN or outside the window.

    Notes
    -----
    Tested with hawkes-rs 0.1.2.

    Examples
    --------
    >>> from hawkeys import interop
    >>> interop.events_from_hawkes_rs([[1.0], [0.5, 2.0]], 3.0).marks
    array([1, 0, 1])
    """
    return Events.from_lists([events], end_times=horizon, mark_names=mark_names)
