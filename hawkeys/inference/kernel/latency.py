"""`fit_latency`: a fit whose kernel begins after a latency that the data choose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hawkeys._typing import Bounds, FloatArray
from hawkeys._validation import brief, check_positive_number
from hawkeys.events import Events
from hawkeys.events.container import as_events
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference.decay.problem import decay_bounds
from hawkeys.inference.examine import quietly
from hawkeys.inference.fit_pooled import fit
from hawkeys.kernels import Exponential, Kernel, Shifted
from hawkeys.plotting._axes import current_axes
from hawkeys.process.hawkes import choose_kernel
from hawkeys.results import LikelihoodResult

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["LatencyFit", "fit_latency"]

# latencies tried first; parts into which each cell of a round is divided; rounds
_FIRST, _PARTS, _ROUNDS = 65, 4, 12
# rounds of a smooth profile, and the share of the range to which its top is then found
_SMOOTH, _FINE = 2, 1e-6
# cells kept in a round, and nats by which they may be below the best; lags tried one by one
_CELLS, _RIVAL, _LAGS = 32, 8.0, 1500
# latencies at which the decay is searched again
_AGAIN = 8
# of log decays, half the width searched and the tolerance
_WIDTH, _PRECISION = 1.0, 1e-4


@dataclass(frozen=True, eq=False)
class LatencyFit:
    """The latency at which the likelihood is largest, and the fit with it.

    Attributes
    ----------
    shift : float
        The latency, in the unit of time of the events; 0.0 if none is better.
    result : LikelihoodResult
        The fit with this latency, which is held: standard errors are those given it.
    shifts : ndarray of float64, shape (n_tried,)
        Latencies tried, increasing, the first of them 0.
    log_likelihood : ndarray of float64, shape (n_tried,)
        Log-likelihood, maximised over all else, at each, in nats.
    n_parameters : int
        Number of parameters estimated, the latency (and the decay, if it was) included.
    """

    shift: float
    result: LikelihoodResult
    shifts: FloatArray
    log_likelihood: FloatArray
    n_parameters: int

    @property
    def gain(self) -> float:
        """Nats by which the latency is better than none."""
        return float(self.log_likelihood.max() - self.log_likelihood[0])

    @property
    def aic(self) -> float:
        """Akaike's criterion, the latency counted as a parameter."""
        return float(2.0 * self.n_parameters - 2.0 * self.result.log_likelihood)

    def to_frame(self) -> pd.DataFrame:
        """Return the latencies tried and their log-likelihoods.

        Returns
        -------
        pandas.DataFrame
            Columns shift and log_likelihood.
        """
        import pandas as pd

        return pd.DataFrame({"shift": self.shifts, "log_likelihood": self.log_likelihood})

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the log-likelihood over the latency.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw. Default: the current axes.

        Returns
        -------
        matplotlib.axes.Axes
            The axes.
        """
        ax = current_axes() if ax is None else ax
        ax.plot(self.shifts, self.log_likelihood - self.log_likelihood.max(), ".-", ms=3)
        ax.axvline(self.shift, color="0.6", lw=0.8, zorder=0)
        ax.set_xlabel("latency")
        ax.set_ylabel("log-likelihood below its maximum (nats)")
        return ax

    def __repr__(self) -> str:
        return (
            f"LatencyFit(shift={self.shift:.6g}, kernel={self.result.kernel!r}, "
            f"gain={self.gain:.4g} nats over no latency)"
        )


def fit_latency(
    data: Any,
    largest: float,
    *,
    decay: float | str | None = None,
    kernel: Kernel | None = None,
    end_time: Bounds | None = None,
    **options: Any,
) -> LatencyFit:
    """Fit a Hawkes process by maximum likelihood whose excitation begins after a latency.

    The latency is that of `hawkeys.kernels.Shifted`, the same for all pairs.

    Parameters
    ----------
    data : Events, frame, mapping or sequence
        As for `hawkeys.fit`.
    largest : float
        Largest latency that is looked at, in the unit of time of the events.
    decay : float or "estimate", optional
        Decay of an exponential kernel; "estimate" maximises over it, too.
    kernel : Kernel, optional
        Another kernel, its parameters given. Give either this or `decay`.
    end_time : float or array_like, shape (n_realizations,), optional
        End of observation, for lists.
    **options
        ``support``, ``baseline``, ``tied``, ``history`` and all that says how data are read, as for
        `hawkeys.fit` by "mle".

    Returns
    -------
    LatencyFit
        The latency, the fit with it, and the likelihood over the latencies tried.

    Raises
    ------
    InvalidEventsError
        The data break the contract of `Events`.
    InvalidParameterError
        `largest` is no number above 0 or no less than the longest window; not exactly one of decay
        and kernel, or a kernel that is not given; weights, or another method than "mle".

    Notes
    -----
    The likelihood is maximised over all else at latencies on a grid, then on finer ones between
    those that come within 8 nats of the best. Where the kernel begins with a jump, as the
    exponential does, it jumps at every lag between two events, and is largest just before one: as
    soon as 1,500 lags or fewer are left there, they are tried one by one. Such a latency is found
    to within a few lags: its error falls with the number of events, not with its square root
    (Ibragimov and Has'minskii 1981, chapter V), so that the other standard errors may take it as
    known, and no interval for it is given. Where the kernel rises from 0 the latency is a parameter
    as any other, and standard errors given it are somewhat small.

    Noise alone makes some latency better than none: of 100 samples of 300 events whose excitation
    begins at once `gain` was above 3.0 nats in 5, and of as many Poisson samples above 4.2. To see
    whether there is one, compare `gain` with that of samples from a fit without it.

    References
    ----------
    Ibragimov, I. A. and Has'minskii, R. Z. (1981). Statistical Estimation: Asymptotic Theory.
    Springer. doi:10.1007/978-1-4899-0027-2

    Examples
    --------
    >>> import hawkeys
    >>> from hawkeys.inference import fit_latency
    >>> from hawkeys.kernels import Exponential, Shifted
    >>> truth = hawkeys.Hawkes([0.5], [[0.5]], kernel=Shifted(Exponential(2.0), 0.7))
    >>> events = hawkeys.simulate(truth, end_time=1000.0, rng=0)
    >>> found = fit_latency(events, largest=3.0, decay="estimate")
    >>> round(found.shift, 2)
    0.71
    """
    if str(options.pop("method", "mle")).lower() != "mle":
        raise InvalidParameterError(
            "fit_latency maximises the likelihood: method must be 'mle', which needs not be said. "
            "For another method give the latency, kernel=Shifted(kernel, shift)."
        )
    if options.get("weights") is not None:
        raise InvalidParameterError(
            "fit_latency counts every realisation alike: leave weights out, and those realisations "
            "that are not to count."
        )
    events = as_events(data, options, end_time=end_time)
    upper = check_positive_number(largest, "largest")
    if upper >= events.durations.max(initial=0.0):
        raise InvalidParameterError(
            f"largest must be less than the longest window, {events.durations.max():g}; got "
            f"{upper:g}. A latency as long shows in no window."
        )
    profile = _Profile.of(events, decay, kernel, options)
    best = profile.search(upper)
    shifts, values = profile.tried()
    result = fit(events, kernel=profile.kernel_at(best), method="mle", **options)
    n_more = 1 + int(profile.searched)
    return LatencyFit(best, result, shifts, values, result.n_parameters + n_more)


class _Profile:
    """The log-likelihood over the latency, maximised over all else; what was tried is kept."""

    def __init__(
        self, events: Events, kernel: Kernel, searched: bool, options: dict[str, Any]
    ) -> None:
        self.events, self.kernel, self.searched, self.options = events, kernel, searched, options
        self.kept: dict[float, tuple[float, Kernel]] = {}
        self.middle: float | None = None

    @classmethod
    def of(
        cls, events: Events, decay: Any, kernel: Kernel | None, options: dict[str, Any]
    ) -> _Profile:
        """Return the profile of a kernel that is given, or exponential with its decay searched.

        Raises `InvalidParameterError` for neither or both, or a kernel that is not given.
        """
        if isinstance(decay, str):
            if decay != "estimate" or kernel is not None:
                raise InvalidParameterError(
                    f"decay must be a number or 'estimate', without kernel=; got {brief(decay)} "
                    f"and kernel={brief(kernel)}."
                )
            return cls(events, Exponential(1.0), True, options)
        chosen = choose_kernel(decay, kernel)
        Shifted(chosen, 1.0)  # refuses what cannot begin later
        return cls(events, chosen, False, options)

    def kernel_at(self, shift: float) -> Kernel:
        """Return the best kernel found at a latency that was tried."""
        kernel = self.kept[shift][1]
        return kernel if shift == 0.0 else Shifted(kernel, shift)

    def tried(self) -> tuple[FloatArray, FloatArray]:
        """Return the latencies tried, increasing, and their log-likelihoods."""
        shifts = np.array(sorted(self.kept))
        return shifts, np.array([self.kept[shift][0] for shift in shifts.tolist()])

    def search(self, upper: float) -> float:
        """Return the latency with the largest likelihood, from 0 to `upper`.

        A decay is searched on the grid, held where latencies are tried one by one, and searched
        again at the best of them.
        """
        self._try(np.linspace(0.0, upper, _FIRST), exact=True)
        cells = np.linspace(0.0, upper, _FIRST)
        lows, highs = cells[:-1], cells[1:]
        for _ in range(_ROUNDS if self._jumps() else _SMOOTH):
            lows, highs = self._rivals(lows, highs)
            lags = self._lags_in(lows, highs)
            if self._jumps() and lags.size <= _LAGS:
                self._try(lags)
                break
            edges = np.linspace(lows, highs, _PARTS + 1)
            self._try(np.unique(edges))
            lows, highs = edges[:-1].ravel(), edges[1:].ravel()
        if not self._jumps():
            self._polish(float(np.max(highs - lows)), upper)
        if self.searched:
            again = sorted(self.kept, key=lambda shift: -self.kept[shift][0])[:_AGAIN]
            self._try(np.array(again), exact=True)
        return max(self.kept, key=lambda shift: self.kept[shift][0])

    def _polish(self, width: float, upper: float) -> None:
        """Climb to the top of a smooth profile within `width` of the best latency so far."""
        from scipy.optimize import minimize_scalar

        best = max(self.kept, key=lambda shift: self.kept[shift][0])

        def loss(shift: float) -> float:
            self._try(np.array([shift]))
            return -self.kept[float(shift)][0]

        bounds = max(best - width, 0.0), min(best + width, upper)
        minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": _FINE * upper})

    @property
    def _best(self) -> float:
        """The largest log-likelihood so far."""
        return max(value for value, _ in self.kept.values())

    def _rivals(self, lows: FloatArray, highs: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the cells at whose ends the likelihood is nearly the best, few of them."""
        ends = [max(self.kept[a][0], self.kept[b][0]) for a, b in zip(lows, highs, strict=True)]
        values = np.array(ends)
        order = np.argsort(-values)[:_CELLS]
        order = np.sort(order[values[order] > self._best - _RIVAL])
        return lows[order], highs[order]

    def _try(self, shifts: FloatArray, *, exact: bool = False) -> None:
        """Try latencies; a decay is searched if `exact`, else held at the best so far."""
        for shift in shifts.tolist():
            if exact and self.searched:
                self.kept[shift] = self._searched(shift)
            elif shift not in self.kept:
                kernel = self.kernel
                if self.middle is not None:
                    kernel = _exponential(self.middle)
                self.kept[shift] = self._log_likelihood(shift, kernel), kernel

    def _searched(self, shift: float) -> tuple[float, Kernel]:
        """Return the log-likelihood at a latency with the best decay, and the kernel."""
        from scipy.optimize import minimize_scalar

        low, high = decay_bounds(self.events)
        if self.middle is not None:
            low, high = max(low, self.middle - _WIDTH), min(high, self.middle + _WIDTH)
        found = minimize_scalar(
            lambda log: -self._log_likelihood(shift, _exponential(log)),
            bounds=(low, high),
            method="bounded",
            options={"xatol": _PRECISION},
        )
        best = max((value for value, _ in self.kept.values()), default=-np.inf)
        if -found.fun >= best:
            self.middle = float(found.x)
        return -float(found.fun), _exponential(found.x)

    def _log_likelihood(self, shift: float, kernel: Kernel) -> float:
        """Return the log-likelihood, maximised over baseline and adjacency."""
        delayed = kernel if shift == 0.0 else Shifted(kernel, shift)
        with quietly():
            return fit(self.events, kernel=delayed, **self.options).log_likelihood

    def _jumps(self) -> bool:
        """Whether the density is above 0 where it begins."""
        kernel = Exponential(1.0) if self.searched else self.kernel
        return bool((np.asarray(kernel.density(np.array([1e-12]))) > 1e-6).any())

    def _lags_in(self, lows: FloatArray, highs: FloatArray) -> FloatArray:
        """Return what lies just before each lag in cells, or more than `_LAGS` of them."""
        out: list[float] = []
        events = self.events
        below = 8.0 * np.spacing(np.abs(events.times).max(initial=1.0))
        for r in range(events.n_realizations):
            times = events.times[events.offsets[r] : events.offsets[r + 1]]
            for low, high in zip(lows, highs, strict=True):
                first = np.searchsorted(times, times - high, side="left")
                last = np.searchsorted(times, times - low, side="left")
                for k in np.flatnonzero(first < last):
                    out += (times[k] - times[first[k] : last[k]] - below).tolist()
                    if len(out) > _LAGS:
                        return np.array(out)
        return np.maximum(out, 0.0)


def _exponential(log_decay: float) -> Exponential:
    """Return the kernel of a decay, to the digits that a search can tell."""
    return Exponential(float(f"{np.exp(log_decay):.6g}"))
