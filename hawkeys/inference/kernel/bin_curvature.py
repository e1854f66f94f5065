r"""Exact derivatives of a log-likelihood, or of a variational bound, by the masses of histograms.

The excitation of a histogram is linear in its masses M: with C_kjb that of a bin of mass 1, the
rate at event k of target i is :math:`\lambda_k = e_{i0} + \sum_j e_{ij} \sum_b M_{sb} C_{kjb}`,
s the set of the pair; the mass within the windows is :math:`\sum_b M_{sb} K_{ijb}`. C and K are
those of `Histogram` kernels with all mass in one bin, as users evaluate them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hawkeys._design import Design
from hawkeys._typing import FloatArray
from hawkeys.inference.kernel.errors import LEAST_LAGS, touched
from hawkeys.inference.kernel.histogram_step import HistogramStep
from hawkeys.inference.kernel.problem import EMProblem, EMState
from hawkeys.kernels import Histogram

__all__ = ["Bins", "bin_curvature", "can_have_bins", "wake"]

# numbers that are kept, and masses beyond which their information is too large
_MOST_KEPT, _MOST_MASSES = 20_000_000, 2_000


def can_have_bins(problem: EMProblem) -> bool:
    """Tell whether the derivatives by the masses of all sets fit into memory."""
    n_bins = problem.step.width
    sets = touched(problem).sum(axis=0)
    events = problem.events.counts.sum(axis=0)
    return problem.n_groups * n_bins <= _MOST_MASSES and float(sets @ events) * n_bins <= _MOST_KEPT


# of the mass of a set that begins with one bin
_IN_BIN = 0.99


@dataclass(frozen=True, eq=False)
class Bins:
    """The row problems of histograms that have all mass in one bin.

    Attributes
    ----------
    problem : EMProblem
        The data.
    kept : tuple of Design
        One per bin, or none if they take too much memory and are computed when needed.
    """

    problem: EMProblem
    kept: tuple[Design, ...]

    @classmethod
    def of(cls, problem: EMProblem) -> Bins:
        """Compute them, if they are to be kept."""
        events = problem.events
        few = events.n_events * events.n_marks * problem.step.width <= _MOST_KEPT
        empty = cls(problem, ())
        return cls(problem, tuple(empty.each())) if few else empty

    def each(self) -> Iterator[Design]:
        """Return one after the other."""
        if self.kept:
            yield from self.kept
            return
        problem, edges = self.problem, self.problem.step.kernel.edges
        for masses in np.eye(edges.size - 1):
            yield Design.build(
                problem.events,
                Histogram(edges, masses),
                realization_weights=problem.weights,
                support=problem.support,
            )


@dataclass(frozen=True, eq=False)
class _Sums:
    """Sums over the events of all rows; S sets, B bins.

    Attributes
    ----------
    gradient : ndarray, shape (S, B)
        Of sum w log lambda by the masses.
    own : ndarray, shape (S, B, S, B)
        Minus its second derivatives by them.
    mixed : ndarray, shape (n_marks, S, B, n_marks + 1)
        Minus those by masses and rates.
    """

    gradient: FloatArray
    own: FloatArray
    mixed: FloatArray


def bin_curvature(
    problem: EMProblem, state: EMState, design: Design, bins: Bins
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return gradient and information of the objective by the points of all sets.

    Parameters
    ----------
    problem : EMProblem
        The data; the kernel is a histogram.
    state : EMState
        Where.
    design : Design
        Row problems at its kernel.
    bins : Bins
        Row problems of single bins.

    Returns
    -------
    score : ndarray, shape (F,)
        Gradient by the points of the sets, one after the other.
    mixed : ndarray, shape (n_marks, F, n_marks + 1)
        Information of points and of what Newton steps move instead of the rates.
    own : ndarray, shape (F, F)
        Information of the points.

    Raises
    ------
    TypeError
        The kernel is no histogram.
    """
    step = problem.step
    if not isinstance(step, HistogramStep):
        raise TypeError(f"bins are those of histograms; got {type(step).__name__}")
    sums = _over_events(problem, problem.rates(state.x, state.window), design, bins)
    mixed = sums.mixed * problem.chain(state)[:, None, None, :]
    first, second, by_point = problem.by_mass(state)
    cost = np.stack([one.cost[:, 1:] for one in bins.each()], axis=2)
    for i, j in np.argwhere(problem.support):
        s = problem.groups[i, j]
        sums.gradient[s] -= first[i, j] * cost[i, j]
        sums.own[s, :, s] += second[i, j] * np.outer(cost[i, j], cost[i, j])
        mixed[i, s, :, j + 1] += by_point[i, j] * cost[i, j]
    return _by_point(step, state.kernel[0], sums.gradient, mixed, sums.own)


