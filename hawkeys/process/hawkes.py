"""`Hawkes`: a multivariate Hawkes process with fixed parameters."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np

from hawkeys._design import Design, SelectedRows
from hawkeys._loops.choice import has_many_marks
from hawkeys._typing import ArrayLike, FloatArray
from hawkeys._validation import brief, check_nonnegative, check_shape, check_square, same_names
from hawkeys.baselines import Baseline, Constant
from hawkeys.baselines.checks import check_pieces
from hawkeys.events import Events
from hawkeys.events._checks import name_marks
from hawkeys.events.windows import history_before
from hawkeys.exceptions import InvalidParameterError, UnstableProcessError
from hawkeys.kernels import Exponential, Kernel, Productive
from hawkeys.kernels.after_history import AfterHistory
from hawkeys.process.base import Process, check_events, read_for
from hawkeys.productivity import Productivity, as_productivity

__all__ = ["Hawkes", "choose_kernel", "with_productivity"]

# pairs above 0, one in so many of all at most, whose columns are quicker written out alone
_FEW_PAIRS = 4


class Hawkes(Process):
    r"""A multivariate Hawkes process with fixed parameters.

    The intensity of mark i is

    .. math:: \lambda_i(t) = \mu_i(t) + \sum_j W_{ij} \sum_{t_{jl} < t} g_{ij}(t - t_{jl}),

    with g a density, so that ``adjacency[i, j]`` is the expected number of direct children of mark
    i from one event of mark j: columns act on rows. Simultaneous events do not excite each other.

    Parameters
    ----------
    baseline : array_like, shape (n_marks,), or Baseline
        Rates mu >= 0 of events that nothing excites, per unit of time: constant, or a function of
        time with its rates given, such as ``baselines.Periodic([0, 8], 24, rates=...)``.
    adjacency : array_like, shape (n_marks, n_marks)
        Branching matrix W >= 0, target by source; no unit.
    decay : float or array_like, shape (), (n_marks,) or (n_marks, n_marks), optional
        Short for ``kernel=Exponential(decay)``.
    kernel : Kernel, optional
        Excitation kernel. Give either this or `decay`.
    mark_names : iterable, length n_marks, optional
        Labels of the marks. Default: "0", "1", ...
    productivity : Productivity, optional
        How many children an event has by its value (`Events.values`), relative to `adjacency`, one
        of `hawkeys.productivity`. Default: the values of events do not matter.

    Attributes
    ----------
    baseline : ndarray of float64, shape (n_marks,)
        The baseline; if it changes over time its mean, see `Baseline.mean_rates`.
    baseline_function : Baseline
        The baseline as a function of time.
    adjacency, mark_names
        As given.
    kernel : Kernel
        As given; with a productivity it is a `kernels.Productive` of both.

    Raises
    ------
    InvalidParameterError
        Wrong shape, a negative or non-finite value, or not exactly one of `decay` and `kernel`.

    References
    ----------
    Hawkes, A. G. (1971). Spectra of some self-exciting and mutually exciting point processes.
    Biometrika 58(1), 83-90. doi:10.1093/biomet/58.1.83

    Examples
    --------
    >>> import hawkeys
    >>> process = hawkeys.Hawkes(baseline=[0.4, 0.2], adjacency=[[0.3, 0.1], [0, 0.5]], decay=2.0)
    >>> round(process.spectral_radius, 3)
    0.5
    >>> process.stationary_rate
    array([0.62857143, 0.4       ])
    """

    def __init__(
        self,
        baseline: ArrayLike | Baseline,
        adjacency: ArrayLike,
        *,
        decay: ArrayLike | None = None,
        kernel: Kernel | None = None,
        mark_names: Iterable[object] | None = None,
        productivity: Productivity | None = None,
    ) -> None:
        mark_names, baseline, adjacency, decay = same_names(
            mark_names, baseline=baseline, adjacency=adjacency, decay=decay
        )
        matrix = check_square(check_nonnegative(adjacency, "adjacency"), "adjacency")
        function = _baseline_function(baseline, matrix.shape[0])
        self.baseline_function = function
        self.baseline = rates = function.mean_rates
        self.adjacency = matrix
        self.kernel = choose_kernel(decay, kernel)
        if productivity is not None:
            self.kernel = with_productivity(self.kernel, productivity)
        self.kernel.check_marks(self.n_marks)
        self.mark_names = name_marks(mark_names, self.n_marks, np.empty(0, dtype=np.int64))
        rates.flags.writeable = matrix.flags.writeable = False

    @classmethod
    def of_estimates(
        cls,
        rates: FloatArray,
        adjacency: FloatArray,
        kernel: Kernel,
        mark_names: tuple[str, ...],
    ) -> Hawkes:
        """Return a process with constant baselines, without the checks of a caller's numbers.

        Parameters
        ----------
        rates : ndarray of float64, shape (n_marks,)
            Baselines.
        adjacency : ndarray of float64, shape (n_marks, n_marks)
            Target by source.
        kernel : Kernel
            For as many marks.
        mark_names : tuple of str, length n_marks
            Labels of the marks.

        Returns
        -------
        Hawkes
            It keeps copies of the arrays.

        Raises
        ------
        InvalidParameterError
            An estimate is not finite.
        """
        if not (np.isfinite(rates).all() and np.isfinite(adjacency).all()):
            return cls(rates, adjacency, kernel=kernel, mark_names=mark_names)  # says which
        process = cls.__new__(cls)
        process.baseline, process.adjacency = rates.copy(), adjacency.copy()
        process.baseline.flags.writeable = process.adjacency.flags.writeable = False
        process.kernel, process.mark_names = kernel, mark_names
        return process

    @cached_property
    def baseline_function(self) -> Baseline:
        """The baseline as a function of time."""
        return Constant(self.baseline[:, None])

    @cached_property
    def spectral_radius(self) -> float:
        """Largest absolute eigenvalue of `mean_adjacency`; the process is stable below 1."""
        matrix = self.mean_adjacency
        if not np.isfinite(matrix).all():
            return float("inf" if np.isinf(matrix).any() else "nan")
        return float(np.abs(np.linalg.eigvals(matrix)).max())

    @property
    def productivity(self) -> Productivity | None:
        """How many children an event has by its value; None if values do not matter."""
        return self.kernel.productivity if isinstance(self.kernel, Productive) else None

    @property
    def mean_adjacency(self) -> FloatArray:
        """Expected direct children of an event whose value is not known, target by source.

        That is `adjacency`; with a productivity times its mean under the law of the values, which
        may be infinite, and is NaN if the law is not known.
        """
        if self.productivity is None:
            return self.adjacency
        mean = self.productivity.mean_factors(self.n_marks)
        if mean is None:
            return np.full_like(self.adjacency, np.nan)
        return self.adjacency * np.where(self.adjacency > 0, mean, 0.0)

    @property
    def stationary_rate(self) -> FloatArray:
        r"""Mean event rate of each mark, :math:`(I - W)^{-1} \mu`, shape (n_marks,).

        Of a periodic baseline :math:`\mu` is the mean over a period, and so is the rate.

        Raises
        ------
        UnstableProcessError
            The spectral radius is 1 or more, so that no stationary rate exists.
        InvalidParameterError
            The baseline is piecewise constant, and so says nothing of the time outside its knots;
            or the law of the values, which a productivity needs, is not known.
        """
        if np.isnan(self.spectral_radius):
            raise InvalidParameterError(
                "no stationary rate is known: the law of the values is not. Give the productivity "
                "its law=, such as productivity.ExponentialValues(mean)."
            )
        if self.spectral_radius >= 1:
            raise UnstableProcessError(
                f"no stationary rate exists: the spectral radius is {self.spectral_radius:.6g}, "
                "and it must be below 1. A fit with few events per parameter has too large an "
                "adjacency: estimate less with hawkeys.inference.penalty_path, or support=."
            )
        if not self.baseline_function.is_stationary:
            raise InvalidParameterError(
                "no stationary rate exists: the baseline is given for a stretch of time, "
                f"{brief(self.baseline_function)}. Its mean there is process.baseline."
            )
        rate = np.linalg.solve(np.eye(self.n_marks) - self.mean_adjacency, self.baseline)
        return rate.astype(np.float64)

    def log_likelihood_gradient(self, events: Any, **windows: Any) -> tuple[FloatArray, FloatArray]:
        """Return the gradient of the log-likelihood.

        Parameters
        ----------
        events : Events, frame, mapping or sequence
            Realisations with n_marks marks; all but Events need ``end_time``.
        **windows
            ``end_time``, ``start_time`` and all else that says how data are read, as for
            `hawkeys.fit`; marks are found by name.

        Returns
        -------
        baseline : ndarray of float64, shape (n_marks,) or (n_marks, n_pieces)
            Derivatives by the baseline, of one that changes over time by its rates.
        adjacency : ndarray of float64, shape (n_marks, n_marks)
            Derivatives by the adjacency.

        Raises
        ------
        InvalidEventsError
            `events` cannot be read, or has another number of marks.
        InvalidParameterError
            ``end_time`` is missing, or given beside Events.

        Examples
        --------
        >>> import hawkeys
        >>> process = hawkeys.Hawkes([0.5], [[0.0]], decay=1.0)
        >>> events = hawkeys.Events.from_lists([[[1.0, 3.0]]], end_times=4.0)
        >>> process.log_likelihood_gradient(events)[0]  # 2 / 0.5 - 4
        array([0.])
        """
        sample = read_for(self, self, events, windows)
        check_events(sample, self.n_marks)
        design = self._design(sample)
        x = self._parameters()
        gradient = design.value_and_gradient(x)[1]
        split = x.shape[1] - self.n_marks
        return (gradient[:, 0] if split == 1 else gradient[:, 1:split]), gradient[:, split:]

    def to_dict(self) -> dict[str, Any]:
        """Return the process as plain JSON types.

        Returns
        -------
        dict
            Keys baseline (a list, or of one that changes over time a dict), adjacency, kernel and
            mark_names.
        """
        function = self.baseline_function
        return {
            "baseline": self.baseline.tolist() if self._is_constant else function.to_dict(),
            "adjacency": self.adjacency.tolist(),
            "kernel": self.kernel.to_dict(),
            "mark_names": list(self.mark_names),
        }

    def __repr__(self) -> str:
        base = "" if self._is_constant else f"baseline={self.baseline_function!r}, "
        return (
            f"Hawkes(n_marks={self.n_marks}, {base}kernel={self.kernel!r}, "
            f"spectral_radius={self.spectral_radius:.4g})"
        )

    def _after(self, history: Any, events: Events) -> Hawkes:
        """Return the process with a kernel that knows the history; see `Process._after`."""
        past = history_before(events, history)
        return Hawkes(
            self.baseline_function,
            self.adjacency,
            kernel=AfterHistory(self.kernel, past),
            mark_names=self.mark_names,
        )

    def _log_likelihood(self, events: Events) -> float:
        kernel, x = self.kernel, self._parameters()
        if isinstance(kernel, Exponential) and self._has_few_pairs(events):
            return float(SelectedRows.build(events, kernel).log_likelihood(x).sum())
        return float(self._design(events).log_likelihood(x).sum())

    def _has_few_pairs(self, events: Events) -> bool:
        """Whether the excitations of few pairs count, and those of all are too many to write."""
        few = _FEW_PAIRS * np.count_nonzero(self.adjacency) <= self.adjacency.size
        return few and self._is_constant and has_many_marks(events.n_events, self.n_marks)

    def _intensity_at(self, events: Events, realization: int, times: FloatArray) -> FloatArray:
        excited = self.kernel.sums_at(events, realization, times, self.adjacency)
        ends = np.full_like(times, events.end_times[realization])
        function = self.baseline_function
        base = self.baseline if self._is_constant else function.at_within(times, ends)
        return self._where_observed(base, realization) + excited

    def _compensator_at(self, events: Events, realization: int, times: FloatArray) -> FloatArray:
        excited = self.kernel.sums_at(events, realization, times, self.adjacency, mass=True)
        starts = np.full_like(times, events.start_times[realization])
        base = self.baseline_function.integral(starts, times)
        return self._where_observed(base, realization) + excited

    def _held_until(self, end: float) -> Hawkes:
        """Return the process whose baseline goes on up to `end` as it is at its last moment."""
        return Hawkes(
            self.baseline_function.held_until(end),
            self.adjacency,
            kernel=self.kernel,
            mark_names=self.mark_names,
        )

    @property
    def _last(self) -> float:
        """The moment after which the baseline says nothing."""
        return self.baseline_function.last

    def _where_observed(self, base: FloatArray, realization: int) -> FloatArray:
        """Return a baseline (..., n_marks) that is 0 for marks not observed in a window."""
        observed = self.kernel.observed
        return base if observed is None else base * observed[realization]

    def _parameters(self) -> FloatArray:
        """Return the parameters as the columns of `_design`."""
        if self._is_constant:
            return np.column_stack((self.baseline, self.adjacency))
        unused = np.zeros(self.n_marks)
        return np.column_stack((unused, self.baseline_function.known_rates, self.adjacency))

    @property
    def _is_constant(self) -> bool:
        return isinstance(self.baseline_function, Constant)

    def _design(self, events: Events) -> Design:
        return Design.build(events, self.kernel, baseline=self.baseline_function)


def _baseline_function(baseline: ArrayLike | Baseline, n_marks: int) -> Baseline:
    """Return a baseline of known rates for as many marks; numbers are constants."""
    meaning = "one rate per mark of the adjacency"
    if not isinstance(baseline, Baseline):
        rates = np.atleast_1d(check_nonnegative(baseline, "baseline"))
        check_shape(rates, "baseline", (n_marks,), meaning)
        return Constant(rates[:, None])
    check_pieces(baseline)
    check_shape(baseline.known_rates[:, 0], "baseline.rates[:, 0]", (n_marks,), meaning)
    return baseline


def choose_kernel(decay: ArrayLike | None, kernel: Kernel | None) -> Kernel:
    """Return the kernel that exactly one of `decay` and `kernel` stands for.

    Raises `InvalidParameterError` if both or none is given, or `kernel` is none.
    """
    if decay is None and kernel is None:
        raise InvalidParameterError(
            "decay is missing: write decay='estimate' for hawkeys.fit to find it, decay=2.0 (per "
            "unit of time) if you know it, or kernel=."
        )
    if decay is not None and kernel is not None:
        raise InvalidParameterError(
            "give exactly one of decay (exponential kernel) and kernel; got both, "
            f"kernel={brief(kernel)}."
        )
    if kernel is None:
        return Exponential(decay)  # type: ignore[arg-type]
    if not isinstance(kernel, Kernel):
        raise InvalidParameterError(
            f"kernel must be a hawkeys.kernels.Kernel, got {brief(kernel)}. For a number use "
            "decay=."
        )
    return kernel


def with_productivity(kernel: Kernel, productivity: Any) -> Productive:
    """Return a kernel whose events count with a productivity, or the one of a name.

    Raises `InvalidParameterError` if there is no such productivity, the kernel has one already or
    is none that takes one.
    """
    if isinstance(kernel, Productive):
        raise InvalidParameterError(
            "the kernel has a productivity already; got another. Give productivity= or a "
            "kernels.Productive, not both."
        )
    return Productive(kernel, as_productivity(productivity))
