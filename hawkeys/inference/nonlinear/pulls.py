"""Penalties of `fit_nonlinear`, as terms of the objective of one target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hawkeys._typing import FloatArray
from hawkeys._validation import brief, check_nonnegative_number
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference.nonlinear.climb import Pull, roughness
from hawkeys.inference.priors.penalties import (
    ElasticNet,
    Lasso,
    Penalty,
    Ridge,
    penalty_from_dict,
)
from hawkeys.process.lag_filters import LagFilters
from hawkeys.process.predictor import Predictor

__all__ = ["check_penalty", "pull_of"]


def check_penalty(penalty: Any, usual: float) -> float | Penalty:
    """Return a penalty, a number of roughness or one on size; None is the usual number.

    Raises `InvalidParameterError` for anything else.
    """
    if penalty is None:
        return usual
    if isinstance(penalty, Mapping):  # of a saved result
        penalty = penalty_from_dict(dict(penalty))
    if isinstance(penalty, Ridge | Lasso | ElasticNet):
        return penalty
    if isinstance(penalty, Penalty):
        raise InvalidParameterError(
            f"penalty must be a number, Ridge, Lasso or ElasticNet; got {brief(penalty)}."
        )
    return check_nonnegative_number(penalty, "penalty")


def pull_of(penalty: float | Penalty, model: Predictor, target: int, n_marks: int) -> Pull:
    """Return what pulls the parameters of a target mark."""
    size, n_pieces = model.size(n_marks), model.n_pieces
    if isinstance(penalty, Penalty):
        pair = np.repeat(penalty.strengths(n_marks)[target], model.filters.n_filters)
        each = np.concatenate((np.full(n_pieces, penalty.baseline), np.tile(pair, model.n_orders)))
        share = penalty.l1_share
        return Pull(np.diag((1.0 - share) * each), share * each)
    return Pull(_rough(penalty, model, n_marks), np.zeros(size))


def _rough(penalty: float, model: Predictor, n_marks: int) -> FloatArray:
    """Return the matrix of a penalty on roughness; exponentials bear none."""
    filters, n_pieces = model.filters, model.n_pieces
    n_kernels = model.n_orders * n_marks
    if not isinstance(filters, LagFilters):
        return roughness(n_kernels, filters.n_filters, penalty, n_pieces)
    out = np.zeros((model.size(n_marks),) * 2)
    whole = roughness(n_kernels, filters.n_steps, penalty, 0)
    place = np.arange(n_kernels)[:, None] * filters.n_filters + np.arange(filters.n_steps)
    index = n_pieces + place.ravel()
    out[np.ix_(index, index)] = whole
    return out
