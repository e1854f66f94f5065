"""Stochastic variational inference: the published algorithm."""

from __future__ import annotations

import numpy as np

from hawkeys._design import Design
from hawkeys._loops import stochastic as loops
from hawkeys._typing import FloatArray, IntArray
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference.options import StochasticVIOptions
from hawkeys.inference.priors.row_priors import RowPriors
from hawkeys.inference.rows.bound import base_draws
from hawkeys.inference.rows.inclusion import switched_off
from hawkeys.inference.rows.solution import Solution
from hawkeys.inference.rows.variational import evidence_bound, variational_solution

__all__ = ["solve_vi_stochastic"]

_BOUND_DRAWS, _BOUND_SEED = 128, 0


def solve_vi_stochastic(
    design: Design, options: StochasticVIOptions, seeds: IntArray, *, keep: bool
) -> Solution:
    """Run Adam on one posterior draw per step; every row problem has a seed of its own."""
    settings = np.array(
        [
            options.learning_rate,
            options.learning_rate_factor,
            options.first_moment,
            options.second_moment,
            options.epsilon,
            options.prior_coefficient,
            options.damping if options.relevance_determination else 0.0,
            options.start_location,
            options.start_scale,
            options.start_jitter,
        ]
    )
    steps = np.array([options.n_steps, options.update_every])
    out, traces = loops.ascend_rows(
        design.excitation, design.weights, design.offsets, design.cost, settings, steps, seeds
    )
    _check_finite(out, design, options)
    params = np.ascontiguousarray(out[:, :2])
    # the same draws for every row, so that no row's bound depends on the rows beside it
    draws = base_draws(_BOUND_DRAWS, design.n_columns + 1, _BOUND_SEED)
    n_blocks = design.n_blocks
    return variational_solution(
        design,
        params,
        RowPriors.half_normal(out[:, 2]),
        off=switched_off(design, params) if options.relevance_determination else None,
        objective=evidence_bound(design, params, out[:, 2], draws),
        gap=np.full(n_blocks, np.nan),
        # a fixed number of steps has no stopping rule that could fail
        converged=np.ones(n_blocks, dtype=bool),
        n_iterations=np.full(n_blocks, options.n_steps),
        traces=traces if keep else np.empty((0, 0)),
    )


def _check_finite(out: FloatArray, design: Design, options: StochasticVIOptions) -> None:
    """Refuse posteriors that left the range of numbers; `out` is (n_blocks, 3, P)."""
    lost = np.flatnonzero(~np.isfinite(out).all(axis=(1, 2)))
    if lost.size:
        realization, target = divmod(int(lost[0]), design.n_blocks_each)
        where = f"row problem {target} of realization {realization}"
        raise InvalidParameterError(
            f"the steps of method 'vi_stochastic' left the range of numbers in {lost.size} of "
            f"{len(out)} row problems, first in {where}, with learning_rate="
            f"{options.learning_rate:g} and learning_rate_factor={options.learning_rate_factor:g}. "
            "Lower them (0.01 and 0.9999 by default), or use method 'vi'."
        )
