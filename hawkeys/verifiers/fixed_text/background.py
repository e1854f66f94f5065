"""How people in general type a text: what a typist's few samples are drawn to."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from hawkeys._typing import FloatArray
from hawkeys._validation import check_count, check_positive_number
from hawkeys.datasets import Keystrokes, check_timings
from hawkeys.datasets._units import check_usual_unit
from hawkeys.exceptions import EnrolmentWarning, InvalidParameterError, InvalidTimingsError
from hawkeys.verifiers._samples import recency_weights
from hawkeys.verifiers.fixed_text._intervals import MAD_TO_STD, log_intervals

__all__ = [
    "Background",
    "check_background",
    "clipped_logs",
    "effective",
    "takes_background",
    "typists_of",
    "weighted_level",
    "with_background",
]

MIN_INTERVAL = 0.005
"""Seconds; shorter intervals count as this long in logarithms."""

# samples of a typist after the first n from which the later level is taken
_AHEAD = 50
_FEWEST, _SOME = 3, 5
_FEWEST_SAMPLES = 4
# of a variance of logarithms: 1 % of an interval
_LEAST_VARIANCE = 1e-4
_CLIP = 3.0
_LEAST_DEGREES, _MOST_DEGREES = 1.0, 1e3
# Without other typists: rounded means over the 23 development subjects of the CMU benchmark, for
# holds and press intervals. Levels in seconds, the others standard deviations of logarithms.
_WIDE_LEVEL, _WIDE_BETWEEN, _WIDE_CHANGE = (0.1, 0.22), (0.3, 0.5), (0.12, 0.2)
_WIDE_WITHIN, _WIDE_EVERYONE, _WIDE_DEGREES = (0.18, 0.3), (0.36, 0.64), 4.0


@dataclass(frozen=True, eq=False)
class Background:
    """Laws of the log intervals of a text over other typists, none of whom is to be tested.

    Made by `of` from their samples, or by `wide` without any. Arrays have the shape (2 K - 1,):
    the natural logarithms of the holds H.k1, ..., H.kK, then of the press intervals DD.k1.k2, ...

    Attributes
    ----------
    n_typists : int
        How many typists it comes from; 0 for `wide`.
    n_samples : int
        First samples of each after which practice was looked at.
    half_life : float or None
        Samples after which one of those counted half.
    first, level : ndarray
        Mean over typists of their level over the first `n_samples`, and over the next 50.
    level_variance : ndarray
        Variance over typists of the later level.
    change_variance : ndarray
        Variance over typists of the change from first to later level, less what chance gives.
    within_variance : ndarray
        Variance of a typist's samples, geometric mean over typists.
    degrees : float
        Samples that `within_variance` is worth for a new typist.
    everyone, everyone_variance : ndarray
        Mean and variance of a sample of any typist.

    Examples
    --------
    >>> from hawkeys.datasets import load_demo
    >>> from hawkeys.verifiers import Background
    >>> Background.of(load_demo(n_subjects=8), n_samples=5)
    Background: 8 typists of 11 keys, after 5 samples
    """

    n_typists: int
    n_samples: int
    half_life: float | None
    first: FloatArray
    level: FloatArray
    level_variance: FloatArray
    change_variance: FloatArray
    within_variance: FloatArray
    degrees: float
    everyone: FloatArray
    everyone_variance: FloatArray

    @property
    def n_keys(self) -> int:
        """Number K of keys of the text."""
        return (self.level.size + 1) // 2

    @classmethod
    def of(
        cls,
        typists: Keystrokes | Iterable[Any],
        n_samples: int,
        *,
        half_life: float | None = 25.0,
    ) -> Background:
        """Learn from samples of other typists.

        Parameters
        ----------
        typists : Keystrokes, or iterable of array_like of shape (n_i, 3 K - 2)
            Three typists or more, five better: a record with their names (labelled impostors'
            samples are left out), or a timing matrix of each, in seconds, oldest sample first.
        n_samples : int
            Samples that the typist to be enrolled has.
        half_life : float or None, default 25
            Samples after which one of a typist's first samples counts half; None if all count
            alike.

        Returns
        -------
        Background
            See the Notes of `BackgroundRatio`.

        Raises
        ------
        InvalidParameterError
            Fewer than three typists with four samples or more, or another argument is not valid.
        InvalidTimingsError
            No timing matrices of one text in seconds.

        Warns
        -----
        EnrolmentWarning
            Fewer than five typists, or typists with fewer than four samples, who are left out.
        """
        check_count(n_samples, "n_samples")
        if half_life is not None:
            check_positive_number(half_life, "half_life")
        matrices = _matrices(typists)
        # half of the samples of the shortest typist, if the others have not as many as is asked
        n_first = min(n_samples, *(len(one) // 2 for one in matrices))
        weights = recency_weights(n_first, half_life)
        logs = [clipped_logs(one[: n_first + _AHEAD]) for one in matrices]
        first = np.array([weighted_level(one[:n_first], weights) for one in logs])
        later = np.array([one[n_first:].mean(axis=0) for one in logs])
        within = np.array([one[n_first:].var(axis=0, ddof=1) for one in logs])
        within = np.maximum(within, _LEAST_VARIANCE)
        typical = np.exp(np.log(within).mean(axis=0))
        change = later - first
        chance = typical / effective(weights)
        # practice slows down: a step after k samples is k / n of itself after n
        fade = n_first / n_samples
        level, everyone = later.mean(axis=0), np.array([one.mean(axis=0) for one in logs])
        spread = np.array([one.var(axis=0, ddof=1) for one in logs]).mean(axis=0)
        return cls(
            n_typists=len(matrices),
            n_samples=n_samples,
            half_life=half_life,
            first=level - fade * change.mean(axis=0),
            level=level,
            level_variance=np.maximum(later.var(axis=0, ddof=1), _LEAST_VARIANCE),
            change_variance=np.maximum(change.var(axis=0, ddof=1) - chance, _LEAST_VARIANCE),
            within_variance=typical,
            degrees=_degrees(within, [len(one) - n_first for one in logs]),
            everyone=everyone.mean(axis=0),
            everyone_variance=np.maximum(everyone.var(axis=0, ddof=1) + spread, _LEAST_VARIANCE),
        )

    @classmethod
    def wide(cls, n_keys: int, *, half_life: float | None = 25.0) -> Background:
        """Return wide laws for a text of so many keys, where no other typist is at hand.

        Parameters
        ----------
        n_keys : int
            Keys K of the text.
        half_life : float or None, default 25
            As in `of`.

        Returns
        -------
        Background
            With `n_typists` 0: the same for all holds, and for all press intervals, and without
            practice. The constants are rounded means over 23 subjects of the CMU benchmark.
        """
        check_count(n_keys, "n_keys")

        def each(pair: Sequence[float]) -> FloatArray:
            return np.repeat(np.array(pair), (n_keys, n_keys - 1))

        level = np.log(each(_WIDE_LEVEL))
        return cls(
            n_typists=0,
            n_samples=0,
            half_life=half_life,
            first=level,
            level=level,
            level_variance=each(_WIDE_BETWEEN) ** 2,
            change_variance=each(_WIDE_CHANGE) ** 2,
            within_variance=each(_WIDE_WITHIN) ** 2,
            degrees=_WIDE_DEGREES,
            everyone=level,
            everyone_variance=each(_WIDE_EVERYONE) ** 2,
        )

    def __repr__(self) -> str:
        if not self.n_typists:
            return f"Background: no typist, wide laws for {self.n_keys} keys"
        after = f"after {self.n_samples} samples"
        return f"Background: {self.n_typists} typists of {self.n_keys} keys, {after}"


def with_background(verifier: Any, background: Any) -> Any:
    """Return a verifier, or pipeline that ends in one, with its parameter `background` set.

    Raises `InvalidParameterError` if it has none.
    """
    last = verifier.steps[-1][1] if hasattr(verifier, "steps") else verifier
    if not takes_background(verifier):
        raise InvalidParameterError(
            f"{type(last).__name__} learns nothing from other typists. Leave the background out, "
            "or choose BackgroundRatio."
        )
    last.set_params(background=background)
    return verifier


def takes_background(verifier: Any) -> bool:
    """Tell whether a verifier, or pipeline that ends in one, has a parameter `background`."""
    last = verifier.steps[-1][1] if hasattr(verifier, "steps") else verifier
    return "background" in last.get_params(deep=False)


def clipped_logs(samples: FloatArray, scale: FloatArray | None = None) -> FloatArray:
    """Return ln H and ln DD (n_samples, 2 K - 1), none further than 3 `scale` from the median.

    The scale is the robust standard deviation unless it is given.
    """
    logs = log_intervals(samples, MIN_INTERVAL)
    center = np.median(logs, axis=0)
    if scale is None:
        scale = MAD_TO_STD * np.median(np.abs(logs - center), axis=0)
        scale = np.where(scale > 0.0, scale, np.inf)  # half are alike: a coarse clock
    return np.clip(logs, center - _CLIP * scale, center + _CLIP * scale)


def weighted_level(logs: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the weighted mean of each column."""
    return np.asarray(weights @ logs / weights.sum())


