"""`bootstrap`: the spread of estimates over simulated or resampled data, each fitted again."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from hawkeys._progress import Verbose, told
from hawkeys._typing import BoolArray, FloatArray, IntArray, RandomState
from hawkeys._validation import check_choice, check_count, check_jobs, check_level, seeded
from hawkeys.events import Events
from hawkeys.exceptions import (
    ConvergenceWarning,
    HawkeysError,
    HawkeysWarning,
    InvalidParameterError,
)
from hawkeys.inference.post_estimation.refits import (
    check_same_events,
    events_of_fit,
    fit_again,
    simulate_like,
)
from hawkeys.inference.task import check_weights
from hawkeys.results.frames import parameter_frame, piece_labels

if TYPE_CHECKING:
    import pandas as pd
from hawkeys.results.fit_result import FitResult
from hawkeys.results.nonlinear import LinkedResult

__all__ = ["BootstrapResult", "bootstrap"]

_KINDS = ("parametric", "realizations")
_INTERVALS = ("percentile", "basic")
_ADVICE = "Use profile_interval, or fit with a faster decay."
_PER_JOB = 4


@dataclass(frozen=True, eq=False, repr=False)
class BootstrapResult:
    """Estimates of the parameters in replicates of the data.

    Attributes
    ----------
    kind : str
        "parametric" or "realizations".
    estimates : ndarray of float64, shape (n_marks, n_marks + 1)
        Those of the fit; NaN if not identified.
    replicates : ndarray of float64, shape (n_fitted, n_marks, n_marks + 1)
        Those of the replicates that could be fitted; NaN where a replicate does not identify a
        parameter (one without events of the source, say).
    n_failed : int
        Replicates that could not be fitted; they are left out.
    reasons : tuple of str
        Why, once each.
    seed : int or None
        Seed of the replicates; None if a generator was handed in.
    mark_names : tuple of str
        Labels of the marks.
    pieces : tuple of str or None, length n_pieces
        Labels of the pieces of the baseline; ``(None,)`` if it is constant, and the shapes are
        those stated, else (n_marks, n_pieces + n_marks).
    lowest : float or ndarray of float64, shape (P,)
        Smallest value of each parameter: 0, or minus infinity where there is no bound.
    places : pandas.DataFrame or None
        What each parameter of `hawkeys.fit_nonlinear` is, whose arrays have P for n_marks + 1.
    """

    kind: str
    estimates: FloatArray
    replicates: FloatArray
    n_failed: int
    reasons: tuple[str, ...]
    seed: int | None
    mark_names: tuple[str, ...]
    pieces: tuple[str | None, ...] = (None,)
    lowest: FloatArray | float = 0.0
    places: pd.DataFrame | None = None

    @property
    def n_identified(self) -> IntArray:
        """How many replicates identify each parameter, shape (n_marks, n_marks + 1)."""
        return (~np.isnan(self.replicates)).sum(axis=0)

    @property
    def std_err(self) -> FloatArray:
        """Standard deviation over replicates (n - 1), shape (n_marks, n_marks + 1)."""
        deviation = self.replicates - self._mean()
        square = np.nansum(deviation * deviation, axis=0)
        variance = square / np.maximum(self.n_identified - 1, 1)
        return np.where(self._usable, np.sqrt(variance), np.nan)

    @property
    def bias(self) -> FloatArray:
        """Mean over replicates less the estimate, shape (n_marks, n_marks + 1)."""
        return self._mean() - self.estimates

    def interval(
        self, level: float = 0.95, *, kind: str = "percentile"
    ) -> tuple[FloatArray, FloatArray]:
        """Return bootstrap intervals.

        Parameters
        ----------
        level : float, default 0.95
            Nominal coverage.
        kind : {"percentile", "basic"}, default "percentile"
            Quantiles of the replicates, or those reflected at the estimate, and cut at 0 where
            parameters cannot be negative.

        Returns
        -------
        lower, upper : ndarray of float64, shape (n_marks, n_marks + 1)
            Baseline, then adjacency row, of each target; NaN if not identified.

        Raises
        ------
        InvalidParameterError
            `level` is not strictly between 0 and 1; no such kind.
        """
        check_choice(kind, "kind", _INTERVALS)
        tail = 0.5 - 0.5 * check_level(level)
        low, high = np.full((2, *self.estimates.shape), np.nan)
        for place in zip(*np.nonzero(self._usable), strict=True):
            draws = (slice(None), *place)
            low[place], high[place] = np.nanquantile(self.replicates[draws], (tail, 1.0 - tail))
        if kind == "percentile":
            return low, high
        reflected = 2.0 * self.estimates - high, 2.0 * self.estimates - low
        return np.maximum(reflected[0], self.lowest), np.maximum(reflected[1], self.lowest)

    def to_frame(self, *, level: float = 0.95, kind: str = "percentile") -> pd.DataFrame:
        """Return one row per parameter.

        Parameters
        ----------
        level : float, default 0.95
            Level of the intervals.
        kind : {"percentile", "basic"}, default "percentile"
            Kind of the intervals.

        Returns
        -------
        pandas.DataFrame, shape (n_marks * (n_marks + 1), 9)
            Columns parameter ("baseline" or "adjacency"), target, source, estimate, bias, std_err,
            lower, upper and n_identified.

        Raises
        ------
        InvalidParameterError
            As `interval`.
        """
        lower, upper = self.interval(level, kind=kind)
        return parameter_frame(
            self.mark_names,
            self.pieces,
            self.places,
            estimate=self.estimates,
            bias=self.bias,
            std_err=self.std_err,
            lower=lower,
            upper=upper,
            n_identified=self.n_identified,
        )

    def __repr__(self) -> str:
        return (
            f"BootstrapResult(kind={self.kind!r}, n_fitted={len(self.replicates)}, "
            f"n_failed={self.n_failed})"
        )

    @property
    def _usable(self) -> BoolArray:
        return ~np.isnan(self.estimates) & (self.n_identified > 1)

    def _mean(self) -> FloatArray:
        total = np.nansum(self.replicates, axis=0)
        return np.where(self._usable, total / np.maximum(self.n_identified, 1), np.nan)


def bootstrap(
    result: Any,
    events: Any,
    *,
    kind: str = "parametric",
    n_replicates: int = 999,
    rng: RandomState = 0,
    n_jobs: int = 1,
    verbose: Verbose = False,
    **windows: Any,
) -> BootstrapResult:
    """Simulate or resample the data many times, and repeat the fit with each replicate.

    Parameters
    ----------
    result : LikelihoodResult, VariationalResult, ContrastResult, RectifiedResult or NonlinearResult
        A fit by any method, of any model. Of a variational fit the replicates are of the posterior
        means, and tell how they scatter over samples.
    events : Events, frame, mapping or sequence
        The events of the fit; all but Events need ``end_time``.
    kind : {"parametric", "realizations"}, default "parametric"
        Replicates are simulated from the fit on the same windows, or are as many realisations drawn
        with replacement (with their weights). The second does not need the model to be right, but
        the realisations to be independent and alike, and many: 30 at least.
    n_replicates : int, default 999
        Number of replicates; 999 for 95 % intervals.
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None, default 0
        Source of randomness; the same seed gives the same replicates, whatever `n_jobs`.
    n_jobs : int, default 1
        Processes; -1 for all cores.
    verbose : bool or callable, default False
        True shows how far it is on stderr; a function is called as ``verbose(what, done, total)``.
    **windows
        ``end_time``, ``start_time`` and all else that says how data are read, as for `hawkeys.fit`;
        marks are found by name.

    Returns
    -------
    BootstrapResult
        Frozen: the replicates' estimates, `interval`, `std_err`, `to_frame`, and how many re-fits
        failed.

    Raises
    ------
    InvalidParameterError
        The result is not of a likelihood method or not of these events, an argument is wrong, there
        is one realisation to resample, or more than half of the re-fits failed.
    InvalidEventsError
        `events` cannot be read, or have another number of marks.
    UnstableProcessError
        Simulated replicates grow without limit. On short windows a spectral radius of 1 or more is
        no obstacle.

    Warns
    -----
    ConvergenceWarning
        Some re-fits failed, that is did not converge or could not be made.

    Notes
    -----
    What the fit estimated of the kernel is estimated again, so that its uncertainty is included
    (the standard errors of a fit hold decays and histograms at their estimates). At and near the
    bound 0 the bootstrap is not consistent (Andrews 2000): use `profile_interval` there. Cost:
    n_replicates fits.

    References
    ----------
    Davison, A. C. and Hinkley, D. V. (1997). Bootstrap Methods and their Application, chapters 2
    and 5. Cambridge University Press. doi:10.1017/CBO9780511802843

    Andrews, D. W. K. (2000). Inconsistency of the bootstrap when a parameter is on the boundary of
    the parameter space. Econometrica 68(2), 399-405. doi:10.1111/1468-0262.00114

    Examples
    --------
    >>> import hawkeys
    >>> truth = hawkeys.Hawkes([0.5], [[0.5]], decay=2.0)
    >>> sample = hawkeys.simulate(truth, end_time=400.0, rng=0)
    >>> result = hawkeys.fit(sample, decay=2.0)
    >>> spread = hawkeys.inference.bootstrap(result, sample, n_replicates=199)
    >>> result.std_err.round(2), spread.std_err.round(2)
    (array([[0.05, 0.05]]), array([[0.05, 0.05]]))
    """
    check_choice(kind, "kind", _KINDS)
    count = check_count(n_replicates, "n_replicates", minimum=2)
    jobs = check_jobs(n_jobs)
    fitted = _check_fit(result, "bootstrap")
    events = events_of_fit(fitted, events, windows)
    check_same_events(fitted, events)
    if kind == "realizations" and events.n_realizations < 2:
        raise InvalidParameterError(
            "kind='realizations' draws realisations with replacement, and there is only one. Use "
            "kind='parametric', or cut the window into several realisations."
        )
    generator, seed = seeded(rng)
    plan = _Plan(fitted, events, kind)
    with told(verbose, "Fitting replicates", count) as done:
        outcomes = _run(plan, generator.spawn(count), jobs, done)
    kept = [outcome for outcome in outcomes if not isinstance(outcome, str)]
    reasons = tuple(dict.fromkeys(o for o in outcomes if isinstance(o, str)))
    _report(count - len(kept), count, reasons)
    return BootstrapResult(
        kind=kind,
        estimates=np.where(fitted.identified, fitted.estimates, np.nan),
        replicates=np.array(kept),
        n_failed=count - len(kept),
        reasons=reasons,
        seed=seed,
        mark_names=fitted.process.mark_names,
        **_labels(fitted),
    )


def _labels(fitted: Any) -> dict[str, Any]:
    """Return what the parameters of a fit are and how low they can be, as `BootstrapResult`."""
    function = getattr(fitted.process, "baseline_function", None)
    return {
        "pieces": (None,) if function is None else piece_labels(function),
        "lowest": getattr(fitted, "lowest", 0.0),
        "places": getattr(fitted, "places", None),
    }


def _check_fit(result: Any, what: str) -> FitResult | LinkedResult:
    """Return `result` if it is a fit by any method that converged, without a history."""
    if not isinstance(result, FitResult | LinkedResult):
        raise InvalidParameterError(
            f"{what} needs the result of hawkeys.fit, hawkeys.fit_rectified or "
            f"hawkeys.fit_nonlinear; got {type(result).__name__!r}."
        )
    if not result.converged and _has_tolerance(result):
        raise InvalidParameterError(
            f"{what} needs a fit that converged; this one stopped with: {result.message}. Raise "
            "max_iter."
        )
    if result.options.get("history") is not None:
        raise InvalidParameterError(
            f"{what} draws windows that start from nothing, and this fit was given a history. Use "
            "profile_interval, sandwich_covariance or the standard errors of the fit."
        )
    return result


def _has_tolerance(result: FitResult | LinkedResult) -> bool:
    """Return whether a method stops where a tolerance is met, and not after so many steps."""
    return result.method != "vi_stochastic"


@dataclass(frozen=True, eq=False)
class _Plan:
    """How one replicate is made; it goes to other processes whole."""

    result: FitResult | LinkedResult
    events: Events
    kind: str

    def replicate(self, rng: np.random.Generator) -> FloatArray | str:
        """Return the estimates of one replicate, or why there are none."""
        sample, changed = self._draw(rng)
        try:
            found = fit_again(self.result)(sample, **changed)
        except HawkeysError as error:
            return str(error)
        if not found.converged and _has_tolerance(found):
            return "the re-fit did not converge"
        return np.where(found.identified, found.estimates, np.nan)

    def _draw(self, rng: np.random.Generator) -> tuple[Events, dict[str, Any]]:
        if self.kind == "parametric":
            return simulate_like(self.result.process, self.events, rng, _ADVICE), {}
        size = self.events.n_realizations
        picked = rng.integers(size, size=size)
        weights = self.result.options.get("weights")
        if weights is None:
            return self.events[picked], {}
        return self.events[picked], {"weights": check_weights(weights, size)[picked]}


def _run(
    plan: _Plan, generators: list[np.random.Generator], jobs: int, done: Callable[[int], None]
) -> list[FloatArray | str]:
    if jobs == 1:
        return _replicates(plan, generators, done)
    from joblib import Parallel, delayed, effective_n_jobs

    n_parts = min(len(generators), _PER_JOB * effective_n_jobs(jobs))
    bounds = np.linspace(0, len(generators), n_parts + 1).astype(int)
    parts = (generators[a:b] for a, b in pairwise(bounds))
    several = Parallel(n_jobs=jobs, return_as="generator")
    outcomes: list[FloatArray | str] = []
    for part in several(delayed(_replicates)(plan, part) for part in parts):
        outcomes += part
        done(len(outcomes))
    return outcomes


def _replicates(
    plan: _Plan, generators: list[np.random.Generator], done: Callable[[int], None] | None = None
) -> list[FloatArray | str]:
    out: list[FloatArray | str] = []
    with warnings.catch_warnings():
        # what a replicate does not identify is NaN, and one that does not converge is counted
        warnings.simplefilter("ignore", HawkeysWarning)
        for generator in generators:
            out.append(plan.replicate(generator))
            if done is not None:
                done(len(out))
    return out


def _report(n_failed: int, count: int, reasons: tuple[str, ...]) -> None:
    if n_failed == 0:
        return
    told = f"{n_failed} of {count} re-fits failed; the first reason: {reasons[0]}"
    if 2 * n_failed > count:
        raise InvalidParameterError(
            f"{told} Too few are left for intervals: raise max_iter, or use profile_interval."
        )
    warnings.warn(f"{told} They are left out.", ConvergenceWarning, stacklevel=3)
