"""Splitting of verifiers into stateless preparation, done once, and the part that is trained.

A pipeline may start with steps that learn nothing (scikit-learn says so: their tag `requires_fit`
is False). Their output is the same whoever trains, so it is computed once for all rows and shared
by every verifier that asks for the same steps with the same parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from hawkeys._typing import FloatArray
from hawkeys.exceptions import InvalidParameterError

__all__ = ["Progress", "Representation", "Samples", "Stage", "check_verifiers", "prepare"]

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called as ``progress(what, done, total)`` while work goes on."""


@dataclass(frozen=True, eq=False)
class Samples:
    """Who typed the samples used, and when.

    Attributes
    ----------
    subject, session : ndarray, shape (n_samples,)
        Typist and session of each sample.
    keys : tuple of str, length n_keys
        Names of the keys of the text, in the order typed.
    """

    subject: np.ndarray
    session: np.ndarray
    keys: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Representation:
    """What verifiers see of each sample: raw timings, or the output of stateless steps.

    Attributes
    ----------
    steps : tuple of estimators
        The stateless steps that made it from the timings; empty for the timings themselves.
    values : ndarray of float64, shape (n_samples, n_features)
        One row per sample.
    columns : tuple of str, length n_features
        Names of the features.
    verifiers : tuple of str
        Names of the verifiers that use it.
    """

    steps: tuple[BaseEstimator, ...]
    values: FloatArray
    columns: tuple[str, ...]
    verifiers: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Short name for captions: the classes of the steps, or "raw timings"."""
        return " + ".join(type(step).__name__ for step in self.steps) or "raw timings"


@dataclass(frozen=True, eq=False)
class Stage:
    """A verifier ready to train: its name, its trainable part and the index of its features."""

    name: str
    estimator: BaseEstimator
    representation: int


@dataclass(eq=False)
class _Cache:
    """Representations computed so far, looked up by their steps."""

    progress: Progress | None
    found: list[Representation] = field(default_factory=list)

    def extend(self, start: int, step: BaseEstimator) -> int:
        """Return the index of representation `start` followed by one more `step`."""
        wanted = (*self.found[start].steps, step)
        for index, known in enumerate(self.found):
            if _same_steps(known.steps, wanted):
                return index
        fresh = clone(step)
        self._report(step, 0, 1)
        if self.progress is not None and "progress" in fresh.get_params(deep=False):
            fresh.set_params(progress=partial(self._report, step))
        before = self.found[start]
        # A frame, so that the step knows which key each column belongs to.
        frame = pd.DataFrame(before.values, columns=list(before.columns))
        values = np.asarray(fresh.fit_transform(frame), dtype=np.float64)
        self.found.append(Representation(wanted, values, _columns(fresh, values.shape[1])))
        self._report(step, 1, 1)
        return len(self.found) - 1

    def _report(self, step: BaseEstimator, done: int, total: int) -> None:
        if self.progress is not None:
            self.progress(f"Computing {type(step).__name__}", done, total)


def check_verifiers(verifiers: Mapping[str, BaseEstimator]) -> dict[str, BaseEstimator]:
    """Return the verifiers as a new dict after checking names and methods.

    Parameters
    ----------
    verifiers : mapping of str to estimator
        Each value is an outlier detector with `fit` and `score_samples`, or a pipeline ending in
        one.

    Returns
    -------
    dict of str to estimator
        The same objects, in the same order.

    Raises
    ------
    InvalidParameterError
        If there is no verifier, a name is not a non-empty string, or an object is not an outlier
        detector.
    """
    if not isinstance(verifiers, Mapping) or not verifiers:
        raise InvalidParameterError(
            "verifiers must be a dict of name to estimator with at least one entry; "
            f"got {verifiers!r}."
        )
    for name, verifier in verifiers.items():
        if not isinstance(name, str) or not name:
            raise InvalidParameterError(
                f"verifier names must be non-empty strings; got {name!r}. Name it in the dict."
            )
        if isinstance(verifier, type) or not _is_detector(verifier):
            raise InvalidParameterError(
                f"verifier {name!r} must be an outlier detector with fit and score_samples, or a "
                f"Pipeline that ends in one; got {_kind(verifier)}."
            )
    return dict(verifiers)


def prepare(
    verifiers: Mapping[str, BaseEstimator],
    timings: pd.DataFrame,
    *,
    progress: Progress | None = None,
) -> tuple[tuple[Stage, ...], tuple[Representation, ...]]:
    """Run the leading stateless steps of every verifier, each distinct one once.

    Parameters
    ----------
    verifiers : mapping of str to estimator
        As `check_verifiers` returns them; left unchanged.
    timings : DataFrame, shape (n_samples, n_timings)
        Timing matrix in seconds, only the rows that are needed.
    progress : callable, optional
        Called as ``progress(what, done, total)``. A step that has a parameter `progress` is given
        one to be called as ``progress(done, total)``.

    Returns
    -------
    stages : tuple of Stage
        One per verifier, in order.
    representations : tuple of Representation
        Those that a verifier uses, in order of first use.
    """
    values = np.ascontiguousarray(timings.to_numpy(dtype=np.float64))
    cache = _Cache(progress, [Representation((), values, tuple(map(str, timings.columns)))])
    stages = []
    for name, verifier in verifiers.items():
        leading, rest = _split_steps(verifier)
        index = 0
        for step in leading:
            index = cache.extend(index, step)
        stages.append(Stage(name, rest, index))
    return _drop_unused(stages, cache.found)


def _drop_unused(
    stages: list[Stage], found: list[Representation]
) -> tuple[tuple[Stage, ...], tuple[Representation, ...]]:
    used = list(dict.fromkeys(stage.representation for stage in stages))
    kept = []
    for index in used:
        users = tuple(stage.name for stage in stages if stage.representation == index)
        old = found[index]
        kept.append(Representation(old.steps, old.values, old.columns, users))
    renumbered = (
        Stage(stage.name, stage.estimator, used.index(stage.representation)) for stage in stages
    )
    return tuple(renumbered), tuple(kept)


def _split_steps(verifier: BaseEstimator) -> tuple[tuple[BaseEstimator, ...], BaseEstimator]:
    """Return the leading stateless steps and what remains to be trained."""
    if not isinstance(verifier, Pipeline):
        return (), verifier
    leading: list[BaseEstimator] = []
    taken = 0
    for _, step in verifier.steps[:-1]:
        if not _is_passthrough(step):
            if not _is_stateless(step):
                break
            leading.append(step)
        taken += 1
    rest = verifier[taken:]
    return tuple(leading), rest.steps[0][1] if len(rest) == 1 else rest


def _is_stateless(step: Any) -> bool:
    # A step that does not say that it learns nothing is taken to learn.
    return hasattr(step, "__sklearn_tags__") and not get_tags(step).requires_fit


def _is_passthrough(step: Any) -> bool:
    return step is None or step == "passthrough"


def _is_detector(verifier: Any) -> bool:
    last = verifier.steps[-1][1] if isinstance(verifier, Pipeline) else verifier
    return all(callable(getattr(last, name, None)) for name in ("fit", "score_samples"))


def _kind(verifier: Any) -> str:
    if isinstance(verifier, type):
        return f"the class {verifier.__name__}; write {verifier.__name__}()"
    return f"an object of class {type(verifier).__name__}"


def _columns(step: BaseEstimator, n_features: int) -> tuple[str, ...]:
    if hasattr(step, "get_feature_names_out"):
        return tuple(str(name) for name in step.get_feature_names_out())
    return tuple(f"x{k}" for k in range(n_features))


def _same_steps(one: tuple[BaseEstimator, ...], two: tuple[BaseEstimator, ...]) -> bool:
    return len(one) == len(two) and all(map(_same_value, one, two))


def _same_value(one: Any, two: Any) -> bool:
    """Compare parameters: estimators by class and parameters, arrays by content."""
    if one is two:
        return True
    if type(one) is not type(two):
        return False
    if isinstance(one, BaseEstimator):
        first, second = one.get_params(deep=False), two.get_params(deep=False)
        return all(_same_value(first[key], second[key]) for key in first)
    if isinstance(one, np.ndarray):
        return np.array_equal(one, two)
    return bool(one == two)
