"""How the contrastive network is trained: as published, and repaired."""

from __future__ import annotations

from dataclasses import dataclass

from hawkeys._validation import check_choice, check_positive_number
from hawkeys.neural.extra import Schedule

__all__ = ["REPAIRED_RECIPE", "SEED_RECIPE", "VARIANTS", "Recipe", "Variant"]

INPUTS = ("log-intervals", "times")


@dataclass(frozen=True)
class Recipe:
    """How `ContrastiveClassifier` is trained.

    Attributes
    ----------
    input : {"log-intervals", "times"}
        What the network sees: logs of intervals, standardised by all training intervals; or the
        times since the first event in units of 0.1 ms, as they are.
    encoder : Schedule
        Of the encoder under the contrastive loss.
    head : Schedule
        Of the head on the frozen encoder.
    together : Schedule
        Of encoder and head in one phase, under cross-entropy.
    temperature : float, default 0.1
        Of the contrastive loss.
    include_self : bool, default False
        Whether that loss counts a sample as its own positive.

    Raises
    ------
    InvalidParameterError
        A field is not valid.

    Examples
    --------
    >>> from hawkeys.neural import REPAIRED_RECIPE, SEED_RECIPE
    >>> SEED_RECIPE.input, REPAIRED_RECIPE.input
    ('times', 'log-intervals')
    """

    input: str
    encoder: Schedule
    head: Schedule
    together: Schedule
    temperature: float = 0.1
    include_self: bool = False

    def __post_init__(self) -> None:
        check_choice(self.input, "input", INPUTS)
        check_positive_number(self.temperature, "temperature")


SEED_RECIPE = Recipe(
    input="times",
    encoder=Schedule("sgd", 1e-4, batch_size=16, epochs=100, momentum=0.9),
    head=Schedule("sgd", 1e-4, batch_size=16, epochs=60, momentum=0.9),
    together=Schedule("sgd", 1e-4, batch_size=16, epochs=150, momentum=0.9),
    include_self=True,
)
"""As published: 100 and 60 epochs of small steps on times, the diagonal kept in the loss."""

REPAIRED_RECIPE = Recipe(
    input="log-intervals",
    encoder=Schedule("adam", 1e-3, batch_size=32, epochs=5),
    head=Schedule("adam", 1e-3, batch_size=32, epochs=5),
    together=Schedule("adam", 1e-3, batch_size=32, epochs=5),
)
"""The same network on log intervals with Adam: five epochs."""


@dataclass(frozen=True)
class Variant:
    """One of the published variants: how slices are cut, and what the network is.

    Attributes
    ----------
    length, step_back : int
        Of `hawkeys.datasets.cut_slices`, for training.
    phases : {1, 2}
        As `ContrastiveClassifier` takes it.
    recurrent : bool
        As `ContrastiveClassifier` takes it.
    block : {"inception", "residual"}
        As `ContrastiveClassifier` takes it.

    Examples
    --------
    >>> from hawkeys.neural import VARIANTS
    >>> VARIANTS["length 16"].length, VARIANTS["length 16"].step_back
    (16, 8)
    """

    length: int = 30
    step_back: int = 15
    phases: int = 2
    recurrent: bool = True
    block: str = "inception"


VARIANTS = {
    "two phases": Variant(),
    "one phase": Variant(phases=1),
    "no LSTM": Variant(recurrent=False),
    "no overlap": Variant(step_back=0),
    "length 16": Variant(length=16, step_back=8),
    "residual block": Variant(block="residual"),
}
"""The published network and its five variants, by name."""
