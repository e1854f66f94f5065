"""Bootstrap intervals over subjects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hawkeys._typing import FloatArray, RandomState
from hawkeys._validation import brief, check_count
from hawkeys.exceptions import InvalidParameterError

__all__ = ["Bootstrap", "make_bootstrap"]


@dataclass(frozen=True)
class Bootstrap:
    """Percentile bootstrap of a mean over subjects, repeatable by its seed.

    Subjects are the unit that is drawn with replacement: the samples of one subject are not
    independent of each other. The same subjects are drawn for every verifier and every figure, so
    that rows can be compared. With few subjects the interval is too narrow.

    Parameters
    ----------
    n_resamples : int
        Number of resamples.
    seed : int
        Seed of the resamples.
    level : float, default 0.95
        Nominal coverage.

    References
    ----------
    .. [1] B. Efron and R. J. Tibshirani (1993), An Introduction to the Bootstrap, chapter 13,
       doi:10.1201/9780429246593.

    Examples
    --------
    >>> from hawkeys.evaluation.rates.bootstrap import Bootstrap
    >>> Bootstrap(n_resamples=500, seed=0).interval([0.25, 0.25, 0.25])
    (0.25, 0.25)
    """

    n_resamples: int
    seed: int
    level: float = 0.95

    def interval(self, values: FloatArray) -> tuple[float, float]:
        """Compute the interval of the mean.

        Parameters
        ----------
        values : array_like, shape (n_subjects,)
            One figure per subject.

        Returns
        -------
        tuple of float
            Lower and upper end.
        """
        figures = np.asarray(values, dtype=np.float64)
        rng = np.random.default_rng(self.seed)
        draws = rng.integers(figures.size, size=(self.n_resamples, figures.size))
        return self.percentiles(figures[draws].mean(axis=1))

    def percentiles(self, resampled: FloatArray) -> tuple[float, float]:
        """Return the two percentiles between which `level` of the resampled values lie.

        Parameters
        ----------
        resampled : ndarray of float64, shape (n_resamples,)
            The statistic in every resample.

        Returns
        -------
        tuple of float
            Lower and upper end.
        """
        tail = 50.0 * (1.0 - self.level)
        lower, upper = np.percentile(resampled, [tail, 100.0 - tail])
        return float(lower), float(upper)


def make_bootstrap(n_resamples: int, random_state: RandomState) -> Bootstrap:
    """Check the arguments and fix the seed, drawing one if `random_state` is not a number.

    Parameters
    ----------
    n_resamples : int
        Number of resamples, at least 1.
    random_state : int, numpy.random.Generator, numpy.random.SeedSequence or None
        An int is the seed itself; a Generator or SeedSequence gives one; None takes a fresh one,
        which the result records.

    Returns
    -------
    Bootstrap
        Settings with a definite seed.

    Raises
    ------
    InvalidParameterError
        If `n_resamples` is not a whole number of at least 1, or `random_state` is no such thing.

    Examples
    --------
    >>> from hawkeys.evaluation.rates.bootstrap import make_bootstrap
    >>> make_bootstrap(2000, 7)
    Bootstrap(n_resamples=2000, seed=7, level=0.95)
    """
    count = check_count(n_resamples, "n_bootstrap")
    if isinstance(random_state, int | np.integer):
        return Bootstrap(count, check_count(random_state, "random_state", minimum=0))
    try:
        rng = np.random.default_rng(random_state)
    except (TypeError, ValueError) as error:
        raise InvalidParameterError(
            "random_state must be an int, a numpy Generator or SeedSequence, or None; "
            f"got {brief(random_state)}."
        ) from error
    return Bootstrap(count, int(rng.integers(2**32)))
