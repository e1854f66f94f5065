"""Verify typing samples against a template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from hawkeys._typing import ArrayLike, FloatArray
from hawkeys.datasets.timings import check_unit
from hawkeys.exceptions import InvalidTimingsError
from hawkeys.verifiers.templates.enrolment import read_samples
from hawkeys.verifiers.templates.template import Template

__all__ = ["Deviation", "Verification", "verify", "verify_many"]

_N_DEVIATIONS = 5
# One millisecond: intervals cannot be told apart much better, however steady the typist.
_SMALLEST_SCALE = 1e-3
_NORMAL_MAD = 1.4826


class Deviation(NamedTuple):
    """One interval of a sample compared with the enrolment.

    Attributes
    ----------
    column : str
        Name of the interval, such as "H.key 3".
    value : float
        In the sample, in seconds.
    median : float
        In the enrolment, in seconds.
    z : float
        (value - median) / max(1.4826 MAD, 1 ms), MAD the median absolute deviation from the median
        in the enrolment. 1.4826 makes it a standard deviation for normal samples.
    """

    column: str
    value: float
    median: float
    z: float


@dataclass(frozen=True)
class Verification:
    """The decision on one sample.

    Attributes
    ----------
    score : float
        Higher for more genuine; the unit is that of the verifier.
    threshold : float
        Score below which a sample is rejected.
    accepted : bool
        Whether score >= threshold.
    deviations : tuple of Deviation
        The five intervals with the largest absolute robust z, largest first. They say where the
        sample differs most from the enrolment, whatever the verifier makes of it.
    """

    score: float
    threshold: float
    accepted: bool
    deviations: tuple[Deviation, ...]


def verify(template: Template, sample: ArrayLike | pd.Series | pd.DataFrame) -> Verification:
    """Decide whether a sample is from the enrolled typist.

    Parameters
    ----------
    template : Template
        From `enrol` or `load_template`.
    sample : array_like, shape (3 K - 2,) or (1, 3 K - 2), Series, or DataFrame of one row
        One sample of the enrolled text, in seconds. If the template or the sample has no names of
        keys, only the number of keys tells whether the text is the same.

    Returns
    -------
    Verification
        Score, threshold, decision, and where the sample deviates most.

    Raises
    ------
    InvalidTimingsError
        Not one sample, another length or (if the template has names of keys) other keys than
        enrolled, NaN, negative holds, times that cannot be seconds, ...

    Examples
    --------
    >>> from hawkeys.datasets import load_demo
    >>> from hawkeys.verifiers import enrol, verify
    >>> demo = load_demo(n_subjects=2).timings()
    >>> decision = verify(enrol(demo[:100]), demo.iloc[400])
    >>> decision.accepted, decision.deviations[0].column
    (False, 'H.key 11')
    """
    if isinstance(sample, pd.Series):
        sample = sample.to_frame().T
    elif not isinstance(sample, pd.DataFrame):
        array = np.asarray(sample)
        sample = array[np.newaxis] if array.ndim == 1 else array
    decisions = verify_many(template, sample)
    if len(decisions) != 1:
        raise InvalidTimingsError(
            f"verify takes one sample; got {len(decisions)}. Use verify_many for several."
        )
    return decisions[0]


def verify_many(template: Template, samples: ArrayLike | pd.DataFrame) -> tuple[Verification, ...]:
    """Decide on several samples, each for itself.

    Parameters
    ----------
    template : Template
        From `enrol` or `load_template`.
    samples : array_like or DataFrame, shape (n_samples, 3 K - 2)
        Samples of the enrolled text, in seconds.

    Returns
    -------
    tuple of Verification, length n_samples
        The same as `verify` gives for each.

    Raises
    ------
    InvalidTimingsError
        As `verify`.

    Examples
    --------
    >>> from hawkeys.datasets import load_demo
    >>> from hawkeys.verifiers import enrol, verify_many
    >>> demo = load_demo(n_subjects=1).timings()
    >>> decisions = verify_many(enrol(demo[:100]), demo[100:150])
    >>> sum(decision.accepted for decision in decisions)
    44
    """
    matrix, keys = read_samples(samples)
    _check_text(template, matrix, keys)
    check_unit(matrix)
    if matrix.shape[0] == 0:
        return ()
    scores = template.model.score_samples(matrix)
    center = np.median(template.samples, axis=0)
    spread = _NORMAL_MAD * np.median(np.abs(template.samples - center), axis=0)
    z = (matrix - center) / np.maximum(spread, _SMALLEST_SCALE)
    largest = np.argsort(-np.abs(z), axis=1, kind="stable")[:, :_N_DEVIATIONS]
    names = template.columns
    return tuple(
        Verification(
            score=float(score),
            threshold=template.threshold,
            accepted=bool(score >= template.threshold),
            deviations=tuple(
                Deviation(names[k], float(sample[k]), float(center[k]), float(row[k]))
                for k in columns
            ),
        )
        for score, sample, row, columns in zip(scores, matrix, z, largest, strict=True)
    )


def _check_text(template: Template, matrix: FloatArray, keys: tuple[str, ...] | None) -> None:
    n_keys = (matrix.shape[1] + 2) // 3
    if n_keys != template.n_keys:
        raise InvalidTimingsError(
            f"a sample has {matrix.shape[1]} intervals ({n_keys} keys), the template "
            f"{template.samples.shape[1]} ({template.n_keys} keys). Verify samples of the enrolled "
            "text only."
        )
    if keys is not None and template.keys is not None and keys != template.keys:
        k = next(k for k in range(n_keys) if keys[k] != template.keys[k])
        raise InvalidTimingsError(
            f"key {k + 1} of the samples is {keys[k]!r}, of the template {template.keys[k]!r}. "
            "Verify samples of the enrolled text only."
        )
