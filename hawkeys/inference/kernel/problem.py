"""Expectation-maximisation over baseline, adjacency and kernel parameters: the steps.

The objective is sum_r w_r log L_r + log prior, with realisation weights w. Hidden are the parent of
each event, and the children that would fall beyond the end of a window: for fixed parents, with W
the present adjacency, S the survival function and E the expectation over lags beyond c,

    -W G(c) = W S(c) - W >= const + W S(c) E[log g_new(u) | u > c] - W     (u > c = end - t),

which bounds the compensator's dependence on the kernel from below and makes the update of the
kernel a weighted maximum likelihood of lags, seen and unseen. The adjacency is then set to its
optimum for the new kernel, expected children over mass in the window. So no step lowers the
objective.

References
----------
Dempster, A. P., Laird, N. M. and Rubin, D. B. (1977). Maximum likelihood from incomplete data via
the EM algorithm. JRSS B 39(1), 1-38. doi:10.1111/j.2517-6161.1977.tb01600.x

Veen, A. and Schoenberg, F. P. (2008). Estimation of space-time branching process models in
seismology using an EM-type algorithm. JASA 103(482), 614-624. doi:10.1198/016214508000000148

Varadhan, R. and Roland, C. (2008). Simple and globally convergent methods for accelerating the
convergence of any EM algorithm. Scandinavian Journal of Statistics 35(2), 335-353.
doi:10.1111/j.1467-9469.2007.00585.x
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hawkeys._loops import delayed as loops
from hawkeys._loops.choice import usual_form
from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys.events import Events
from hawkeys.inference.kernel.families import KernelStep, Parameters

__all__ = ["EMProblem", "EMState", "Window"]

# of the rate of a mark, from the baseline, at the start
_FROM_BASELINE = 0.5
# of the square root of a rate, in one leap
_LEAST_SHARE = 0.1


@dataclass(frozen=True, eq=False)
class Window:
    """What the windows cut off under one kernel.

    Attributes
    ----------
    cost : ndarray, shape (n_marks, n_marks)
        Weighted mass within the windows, summed over the events of the source; 0 if excluded.
    tails : ndarray, shape (n_marks, n_marks, width)
        Statistics of the lags beyond the windows per unit of adjacency.
    """

    cost: FloatArray
    tails: FloatArray


@dataclass(frozen=True, eq=False)
class EMState:
    """Parameters, and what the expectation step found there.

    Attributes
    ----------
    x : ndarray, shape (n_marks, n_marks + 1)
        Baseline, then adjacency row, of each target.
    kernel : tuple of ndarray
        Kernel parameters, one row per group.
    window : Window
        Mass and tails under the kernel.
    objective : float
        Weighted log-likelihood and log prior, in nats.
    counts : ndarray, shape (n_marks, n_marks + 1)
        Expected number of events from the baseline and from each source.
    moments : ndarray, shape (n_groups, width)
        Statistics of the lags, seen and unseen.
    """

    x: FloatArray
    kernel: Parameters
    window: Window
    objective: float
    counts: FloatArray
    moments: FloatArray


@dataclass(frozen=True, eq=False)
class EMProblem:
    """Data and model.

    Attributes
    ----------
    events : Events
        The data.
    weights : ndarray, shape (n_realizations,)
        Weight of each realisation's log-likelihood.
    support : ndarray of bool, shape (n_marks, n_marks)
        Which pairs may be parent and child.
    groups : ndarray of int, shape (n_marks, n_marks)
        Group of each pair, 0 for those excluded.
    step : KernelStep
        The kernel family.
    baseline_floor : float
        Smallest baseline.
    """

    events: Events
    weights: FloatArray
    support: BoolArray
    groups: IntArray
    step: KernelStep
    baseline_floor: float

    @property
    def n_groups(self) -> int:
        """Number of groups of pairs."""
        return int(self.groups.max(initial=0)) + 1

    @property
    def time(self) -> float:
        """Weighted time observed."""
        return float(self.weights @ self.events.durations)

    @property
    def data(self) -> tuple[FloatArray, IntArray, IntArray, FloatArray, FloatArray]:
        """The data as the compiled code takes them."""
        events = self.events
        return events.times, events.marks, events.offsets, events.end_times, self.weights

    def compiled(self, kernel: Parameters) -> tuple[object, ...]:
        """Return the kernel as the compiled code takes it; excluded pairs have reach 0."""
        sets, reach = self.step.tabulate(kernel)
        within = np.where(self.support, reach[self.groups], 0.0)
        edges = usual_form(self.step.kernel.edges)
        return self.step.kernel.family, sets, edges, self.groups, within

    def window(self, kernel: Parameters) -> Window:
        """Return what the windows cut off under `kernel`."""
        size = self.events.n_marks
        cost = np.zeros((size, size))
        tails = np.zeros((size, size, self.step.width))
        loops.tails(self.data, self.compiled(kernel), cost, tails)
        return Window(cost, tails)

    def evaluate(self, x: FloatArray, kernel: Parameters, window: Window) -> EMState:
        """Take the expectation step at these parameters."""
        counts = np.zeros_like(x)
        moments = np.zeros((self.n_groups, self.step.width))
        likelihood = loops.responsibilities(
            self.data, self.rates(x, window), self.compiled(kernel), counts, moments
        )
        unseen = (x[:, 1:, None] * window.tails)[self.support]
        np.add.at(moments, self.groups[self.support], unseen)
        objective = float(likelihood - self.spent(x, window) + self.step.log_prior(kernel))
        return EMState(x, kernel, window, objective, counts, moments)

    def rates(self, x: FloatArray, window: Window) -> FloatArray:
        """Return the rates in proportion to which events are shared among possible parents."""
        return x

    def spent(self, x: FloatArray, window: Window) -> float:
        """Return what the objective pays for `x`."""
        return float((x * self.paid(window)).sum())

    def paid(self, window: Window) -> FloatArray:
        """Return the price of a unit of each rate, in expected events, shaped as x."""
        return np.column_stack((np.full(len(window.cost), self.time), window.cost))

    def advance(self, state: EMState, *, hold_kernel: bool = False) -> EMState:
        """Take one maximisation step and the expectation step after it."""
        kernel, window = state.kernel, state.window
        if not hold_kernel:
            kernel = self.step.maximise(state.moments, kernel)
            window = self.window(kernel)
        return self.evaluate(self.best(state.counts, window), kernel, window)

    def leap(self, states: tuple[EMState, EMState, EMState], longest: float) -> EMState:
        """Extrapolate three states in a row by the squared scheme of Varadhan and Roland (2008).

        It works on square roots of expected events and on the free kernel parameters, whose scatter
        is about the same for all. `longest` bounds the length of the step.
        """
        scale = self._scale(states[0])
        zero, one, two = (self._pack(state, scale) for state in states)
        first = one - zero
        second = two - one - first
        bend = float(np.linalg.norm(second))
        length = min(float(np.linalg.norm(first)) / bend, longest) if bend > 0 else longest
        if length <= 1.0:
            return states[2]
        point = zero + 2.0 * length * first + length**2 * second
        return self._unpack(point, two, scale, states[2])

    def _scale(self, state: EMState) -> tuple[FloatArray, FloatArray]:
        """Return events per unit of each rate, and the square root of the lags of each group."""
        return self.paid(state.window), np.sqrt(self.step.amount(state.moments))

    def _pack(self, state: EMState, scale: tuple[FloatArray, FloatArray]) -> FloatArray:
        rates = np.sqrt(state.x * scale[0])
        return np.concatenate((rates.ravel(), self.step.pack(state.kernel, scale[1]).ravel()))

    def _unpack(
        self,
        point: FloatArray,
        two: FloatArray,
        scale: tuple[FloatArray, FloatArray],
        last: EMState,
    ) -> EMState:
        size = last.x.size
        # a rate may fall far, but not to 0, from where it could not come back
        roots = np.maximum(point[:size], _LEAST_SHARE * two[:size]).reshape(last.x.shape)
        x = np.divide(roots**2, scale[0], out=np.zeros_like(last.x), where=scale[0] > 0)
        x[:, 0] = np.maximum(x[:, 0], self.baseline_floor)
        kernel = self.step.unpack(point[size:], scale[1], last.kernel)
        return self.evaluate(x, kernel, self.window(kernel))

    def point(self, state: EMState) -> FloatArray:
        """Return what Newton steps move instead of the rates, shaped as x: here the rates."""
        return state.x

    def at(self, point: FloatArray, kernel: Parameters) -> EMState:
        """Return the state at a `point` of Newton steps and a kernel."""
        return self.evaluate(point, kernel, self.window(kernel))

    def lowest(self, state: EMState) -> FloatArray:
        """Return the lower bounds of `point`."""
        lower = np.zeros_like(state.x)
        lower[:, 0] = self.baseline_floor
        return lower

    def pull(self, state: EMState) -> FloatArray:
        """Return the gradient by `point` that the expectation step tells; 0 where it tells none."""
        events = np.divide(state.counts, state.x, out=np.zeros_like(state.x), where=state.x > 0)
        return np.where(state.x > 0, events - self.paid(state.window), 0.0)

    def by_point(
        self, state: EMState, slope: FloatArray, information: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return gradient and information by `point` from those of sum w log lambda by `rates`."""
        return slope - self.paid(state.window), information

    def chain(self, state: EMState) -> FloatArray:
        """Return the derivative of `rates` by `point`, shaped as x."""
        return np.ones_like(state.x)

    def by_mass(self, state: EMState) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return how the price of the rates depends on the mass within the windows, by pair.

        Its derivative; the second one; and that by `point` of the derivative, (n_marks, n_marks).
        """
        none = np.zeros_like(state.window.cost)
        return state.x[:, 1:], none, np.ones_like(none)

    def start(self, kernel: Parameters) -> EMState:
        """Return the state at `kernel` with a part of every rate from the baseline."""
        return self.evaluate(self.start_rates(), kernel, self.window(kernel))

    def start_rates(self) -> FloatArray:
        """Return rates under which the baseline brings about half of the events of each mark."""
        count = self.weights @ self.events.counts
        sources = self.support @ count
        children = (1.0 - _FROM_BASELINE) * count
        row = np.divide(children, sources, out=np.zeros_like(count), where=sources > 0)
        baseline = np.maximum(_FROM_BASELINE * count / self.time, self.baseline_floor)
        x = np.column_stack((baseline, np.where(self.support, row[:, None], 0.0)))
        return x

    def best(self, counts: FloatArray, window: Window) -> FloatArray:
        """Return the best baseline and adjacency for the expected counts."""
        baseline = np.maximum(counts[:, 0] / self.time, self.baseline_floor)
        paid = np.where(window.cost > 0, window.cost, 1.0)
        return np.column_stack((baseline, np.where(window.cost > 0, counts[:, 1:] / paid, 0.0)))

    def prune(self, state: EMState, largest: float) -> EMState:
        """Return the state with parameters set to 0 that fall towards it, if that is no worse.

        They explain fewer than `largest` events and the next step would lower them.
        """
        held = self.best(state.counts, state.window)
        explained = state.x * self.paid(state.window)
        doomed = (explained < largest) & (held < state.x)
        if self.baseline_floor > 0:
            doomed[:, 0] = False
        if not doomed.any():
            return state
        pruned = self.evaluate(np.where(doomed, 0.0, state.x), state.kernel, state.window)
        return pruned if pruned.objective >= state.objective else state
