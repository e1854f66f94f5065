"""Evaluation protocols: who trains, who tests, who plays the impostor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from hawkeys._typing import BoolArray, IntArray
from hawkeys._validation import check_choice, check_count
from hawkeys.datasets import Keystrokes
from hawkeys.evaluation.portions import Portion, as_portion
from hawkeys.evaluation.wording import Split, Wording
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers import THRESHOLD_POLICIES

__all__ = ["PROTOCOLS", "Protocol", "Split", "get_protocol"]


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
    n_train, n_genuine : int, float or str, default 200
        Training and genuine test repetitions of each subject: a whole number of them; a share
        strictly between 0 and 1 of all that the subject has; or in words "first 4 sessions",
        "last 2 sessions", "session 1", "sessions 1, 3-5", and, of tests, "rest". Tests by number
        or share and the rest come after the last training repetition.
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
    impostors : {"others", "labelled", "both", "none"}, default "others"
        Who plays the impostor: the other subjects, the samples that the data label as those of
        an impostor at the subject's text (see `Keystrokes.impostor`), both, or nobody, which
        leaves false alarms (`false_alarm_rates`). Labelled samples are never genuine.
    short : {"refuse", "leave out"}, default "refuse"
        What becomes of a subject with too few repetitions: an error, or no genuine typist but
        still an impostor, which `describe` says. With "leave out" a subject is genuine that has
        all it takes to train and one test or more, as many as there are up to `n_genuine`.
    background : tuple of str, default ()
        Subjects who are neither genuine nor impostors: verifiers with a parameter `background`
        (`BackgroundRatio`) learn from all their samples how people differ. `join_typists` puts
        typists from elsewhere into the data.

    Raises
    ------
    InvalidParameterError
        If a number of repetitions is none of these, a single subject is named, a policy is
        unknown or named twice, or a subject of the background, too.

    Examples
    --------
    >>> from hawkeys.evaluation import Protocol
    >>> Protocol("quick", n_train=20, n_genuine=20).n_needed
    40
    >>> own = Protocol("own", n_train="first 4 sessions", n_genuine="rest", short="leave out")
    """

    name: str
    n_train: int | float | str = 200
    n_genuine: int | float | str = 200
    n_impostor: int | None = 5
    subjects: tuple[str, ...] = ()
    reference: str = ""
    policies: tuple[str, ...] = ("resubstitution",)
    impostors: str = "others"
    short: str = "refuse"
    background: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        as_portion(self.n_genuine, "n_genuine")
        if as_portion(self.n_train, "n_train").kind == "rest":
            raise InvalidParameterError(
                'n_train must leave samples to test with; got "rest". Name a number, a share or '
                "sessions."
            )
        if self.n_impostor is not None:
            check_count(self.n_impostor, "n_impostor")
        check_choice(self.impostors, "impostors", ("others", "labelled", "both", "none"))
        check_choice(self.short, "short", ("refuse", "leave out"))
        if len(set(self.subjects)) < len(self.subjects) or len(self.subjects) == 1:
            raise InvalidParameterError(
                f"subjects must be two or more different names, or none for everybody; got "
                f"{self.subjects}. Name each typist once."
            )
        both = set(self.background) & set(self.subjects)
        if both or len(set(self.background)) < len(self.background):
            raise InvalidParameterError(
                f"background must name typists once who are none of the subjects; got "
                f"{self.background} with subjects={self.subjects}. Who is tested must not be known."
            )
        for policy in self.policies:
            check_choice(policy, "policies", THRESHOLD_POLICIES)
        if len(set(self.policies)) < len(self.policies):
            raise InvalidParameterError(
                f"policies must differ from each other; got {self.policies}. Name each once."
            )

    @property
    def n_needed(self) -> int:
        """Smallest number of repetitions that a genuine typist must have."""
        least = [
            int(one.number) if one.kind == "count" else 1
            for one in (as_portion(self.n_train, "n_train"), self._tests)
        ]
        return least[0] + (least[1] if self.short == "refuse" else 1)

    @property
    def _tests(self) -> Portion:
        return as_portion(self.n_genuine, "n_genuine")

    def choose_subjects(self, data: Keystrokes) -> tuple[str, ...]:
        """Choose the subjects that take part, sorted.

        Parameters
        ----------
        data : Keystrokes
            Typing samples.

        Returns
        -------
        tuple of str
            Names of the subjects, those with too few repetitions among them.

        Raises
        ------
        InvalidParameterError
            If the data hold fewer than two subjects (none, where the impostors are labelled or
            there are none) besides the background, fewer than the protocol names, or not the
            background.
        """
        everybody = {str(name) for name in data.subject.tolist()}
        missing = [name for name in self.background if name not in everybody]
        if missing:
            raise InvalidParameterError(
                f"protocol {self.name!r} has {missing[0]!r} in its background; the data hold no "
                "such typist. Name typists of the data, or join those of another set to it."
            )
        present = tuple(sorted(everybody - set(self.background)))
        if set(self.subjects) <= set(present) and self.subjects:
            return tuple(sorted(self.subjects))
        needed = max(len(self.subjects), 1 if self.impostors in ("labelled", "none") else 2)
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
            If a subject has too few repetitions (all of them, with ``short="leave out"``), a
            sample would train and test, no impostor is left, or subjects are too few.

        Examples
        --------
        >>> from hawkeys.datasets import load_demo
        >>> from hawkeys.evaluation import get_protocol
        >>> split = get_protocol("killourhy-maxion").split(load_demo())[0]
        >>> split.train.size, split.genuine.size, split.impostor.size
        (200, 200, 95)
        """
        return self._assign(data)[0]

    def left_out(self, data: Keystrokes) -> dict[str, str]:
        """Return the subjects that are not tested as genuine typists, each with the reason.

        Parameters
        ----------
        data : Keystrokes
            Typing samples.

        Returns
        -------
        dict of str to str
            Reason by subject; empty if everybody is.

        Raises
        ------
        InvalidParameterError
            As `split`.
        """
        return self._assign(data)[1]

    def _assign(self, data: Keystrokes) -> tuple[tuple[Split, ...], dict[str, str]]:
        """Return the splits, and the reasons why others have none."""
        rows = {name: _rows_in_order(data, data.subject == name, genuine=True)
                for name in self.choose_subjects(data)}  # fmt: skip
        splits, reasons = [], {}
        for name, own in rows.items():
            train, genuine = self._parts_of(name, data.session[own])
            impostor = self._impostors_of(name, data, rows)
            reason = self._want(own.size, train, genuine) or (
                "" if impostor.size or self.impostors == "none" else "no impostor sample"
            )
            if reason:
                reasons[name] = reason
            else:
                splits.append(Split(name, own[train], own[genuine], impostor))
        if reasons and (self.short == "refuse" or not splits):
            raise self._too_few(reasons)
        return tuple(splits), reasons

    def _parts_of(self, subject: str, session: IntArray) -> tuple[IntArray, IntArray]:
        """Return the places that train and test among a subject's samples (n,)."""
        train = as_portion(self.n_train, "n_train").take(session)
        after = int(train[-1]) + 1 if train.size else session.size
        genuine = self._tests.take(session, start=after)
        both = np.intersect1d(train, genuine)
        if both.size:
            raise InvalidParameterError(
                f"protocol {self.name!r}: {both.size} samples of subject {subject!r}, the first of "
                f"session {session[both[0]]}, would train and test (n_train={self.n_train!r}, "
                f"n_genuine={self.n_genuine!r}). Name other sessions to test."
            )
        return train, genuine

    def _impostors_of(
        self, subject: str, data: Keystrokes, rows: Mapping[str, IntArray]
    ) -> IntArray:
        """Return the rows of those who play the impostor, one after the other."""
        parts = [np.empty(0, dtype=np.int64)]
        if self.impostors in ("others", "both"):
            parts += [rows[other][: self.n_impostor] for other in rows if other != subject]
        if self.impostors in ("labelled", "both"):
            parts.append(_rows_in_order(data, data.subject == subject, genuine=False))
        return np.concatenate(parts)

    def _want(self, size: int, train: IntArray, genuine: IntArray) -> str:
        """Say what a subject with `size` samples lacks; empty if nothing."""
        if size < self.n_needed:
            return f"{size} repetitions"
        portion = as_portion(self.n_train, "n_train")
        if not train.size or (portion.kind == "count" and train.size < portion.number):
            return f"no training sample in {portion.describe()}"
        return "" if genuine.size else f"no test sample in {self._tests.describe()}"

    def _too_few(self, reasons: Mapping[str, str]) -> InvalidParameterError:
        name, reason = next(iter(reasons.items()))
        more = f" (and {len(reasons) - 1} more like it)" if len(reasons) > 1 else ""
        needed = f"{self.n_needed} ({self.n_train} to train, {self.n_genuine} as genuine tests)"
        return InvalidParameterError(
            f"subject {name!r} has {reason}{more}; protocol {self.name!r} needs {needed}. "
            f"Leave the subject out, data[data.subject != {name!r}] or short='leave out', or pass "
            "a Protocol with smaller n_train and n_genuine."
        )

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
            A paragraph without jargon that says who trains, who is the impostor, how every
            threshold is set, and who is left out.

        Raises
        ------
        InvalidParameterError
            If the data do not suit the protocol.
        """
        splits, reasons = self._assign(data)
        text = Wording(self, splits, reasons, n_people=len(self.choose_subjects(data)))
        n_known = int(np.isin(data.subject, self.background).sum())
        return f"{text.paragraph(false_alarm)}{self._known(n_known)}"

    def _known(self, n_samples: int) -> str:
        """Say who the background is."""
        if not self.background:
            return ""
        return (
            f" Background: {n_samples:,} samples of {len(self.background)} other typists, who are "
            "neither genuine nor impostors, are known to the verifiers that learn from others."
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


def _rows_in_order(data: Keystrokes, own: BoolArray, *, genuine: bool) -> IntArray:
    """Return the genuine or the labelled impostors' rows of a subject in order of typing."""
    rows = np.flatnonzero(own & ((data.impostor == "") == genuine))
    order = np.lexsort((data.repetition[rows], data.session[rows]))
    return rows[order].astype(np.int64)


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
            Protocol("first-200", n_genuine="rest", n_impostor=5, short="leave out"),
            Protocol("first-half", 0.5, "rest", short="leave out"),
        )
    }
)
