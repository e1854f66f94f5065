"""What an evaluation is going to do, and how it is to be run."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from hawkeys._typing import FloatArray
from hawkeys.evaluation.protocols import Split
from hawkeys.evaluation.stages import Progress, Samples, Stage

__all__ = ["Plan", "Run"]


@dataclass(frozen=True, eq=False)
class Plan:
    """All that decides the scores of an evaluation.

    Attributes
    ----------
    splits : tuple of Split, length n_subjects
        Rows that train and test, one per genuine typist.
    stages : tuple of Stage
        The verifiers.
    matrices : tuple of ndarray of float64, shape (n_samples, n_features)
        What the stages see; each names its own by index.
    samples : Samples
        Typist and session of the samples.
    policies : tuple of str
        Threshold policies.
    false_alarm : float
        Aim of the policies' thresholds.
    """

    splits: tuple[Split, ...]
    stages: tuple[Stage, ...]
    matrices: tuple[FloatArray, ...]
    samples: Samples
    policies: tuple[str, ...]
    false_alarm: float


@dataclass(frozen=True, eq=False)
class Run:
    """Progress and checkpoints of an evaluation; they change none of its results.

    Parameters
    ----------
    progress : callable, optional
        Called as ``progress(what, done, total)`` while work goes on.
    checkpoint : str or path-like, optional
        Folder in which the scores of every finished subject are kept, so that the same evaluation,
        started again after an interruption, does not compute them again. It is created if
        missing, and its files can be deleted at any time.

    Attributes
    ----------
    kept : list of Path
        Folders in `checkpoint` of the evaluations that were carried out with this object, for
        `discard_checkpoints`.

    Examples
    --------
    >>> from hawkeys.evaluation import Run
    >>> seen = []
    >>> Run(progress=lambda *what: seen.append(what)).report("Reading", 1, 2)
    >>> seen
    [('Reading', 1, 2)]
    """

    progress: Progress | None = None
    checkpoint: str | os.PathLike[str] | None = None
    kept: list[Path] = field(default_factory=list, init=False, repr=False)

    def report(self, what: str, done: int, total: int) -> None:
        """Report progress, if a function for it was given.

        Parameters
        ----------
        what : str
            Kind of work.
        done, total : int
            Units of it, done so far and in all.
        """
        if self.progress is not None:
            self.progress(what, done, total)
