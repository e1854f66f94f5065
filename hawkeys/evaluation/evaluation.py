"""`Evaluation`: error rates of verifiers under a stated protocol, with pictures and report."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from hawkeys.evaluation.report.det import draw_det_of
from hawkeys.evaluation.report.figures import draw_roc
from hawkeys.evaluation.report.tables import summary_table
from hawkeys.evaluation.report.write import write_report
from hawkeys.evaluation.results import Results
from hawkeys.evaluation.stages import Progress

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Evaluation"]


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation(Results):
    """Error rates of verifiers, subject by subject, under a protocol that the result states.

    Made by `evaluate`. ``print(evaluation)`` shows the protocol and the summary.

    Attributes
    ----------
    outcomes : tuple of Outcome
        One per verifier and subject, with all test scores.
    protocol : Protocol
        The rules.
    protocol_text : str
        The rules in words, with the numbers of these data.
    false_alarm : float
        The stated false-alarm rate of `miss_rate`.
    bootstrap : Bootstrap
        Settings of the intervals over subjects.
    verifiers : mapping of str to str
        Name of each verifier, and the expression that makes it.
    provenance : mapping of str to str
        Where the data come from, and how many samples were used.
    versions : mapping of str to str
        Versions of Python and of the packages used.
    samples : Samples
        Typist and session of the samples used.
    representations : tuple of Representation
        What the verifiers saw of those samples.
    lost : tuple of Loss
        Verifier, subject and reason where a verifier could not be trained for a typist; it has no
        row for that typist then.

    References
    ----------
    .. [1] K. S. Killourhy and R. A. Maxion (2009), "Comparing anomaly-detection algorithms for
       keystroke dynamics", DSN 2009, doi:10.1109/DSN.2009.5270346.
    .. [2] C. Zhang, Y. Zhang and F. Li (2021), "Feature extraction of sequence of keystrokes in
       fixed text using the multivariate Hawkes process", Mathematical Problems in Engineering,
       doi:10.1155/2021/6648726.

    Examples
    --------
    >>> from hawkeys.datasets import load_demo
    >>> from hawkeys.evaluation import evaluate
    >>> from hawkeys.verifiers import ScaledManhattan
    >>> result = evaluate({"raw": ScaledManhattan()}, load_demo(), n_bootstrap=100)
    >>> result
    Evaluation(protocol='killourhy-maxion', verifiers=['raw'], n_subjects=20)
    >>> sorted(result.summary().columns)[:4]
    ['achieved_false_alarm', 'achieved_miss', 'auc', 'auc_lower']
    """

    def __str__(self) -> str:
        paragraphs = (self.notice, self.protocol_text)
        table = summary_table(self._summary, self.false_alarm)
        top = [textwrap.fill(text, 80) for text in paragraphs if text]
        return "\n\n".join([*top, table, textwrap.fill(self.interval_note, 80)])

    def plot_roc(self, ax: Axes | None = None) -> Axes:
        """Draw the mean ROC curve of each verifier.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; the current axes by default.

        Returns
        -------
        Axes
            The axes drawn on.
        """
        return draw_roc(self.mean_curves(), false_alarm=self.false_alarm, ax=ax)

    def plot_det(
        self, ax: Axes | None = None, *, shared: str = "none", per_subject: bool = False
    ) -> Axes:
        """Draw the DET curve of each verifier, on normal-deviate axes.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; the current axes by default.
        shared : {"none", "raw", "shifted"}, default "none"
            Threshold that the subjects share, see
            `hawkeys.evaluation.report.det.det_curves`; the legend says it in
            words. With "shifted" the verifiers' own thresholds are marked.
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
        return draw_det_of(self, ax, shared=shared, per_subject=per_subject)

    def report(
        self,
        directory: str | os.PathLike[str],
        *,
        command: str = "",
        studies: Mapping[str, pd.DataFrame] | None = None,
        progress: Progress | None = None,
        figures: Sequence[str] = ("png",),
    ) -> Path:
        """Write a report that a reader outside the field can follow.

        The folder receives report.html, which needs no other file, and beside it every table as
        CSV and all of them as tables.json, the main one as main_table.md and main_table.tex,
        evaluation.json, which says how all was made, and the figures as PNG files. With the
        package pyarrow every table is also written as Parquet. All files appear at once when
        everything has been made.

        Parameters
        ----------
        directory : str or path-like
            Folder to write to; created if missing.
        command : str, default ""
            Command that repeats the evaluation, shown in the report.
        studies : mapping of str to DataFrame, optional
            Studies to be shown as well, such as `enrolment_sizes` returns, by the name of their
            file.
        progress : callable, optional
            Called as ``progress(what, done, total)``.
        figures : sequence of {"png", "svg", "pdf"}, default ("png",)
            Formats of the figures; PNG is always written, because the page shows it.

        Returns
        -------
        Path
            The HTML file.

        Raises
        ------
        OutputError
            If a file cannot be written.
        InvalidParameterError
            There is no such format.
        """
        how: dict[str, Any] = {"command": command, "studies": studies, "figures": figures}
        return write_report(self, directory, progress=progress, **how)
