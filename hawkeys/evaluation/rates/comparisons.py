"""Paired comparisons of verifiers over subjects."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import scipy

from hawkeys._typing import ArrayLike, FloatArray
from hawkeys._validation import as_float_array, brief, check_count
from hawkeys.evaluation.rates.bootstrap import Bootstrap
from hawkeys.exceptions import InvalidParameterError

__all__ = ["HIGHER_IS_BETTER", "compare_pairs", "holm", "least_pvalue", "signed_rank_pvalue"]

HIGHER_IS_BETTER = frozenset({"auc"})
"""Figures of which a larger value is better; of all others a smaller one is."""

# Rates are ratios of counts: equal differences of them differ in the last bits only.
_DECIMALS = 12
_EXACT_UP_TO = 200


def compare_pairs(
    frame: pd.DataFrame,
    metric: str = "miss_rate",
    *,
    bootstrap: Bootstrap | None = None,
) -> pd.DataFrame:
    """Compare every pair of verifiers on the same subjects.

    Differences are first minus second, subject by subject. The p-values are those of
    `signed_rank_pvalue`, adjusted by `holm` over all pairs of the table; the intervals are not
    adjusted. With few subjects no p-value can be small, whatever the differences: see
    `least_pvalue`.

    Parameters
    ----------
    frame : DataFrame
        One row per verifier and subject, with columns verifier, subject and `metric`, as
        `Evaluation.to_frame` returns it.
    metric : str, default "miss_rate"
        Figure to compare. Smaller is better, except for "auc".
    bootstrap : Bootstrap, optional
        Settings of the interval of the mean difference; 2000 resamples with seed 0 by default.

    Returns
    -------
    DataFrame
        One row per pair, in the order of the verifiers in `frame`: first, second, n_subjects,
        mean_difference with its bootstrap percentile interval over subjects (lower, upper),
        share_first_better, share_equal, p_value and p_holm.

    Raises
    ------
    InvalidParameterError
        If a column is missing, there are fewer than two verifiers or subjects, or the verifiers
        were not all measured once on the same subjects.

    References
    ----------
    .. [1] J. Demsar (2006), "Statistical comparisons of classifiers over multiple data sets",
       Journal of Machine Learning Research 7, pages 1-30.

    Examples
    --------
    >>> import pandas as pd
    >>> from hawkeys.evaluation.rates.comparisons import compare_pairs
    >>> frame = pd.DataFrame(
    ...     {
    ...         "verifier": ["a"] * 3 + ["b"] * 3,
    ...         "subject": ["s1", "s2", "s3"] * 2,
    ...         "eer": [0.25, 0.25, 0.5, 0.5, 0.75, 0.5],
    ...     }
    ... )
    >>> row = compare_pairs(frame, "eer").iloc[0]
    >>> float(row["mean_difference"]), float(row["share_equal"]), float(row["p_value"])
    (-0.25, 0.3333333333333333, 0.5)
    """
    table = _paired(frame, metric)
    made = Bootstrap(2000, 0) if bootstrap is None else bootstrap
    sign = -1.0 if metric in HIGHER_IS_BETTER else 1.0
    rows = []
    for first, second in combinations(table.columns, 2):
        difference = np.round((table[first] - table[second]).to_numpy(), _DECIMALS)
        lower, upper = made.interval(difference)
        rows.append(
            {
                "first": first,
                "second": second,
                "n_subjects": difference.size,
                "mean_difference": difference.mean(),
                "lower": lower,
                "upper": upper,
                "share_first_better": (sign * difference < 0).mean(),
                "share_equal": (difference == 0).mean(),
                "p_value": signed_rank_pvalue(difference),
            }
        )
    result = pd.DataFrame(rows)
    return result.assign(p_holm=holm(result["p_value"].to_numpy()))


def signed_rank_pvalue(differences: ArrayLike) -> float:
    r"""Test by signed ranks that paired differences are symmetric about zero, two-sided.

    With :math:`R_i` the rank of :math:`|d_i|` among all absolute differences, the mean rank if
    some are equal, the statistic is :math:`W = \sum_{d_i > 0} R_i`. Zero differences take part in
    the ranking and then drop out [2]_. Given the ranks, each sign is + or - with probability 1/2:
    the p-value is twice the smaller tail of that exact distribution, at most 1. It is exact with
    ties and zeros. If all differences are zero it is 1.

    Parameters
    ----------
    differences : array_like, shape (n_subjects,)
        Paired differences. Differences that agree to 12 decimals count as equal.

    Returns
    -------
    float
        The p-value. Above 200 non-zero differences it comes from the normal approximation.

    Raises
    ------
    InvalidParameterError
        If there is no difference, the array is not flat, or an entry is not finite.

    Notes
    -----
    O(n^3) additions for n differences.

    References
    ----------
    .. [1] F. Wilcoxon (1945), "Individual comparisons by ranking methods", Biometrics Bulletin 1,
       doi:10.2307/3001968.
    .. [2] J. W. Pratt (1959), "Remarks on zeros and ties in the Wilcoxon signed rank procedures",
       Journal of the American Statistical Association 54, doi:10.1080/01621459.1959.10501526.

    Examples
    --------
    >>> from hawkeys.evaluation.rates.comparisons import signed_rank_pvalue
    >>> signed_rank_pvalue([0.1, 0.2, 0.3, 0.4, 0.5])
    0.0625
    """
    values = np.round(as_float_array(differences, "differences"), _DECIMALS)
    if values.ndim != 1 or values.size == 0:
        raise InvalidParameterError(
            "differences must be a flat array with at least one number; got shape "
            f"{values.shape}. Pass one difference per subject."
        )
    ranks = scipy.stats.rankdata(np.abs(values))[values != 0]
    if ranks.size > _EXACT_UP_TO:
        return float(scipy.stats.wilcoxon(values, zero_method="pratt", method="approx").pvalue)
    # Mean ranks are multiples of one half.
    doubled = np.rint(2 * ranks).astype(np.int64)
    law = _law_of_sum(doubled)
    observed = doubled[values[values != 0] > 0].sum()
    return float(min(1.0, 2 * min(law[: observed + 1].sum(), law[observed:].sum())))


def least_pvalue(n_subjects: int, n_pairs: int = 1) -> float:
    """Return the least p-value that `compare_pairs` can give, after Holm's adjustment.

    The signed ranks of n differences have 2^n signs that are equally likely, of which one puts all
    on one side: 2 / 2^n for both sides, times the number of pairs.

    Parameters
    ----------
    n_subjects : int
        Subjects n.
    n_pairs : int, default 1
        Pairs of verifiers that are compared.

    Returns
    -------
    float
        At most 1; for 5 subjects and 6 pairs (4 verifiers) .375: with so few subjects nothing can
        be told from chance.

    Raises
    ------
    InvalidParameterError
        If an argument is no whole number of at least 1.

    Examples
    --------
    >>> from hawkeys.evaluation.rates.comparisons import least_pvalue
    >>> least_pvalue(5), least_pvalue(5, 6), least_pvalue(8, 6)
    (0.0625, 0.375, 0.046875)
    """
    check_count(n_subjects, "n_subjects")
    return min(1.0, check_count(n_pairs, "n_pairs") * 2.0 ** (1 - n_subjects))


def holm(p_values: ArrayLike) -> FloatArray:
    r"""Adjust p-values for their number by Holm's step-down method.

    With :math:`p_{(1)} \le \dots \le p_{(m)}`, the k-th adjusted value is
    :math:`\max_{j \le k} \min(1, (m - j + 1) p_{(j)})`. Rejecting where it is at most a keeps the
    probability of any false rejection at most a, however the tests depend on each other.

    Parameters
    ----------
    p_values : array_like, shape (n_tests,)
        From 0 to 1.

    Returns
    -------
    ndarray of float64, shape (n_tests,)
        Adjusted p-values, in the order given.

    Raises
    ------
    InvalidParameterError
        If an entry is no number from 0 to 1, or the array is not flat.

    References
    ----------
    .. [1] S. Holm (1979), "A simple sequentially rejective multiple test procedure",
       Scandinavian Journal of Statistics 6, pages 65-70.

    Examples
    --------
    >>> from hawkeys.evaluation.rates.comparisons import holm
    >>> holm([0.25, 0.125, 0.0625])
    array([0.25  , 0.25  , 0.1875])
    """
    values = as_float_array(p_values, "p_values")
    if values.ndim != 1 or ((values < 0) | (values > 1)).any():
        raise InvalidParameterError(
            f"p_values must be a flat array of numbers from 0 to 1; got {brief(p_values)}."
        )
    order = np.argsort(values, kind="stable")
    raised = values[order] * np.arange(values.size, 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(raised))
    return adjusted


def _law_of_sum(ranks: np.ndarray) -> FloatArray:
    """Return the probabilities of the sums of a random subset, each rank in with chance 1/2."""
    law = np.zeros(ranks.sum() + 1)
    law[0] = 1.0
    for rank in ranks:
        shifted = np.zeros_like(law)
        shifted[rank:] = law[: law.size - rank]
        law = 0.5 * (law + shifted)
    return law


def _paired(frame: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return the metric with one row per subject and one column per verifier."""
    missing = {"verifier", "subject", metric} - set(frame.columns)
    if missing:
        raise InvalidParameterError(
            f"the frame has no column {sorted(missing)[0]!r}; it has "
            f"{', '.join(map(str, frame.columns))}. Pick a metric among them."
        )
    counts = pd.crosstab(frame["subject"], frame["verifier"])
    for row, column in np.argwhere(counts.to_numpy() != 1)[:1]:
        raise InvalidParameterError(
            f"verifier {counts.columns[column]!r} has {counts.iat[row, column]} rows for subject "
            f"{counts.index[row]!r}; a paired "
            "comparison needs one row per verifier and subject. Compare verifiers of one "
            "evaluation."
        )
    if min(counts.shape) < 2:
        raise InvalidParameterError(
            "a paired comparison needs at least 2 verifiers and 2 subjects; got "
            f"{counts.shape[1]} and {counts.shape[0]}. Evaluate more of them together."
        )
    table = frame.pivot(index="subject", columns="verifier", values=metric)
    return table[list(dict.fromkeys(frame["verifier"]))]
