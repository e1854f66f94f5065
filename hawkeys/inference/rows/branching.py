"""Variational inference over the branching structure, for kernels that are given."""

from __future__ import annotations

import numpy as np
import scipy

from hawkeys._design import Design
from hawkeys._loops import branching as loops
from hawkeys._typing import FloatArray, IntArray
from hawkeys.inference.branching_options import BranchingVIOptions
from hawkeys.inference.rows.solution import Solution
from hawkeys.results.gamma_posterior import GammaPosterior

__all__ = ["prior_constant", "shared_events", "solve_vi_branching"]


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
    found, report, traces = loops.raise_rows(
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
        log_covariance=_linear_response(design, posterior) if keep else None,
    )


def _linear_response(design: Design, posterior: GammaPosterior) -> FloatArray:
    """Return the covariance of the logarithms that linear response gives, (n_blocks, P, P).

    The bound as a function of m = E log theta, plus t . m, has its optimum at m(t); dm/dt at t = 0
    is the inverse of minus the second derivatives of the bound.
    """
    out = np.full((*posterior.shape.shape, posterior.shape.shape[1]), np.nan)
    for b in range(design.n_blocks):
        used = ~np.isnan(posterior.shape[b])
        e = np.where(used, np.exp(np.where(used, posterior.mean_log[b], 0.0)), 0.0)
        counts, products = shared_events(design, b, e)
        index = np.ix_(used, used)
        spread = 1.0 / scipy.special.polygamma(1, posterior.shape[b, used]) - counts[used]
        out[b][index] = np.linalg.inv(products[index] + np.diag(spread))
    return out


def shared_events(design: Design, block: int, e: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the expected events of each column (P,), and the sum of products of shares (P, P).

    The events of a block are shared among its columns in proportion to e_p v_kp, e (P,).
    """
    counts, cross = np.empty(e.size), np.empty((e.size, e.size))
    own = slice(*design.offsets[block : block + 2])
    weights = design.weights[own] if design.weights.size else design.weights
    loops.share_events(design.block(block), weights, e, counts, cross)
    return counts, cross + np.tril(cross, -1).T


def prior_constant(shapes: FloatArray, rates: FloatArray) -> FloatArray:
    """Return what the priors' rates add to the bound, shape ln rate; 0 if improper."""
    return np.where(rates > 0, scipy.special.xlogy(shapes, np.where(rates > 0, rates, 1.0)), 0.0)


def _start(design: Design, shapes: FloatArray, used: np.ndarray) -> FloatArray:
    """Return shapes that give every parameter of a row an equal share of its events."""
    amount = design.counts.astype(np.float64)
    if design.weights.size:
        amount = np.add.reduceat(np.append(design.weights, 0.0), design.offsets[:-1])
        amount[design.counts == 0] = 0.0
    share = amount / np.maximum(used.sum(axis=1), 1)
    return shapes + share[:, None]
