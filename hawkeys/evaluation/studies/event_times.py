"""Event times: how well systems tell people apart across sessions, and what that costs.

Sessions lie wholly in the training or in the testing part (`hawkeys.datasets.session_folds`).
Both parts are balanced: as many slices of every person, at random.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from hawkeys._typing import FloatArray, IntArray, RandomState
from hawkeys._validation import as_generator, check_count, check_fraction
from hawkeys.datasets.slices import EventSlices
from hawkeys.datasets.splits import SampleSplit, balanced, session_folds
from hawkeys.evaluation.metrics import auc, error_counts, threshold_at
from hawkeys.evaluation.rates.one_threshold import equal_errors
from hawkeys.evaluation.studies.learned import count_learned
from hawkeys.exceptions import InvalidParameterError
from hawkeys.neural import ContrastiveClassifier, Runtime
from hawkeys.verifiers.event_times import (
    EventTimeClassifier,
    ExponentialHawkes,
    LikelihoodClassifier,
    LogLinearHawkes,
    LogNormalRenewal,
    MarkovRenewal,
    MixtureRenewal,
    StackClassifier,
    StatisticsClassifier,
)

__all__ = [
    "EventTimeFold",
    "accuracy_by_events",
    "event_time_networks",
    "event_time_rates",
    "event_time_systems",
    "score_event_times",
]

Report = Callable[[str, int, int], None]


def event_time_systems() -> dict[str, EventTimeClassifier]:
    """Return the systems of the comparison that need no network, by name.

    Returns
    -------
    dict of str to EventTimeClassifier
        From the simplest on.

    Examples
    --------
    >>> from hawkeys.evaluation import event_time_systems
    >>> list(event_time_systems())[:2]
    ['exponential-hawkes', 'two-statistics']
    """
    return {
        "exponential-hawkes": LikelihoodClassifier(ExponentialHawkes()),
        "two-statistics": StatisticsClassifier("two"),
        "lognormal-renewal": LikelihoodClassifier(LogNormalRenewal()),
        "mixture-renewal": LikelihoodClassifier(MixtureRenewal()),
        "interval-statistics": StatisticsClassifier(),
        "log-linear-hawkes": LikelihoodClassifier(LogLinearHawkes()),
        "markov-renewal": LikelihoodClassifier(MarkovRenewal()),
        "stack": StackClassifier(),
    }


def event_time_networks(
    runtime: Runtime | None = None, random_state: int = 0
) -> dict[str, EventTimeClassifier]:
    """Return the networks of the comparison, by name; they need the extra ``[neural]``.

    Parameters
    ----------
    runtime : Runtime, optional
        Device and progress.
    random_state : int, default 0
        Seed.

    Returns
    -------
    dict of str to EventTimeClassifier
        The contrastive network by the repaired recipe.

    Examples
    --------
    >>> from hawkeys.evaluation import event_time_networks
    >>> list(event_time_networks())
    ['contrastive network']
    """
    network = ContrastiveClassifier(runtime=runtime or Runtime(), random_state=random_state)
    return {"contrastive network": network}


@dataclass(frozen=True, eq=False)
class EventTimeFold:
    """Scores of one system for the test slices of one fold.

    Attributes
    ----------
    system : str
        Its name.
    fold : int
        Number of the fold, from 0.
    people : tuple of str
        The people, in the order of the columns.
    subject : ndarray of str, shape (n_test,)
        Who typed each testing slice.
    session, first : ndarray of int64, shape (n_test,)
        Their sessions and first events.
    log_proba : ndarray of float64, shape (n_test, n_people)
        Log of the probability of each person.
    train_scores : tuple of ndarray, one per person
        Scores of the person's own training slices, as `scores` has them.
    train_seconds, test_seconds : float
        Processor time of training, and of deciding all testing slices.
    n_learned : int
        Numbers that the system has learned of all people together.
    """

    system: str
    fold: int
    people: tuple[str, ...]
    subject: np.ndarray
    session: IntArray
    first: IntArray
    log_proba: FloatArray
    train_scores: tuple[FloatArray, ...]
    train_seconds: float
    test_seconds: float
    n_learned: int = 0

    @property
    def scores(self) -> FloatArray:
        """Log odds of each person against all others, shape (n_test, n_people)."""
        return log_odds(self.log_proba)

    @property
    def accuracy(self) -> float:
        """Share of slices whose most likely person typed them."""
        return float((np.array(self.people)[self.log_proba.argmax(axis=1)] == self.subject).mean())


def score_event_times(
    slices: EventSlices,
    systems: Mapping[str, EventTimeClassifier] | None = None,
    *,
    n_folds: int = 5,
    n_repeats: int = 2,
    splits: Sequence[SampleSplit] | None = None,
    rng: RandomState = 0,
    report: Report | None = None,
) -> list[EventTimeFold]:
    """Train and test systems across sessions.

    Parameters
    ----------
    slices : EventSlices
        Slices that share no event; usually snapped to the clock.
    systems : mapping of str to EventTimeClassifier, optional
        Default: those of `event_time_systems`.
    n_folds : int, default 5
        Parts into which the sessions of each person are dealt.
    n_repeats : int, default 2
        How often they are dealt anew; there are n_folds n_repeats folds in all.
    splits : sequence of SampleSplit, optional
        Splits to take instead, such as `hawkeys.datasets.random_folds`, to show what they leak.
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None, default 0
        Seed of folds and balancing, the same for all systems.
    report : callable, optional
        Called as ``report(what, done, total)``.

    Returns
    -------
    list of EventTimeFold
        Fold by fold, system by system.

    Raises
    ------
    InvalidParameterError
        A slice overlaps another one, there is one person, or one has too few sessions.

    Examples
    --------
    >>> from hawkeys.datasets import cut_slices, simulate_event_times
    >>> from hawkeys.evaluation import event_time_systems, score_event_times
    >>> slices = cut_slices(simulate_event_times()).snapped(rng=0)
    >>> systems = {"two-statistics": event_time_systems()["two-statistics"]}
    >>> len(score_event_times(slices, systems, n_folds=3, n_repeats=1))
    3
    """
    chosen = event_time_systems() if systems is None else dict(systems)
    check_count(n_repeats, "n_repeats")
    _check_slices(slices)
    draws = as_generator(rng)
    chosen_splits = splits or [
        split
        for _ in range(n_repeats)
        for split in session_folds(slices.subject, slices.session, n_folds, rng=draws)
    ]
    out: list[EventTimeFold] = []
    if report is not None:
        report("Folds and systems", 0, len(chosen_splits) * len(chosen))
    for fold, split in enumerate(chosen_splits):
        train = slices[balanced(slices.subject, split.train, rng=draws)]
        test = slices[balanced(slices.subject, split.test, rng=draws)]
        for name, system in chosen.items():
            out.append(_run(name, system, fold, train, test))
            if report is not None:
                report("Folds and systems", len(out), len(chosen_splits) * len(chosen))
    return out


def event_time_rates(folds: Sequence[EventTimeFold], *, false_alarm: float = 0.05) -> pd.DataFrame:
    """Summarise folds, one row per system.

    Parameters
    ----------
    folds : sequence of EventTimeFold
        As `score_event_times` returns them.
    false_alarm : float, default 0.05
        Share of a person's own training slices that the kept threshold rejects.

    Returns
    -------
    DataFrame, one row per system
        Means over folds of: accuracy (with accuracy_sd, n - 1); auc and eer, per subject and then
        averaged (with eer_sd); eer_one_threshold, with all scores of a fold pooled;
        false_alarm_kept and miss_kept, at the threshold set in the training sessions; seconds to
        train, milliseconds to decide one slice, and numbers learned (n_learned). n_folds,
        n_subjects and n_test say how many.

    Raises
    ------
    InvalidParameterError
        `false_alarm` is no fraction, or there is no fold.

    Notes
    -----
    With two people the other one is both the background and the impostor: his training sessions
    are known to the system, as they are to identification.

    Examples
    --------
    >>> from hawkeys.datasets import cut_slices, simulate_event_times
    >>> from hawkeys.evaluation import event_time_rates, event_time_systems, score_event_times
    >>> slices = cut_slices(simulate_event_times()).snapped(rng=0)
    >>> systems = {"two-statistics": event_time_systems()["two-statistics"]}
    >>> folds = score_event_times(slices, systems, n_folds=3, n_repeats=1)
    >>> event_time_rates(folds).shape
    (1, 15)
    """
    check_fraction(false_alarm, "false_alarm")
    if not folds:
        raise InvalidParameterError("folds is empty; give those that score_event_times returns.")
    rows = pd.DataFrame([_fold_rates(fold, false_alarm) for fold in folds])
    groups = rows.groupby("system", sort=False)
    out = groups.mean(numeric_only=True).drop(columns=["fold", "n_test"])
    for name in ("accuracy", "eer"):
        out.insert(out.columns.get_loc(name) + 1, f"{name}_sd", groups[name].std(ddof=1))
    out["n_folds"], out["n_test"] = groups.size(), groups["n_test"].sum()
    return out.reset_index()


def accuracy_by_events(
    folds: Sequence[EventTimeFold], n_slices: Sequence[int] = (1, 2, 4, 8, 16)
) -> pd.DataFrame:
    """Decide from several slices of a session together, in the order of time.

    The log probabilities of the slices are added, as if they were independent.

    Parameters
    ----------
    folds : sequence of EventTimeFold
        As `score_event_times` returns them.
    n_slices : sequence of int, default (1, 2, 4, 8, 16)
        How many slices a decision takes.

    Returns
    -------
    DataFrame, one row per system and number
        system, n_slices, accuracy, accuracy_sd (over folds, n - 1) and n_decisions. A fold in which
        no session of a person has as many slices is left out; n_folds says how many are not.

    Raises
    ------
    InvalidParameterError
        A number of slices is no count.

    Examples
    --------
    >>> from hawkeys.datasets import cut_slices, simulate_event_times
    >>> from hawkeys.evaluation import accuracy_by_events, event_time_systems, score_event_times
    >>> slices = cut_slices(simulate_event_times()).snapped(rng=0)
    >>> systems = {"two-statistics": event_time_systems()["two-statistics"]}
    >>> folds = score_event_times(slices, systems, n_folds=3, n_repeats=1)
    >>> accuracy_by_events(folds, [1, 4])["n_slices"].tolist()
    [1, 4]
    """
    sizes = [check_count(size, "n_slices") for size in n_slices]
    rows: list[dict[str, Any]] = []
    for system in dict.fromkeys(fold.system for fold in folds):
        own = [fold for fold in folds if fold.system == system]
        for size in sizes:
            found = [_joint_accuracy(fold, size) for fold in own]
            kept = np.array([accuracy for accuracy, _ in found if np.isfinite(accuracy)])
            rows.append(
                {
                    "system": system,
                    "n_slices": size,
                    "accuracy": kept.mean() if kept.size else np.nan,
                    "accuracy_sd": kept.std(ddof=1) if kept.size > 1 else np.nan,
                    "n_decisions": sum(count for _, count in found),
                    "n_folds": kept.size,
                }
            )
    return pd.DataFrame(rows)


def log_odds(log_proba: FloatArray) -> FloatArray:
    """Return the log odds of each column against all others together, same shape."""
    out = np.empty_like(log_proba)
    for k in range(log_proba.shape[1]):
        others = np.logaddexp.reduce(np.delete(log_proba, k, axis=1), axis=1)
        out[:, k] = log_proba[:, k] - others
    return out


def _check_slices(slices: EventSlices) -> None:
    people = np.unique(slices.subject)
    if people.size < 2:
        raise InvalidParameterError(
            f"slices hold {people.size} people; two or more are needed to tell them apart."
        )
    for person in people:
        first = np.sort(slices.first[slices.subject == person])
        for place in np.flatnonzero(np.diff(first) <= slices.length - 1)[:1]:
            raise InvalidParameterError(
                f"slices of {str(person)!r} overlap: one starts at event {first[place]}, the next "
                f"at event {first[place + 1]}, and a slice has {slices.length} intervals. Cut them "
                "with step_back=0."
            )


def _run(
    name: str, system: EventTimeClassifier, fold: int, train: EventSlices, test: EventSlices
) -> EventTimeFold:
    started = time.process_time()
    fitted = clone(system).fit(train.intervals, train.subject)
    trained = time.process_time()
    log_proba = fitted.predict_log_proba(test.intervals)
    decided = time.process_time()
    people = tuple(fitted.classes_.tolist())
    own = log_odds(fitted.predict_log_proba(train.intervals))
    return EventTimeFold(
        system=name,
        fold=fold,
        people=people,
        subject=test.subject,
        session=test.session,
        first=test.first,
        log_proba=log_proba,
        train_scores=tuple(own[train.subject == one, k] for k, one in enumerate(people)),
        train_seconds=trained - started,
        test_seconds=decided - trained,
        n_learned=count_learned(fitted),
    )


def _fold_rates(fold: EventTimeFold, false_alarm: float) -> dict[str, Any]:
    scores = fold.scores
    own = [scores[fold.subject == one, k] for k, one in enumerate(fold.people)]
    other = [scores[fold.subject != one, k] for k, one in enumerate(fold.people)]
    kept = [
        error_counts(a, b, threshold_at(train, false_alarm))
        for a, b, train in zip(own, other, fold.train_scores, strict=True)
    ]
    each, together = equal_errors(own, other)
    return {
        "system": fold.system,
        "fold": fold.fold,
        "n_test": fold.subject.size,
        "accuracy": fold.accuracy,
        "auc": np.mean([auc(a, b) for a, b in zip(own, other, strict=True)]),
        "eer": each.mean(),
        "eer_one_threshold": together,
        "false_alarm_kept": np.mean([one.false_alarm for one in kept]),
        "miss_kept": np.mean([one.miss for one in kept]),
        "train_seconds": fold.train_seconds,
        "decide_ms": 1000.0 * fold.test_seconds / fold.subject.size,
        "n_learned": fold.n_learned,
        "n_subjects": len(fold.people),
    }


def _joint_accuracy(fold: EventTimeFold, size: int) -> tuple[float, int]:
    """Return the share of right decisions from `size` slices each, and their number.

    The mean over people of each one's share; NaN if somebody has no session that is long enough.
    """
    order = np.lexsort((fold.first, fold.session, fold.subject))
    frame = pd.DataFrame({"subject": fold.subject[order], "session": fold.session[order]})
    place = frame.groupby(["subject", "session"]).cumcount().to_numpy() // size
    sums = (
        frame.assign(place=place, n=1)
        .join(pd.DataFrame(fold.log_proba[order]))
        .groupby(["subject", "session", "place"])
        .sum()
    )
    whole = sums[sums["n"] == size]
    if not set(fold.people) <= set(whole.index.get_level_values("subject")):
        return np.nan, 0
    best = np.array(fold.people)[whole.drop(columns="n").to_numpy().argmax(axis=1)]
    right = pd.Series(best == whole.index.get_level_values("subject").to_numpy(), whole.index)
    return float(right.groupby("subject").mean().mean()), len(whole)
