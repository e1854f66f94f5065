"""Evaluation protocols: who trains, who tests, who plays the impostor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from hawkeys._typing import IntArray
from hawkeys._validation import check_choice, check_count
from hawkeys.datasets import Keystrokes
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers import THRESHOLD_POLICIES
from hawkeys.verifiers._few import FEW

__all__ = ["PROTOCOLS", "Protocol", "Split", "get_protocol"]


@dataclass(frozen=True, eq=False)
class Split:
    """Rows of the data that belong to one genuine typist.

    Attributes
    ----------
    subject : str
        The genuine typist.
    train, genuine, impostor : ndarray of int64, shapes (n_train,), (n_genuine,), (n_impostor,)
        Row numbers of the training, genuine test and impostor samples, in order of time; the
        impostors' one impostor after the other.
    """

    subject: str
    train: IntArray
    genuine: IntArray
    impostor: IntArray


@dataclass(frozen=True)
class Protocol:
    """Rules of an evaluation, stated once and recorded in every result.

    The repetitions of a subject are ordered by session, then by repetition within the session.
    Each subject in turn is the genuine typist: the first `n_train` repetitions train, the next
    `n_genuine` are genuine tests, and the first `n_impostor` repetitions of every other subject
    are zero-effort impostors, people who typed the same text without imitating anyone.

    Parameters
    ----------
    name : str
        Short name, as the command line takes it.
    n_train, n_genuine : int, default 200
        Numbers of training and genuine test repetitions.
    n_impostor : int or None, default 5
        Impostor repetitions per other subject; None takes all.
    subjects : tuple of str, default ()
        The only subjects that take part. Empty means everybody. If the data lack one of them,
        as many subjects from the start of the sorted list stand in.
    reference : str, default ""
        Where the rules come from.
    policies : tuple of str, default ("resubstitution",)
        Threshold policies whose achieved rates are reported, of
        `hawkeys.verifiers.THRESHOLD_POLICIES`.

    Raises
    ------
    InvalidParameterError
        If a number of repetitions is no whole number of at least 1, a single subject is named,
        or a policy is unknown or named twice.

    Examples
    --------
    >>> from hawkeys.evaluation import Protocol
    >>> Protocol("quick", n_train=20, n_genuine=20).n_needed
    40
    """

    name: str
    n_train: int = 200
    n_genuine: int = 200
    n_impostor: int | None = 5
    subjects: tuple[str, ...] = ()
    reference: str = ""
    policies: tuple[str, ...] = ("resubstitution",)

    def __post_init__(self) -> None:
        check_count(self.n_train, "n_train")
        check_count(self.n_genuine, "n_genuine")
        if self.n_impostor is not None:
            check_count(self.n_impostor, "n_impostor")
        if len(set(self.subjects)) < len(self.subjects) or len(self.subjects) == 1:
            raise InvalidParameterError(
                f"subjects must be two or more different names, or none for everybody; got "
                f"{self.subjects}. Name each typist once."
            )
        for policy in self.policies:
            check_choice(policy, "policies", THRESHOLD_POLICIES)
        if len(set(self.policies)) < len(self.policies):
            raise InvalidParameterError(
                f"policies must differ from each other; got {self.policies}. Name each once."
            )

    @property
    def n_needed(self) -> int:
        """Number of repetitions that every subject must have."""
        return self.n_train + self.n_genuine

    def choose_subjects(self, data: Keystrokes) -> tuple[str, ...]:
        """Choose the subjects that take part, sorted.

        Parameters
        ----------
        data : Keystrokes
            Typing samples.

        Returns
        -------
        tuple of str
            Names of the subjects.

        Raises
        ------
        InvalidParameterError
            If the data hold fewer than two subjects, or fewer than the protocol names.
        """
        present = tuple(str(name) for name in np.unique(data.subject))
        if set(self.subjects) <= set(present) and self.subjects:
            return tuple(sorted(self.subjects))
        needed = max(len(self.subjects), 2)
        if len(present) < needed:
            raise InvalidParameterError(
                f"protocol {self.name!r} needs at least {needed} subjects; the data hold "
                f"{len(present)} ({', '.join(present)}). Add typists or choose another protocol."
            )
        return present[: len(self.subjects)] if self.subjects else present

    def split(self, data: Keystrokes) -> tuple[Split, ...]:
        """Assign the rows of the data, one record per genuine typist.

        Parameters
        ----------
        data : Keystrokes
            Typing samples; `subject`, `session` and `repetition` have shape (n_samples,).

        Returns
        -------
        tuple of Split
            In the order of `choose_subjects`.

        Raises
        ------
        InvalidParameterError
            If a subject has fewer than `n_needed` repetitions, or subjects are too few.

        Examples
        --------
        >>> from hawkeys.datasets import load_demo
        >>> from hawkeys.evaluation import get_protocol
        >>> split = get_protocol("killourhy-maxion").split(load_demo())[0]
        >>> split.train.size, split.genuine.size, split.impostor.size
        (200, 200, 95)
        """
        rows = {name: self._rows_of(data, name) for name in self.choose_subjects(data)}
        splits = []
        for name, own in rows.items():
            others = [rows[other][: self.n_impostor] for other in rows if other != name]
            train, genuine = own[: self.n_train], own[self.n_train : self.n_needed]
            splits.append(Split(name, train, genuine, np.concatenate(others)))
        return tuple(splits)

    def _rows_of(self, data: Keystrokes, subject: str) -> IntArray:
        rows = np.flatnonzero(np.asarray(data.subject) == subject)
        if rows.size < self.n_needed:
            raise InvalidParameterError(
                f"subject {subject!r} has {rows.size} repetitions; protocol {self.name!r} needs "
                f"{self.n_needed} ({self.n_train} to train, {self.n_genuine} as genuine tests). "
                f"Leave the subject out, data[data.subject != {subject!r}], or pass a Protocol "
                "with smaller n_train and n_genuine."
            )
        order = np.lexsort((data.repetition[rows], data.session[rows]))
        return rows[order].astype(np.int64)

    def describe(self, data: Keystrokes, false_alarm: float = 0.05) -> str:
        """Put the rules into words, with the numbers they give on these data.

        Parameters
        ----------
        data : Keystrokes
            Typing samples.
        false_alarm : float, default 0.05
            The stated false-alarm rate.

        Returns
        -------
        str
            A paragraph without jargon that says who trains, who is the impostor and how every
            threshold is set.

        Raises
        ------
        InvalidParameterError
            If the data do not suit the protocol.
        """
        splits = self.split(data)
        names = tuple(split.subject for split in splits)
        who = f"each of {len(names)} subjects"
        if self.subjects:
            who += f" ({', '.join(names)})"
        first = "all" if self.n_impostor is None else f"the first {self.n_impostor}"
        text = (
            f"In turn, {who} is the genuine typist: repetitions 1-{self.n_train}, in the order "
            f"they were typed, train the verifier; repetitions {self.n_train + 1}-{self.n_needed} "
            f"are the genuine tests. Zero-effort impostors: {first} repetitions of each of the "
            f"other {len(names) - 1} subjects ({_sizes(splits)} samples), who typed the same text "
            "without imitating anyone. EER, AUC and the miss rate at "
            f"{100 * false_alarm:g} % false alarms describe the test scores over all thresholds, "
            "so their thresholds are set on the test samples, subject by subject; a verifier's "
            f"own threshold is set on its training samples alone ({self._own_policy})."
        )
        return self._substitution(names) + text + self._few_tests(false_alarm)

    @property
    def _own_policy(self) -> str:
        return "resubstitution" if self.n_train >= FEW else "each judged by the others"

    def _few_tests(self, false_alarm: float) -> str:
        if int(self.n_genuine * false_alarm + 1e-9) >= 1:
            return ""
        return (
            f" With {self.n_genuine} genuine tests a subject none can be rejected at "
            f"{100 * false_alarm:g} % false alarms, which takes {1 / false_alarm:.10g}: the miss "
            "rate is the one with no genuine test rejected."
        )

    def _substitution(self, names: tuple[str, ...]) -> str:
        if not self.subjects or names == tuple(sorted(self.subjects)):
            return ""
        return (
            f"NOTE: the data lack the subjects of this protocol ({', '.join(self.subjects)}); the "
            f"first {len(names)} subjects of the data stand in for them. "
        )


def get_protocol(protocol: str | Protocol) -> Protocol:
    """Look up a protocol by name; a `Protocol` is passed through.

    Parameters
    ----------
    protocol : str or Protocol
        A key of `PROTOCOLS`, or rules of your own.

    Returns
    -------
    Protocol
        The rules.

    Raises
    ------
    InvalidParameterError
        If the name is unknown; the message lists the known ones.

    Examples
    --------
    >>> from hawkeys.evaluation import get_protocol
    >>> get_protocol("killourhy-maxion").n_impostor
    5
    """
    if isinstance(protocol, Protocol):
        return protocol
    return PROTOCOLS[check_choice(protocol, "protocol", tuple(PROTOCOLS))]


def _sizes(splits: tuple[Split, ...]) -> str:
    sizes = sorted({split.impostor.size for split in splits})
    return f"{sizes[0]:,}" if len(sizes) == 1 else f"{sizes[0]:,} to {sizes[-1]:,}"


_KILLOURHY_MAXION = (
    "K. S. Killourhy and R. A. Maxion (2009), Comparing anomaly-detection algorithms for "
    "keystroke dynamics, DSN 2009, doi:10.1109/DSN.2009.5270346"
)

PROTOCOLS: Mapping[str, Protocol] = MappingProxyType(
    {
        rules.name: rules
        for rules in (
            Protocol("killourhy-maxion", n_impostor=5, reference=_KILLOURHY_MAXION),
            Protocol(
                "killourhy-maxion-all",
                n_impostor=None,
                reference=f"{_KILLOURHY_MAXION}; impostors extended to all repetitions",
            ),
            Protocol(
                "five-subjects",
                n_impostor=None,
                subjects=("s002", "s032", "s036", "s047", "s052"),
                reference="C. Zhang, Y. Zhang and F. Li (2021), Feature extraction of sequence of "
                "keystrokes in fixed text using the multivariate Hawkes process, Mathematical "
                "Problems in Engineering, doi:10.1155/2021/6648726",
            ),
        )
    }
)
