"""Variational inference over the branching structure, for kernels that are given."""

from __future__ import annotations

import numpy as np
from scipy import special

from hawkeys._design import Design
from hawkeys._jit import branching as jit
from hawkeys._typing import FloatArray, IntArray
from hawkeys.gamma_posterior import GammaPosterior
from hawkeys.inference.branching_options import BranchingVIOptions
from hawkeys.inference.solution import Solution

__all__ = ["prior_constant", "solve_vi_branching"]


def solve_vi_branching(
    design: Design, options: BranchingVIOptions, seeds: IntArray, *, keep: bool
) -> Solution:
    """Raise the evidence bound of every row problem; `keep` asks for the traces."""
    width = design.n_baselines, design.n_columns + 1 - design.n_baselines
    shapes = np.repeat(options.prior.exponents(1) + 1.0, width)
    rates = np.repeat(options.prior.rates(1), width)
    cost = design.cost + rates
    if design.excluded is not None:
        cost[design.excluded] = 0.0
    if design.n_baselines > 1:  # x0 is held at 0
        cost[:, 0] = 0.0
    used = cost > 0
    found, report, traces = jit.raise_rows(
        design.excitation,
        design.weights,
        design.offsets,
        shapes,
        cost,
        _start(design, shapes, used),
        options.tolerance,
        options.max_iter,
    )
    constant = np.where(used, prior_constant(shapes, rates), 0.0).sum(axis=1)
    posterior = GammaPosterior(np.where(used, found, np.nan), np.where(used, cost, np.nan))
    return Solution(
        x=np.where(used, posterior.mean, 0.0),
        identified=used,
        objective=report[:, 0] + constant,
        gap=report[:, 1],
        converged=report[:, 1] <= options.tolerance,
        n_iterations=report[:, 2].astype(np.int64),
        traces=traces + constant[:, None] if keep else np.empty((0, 0)),
        posterior=posterior,
        prior_coefficient=np.full_like(cost, np.nan),
    )


def prior_constant(shapes: FloatArray, rates: FloatArray) -> FloatArray:
    """Return what the priors' rates add to the bound, shape ln rate; 0 if improper."""
    return np.where(rates > 0, special.xlogy(shapes, np.where(rates > 0, rates, 1.0)), 0.0)


def _start(design: Design, shapes: FloatArray, used: np.ndarray) -> FloatArray:
    """Return shapes that give every parameter of a row an equal share of its events."""
    amount = design.counts.astype(np.float64)
    if design.weights.size:
        amount = np.add.reduceat(np.append(design.weights, 0.0), design.offsets[:-1])
        amount[design.counts == 0] = 0.0
    share = amount / np.maximum(used.sum(axis=1), 1)
    return shapes + share[:, None]
