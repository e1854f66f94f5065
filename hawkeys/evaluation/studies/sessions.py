"""Error rates of parts of the tests: every session apart, practised impostors apart.

Both functions return a tidy frame with the columns study (what the setting is), setting, verifier,
metric, mean, lower, upper (bootstrap percentile interval over genuine subjects) and n_subjects.
`hawkeys.evaluation.report.figures.plot_study` draws it. Impostors are zero-effort throughout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from hawkeys._typing import BoolArray
from hawkeys._validation import check_count
from hawkeys.evaluation.metrics import equal_error_rate, miss_rate_at, threshold_at
from hawkeys.evaluation.rates.bootstrap import Bootstrap
from hawkeys.evaluation.rates.by_subject import miss_name
from hawkeys.exceptions import InvalidParameterError

if TYPE_CHECKING:
    from hawkeys.evaluation.results import Results

__all__ = ["practice_rates", "session_rates", "study_means"]

_COLUMNS = ("study", "setting", "verifier", "metric", "mean", "lower", "upper", "n_subjects")


def session_rates(evaluation: Results) -> pd.DataFrame:
    """Return the error rates of every test session apart, with templates left as enrolled.

    Parameters
    ----------
    evaluation : Results
        Result of `evaluate`.

    Returns
    -------
    DataFrame
        As described at the top of the module; setting is the session of the genuine tests.
        achieved_false_alarm is at the verifier's own threshold; achieved_miss too, which is the
        same in every session because impostors have no session in common with the genuine
        typist. For the miss rate at the stated false-alarm rate and for eer the threshold is set
        on the genuine tests of the session.

    Examples
    --------
    >>> from hawkeys.datasets import load_demo
    >>> from hawkeys.evaluation import evaluate
    >>> from hawkeys.evaluation.studies.sessions import session_rates
    >>> from hawkeys.verifiers import ScaledManhattan
    >>> result = evaluate({"raw": ScaledManhattan()}, load_demo(n_subjects=3), n_bootstrap=10)
    >>> session_rates(result)["setting"].unique().tolist()
    [5, 6, 7, 8]
    """
    stated, rows = miss_name(evaluation.false_alarm), []
    for one in evaluation.outcomes:
        for session in np.unique(one.genuine_session):
            genuine = one.genuine[one.genuine_session == session]
            rows.append(
                {
                    "setting": session,
                    "verifier": one.verifier,
                    stated: miss_rate_at(genuine, one.impostor, evaluation.false_alarm),
                    "eer": equal_error_rate(genuine, one.impostor),
                    "achieved_false_alarm": (genuine < one.threshold).mean(),
                    "achieved_miss": one.errors.miss,
                }
            )
    return study_means("test session", pd.DataFrame(rows), evaluation.bootstrap)


def practice_rates(evaluation: Results, *, first: int = 5, last: int = 50) -> pd.DataFrame:
    """Return the error rates against unpractised and against practised impostors.

    Impostors who type a text for the first time are easy to tell from somebody who has typed it
    often; those who have typed it as often are not.

    Parameters
    ----------
    evaluation : Results
        Result of `evaluate` with a protocol that takes enough repetitions of each impostor, such
        as "killourhy-maxion-all".
    first : int, default 5
        Repetitions of each impostor that count as unpractised, from the first.
    last : int, default 50
        Repetitions of each impostor that count as practised, up to the last.

    Returns
    -------
    DataFrame
        As described at the top of the module; setting names the repetitions. Thresholds are the
        same for both: for the miss rate at the stated false-alarm rate, set on the genuine tests;
        for achieved_miss, the verifier's own. The eer has a threshold for each.

    Raises
    ------
    InvalidParameterError
        If `first` or `last` is no positive whole number, or an impostor has fewer than
        ``first + last`` repetitions.

    Examples
    --------
    >>> from hawkeys.datasets import load_demo
    >>> from hawkeys.evaluation import evaluate
    >>> from hawkeys.evaluation.studies.sessions import practice_rates
    >>> from hawkeys.verifiers import ScaledManhattan
    >>> data, verifiers = load_demo(n_subjects=3), {"raw": ScaledManhattan()}
    >>> result = evaluate(verifiers, data, protocol="killourhy-maxion-all", n_bootstrap=10)
    >>> practice_rates(result)["setting"].unique().tolist()
    ['first 5', 'last 50']
    """
    check_count(first, "first")
    check_count(last, "last")
    stated, rows = miss_name(evaluation.false_alarm), []
    for one in evaluation.outcomes:
        threshold = threshold_at(one.genuine, evaluation.false_alarm)
        early, late = _by_practice(one.impostor_subject, first, last)
        for setting, chosen in ((f"first {first}", early), (f"last {last}", late)):
            impostor = one.impostor[chosen]
            rows.append(
                {
                    "setting": setting,
                    "verifier": one.verifier,
                    stated: (impostor >= threshold).mean(),
                    "eer": equal_error_rate(one.genuine, impostor),
                    "achieved_miss": (impostor >= one.threshold).mean(),
                }
            )
    return study_means("repetitions of each impostor", pd.DataFrame(rows), evaluation.bootstrap)


def study_means(study: str, rows: pd.DataFrame, bootstrap: Bootstrap) -> pd.DataFrame:
    """Return means and intervals of every figure, from one row per setting, verifier and subject.

    Parameters
    ----------
    study : str
        What the setting is.
    rows : DataFrame
        Columns setting, verifier and one per figure.
    bootstrap : Bootstrap
        Settings of the intervals.

    Returns
    -------
    DataFrame
        As described at the top of the module.
    """
    metrics = [name for name in rows.columns if name not in ("setting", "verifier")]
    table = []
    for (setting, verifier), group in rows.groupby(["setting", "verifier"], sort=False):
        for metric in metrics:
            values = group[metric].to_numpy()
            ends = bootstrap.interval(values)
            table.append((study, setting, verifier, metric, values.mean(), *ends, len(values)))
    return pd.DataFrame(table, columns=list(_COLUMNS))


def _by_practice(impostor: np.ndarray, first: int, last: int) -> tuple[BoolArray, BoolArray]:
    """Mark the first and the last samples of each impostor; samples are in order of time."""
    order = pd.Series(impostor).groupby(impostor)
    number, size = order.cumcount().to_numpy(), order.transform("size").to_numpy()
    for row in np.flatnonzero(size < first + last)[:1]:
        raise InvalidParameterError(
            f"impostor {impostor[row]!r} has {size[row]} repetitions; {first} unpractised and "
            f"{last} practised ones need {first + last}. Evaluate with protocol "
            "'killourhy-maxion-all', or ask for fewer."
        )
    return number < first, number >= size - last
