"""Few samples of fixed text: networks and point processes that know other people beforehand.

The people of a template are never tested. Every new person enrols with the first samples of the
first session; later samples of that person and of the other new people are scored.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from hawkeys._typing import FloatArray, RandomState
from hawkeys._validation import check_count
from hawkeys.datasets import Keystrokes, Strokes, Tally, user_folds
from hawkeys.evaluation.rates.one_threshold import equal_errors, kept_errors
from hawkeys.evaluation.studies.learned import count_learned
from hawkeys.exceptions import EnrolmentWarning, InvalidParameterError
from hawkeys.neural import EmbeddingVerifier, HeadVerifier, NetworkTemplate, Runtime, Schedule
from hawkeys.verifiers import (
    BackgroundRatio,
    MarkedRenewalVerifier,
    OneClassVerifier,
    RecencyNearestNeighbors,
    ScaledManhattan,
)

__all__ = [
    "FewShotScores",
    "few_shot_networks",
    "few_shot_rates",
    "few_shot_systems",
    "score_few_shot",
]

Maker = Callable[[], Any]
Preparation = Callable[[FloatArray, np.ndarray], Maker]
Report = Callable[[str, int, int], None]

# of the samples of other new people, each so manyth is an impostor's
_EACH = 10


@dataclass(frozen=True, eq=False)
class FewShotScores:
    """Scores of one system for new people, enrolled with a given number of samples.

    Attributes
    ----------
    system : str
        Its name.
    n_enrolled, fold : int
        Samples of an enrolment; number of the fold, from 0.
    genuine, impostor : tuple of ndarray, one per person
        Scores of the person's later samples, and of the other people's.
    genuine_first, impostor_first : tuple of ndarray of bool, one per person
        Which of them were typed in the first session of whoever typed them.
    prepare_seconds, enrol_seconds, decide_ms : float
        Processor time: to learn the people of the template, once; to enrol a person; and to decide
        a sample.
    n_stored : float
        Bytes stored of a person: of the numbers that an enrolment adds to what the system holds of
        the people known beforehand, as doubles.
    """

    system: str
    n_enrolled: int
    fold: int
    genuine: tuple[FloatArray, ...]
    impostor: tuple[FloatArray, ...]
    genuine_first: tuple[np.ndarray, ...]
    impostor_first: tuple[np.ndarray, ...]
    prepare_seconds: float
    enrol_seconds: float
    decide_ms: float
    n_stored: float


def few_shot_systems() -> dict[str, Preparation]:
    """Return the systems of the comparison that need no network, by name.

    Returns
    -------
    dict of str to callable
        Each is called with a timing matrix of other people, (n_samples, 3 K - 2), and the person of
        each sample, and returns a function that makes a verifier.

    Examples
    --------
    >>> from hawkeys.evaluation import few_shot_systems
    >>> list(few_shot_systems())[:3]
    ['scaled Manhattan', 'recency-weighted neighbours', 'background ratio']
    """
    return {
        "scaled Manhattan": lambda X, y: ScaledManhattan,
        "recency-weighted neighbours": lambda X, y: RecencyNearestNeighbors,
        "background ratio": lambda X, y: partial(BackgroundRatio, background=_by_person(X, y)),
        "marked renewal, ratio to the others": lambda X, y: lambda: _RenewalRatio(X, y),
    }


def few_shot_networks(
    schedule: Schedule | None = None, runtime: Runtime | None = None, random_state: int = 0
) -> dict[str, Preparation]:
    """Return the networks of the comparison, as `few_shot_systems` does.

    Parameters
    ----------
    schedule : Schedule, optional
        Of all templates. Default: that of each loss.
    runtime : Runtime, optional
        Device and progress.
    random_state : int, default 0
        Seed.

    Returns
    -------
    dict of str to callable
        Heads on codes of a classifier; distances of contrastive codes, and of codes by triplets.

    Examples
    --------
    >>> from hawkeys.evaluation import few_shot_networks
    >>> list(few_shot_networks())
    ['LSTM template, heads', 'LSTM codes, contrastive loss', 'LSTM codes, triplet loss']
    """

    def prepare(loss: str, kind: Callable[[NetworkTemplate], Any]) -> Preparation:
        def learn(X: FloatArray, y: np.ndarray) -> Maker:
            template = NetworkTemplate(
                loss, schedule=schedule, runtime=runtime or Runtime(), random_state=random_state
            ).fit(X, y)
            return lambda: kind(template)

        return learn

    return {
        "LSTM template, heads": prepare("softmax", HeadVerifier),
        "LSTM codes, contrastive loss": prepare("contrastive", EmbeddingVerifier),
        "LSTM codes, triplet loss": prepare("triplet", EmbeddingVerifier),
    }


def score_few_shot(
    samples: Keystrokes,
    systems: Mapping[str, Preparation] | None = None,
    *,
    n_enrolled: Sequence[int] = (1, 2, 5, 7, 10),
    n_folds: int = 3,
    folds: Iterable[int] | None = None,
    rng: RandomState = 0,
    report: Report | None = None,
) -> list[FewShotScores]:
    """Enrol new people with few samples, fold by fold, and score later ones.

    A `hawkeys.verifiers.OneClassVerifier` needs two samples and has no entry for one.

    Parameters
    ----------
    samples : Keystrokes
        One fixed text, with sessions.
    systems : mapping of str to callable, optional
        Default: those of `few_shot_systems`.
    n_enrolled : sequence of int, default (1, 2, 5, 7, 10)
        Numbers of samples of an enrolment, all of the first session. Samples after the largest of
        them are tested.
    n_folds : int, default 3
        Parts of the people; those of one are new, the others are the template.
    folds : iterable of int, optional
        Which of them. Default: all.
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None, default 0
        Seed of the folds.
    report : callable, optional
        Called as ``report(what, done, total)``.

    Returns
    -------
    list of FewShotScores
        Fold by fold, system by system.

    Raises
    ------
    InvalidParameterError
        A number is no count, or a person's first session has no sample after an enrolment.

    Examples
    --------
    >>> from hawkeys.datasets import load_demo
    >>> from hawkeys.evaluation import few_shot_rates, few_shot_systems, score_few_shot
    >>> systems = {"scaled Manhattan": few_shot_systems()["scaled Manhattan"]}
    >>> scores = score_few_shot(load_demo(), systems, n_enrolled=[5, 10], folds=[0])
    >>> few_shot_rates(scores)["n_enrolled"].tolist()
    [5, 10]
    """
    sizes = [check_count(size, "n_enrolled") for size in n_enrolled]
    chosen = few_shot_systems() if systems is None else dict(systems)
    splits = user_folds(samples.subject, n_folds, rng=rng)
    wanted = range(n_folds) if folds is None else list(folds)
    X = samples.timings().to_numpy()
    out: list[FewShotScores] = []
    done, total = 0, len(list(wanted)) * len(chosen)
    for fold in wanted:
        split = splits[fold]
        people = _new_people(samples, X, split.test, max(sizes))
        for name, prepare in chosen.items():
            started = time.process_time()
            make = prepare(X[split.train], samples.subject[split.train])
            seconds = time.process_time() - started
            for size in sizes:
                if size > 1 or not isinstance(make(), OneClassVerifier):
                    found = _score(make, people, size)
                    out.append(
                        FewShotScores(
                            system=name,
                            n_enrolled=size,
                            fold=fold,
                            prepare_seconds=seconds,
                            **found,
                        )
                    )
            done += 1
            if report is not None:
                report("Folds and systems", done, total)
    return out


def few_shot_rates(scores: Sequence[FewShotScores]) -> pd.DataFrame:
    """Summarise scores, one row per system, number of samples and fold.

    Parameters
    ----------
    scores : sequence of FewShotScores
        As `score_few_shot` returns them.

    Returns
    -------
    DataFrame
        system, n_enrolled, fold, n_new_users; eer per subject and then averaged (eer_sd_users over
        subjects, n - 1), eer_one_threshold for all; false_alarm_kept and miss_kept in later
        sessions, at the one threshold of equal errors in the first session (NaN if there is no
        later one); prepare_seconds, enrol_seconds, decide_ms and n_stored.
    """
    return pd.DataFrame([_rates(one) for one in scores])


@dataclass(frozen=True, eq=False)
class _Person:
    """A new person: all samples in the order typed, and which were typed in the first session."""

    samples: FloatArray
    first: np.ndarray
    n_used: int

    @property
    def impostors(self) -> np.ndarray:
        """Which of the samples play the impostor of others."""
        return np.arange(self.n_used, len(self.samples), _EACH)


def _new_people(samples: Keystrokes, X: FloatArray, rows: np.ndarray, n_used: int) -> list[_Person]:
    people = []
    for name in np.unique(samples.subject[rows]):
        own = np.sort(rows[samples.subject[rows] == name])
        session = samples.session[own]
        first = session == session[0]
        if first.sum() <= n_used:
            raise InvalidParameterError(
                f"subject {str(name)!r} has {first.sum()} samples in the first session; more than "
                f"the {n_used} of the largest enrolment are needed. Give smaller n_enrolled."
            )
        people.append(_Person(X[own], first, n_used))
    return people


def _score(make: Maker, people: list[_Person], size: int) -> dict[str, Any]:
    """Return scores and costs, by the names of `FewShotScores`."""
    scores: list[tuple[FloatArray, FloatArray, np.ndarray, np.ndarray]] = []
    enrol = decide = 0.0
    stored = np.nan
    shared = count_learned(make())  # such as a template, which is not learned of one person
    for one in people:
        others = [other for other in people if other is not one]
        impostor = np.concatenate([other.samples[other.impostors] for other in others])
        started = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", EnrolmentWarning)  # few samples are the question
            system = make().fit(one.samples[:size])
        enrolled = time.process_time()
        genuine = system.score_samples(one.samples[one.n_used :])
        scores.append(
            (
                genuine,
                system.score_samples(impostor),
                one.first[one.n_used :],
                np.concatenate([other.first[other.impostors] for other in others]),
            )
        )
        enrol += enrolled - started
        decide += (time.process_time() - enrolled) / (genuine.size + len(impostor))
        stored = 8.0 * (count_learned(system) - shared)
    names = ("genuine", "impostor", "genuine_first", "impostor_first")
    return {
        **dict(zip(names, zip(*scores, strict=True), strict=True)),
        "enrol_seconds": enrol / len(people),
        "decide_ms": 1000.0 * decide / len(people),
        "n_stored": stored,
    }


def _by_person(X: FloatArray, y: np.ndarray) -> list[FloatArray]:
    """Return the samples of each person."""
    return [X[y == person] for person in np.unique(y)]


def _rates(one: FewShotScores) -> dict[str, Any]:
    eers, together = equal_errors(one.genuine, one.impostor)
    parts = one.genuine, one.impostor, one.genuine_first, one.impostor_first
    kept = kept_errors(*(np.concatenate(part) for part in parts))
    row: dict[str, Any] = {
        "system": one.system,
        "n_enrolled": one.n_enrolled,
        "fold": one.fold,
        "n_new_users": len(one.genuine),
        "eer": eers.mean(),
        "eer_sd_users": eers.std(ddof=1) if eers.size > 1 else np.nan,
        "eer_one_threshold": together,
        "false_alarm_kept": kept["false_alarm_kept"],
        "miss_kept": kept["miss_kept"],
    }
    costs = ("prepare_seconds", "enrol_seconds", "decide_ms", "n_stored")
    return row | {name: getattr(one, name) for name in costs}


class _RenewalRatio:
    """`MarkedRenewalVerifier` of timing matrices, whose keys are their places in the text."""

    def __init__(self, X: FloatArray, y: np.ndarray) -> None:
        self.background = _as_strokes(X, y)

    def fit(self, X: FloatArray) -> _RenewalRatio:
        """Enrol a person; the background is what the maker was given."""
        own = _as_strokes(X, np.full(len(X), "new"))
        self.verifier = MarkedRenewalVerifier().fit(own, self.background)
        return self

    def score_samples(self, X: FloatArray) -> FloatArray:
        """Return log-likelihood ratios."""
        return self.verifier.score_samples(_as_strokes(X, np.full(len(X), "new")))


def _as_strokes(X: FloatArray, users: np.ndarray) -> Strokes:
    """Return samples as keystrokes, each a recording of its own."""
    n_samples, n_keys = len(X), (X.shape[1] + 2) // 3
    press = np.concatenate([np.zeros((n_samples, 1)), X[:, 1::3].cumsum(axis=1)], axis=1)
    number = np.repeat(np.arange(n_samples), n_keys)
    return Strokes(
        user=np.repeat(users.astype(np.str_), n_keys),
        session=np.zeros(number.size, dtype=np.int64),
        key=np.tile(np.array([f"key {k}" for k in range(n_keys)]), n_samples),
        press=press.ravel(),
        release=(press + X[:, ::3]).ravel(),
        repetition=number,
        tally=Tally({}),
    )
