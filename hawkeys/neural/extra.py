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
    decay : float, default 0.0
        Of "adam": each step takes this share, times the step's size, off every weight [1]_.
    shape : {"constant", "one-cycle"}, default "constant"
        Size of the steps: always the same, or rising over the first tenth of the steps from a 25th
        of `learning_rate` to all of it and then falling, along cosines, to nearly none [2]_.

    Raises
    ------
    InvalidParameterError
        A field is not valid.

    References
    ----------
    .. [1] I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", ICLR 2019,
       arXiv:1711.05101, algorithm 2.
    .. [2] L. N. Smith and N. Topin, "Super-convergence: very fast training of neural networks using
       large learning rates", arXiv:1708.07120.

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
    decay: float = 0.0
    shape: str = "constant"

    def __post_init__(self) -> None:
        check_choice(self.optimizer, "optimizer", ("adam", "sgd"))
        check_positive_number(self.learning_rate, "learning_rate")
        check_count(self.batch_size, "batch_size", minimum=2)
        check_count(self.epochs, "epochs")
        if check_nonnegative_number(self.momentum, "momentum") >= 1.0:
            raise InvalidParameterError(
                f"momentum must be below 1, else steps never fade; got {self.momentum!r}."
            )
        if check_nonnegative_number(self.decay, "decay") and self.optimizer == "sgd":
            raise InvalidParameterError(
                f'decay={self.decay!r} is for optimizer="adam"; got "sgd". Change one of them.'
            )
        check_choice(self.shape, "shape", ("constant", "one-cycle"))


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
