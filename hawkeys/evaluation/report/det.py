"""DET curves: miss rate against false-alarm rate on normal-deviate axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from hawkeys._typing import FloatArray
from hawkeys._validation import check_choice
from hawkeys.evaluation.rates.curves import MeanCurve, mean_curve, shared_curve
from hawkeys.evaluation.report.styles import LEGEND, styles
from hawkeys.evaluation.trials import Outcome
from hawkeys.plotting._axes import current_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from hawkeys.evaluation.results import Results

__all__ = [
    "SHARED_THRESHOLDS",
    "det_curves",
    "draw_det",
    "draw_det_of",
    "own_points",
    "subject_curves",
]

SHARED_THRESHOLDS: Mapping[str, str] = MappingProxyType(
    {
        "none": "every subject has its own threshold, set on test scores;\n"
        "misses averaged over subjects at equal false alarms",
        "raw": "one threshold on the raw scores, shared by all subjects",
        "shifted": "one threshold, shared by all subjects, on the score\n"
        "minus the subject's own training threshold",
    }
)
"""Ways to make one curve of many subjects: the threshold they share, in words."""

_LIMITS = (0.002, 0.98)
_TICKS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95)
_MANY = 8


def det_curves(outcomes: Sequence[Outcome], shared: str = "none") -> dict[str, MeanCurve]:
    """Make one error curve per verifier of the scores of all subjects.

    Parameters
    ----------
    outcomes : sequence of Outcome
        One per verifier and subject.
    shared : {"none", "raw", "shifted"}, default "none"
        Threshold that the subjects share. "none": each subject has its own at every false-alarm
        rate, see `mean_curve`. "raw": one threshold on the scores as they are, see `shared_curve`;
        scores of different verifiers have different units, but each curve is of one verifier.
        "shifted": one threshold on the score minus the subject's threshold from training, as a
        system would move all its thresholds together; its curve passes through the mean error
        rates at the verifiers' own thresholds. Scales of subjects are not adjusted.

    Returns
    -------
    dict of str to MeanCurve
        One curve per verifier.

    Raises
    ------
    InvalidParameterError
        If `shared` is unknown.

    Examples
    --------
    >>> from hawkeys.datasets import load_demo
    >>> from hawkeys.evaluation import evaluate
    >>> from hawkeys.evaluation.report.det import det_curves
    >>> from hawkeys.verifiers import ScaledManhattan
    >>> result = evaluate({"raw": ScaledManhattan()}, load_demo(n_subjects=3), n_bootstrap=10)
    >>> list(det_curves(result.outcomes, "shifted"))
    ['raw']
    """
    check_choice(shared, "shared", tuple(SHARED_THRESHOLDS))
    curves = {}
    for name, own in _by_verifier(outcomes).items():
        if shared == "none":
            curves[name] = mean_curve([(one.genuine, one.impostor) for one in own])
        elif shared == "raw":
            curves[name] = shared_curve([(one.genuine, one.impostor) for one in own])
        else:
            curves[name] = shared_curve([_shifted(one) for one in own])
    return curves


def subject_curves(outcomes: Sequence[Outcome]) -> dict[str, list[MeanCurve]]:
    """Return the error curve of every subject, by verifier.

    Parameters
    ----------
    outcomes : sequence of Outcome
        One per verifier and subject.

    Returns
    -------
    dict of str to list of MeanCurve
        In the order of the outcomes.
    """
    return {
        name: [mean_curve([(one.genuine, one.impostor)]) for one in own]
        for name, own in _by_verifier(outcomes).items()
    }


def own_points(outcomes: Sequence[Outcome]) -> dict[str, tuple[float, float]]:
    """Return the mean errors at the verifiers' own thresholds.

    Parameters
    ----------
    outcomes : sequence of Outcome
        One per verifier and subject.

    Returns
    -------
    dict of str to tuple of float
        False-alarm rate and miss rate, means over subjects.
    """
    return {
        name: (
            float(np.mean([one.errors.false_alarm for one in own])),
            float(np.mean([one.errors.miss for one in own])),
        )
        for name, own in _by_verifier(outcomes).items()
    }


def draw_det(
    curves: Mapping[str, MeanCurve],
    *,
    false_alarm: float = 0.05,
    subjects: Mapping[str, Sequence[MeanCurve]] | None = None,
    points: Mapping[str, tuple[float, float]] | None = None,
    note: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw miss rate against false-alarm rate on normal-deviate axes.

    A rate r is drawn at the normal quantile of r, which spreads the small rates that matter; a
    curve of two equal-variance normal score distributions is a straight line.

    Parameters
    ----------
    curves : mapping of str to MeanCurve
        One curve per verifier. Rates of 0 and 1 have no place on these axes and are not drawn.
    false_alarm : float, default 0.05
        The stated false-alarm rate, marked by a vertical line.
    subjects : mapping of str to sequence of MeanCurve, optional
        Curves of single subjects, drawn as thin lines in the colour of their verifier. The legend
        says how many have no point within the axes.
    points : mapping of str to (false_alarm, miss), optional
        One point per verifier to mark, for example its own threshold.
    note : str, default ""
        Title of the legend: what the curves share.
    ax : Axes, optional
        Where to draw; the current axes by default.

    Returns
    -------
    Axes
        The axes drawn on.

    References
    ----------
    .. [1] A. Martin, G. Doddington, T. Kamm, M. Ordowski and M. Przybocki (1997), "The DET curve
       in assessment of detection task performance", Eurospeech 1997,
       doi:10.21437/Eurospeech.1997-504.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.evaluation.rates.curves import mean_curve
    >>> from hawkeys.evaluation.report.det import draw_det
    >>> curve = mean_curve([(np.arange(50.0), np.arange(-25.0, 25.0))])
    >>> draw_det({"verifier": curve}).get_ylabel()
    'Misses: impostor samples accepted (%)'
    """
    ax = current_axes() if ax is None else ax
    for (name, curve), style in zip(curves.items(), styles(len(curves)), strict=True):
        ax.plot(*_deviates(curve), label=name, **style)
        thin = {"color": style["color"], "lw": 0.6, "alpha": 0.45, "zorder": 1.5}
        lines = [_deviates(one) for one in (subjects or {}).get(name, ())]
        for line in lines:
            ax.plot(*line, **thin)
        if lines:
            hidden = sum(not _visible(*line) for line in lines)
            beyond = f", {hidden} beyond the axes" if hidden else ""
            ax.plot([], [], label=f"each of {len(lines)} subjects{beyond}", **thin)
    for name, point in (points or {}).items():
        colour = styles(len(curves))[list(curves).index(name)]["color"]
        ax.plot(*ndtri(point), marker="o", ms=6, mec="black", mfc=colour, ls="none", zorder=3)
    if points:
        label = "at the verifier's own thresholds"
        ax.plot([], [], marker="o", ms=6, mec="black", mfc="white", ls="none", label=label)
    _set_axes(ax, false_alarm)
    look = LEGEND | {"fontsize": "small" if len(curves) <= _MANY else "x-small"}
    ax.legend(
        loc="upper right", title=note or None, title_fontsize="small", alignment="left", **look
    )
    return ax


