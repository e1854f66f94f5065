"""One threshold for everybody: what it costs beside one each, and what it is worth later."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hawkeys._typing import BoolArray, FloatArray
from hawkeys.evaluation.metrics import equal_error_rate, equal_error_threshold, error_counts

__all__ = ["equal_errors", "kept_errors"]


def equal_errors(
    genuine: Sequence[FloatArray], impostor: Sequence[FloatArray]
) -> tuple[FloatArray, float]:
    """Return the equal-error rate of each person who was tested, and that with one threshold.

    Of each person there are scores of own samples, perhaps none, and of others'; the threshold is
    one for all of them.
    """
    people = zip(genuine, impostor, strict=True)
    each = [equal_error_rate(own, other) for own, other in people if own.size]
    return np.array(each), equal_error_rate(np.concatenate(genuine), np.concatenate(impostor))


def kept_errors(
    genuine: FloatArray, impostor: FloatArray, genuine_first: BoolArray, impostor_first: BoolArray
) -> dict[str, float]:
    """Return the threshold of equal errors in the first session, and its errors in later ones.

    Scores of all people together, and which of them are of the first session. NaN if none is later.
    """
    if genuine_first.all() or impostor_first.all():
        return dict.fromkeys(("threshold_kept", "false_alarm_kept", "miss_kept"), np.nan)
    threshold = equal_error_threshold(genuine[genuine_first], impostor[impostor_first])
    errors = error_counts(genuine[~genuine_first], impostor[~impostor_first], threshold)
    return {
        "threshold_kept": threshold,
        "false_alarm_kept": errors.false_alarm,
        "miss_kept": errors.miss,
    }
