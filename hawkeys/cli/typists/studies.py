"""What ``hawkeys benchmark --studies`` adds to a report."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from hawkeys.datasets import Keystrokes
from hawkeys.evaluation import Evaluation, clock_resolutions, enrolment_sizes, practice_rates
from hawkeys.exceptions import EnrolmentWarning

__all__ = ["run_studies"]

# training samples of the enrolment study, and samples of an impostor that the practice study takes
_SIZES = (5, 10, 20, 50, 100, 200)
_PRACTISED = 55


def run_studies(
    evaluation: Evaluation,
    verifiers: Mapping[str, BaseEstimator],
    data: Keystrokes,
    how: Mapping[str, Any],
) -> dict[str, pd.DataFrame]:
    """Return the studies that take evaluations of their own.

    Parameters
    ----------
    evaluation : Evaluation
        What was measured.
    verifiers : mapping of str to estimator
        Those of the evaluation.
    data : Keystrokes
        Its samples.
    how : mapping
        Further arguments of `evaluate`.

    Returns
    -------
    dict of str to DataFrame
        Tidy frames by study: enrolment, clock and practice, as far as the data allow.
    """
    rules = evaluation.protocol
    fewest = min(split.train.size for split in rules.split(data))
    sizes = [size for size in _SIZES if size <= fewest]
    studies = {}
    if sizes:
        with warnings.catch_warnings():  # it is what the study is about
            warnings.simplefilter("ignore", EnrolmentWarning)
            studies["enrolment"] = enrolment_sizes(
                verifiers, data, sizes=sizes, protocol=rules, **how
            )
    # a log-normal model has no place for holds of 0, which a coarse clock makes
    coarse = {name: one for name, one in verifiers.items() if not name.startswith("pohmm")}
    if coarse:
        studies["clock"] = clock_resolutions(coarse, data, protocol=rules, **how)
    if rules.n_impostor is None and _practised(evaluation):
        studies["practice"] = practice_rates(evaluation)
    return studies


def _practised(evaluation: Evaluation) -> bool:
    """Tell whether each impostor has samples enough for first and last ones."""
    counts = [np.unique(one.impostor_subject, return_counts=True)[1].min()
              for one in evaluation.outcomes]  # fmt: skip
    return min(counts) >= _PRACTISED