def draw_det_of(
    results: Results, ax: Axes | None = None, *, shared: str = "none", per_subject: bool = False
) -> Axes:
    """Draw the DET curve of each verifier of some results, see `Evaluation.plot_det`.

    Parameters
    ----------
    results : Results
        Outcomes and the stated false-alarm rate.
    ax : Axes, optional
        Where to draw; the current axes by default.
    shared : {"none", "raw", "shifted"}, default "none"
        Threshold that the subjects share.
    per_subject : bool, default False
        Whether to add the curve of every subject as a thin line.

    Returns
    -------
    Axes
        The axes drawn on.

    Raises
    ------
    InvalidParameterError
        If `shared` is unknown.
    """
    return draw_det(
        det_curves(results.outcomes, shared),
        false_alarm=results.false_alarm,
        subjects=subject_curves(results.outcomes) if per_subject else None,
        points=own_points(results.outcomes) if shared == "shifted" else None,
        note=SHARED_THRESHOLDS[shared],
        ax=ax,
    )


def _set_axes(ax: Axes, false_alarm: float) -> None:
    ax.plot(ndtri(_LIMITS), ndtri(_LIMITS), color="0.75", lw=1, zorder=0)
    ax.axvline(ndtri(false_alarm), color="0.4", lw=1, ls=(0, (1, 2)), zorder=0)
    labels = [f"{100 * tick:g}" for tick in _TICKS]
    ax.set_xticks(ndtri(_TICKS), labels)
    ax.set_yticks(ndtri(_TICKS), labels)
    ax.set(xlim=ndtri(_LIMITS), ylim=ndtri(_LIMITS), aspect="equal")
    ax.grid(color="0.92", lw=0.8)
    ax.set_xlabel("False alarms: genuine samples rejected (%)")
    ax.set_ylabel("Misses: impostor samples accepted (%)")


def _deviates(curve: MeanCurve) -> tuple[FloatArray, FloatArray]:
    """Return the normal deviates of the rates that are neither 0 nor 1."""
    inside = (curve.false_alarm > 0) & (curve.false_alarm < 1)
    inside &= (curve.miss > 0) & (curve.miss < 1)
    return ndtri(curve.false_alarm[inside]), ndtri(curve.miss[inside])


def _visible(x: FloatArray, y: FloatArray) -> bool:
    low, high = ndtri(_LIMITS)
    return bool(((x >= low) & (x <= high) & (y >= low) & (y <= high)).any())


def _shifted(outcome: Outcome) -> tuple[FloatArray, FloatArray]:
    """Return the scores minus the subject's own threshold; a score equal to it becomes 0."""
    own = outcome.threshold
    # The difference of two equal infinities would be NaN.
    genuine, impostor = (
        np.subtract(scores, own, out=np.zeros_like(scores), where=scores != own)
        for scores in (outcome.genuine, outcome.impostor)
    )
    return genuine, impostor


def _by_verifier(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    groups: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(outcome.verifier, []).append(outcome)
    return groups
