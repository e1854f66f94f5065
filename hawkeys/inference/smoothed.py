"""Row problems with a smooth baseline, and the error of functions that do not take one."""

from __future__ import annotations

import numpy as np

from hawkeys._design import Design
from hawkeys._design.ties import Ties
from hawkeys._validation import brief
from hawkeys.baselines import Baseline
from hawkeys.exceptions import InvalidParameterError

__all__ = ["refuse_smoothing", "smoothed"]


def smoothed(design: Design, baseline: Baseline, ties: Ties | None) -> Design:
    """Return row problems with the penalty of their baseline.

    Parameters
    ----------
    design : Design
        Row problems of all targets, maybe of each realisation alone.
    baseline : Baseline
        Its smoothing is known.
    ties : Ties or None
        Parameters that are one.

    Returns
    -------
    Design
        With a roughness.

    Raises
    ------
    InvalidParameterError
        The smoothing is to be estimated, or not one number or one for each mark; or parameters are
        tied.
    """
    matrix, smoothing, size = baseline.roughness, baseline.smoothing, design.n_marks
    if isinstance(smoothing, str) or matrix is None:
        raise InvalidParameterError(
            f"the smoothing of the baseline {brief(baseline)} is to be estimated, which "
            "hawkeys.fit does by 'mle'. Give it here: that of a fit is "
            "result.process.baseline_function.smoothing, None is no penalty."
        )
    if ties is not None:
        raise InvalidParameterError(
            f"a smooth baseline, {brief(baseline)}, does not go with tied parameters. Leave tied "
            "out, or write baseline.with_smoothing(None)."
        )
    if np.ndim(smoothing) and len(smoothing) != size:
        raise InvalidParameterError(
            f"smoothing of a baseline is one number, or one for each of the {size} marks; got "
            f"{len(smoothing)}."
        )
    return design.smoothed(matrix, np.broadcast_to(smoothing, size))


def refuse_smoothing(baseline: Baseline, what: str) -> None:
    """Refuse a baseline that is to be smoothed.

    Parameters
    ----------
    baseline : Baseline
        What is fitted.
    what : str
        Who asks.

    Raises
    ------
    InvalidParameterError
        The baseline is estimated under a penalty on its roughness.
    """
    if baseline.rates is None and baseline.smoothing is not None:
        raise InvalidParameterError(
            f"{what} does not smooth a baseline; got {brief(baseline)}. hawkeys.fit by 'mle' does, "
            "with a kernel that is given or decay='estimate'. Else write "
            "baseline.with_smoothing(None)."
        )
