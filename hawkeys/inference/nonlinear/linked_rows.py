"""Row problems of a fitted process with a link, for profiles, tests and scores after the fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import brentq

from hawkeys._typing import BoolArray, FloatArray
from hawkeys.events import Events
from hawkeys.inference.nonlinear.climb import Box, Pull, climb
from hawkeys.inference.nonlinear.terms import TargetTerms, terms_of_targets
from hawkeys.inference.rectified.rows import best_row
from hawkeys.process._rectified_rows import row_terms
from hawkeys.results.nonlinear import LinkedResult
from hawkeys.results.rectified import RectifiedResult

__all__ = ["LinkedRows"]

_LIMITS = 1e-9, 200
# of an end of an interval, relative to the standard error; and doublings of the reach
_END = 1e-5
_DOUBLINGS = 40
# no parameter is held within anything narrower
_WIDEST = 1e15


class _Target(NamedTuple):
    """One target: its maximum with some parameters held at a point, and its scores there."""

    maximise: Callable[[FloatArray, BoolArray], tuple[float, FloatArray]]
    scores: Callable[[FloatArray], FloatArray]


class LinkedRows:
    """The concave problems whose maxima a fit is, one for each target mark.

    Parameters
    ----------
    result : LinkedResult
        A fit by maximum likelihood; an estimated decay is held.
    events : Events
        The events of the fit.
    """

    def __init__(self, result: LinkedResult, events: Events) -> None:
        self.result, self.events = result, events
        weights = result.options.get("weights")
        given = np.ones(events.n_realizations) if weights is None else weights
        self.weights = np.asarray(given, dtype=np.float64)
        self.lowest = result.lowest
        find = self._rectified if isinstance(result, RectifiedResult) else self._linked
        self.targets = find()

    def pairs(self, target: int, source: int) -> BoolArray:
        """Return which parameters of a target are the influence of a source, shape (P,)."""
        shape, size = self.result.process.weights.shape, self.result.estimates.shape[1]
        out = np.zeros(shape[:1] + shape[2:], dtype=bool)
        out[:, source] = True
        inside = np.zeros(size, dtype=bool)
        inside[size - out.size :] = out.ravel()
        return inside & self.result.identified[target]

    def fall_at(self, target: int, where: BoolArray, value: float) -> float:
        """Return how far the maximum falls if some parameters of a target have a value, in nats."""
        return self._fall(target, where, value, self.result.estimates[target])[0]

    def _fall(
        self, target: int, where: BoolArray, value: float, near: FloatArray
    ) -> tuple[float, FloatArray]:
        point = np.where(where, value, near)
        best = self.targets[target].maximise(self.result.estimates[target], ~self._known(target))[0]
        found, point = self.targets[target].maximise(point, where | ~self._known(target))
        return max(best - found, 0.0), point

    def _known(self, target: int) -> BoolArray:
        return self.result.identified[target]

    def ends(self, target: int, parameter: int, drop: float) -> tuple[float, float]:
        """Return where the profile of a parameter has fallen by `drop`, below and above it.

        Infinite if it does not fall so far; the lowest value if it has not yet fallen so far there.
        """
        reach = self.result.std_err[target, parameter]
        if not np.isfinite(reach):
            here = self.result.estimates[target, parameter]
            reach = 0.1 * abs(here) if here else self._scale(target, parameter)
        reach *= np.sqrt(2.0 * drop)
        return (
            self._end(target, parameter, drop, -reach),
            self._end(target, parameter, drop, reach),
        )

    def _scale(self, target: int, parameter: int) -> float:
        """Return one over the slope of the likelihood at a bound: where it has fallen by a nat."""
        bend = self.result.information[target, parameter, parameter]
        return float(1.0 / np.sqrt(bend)) if bend > 0.0 else 1.0

    def _end(self, target: int, parameter: int, drop: float, reach: float) -> float:
        here = float(self.result.estimates[target, parameter])
        where = np.zeros(self.result.estimates.shape[1], dtype=bool)
        where[parameter] = True
        near = self.result.estimates[target]
        lowest = float(self.lowest[parameter])

        def beyond(value: float) -> float:
            nonlocal near
            fall, near = self._fall(target, where, value, near)
            return float(np.sqrt(min(fall, 1e12)) - np.sqrt(drop))

        inside, outside = here, max(here + reach, lowest)
        for _ in range(_DOUBLINGS):
            if outside == here:
                return lowest
            if beyond(outside) > 0.0:
                break
            if outside <= lowest:
                return lowest
            inside, outside = outside, max(here + 2.0 * (outside - here), lowest)
        else:
            return float(np.copysign(np.inf, reach))
        return float(brentq(beyond, inside, outside, xtol=_END * abs(reach), rtol=1e-9))

    def scores(self) -> FloatArray:
        """Return the gradient of each weighted realisation, (n_realizations, n_marks, P)."""
        x = self.result.estimates
        return np.stack([one.scores(x[i]) for i, one in enumerate(self.targets)], axis=1)

    def _linked(self) -> list[_Target]:
        process: Any = self.result.process
        given = self.result.options["n_given"]
        found = terms_of_targets(self.events, process.predictor, process.link, self.weights, given)
        return [self._target(one, i) for i, one in enumerate(found)]

    def _target(self, terms: TargetTerms, target: int) -> _Target:
        x = self.result.estimates[target]
        pull = Pull(np.zeros((x.size, x.size)), np.zeros(x.size))
        wide = np.full(x.size, _WIDEST)

        def maximise(point: FloatArray, held: BoolArray) -> tuple[float, FloatArray]:
            found = climb(terms.weighted, point, pull, Box(-wide, wide, ~held), _LIMITS)
            return found.value, found.theta

        return _Target(maximise, terms.scores)

    def _rectified(self) -> list[_Target]:
        return [self._rectified_target(i) for i in range(self.result.process.n_marks)]

    def _rectified_target(self, target: int) -> _Target:
        decay = self.result.process.rectified_rows[target, -1]

        def terms(theta: FloatArray) -> tuple[float, FloatArray, FloatArray]:
            return row_terms(self.events, target, theta, self.weights)

        def maximise(point: FloatArray, held: BoolArray) -> tuple[float, FloatArray]:
            found = best_row(self.events, self.weights, target, np.append(point, decay), ~held)
            return (-np.inf, point) if found is None else (found.value, found.theta[:-1])

        def scores(point: FloatArray) -> FloatArray:
            theta, each = np.append(point, decay), np.eye(self.weights.size)
            rows = (row_terms(self.events, target, theta, w * one)[1]
                    for w, one in zip(self.weights, each, strict=True))  # fmt: skip
            return np.array([row[:-1] for row in rows])

        return _Target(maximise, scores)
