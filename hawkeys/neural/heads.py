"""People enrolled on a template: `HeadVerifier` (101 numbers each) and `EmbeddingVerifier`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted

from hawkeys._typing import ArrayLike, FloatArray
from hawkeys._validation import as_float_array, check_positive_number
from hawkeys.exceptions import InvalidParameterError, TemplateFileError
from hawkeys.neural.files import read_arrays, write_arrays
from hawkeys.neural.template import NetworkTemplate
from hawkeys.verifiers.protocol import Needs

__all__ = ["EmbeddingVerifier", "HeadVerifier", "acceptance_curve", "equal_threshold"]

_KIND = "hawkeys network head 1"


class HeadVerifier(BaseEstimator):
    """Verify one person by an output of 101 numbers on a template, which stays as it is.

    The enrolment samples weigh as much as all negatives together, as if they were repeated to match
    them; the output is the optimum of that logistic regression, with a ridge penalty on weights.

    Parameters
    ----------
    template : NetworkTemplate
        Fitted, with the loss "softmax".
    C : float, default 0.01
        Inverse strength of the penalty. With 0.01 the published threshold of .045 lies near the
        point of equal errors, which was seen on people of another data set than the one reported.

    Attributes
    ----------
    head_ : ndarray of float64, shape (101,)
        100 weights and the intercept: all that is stored of a person.

    Examples
    --------
    >>> from hawkeys.datasets import load_demo
    >>> from hawkeys.neural import HeadVerifier, NetworkTemplate, Schedule
    >>> demo = load_demo()
    >>> X, new = demo.timings().to_numpy(), demo.subject == demo.subjects[0]
    >>> once = Schedule("adam", 1e-3, batch_size=64, epochs=1)
    >>> template = NetworkTemplate(schedule=once).fit(X[~new][::10], demo.subject[~new][::10])
    >>> HeadVerifier(template).fit(X[new][:10]).head_.shape
    (101,)
    """

    needs = Needs("fixed text", holds=True, keys=False, background=True)

    def __init__(self, template: NetworkTemplate, C: float = 0.01) -> None:
        self.template = template
        self.C = C

    def fit(self, genuine: ArrayLike, background: ArrayLike | None = None) -> HeadVerifier:
        """Enrol a person.

        Parameters
        ----------
        genuine : array_like, shape (n_samples, 3 K - 2)
            Timing matrix of the person, in seconds.
        background : array_like, shape (n_others, 3 L - 2), optional
            Of other people, as negatives. Default: the samples of the template.

        Returns
        -------
        HeadVerifier
            The verifier itself.

        Raises
        ------
        InvalidTimingsError
            If a matrix is not valid.
        InvalidParameterError
            If `template` is no fitted one for heads, or `C` is not positive.
        """
        check_positive_number(self.C, "C")
        _check_template(self.template, ("softmax",), "HeadVerifier")
        own = self.template.transform(genuine)
        others = self.template.codes_ if background is None else self.template.transform(background)
        labels = np.repeat([0, 1], [len(others), len(own)])
        head = LogisticRegression(C=self.C, class_weight="balanced", max_iter=2000)
        head.fit(np.concatenate([others, own]), labels)
        self.head_ = np.append(head.coef_[0], head.intercept_)
        return self

    def score_samples(self, samples: ArrayLike) -> FloatArray:
        """Return the log odds that the person typed.

        Parameters
        ----------
        samples : array_like, shape (n_samples, 3 K - 2)
            Timing matrix of anybody, in seconds.

        Returns
        -------
        ndarray of float64, shape (n_samples,)
            Higher for more genuine.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        InvalidTimingsError
            If the matrix is not valid.
        """
        check_is_fitted(self, "head_")
        return np.asarray(self.template.transform(samples) @ self.head_[:-1] + self.head_[-1])

    def save_head(self, path: str | os.PathLike[str]) -> None:
        """Write the 101 numbers and the template's fingerprint to a file (.npz, no pickle).

        Parameters
        ----------
        path : path
            Its name. The file can be read by its owner alone.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        check_is_fitted(self, "head_")
        named = {"kind": _KIND, "template": self.template.digest(), "head": self.head_}
        write_arrays(path, named, private=True)

    def load_head(self, path: str | os.PathLike[str]) -> HeadVerifier:
        """Read what `save_head` wrote, on the same template.

        Parameters
        ----------
        path : path
            The file.

        Returns
        -------
        HeadVerifier
            The verifier itself, enrolled.

        Raises
        ------
        TemplateFileError
            If there is no such file, it holds no head, or the head of another template.
        """
        arrays = read_arrays(path, _KIND, ("template", "head"))
        head = arrays["head"]
        if head.shape != (101,) or head.dtype != np.float64 or not np.isfinite(head).all():
            raise TemplateFileError(
                f"{path}: expected 101 finite numbers; got {head.dtype} of shape {head.shape}."
            )
        if str(arrays["template"]) != self.template.digest():
            raise TemplateFileError(
                f"{path}: the head belongs to another template. Load it on the one it was enrolled "
                "on, or enrol anew."
            )
        self.head_ = head
        return self


