"""Bootstrap over people: genuine subjects and impostor subjects at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from hawkeys._typing import ArrayLike, FloatArray
from hawkeys.evaluation.metrics import threshold_at
from hawkeys.evaluation.rates.bootstrap import Bootstrap
from hawkeys.evaluation.rates.by_subject import miss_name
from hawkeys.evaluation.trials import Outcome
from hawkeys.exceptions import InvalidParameterError

__all__ = ["miss_counts", "people_interval", "people_intervals"]

_FEWEST = 3


def people_intervals(
    outcomes: Sequence[Outcome],
    *,
    false_alarms: Sequence[float] = (0.05, 0.01),
    bootstrap: Bootstrap | None = None,
) -> pd.DataFrame:
    """Return mean miss rates with intervals that count the impostors' choice as chance too.

    The miss rate of a subject depends on who attacks. Intervals over genuine subjects alone treat
    the impostors as given: they are too narrow if some people pass for others more easily than
    the rest do, and too wide if those who are attacked easily are themselves weak impostors. See
    `people_interval` for the method and its limits.

    Parameters
    ----------
    outcomes : sequence of Outcome
        One per verifier and subject.
    false_alarms : sequence of float, default (0.05, 0.01)
        Stated false-alarm rates. Each subject's threshold is set on its genuine tests and is not
        changed by the resampling.
    bootstrap : Bootstrap, optional
        Number of resamples, seed and level; 2000 resamples with seed 0 by default.

    Returns
    -------
    DataFrame
        One row per verifier and metric, the miss rates at the stated false-alarm rates
        (``miss_at_5``) and at the verifier's own threshold (``achieved_miss``): verifier, metric,
        n_subjects, n_impostor_subjects, mean, lower and upper (over genuine subjects alone),
        people_lower and people_upper (over genuine and impostor subjects).

    Raises
    ------
    InvalidParameterError
        If fewer than 3 people take part, or a false-alarm rate is no fraction.

    Examples
    --------
    >>> from hawkeys.datasets import load_demo
    >>> from hawkeys.evaluation import evaluate
    >>> from hawkeys.evaluation.rates.people import people_intervals
    >>> from hawkeys.verifiers import ScaledManhattan
    >>> result = evaluate({"raw": ScaledManhattan()}, load_demo(n_subjects=5), n_bootstrap=10)
    >>> people_intervals(result.outcomes)["metric"].tolist()
    ['miss_at_5', 'miss_at_1', 'achieved_miss']
    """
    made = Bootstrap(2000, 0) if bootstrap is None else bootstrap
    rows = []
    for name in dict.fromkeys(one.verifier for one in outcomes):
        own = [one for one in outcomes if one.verifier == name]
        thresholds = _thresholds(own, false_alarms)
        counts, trials, people = miss_counts(own, list(thresholds.values()))
        genuine = np.searchsorted(people, [one.subject for one in own])
        for metric, misses in zip(thresholds, counts, strict=True):
            rates = misses.sum(axis=1) / trials.sum(axis=1)
            lower, upper = made.interval(rates)
            people_lower, people_upper = people_interval(misses, trials, genuine, made)
            rows.append(
                {
                    "verifier": name,
                    "metric": metric,
                    "n_subjects": len(own),
                    "n_impostor_subjects": int((trials.sum(axis=0) > 0).sum()),
                    "mean": rates.mean(),
                    "lower": lower,
                    "upper": upper,
                    "people_lower": people_lower,
                    "people_upper": people_upper,
                }
            )
    return pd.DataFrame(rows)


def people_interval(
    misses: FloatArray, trials: FloatArray, genuine: np.ndarray, bootstrap: Bootstrap
) -> tuple[float, float]:
    r"""Compute the percentile interval of a mean miss rate over people in both roles.

    People are drawn with replacement and keep every role they play. With :math:`w_k` the number
    of times person k is drawn, :math:`m_{gk}` the misses and :math:`n_{gk}` the trials of impostor
    k against genuine subject g, a resample gives

    .. math::
        \frac{\sum_g w_g r_g}{\sum_g w_g}, \qquad
        r_g = \frac{\sum_k w_k m_{gk}}{\sum_k w_k n_{gk}}.

    Nobody attacks himself, so a subject drawn with no impostor but himself is left out of the
    mean, and a resample with no trial at all is not counted.

    Parameters
    ----------
    misses, trials : ndarray of float64, shape (n_subjects, n_people)
        Impostor samples accepted, and impostor samples, of each person against each subject.
    genuine : ndarray of int, shape (n_subjects,)
        Column of each genuine subject as a person.
    bootstrap : Bootstrap
        Number of resamples, seed and level.

    Returns
    -------
    tuple of float
        Lower and upper end.

    Raises
    ------
    InvalidParameterError
        If there are fewer than 3 people.

    Notes
    -----
    O(n_resamples n_subjects n_people), two matrix products. Thresholds and the samples of each
    pair are kept as they are, so chance in the genuine scores is in the interval only through the
    choice of subjects. Where people differ mostly as impostors, intervals over genuine subjects
    alone hold the mean in less than half of the cases (``benchmarks/README.md``). With few people
    (the five of a small study) the interval is too narrow.

    References
    ----------
    .. [1] A. B. Owen (2007), "The pigeonhole bootstrap", Annals of Applied Statistics 1,
       doi:10.1214/07-AOAS122 (rows and columns drawn apart; here they are the same people).
    .. [2] R. M. Bolle, N. K. Ratha and S. Pankanti (2004), "Error analysis of pattern recognition
       systems: the subsets bootstrap", Computer Vision and Image Understanding 93,
       doi:10.1016/j.cviu.2003.08.002.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.evaluation.rates.bootstrap import Bootstrap
    >>> from hawkeys.evaluation.rates.people import people_interval
    >>> trials = 4 * (1 - np.eye(3))
    >>> people_interval(trials / 2, trials, np.arange(3), Bootstrap(100, seed=0))
    (0.5, 0.5)
    """
    n_people = trials.shape[1]
    if n_people < _FEWEST:
        raise InvalidParameterError(
            f"a bootstrap over people needs at least {_FEWEST} people; got {n_people}. Use the "
            "interval over genuine subjects, or evaluate more people."
        )
    rng = np.random.default_rng(bootstrap.seed)
    chances = np.full(n_people, 1 / n_people)
    drawn = rng.multinomial(n_people, chances, size=bootstrap.n_resamples).astype(np.float64)
    attacks = drawn @ trials.T
    rates = np.divide(drawn @ misses.T, attacks, out=np.zeros_like(attacks), where=attacks > 0)
    weights = drawn[:, genuine] * (attacks > 0)
    counted = weights.sum(axis=1) > 0
    if not counted.any():
        return float("nan"), float("nan")
    return bootstrap.percentiles(
        (weights * rates).sum(axis=1)[counted] / weights.sum(axis=1)[counted]
    )


def miss_counts(
    outcomes: Sequence[Outcome], thresholds: ArrayLike
) -> tuple[FloatArray, FloatArray, np.ndarray]:
    """Count the impostor samples accepted, and all of them, by genuine subject and impostor.

    Parameters
    ----------
    outcomes : sequence of Outcome, length n_subjects
        One verifier, one outcome per genuine subject.
    thresholds : array_like, shape (n_thresholds, n_subjects)
        Thresholds of each subject; a score equal to its threshold is accepted.

    Returns
    -------
    misses : ndarray of float64, shape (n_thresholds, n_subjects, n_people)
        Impostor samples accepted at each threshold.
    trials : ndarray of float64, shape (n_subjects, n_people)
        Impostor samples.
    people : ndarray of str, shape (n_people,)
        All genuine subjects and impostors, sorted.

    Examples
    --------
    >>> from hawkeys.datasets import load_demo
    >>> from hawkeys.evaluation import evaluate
    >>> from hawkeys.evaluation.rates.people import miss_counts
    >>> from hawkeys.verifiers import ScaledManhattan
    >>> result = evaluate({"raw": ScaledManhattan()}, load_demo(n_subjects=3), n_bootstrap=10)
    >>> miss_counts(result.outcomes, [[0.0, 0.0, 0.0]])[1]
    array([[0., 5., 5.],
           [5., 0., 5.],
           [5., 5., 0.]])
    """
    table = np.asarray(thresholds, dtype=np.float64)
    subjects = np.array([one.subject for one in outcomes])
    people = np.unique(np.concatenate([subjects, *(one.impostor_subject for one in outcomes)]))
    trials = np.zeros((len(outcomes), people.size))
    misses = np.zeros((table.shape[0], *trials.shape))
    for row, one in enumerate(outcomes):
        who = np.searchsorted(people, one.impostor_subject)
        trials[row] = np.bincount(who, minlength=people.size)
        for k, threshold in enumerate(table[:, row]):
            misses[k, row] = np.bincount(who[one.impostor >= threshold], minlength=people.size)
    return misses, trials, people


def _thresholds(
    outcomes: Sequence[Outcome], false_alarms: Sequence[float]
) -> dict[str, list[float]]:
    """Return the thresholds of every subject, for each metric."""
    stated = {
        miss_name(rate): [threshold_at(one.genuine, rate) for one in outcomes]
        for rate in false_alarms
    }
    return stated | {"achieved_miss": [one.threshold for one in outcomes]}