def effective(weights: FloatArray) -> float:
    """Return the number of samples that weigh alike and have a mean as certain."""
    return float(weights.sum() ** 2 / (weights @ weights))


def check_background(value: Any) -> None:
    """Refuse what can be no samples of other typists; raises `InvalidParameterError`."""
    if isinstance(value, Keystrokes | Background) or value is None:
        return
    if not isinstance(value, Iterable) or isinstance(value, str | bytes | Mapping):
        raise InvalidParameterError(
            "background must be Keystrokes of other typists, or a timing matrix of each; got a "
            f"{type(value).__name__}."
        )


def typists_of(data: Any) -> list[FloatArray]:
    """Return the timing matrix of each typist, oldest sample first.

    Raises `InvalidParameterError` or `InvalidTimingsError` for what `Background.of` does not take.
    """
    if isinstance(data, Keystrokes):
        own = data[data.impostor == ""]
        timings = own.timings().to_numpy()
        order = np.lexsort((own.repetition, own.session))
        return [timings[order[own.subject[order] == name]] for name in own.subjects]
    check_background(data)
    return [check_timings(one) for one in data]


def _matrices(typists: Any) -> list[FloatArray]:
    """Return checked timing matrices of typists with samples enough."""
    given = typists_of(typists)
    found = [one for one in given if len(one) >= _FEWEST_SAMPLES]
    if len(found) < _FEWEST:
        raise InvalidParameterError(
            f"background has {len(found)} typists with {_FEWEST_SAMPLES} samples or more; at least "
            f"{_FEWEST} are needed to tell how people differ, and {_SOME} or more advised. Give "
            "more typists, or leave the background out."
        )
    for one in found:
        if one.shape[1] != found[0].shape[1]:
            raise InvalidTimingsError(
                f"background: typists have {found[0].shape[1]} and {one.shape[1]} intervals; all "
                "must type the same text. Give typists of one text."
            )
        check_usual_unit(one)
    _warn(len(found), len(given) - len(found))
    return found