class EmbeddingVerifier(BaseEstimator):
    """Verify one person by how near the codes of samples are to those of the enrolment.

    Parameters
    ----------
    template : NetworkTemplate
        Fitted, with the loss "contrastive" or "triplet".

    Attributes
    ----------
    center_ : ndarray of float64, shape (100,)
        Mean code of the enrolment: all that is stored of a person.

    Examples
    --------
    >>> from hawkeys.datasets import load_demo
    >>> from hawkeys.neural import EmbeddingVerifier, NetworkTemplate, Schedule
    >>> demo = load_demo()
    >>> X, new = demo.timings().to_numpy(), demo.subject == demo.subjects[0]
    >>> once = Schedule("adam", 1e-3, batch_size=64, epochs=1)
    >>> template = NetworkTemplate("triplet", schedule=once)
    >>> template = template.fit(X[~new][::10], demo.subject[~new][::10])
    >>> EmbeddingVerifier(template).fit(X[new][:1]).score_samples(X[new][:3]).shape
    (3,)
    """

    needs = Needs("fixed text", holds=True, keys=False, background=True)

    def __init__(self, template: NetworkTemplate) -> None:
        self.template = template

    def fit(self, genuine: ArrayLike, background: Any = None) -> EmbeddingVerifier:
        """Enrol a person.

        Parameters
        ----------
        genuine : array_like, shape (n_samples, 3 K - 2)
            Timing matrix of the person, in seconds; one sample is enough.
        background : object, optional
            Not used: the template is the background.

        Returns
        -------
        EmbeddingVerifier
            The verifier itself.

        Raises
        ------
        InvalidTimingsError
            If the matrix is not valid.
        InvalidParameterError
            If `template` is no fitted one for distances.
        """
        _check_template(self.template, ("contrastive", "triplet"), "EmbeddingVerifier")
        self.center_ = self.template.transform(genuine).mean(axis=0)
        return self

    def score_samples(self, samples: ArrayLike) -> FloatArray:
        """Return minus the distance to the mean code of the enrolment.

        Parameters
        ----------
        samples : array_like, shape (n_samples, 3 K - 2)
            Timing matrix of anybody, in seconds.

        Returns
        -------
        ndarray of float64, shape (n_samples,)
            Higher for more genuine.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        InvalidTimingsError
            If the matrix is not valid.
        """
        check_is_fitted(self, "center_")
        return -np.linalg.norm(self.template.transform(samples) - self.center_, axis=1)


def acceptance_curve(
    genuine: Sequence[ArrayLike],
    impostor: Sequence[ArrayLike],
    thresholds: ArrayLike | None = None,
) -> pd.DataFrame:
    """Average over people what is accepted at each threshold of the probability.

    Parameters
    ----------
    genuine, impostor : sequence of array_like, one per person
        Log odds of `HeadVerifier`, of the person's own samples and of others'.
    thresholds : array_like, optional
        Probabilities from which on a sample is accepted. Default: 0, .005, .010, ..., 1.

    Returns
    -------
    DataFrame, one row per threshold
        threshold; genuine_accepted ("TAR" of [1]_); impostor_accepted ("FAR" there, miss rate
        here): means over people, each of whom weighs the same.

    Raises
    ------
    InvalidParameterError
        The two hold different numbers of people or none, or a person has no score.

    References
    ----------
    .. [1] The system of LSTM templates with heads of 101 numbers, whose authors report a threshold
       of .045, a TAR of about .70 and a FAR of about .30.

    Examples
    --------
    >>> from hawkeys.neural import acceptance_curve
    >>> curve = acceptance_curve([[2.0, -1.0]], [[-3.0, 1.0]], [0.5])
    >>> curve.iloc[0].tolist()
    [0.5, 0.5, 0.5]
    """
    if len(genuine) != len(impostor) or not len(genuine):
        raise InvalidParameterError(
            "genuine and impostor must hold one array per person, one person or more; got "
            f"{len(genuine)} and {len(impostor)}."
        )
    levels = np.linspace(0.0, 1.0, 201) if thresholds is None else thresholds
    at = np.atleast_1d(as_float_array(levels, "thresholds"))
    columns = {"threshold": at}
    for name, people in (("genuine", genuine), ("impostor", impostor)):
        shares = [_share_accepted(scores, at, f"{name}[{k}]") for k, scores in enumerate(people)]
        columns[f"{name}_accepted"] = np.mean(shares, axis=0)
    return pd.DataFrame(columns)


def equal_threshold(curve: pd.DataFrame) -> float:
    """Return the threshold at which as many genuine samples are refused as others are accepted.

    Parameters
    ----------
    curve : DataFrame
        As `acceptance_curve` returns it, of people whom nobody is tested on.

    Returns
    -------
    float
        The one with the smallest difference; the lowest of several.

    Examples
    --------
    >>> from hawkeys.neural import acceptance_curve, equal_threshold
    >>> equal_threshold(acceptance_curve([[2.0, 1.0]], [[-3.0, -1.0]], [0.1, 0.5, 0.9]))
    0.5
    """
    refused = 1.0 - curve["genuine_accepted"]
    place = int(np.argmin(np.abs(refused - curve["impostor_accepted"])))
    return float(curve["threshold"].iloc[place])


def _share_accepted(scores: ArrayLike, thresholds: FloatArray, name: str) -> FloatArray:
    probability = np.sort(expit(as_float_array(scores, name)))
    if not probability.size:
        raise InvalidParameterError(f"{name} is empty; every person needs a score.")
    below = np.searchsorted(probability, thresholds, side="left")
    return 1.0 - below / probability.size


def _check_template(template: Any, losses: tuple[str, ...], who: str) -> None:
    if not isinstance(template, NetworkTemplate) or template.loss not in losses:
        raise InvalidParameterError(
            f"template of {who} must be a NetworkTemplate with loss {' or '.join(losses)}; got "
            f"{template!r}."
        )
    check_is_fitted(template)
