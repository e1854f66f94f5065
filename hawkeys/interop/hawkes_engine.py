r"""hawkes-engine: kernels that are not normalised, alpha exp(-beta t), target by source."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys.events import Events
from hawkeys.interop._layouts import flat_arrays, one_realization
from hawkeys.interop._parameters import (
    check_decay,
    check_rates,
    check_weights,
    exponential_decay,
)
from hawkeys.process import Hawkes

__all__ = [
    "events_from_hawkes_engine",
    "events_to_hawkes_engine",
    "from_hawkes_engine",
    "to_hawkes_engine",
]


def from_hawkes_engine(
    mu: ArrayLike,
    alpha: ArrayLike,
    beta: ArrayLike,
    *,
    shared_decay: bool = False,
    mark_names: Iterable[object] | None = None,
) -> Hawkes:
    r"""Build the process of the parameters of hawkes-engine.

    .. math:: \lambda_i(t) = \mu_i + \sum_j \alpha_{ij} \sum_{t_{jl} < t}
        e^{-\beta_{ij} (t - t_{jl})},

    so that the adjacency is :math:`\alpha_{ij} / \beta_{ij}`; row i is the target, column j the
    source. Simultaneous events do not excite each other.

    Parameters
    ----------
    mu : array_like, shape (n_marks,)
        Baseline rates, per unit of time.
    alpha : array_like, shape (n_marks, n_marks)
        Jump of the intensity of i at an event of j, per unit of time.
    beta : array_like, shape (n_marks, n_marks), or (n_marks,) with `shared_decay`
        Decay rates, per unit of time.
    shared_decay : bool, default False
        hawkes-engine's switch: one decay per source, :math:`\beta_{ij} = \beta_j`.
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
    Tested with hawkes-engine 0.2.0: ``loglik(...)["value"]`` is :math:`\log L`, nothing dropped.

    References
    ----------
    https://github.com/freddysccheung-067/hawkes-engine, doi:10.5281/zenodo.23613789

    Examples
    --------
    >>> from hawkeys import interop
    >>> process = interop.from_hawkes_engine(
    ...     [0.6, 0.9], [[0.1, 0.5], [0.2, 0.0]], [1.0, 2.0], shared_decay=True
    ... )
    >>> float(process.adjacency[0, 1])  # children of mark 0 from one event of mark 1: 0.5 / 2
    0.25
    """
    jumps = check_weights(alpha, "alpha")
    size = jumps.shape[0]
    rates = check_rates(mu, "mu", size)
    decay = check_decay(beta, "beta", size, (1,) if shared_decay else (2,))
    return Hawkes(rates, jumps / decay, decay=decay, mark_names=mark_names)


def to_hawkes_engine(process: Hawkes) -> dict[str, Any]:
    r"""Return the parameters for hawkes-engine's `loglik`, which takes them by keyword.

    The kernels are :math:`\alpha_{ij} e^{-\beta_{ij} t}` with :math:`\alpha_{ij}` the adjacency
    times :math:`\beta_{ij}`, target by source, as in `from_hawkes_engine`.

    Parameters
    ----------
    process : Hawkes
        With an exponential kernel.

    Returns
    -------
    dict
        ``mu`` (n_marks,), ``alpha`` (n_marks, n_marks), ``beta`` and ``shared_decay``: True with
        beta (n_marks,) for one decay or one per source, False with (n_marks, n_marks) for one per
        pair. All rates per unit of time. Its `simulate` has no ``shared_decay``: give it the beta
        of every pair.

    Raises
    ------
    InvalidParameterError
        The kernel is not exponential.

    Notes
    -----
    Tested with hawkes-engine 0.2.0.

    Examples
    --------
    >>> import hawkeys
    >>> process = hawkeys.Hawkes([0.6, 0.9], [[0.1, 0.25], [0.2, 0.0]], decay=2.0)
    >>> arguments = hawkeys.interop.to_hawkes_engine(process)
    >>> float(arguments["alpha"][0, 1]), arguments["beta"], arguments["shared_decay"]
    (0.5, array([2., 2.]), True)
    """
    decay = exponential_decay(process, "hawkes-engine")
    shared = decay.ndim < 2
    size = process.n_marks
    beta = np.array(np.broadcast_to(decay, (size,) if shared else (size, size)))
    return {
        "mu": process.baseline.copy(),
        "alpha": process.adjacency * beta,
        "beta": beta,
        "shared_decay": shared,
    }


def events_to_hawkes_engine(events: Events) -> tuple[FloatArray, IntArray, float]:
    """Return the data arguments ``times``, ``types`` and ``T`` of hawkes-engine's functions.

    Parameters
    ----------
    events : Events
        One realisation.

    Returns
    -------
    times : ndarray of float64, shape (n_events,)
        Times from the start of the window.
    types : ndarray of int64, shape (n_events,)
        Marks; hawkes-engine takes 256 of them at most.
    T : float
        Length of the window.

    Raises
    ------
    InvalidEventsError
        Not exactly one realisation.

    Notes
    -----
    Tested with hawkes-engine 0.2.0, which refuses unsorted times and NaN, and times after the
    window but not those before it.

    Examples
    --------
    >>> import hawkeys
    >>> events = hawkeys.Events.from_lists([[[11.0], [10.5]]], start_times=10.0, end_times=13.0)
    >>> hawkeys.interop.events_to_hawkes_engine(events)
    (array([0.5, 1. ]), array([1, 0]), 3.0)
    """
    return flat_arrays(one_realization(events, "hawkes-engine"))


def events_from_hawkes_engine(
    times: ArrayLike,
    types: ArrayLike,
    T: float,
    *,
    M: int | None = None,
    mark_names: Iterable[object] | None = None,
) -> Events:
    """Build Events from times and types of hawkes-engine, simulated ones for example.

    Parameters
    ----------
    times : array_like, shape (n_events,)
        Times from 0.
    types : array_like of int, shape (n_events,)
        Mark of each event.
    T : float
        End of the window.
    M : int, optional
        Number of marks. Default: the number of `mark_names`, else the largest type + 1.
    mark_names : iterable, length n_marks, optional
        Labels of the marks. Default: "0", "1", ...

    Returns
    -------
    Events
        One realisation, checked.

    Raises
    ------
    InvalidEventsError
        Times unsorted, NaN or outside the window, or a type out of range.

    Notes
    -----
    Tested with hawkes-engine 0.2.0.

    Examples
    --------
    >>> from hawkeys import interop
    >>> interop.events_from_hawkes_engine([0.5, 1.0], [1, 0], 3.0, M=3).n_marks
    3
    """
    return Events.from_arrays(times, types, end_times=T, n_marks=M, mark_names=mark_names)
