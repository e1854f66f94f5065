"""Other typists of ``hawkeys benchmark``: impostors, and a background."""

from __future__ import annotations

from pathlib import Path

from hawkeys.cli.console import print_notice
from hawkeys.cli.logs import Log
from hawkeys.cli.typists.options import BenchmarkOptions
from hawkeys.cli.typists.own_data import read_own
from hawkeys.datasets import Keystrokes, load_dataset
from hawkeys.evaluation import join_typists, label_impostors
from hawkeys.exceptions import InvalidParameterError

__all__ = ["with_others"]

_NAMED = ("cmu", "bksd-password", "bksd-phrase", "demo")


def with_others(asked: BenchmarkOptions, typed: Keystrokes) -> tuple[Keystrokes, tuple[str, ...]]:
    """Return the samples with those of the others that were asked for, and the background.

    Parameters
    ----------
    asked : BenchmarkOptions
        Where the others come from.
    typed : Keystrokes
        Samples of the data.

    Returns
    -------
    data : Keystrokes
        With labelled impostors, and typists of the background.
    background : tuple of str
        Typists who are not tested.

    Raises
    ------
    InvalidParameterError
        Options that contradict each other, others of another text, or typists in two roles.
    DatasetError
        A file is missing or broken.
    """
    if asked.impostors_from is not None:
        if asked.impostors not in (None, "labelled", "both"):
            raise InvalidParameterError(
                f"--impostors-from labels impostors, and --impostors {asked.impostors} leaves them "
                "out. Leave out one of the two."
            )
        others = _read(asked.impostors_from, asked.log)
        typed = label_impostors(typed, others)
        print_notice(
            f"impostors: the first five samples of {len(others.subjects)} typists of "
            f"{asked.impostors_from}.",
            err=asked.as_json,
        )
    if asked.background is None:
        return typed, ()
    if asked.background.isdigit():
        return typed, _some_of(typed, int(asked.background))
    known = read_own(Path(asked.background), asked.log)
    return join_typists(typed, known), known.subjects


def _some_of(typed: Keystrokes, n_typists: int) -> tuple[str, ...]:
    """Return every other typist of the data, and then the rest, up to a number of them."""
    names = sorted(typed.subjects)
    if not 0 < n_typists < len(names):
        raise InvalidParameterError(
            f"--background {n_typists} of {len(names)} typists leaves "
            f"{max(len(names) - n_typists, 0)} to be tested and {n_typists} to learn from. Give a "
            "smaller number above 0, or a file of others."
        )
    return tuple((names[0::2] + names[1::2])[:n_typists])


def _read(source: str, log: Log) -> Keystrokes:
    """Return the samples of a named set, a file or a folder."""
    return load_dataset(source)[0] if source in _NAMED else read_own(Path(source), log)
