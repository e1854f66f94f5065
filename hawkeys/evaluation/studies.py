"""How error rates change with a setting: enrolment, sessions, clock, practice of impostors.

Every study returns a tidy frame with the columns study (what the setting is), setting, verifier,
metric, mean, lower, upper (bootstrap percentile interval over genuine subjects) and n_subjects.
`hawkeys.evaluation.study_plot.plot_study` draws any of them. Impostors are zero-effort throughout.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from hawkeys._typing import BoolArray, FloatArray
from hawkeys._validation import check_count, check_positive
from hawkeys.datasets import Keystrokes
from hawkeys.evaluation.bootstrap import Bootstrap
from hawkeys.evaluation.clock import coarsen
from hawkeys.evaluation.metrics import equal_error_rate, miss_rate_at, threshold_at
from hawkeys.evaluation.operating import miss_name
from hawkeys.evaluation.protocols import Protocol, Split, get_protocol
from hawkeys.evaluation.results import Evaluation
from hawkeys.evaluation.runner import evaluate
from hawkeys.exceptions import InvalidParameterError

__all__ = [
    "clock_resolutions",
    "enrolment_sizes",
    "practice_rates",
    "session_rates",
]

_COLUMNS = ("study", "setting", "verifier", "metric", "mean", "lower", "upper", "n_subjects")
_FIGURES = ("eer", "achieved_false_alarm", "achieved_miss")


def enrolment_sizes(
    verifiers: Mapping[str, BaseEstimator],
    data: Keystrokes,
    *,
    sizes: Sequence[int] = (5, 10, 20, 50, 100, 200),
    protocol: str | Protocol = "killourhy-maxion",
    **options: Any,
) -> pd.DataFrame:
    """Measure error rates against the number of training repetitions.

    Only the most recent repetitions of the protocol's training set train; genuine tests and
    impostors stay the same at every size.

    Parameters
    ----------
    verifiers : mapping of str to estimator
        As `evaluate` takes them.
    data : Keystrokes
        Typing samples.
    sizes : sequence of int, default (5, 10, 20, 50, 100, 200)
        Numbers of training repetitions, at least 2 and at most those of the protocol.
    protocol : str or Protocol, default "killourhy-maxion"
        Rules for the rest. Of its threshold policies only resubstitution is used.
    **options
        `false_alarm`, `n_bootstrap`, `random_state`, `n_jobs` and `run`, as `evaluate` takes them.

    Returns
    -------
    DataFrame
        As described at the top of the module; setting is the number of repetitions. Metrics: the
        miss rate at the stated false-alarm rate (``miss_at_5``), eer, achieved_false_alarm and
        achieved_miss.

    Raises
    ------
    InvalidParameterError
        If a size does not suit the protocol, or `evaluate` refuses the rest.

    Examples
    --------
    >>> from hawkeys.datasets import load_demo
    >>> from hawkeys.evaluation.studies import enrolment_sizes
    >>> from hawkeys.verifiers import ScaledManhattan
    >>> data, verifiers = load_demo(n_subjects=3), {"raw": ScaledManhattan()}
    >>> table = enrolment_sizes(verifiers, data, sizes=(5, 50), n_bootstrap=10)
    >>> table.loc[table["metric"] == "eer", "setting"].tolist()
    [5, 50]
    """
    rules = get_protocol(protocol)
    for size in sizes:
        if check_count(size, "sizes", minimum=2) > rules.n_train:
            raise InvalidParameterError(
                f"sizes must not exceed the {rules.n_train} training repetitions of protocol "
                f"{rules.name!r}; got {size}. Leave it out, or pass a Protocol with a larger "
                "n_train."
            )
    results = ((size, evaluate(verifiers, data, protocol=_last(rules, size), **options))
               for size in sizes)  # fmt: skip
    return _compare_settings("training repetitions (most recent)", results)


def clock_resolutions(
    verifiers: Mapping[str, BaseEstimator],
    data: Keystrokes,
    *,
    milliseconds: Sequence[float] = (1, 2, 8, 15.6, 100),
    protocol: str | Protocol = "killourhy-maxion",
    phase_seed: int = 0,
    **options: Any,
) -> pd.DataFrame:
    """Measure error rates against the resolution of the clock, in training and in test.

    Parameters
    ----------
    verifiers : mapping of str to estimator
        As `evaluate` takes them.
    data : Keystrokes
        Typing samples, from a finer clock.
    milliseconds : sequence of float, default (1, 2, 8, 15.6, 100)
        Ticks of the clock: USB polling at 1 kHz, 500 and 125 Hz, the Windows timer, and the
        coarsest timers of browsers.
    protocol : str or Protocol, default "killourhy-maxion"
        The rules. Of its threshold policies only resubstitution is used.
    phase_seed : int, default 0
        Seed of the phases of the clock, see `coarsen`.
    **options
        `false_alarm`, `n_bootstrap`, `random_state`, `n_jobs` and `run`, as `evaluate` takes them.

    Returns
    -------
    DataFrame
        As `enrolment_sizes`; setting is the tick in milliseconds.

    Raises
    ------
    InvalidParameterError
        If a tick is not positive, or `evaluate` refuses the rest.
    InvalidTimingsError
        If a verifier takes logarithms of holds, such as `POHMM` by default: with ticks of some
        milliseconds holds of 0 occur. Use ``POHMM(distribution="normal")``.

    References
    ----------
    .. [1] K. S. Killourhy and R. A. Maxion (2008), "The effect of clock resolution on keystroke
       dynamics", RAID 2008, doi:10.1007/978-3-540-87403-4_18.

    Examples
    --------
    >>> from hawkeys.datasets import load_demo
    >>> from hawkeys.evaluation.studies import clock_resolutions
    >>> from hawkeys.verifiers import ScaledManhattan
    >>> data, verifiers = load_demo(n_subjects=3), {"raw": ScaledManhattan()}
    >>> table = clock_resolutions(verifiers, data, milliseconds=(1, 100), n_bootstrap=10)
    >>> table["metric"].unique().tolist()
    ['miss_at_5', 'eer', 'achieved_false_alarm', 'achieved_miss']
    """
    rules = replace(get_protocol(protocol), policies=("resubstitution",))
    ticks = check_positive(list(milliseconds), "milliseconds")
    results = (
        (label, evaluate(verifiers, coarse, protocol=rules, **options))
        for label, coarse in _coarsened(data, milliseconds, ticks / 1e3, phase_seed)
    )
    return _compare_settings("clock resolution (ms)", results)


def session_rates(evaluation: Evaluation) -> pd.DataFrame:
    """Return the error rates of every test session apart, with templates left as enrolled.

    Parameters
    ----------
    evaluation : Evaluation
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
    >>> from hawkeys.evaluation.studies import session_rates
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
    return _means("test session", pd.DataFrame(rows), evaluation.bootstrap)


