"""Typists from elsewhere at the same text: impostors, and a background to learn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone

from hawkeys._typing import IntArray
from hawkeys._validation import check_count
from hawkeys.datasets import Keystrokes
from hawkeys.evaluation.protocols import Protocol
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers.fixed_text.background import takes_background, with_background

__all__ = ["give_background", "join_typists", "label_impostors"]

_SHOWN = 5


def join_typists(data: Keystrokes, others: Keystrokes) -> Keystrokes:
    """Join two sets of samples whose typists are all different people.

    Parameters
    ----------
    data, others : Keystrokes
        Samples of one text.

    Returns
    -------
    Keystrokes
        First those of `data`, then those of `others`.

    Raises
    ------
    InvalidParameterError
        If the texts differ, a name is in both, or most samples of one of the others are in `data`
        under another name.

    Examples
    --------
    >>> from hawkeys.datasets import load_demo
    >>> from hawkeys.evaluation import join_typists
    >>> demo = load_demo(n_subjects=3)
    >>> first = demo.subject == demo.subjects[0]
    >>> join_typists(demo[first], demo[~first]).subjects == demo.subjects
    True
    """
    check_others(data, others)
    return _stacked(
        (data, others), (data.subject, others.subject), (data.impostor, others.impostor)
    )


def label_impostors(data: Keystrokes, others: Keystrokes, n_samples: int | None = 5) -> Keystrokes:
    """Add samples of other people to `data`, labelled as impostors of every typist in it.

    Parameters
    ----------
    data : Keystrokes
        Samples of those to be tested, of one typist or more.
    others : Keystrokes
        Samples of other people at the same text.
    n_samples : int or None, default 5
        First samples of each of the others; None takes all.

    Returns
    -------
    Keystrokes
        Of the typists of `data` alone, for a protocol with ``impostors="labelled"``: first their
        own samples, then, for each of them, those of the others.

    Raises
    ------
    InvalidParameterError
        As `join_typists`, and if `n_samples` is no positive whole number.

    Examples
    --------
    >>> from hawkeys.datasets import load_demo
    >>> from hawkeys.evaluation import label_impostors
    >>> demo = load_demo(n_subjects=4)
    >>> first = demo.subject == demo.subjects[0]
    >>> both = label_impostors(demo[first], demo[~first])
    >>> len(both.subjects), int((both.impostor != "").sum())
    (1, 15)
    """
    if n_samples is not None:
        check_count(n_samples, "n_samples")
    check_others(data, others)
    played = others[_first_of_each(others, n_samples)]
    names = data.subjects
    return _stacked(
        (data, *[played] * len(names)),
        (data.subject, *(np.full(len(played), name) for name in names)),
        (data.impostor, *[played.subject] * len(names)),
    )


def give_background(
    verifiers: Mapping[str, BaseEstimator], rules: Protocol, data: Keystrokes
) -> dict[str, BaseEstimator]:
    """Return the verifiers, those that take one with the background of a protocol.

    Parameters
    ----------
    verifiers : mapping of str to estimator
        Left unchanged.
    rules : Protocol
        Names the typists of the background.
    data : Keystrokes
        Samples of theirs and of those who are tested.

    Returns
    -------
    dict of str to estimator
        In the same order.

    Raises
    ------
    InvalidParameterError
        If there is a background and no verifier takes one.
    """
    if not rules.background:
        return dict(verifiers)
    takers = [name for name, one in verifiers.items() if takes_background(one)]
    if not takers:
        raise InvalidParameterError(
            f"none of the verifiers ({', '.join(verifiers)}) learns from a background. Add "
            "BackgroundRatio (background-ratio), or leave the background out."
        )
    background = data[np.isin(data.subject, rules.background)]
    return {
        name: with_background(clone(one), background) if name in takers else one
        for name, one in verifiers.items()
    }


def check_others(data: Keystrokes, others: Any) -> None:
    """Refuse others who type another text or are typists of the data, under whatever name.

    Raises `InvalidParameterError`.
    """
    if not isinstance(others, Keystrokes):
        raise InvalidParameterError(
            f"others must be Keystrokes of other typists; got a {type(others).__name__}."
        )
    if others.keys != data.keys:
        raise InvalidParameterError(
            f"the others typed the keys {' '.join(others.keys)}, the data are of "
            f"{' '.join(data.keys)}. Give other typists of the same text."
        )
    both = sorted(set(others.subjects) & (set(data.subjects) | set(data.impostor.tolist())))
    if both:
        shown = ", ".join(map(repr, both[:_SHOWN])) + ", ..." * (len(both) > _SHOWN)
        raise InvalidParameterError(
            f"{len(both)} of the others are in the data, too ({shown}). Leave them out of one of "
            "the two, or rename them if they are other people."
        )
    known = {row.tobytes() for row in _rows(data)}
    same = np.array([row.tobytes() in known for row in _rows(others)])
    for name in others.subjects:
        own = same[others.subject == name]
        if 2 * own.sum() > own.size:
            raise InvalidParameterError(
                f"{int(own.sum()):,} of the {own.size:,} samples of {name!r} are in the data under "
                "another name. Give other typists."
            )


def _first_of_each(others: Keystrokes, n_samples: int | None) -> IntArray:
    """Return the rows of the first genuine samples of each typist, one typist after the other."""
    order = np.lexsort((others.repetition, others.session))
    own = [order[(others.subject == name)[order] & (others.impostor == "")[order]]
           for name in sorted(others.subjects)]  # fmt: skip
    return np.concatenate([rows[:n_samples] for rows in own]).astype(np.int64)


def _stacked(
    parts: Sequence[Keystrokes], subject: Sequence[np.ndarray], impostor: Sequence[np.ndarray]
) -> Keystrokes:
    """Return samples one after the other, with the origin of both, if both have one."""
    joined = Keystrokes.from_timings(
        pd.concat([one.timings() for one in parts], ignore_index=True).to_numpy(),
        subject=np.concatenate(subject),
        session=np.concatenate([one.session for one in parts]),
        repetition=np.concatenate([one.repetition for one in parts]),
        keys=parts[0].keys,
        impostor=np.concatenate(impostor),
    )
    first, second = parts[0].origin, parts[-1].origin
    if first is None or second is None:
        return joined
    origin = replace(
        first,
        source=f"{first.source}; others: {second.source} ({second.sha256})",
        n_samples=len(joined),
        n_subjects=len(joined.subjects),
        simulated=first.simulated or second.simulated,
        notice=" ".join(dict.fromkeys(text for text in (first.notice, second.notice) if text)),
    )
    return replace(joined, origin=origin)


def _rows(data: Keystrokes) -> np.ndarray:
    return np.ascontiguousarray(data.timings().to_numpy())
