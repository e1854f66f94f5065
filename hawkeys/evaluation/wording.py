"""The rules of an evaluation in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from hawkeys._typing import IntArray
from hawkeys.evaluation.portions import as_portion
from hawkeys.verifiers._few import FEW

__all__ = ["Split", "Wording"]

_SHOWN = 20


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


class _Rules(Protocol):
    """What is put into words of `hawkeys.evaluation.Protocol`."""

    @property
    def n_train(self) -> int | float | str: ...
    @property
    def n_genuine(self) -> int | float | str: ...
    @property
    def n_impostor(self) -> int | None: ...
    @property
    def subjects(self) -> tuple[str, ...]: ...
    @property
    def impostors(self) -> str: ...


@dataclass(frozen=True)
class Wording:
    """What a protocol comes to on some data.

    Attributes
    ----------
    rules : Protocol
        The rules.
    splits : tuple of Split
        Rows of the genuine typists.
    left_out : mapping of str to str
        Why others are none.
    n_people : int
        Number of subjects, who are the impostors of each other.
    """

    rules: _Rules
    splits: tuple[Split, ...]
    left_out: Mapping[str, str]
    n_people: int

    def paragraph(self, false_alarm: float) -> str:
        """Return all that a reader needs to know.

        Parameters
        ----------
        false_alarm : float
            The stated false-alarm rate.

        Returns
        -------
        str
            Sentences.
        """
        names = tuple(split.subject for split in self.splits)
        who = f"each of {len(names)} subjects"
        if self.rules.subjects:
            who += f" ({', '.join(names)})"
        who = f"In turn, {who}" if len(names) > 1 else names[0]
        text = f"{who} is the genuine typist: {self._genuine()}. {self._impostors()} "
        scored = (
            f"EER, AUC and the miss rate at {100 * false_alarm:g} % false alarms describe the test "
            "scores over all thresholds, so their thresholds are set on the test samples, subject "
            "by subject; a"
        )
        text += "A" if self.rules.impostors == "none" else scored
        text += (
            f" verifier's own threshold is set on its training samples alone ({self._own_policy})."
        )
        few = "" if self.rules.impostors == "none" else self._few_tests(false_alarm)
        parts = (self._substitution(names) + text, self._omissions(), few)
        return " ".join(part for part in parts if part)

    def _genuine(self) -> str:
        """Say which samples train and which are genuine tests."""
        rules = self.rules
        train, test = as_portion(rules.n_train, "n_train"), as_portion(rules.n_genuine, "n_genuine")
        last = {split.genuine.size for split in self.splits}
        if train.kind == "count":
            first = f"repetitions 1-{train.number:.0f}, in the order they were typed, train"
        else:
            sizes = span([split.train.size for split in self.splits])
            first = f"{_start(train.kind)}{train.describe()}, in the order they were typed "
            first += f"({sizes}), train"
        if train.kind == test.kind == "count" and last == {int(test.number)}:
            number = int(train.number)
            return (
                f"{first} the verifier; repetitions {number + 1}-{number + int(test.number)} are "
                "the genuine tests"
            )
        after = {"count": "the next ", "share": "the next "}.get(test.kind, "")
        many = " at most" if test.kind == "count" else ""
        sizes = span([split.genuine.size for split in self.splits])
        return (
            f"{first} the verifier; {after}{test.describe()}{many} ({sizes}) are the genuine tests"
        )

    def _impostors(self) -> str:
        """Say who plays the impostor."""
        sizes = span([split.impostor.size for split in self.splits])
        n_impostor, kind = self.rules.n_impostor, self.rules.impostors
        labelled = "the samples that are labelled as an impostor's at the subject's text"
        first = "all" if n_impostor is None else f"the first {n_impostor}"
        others = f"{first} repetitions of each of the other {self.n_people - 1} subjects"
        if kind == "labelled":
            return f"Impostors: {labelled} ({sizes} samples)."
        if kind == "none":
            return "Nobody plays the impostor, so that only false alarms can be counted."
        if kind == "both":
            return f"Impostors: {labelled}, and {others} ({sizes} samples in all)."
        return (
            f"Zero-effort impostors: {others} ({sizes} samples), who typed the same text without "
            "imitating anyone."
        )

    @property
    def _own_policy(self) -> str:
        few = [split.train.size < FEW for split in self.splits]
        if any(few) and not all(few):
            return f"resubstitution; each judged by the others if fewer than {FEW} train"
        return "each judged by the others" if all(few) else "resubstitution"

    def _omissions(self) -> str:
        """Say who is no genuine typist."""
        if not self.left_out:
            return ""
        listed = list(self.left_out.items())
        shown = ", ".join(f"{name} ({reason})" for name, reason in listed[:_SHOWN])
        more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
        also = (
            "" if self.rules.impostors in ("labelled", "none") else ", but impostors of the others"
        )
        return f"Left out as genuine typists{also}: {shown}{more}."

    def _few_tests(self, false_alarm: float) -> str:
        sizes = [split.genuine.size for split in self.splits]
        few = sum(int(size * false_alarm + 1e-9) < 1 for size in sizes)
        if not few:
            return ""
        whom = "" if few == len(sizes) else f", of {few} of {len(sizes)} subjects,"
        return (
            f"With {span([n for n in sizes if int(n * false_alarm + 1e-9) < 1])} genuine tests a "
            f"subject{whom} none can be rejected at "
            f"{100 * false_alarm:g} % false alarms, which takes {1 / false_alarm:.10g}: the miss "
            "rate is the one with no genuine test rejected."
        )

    def _substitution(self, names: tuple[str, ...]) -> str:
        asked = self.rules.subjects
        if not asked or names == tuple(sorted(asked)):
            return ""
        return (
            f"NOTE: the data lack the subjects of this protocol ({', '.join(asked)}); the "
            f"first {len(names)} subjects of the data stand in for them. "
        )


def span(sizes: Sequence[int]) -> str:
    """Return numbers as "7" or "7 to 9"."""
    low, high = min(sizes), max(sizes)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _start(kind: str) -> str:
    return "the first " if kind == "share" else ""
