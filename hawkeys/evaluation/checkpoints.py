"""Scores of finished subjects, kept on disk so that an interrupted evaluation can go on."""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import joblib
import numpy as np

from hawkeys._files import reason, write_bytes
from hawkeys.evaluation.losses import Loss
from hawkeys.evaluation.plan import Plan, Run
from hawkeys.evaluation.protocols import Split
from hawkeys.evaluation.trials import Trial
from hawkeys.exceptions import OutputError

__all__ = ["Checkpoint", "discard_checkpoints", "open_checkpoint"]

_PREFIX = "scores-"
_STATED = (
    "verifier",
    "threshold",
    "policy_thresholds",
    "fit_seconds",
    "score_seconds",
    "template_bytes",
)
_LOST = ("verifier", "reason")
_PACKAGES = ("numpy", "scipy", "numba", "scikit-learn")


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Folder with the trials of each finished subject of one plan.

    Its name contains a hash of all that decides the scores (data, rows, verifiers with their
    parameters, policies, the code and the versions of the packages it uses), so that scores of
    another evaluation are never taken for those of this one. Files are written in one step; one
    that cannot be read counts as missing.

    Attributes
    ----------
    folder : Path
        Where the files are.
    plan : Plan
        What is evaluated.
    """

    folder: Path
    plan: Plan

    def load(self) -> dict[str, list[Trial | Loss]]:
        """Return the trials of the subjects that were finished, in the order of the plan.

        Returns
        -------
        dict of str to list of Trial or Loss
            By subject.
        """
        found = {split.subject: self._read(split) for split in self.plan.splits}
        return {subject: trials for subject, trials in found.items() if trials is not None}

    def save(self, split: Split, trials: Sequence[Trial | Loss]) -> None:
        """Keep the trials of one subject.

        Parameters
        ----------
        split : Split
            The subject's rows.
        trials : sequence of Trial or Loss
            One per verifier.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        stated = [
            {name: getattr(one, name) for name in (_LOST if isinstance(one, Loss) else _STATED)}
            for one in trials
        ]
        arrays: dict[str, Any] = {"trials": np.array(json.dumps(stated))}
        for k, one in enumerate(trials):
            if isinstance(one, Trial):
                arrays |= {f"genuine_{k}": one.genuine, f"impostor_{k}": one.impostor}
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)
        # somebody may have removed it meanwhile
        _make(self.folder)
        write_bytes(self._file(split), buffer.getvalue())

    def _file(self, split: Split) -> Path:
        place = [one.subject for one in self.plan.splits].index(split.subject)
        return self.folder / f"subject-{place:04d}.npz"

    def _read(self, split: Split) -> list[Trial | Loss] | None:
        samples = self.plan.samples
        try:
            content = self._file(split).read_bytes()
            with np.load(io.BytesIO(content), allow_pickle=False) as stored:
                return [
                    Loss(subject=split.subject, **fields)
                    if "reason" in fields
                    else Trial(
                        subject=split.subject,
                        genuine=stored[f"genuine_{k}"],
                        impostor=stored[f"impostor_{k}"],
                        genuine_session=samples.session[split.genuine],
                        impostor_subject=samples.subject[split.impostor],
                        **fields,
                    )
                    for k, fields in enumerate(json.loads(str(stored["trials"])))
                ]
        except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile):
            return None


def open_checkpoint(folder: str | os.PathLike[str] | None, plan: Plan) -> Checkpoint | None:
    """Open the checkpoint of a plan, creating its folder.

    Parameters
    ----------
    folder : str, path-like or None
        Folder that holds checkpoints; None keeps none.
    plan : Plan
        What is evaluated.

    Returns
    -------
    Checkpoint or None
        None if `folder` is None.

    Raises
    ------
    OutputError
        If the folder cannot be created.
    """
    if folder is None:
        return None
    own = Path(folder) / f"{_PREFIX}{_identity(plan)}"
    _make(own)
    return Checkpoint(own, plan)


def discard_checkpoints(of: Run | str | os.PathLike[str]) -> None:
    """Remove the finished subjects of a run, and the folder they are in if nothing else is.

    Parameters
    ----------
    of : Run, str or path-like
        The run that carried out the evaluation: its own checkpoints are removed, those of other
        evaluations in the same folder stay. Or a folder of which all checkpoints are to be removed,
        whosever they are.
    """
    own = of.kept if isinstance(of, Run) else list(Path(of).glob(f"{_PREFIX}*"))
    for one in own:
        shutil.rmtree(one, ignore_errors=True)
    for place in {one.parent for one in own} if isinstance(of, Run) else {Path(of)}:
        # another run may write there at this moment
        with suppress(OSError):
            place.rmdir()


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot keep finished subjects in {str(folder)!r}: {reason(error)}"
        ) from error


def _identity(plan: Plan) -> str:
    """Return a hash of all that decides the scores."""
    rows = [(one.subject, one.train, one.genuine, one.impostor) for one in plan.splits]
    stages = [(one.name, one.representation, one.estimator) for one in plan.stages]
    code = sorted(Path(__file__).parents[1].rglob("*.py"))
    return str(
        joblib.hash(
            (
                rows,
                stages,
                plan.matrices,
                plan.samples.subject.tolist(),
                plan.samples.session.tolist(),
                plan.policies,
                plan.false_alarm,
                [path.read_bytes() for path in code],
                [version(name) for name in _PACKAGES],
            )
        )
    )
