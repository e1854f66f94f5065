"""Thresholds from few training samples: each is judged by a verifier that did not see it."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from hawkeys._typing import FloatArray
from hawkeys.exceptions import EnrolmentWarning

__all__ = ["FEW", "judged_by_others", "left_out_scores", "within_another"]

FEW = 30
"""Different training samples below which a threshold comes from samples left out."""

_FEWEST = 3
_inside: ContextVar[bool] = ContextVar("inside", default=False)


@contextmanager
def within_another() -> Iterator[None]:
    """Train verifiers whose own thresholds nobody asks for, so that they may be had cheaply."""
    token = _inside.set(True)
    try:
        yield
    finally:
        _inside.reset(token)


def judged_by_others(samples: FloatArray) -> bool:
    """Tell whether the threshold comes from `left_out_scores`: 3 to `FEW` - 1 different samples."""
    if _inside.get():
        return False
    return samples.shape[0] >= _FEWEST and _FEWEST <= len(np.unique(samples, axis=0)) < FEW


def left_out_scores(verifier: Any, samples: FloatArray, weights: FloatArray | None) -> FloatArray:
    """Return the score of each sample by a verifier trained without it and its copies.

    `verifier` has checked the samples (n_samples, n_features), and is left unchanged.
    """
    scores = np.empty(samples.shape[0])
    with within_another(), warnings.catch_warnings():
        warnings.simplefilter("ignore", EnrolmentWarning)  # fit has said that samples are few
        for i, sample in enumerate(samples):
            others = (samples != sample).any(axis=1)
            one = copy.copy(verifier)
            if weights is None:
                one._learn(samples[others])
            else:
                one._learn(samples[others], weights[others])
            scores[i] = one._score(sample[None])[0]
    return scores
