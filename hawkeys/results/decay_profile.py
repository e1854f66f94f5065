"""`DecayProfile`: the likelihood of the decays that were tried."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hawkeys._typing import BoolArray, FloatArray
from hawkeys._validation import check_level
from hawkeys.exceptions import InvalidParameterError
from hawkeys.plotting._axes import current_axes, label_logarithms

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["AT_EDGE", "DecayProfile"]

# of a log decay: a maximum so near a bound lies at it
AT_EDGE = 1e-3

_LIMITS = {
    "trend": (
        "the smaller it is, the better the fit. Such a kernel outlasts the windows, and what it "
        "describes is a trend, not excitation: try a baseline that changes over time"
    ),
    "burst": (
        "the larger it is, the better the fit. Such a kernel is over within the shortest lags of "
        "the data, fewer than 20 of them, and what it describes is bursts at one time: look for "
        "events recorded twice, or a coarse clock"
    ),
    "no excitation": "no decay fits clearly better than no excitation at all",
}

_DEEPEST = 12.0  # nats below the maximum that a picture shows
_POINTS_PER_STEP = 50


@dataclass(frozen=True, eq=False)
class DecayProfile:
    """Candidate decays and what the best fit with each of them achieves.

    Attributes
    ----------
    decays : ndarray, shape (n_candidates,), (n_candidates, D) or (n_candidates, D, D)
        Candidates, per unit of time; numbers in increasing order.
    objective : ndarray, shape (n_candidates,)
        What the method maximises (log-likelihood, log posterior or bound), maximised over all
        other parameters, in nats.
    score : ndarray, shape (n_candidates,)
        What the choice was made by: the objective, or the log-likelihood of held-out data summed
        over folds.
    selection : str
        "likelihood" or "cross-validation".
    bounds : tuple of float (smallest, largest), or None
        Decays that the data can tell apart, among which one was optimised: 1 over the longest
        window, and 10 over the shortest lags. None for given candidates.
    limit : str or None
        Where the profile has no maximum within the bounds, what it rises to: "trend" (the smallest
        decay), "burst" (the largest), both for several decays ("trend and burst"), or
        "no excitation" if nothing there is clearly better than none (half the 95 % quantile of
        chi-square with a degree of freedom for each pair that shares the decay: 1.92 nats for one).
        There is then no estimate: the decay is held at the bound, and it and the adjacency that
        goes with it are not identified.
    """

    decays: FloatArray
    objective: FloatArray
    score: FloatArray
    selection: str = "likelihood"
    bounds: tuple[float, float] | None = None
    limit: str | None = None

    @property
    def best(self) -> int:
        """Index of the candidate chosen."""
        return int(np.argmax(self.score))

    @property
    def chosen(self) -> Any:
        """The decay chosen: a number, or an array (n_marks,) or (n_marks, n_marks)."""
        decay = self.decays[self.best]
        return float(decay) if decay.ndim == 0 else decay

    def held(self, n_marks: int) -> BoolArray:
        """Return which pairs have a decay that is held at a bound, since there is no estimate.

        Parameters
        ----------
        n_marks : int
            Number of marks.

        Returns
        -------
        ndarray of bool, shape (n_marks, n_marks)
            Target by source; all or none of them for one shared decay.
        """
        chosen, shape = np.asarray(self.chosen), (n_marks, n_marks)
        if self.limit in (None, "no excitation") or self.bounds is None or chosen.ndim == 0:
            return np.full(shape, self.limit is not None)
        low, high = self.bounds
        edge = (chosen <= low * (1.0 + AT_EDGE)) | (chosen >= high * (1.0 - AT_EDGE))
        return np.broadcast_to(edge, shape).copy()

    def limit_message(self) -> str:
        """Return in words why there is no estimate; empty if there is one."""
        if self.limit is None or self.bounds is None:
            return ""
        chosen = np.asarray(self.chosen)
        shared = chosen.ndim == 0
        subject = "the decay is" if shared else "some decays are"
        where = f"It is held at {float(chosen):.4g}" if shared else "They are held"
        reasons = "; ".join(_LIMITS[name] for name in self.limit.split(" and "))
        return (
            f"{subject} not identified: {reasons}. {where} within the bounds {self.bounds[0]:.4g} "
            f"and {self.bounds[1]:.4g} of what the data can tell, and the adjacency with it"
        )

    @property
    def is_estimate(self) -> bool:
        """Whether the likelihood chose the decays, and has a maximum at them."""
        return self.selection == "likelihood" and self.limit is None

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the profile-likelihood interval of one shared decay.

        The decays at which twice the objective falls short of its maximum by less than the
        chi-square quantile with one degree of freedom, on a monotone interpolation in log decay.

        Parameters
        ----------
        level : float, default 0.95
            Nominal coverage.

        Returns
        -------
        lower, upper : float
            0 or infinity where the profile does not fall enough within the candidates.

        Raises
        ------
        InvalidParameterError
            `level` is not strictly between 0 and 1, or the candidates are not numbers.

        References
        ----------
        Venzon, D. J. and Moolgavkar, S. H. (1988). A method for computing profile-likelihood-based
        confidence intervals. Applied Statistics 37, 87-94. doi:10.2307/2347496
        """
        from scipy.stats import chi2

        if self.decays.ndim != 1:
            raise InvalidParameterError(
                f"a profile interval exists for one shared decay; these candidates have shape "
                f"{self.decays.shape[1:]} each."
            )
        drop = 0.5 * chi2.ppf(check_level(level), 1)
        top = int(np.argmax(self.objective))
        floor = float(self.objective[top]) - drop
        logs = np.log(self.decays)
        lower = _crossing(logs[: top + 1][::-1], self.objective[: top + 1][::-1], floor)
        upper = _crossing(logs[top:], self.objective[top:], floor)
        return math.exp(lower), math.exp(upper) if upper > -math.inf else math.inf

    def to_frame(self) -> pd.DataFrame:
        """Return one row per candidate.

        Returns
        -------
        pandas.DataFrame
            Columns decay (a number, or an array), objective, score and chosen.
        """
        import pandas as pd

        chosen = np.arange(self.objective.size) == self.best
        decays: Sequence[Any] = self.decays.tolist()
        return pd.DataFrame(
            {"decay": decays, "objective": self.objective, "score": self.score, "chosen": chosen}
        )

    def plot(self, ax: Axes | None = None, *, level: float = 0.95) -> Axes:
        """Draw the profile of one shared decay, its interval and its maximum.

        The axis shows the interval, as much again on either side, the choice, and the neighbours of
        the maximum; candidates farther away are left out. Between candidates the square root of the
        fall is interpolated, as it is for `interval`; the dotted line is the level at which the
        interval ends.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw. Default: the current axes.
        level : float, default 0.95
            Level of the interval.

        Returns
        -------
        matplotlib.axes.Axes
            The axes drawn on.

        Raises
        ------
        InvalidParameterError
            The candidates are not numbers.
        """
        from scipy.stats import chi2

        lower, upper = self.interval(level)
        axes = current_axes() if ax is None else ax
        fall = self.objective - self.objective.max()
        left, right = self._view(lower, upper)
        decays, heights = _smooth(np.log(self.decays), fall)
        axes.plot(decays, heights, lw=1.2, color="#0072b2")
        axes.plot(self.decays, fall, "o", ms=3, color="#0072b2")
        axes.axvline(self.decays[self.best], color="0.3", lw=0.8)
        axes.axhline(-0.5 * chi2.ppf(level, 1), color="0.3", lw=0.8, ls=":")
        axes.axvspan(max(lower, left), min(upper, right), color="#0072b2", alpha=0.12, lw=0)
        shown = heights[(decays >= left) & (decays <= right)]
        axes.set_xscale("log")
        axes.set_xlim(left, right)
        axes.set_ylim(max(shown.min(), -_DEEPEST) - 0.5, 0.5)
        label_logarithms(axes.xaxis)
        axes.set_xlabel("decay (per unit of time)")
        axes.set_ylabel("profile, below its maximum (nats)")
        axes.set_title(f"{100 * level:g} % interval {lower:.4g} to {upper:.4g}", fontsize="medium")
        return axes

    def _view(self, lower: float, upper: float) -> tuple[float, float]:
        """Return the limits of a picture: the interval and as much on either side."""
        logs = np.log(self.decays)
        ends = np.clip(
            np.log([max(lower, self.decays[0]), min(upper, self.decays[-1])]), *logs[[0, -1]]
        )
        kept = sorted((int(np.argmax(self.objective)), self.best))
        beside = logs[[max(kept[0] - 1, 0), min(kept[1] + 1, logs.size - 1)]]
        width = float(ends[1] - ends[0])
        low = min(float(ends[0]) - width, float(beside[0]))
        high = max(float(ends[1]) + width, float(beside[1]))
        low, high = max(low, float(logs[0])), min(high, float(logs[-1]))
        # a maximum at the first or last candidate keeps some room beside it
        room = 0.02 * (high - low or 1.0)
        return math.exp(low - room), math.exp(high + room)


