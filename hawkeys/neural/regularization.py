"""`Regularization`: what keeps a network from learning its recordings by heart."""

from __future__ import annotations

from dataclasses import dataclass

from hawkeys._validation import brief, check_nonnegative_number
from hawkeys.exceptions import InvalidParameterError

__all__ = ["Regularization"]

_SHARES = ("dropout", "hidden_keys", "hidden_words", "label_smoothing")


@dataclass(frozen=True)
class Regularization:
    """What `TemporalCharacters` does in training, and in training alone, against overfitting.

    Attributes
    ----------
    dropout : float, default 0.3
        Share of the numbers between layers that are set to 0, in [0, 1).
    hidden_keys : float, default 0.1
        Share of the keystrokes whose key is shown as an unknown one, in [0, 1).
    hidden_words : float, default 0.2
        Share of the words that are not read, in [0, 1).
    time_noise : float, default 0.2
        Standard deviation of the noise on times, of which one is the spread over all keystrokes.
    label_smoothing : float, default 0.1
        Share of the probability that the loss asks to be spread over all people, in [0, 1).

    Raises
    ------
    InvalidParameterError
        A field is not valid.

    Examples
    --------
    >>> from hawkeys.neural import Regularization
    >>> Regularization(dropout=0.1).hidden_words
    0.2
    """

    dropout: float = 0.3
    hidden_keys: float = 0.1
    hidden_words: float = 0.2
    time_noise: float = 0.2
    label_smoothing: float = 0.1

    def __post_init__(self) -> None:
        check_nonnegative_number(self.time_noise, "time_noise")
        for name in _SHARES:
            value = getattr(self, name)
            if check_nonnegative_number(value, name) >= 1.0:
                raise InvalidParameterError(
                    f"{name} must be a share below 1, else nothing is left; got {brief(value)}."
                )
