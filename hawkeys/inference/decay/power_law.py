r"""Maximum likelihood over c and p of a power law, together with baseline and adjacency.

The profile, the log-likelihood maximised over all else, is searched on a grid of phi = (log c,
log(p - 1)), and climbed from the best point by Newton steps with its own curvature
:math:`S = C - \sum_i B_i^\top A_i^{-1} B_i`: A_i is the exact information of row i;
B_i (row by phi) and C (phi) are central differences. S is also the information of phi that is left
beside everything else, and gives the standard errors.

References
----------
Ogata, Y. (1983). Estimation of the parameters in the modified Omori formula for aftershock
frequencies by the maximum likelihood procedure. Journal of Physics of the Earth 31, 115-124.
doi:10.4294/jpe1952.31.115
"""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import scipy

from hawkeys._design import Design
from hawkeys._loops.choice import compiled_only
from hawkeys._typing import BoolArray, FloatArray
from hawkeys.exceptions import IdentifiabilityWarning, InvalidParameterError
from hawkeys.inference.decay.errors import information_beside
from hawkeys.inference.decay.problem import decay_bounds
from hawkeys.inference.kernel.errors import regular_inverse
from hawkeys.inference.methods import choose_method
from hawkeys.inference.outcome import result_of
from hawkeys.inference.rows.newton import solve_mle
from hawkeys.inference.task import Task
from hawkeys.kernels import PowerLaw
from hawkeys.results import LikelihoodResult

__all__ = ["fit_power_law"]

# while it is searched, so that differences are exact
_FINE = 1e-12
# of phi, for first and for second differences: right to 1e-6 and to 1e-4 or so
_STEP, _WIDE_STEP = 2e-3, 2e-2
# p - 1 of the power laws that data can tell from mass spread for ever, and from an exponential
_LEAST, _MOST = 0.02, 50.0
_GRID_OF_C, _GRID_OF_P = 6, np.log(np.array([0.05, 0.2, 0.6, 2.0, 8.0]))
_STEPS, _HALVINGS = 40, 30
# events from which loops are compiled, since the sums are made a hundred times
_MANY = 500
# nats that a step must promise
_GAIN = 1e-6
_LEVEL = 0.95
# degrees of freedom of what a kernel gains without excitation, beside one for each pair, as for
# log-normal kernels
_SEARCH = 3.0
# of phi, within which a maximum lies at the bound
_AT_EDGE = 1e-3

_TEXTS = {
    (0, -1): "c falls to the shortest lags of the data, {low:.4g}, as it does without a level part",
    (0, 1): "c rises to the longest window, {high:.4g}, as it does for a trend in the baseline",
    (1, -1): f"p falls to {1 + _LEAST:g}: nearly all its mass lies beyond the windows, and p and "
    "the adjacency cannot be told apart",
    (1, 1): f"p rises to {1 + _MOST:g}: the kernel is an exponential, of decay p / c",
}
_FAINT = "excitation gains {gain:.3g} nats over none, less than {hurdle:.3g}, as by chance"


class _Near(NamedTuple):
    """The log-likelihood near a point: its slope by phi (2,), and the blocks of the information."""

    slope: FloatArray
    rows: list[FloatArray]
    moves: list[tuple[FloatArray, FloatArray]]

    def curvature(self, x: FloatArray) -> FloatArray:
        """Return S (2, 2), the rows estimated beside phi."""
        out = np.sum([own for _, own in self.moves], axis=0)
        for a, (b, _), x_i in zip(self.rows, self.moves, x, strict=True):
            inverse = np.nan_to_num(regular_inverse(a, x_i > 0))
            out = out - b.T @ inverse @ b
        return np.asarray(out)


