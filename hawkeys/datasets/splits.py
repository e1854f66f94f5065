"""Which samples train and which test: by session, by user, at random, and as published.

A split says nothing of models, so that verifiers, networks and evaluations use the same ones. Of
the random split and the published one `kind` says that they leak: samples of one sitting, or even
the same events, lie on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hawkeys._typing import ArrayLike, IntArray, RandomState
from hawkeys._validation import as_generator, check_count, check_fraction
from hawkeys.datasets.slices import EventSlices
from hawkeys.exceptions import InvalidParameterError

__all__ = [
    "SampleSplit",
    "balanced",
    "published_split",
    "random_folds",
    "session_folds",
    "shared_events",
    "user_folds",
]


@dataclass(frozen=True, eq=False)
class SampleSplit:
    """Rows that train and rows that test.

    Attributes
    ----------
    train, test : ndarray of int64
        Rows, in no particular order.
    kind : {"session-disjoint", "user-disjoint", "random, leaks", "published, leaks"}
        What the two share.
    """

    train: IntArray
    test: IntArray
    kind: str


def session_folds(
    subject: ArrayLike, session: ArrayLike, n_folds: int = 5, *, rng: RandomState = None
) -> list[SampleSplit]:
    """Return folds that keep sessions whole: each session is tested in exactly one fold.

    The sessions of each subject are dealt to the folds at random, the large ones first, each to
    the fold that has least of this subject.

    Parameters
    ----------
    subject, session : array_like, shape (n_samples,)
        Labels of the samples; sessions are told apart within a subject.
    n_folds : int, default 5
        Number of splits, at least 2.
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None
        Source of randomness.

    Returns
    -------
    list of SampleSplit, length n_folds
        Every sample is tested once.

    Raises
    ------
    InvalidParameterError
        Labels differ in length, or a subject has fewer than `n_folds` sessions.

    Examples
    --------
    >>> from hawkeys.datasets import session_folds
    >>> one, other = session_folds(["a"] * 4, [0, 0, 1, 1], 2, rng=0)
    >>> sorted([one.test.tolist(), other.test.tolist()])
    [[0, 1], [2, 3]]
    """
    people, sittings = _labels(subject, session)
    check_count(n_folds, "n_folds", minimum=2)
    draws = as_generator(rng)
    fold = np.empty(people.size, dtype=np.int64)
    for person in np.unique(people):
        rows = np.flatnonzero(people == person)
        names, where = np.unique(sittings[rows], return_inverse=True)
        if names.size < n_folds:
            raise InvalidParameterError(
                f"subject {str(person)!r} has {names.size} sessions; each of the n_folds={n_folds} "
                "folds needs one. Use fewer folds."
            )
        fold[rows] = _deal(np.bincount(where), n_folds, draws)[where]
    return _by_fold(fold, n_folds, "session-disjoint")


def user_folds(
    subject: ArrayLike, n_folds: int = 5, *, rng: RandomState = None
) -> list[SampleSplit]:
    """Return folds that keep subjects whole: each subject is tested in exactly one fold.

    Parameters
    ----------
    subject : array_like, shape (n_samples,)
        Labels of the samples.
    n_folds : int, default 5
        Number of splits, at least 2.
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None
        Source of randomness.

    Returns
    -------
    list of SampleSplit, length n_folds
        Every sample is tested once.

    Raises
    ------
    InvalidParameterError
        There are fewer than `n_folds` subjects.

    Examples
    --------
    >>> from hawkeys.datasets import user_folds
    >>> [split.kind for split in user_folds(["a", "b", "b"], 2, rng=0)]
    ['user-disjoint', 'user-disjoint']
    """
    check_count(n_folds, "n_folds", minimum=2)
    names, where = np.unique(np.asarray(subject), return_inverse=True)
    if names.size < n_folds:
        raise InvalidParameterError(
            f"there are {names.size} subjects; each of the n_folds={n_folds} folds needs one. Use "
            "fewer folds."
        )
    fold = _deal(np.bincount(where), n_folds, as_generator(rng))[where]
    return _by_fold(fold, n_folds, "user-disjoint")


def random_folds(
    subject: ArrayLike, n_folds: int = 5, *, rng: RandomState = None
) -> list[SampleSplit]:
    """Split the samples of each subject at random, which makes results look better than they are.

    Samples of one sitting lie on both sides: the split leaks, and its `kind` says so.

    Parameters
    ----------
    subject : array_like, shape (n_samples,)
        Labels of the samples.
    n_folds : int, default 5
        Number of splits, at least 2.
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None
        Source of randomness.

    Returns
    -------
    list of SampleSplit, length n_folds
        Every sample is tested once.

    Raises
    ------
    InvalidParameterError
        A subject has fewer than `n_folds` samples.

    Examples
    --------
    >>> from hawkeys.datasets import random_folds
    >>> random_folds(["a"] * 4, 2, rng=0)[0].kind
    'random, leaks'
    """
    people = np.asarray(subject)
    check_count(n_folds, "n_folds", minimum=2)
    draws = as_generator(rng)
    fold = np.empty(people.size, dtype=np.int64)
    for person in np.unique(people):
        rows = np.flatnonzero(people == person)
        if rows.size < n_folds:
            raise InvalidParameterError(
                f"subject {str(person)!r} has {rows.size} samples; each of the n_folds={n_folds} "
                "folds needs one. Use fewer folds."
            )
        fold[rows] = draws.permutation(np.arange(rows.size) % n_folds)
    return _by_fold(fold, n_folds, "random, leaks")


def published_split(
    slices: EventSlices, *, share: float = 0.1, rng: RandomState = None
) -> SampleSplit:
    """Split slices as the authors of [1]_ do.

    For each person the slices that start afresh and those that overlap are shuffled and cut to the
    smaller person's numbers; the first ``int(share n)`` that start afresh validate, all others
    train. It leaks: overlapping slices hold events of validating ones.

    Parameters
    ----------
    slices : EventSlices
        Of two or more people; to repeat the published counts, of
        ``cut_slices(data, 30, step_back=15, whole_seconds=True)``.
    share : float, default 0.1
        Share of those that start afresh that validates.
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None
        Source of randomness.

    Returns
    -------
    SampleSplit
        The validating slices are its `test`.

    Raises
    ------
    InvalidParameterError
        `share` is no fraction.

    References
    ----------
    .. [1] S. A. Calin, "Deep learning approach for keystroke recognition".

    Examples
    --------
    >>> from hawkeys.datasets import cut_slices, published_split, simulate_event_times
    >>> slices = cut_slices(simulate_event_times(), 30, step_back=15, whole_seconds=True)
    >>> split = published_split(slices, rng=0)
    >>> bool(slices.overlapping[split.test].any())
    False
    """
    check_fraction(share, "share")
    draws = as_generator(rng)
    people = np.unique(slices.subject)
    kinds = [
        [np.flatnonzero((slices.subject == one) & (slices.overlapping == over)) for one in people]
        for over in (False, True)
    ]
    fresh, over = (
        [draws.permutation(rows)[: min(map(len, kind))] for rows in kind] for kind in kinds
    )
    n_test = int(share * len(fresh[0]))
    return SampleSplit(
        train=np.concatenate([*over, *(rows[n_test:] for rows in fresh)]),
        test=np.concatenate([rows[:n_test] for rows in fresh]),
        kind="published, leaks",
    )


def balanced(subject: ArrayLike, rows: IntArray, *, rng: RandomState = None) -> IntArray:
    """Pick rows at random, of every subject as many as the subject with the fewest has.

    Parameters
    ----------
    subject : array_like, shape (n_samples,)
        Labels of the samples.
    rows : ndarray of int64
        Which samples to pick from.
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None
        Source of randomness.

    Returns
    -------
    ndarray of int64
        Rows, subject by subject.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.datasets import balanced
    >>> balanced(np.array(["a", "a", "b"]), np.arange(3), rng=0).size
    2
    """
    people, draws = np.asarray(subject), as_generator(rng)
    groups = [rows[people[rows] == person] for person in np.unique(people[rows])]
    fewest = min(map(len, groups), default=0)
    return np.concatenate([draws.permutation(group)[:fewest] for group in groups] or [rows])


def shared_events(slices: EventSlices, split: SampleSplit) -> int:
    """Count the events that lie both in a training slice and in a test slice.

    Parameters
    ----------
    slices : EventSlices
        The samples.
    split : SampleSplit
        Their split.

    Returns
    -------
    int
        0 if the split is honest.

    Examples
    --------
    >>> from hawkeys.datasets import (
    ...     cut_slices, random_folds, session_folds, shared_events, simulate_event_times)
    >>> slices = cut_slices(simulate_event_times(), 30, step_back=15)
    >>> honest = session_folds(slices.subject, slices.session, 3, rng=0)[0]
    >>> shared_events(slices, honest)
    0
    >>> shared_events(slices, random_folds(slices.subject, 3, rng=0)[0]) > 1000
    True
    """
    total = 0
    for person in np.unique(slices.subject):
        sides = []
        for rows in (split.train, split.test):
            first = slices.first[rows[slices.subject[rows] == person]]
            sides.append(np.unique(first[:, None] + np.arange(slices.length + 1)))
        total += np.intersect1d(sides[0], sides[1], assume_unique=True).size
    return total


def _labels(subject: ArrayLike, session: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    people, sittings = np.asarray(subject), np.asarray(session)
    if people.ndim != 1 or people.shape != sittings.shape:
        raise InvalidParameterError(
            "subject and session must hold one label per sample; got shapes "
            f"{people.shape} and {sittings.shape}."
        )
    return people, sittings


def _deal(sizes: IntArray, n_folds: int, rng: np.random.Generator) -> IntArray:
    """Return the fold of each group: at random, large groups first, to the fold with least."""
    order = rng.permutation(sizes.size)
    order = order[np.argsort(-sizes[order], kind="stable")]
    load, fold = np.zeros(n_folds), np.empty(sizes.size, dtype=np.int64)
    names = rng.permutation(n_folds)  # which of several empty folds comes first
    for group in order:
        least = int(np.argmin(load))
        fold[group] = names[least]
        load[least] += sizes[group]
    return fold


def _by_fold(fold: IntArray, n_folds: int, kind: str) -> list[SampleSplit]:
    return [
        SampleSplit(np.flatnonzero(fold != k), np.flatnonzero(fold == k), kind)
        for k in range(n_folds)
    ]