def wake(problem: EMProblem, state: EMState, design: Design, bins: Bins) -> EMState | None:
    """Return the state with excitation of sets that have none, where one bin of them would gain.

    A kernel without excitation is anything, and the best one may have some. None if none gains.
    """
    idle = problem.step.amount(state.moments) <= LEAST_LAGS
    if not (idle[problem.groups] & problem.support).any():
        return None
    rows = [_Row.of(design, i, state.x[i]) for i in range(problem.events.n_marks)]
    best, rates, masses = np.zeros(problem.n_groups), state.x.copy(), state.kernel[0].copy()
    for b, one in enumerate(bins.each()):
        for i, j in np.argwhere(problem.support & idle[problem.groups]):
            height, s = one.block(i)[j], problem.groups[i, j]
            slope, bend = height @ rows[i].pull - one.cost[i, j + 1], height**2 @ rows[i].bend
            if slope > 0 and slope**2 > best[s] * bend:
                best[s] = slope**2 / bend
                rates[:, 1:][problem.support & (problem.groups == s)] = 0.0
                rates[i, j + 1] = slope / bend
                masses[s] = (1.0 - _IN_BIN) * state.kernel[0][s]
                masses[s, b] += _IN_BIN
    if not best.any():
        return None
    woken = problem.at(rates, (masses,))
    return woken if woken.objective > state.objective else None


def _by_point(
    step: HistogramStep,
    masses: FloatArray,
    by_mass: FloatArray,
    mixed: FloatArray,
    own: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the derivatives by the point that Newton steps move, the prior included."""
    n_sets, n_bins = masses.shape
    n_free = n_bins - 1
    moves = [step.by_point(m, g) for m, g in zip(masses, by_mass, strict=True)]
    jacobian = np.stack([move[0] for move in moves])
    score = np.einsum("sb,sbf->sf", by_mass, jacobian)
    out = np.einsum("sbtc,tcg->sbtg", own, jacobian)
    out = np.einsum("sbtg,sbf->sftg", out, jacobian)
    gradient, hessian = step.prior_derivatives((masses,))
    for s, (_, bend) in enumerate(moves):
        out[s, :, s] -= bend + hessian[s]
    by_row = np.einsum("isbp,sbf->isfp", mixed, jacobian)
    total = n_sets * n_free
    score += gradient
    return score.ravel(), by_row.reshape(len(mixed), total, -1), out.reshape(total, total)


def _over_events(problem: EMProblem, rates: FloatArray, design: Design, bins: Bins) -> _Sums:
    size, n_sets, n_bins = problem.events.n_marks, problem.n_groups, problem.step.width
    sums = _Sums(
        np.zeros((n_sets, n_bins)),
        np.zeros((n_sets, n_bins, n_sets, n_bins)),
        np.zeros((size, n_sets, n_bins, size + 1)),
    )
    touches = touched(problem)
    sets = [np.flatnonzero(touches[:, i]) for i in range(size)]
    shares = [  # rate of each source within each set
        np.where(problem.support[i] & (problem.groups[i] == own[:, None]), rates[i, 1:], 0.0)
        for i, own in enumerate(sets)
    ]
    rows = [_Row.of(design, i, rates[i]) for i in range(size)]
    by_bin = [np.zeros((own.size, n_bins, design.counts[i])) for i, own in enumerate(sets)]
    for b, one in enumerate(bins.each()):
        for i in range(size):
            block = one.block(i)
            by_bin[i][:, b] = shares[i] @ block
            moved = block @ rows[i].pull
            for j in np.flatnonzero(problem.support[i]):
                sums.mixed[i, problem.groups[i, j], b, j + 1] -= moved[j]
    for i, own in enumerate(sets):
        each = by_bin[i].reshape(own.size * n_bins, design.counts[i])
        sums.gradient[own] += (each @ rows[i].pull).reshape(-1, n_bins)
        scaled = each * rows[i].bend
        square = (scaled @ each.T).reshape(own.size, n_bins, own.size, n_bins)
        sums.own[np.ix_(own, np.arange(n_bins), own, np.arange(n_bins))] += square
        both = np.vstack((np.ones(each.shape[1]), design.block(i)))
        sums.mixed[i, own] += (scaled @ both.T).reshape(own.size, n_bins, size + 1)
    return sums


@dataclass(frozen=True, eq=False)
class _Row:
    """First and minus second derivative of w log lambda by lambda at each event of a row."""

    pull: FloatArray
    bend: FloatArray

    @classmethod
    def of(cls, design: Design, index: int, rates: FloatArray) -> _Row:
        """Compute them; the design has no events without weight."""
        rate = rates[0] + rates[1:] @ design.block(index)
        own = design.weights[design.offsets[index] : design.offsets[index + 1]]
        pull = (own if own.size else 1.0) / rate
        return cls(pull, pull / rate)
