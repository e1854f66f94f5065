"""Finds kernels that the data do not determine: the likelihood rises up to the edge of the search.

A kernel of unknown scale can always be pushed beyond what windows show: a trend in the baseline is
excitation whose lags are longer than any window, a single burst is a kernel of no width, a power
law has no scale. Its parameters, and the adjacency that goes with them, then mean nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hawkeys._design import Design
from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys.inference.kernel.errors import LEAST_LAGS, colours, touched
from hawkeys.inference.kernel.problem import EMProblem, EMState
from hawkeys.inference.options import MLEOptions
from hawkeys.inference.rows.newton import solve_mle

__all__ = ["LEFT_OUT", "NONE", "Limits", "beyond_reach", "find_limits", "hurdle"]

_QUANTILE = 1.96
# degrees of freedom of what a kernel gains without excitation: for a search of its parameters, and
# for each pair and free mass of a histogram; see `hurdle`
_SEARCH, _PER_PAIR_OF_BINS, _PER_MASS = 1.0, 0.75, 0.5
_LEVEL = 0.95
# expected children up to which it is tried what a kernel gains, if it is not the only one
_FEW_LAGS = 20.0
# of the children that are expected, in the windows
_LEAST_SEEN = 0.05
_NAMED = 5
# direct children of an event beyond which a trend is left out
_LARGEST = 10.0
# expected children without which there is no kernel
_FEWEST = 5.0

NONE, FAINT, TREND, BURST, INSTANT, WIDE, FEW, FAR, IN_ALL = range(9)
# excitation that is set to 0
LEFT_OUT = TREND, IN_ALL
_BOUND = "The kernel returned is the one at that bound"
_TEXTS = {
    FAINT: "with any kernel the excitation gains less than {hurdle:.3g} nats over none",
    IN_ALL: "with any kernel the excitation gains less than {hurdle:.3g} nats over none. It is "
    "left out",
    FEW: f"fewer than {_FEWEST:.0f} lags show it",
    TREND: "its lags run off beyond what the windows show (the longest is {longest:.4g}), as they "
    "do for a trend in the baseline. That excitation is left out",
    FAR: "its lags cannot be told from ones beyond the longest window ({longest:.4g}), such as a "
    "trend in the baseline brings",
    BURST: "its spread falls to min_spread = {least:.4g}, as it does for bursts at one lag. "
    f"{_BOUND}; lower it if lags are that regular",
    INSTANT: f"its lags run off to the shortest between any two events. {_BOUND}",
    WIDE: "its spread runs off to the widest that the data can tell ({widest:.4g}), as it does "
    f"for a power law. {_BOUND}",
}


@dataclass(frozen=True, eq=False)
class Limits:
    """Which groups of pairs have no kernel, and why.

    Attributes
    ----------
    codes : ndarray of int, shape (n_groups,)
        0 where there is an estimate, else which limit it is.
    pairs : ndarray of bool, shape (n_marks, n_marks)
        Pairs (target, source) of the groups that have none.
    text : str
        Which limits they are and what was done; empty if there are none.
    """

    codes: IntArray
    pairs: BoolArray
    text: str

    @classmethod
    def of(cls, problem: EMProblem, codes: IntArray) -> Limits:
        """Return the limits of a problem with the names of its pairs."""
        pairs = problem.support & (codes[problem.groups] != NONE)
        facts = {
            "longest": float(problem.events.durations[problem.weights > 0].max()),
            "least": problem.step.box.spread[0],
            "widest": problem.step.box.spread[1],
        }
        parts, hurdles = [], hurdle(problem)
        for code in np.unique(codes[codes != NONE]):
            where = _named(problem, problem.support & (codes[problem.groups] == code))
            facts["hurdle"] = float(hurdles[codes == code].max())
            parts.append(f"{where}: {_TEXTS[int(code)].format(**facts)}")
        return cls(codes, pairs, "; ".join(parts))


def find_limits(problem: EMProblem, state: EMState, design: Design) -> IntArray:
    """Return which limit the kernel of each group has run into, 0 if none.

    Parameters
    ----------
    problem : EMProblem
        The data.
    state : EMState
        The maximum.
    design : Design
        Row problems of the support at its kernel.

    Returns
    -------
    ndarray of int64, shape (n_groups,)
        One code per group.
    """
    amount = problem.step.amount(state.moments)
    codes = np.full(problem.n_groups, NONE)
    some = amount > LEAST_LAGS
    if not problem.support.any():
        return codes
    if not some.any():  # without sources there is nothing to identify
        return np.full_like(codes, IN_ALL if (design.cost[:, 1:] > 0).any() else NONE)
    if problem.step.names:
        met = problem.step.edges_met(state.kernel)
        location, spread = met[:, 0], met[:, 1] * problem.step.spread_sign
        for code, there in (
            (INSTANT, location < 0), (WIDE, spread > 0), (BURST, spread < 0), (TREND, location > 0),
        ):  # fmt: skip
            codes[some & there] = code
    codes[some & (_seen(problem, state, design) < _LEAST_SEEN)] = TREND
    if problem.step.pseudo is None:
        codes[some & (codes == NONE) & (amount < _FEWEST)] = FEW
    weak = some & ((codes == NONE) | (codes == BURST))
    if problem.n_groups > 1:
        weak &= amount < _FEW_LAGS
    if problem.step.pseudo is None:
        faint = weak & (_gains(problem, state, design, weak) < hurdle(problem))
        codes[faint] = IN_ALL if problem.n_groups == 1 else FAINT
    return codes


def hurdle(problem: EMProblem) -> FloatArray:
    r"""Return what the excitation of each group must gain, in nats, to be more than chance.

    Half the 95 % quantile of chi-square with as many degrees of freedom as an empirical rule says:
    :math:`E + k + 1` for a kernel with k parameters that are searched for (log-normal, gamma), and
    :math:`\tfrac34 E + \tfrac12 k`, but at least 1, for a histogram with k free masses; E is the
    number of pairs that share the kernel. No theory has it: without excitation the kernel's
    parameters mean nothing (Davies 1987), and entries and masses cannot be below 0.

    Parameters
    ----------
    problem : EMProblem
        The data; the pairs of its support that have events of the source count.

    Returns
    -------
    ndarray of float64, shape (n_groups,)
        Of a log-normal kernel of one pair 4.74.

    Notes
    -----
    The rule follows simulated Poisson data of 30 to 400 events a mark, one to three marks, one or
    20 windows and 2 to 16 bins (benchmarks/kernel_null.py): 2 to 7 % of them keep a log-normal or
    gamma kernel, 0 to 6 % a histogram, fewest one of few bins or few events.

    References
    ----------
    Davies, R. B. (1987). Hypothesis testing when a nuisance parameter is present only under the
    alternative. Biometrika 74(1), 33-43. doi:10.1093/biomet/74.1.33
    """
    from scipy.special import chdtri

    heard = problem.support & (problem.events.counts.sum(axis=0) > 0)
    pairs = np.bincount(problem.groups[heard], minlength=problem.n_groups).astype(np.float64)
    n_free = problem.step.n_free
    if problem.step.names:
        freedom = pairs + n_free + _SEARCH
    else:
        freedom = np.maximum(_PER_PAIR_OF_BINS * pairs + _PER_MASS * n_free, 1.0)
    return np.asarray(0.5 * chdtri(freedom, 1.0 - _LEVEL))


def beyond_reach(problem: EMProblem, state: EMState, error: FloatArray) -> IntArray:
    """Return which groups have lags that may as well lie beyond every window.

    Parameters
    ----------
    problem : EMProblem
        The data.
    state : EMState
        The maximum.
    error : ndarray, shape (n_groups,)
        Standard error of the first free parameter, the location; NaN where there is none.

    Returns
    -------
    ndarray of int64, shape (n_groups,)
        A code where its 95 % interval reaches the longest window: a trend, if the adjacency has
        left what a process can have; else 0.
    """
    away = problem.step.box.location[1] - problem.step.free(state.kernel)[:, 0]
    largest = np.zeros(problem.n_groups)
    np.maximum.at(largest, problem.groups[problem.support], state.x[:, 1:][problem.support])
    code = np.where(largest > _LARGEST, TREND, FAR)
    return np.where(np.nan_to_num(error) * _QUANTILE > away, code, NONE)


def _named(problem: EMProblem, pairs: BoolArray) -> str:
    if (pairs == problem.support).all():
        return "the kernel"
    names = problem.events.mark_names
    first = [f"({names[i]}, {names[j]})" for i, j in np.argwhere(pairs)[:_NAMED]]
    more = ", ..." if pairs.sum() > _NAMED else ""
    return f"the kernel of the pairs (target, source) {', '.join(first)}{more}"


def _seen(problem: EMProblem, state: EMState, design: Design) -> FloatArray:
    """Return the part of the expected children of each group that the windows can show."""
    sources = problem.weights @ problem.events.counts
    within, all_of_them = np.zeros(problem.n_groups), np.zeros(problem.n_groups)
    own = problem.groups[problem.support]
    np.add.at(within, own, (state.x * design.cost)[:, 1:][problem.support])
    np.add.at(all_of_them, own, (state.x[:, 1:] * sources)[problem.support])
    return np.divide(within, all_of_them, out=np.ones_like(within), where=all_of_them > 0)


def _gains(problem: EMProblem, state: EMState, design: Design, weak: BoolArray) -> FloatArray:
    """Return by how much the log-likelihood falls without each of the weak groups, in nats."""
    out = np.full(problem.n_groups, np.inf)
    touches = touched(problem)
    full = _row_values(design, state.x)
    for together in colours(touches.astype(float) @ touches.T > 0, weak):
        left_out = np.isin(problem.groups, together) & problem.support
        excluded = np.column_stack((np.zeros(len(left_out), dtype=bool), ~problem.support))
        excluded[:, 1:] |= left_out
        start = np.where(excluded, 0.0, state.x)
        start[:, 0] = np.maximum(start[:, 0], design.counts / problem.time * 1e-2)
        fall = (
            full
            - solve_mle(
                replace(design, excluded=excluded),
                MLEOptions(tolerance=1e-3),
                np.empty(0, np.int64),
                keep=False,
                start=start,
            ).objective
        )
        for s in together:
            out[s] = fall[touches[s]].sum()
    return out


def _row_values(design: Design, x: FloatArray) -> FloatArray:
    """Return the weighted log-likelihood of each row."""
    return design.value_and_gradient(x)[0]
