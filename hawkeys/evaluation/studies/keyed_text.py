"""Keyed text: identification, and verification against all others or against a cohort.

Everybody is enrolled on some recordings and tested on others, each test recording against
everybody. Verification is told in two ways. *Posterior*: the probability of the person among all
enrolled people, so that the impostors' own enrolment is known. *Ratio*: the likelihood of the
person over the mean likelihood of a cohort of other people, none of whom is tested.

Of test sessions in order, the first can set the threshold that the later ones keep.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import log_softmax, logsumexp
from sklearn.base import clone

from hawkeys._typing import ArrayLike, BoolArray, FloatArray
from hawkeys._validation import check_count
from hawkeys.datasets import Strokes
from hawkeys.evaluation.rates.one_threshold import equal_errors, kept_errors
from hawkeys.evaluation.studies.learned import count_learned
from hawkeys.exceptions import InvalidParameterError
from hawkeys.neural import Runtime, TemporalCharacters
from hawkeys.verifiers import MarkedRenewal
from hawkeys.verifiers.free_text.recordings import Recordings, as_recordings
from hawkeys.verifiers.protocol import Identifier

__all__ = [
    "KeyedTextScores",
    "cut_blocks",
    "keyed_text_networks",
    "keyed_text_rates",
    "score_keyed_text",
]


def keyed_text_networks(
    runtime: Runtime | None = None, random_state: int = 0
) -> dict[str, TemporalCharacters]:
    """Return the networks of the comparison, by name; they need the extra ``[neural]``.

    Parameters
    ----------
    runtime : Runtime, optional
        Device and progress.
    random_state : int, default 0
        Seed.

    Returns
    -------
    dict of str to TemporalCharacters
        The transformer of temporal characters.

    Examples
    --------
    >>> from hawkeys.evaluation import keyed_text_networks
    >>> list(keyed_text_networks())
    ['temporal characters']
    """
    network = TemporalCharacters(runtime=runtime or Runtime(), random_state=random_state)
    return {"temporal characters": network}


@dataclass(frozen=True, eq=False)
class KeyedTextScores:
    """Log-likelihoods of all test recordings under everybody's law.

    Attributes
    ----------
    system : str
        Name of the system.
    people : tuple of str
        Enrolled people; the columns.
    typist : ndarray of str, shape (n_samples,)
        Who typed each test recording.
    log_likelihood : ndarray of float64, shape (n_samples, n_people)
        In nats.
    cohort : ndarray of float64, shape (n_samples,), or None
        Log of the mean likelihood of the cohort.
    train_seconds, test_seconds : float
        Processor time of enrolling everybody, and of all test recordings.
    session : ndarray, shape (n_samples,), or None
        Session of each test recording; that of the lowest label sets the threshold that is kept.
    n_learned : int
        Numbers that the system has learned of all people together.
    """

    system: str
    people: tuple[str, ...]
    typist: np.ndarray
    log_likelihood: FloatArray
    cohort: FloatArray | None
    train_seconds: float
    test_seconds: float
    session: np.ndarray | None = None
    n_learned: int = 0


def score_keyed_text(
    enrolment: Strokes,
    tests: Any,
    typist: ArrayLike,
    *,
    background: Strokes | None = None,
    model: Identifier | None = None,
    system: str = "marked-renewal",
    session: ArrayLike | None = None,
) -> KeyedTextScores:
    """Enrol everybody and score test recordings against everybody.

    Parameters
    ----------
    enrolment : Strokes
        Keystrokes to enrol, with their users.
    tests : Strokes, DataFrame or mapping
        Test keystrokes, in recordings.
    typist : array_like, shape (n_recordings,)
        Who typed each test recording.
    background : Strokes, optional
        Keystrokes of other people: the cohort, from whom people in general are learned, too.
        Default: no cohort, and the enrolment. For a `MarkedRenewal` alone.
    model : MarkedRenewal or other Identifier of free text, optional
        What tells people apart; a copy is fitted. Default: `MarkedRenewal()`.
    system : str, default "marked-renewal"
        Name for the table.
    session : array_like, shape (n_recordings,), optional
        Session of each test recording; the first one then sets a threshold (`keyed_text_rates`).

    Returns
    -------
    KeyedTextScores
        All scores.

    Raises
    ------
    InvalidParameterError
        A typist is not enrolled, somebody of the background is, a background is given to a model
        without one, or typists or sessions are not as many as test recordings.
    InvalidTimingsError
        Times are not finite or not in order.

    Examples
    --------
    >>> from hawkeys.datasets import simulate_keyed_text
    >>> from hawkeys.evaluation import keyed_text_rates, score_keyed_text
    >>> from hawkeys.verifiers import MarkedRenewal
    >>> strokes = simulate_keyed_text()
    >>> early, late = strokes[strokes.session < 6], strokes[strokes.session >= 6]
    >>> scores = score_keyed_text(early, late, MarkedRenewal.people_of(late))
    >>> bool(keyed_text_rates([scores])["accuracy"][0] > 0.9)
    True
    """
    recordings = as_recordings(tests, "tests")
    who = _check_people(enrolment, typist, background, recordings.n_recordings)
    sessions = None if session is None else np.asarray(session)
    if sessions is not None and sessions.shape != who.shape:
        raise InvalidParameterError(
            f"session must hold one label per test recording, shape {who.shape}; got shape "
            f"{sessions.shape}."
        )
    chosen = MarkedRenewal() if model is None else model
    started = time.process_time()
    people = _fit(chosen, enrolment, background)
    trained = time.process_time()
    values = _log_scores(people, recordings)
    decided = time.process_time()
    cohort = None
    if background is not None:
        others = clone(chosen).fit(background).log_likelihood(recordings)
        cohort = logsumexp(others, axis=1) - np.log(others.shape[1])
    return KeyedTextScores(
        system=system,
        people=tuple(people.classes_.tolist()),
        typist=who,
        log_likelihood=values,
        cohort=cohort,
        train_seconds=trained - started,
        test_seconds=decided - trained,
        session=sessions,
        n_learned=count_learned(people),
    )


def keyed_text_rates(scores: Sequence[KeyedTextScores]) -> pd.DataFrame:
    """Summarise scores, one row per system.

    Parameters
    ----------
    scores : sequence of KeyedTextScores
        As `score_keyed_text` returns them.

    Returns
    -------
    DataFrame, one row per system
        system, n_subjects, n_samples, accuracy of identification; equal-error rates per subject and
        then averaged, and with one threshold for all: eer_posterior, eer_posterior_one_threshold,
        eer_ratio, eer_ratio_one_threshold (NaN without a cohort); threshold_kept,
        false_alarm_kept and miss_kept: of the probabilities, the one threshold of equal errors in
        the first session, and what it does in the later ones (NaN without sessions);
        train_seconds, decide_ms per recording against everybody, and n_learned, the numbers learned
        of all people.

    Notes
    -----
    Other thresholds are those of the test scores themselves. A threshold of one's own per subject
    flatters, because nobody could set it without the test.
    """
    return pd.DataFrame([_rates(one) for one in scores])


def cut_blocks(strokes: Strokes, size: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Cut each recording, from its start, into blocks of a given number of keystrokes.

    Parameters
    ----------
    strokes : Strokes
        Keystrokes with their users.
    size : int
        Keystrokes of a block.

    Returns
    -------
    blocks : dict
        Columns key, press, release and recording, as `score_keyed_text` takes them, and session.
    typist : ndarray of str, shape (n_blocks,)
        Who typed each.

    Raises
    ------
    InvalidParameterError
        No recording has as many keystrokes, or `size` is below 2.

    Examples
    --------
    >>> from hawkeys.datasets import simulate_keyed_text
    >>> from hawkeys.evaluation import cut_blocks
    >>> blocks, typist = cut_blocks(simulate_keyed_text(2, n_sessions=1, n_keys=70), 30)
    >>> typist.tolist()
    ['simulated-00', 'simulated-00', 'simulated-01', 'simulated-01']
    """
    check_count(size, "size", minimum=2)
    group = strokes.groups()
    begin = np.flatnonzero(np.diff(group, prepend=-1))
    place = np.arange(group.size) - begin[group]
    whole = place < (np.bincount(group) // size * size)[group]
    if not whole.any():
        raise InvalidParameterError(
            f"no recording has {size} keystrokes; the longest has {int(np.bincount(group).max())}. "
            "Give a smaller size."
        )
    rows = np.flatnonzero(whole)
    block = group[rows] * (int(place.max()) // size + 1) + place[rows] // size
    blocks = {
        "key": strokes.key[rows],
        "press": strokes.press[rows],
        "release": strokes.release[rows],
        "recording": block,
        "session": strokes.session[rows],
    }
    return blocks, strokes.user[rows[::size]]


def _check_people(
    enrolment: Strokes, typist: ArrayLike, background: Strokes | None, n_recordings: int
) -> np.ndarray:
    """Return the typists of the tests, all enrolled, none of them in the background."""
    who = np.asarray(typist).astype(np.str_)
    unknown = sorted(set(who.tolist()) - set(enrolment.subjects))
    if unknown:
        raise InvalidParameterError(
            f"typist {unknown[0]!r} is not enrolled; everybody tested must be in the enrolment."
        )
    common = sorted(set(background.subjects if background else ()) & set(enrolment.subjects))
    if common:
        raise InvalidParameterError(
            f"background holds {common[0]!r}, who is enrolled; the cohort must be other people."
        )
    if who.shape != (n_recordings,):
        raise InvalidParameterError(
            f"typist must hold one person per test recording, shape ({n_recordings},); "
            f"got shape {who.shape}."
        )
    return who


def _rates(one: KeyedTextScores) -> dict[str, Any]:
    people = np.array(one.people)
    genuine = one.typist[:, None] == people
    row: dict[str, Any] = {
        "system": one.system,
        "n_subjects": people.size,
        "n_samples": one.typist.size,
        "accuracy": float((people[one.log_likelihood.argmax(axis=1)] == one.typist).mean()),
    }
    posterior = log_softmax(one.log_likelihood, axis=1)
    ratio = None if one.cohort is None else one.log_likelihood - one.cohort[:, None]
    for name, scores in (("posterior", posterior), ("ratio", ratio)):
        own, together = (np.nan, np.nan) if scores is None else _equal_errors(scores, genuine)
        row[f"eer_{name}"], row[f"eer_{name}_one_threshold"] = own, together
    first = np.ones(len(genuine), bool)
    if one.session is not None:
        first = one.session == np.unique(one.session)[0]
    first = np.broadcast_to(first[:, None], genuine.shape)
    row |= kept_errors(posterior[genuine], posterior[~genuine], first[genuine], first[~genuine])
    row["train_seconds"] = one.train_seconds
    row["decide_ms"] = 1000.0 * one.test_seconds / one.typist.size
    row["n_learned"] = one.n_learned
    return row


def _fit(model: Any, enrolment: Strokes, background: Strokes | None) -> Any:
    """Return a copy of the model that has learned everybody."""
    if isinstance(model, MarkedRenewal):
        return clone(model).fit(enrolment, population=background)
    if background is not None:
        raise InvalidParameterError(
            f"background is for a MarkedRenewal; got it with {type(model).__name__}. Leave it out."
        )
    return clone(model).fit(enrolment, MarkedRenewal.people_of(enrolment))


def _log_scores(people: Any, recordings: Recordings) -> FloatArray:
    """Return log-likelihoods of recordings by person, up to a number per recording."""
    if isinstance(people, MarkedRenewal):
        return people.log_likelihood(recordings)
    return np.asarray(people.predict_log_proba(recordings))


def _equal_errors(scores: FloatArray, genuine: BoolArray) -> tuple[float, float]:
    """Return the EER per subject, averaged, and that with one threshold for all."""
    both = list(zip(scores.T, genuine.T, strict=True))
    each, together = equal_errors([s[own] for s, own in both], [s[~own] for s, own in both])
    return float(each.mean()), together