def practice_rates(evaluation: Evaluation, *, first: int = 5, last: int = 50) -> pd.DataFrame:
    """Return the error rates against unpractised and against practised impostors.

    Impostors who type a text for the first time are easy to tell from somebody who has typed it
    often; those who have typed it as often are not.

    Parameters
    ----------
    evaluation : Evaluation
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
    >>> from hawkeys.evaluation.studies import practice_rates
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
    return _means("repetitions of each impostor", pd.DataFrame(rows), evaluation.bootstrap)


@dataclass(frozen=True)
class _LastRepetitions(Protocol):
    """Rules that train on the last repetitions of the training set alone."""

    n_last: int = 2

    def split(self, data: Keystrokes) -> tuple[Split, ...]:
        return tuple(replace(one, train=one.train[-self.n_last :]) for one in super().split(data))


def _last(rules: Protocol, size: int) -> Protocol:
    kept = {field.name: getattr(rules, field.name) for field in fields(Protocol)}
    return _LastRepetitions(**kept | {"policies": ("resubstitution",)}, n_last=size)


def _coarsened(
    data: Keystrokes, labels: Sequence[float], ticks: FloatArray, seed: int
) -> Iterator[tuple[float, Keystrokes]]:
    for label, tick in zip(labels, ticks, strict=True):
        yield label, coarsen(data, tick, random_state=seed)


def _compare_settings(study: str, results: Iterable[tuple[object, Evaluation]]) -> pd.DataFrame:
    """Return the tidy frame of evaluations that differ in a setting."""
    tables = []
    for setting, result in results:
        stated = miss_name(result.false_alarm)
        frame = result.to_frame().rename(columns={"miss_rate": stated})
        rows = frame[["verifier", stated, *_FIGURES]].assign(setting=setting)
        tables.append(_means(study, rows, result.bootstrap))
    return pd.concat(tables, ignore_index=True)


def _means(study: str, rows: pd.DataFrame, bootstrap: Bootstrap) -> pd.DataFrame:
    """Return means and intervals of every figure, from one row per setting and subject."""
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