@dataclass(frozen=True, eq=False)
class _Search:
    """Data, options of the row problems, and the bounds of phi, (2, 2): lowest, highest."""

    task: Task
    settings: Any
    box: FloatArray

    def design(self, phi: FloatArray) -> Design:
        """Return the row problems at phi."""
        return self.task.design(_kernel(phi, _FINE))

    def solve(self, phi: FloatArray, start: FloatArray | None = None) -> tuple[float, FloatArray]:
        """Return the profile at phi and the columns there, (n_blocks, P)."""
        seeds = np.empty(0, np.int64)
        near = np.empty((0, 0)) if start is None else start
        found = solve_mle(self.design(phi), self.settings, seeds, keep=False, start=near)
        return float(found.objective.sum()), found.x

    def near(self, phi: FloatArray, x: FloatArray) -> _Near:
        """Return slope and information at phi, the columns x being those of its maximum."""
        design = self.design(phi)
        unit, size = np.eye(2), len(x)
        values: dict[tuple[int, ...], FloatArray] = {(0, 0): design.log_likelihood(x)}
        gradients = []
        for k in range(2):
            for sign in (1, -1):
                there = self.design(phi + sign * _WIDE_STEP * unit[k])
                at = (sign, 0) if k == 0 else (0, sign)
                values[at], gradient = there.value_and_gradient(x)
                gradients.append(gradient)
        for signs in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
            values[signs] = self.design(phi + _WIDE_STEP * np.array(signs)).log_likelihood(x)
        mixed = [(gradients[2 * k + 1] - gradients[2 * k]) / (2.0 * _WIDE_STEP) for k in range(2)]
        own = _second_differences(values)
        slope = [
            np.subtract(*(self.design(phi + s * _STEP * unit[k]).log_likelihood(x).sum()
                          for s in (1, -1))) / (2.0 * _STEP) for k in range(2)
        ]  # fmt: skip
        return _Near(
            np.array(slope),
            [design.information(b, x[b]) for b in range(size)],
            [(np.column_stack((mixed[0][b], mixed[1][b])), own[b]) for b in range(size)],
        )

    def held(self, phi: FloatArray, slope: FloatArray) -> BoolArray:
        """Return which coordinates lie at a bound that the slope points beyond, (2,)."""
        low, high = self.box
        return ((phi <= low + _AT_EDGE) & (slope < 0)) | ((phi >= high - _AT_EDGE) & (slope > 0))

    def without_excitation(self) -> float:
        """Return the log-likelihood maximised with the adjacency held at 0."""
        size = self.task.events.n_marks
        nothing = replace(self, task=replace(self.task, support=np.zeros((size, size), bool)))
        return nothing.solve(self.box.mean(axis=0))[0]


class _Top(NamedTuple):
    """The maximum: phi, columns, derivatives, what a step still promises, and if it was reached."""

    phi: FloatArray
    x: FloatArray
    value: float
    near: _Near
    gap: float


def fit_power_law(
    task: Task, kernel: PowerLaw, how: tuple[str, dict[str, Any]]
) -> tuple[LikelihoodResult, BoolArray]:
    """Fit baseline, adjacency, c and p.

    Parameters
    ----------
    task : Task
        Data and model, plain.
    kernel : PowerLaw
        Without c and p.
    how : tuple (method, options)
        Name of the method, and its options by name.

    Returns
    -------
    LikelihoodResult
        With ``kernel`` the estimated one, and standard errors that allow for it.
    ndarray of bool, shape (n_marks, n_marks)
        Pairs whose adjacency is not identified, of which a warning has told.

    Raises
    ------
    InvalidParameterError
        The method is not "mle", or an option is wrong.

    Warns
    -----
    IdentifiabilityWarning
        The likelihood rises to the edge of what the data can tell, or gains no more than chance.
    """
    if how[0] != "mle":
        raise InvalidParameterError(
            "c and p of PowerLaw are left out, and only the method 'mle' estimates them; got "
            f"method {how[0]!r}. Use it, or give c and p, for example those of a fit by 'mle'."
        )
    method, settings = choose_method(*how)
    low, high = decay_bounds(task.events)
    box = np.array([[-high, np.log(_LEAST)], [-low, np.log(_MOST)]])
    search = _Search(task, settings, box)
    with compiled_only() if task.events.n_events >= _MANY else nullcontext():
        top = _climb(search)
        faint = _faint(search, top.value)
    held = search.held(top.phi, top.near.slope)
    edges = {(k, 1 if top.near.slope[k] > 0 else -1) for k in range(2) if held[k]}
    reasons = [_TEXTS[edge].format(low=np.exp(-high), high=np.exp(-low)) for edge in sorted(edges)]
    told = np.full((task.events.n_marks,) * 2, bool(edges & {(0, 1), (1, -1)}) or faint is not None)
    estimated = np.array([faint is None and not {(k, 1), (k, -1)} & edges for k in range(2)])
    final = _kernel(top.phi, kernel.tolerance)
    design = task.design(final)
    solution = method.solve(design, settings, np.empty(0, np.int64), keep=True)
    found = result_of(task, final, design, solution, (method, settings))
    if not isinstance(found, LikelihoodResult):
        raise TypeError(f"method {method.name!r} returned no information")
    found = _with_kernel(found, task, top, estimated)
    found = replace(found, identified=found.identified & ~np.pad(told, ((0, 0), (1, 0))))
    if faint is not None:
        reasons = [faint]
    if reasons:
        warnings.warn(
            f"the power law is not identified by the data: {'; '.join(reasons)}. What is at a "
            "bound has no interval (kernel_std_err). Give c and p, or observe more.",
            IdentifiabilityWarning,
            stacklevel=4,
        )
    return found, told