def _smooth(logs: FloatArray, fall: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return decays and the fall between candidates: its root is linear in the log decay."""
    steps = np.arange(logs.size - 1).repeat(_POINTS_PER_STEP)
    share = np.tile(np.arange(_POINTS_PER_STEP) / _POINTS_PER_STEP, logs.size - 1)
    roots = np.sqrt(np.clip(-fall, 0.0, 1e300))
    between = roots[steps] + share * np.diff(roots)[steps] if steps.size else roots[:0]
    dense = logs[steps] + share * np.diff(logs)[steps] if steps.size else logs[:0]
    return np.exp(np.append(dense, logs[-1])), -np.square(np.append(between, roots[-1]))


def _crossing(logs: FloatArray, values: FloatArray, floor: float) -> float:
    """Return where values, falling from the first, cross the floor; -inf if they do not."""
    below = np.flatnonzero(values < floor)
    if below.size == 0:
        return -math.inf
    k = int(below[0])
    # near its maximum a profile is all but a parabola: its root is all but linear
    roots = np.sqrt(np.maximum(values[0] - values[k - 1 : k + 1], 0.0))
    share = (math.sqrt(max(values[0] - floor, 0.0)) - roots[0]) / (roots[1] - roots[0])
    return float(logs[k - 1] + share * (logs[k] - logs[k - 1]))
