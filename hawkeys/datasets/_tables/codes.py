"""Labels as whole numbers, quickly: 0, 1, ... in the order in which they first appear."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from hawkeys._typing import IntArray

__all__ = ["codes_of", "codes_of_words", "group_numbers"]


def codes_of(labels: np.ndarray) -> IntArray:
    """Return the number of each label (n,): 0, 1, ... in order of first appearance.

    Text is compared as it lies in memory, without an object for each cell; labels that stay the
    same over many rows are looked up once a run.
    """
    if not labels.size:
        return np.empty(0, np.int64)
    starts = np.flatnonzero(np.append(True, labels[1:] != labels[:-1]))
    if starts.size <= labels.size // 4:
        lengths = np.diff(np.append(starts, labels.size))
        return np.repeat(_look_up(labels[starts]), lengths)
    return _look_up(labels)


def group_numbers(*labels: np.ndarray | None) -> IntArray:
    """Return the number of each row's combination of labels, in order of first appearance."""
    given = [codes_of(label) for label in labels if label is not None]
    number = given[0]
    for codes in given[1:]:
        number = codes_of(number * (int(codes.max(initial=0)) + 1) + codes)
    return number


def _look_up(labels: np.ndarray) -> IntArray:
    """Return `codes_of` without looking for runs."""
    if labels.dtype.kind != "U":
        return pd.factorize(labels)[0].astype(np.int64)
    letters = np.ascontiguousarray(labels).view(np.uint32).reshape(labels.size, -1)
    return codes_of_words(
        letters[:, first].astype(np.uint64)
        | (letters[:, first + 1].astype(np.uint64) << np.uint64(32) if rest else np.uint64(0))
        for first in range(0, letters.shape[1], 2)
        for rest in [first + 1 < letters.shape[1]]
    )


def codes_of_words(words: Iterable[np.ndarray]) -> IntArray:
    """Return the number of each row of words, (n,) each: 0, 1, ... in order of appearance."""
    number: IntArray | None = None
    for word in words:
        if number is not None and not word.any():
            continue
        starts = np.flatnonzero(np.append(True, word[1:] != word[:-1]))
        if starts.size <= word.size // 4:
            lengths = np.diff(np.append(starts, word.size))
            codes = np.repeat(pd.factorize(word[starts])[0].astype(np.int64), lengths)
        else:
            codes = pd.factorize(word)[0].astype(np.int64)
        if number is not None:
            codes = pd.factorize(number * (int(codes.max(initial=0)) + 1) + codes)[0]
        number = codes.astype(np.int64)
    return np.empty(0, np.int64) if number is None else number