def _with_kernel(
    found: LikelihoodResult, task: Task, top: _Top, estimated: BoolArray
) -> LikelihoodResult:
    """Return the result with what the estimation of c and p adds to it."""
    x, near = top.x, top.near
    information = found.information
    errors = np.full(2, np.nan)
    if estimated.any():
        variances = np.diagonal(regular_inverse(near.curvature(x), estimated))
        errors = np.sqrt(variances)
        information = np.array(information_beside(near.rows, x, near.moves, estimated))
    scales = np.exp(top.phi)  # c, and p - 1
    by_name = zip(PowerLaw.parameter_names, scales * errors, strict=True)
    return replace(
        found,
        information=information,
        kernel_std_err={name: np.asarray(error) for name, error in by_name},
        n_kernel_parameters=2,
        optimality_gap=found.optimality_gap + top.gap,
        converged=found.converged and top.gap <= _GAIN,
        options=dict(found.options) | task.as_options(),
    )


def _kernel(phi: FloatArray, tolerance: float) -> PowerLaw:
    """Return the power law of (log c, log(p - 1))."""
    return PowerLaw(float(np.exp(phi[0])), 1.0 + float(np.exp(phi[1])), tolerance=tolerance)


def _second_differences(values: dict[tuple[int, ...], FloatArray]) -> FloatArray:
    """Return minus the second derivatives by phi of each block's value, (n_blocks, 2, 2)."""
    middle = values[0, 0]
    first = values[1, 0] + values[-1, 0] - 2.0 * middle
    second = values[0, 1] + values[0, -1] - 2.0 * middle
    both = 0.25 * (values[1, 1] + values[-1, -1] - values[1, -1] - values[-1, 1])
    square = np.array([[first, both], [both, second]]) / _WIDE_STEP**2
    return -square.transpose(2, 0, 1)


def _climb(search: _Search) -> _Top:
    """Go through a grid, then from its best point up to the maximum nearby."""
    low, high = search.box
    margin = 0.05 * (high[0] - low[0])
    grid = [
        np.array([c, p])
        for c in np.linspace(low[0] + margin, high[0] - margin, _GRID_OF_C)
        for p in _GRID_OF_P
    ]
    values = [search.solve(phi)[0] for phi in grid]
    phi = grid[int(np.argmax(values))]
    value, x = search.solve(phi)
    for _ in range(_STEPS):
        near = search.near(phi, x)
        move, gap = _newton(near, x, search.held(phi, near.slope))
        better = _line_search(search, (phi, x, value), move) if gap > _GAIN else None
        if better is None:
            break
        phi, x, value = better
    return _Top(phi, x, value, near, gap)


def _newton(near: _Near, x: FloatArray, held: BoolArray) -> tuple[FloatArray, float]:
    """Return a step uphill of the coordinates that are not held, and the nats it promises."""
    move, free = np.zeros(2), np.flatnonzero(~held)
    if free.size == 0:
        return move, 0.0
    bend, vectors = np.linalg.eigh(near.curvature(x)[np.ix_(free, free)])
    # where the profile bends upwards, or hardly at all, a step as if it bent down as much
    bend = np.maximum(np.abs(bend), 1e-4 * max(float(np.abs(bend).max()), 1e-6))
    along = vectors.T @ near.slope[free]
    move[free] = vectors @ (along / bend)
    move /= max(1.0, float(np.abs(move).max()))
    return move, 0.5 * float(along @ (along / bend))


def _line_search(
    search: _Search, at: tuple[FloatArray, FloatArray, float], move: FloatArray
) -> tuple[FloatArray, FloatArray, float] | None:
    """Return the first point along the move, halved until it is higher; None if none is."""
    phi, x, value = at
    for halving in range(_HALVINGS):
        there = np.clip(phi + 0.5**halving * move, *search.box)
        found, columns = search.solve(there, x)
        if found > value:
            return there, columns, found
    return None


def _faint(search: _Search, value: float) -> str | None:
    """Return in words that the excitation gains no more than chance, None if it does."""
    size = search.task.events.n_marks
    pairs = size**2 if search.task.support is None else int(search.task.support.sum())
    hurdle = 0.5 * float(scipy.special.chdtri(pairs + _SEARCH, 1.0 - _LEVEL))
    gain = value - search.without_excitation()
    return _FAINT.format(gain=max(gain, 0.0), hurdle=hurdle) if gain < hurdle else None
