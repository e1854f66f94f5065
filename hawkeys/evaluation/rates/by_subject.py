"""Error rates subject by subject, their spread over subjects, and what a verifier costs."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from hawkeys.evaluation.metrics import miss_rate_at
from hawkeys.evaluation.rates.comparisons import HIGHER_IS_BETTER
from hawkeys.evaluation.trials import Outcome
from hawkeys.exceptions import InvalidParameterError

__all__ = ["costs", "miss_name", "spread", "subject_rates"]

_FIGURES = ("eer", "auc", "zero_miss", "achieved_false_alarm", "achieved_miss")


def miss_name(false_alarm: float) -> str:
    """Name the column of the miss rate at a stated false-alarm rate.

    Parameters
    ----------
    false_alarm : float
        The false-alarm rate, a share.

    Returns
    -------
    str
        ``miss_at_`` and the rate in per cent.

    Examples
    --------
    >>> miss_name(0.05), miss_name(0.005)
    ('miss_at_5', 'miss_at_0.5')
    """
    return f"miss_at_{100 * false_alarm:.10g}"


def subject_rates(
    outcomes: Sequence[Outcome], false_alarms: Sequence[float] = (0.05, 0.01)
) -> pd.DataFrame:
    """Return the error rates of every verifier on every subject.

    Parameters
    ----------
    outcomes : sequence of Outcome
        One per verifier and subject.
    false_alarms : sequence of float, default (0.05, 0.01)
        Stated false-alarm rates; each gets a column of miss rates, named by `miss_name`. With n
        genuine tests a rate below 1 / n allows no false alarm at all.

    Returns
    -------
    DataFrame
        One row per outcome: verifier, subject, the miss rates at the stated false-alarm rates
        (thresholds set on the subject's test samples), eer, auc, zero_miss, achieved_false_alarm
        and achieved_miss (both at the verifier's own threshold).

    Raises
    ------
    InvalidParameterError
        If a false-alarm rate is not strictly between 0 and 1.

    Examples
    --------
    >>> from hawkeys.datasets import load_demo
    >>> from hawkeys.evaluation import evaluate
    >>> from hawkeys.evaluation.rates.by_subject import subject_rates
    >>> from hawkeys.verifiers import ScaledManhattan
    >>> result = evaluate({"raw": ScaledManhattan()}, load_demo(n_subjects=3), n_bootstrap=10)
    >>> list(subject_rates(result.outcomes).columns)[:5]
    ['verifier', 'subject', 'miss_at_5', 'miss_at_1', 'eer']
    """
    rows = []
    for outcome in outcomes:
        stated = {
            miss_name(rate): miss_rate_at(outcome.genuine, outcome.impostor, rate)
            for rate in false_alarms
        }
        row = outcome.as_row()
        rest = {name: row[name] for name in _FIGURES}
        rows.append({"verifier": outcome.verifier, "subject": outcome.subject, **stated, **rest})
    return pd.DataFrame(rows)


def spread(rates: pd.DataFrame) -> pd.DataFrame:
    """Summarise how error rates differ between subjects.

    Parameters
    ----------
    rates : DataFrame
        One row per verifier and subject, with columns verifier, subject and one column per
        figure, as `subject_rates` returns it.

    Returns
    -------
    DataFrame
        One row per verifier and figure: verifier, metric, n_subjects, mean, sd (n - 1; NaN for
        one subject), lower_quartile, median, upper_quartile (linear interpolation), worst and
        worst_subject. The worst is the largest value, of "auc" the smallest; of equal ones the
        first subject is named.

    Raises
    ------
    InvalidParameterError
        If the frame has no row, or lacks the column verifier or subject.

    Examples
    --------
    >>> import pandas as pd
    >>> from hawkeys.evaluation.rates.by_subject import spread
    >>> rates = pd.DataFrame(
    ...     {"verifier": "v", "subject": ["s1", "s2", "s3"], "eer": [0.0, 0.5, 0.25]}
    ... )
    >>> spread(rates)[["median", "worst", "worst_subject"]].values.tolist()
    [[0.25, 0.5, 's2']]
    """
    missing = {"verifier", "subject"} - set(rates.columns)
    if missing or rates.empty:
        what = f"no column {sorted(missing)[0]!r}" if missing else "no row"
        raise InvalidParameterError(
            f"the table of rates has {what}; it needs one row per verifier and subject. Pass the "
            "frame that subject_rates returns."
        )
    metrics = [name for name in rates.columns if name not in ("verifier", "subject")]
    return pd.DataFrame(
        [
            {"verifier": name, "metric": metric, **_spread_of(group, metric)}
            for name, group in rates.groupby("verifier", sort=False)
            for metric in metrics
        ]
    )


def costs(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """Summarise time and memory of every verifier.

    Times are wall times of this machine while the evaluation ran: they differ from run to run,
    and are longer if other work ran beside. The steps of a pipeline that learn nothing are run
    once for all and are not in them.

    Parameters
    ----------
    outcomes : sequence of Outcome
        One per verifier and subject.

    Returns
    -------
    DataFrame
        Indexed by verifier, medians over subjects: fit_seconds (one training), score_milliseconds
        (one sample) and template_bytes (what was learned).

    Examples
    --------
    >>> from hawkeys.datasets import load_demo
    >>> from hawkeys.evaluation import evaluate
    >>> from hawkeys.evaluation.rates.by_subject import costs
    >>> from hawkeys.verifiers import ScaledManhattan
    >>> result = evaluate({"raw": ScaledManhattan()}, load_demo(n_subjects=3), n_bootstrap=10)
    >>> costs(result.outcomes).columns.tolist()
    ['fit_seconds', 'score_milliseconds', 'template_bytes']
    """
    rows = [
        {
            "verifier": one.verifier,
            "fit_seconds": one.fit_seconds,
            "score_milliseconds": 1e3 * one.score_seconds / (one.genuine.size + one.impostor.size),
            "template_bytes": one.template_bytes,
        }
        for one in outcomes
    ]
    return pd.DataFrame(rows).groupby("verifier", sort=False).median()


def _spread_of(group: pd.DataFrame, metric: str) -> dict[str, object]:
    values = group[metric]
    where = int(values.argmin() if metric in HIGHER_IS_BETTER else values.argmax())
    lower, median, upper = values.quantile([0.25, 0.5, 0.75])
    return {
        "n_subjects": len(values),
        "mean": values.mean(),
        "sd": values.std(ddof=1),
        "lower_quartile": lower,
        "median": median,
        "upper_quartile": upper,
        "worst": values.iloc[where],
        "worst_subject": group["subject"].iloc[where],
    }
