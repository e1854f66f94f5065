"""Maximum likelihood, and posterior modes, by Newton steps per row with an active set."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from hawkeys._design import Design
from hawkeys._loops.choice import Compiled, is_wide, perform
from hawkeys._plain import rows as plain
from hawkeys._plain import wide_rows as wide
from hawkeys._threads import in_threads
from hawkeys._typing import FloatArray, IntArray
from hawkeys._validation import brief
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference.options import MAPOptions, MLEOptions
from hawkeys.inference.priors.conjugate import GammaPrior
from hawkeys.inference.priors.penalties import Penalty
from hawkeys.inference.priors.penalty_terms import PenaltyTerms
from hawkeys.inference.rows.penalized import PenalizedRows
from hawkeys.inference.rows.smooth import solve_smooth
from hawkeys.inference.rows.solution import Solution

__all__ = [
    "finer_options",
    "precise_enough",
    "solve_map",
    "solve_mle",
    "solve_nearby",
    "solve_penalty",
    "solve_rows",
]

_NO_START = np.empty((0, 0))
# events of a row from which its last Newton step is taken and what it promises counted
_MANY = 20_000
# nats: with that step, and without, the value is then some 1e-10 from the maximum at most
_LOOSE, _TIGHT = 1e-5, 1e-10
# nanoseconds per event: of its logarithm, and of each column; and steps that a solution takes
_LOG, _COLUMN, _STEPS = 5, 1, 4
# rows of so many events are solved on one in 64 of them first, then on one in 8, then on all, with
# so many nats to gain at most where a part is left for the next
_PARTS, _PARTS_FROM, _ROUGH = (64, 8, 1), 20_000, 0.01

jit = Compiled("rows")


def solve_mle(
    design: Design,
    options: MLEOptions,
    seeds: IntArray,
    *,
    keep: bool,
    start: FloatArray = _NO_START,
) -> Solution:
    """Maximise the log-likelihood of every row problem; `keep` asks for information and traces.

    A `start` (n_blocks, n_columns + 1) near the maximum spares steps; the maximum is the same.
    """
    flat = np.zeros(design.cost.shape[1])
    return _solve(design, options, (flat, flat), keep, start)


def solve_nearby(
    design: Design, options: MLEOptions, start: FloatArray, *, precise: bool = True
) -> Solution:
    """Maximise the log-likelihood for its value alone; `precise` enough for differences."""
    if not precise:
        return solve_mle(design, options, np.empty(0, np.int64), keep=False, start=start)
    other_loops = design.weights.size > 0 or design.held is not None
    finer = finer_options(options, int(design.counts.min()), weighted=other_loops)
    return solve_mle(design, finer, np.empty(0, np.int64), keep=False, start=start)


def finer_options(options: MLEOptions, n_events: int, *, weighted: bool) -> MLEOptions:
    """Return options under which values are precise enough for differences.

    `n_events` is that of the row problem with the fewest.
    """
    fine = precise_enough(n_events, weighted=weighted)
    return replace(options, tolerance=fine if fine > _TIGHT else min(options.tolerance, fine))


def precise_enough(n_events: int, *, weighted: bool) -> float:
    """Return the tolerance at which a maximum's value is exact to 1e-10 nats or so."""
    return _LOOSE if n_events >= _MANY and not weighted else _TIGHT


def solve_map(design: Design, options: MAPOptions, seeds: IntArray, *, keep: bool) -> Solution:
    """Maximise the log posterior (without its normaliser) of every row problem."""
    prior = options.prior
    if isinstance(prior, GammaPrior):
        width = design.n_baselines, design.cost.shape[1] - design.n_baselines
        terms = np.repeat(prior.exponents(1), width), np.repeat(prior.rates(1), width)
        return _solve(design, options, terms, keep)
    _check_free(design, prior)
    return solve_penalty(design, options, prior.terms(design), keep=keep)


