"""`Results`: outcomes of verifiers under a stated protocol, and the tables made of them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import pandas as pd

from hawkeys._files import write_text
from hawkeys._validation import check_choice
from hawkeys.evaluation.losses import Loss, complete_subjects, few_tests_note, loss_note
from hawkeys.evaluation.protocols import Protocol
from hawkeys.evaluation.rates.bootstrap import Bootstrap
from hawkeys.evaluation.rates.by_policy import achieved_rates, policy_table
from hawkeys.evaluation.rates.by_subject import costs, spread, subject_rates
from hawkeys.evaluation.rates.comparisons import compare_pairs
from hawkeys.evaluation.rates.curves import MeanCurve, mean_curve
from hawkeys.evaluation.rates.people import people_intervals
from hawkeys.evaluation.stages import Representation, Samples
from hawkeys.evaluation.trials import Outcome
from hawkeys.exceptions import InvalidParameterError

__all__ = ["Results"]

_R = TypeVar("_R", bound="Results")

_SUMMARISED = ("miss_rate", "eer", "auc")
_AVERAGED = ("zero_miss", "achieved_false_alarm", "achieved_miss")


@dataclass(frozen=True, eq=False, repr=False)
class Results:
    """The outcomes of an evaluation, what they rest on, and every table made of them.

    `Evaluation` adds its pictures and its report, and says what each field is.
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
    lost: tuple[Loss, ...] = ()

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(protocol={self.protocol.name!r}, "
            f"verifiers={list(self.verifiers)}, "
            f"n_subjects={self.n_subjects})"
        )

    @property
    def notice(self) -> str:
        """What a reader must be told about data and rows, or an empty string."""
        few = few_tests_note(self.outcomes, self.false_alarm)
        told = (self.provenance.get("notice", ""), few, loss_note(self.lost))
        return " ".join(text for text in told if text)

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

    def only(self: _R, verifiers: Sequence[str]) -> _R:
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
        lost = tuple(one for one in self.lost if one.verifier in chosen)
        return replace(self, outcomes=tuple(kept), verifiers=MappingProxyType(chosen), lost=lost)

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

    def lost_frame(self) -> pd.DataFrame:
        """Return the rows that `to_frame` lacks.

        Returns
        -------
        DataFrame
            Columns verifier, subject and reason.
        """
        columns = ["verifier", "subject", "reason"]
        return pd.DataFrame([vars(one) for one in self.lost], columns=columns)

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
        """Return the errors at each verifier's own threshold, in the words of the 2021 paper.

        That paper [1]_ counts a genuine sample rejected as a false negative and an impostor sample
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

    def subject_rates(self, false_alarms: Sequence[float] = (0.05, 0.01)) -> pd.DataFrame:
        """Return the error rates of every subject, see `by_subject.subject_rates`.

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
        return subject_rates(self.outcomes, false_alarms)

    def spread(self, false_alarms: Sequence[float] = (0.05, 0.01)) -> pd.DataFrame:
        """Return mean, sd, quartiles and worst subject of every figure, see `by_subject.spread`.

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
        return spread(self.subject_rates(false_alarms))

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
        return compare_pairs(complete_subjects(table), metric, bootstrap=self.bootstrap)

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
        """Return time and template size of each verifier, see `by_subject.costs`.

        Returns
        -------
        DataFrame
            Indexed by verifier. The times differ from run to run.
        """
        return costs(self.outcomes)

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