def _warn(n_typists: int, n_short: int) -> None:
    said = []
    if n_short:
        said.append(f"{n_short} with fewer than {_FEWEST_SAMPLES} samples are left out")
    if n_typists < _SOME:
        said.append(f"with fewer than {_SOME} it is known badly how people differ")
    if said:
        warnings.warn(
            f"background of {n_typists} typists: {', and '.join(said)}. Give more.",
            EnrolmentWarning,
            stacklevel=4,
        )


def _degrees(within: FloatArray, sizes: Sequence[int]) -> float:
    """Return the degrees of freedom whose log chi-square scatters as log variances do.

    `within` (n_typists, m); the scatter that their own numbers of samples give is taken off.
    """
    chance = np.mean([scipy.special.polygamma(1, 0.5 * (size - 1)) for size in sizes])
    scatter = float(np.log(within).var(axis=0, ddof=1).mean() - chance)
    if scatter <= scipy.special.polygamma(1, 0.5 * _MOST_DEGREES):
        return _MOST_DEGREES
    half = 0.5 + 1.0 / scatter
    for _ in range(50):  # Newton steps for 1 / trigamma, which is convex and nearly linear
        value = scipy.special.polygamma(1, half)
        step = value * (1.0 - value / scatter) / scipy.special.polygamma(2, half)
        half += step
        if -step < 1e-10 * half:
            break
    return float(max(2.0 * half, _LEAST_DEGREES))
