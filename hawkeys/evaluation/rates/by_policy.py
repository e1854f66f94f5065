"""What thresholds set on training samples achieved on later ones, policy by policy."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from hawkeys.evaluation.rates.bootstrap import Bootstrap
from hawkeys.evaluation.trials import Outcome

__all__ = ["achieved_rates", "policy_table"]

_RATES = ("achieved_false_alarm", "achieved_miss")


def policy_table(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """Return the errors at the threshold of each policy, subject by subject.

    Parameters
    ----------
    outcomes : sequence of Outcome
        One per verifier and subject.

    Returns
    -------
    DataFrame
        One row per verifier, subject and policy: verifier, subject, policy, threshold,
        achieved_false_alarm, achieved_miss. A policy that was too slow for a verifier has no row.
    """
    rows = [
        {
            "verifier": outcome.verifier,
            "subject": outcome.subject,
            "policy": policy,
            "threshold": outcome.policy_thresholds[policy],
            "achieved_false_alarm": errors.false_alarm,
            "achieved_miss": errors.miss,
        }
        for outcome in outcomes
        for policy, errors in outcome.policy_errors.items()
    ]
    return pd.DataFrame(rows, columns=["verifier", "subject", "policy", "threshold", *_RATES])


def achieved_rates(table: pd.DataFrame, bootstrap: Bootstrap) -> pd.DataFrame:
    """Return the mean rates achieved over subjects, per verifier and policy.

    Parameters
    ----------
    table : DataFrame
        As `policy_table` returns it.
    bootstrap : Bootstrap
        Settings of the intervals over subjects.

    Returns
    -------
    DataFrame
        Indexed by verifier and policy: for achieved_false_alarm and achieved_miss the mean, the
        interval (``_lower``, ``_upper``) and the worst subject's rate (``_worst``); n_subjects.
    """
    groups = table.groupby(["verifier", "policy"], sort=False)
    rows = {key: _row(group, bootstrap) for key, group in groups}
    index = pd.MultiIndex.from_tuples(rows, names=["verifier", "policy"])
    return pd.DataFrame(list(rows.values()), index=index)


def _row(group: pd.DataFrame, bootstrap: Bootstrap) -> dict[str, float]:
    row: dict[str, float] = {}
    for rate in _RATES:
        values = group[rate].to_numpy()
        lower, upper = bootstrap.interval(values)
        row |= {rate: values.mean(), f"{rate}_lower": lower, f"{rate}_upper": upper}
        row[f"{rate}_worst"] = values.max()
    return row | {"n_subjects": len(group)}