def solve_penalty(
    design: Design,
    options: MLEOptions,
    penalty: PenaltyTerms,
    *,
    keep: bool,
    start: FloatArray = _NO_START,
) -> Solution:
    """Maximise the log-likelihood less a penalty, given by column, of every row problem.

    A `start` (n_blocks, n_columns + 1) near the maximum spares steps; the maximum is the same.
    """
    if penalty.plain:
        none = np.zeros(design.cost.shape[1])
        return _solve(design, options, (none, penalty.slope), keep, start)
    given = start if start.size else None
    return PenalizedRows.of(design).solve(penalty, options.tolerance, options.max_iter, start=given)


def _check_free(design: Design, penalty: Penalty) -> None:
    """Refuse a baseline that is given beside a penalty."""
    if design.held is not None:
        raise InvalidParameterError(
            f"a baseline that is given is held by 'mle', and by 'map' with a GammaPrior; got the "
            f"penalty {brief(penalty)}. Leave the penalty out, or write baseline.with_rates(None)."
        )


def _solve(
    design: Design,
    options: MLEOptions,
    prior: tuple[FloatArray, FloatArray],
    keep: bool,
    start: FloatArray = _NO_START,
) -> Solution:
    exponents, rates = prior
    if design.roughness is not None:
        limits = float(options.tolerance), int(options.max_iter)
        return solve_smooth(design, limits, start, keep=keep)
    cost = design.cost + rates
    if design.excluded is not None:
        cost[design.excluded] = 0.0
    if design.held is not None:  # no prior on what is held
        cost = np.where(np.isnan(design.held), cost, design.cost)
    mixed = design.held is None and design.mapping is not None
    data = design.spread() if mixed else design
    x, report, information, traces = solve_rows(
        (data.excitation, data.weights, design.offsets),
        cost,
        exponents,
        (float(options.tolerance), int(options.max_iter)),
        start,
        keep,
        design.held,
    )
    return Solution(
        x=x,
        identified=cost > 0 if design.held is None else (cost > 0) & np.isnan(design.held),
        objective=report[:, 0],
        gap=report[:, 1],
        violation=report[:, 2],
        converged=report[:, 1] <= options.tolerance,
        n_iterations=report[:, 3].astype(np.int64),
        traces=traces,
        information=information if keep else None,
    )


def solve_rows(
    data: tuple[FloatArray, FloatArray, IntArray],
    cost: FloatArray,
    shape: FloatArray,
    limits: tuple[float, int],
    start: FloatArray,
    keep: bool,
    held: FloatArray | None = None,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Solve every row problem; see `hawkeys._jit.rows`.

    `data` are excitation, weights and offsets of a `Design`. Parameters that `held` (n_blocks, P)
    has a value for stay at it; those problems are solved without compiled code, whatever the size.
    Returns x (n_blocks, P); report (n_blocks, 4) with the objective, the gap bound, the violation
    of the optimality conditions and the number of iterations; and, if `keep`, the negative Hessians
    in x (n_blocks, P, P) and the objective's traces (n_blocks, max_iter), else empty arrays.
    """
    (excitation, _, offsets), (n_blocks, size) = data, cost.shape
    kept = n_blocks if keep else 0
    out = (
        np.zeros((n_blocks, size)),
        np.zeros((n_blocks, 4)),
        np.zeros((kept, size, size)),
        np.full((kept, limits[1]), np.nan),
    )
    work = _STEPS * (offsets[-1] * _LOG + excitation.size * _COLUMN * size + n_blocks * size**3)
    if held is not None:
        run = partial(plain.solve_held_rows, data, cost, shape, (*limits, 1), held, out)
        in_threads(run, n_blocks, work)
        return out
    if is_wide(offsets, size):
        run = partial(wide.solve_rows, data, cost, shape, (*limits, 1), start, out)
        in_threads(run, n_blocks, work)
        return out
    # rows of many events are solved on a part of them first
    in_parts = not start.size and np.diff(offsets).max(initial=0) >= _PARTS_FROM
    for level in _PARTS if in_parts else (1,):
        begin, settings = out[0].copy() if in_parts else start, (*limits, level)
        if level > 1:
            settings = _ROUGH, *settings[1:]
        given = data, cost, shape, settings, begin, out
        perform(
            plain.solve_rows, jit, given, excitation.size,
            n_rows=n_blocks, n_parts=n_blocks, work=work / level, is_sum=False,
        )  # fmt: skip
    return out
