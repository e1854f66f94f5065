"""Mean error curves over subjects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hawkeys._typing import FloatArray

__all__ = ["MeanCurve", "mean_curve", "shared_curve"]


@dataclass(frozen=True, eq=False)
class MeanCurve:
    """Miss rate against false-alarm rate, averaged over subjects.

    Attributes
    ----------
    false_alarm : ndarray of float64, shape (n_points,)
        Share of the genuine samples rejected, from 0 to 1.
    miss : ndarray of float64, shape (n_points,)
        Share of impostor samples accepted, mean over subjects.
    """

    false_alarm: FloatArray
    miss: FloatArray


def mean_curve(scores: Sequence[tuple[FloatArray, FloatArray]]) -> MeanCurve:
    """Average the curves of several subjects vertically.

    At false-alarm rate f each subject has its own threshold, the highest that rejects at most
    the share f of its genuine samples, as in `miss_rate_at`; so the curve passes through the
    mean miss rate of the table.

    Parameters
    ----------
    scores : sequence of (genuine, impostor)
        Scores of one subject each, shapes (n_genuine,) and (n_impostor,); higher means more
        genuine.

    Returns
    -------
    MeanCurve
        One point per false-alarm rate k / n, n the largest n_genuine.

    References
    ----------
    .. [1] T. Fawcett (2006), "An introduction to ROC analysis", Pattern Recognition Letters 27,
       section 8.1 (vertical averaging), doi:10.1016/j.patrec.2005.10.010.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.evaluation.rates.curves import mean_curve
    >>> mean_curve([(np.array([1.0, 2.0]), np.array([0.0, 1.5]))]).miss
    array([0.5, 0. , 0. ])
    """
    n_points = max(genuine.size for genuine, _ in scores)
    grid = np.arange(n_points + 1) / n_points
    return MeanCurve(grid, np.mean([_miss_at(grid, *pair) for pair in scores], axis=0))


def shared_curve(scores: Sequence[tuple[FloatArray, FloatArray]]) -> MeanCurve:
    """Average the error rates of several subjects at a threshold that all share.

    Both rates are means over subjects at the same threshold t, for every t that is a genuine
    score of some subject. With equal numbers of samples this is the curve of the pooled samples.

    Parameters
    ----------
    scores : sequence of (genuine, impostor)
        Scores of one subject each, shapes (n_genuine,) and (n_impostor,); higher means more
        genuine.

    Returns
    -------
    MeanCurve
        One point per distinct genuine score, in increasing order of the threshold, then (1, 0),
        where everybody is rejected.

    References
    ----------
    .. [1] T. Fawcett (2006), "An introduction to ROC analysis", Pattern Recognition Letters 27,
       section 8.2 (threshold averaging), doi:10.1016/j.patrec.2005.10.010.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.evaluation.rates.curves import shared_curve
    >>> one, other = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    >>> curve = shared_curve([(one, np.array([0.0])), (other, np.array([2.0]))])
    >>> curve.false_alarm, curve.miss
    (array([0.  , 0.25, 0.5 , 0.75, 1.  ]), array([0.5, 0.5, 0. , 0. , 0. ]))
    """
    grid = np.append(np.unique(np.concatenate([genuine for genuine, _ in scores])), np.inf)
    false_alarm, miss = np.zeros(grid.size), np.zeros(grid.size)
    for genuine, impostor in scores:
        false_alarm += np.searchsorted(np.sort(genuine), grid, side="left") / genuine.size
        miss += 1 - np.searchsorted(np.sort(impostor), grid, side="left") / impostor.size
    return MeanCurve(false_alarm / len(scores), miss / len(scores))


def _miss_at(grid: FloatArray, genuine: FloatArray, impostor: FloatArray) -> FloatArray:
    # Beyond the last genuine score the threshold is infinite: everybody is rejected.
    thresholds = np.append(np.sort(genuine), np.inf)
    allowed = np.floor(grid * genuine.size + 1e-9).astype(np.int64)
    below = np.searchsorted(np.sort(impostor), thresholds[allowed], side="left")
    return (impostor.size - below) / impostor.size
