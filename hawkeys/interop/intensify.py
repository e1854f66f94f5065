r"""intensify: hawkeys' convention, in one kernel object per pair of marks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray
from hawkeys._validation import check_positive_number
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError
from hawkeys.interop._layouts import lists_per_mark, one_realization
from hawkeys.interop._parameters import (
    check_decay,
    check_rates,
    check_weights,
    exponential_decay,
)
from hawkeys.process import Hawkes

__all__ = ["events_from_intensify", "events_to_intensify", "from_intensify", "to_intensify"]


def from_intensify(
    mu: ArrayLike,
    alpha: ArrayLike,
    beta: ArrayLike,
    *,
    mark_names: Iterable[object] | None = None,
) -> Hawkes:
    r"""Build the process of a `MultivariateHawkes` or `Hawkes` of intensify.

    .. math:: \lambda_i(t) = \mu_i + \sum_j \alpha_{ij} \sum_{t_{jl} < t}
        \beta_{ij} e^{-\beta_{ij} (t - t_{jl})},

    where ``ExponentialKernel(alpha, beta)`` in row i and column j of its kernel matrix holds the
    influence of j on i.

    Parameters
    ----------
    mu : float or array_like, shape (n_marks,)
        Baseline rates, per unit of time.
    alpha : float or array_like, shape (n_marks, n_marks)
        The kernels' ``alpha``: expected number of children, target by source; no unit.
    beta : float or array_like, shape () or (n_marks, n_marks)
        The kernels' ``beta``: decay rates, per unit of time.
    mark_names : iterable, length n_marks, optional
        Labels of the marks. Default: "0", "1", ...

    Returns
    -------
    Hawkes
        The same process.

    Raises
    ------
    InvalidParameterError
        A wrong shape, a negative or non-finite value (signed kernels are not converted), a decay
        that is not positive.

    Notes
    -----
    Tested with intensify 0.3.3: `log_likelihood` is :math:`\log L`, nothing dropped, with these
    exceptions. Simultaneous events do not excite each other if all ``beta`` are equal; with
    several ``beta``, and in the univariate class, the later in the array is excited by the
    earlier. Without events the univariate class answers 0 instead of :math:`-\mu T`.

    References
    ----------
    https://github.com/hillmatt7/intensify

    Examples
    --------
    >>> from hawkeys import interop
    >>> process = interop.from_intensify([0.5, 0.6], [[0.20, 0.05], [0.10, 0.25]], 1.0)
    >>> float(process.adjacency[0, 1])  # children of mark 0 from one event of mark 1
    0.05
    """
    weights = check_weights(alpha, "alpha")
    size = weights.shape[0]
    rates = check_rates(mu, "mu", size)
    decay = check_decay(beta, "beta", size, (0, 2))
    return Hawkes(rates, weights, decay=decay, mark_names=mark_names)


def to_intensify(process: Hawkes, *, zero_as: float | None = None) -> dict[str, Any]:
    r"""Return the numbers for intensify's `MultivariateHawkes` and its `ExponentialKernel` objects.

    The kernels are :math:`\alpha_{ij} \beta_{ij} e^{-\beta_{ij} t}`, target by source, as in
    `from_intensify`::

        arguments = to_intensify(process)
        kernel = [
            [intensify.ExponentialKernel(a, b) for a, b in zip(*row)]
            for row in zip(arguments["alpha"], arguments["beta"])
        ]
        intensify.MultivariateHawkes(len(kernel), arguments["mu"], kernel)

    Parameters
    ----------
    process : Hawkes
        With an exponential kernel.
    zero_as : float, optional
        Written in place of each adjacency of 0, for which intensify has no kernel; 1e-300 leaves
        every log-likelihood as it is. Default: a zero is refused.

    Returns
    -------
    dict
        ``mu`` (n_marks,), a float for one mark (intensify 0.3.3 fails on an array of one under
        NumPy 2.4), ``alpha`` (n_marks, n_marks) and ``beta`` (n_marks, n_marks).

    Raises
    ------
    InvalidParameterError
        The kernel is not exponential, or an adjacency is 0 and `zero_as` is not given.

    Notes
    -----
    Tested with intensify 0.3.3. It bounds the intensity away from 0 in the logarithm, so where
    hawkeys answers minus infinity (an event where nothing could cause one) it answers a number.

    Examples
    --------
    >>> import hawkeys
    >>> process = hawkeys.Hawkes([0.5, 0.6], [[0.20, 0.05], [0.0, 0.25]], decay=1.0)
    >>> hawkeys.interop.to_intensify(process, zero_as=1e-300)["alpha"]
    array([[2.0e-001, 5.0e-002],
           [1.0e-300, 2.5e-001]])
    """
    decay = exponential_decay(process, "intensify")
    alpha = process.adjacency.copy()
    if zero_as is not None:
        alpha[alpha == 0] = check_positive_number(zero_as, "zero_as")
    if not alpha.all():
        target, source = (int(k) for k in np.argwhere(alpha == 0)[0])
        raise InvalidParameterError(
            f"adjacency[{target}, {source}] is 0, and intensify has no exponential kernel of "
            "weight 0. Pass zero_as=1e-300 to write that instead."
        )
    return {
        "mu": process.baseline.copy() if process.n_marks > 1 else float(process.baseline[0]),
        "alpha": alpha,
        "beta": np.array(np.broadcast_to(decay, alpha.shape)),
    }


def events_to_intensify(events: Events) -> tuple[list[FloatArray], float]:
    """Return the data arguments of `log_likelihood` and `fit` of `MultivariateHawkes`.

    Parameters
    ----------
    events : Events
        One realisation.

    Returns
    -------
    events : list of ndarray, shape (n_marks, any)
        Times from the start of the window; the univariate class takes the only entry.
    T : float
        Length of the window.

    Raises
    ------
    InvalidEventsError
        Not exactly one realisation.

    Notes
    -----
    Tested with intensify 0.3.3. `MultivariateHawkes` refuses unsorted times and times outside the
    window and answers NaN for NaN; the univariate class computes on without a word.

    Examples
    --------
    >>> import hawkeys
    >>> events = hawkeys.Events.from_lists([[[11.0], [10.5]]], start_times=10.0, end_times=13.0)
    >>> hawkeys.interop.events_to_intensify(events)
    ([array([1.]), array([0.5])], 3.0)
    """
    one = one_realization(events, "intensify")
    return lists_per_mark(one)[0], float(one.durations[0])


def events_from_intensify(
    events: Sequence[ArrayLike],
    T: float,
    *,
    mark_names: Iterable[object] | None = None,
) -> Events:
    """Build Events from events of `MultivariateHawkes`, simulated ones for example.

    Parameters
    ----------
    events : sequence of array_like, shape (n_marks, any)
        Times per mark, from 0; of the univariate class pass ``[events]``.
    T : float
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
    Tested with intensify 0.3.3.

    Examples
    --------
    >>> from hawkeys import interop
    >>> interop.events_from_intensify([[1.0], [0.5, 2.0]], 3.0).marks
    array([1, 0, 1])
    """
    return Events.from_lists([events], end_times=T, mark_names=mark_names)
