r"""tick: the same parameters under the same orientation, and a shifted, scaled loss."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray
from hawkeys._validation import check_nonnegative, check_square
from hawkeys.baselines import Baseline, Periodic
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError
from hawkeys.interop._layouts import as_realizations, check_events, lists_per_mark
from hawkeys.interop._parameters import (
    check_decay,
    check_rates,
    check_weights,
    exponential_decay,
)
from hawkeys.kernels import Exponential, Kernel, SumExponential
from hawkeys.process import Hawkes

__all__ = ["events_from_tick", "events_to_tick", "from_tick", "to_tick"]


def from_tick(
    baseline: ArrayLike,
    adjacency: ArrayLike,
    decays: ArrayLike,
    *,
    period_length: float | None = None,
    mark_names: Iterable[object] | None = None,
) -> Hawkes:
    r"""Build the process that tick's `SimuHawkesExpKernels` and `HawkesExpKern` describe.

    .. math:: \lambda_i(t) = \mu_i(t) + \sum_j \alpha_{ij} \sum_{t_{jl} < t}
        \beta_{ij} e^{-\beta_{ij} (t - t_{jl})},

    or `SimuHawkesSumExpKernels` and `HawkesSumExpKern`, in which the kernel is
    :math:`\sum_u \alpha_{iju} \beta_u e^{-\beta_u t}`; ``adjacency[i, j]`` being the influence of j
    on i: hawkeys' own convention. Simultaneous events do not excite each other.

    Parameters
    ----------
    baseline : array_like, shape (n_marks,) or (n_marks, n_baselines)
        Constant rates mu, per unit of time; or rates on `n_baselines` equal parts of a period.
    adjacency : array_like, shape (n_marks, n_marks) or (n_marks, n_marks, n_decays)
        Expected number of children alpha, target by source; no unit.
    decays : float or array_like, shape () or (n_marks, n_marks), or (n_decays,)
        Decay rates beta, per unit of time.
    period_length : float, optional
        Period of the baseline, needed if it has several rates per mark.
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
    Tested with tick 0.8.0.2. The loss of `ModelHawkesExpKernLogLik`, which has one decay, for
    coefficients (baseline, adjacency row by row) is

    .. math:: -(\log L + D \sum_r T_r) / n,

    with D marks, n events in all and T_r the length of realisation r.

    References
    ----------
    Bacry, E., Bompaire, M., Deegan, P., Gaiffas, S. and Poulsen, S. V. (2018). tick: a Python
    library for statistical learning, with an emphasis on Hawkes processes and time-dependent
    models. Journal of Machine Learning Research 18(214), 1-5. https://arxiv.org/abs/1707.03003

    Examples
    --------
    >>> from hawkeys import interop
    >>> process = interop.from_tick([0.4, 0.2], [[0.3, 0.1], [0.0, 0.5]], 2.0)
    >>> float(process.adjacency[0, 1])  # children of mark 0 from one event of mark 1
    0.1
    """
    if np.ndim(adjacency) == 3:
        weights, kernel = _mixture(adjacency, decays)
    else:
        weights = check_weights(adjacency, "adjacency")
        kernel = Exponential(check_decay(decays, "decays", weights.shape[0], (0, 2)))
    rates: FloatArray | Baseline
    if np.ndim(baseline) == 2:
        rates = _periodic(baseline, period_length)
    else:
        rates = check_rates(baseline, "baseline", weights.shape[0])
    return Hawkes(rates, weights, kernel=kernel, mark_names=mark_names)


def _mixture(adjacency: ArrayLike, decays: ArrayLike) -> tuple[FloatArray, Kernel]:
    """Return adjacency and kernel of the expected numbers of children by component."""
    parts = check_nonnegative(adjacency, "adjacency")
    total = parts.sum(axis=2, keepdims=True)
    shares = np.where(total > 0, parts, 1.0) / np.where(total > 0, total, parts.shape[2])
    return check_square(total[:, :, 0], "adjacency"), SumExponential(decays, shares)


def _periodic(baseline: ArrayLike, period_length: float | None) -> Baseline:
    """Return the baseline with rates on equal parts of a period that starts at time 0."""
    if period_length is None:
        raise InvalidParameterError(
            f"a baseline of shape {np.shape(baseline)} has several rates per mark, on parts of a "
            "period; give period_length."
        )
    n_parts = np.shape(baseline)[1]
    return Periodic(np.arange(n_parts) * period_length / n_parts, period_length, baseline)


def to_tick(process: Hawkes) -> dict[str, Any]:
    r"""Return the arguments of tick's `SimuHawkesExpKernels`.

    The kernels are :math:`\alpha_{ij} \beta_{ij} e^{-\beta_{ij} t}`, target by source, as in
    `from_tick`.

    Parameters
    ----------
    process : Hawkes
        With an exponential kernel.

    Returns
    -------
    dict
        ``baseline`` (n_marks,) per unit of time, ``adjacency`` (n_marks, n_marks) and ``decays``,
        a float or (n_marks, n_marks), per unit of time. tick has no decay per source: such a
        process gets the matrix. `ModelHawkesExpKernLogLik` takes a float only.

    Raises
    ------
    InvalidParameterError
        The kernel is not exponential.

    Notes
    -----
    Tested with tick 0.8.0.2.

    Examples
    --------
    >>> import hawkeys
    >>> process = hawkeys.Hawkes([0.4, 0.2], [[0.3, 0.1], [0.0, 0.5]], decay=[1.0, 2.0])
    >>> hawkeys.interop.to_tick(process)["decays"]
    array([[1., 2.],
           [1., 2.]])
    """
    decay = exponential_decay(process, "tick")
    matrix = np.array(np.broadcast_to(decay, process.adjacency.shape))
    return {
        "baseline": process.baseline.copy(),
        "adjacency": process.adjacency.copy(),
        "decays": float(decay) if decay.ndim == 0 else matrix,
    }


def events_to_tick(events: Events) -> tuple[list[list[FloatArray]], FloatArray]:
    """Return the arguments of `fit` of tick's models and learners.

    Parameters
    ----------
    events : Events
        Any number of realisations.

    Returns
    -------
    timestamps : list of list of ndarray, shape (n_realizations, n_marks, any)
        Times from the start of each window.
    end_times : ndarray of float64, shape (n_realizations,)
        Length of each window. Pass it: without it tick ends each window at its last event.

    Raises
    ------
    InvalidEventsError
        `events` are no Events.

    Notes
    -----
    Tested with tick 0.8.0.2, which computes with unsorted and missing (NaN) times without a word;
    Events have none. With no event at all its loss is NaN.

    Examples
    --------
    >>> import hawkeys
    >>> events = hawkeys.Events.from_lists([[[11.0], [10.5]]], start_times=10.0, end_times=13.0)
    >>> hawkeys.interop.events_to_tick(events)
    ([[array([1.]), array([0.5])]], array([3.]))
    """
    return lists_per_mark(check_events(events)), events.durations.copy()


def events_from_tick(
    timestamps: Sequence[ArrayLike] | Sequence[Sequence[ArrayLike]],
    end_times: ArrayLike,
    *,
    mark_names: Iterable[object] | None = None,
) -> Events:
    """Build Events from the timestamps of tick's simulations and models.

    Parameters
    ----------
    timestamps : list of ndarray, or list of list of array_like
        Times per mark of one realisation, or per realisation and mark, from 0.
    end_times : float or array_like, shape (n_realizations,)
        End of each window (`end_time` or `simulation_time` of a simulation); not guessed.
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
    Tested with tick 0.8.0.2.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys import interop
    >>> interop.events_from_tick([np.array([1.0]), np.array([0.5, 2.0])], 3.0).marks
    array([1, 0, 1])
    """
    return Events.from_lists(
        as_realizations(timestamps), end_times=end_times, mark_names=mark_names
    )
