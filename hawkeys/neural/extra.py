"""The extra ``[neural]``: torch, imported when a network is first built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from hawkeys._validation import (
    check_choice,
    check_count,
    check_nonnegative_number,
    check_positive_number,
)
from hawkeys.exceptions import InvalidParameterError, MissingExtraError

__all__ = ["Runtime", "Schedule", "require_torch"]

Report = Callable[[str, int, int], None]


def require_torch() -> Any:
    """Import torch.

    Returns
    -------
    module
        torch.

    Raises
    ------
    MissingExtraError
        It is not installed.

    Examples
    --------
    >>> from hawkeys.neural import require_torch
    >>> require_torch().__name__
    'torch'
    """
    try:
        return import_module("torch")
    except ImportError as error:
        raise MissingExtraError(
            "the networks need torch, which is not installed here. Install the extra: "
            'pip install "hawkeys[neural]".'
        ) from error


@dataclass(frozen=True)
class Schedule:
    """How a network is trained.

    Attributes
    ----------
    optimizer : {"adam", "sgd"}
        Kind of step.
    learning_rate : float
        Its size, > 0.
    batch_size : int
        Samples of a step, at least 2. A last batch of one sample is left out.
    epochs : int
        Passes over the samples.
    momentum : float, default 0.0
        Of "sgd", in [0, 1).

    Raises
    ------
    InvalidParameterError
        A field is not valid.

    Examples
    --------
    >>> from hawkeys.neural import Schedule
    >>> Schedule("adam", 1e-3, batch_size=32, epochs=5).momentum
    0.0
    """

    optimizer: str
    learning_rate: float
    batch_size: int
    epochs: int
    momentum: float = 0.0

    def __post_init__(self) -> None:
        check_choice(self.optimizer, "optimizer", ("adam", "sgd"))
        check_positive_number(self.learning_rate, "learning_rate")
        check_count(self.batch_size, "batch_size", minimum=2)
        check_count(self.epochs, "epochs")
        if check_nonnegative_number(self.momentum, "momentum") >= 1.0:
            raise InvalidParameterError(
                f"momentum must be below 1, else steps never fade; got {self.momentum!r}."
            )


@dataclass(frozen=True)
class Runtime:
    """Where a network is trained, and what is kept and told meanwhile.

    Attributes
    ----------
    device : str or None, default None
        Such as "cpu" or "cuda"; None: a GPU if there is one.
    checkpoint : path or None, default None
        Folder in which each training leaves a file (.npz, no pickle) after every epoch; the same
        training, called again, goes on from there. It is created if need be.
    report : callable or None, default None
        Called as ``report(what, done, total)`` after every epoch.

    Examples
    --------
    >>> from hawkeys.neural import Runtime
    >>> Runtime(device="cpu").checkpoint is None
    True
    """

    device: str | None = None
    checkpoint: str | Path | None = None
    report: Report | None = None
