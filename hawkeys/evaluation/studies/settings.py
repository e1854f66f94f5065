"""How error rates change with a setting that needs evaluations of its own: enrolment, clock.

Every study returns a tidy frame with the columns study (what the setting is), setting, verifier,
metric, mean, lower, upper (bootstrap percentile interval over genuine subjects) and n_subjects.
`hawkeys.evaluation.plot_study` draws any of them. Impostors are zero-effort throughout.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import pandas as pd
from sklearn.base import BaseEstimator

from hawkeys._typing import FloatArray
from hawkeys._validation import check_count, check_positive
from hawkeys.datasets import Keystrokes
from hawkeys.evaluation.evaluation import Evaluation
from hawkeys.evaluation.protocols import Protocol, Split, get_protocol
from hawkeys.evaluation.rates.by_subject import miss_name
from hawkeys.evaluation.runner import evaluate
from hawkeys.evaluation.studies.clock import coarsen
from hawkeys.evaluation.studies.sessions import study_means
from hawkeys.exceptions import InvalidParameterError

__all__ = [
    "clock_resolutions",
    "enrolment_sizes",
]

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
    >>> from hawkeys.evaluation.studies.settings import enrolment_sizes
    >>> from hawkeys.verifiers import ScaledManhattan
    >>> data, verifiers = load_demo(n_subjects=3), {"raw": ScaledManhattan()}
    >>> table = enrolment_sizes(verifiers, data, sizes=(5, 50), n_bootstrap=10)
    >>> table.loc[table["metric"] == "eer", "setting"].tolist()
    [5, 50]
    """
    rules = get_protocol(protocol)
    fewest = min(one.train.size for one in rules.split(data))
    for size in sizes:
        if check_count(size, "sizes", minimum=2) > fewest:
            raise InvalidParameterError(
                f"sizes must not exceed the {fewest} training repetitions of protocol "
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
    >>> from hawkeys.evaluation.studies.settings import clock_resolutions
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
        tables.append(study_means(study, rows, result.bootstrap))
    return pd.concat(tables, ignore_index=True)
