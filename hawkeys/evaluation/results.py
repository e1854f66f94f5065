"""`Evaluation`: error rates of verifiers under a stated protocol, with all that they rest on."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import pandas as pd

from hawkeys._files import write_text
from hawkeys._validation import check_choice
from hawkeys.evaluation import figures
from hawkeys.evaluation.achieved import achieved_rates, policy_table
from hawkeys.evaluation.analyses import Analyses
from hawkeys.evaluation.bootstrap import Bootstrap
from hawkeys.evaluation.curves import MeanCurve, mean_curve
from hawkeys.evaluation.outcomes import Outcome
from hawkeys.evaluation.protocols import Protocol
from hawkeys.evaluation.report import write_report
from hawkeys.evaluation.stages import Progress, Representation, Samples
from hawkeys.evaluation.tables import summary_table
from hawkeys.exceptions import InvalidParameterError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Evaluation"]

_SUMMARISED = ("miss_rate", "eer", "auc")
_AVERAGED = ("zero_miss", "achieved_false_alarm", "achieved_miss")


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation(Analyses):
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

    outcomes: tuple[Outcome, ...]
    protocol: Protocol
    protocol_text: str
    false_alarm: float
    bootstrap: Bootstrap
    verifiers: Mapping[str, str]
    provenance: Mapping[str, str]
    versions: Mapping[str, str]
    samples: Samples
    representations: tuple[Representation, ...]

    def __repr__(self) -> str:
        return (
            f"Evaluation(protocol={self.protocol.name!r}, verifiers={list(self.verifiers)}, "
            f"n_subjects={self.n_subjects})"
        )

    def __str__(self) -> str:
        paragraphs = (self.notice, self.protocol_text)
        table = summary_table(self._summary, self.false_alarm)
        top = [textwrap.fill(text, 80) for text in paragraphs if text]
        return "\n\n".join([*top, table, textwrap.fill(self.interval_note, 80)])

    @property
    def notice(self) -> str:
        """What a reader must be told about the data, or an empty string."""
        return self.provenance.get("notice", "")

    @property
    def interval_note(self) -> str:
        """How the intervals of the summary were made, in a sentence."""
        made = self.bootstrap
        return (
            f"Means over {self.n_subjects} subjects, with {100 * made.level:g} % bootstrap "
            f"intervals over subjects ({made.n_resamples:,} resamples, seed {made.seed})."
        )

    @property
    def n_subjects(self) -> int:
        """Number of genuine typists."""
        return len({outcome.subject for outcome in self.outcomes})

    @property
    def n_people(self) -> int:
        """Number of people who took part, as genuine typist or as impostor."""
        genuine = {outcome.subject for outcome in self.outcomes}
        return len(genuine.union(*(set(one.impostor_subject) for one in self.outcomes)))

    def only(self, verifiers: Sequence[str]) -> Evaluation:
        """Return the evaluation of some of the verifiers.

        Parameters
        ----------
        verifiers : sequence of str
            Names, in the order wanted.

        Returns
        -------
        Evaluation
            All else is the same.

        Raises
        ------
        InvalidParameterError
            If a name is unknown or there is none.
        """
        for name in verifiers:
            check_choice(name, "verifiers", tuple(self.verifiers))
        if not verifiers:
            raise InvalidParameterError(
                f"verifiers names none; choose from: {', '.join(self.verifiers)}."
            )
        kept = [one for name in verifiers for one in self.outcomes if one.verifier == name]
        chosen = {name: self.verifiers[name] for name in verifiers}
        return replace(self, outcomes=tuple(kept), verifiers=MappingProxyType(chosen))

    @cached_property
    def _frame(self) -> pd.DataFrame:
        return pd.DataFrame([outcome.as_row() for outcome in self.outcomes])

    @cached_property
    def _summary(self) -> pd.DataFrame:
        groups = self._frame.groupby("verifier", sort=False)
        rows = [{"verifier": name, **self._summarise(group)} for name, group in groups]
        return pd.DataFrame(rows).set_index("verifier")

    def _summarise(self, group: pd.DataFrame) -> dict[str, float]:
        row: dict[str, float] = {"n_subjects": len(group)}
        for name in _SUMMARISED:
            lower, upper = self.bootstrap.interval(group[name].to_numpy())
            row |= {name: group[name].mean(), f"{name}_sd": group[name].std(ddof=1)}
            row |= {f"{name}_lower": lower, f"{name}_upper": upper}
        return row | {name: group[name].mean() for name in _AVERAGED}

    def to_frame(self) -> pd.DataFrame:
        """Return one row per verifier and subject.

        Returns
        -------
        DataFrame
            Columns verifier, subject, eer, auc, miss_rate (at the stated false-alarm rate, on
            the test scores), zero_miss, threshold, achieved_false_alarm and achieved_miss (both
            at the verifier's own threshold), n_genuine, n_impostor, n_false_alarm and n_miss
            (counts at that threshold).
        """
        return self._frame.copy()

    def summary(self) -> pd.DataFrame:
        """Return one row per verifier: means over subjects with intervals.

        Returns
        -------
        DataFrame
            Indexed by verifier. n_subjects; for each of miss_rate, eer and auc the mean, the
            standard deviation over subjects (``_sd``, n - 1) and the bootstrap percentile
            interval of the mean (``_lower``, ``_upper``); the means of zero_miss,
            achieved_false_alarm and achieved_miss.
        """
        return self._summary.copy()

    def operating_point(self) -> pd.DataFrame:
        """Return the errors at each verifier's own threshold, in the words of [1]_.

        That paper counts a genuine sample rejected as a false negative and an impostor sample
        accepted as a false positive: its false negatives are the false alarms of this package,
        its false positives the misses. The threshold is set on the training samples.

        Returns
        -------
        DataFrame
            One row per verifier and subject: verifier, subject, false_negatives (of n_genuine),
            false_positives (of n_impostor), n_genuine, n_impostor.

        References
        ----------
        .. [1] C. Zhang, Y. Zhang and F. Li (2021), doi:10.1155/2021/6648726, table 1.
        """
        words = {"n_false_alarm": "false_negatives", "n_miss": "false_positives"}
        columns = ["verifier", "subject", *words, "n_genuine", "n_impostor"]
        return self._frame[columns].rename(columns=words)

    def policy_table(self) -> pd.DataFrame:
        """Return the errors at the threshold of each policy of the protocol, by subject.

        Returns
        -------
        DataFrame
            One row per verifier, subject and policy: verifier, subject, policy, threshold,
            achieved_false_alarm, achieved_miss.
        """
        return policy_table(self.outcomes)

    def achieved_rates(self) -> pd.DataFrame:
        """Return what the thresholds of each policy achieved on the tests, means over subjects.

        Every threshold aims at `false_alarm`, set on training samples alone.

        Returns
        -------
        DataFrame
            Indexed by verifier and policy: achieved_false_alarm and achieved_miss with their
            bootstrap intervals (``_lower``, ``_upper``) and the worst subject's rate
            (``_worst``), and n_subjects.
        """
        return achieved_rates(self.policy_table(), self.bootstrap)

    def mean_curves(self) -> dict[str, MeanCurve]:
        """Return the mean error curve of each verifier over subjects."""
        return {
            name: mean_curve([(o.genuine, o.impostor) for o in self.outcomes if o.verifier == name])
            for name in self.verifiers
        }

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
        return figures.draw_roc(self.mean_curves(), false_alarm=self.false_alarm, ax=ax)

    def to_csv(self, path: str | os.PathLike[str]) -> Path:
        """Write `to_frame` to a CSV file, in one step.

        Parameters
        ----------
        path : str or path-like
            The file; an existing one is replaced.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        write_text(path, self._frame.to_csv(index=False))
        return Path(path)

    def report(
        self,
        directory: str | os.PathLike[str],
        *,
        command: str = "",
        studies: Mapping[str, pd.DataFrame] | None = None,
        progress: Progress | None = None,
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

        Returns
        -------
        Path
            The HTML file.

        Raises
        ------
        OutputError
            If a file cannot be written.
        """
        return write_report(self, directory, command=command, studies=studies, progress=progress)
