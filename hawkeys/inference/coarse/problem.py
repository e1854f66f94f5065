"""`Problem`: cells and the model that is fitted to them; its solution as a result."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hawkeys._typing import BoolArray, FloatArray
from hawkeys._version import __version__
from hawkeys.exceptions import ConvergenceWarning, IdentifiabilityWarning
from hawkeys.inference.coarse.cells import Cells
from hawkeys.inference.coarse.chain import Chain, split_parameters
from hawkeys.inference.coarse.climb import Climbed, climb
from hawkeys.inference.coarse.path import decay_profile, excitation_gain, without_excitation
from hawkeys.inference.decay.choice import choose_decay
from hawkeys.inference.decay.options import DecaySearch
from hawkeys.inference.decay.problem import DecayProblem
from hawkeys.inference.methods import choose_method
from hawkeys.inference.task import Task
from hawkeys.kernels import Exponential
from hawkeys.process import Hawkes
from hawkeys.results import LikelihoodResult
from hawkeys.results.decay_profile import DecayProfile

__all__ = ["Problem", "Solved"]

# times the width of a cell: decays at which children are all but at the time of their parent
_FASTEST = 20.0
# the same of the widest, beyond which exponentials leave the range of doubles
_SHORTEST = 300.0
# children of an event, from which the search sets out at least
_LEAST = 0.2
_RESTARTS = 2


@dataclass(frozen=True, eq=False)
class Solved:
    """Where the climb ended; `gain` over no excitation, in nats, is known up to `error`."""

    climbed: Climbed
    gain: float
    error: float
    profile: DecayProfile | None


@dataclass(frozen=True, eq=False)
class Problem:
    """Cells with what is fitted to them.

    Attributes
    ----------
    cells : Cells
        The data.
    support : ndarray of bool, shape (n_marks, n_marks)
        Pairs that may excite.
    decay : ndarray of float64, shape (n_marks,), or None
        Of each source; None: one for all is estimated.
    precision : float
        Monte Carlo error to end with, in standard errors.
    max_iter : int
        Most Newton steps.
    """

    cells: Cells
    support: BoolArray
    decay: FloatArray | None
    precision: float
    max_iter: int

    @property
    def free(self) -> BoolArray:
        """Parameters (P,) that data and model leave open: of marks with events, within support."""
        seen = self.cells.event_counts > 0
        rows = np.column_stack((seen, self.support & seen[:, None] & seen[None, :]))
        return np.append(rows.ravel(), self.decay is None)

    @property
    def bounds(self) -> tuple[float, float]:
        """Of the log of what decays are multiplied by, within what cells can tell."""
        if self.decay is not None:
            return 0.0, 0.0
        cells = self.cells
        longest = float((cells.end_times - cells.start_times).max())
        widths = cells.highs - cells.lows
        fastest = min(_FASTEST / float(np.median(widths)), _SHORTEST / float(widths.max()))
        return float(np.log(1.0 / longest)), float(np.log(max(fastest, 2.0 / longest)))

    def solve(self, rng: np.random.Generator) -> Solved:
        """Climb to the maximum and measure how high it is."""
        base = np.ones(self.cells.n_marks) if self.decay is None else self.decay
        chain = Chain(self.cells, base, rng)
        how: Any = {"precision": self.precision, "max_iter": self.max_iter}
        theta, profile = self._start(rng), None
        for _ in range(1 + _RESTARTS):
            climbed = climb(chain, theta, self.free, self.bounds, **how)
            if self.decay is not None or not self._excited(climbed.theta):
                profile = self._point(climbed)
                break
            profile, better = decay_profile(chain, climbed, self.free, self.bounds)
            if better is None:
                break
            theta = better
        gain, error = excitation_gain(chain, climbed.theta)
        if profile is not None:
            height = profile.objective + gain + without_excitation(self.cells)
            profile = replace(profile, objective=height, score=height)
        return Solved(climbed, gain, error, profile)

    def _excited(self, theta: FloatArray) -> bool:
        return bool(split_parameters(theta, self.cells.n_marks)[1].any())

    def _point(self, climbed: Climbed) -> DecayProfile | None:
        """Return the profile of no excitation, at one decay; None of a decay that was given."""
        if self.decay is not None:
            return None
        low, high = np.exp(self.bounds).tolist()
        zero = np.zeros(1)
        decays = np.exp(climbed.theta[-1:])
        return DecayProfile(decays, zero, zero, bounds=(low, high), limit="no excitation")

    def _start(self, rng: np.random.Generator) -> FloatArray:
        """Return the estimates from times spread evenly over their cells, none of them at 0."""
        task = Task.check(self.cells.as_events(self.cells.spread(rng)), self.support, None, {})
        how = choose_method("mle", {})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", IdentifiabilityWarning)
            if self.decay is None:
                decay = np.asarray(choose_decay(DecayProblem(task, *how, 0), DecaySearch()).chosen)
            else:
                decay = self.decay
        design = task.design(Exponential(decay))
        x = how[0].solve(design, how[1], np.empty(0, np.int64), keep=False).x
        least = np.full(x.shape, _LEAST / len(x))
        least[:, 0] = 0.1 * self.cells.event_counts / self.cells.total_time
        log = 0.0 if self.decay is not None else float(np.clip(np.log(decay), *self.bounds))
        return np.append(np.maximum(x, least).ravel(), log) * np.append(self.free[:-1], True)

    def result(self, solved: Solved, options: dict[str, Any], unit: str | None) -> LikelihoodResult:
        """Return the result, and warn of what the data do not tell."""
        cells, climbed, profile = self.cells, solved.climbed, solved.profile
        baseline, adjacency = split_parameters(climbed.theta, cells.n_marks)
        decay: Any = self.decay if profile is None else profile.chosen
        height = without_excitation(cells) + solved.gain
        gains = np.array(climbed.gains)
        identified = self._identified(solved)
        found = LikelihoodResult(
            process=Hawkes.of_estimates(baseline, adjacency, Exponential(decay), cells.mark_names),
            method="mle",
            log_likelihood=height,
            objective=height,
            optimality_gap=0.5 * climbed.step.promise,
            converged=climbed.converged,
            message=_message(solved),
            n_iterations=gains.size,
            trace=height - np.append(np.cumsum(gains[:0:-1])[::-1], 0.0),
            identified=identified,
            event_counts=cells.event_counts,
            n_realizations=cells.end_times.size,
            total_time=cells.total_time,
            options=options | ({} if profile is None else {"decay_sharing": "shared"}),
            version=__version__,
            kkt_residual=float(np.sqrt(climbed.step.promise / max(climbed.step.moved.size, 1))),
            information=_information(climbed, cells.n_marks),
            decay_profile=profile,
            n_kernel_parameters=int(profile is not None),
            unit=unit,
        )
        self._warn(found, solved)
        return found

    def _identified(self, solved: Solved) -> BoolArray:
        """Return which of baseline and adjacency the data determine, shape (D, D + 1)."""
        size = self.cells.n_marks
        heard = np.tile(self.cells.event_counts > 0, (size, 1)) & self.support
        profile = solved.profile
        if profile is not None:
            heard &= ~profile.held(size)
        return np.column_stack((np.ones(size, dtype=bool), heard))

    def _warn(self, found: LikelihoodResult, solved: Solved) -> None:
        from scipy.special import chdtri

        if not found.converged:
            warnings.warn(
                f"not converged: {found.message}. Raise max_iter, or precision.",
                ConvergenceWarning,
                stacklevel=5,
            )
        if self.decay is not None or solved.profile is None:
            return
        hurdle = 0.5 * float(chdtri(max(int(self.free[:-1].sum()) - len(found.adjacency), 1), 0.05))
        lower, upper = solved.profile.interval()
        if solved.gain <= hurdle:
            why = (
                f"with any decay the excitation gains less than {hurdle:.3g} nats over none, as "
                "chance alone lets it"
            )
        elif not (lower > 0 and np.isfinite(upper)):
            side = f"above {lower:.3g}" if lower > 0 else f"below {upper:.3g}"
            side = side if lower > 0 or np.isfinite(upper) else "anything"
            why = f"cells as wide as these tell only that it is {side}"
        else:
            return
        warnings.warn(
            f"the decay is not identified: {why}. Give a decay, or finer times.",
            IdentifiabilityWarning,
            stacklevel=5,
        )


def _message(solved: Solved) -> str:
    step = solved.climbed.step
    error = float(np.sqrt(step.noise / max(step.moved.size, 1)))
    return (
        f"the last step promised {0.5 * step.promise:.1e} nats; Monte Carlo error {error:.2g} "
        f"standard errors of the estimates, {solved.error:.2g} nats of the log-likelihood"
    )


def _information(climbed: Climbed, n_marks: int) -> FloatArray:
    """Return for each target the inverse covariance of its parameters, (D, D + 1, D + 1).

    The covariance allows for the decay and for the other targets, with which unknown times connect
    it, and for the Monte Carlo error.
    """
    moments, step = climbed.moments, climbed.step
    width = n_marks + 1
    diagonal = np.diagonal(moments.complete)[:-1].reshape(n_marks, width)
    out = np.array([np.diag(row) for row in diagonal])
    matrix = moments.observed if step.sure else moments.complete
    inverse = np.linalg.inv(matrix[np.ix_(step.moved, step.moved)])
    covariance = inverse + inverse @ moments.error[np.ix_(step.moved, step.moved)] @ inverse
    for i in range(n_marks):
        own = np.flatnonzero(step.moved // width == i)
        own = own[step.moved[own] < n_marks * width]
        if own.size:
            place = step.moved[own] % width
            block = np.linalg.inv(covariance[np.ix_(own, own)])
            out[i][np.ix_(place, place)] = 0.5 * (block + block.T)
    return out
