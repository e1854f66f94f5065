"""Analyses of the outcomes of an evaluation, as methods of `Evaluation`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from hawkeys.evaluation import operating
from hawkeys.evaluation.bootstrap import Bootstrap
from hawkeys.evaluation.comparisons import compare_pairs
from hawkeys.evaluation.det import (
    SHARED_THRESHOLDS,
    det_curves,
    draw_det,
    own_points,
    subject_curves,
)
from hawkeys.evaluation.outcomes import Outcome
from hawkeys.evaluation.people import people_intervals

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Analyses"]


class Analyses:
    """Tables and curves that need the outcomes and the settings of the intervals alone.

    Attributes
    ----------
    outcomes : tuple of Outcome
        One per verifier and subject, with all test scores.
    false_alarm : float
        The stated false-alarm rate of the evaluation.
    bootstrap : Bootstrap
        Settings of the intervals.
    """

    outcomes: tuple[Outcome, ...]
    false_alarm: float
    bootstrap: Bootstrap

    def subject_rates(self, false_alarms: Sequence[float] = (0.05, 0.01)) -> pd.DataFrame:
        """Return the error rates of every subject, see `operating.subject_rates`.

        Parameters
        ----------
        false_alarms : sequence of float, default (0.05, 0.01)
            Stated false-alarm rates at which misses are counted.

        Returns
        -------
        DataFrame
            One row per verifier and subject, in the order of `to_frame`.

        Raises
        ------
        InvalidParameterError
            If a false-alarm rate is not strictly between 0 and 1.
        """
        return operating.subject_rates(self.outcomes, false_alarms)

    def spread(self, false_alarms: Sequence[float] = (0.05, 0.01)) -> pd.DataFrame:
        """Return mean, sd, quartiles and worst subject of every figure, see `operating.spread`.

        Parameters
        ----------
        false_alarms : sequence of float, default (0.05, 0.01)
            Stated false-alarm rates at which misses are counted.

        Returns
        -------
        DataFrame
            One row per verifier and figure.

        Raises
        ------
        InvalidParameterError
            If a false-alarm rate is not strictly between 0 and 1.
        """
        return operating.spread(self.subject_rates(false_alarms))

    def compare(self, metric: str = "miss_rate") -> pd.DataFrame:
        """Compare every pair of verifiers on the same subjects, see `compare_pairs`.

        Parameters
        ----------
        metric : str, default "miss_rate"
            A column of `to_frame` or of `subject_rates`, for example "miss_at_1".

        Returns
        -------
        DataFrame
            One row per pair: mean difference with its interval, share of subjects on which the
            first is better, and p-values before and after Holm's adjustment.

        Raises
        ------
        InvalidParameterError
            If the metric is unknown, or there are fewer than two verifiers or subjects.
        """
        frame, rates = pd.DataFrame([o.as_row() for o in self.outcomes]), self.subject_rates()
        table = frame.join(rates[rates.columns.difference(frame.columns)])
        return compare_pairs(table, metric, bootstrap=self.bootstrap)

    def intervals(self, false_alarms: Sequence[float] = (0.05, 0.01)) -> pd.DataFrame:
        """Return mean miss rates with intervals over genuine and impostor subjects.

        Parameters
        ----------
        false_alarms : sequence of float, default (0.05, 0.01)
            Stated false-alarm rates.

        Returns
        -------
        DataFrame
            See `people_intervals`, which says how and within which limits.

        Raises
        ------
        InvalidParameterError
            If fewer than 3 people take part, or a false-alarm rate is no fraction.
        """
        return people_intervals(self.outcomes, false_alarms=false_alarms, bootstrap=self.bootstrap)

    def costs(self) -> pd.DataFrame:
        """Return time and template size of each verifier, see `operating.costs`.

        Returns
        -------
        DataFrame
            Indexed by verifier. The times differ from run to run.
        """
        return operating.costs(self.outcomes)

    def plot_det(
        self, ax: Axes | None = None, *, shared: str = "none", per_subject: bool = False
    ) -> Axes:
        """Draw the DET curve of each verifier, on normal-deviate axes.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; the current axes by default.
        shared : {"none", "raw", "shifted"}, default "none"
            Threshold that the subjects share, see `hawkeys.evaluation.det.det_curves`; the legend
            says it in words. With "shifted" the verifiers' own thresholds are marked.
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
            det_curves(self.outcomes, shared),
            false_alarm=self.false_alarm,
            subjects=subject_curves(self.outcomes) if per_subject else None,
            points=own_points(self.outcomes) if shared == "shifted" else None,
            note=SHARED_THRESHOLDS[shared],
            ax=ax,
        )
