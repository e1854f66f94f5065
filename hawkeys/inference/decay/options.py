"""What is asked of the choice of a decay: candidates, or an optimum, and by what rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hawkeys._typing import ArrayLike
from hawkeys._validation import brief, check_choice, check_count
from hawkeys.exceptions import InvalidParameterError
from hawkeys.kernels import Kernel

__all__ = ["SEARCHING", "DecaySearch", "split_search"]

SEARCHING = frozenset(("decay_grid", "decay_sharing", "decay_selection", "n_folds"))
_SHAPES = ("shared", "source", "pair")


@dataclass(frozen=True)
class DecaySearch:
    """How decays are chosen.

    Parameters
    ----------
    grid : sequence of float or arrays, optional
        Candidates, each as `decay` of `fit`. None: the decay is optimised.
    sharing : {"shared", "source", "pair"}, default "shared"
        What has a decay of its own when it is optimised: all together, every source mark, or
        every (target, source) pair.
    selection : {"likelihood", "cross-validation"}, default "likelihood"
        Choose the candidate with the largest objective, or the one that predicts held-out data
        best. Cross-validation needs a grid.
    n_folds : int, default 5
        Folds of cross-validation: realisations dealt out in turn, or blocks of time if there is
        only one (held out of the likelihood, but not of the history of what comes later).

    Raises
    ------
    InvalidParameterError
        A candidate is not positive, or a name is unknown.
    """

    grid: Sequence[ArrayLike] | None = None
    sharing: str = "shared"
    selection: str = "likelihood"
    n_folds: int = 5

    def __post_init__(self) -> None:
        check_choice(self.sharing, "decay_sharing", _SHAPES)
        check_choice(self.selection, "decay_selection", ("likelihood", "cross-validation"))
        check_count(self.n_folds, "n_folds", minimum=2)
        if self.grid is None and self.selection == "cross-validation":
            raise InvalidParameterError(
                "decay_selection='cross-validation' compares candidates; give decay_grid."
            )
        if self.grid is not None:
            _check_grid(self.grid, self.sharing)

    def as_options(self) -> dict[str, Any]:
        """Return what `fit` must be given to search in the same way.

        Returns
        -------
        dict
            Options by name.
        """
        if self.grid is None:
            return {"decay_sharing": self.sharing}
        grid = [np.asarray(decay).tolist() for decay in self.grid]
        chosen = {"decay_selection": self.selection, "n_folds": self.n_folds}
        return {"decay_grid": grid, **chosen}


def _check_grid(grid: Sequence[ArrayLike], sharing: str) -> None:
    """Refuse what is no sequence of candidates, or a sharing that candidates would not follow."""
    if not hasattr(grid, "__len__"):
        raise InvalidParameterError(
            f"decay_grid must be a sequence of candidate decays; got {brief(grid)}. A decay "
            "that is "
            "known is given as decay=..."
        )
    if len(grid) == 0:
        raise InvalidParameterError("decay_grid is empty; give at least one candidate decay.")
    if sharing != "shared":
        raise InvalidParameterError(
            f"decay_sharing={sharing!r} is for decay='estimate'; in decay_grid give arrays instead."
        )


def split_search(
    decay: ArrayLike | str | None, kernel: Kernel | None, options: Mapping[str, Any]
) -> tuple[DecaySearch | None, dict[str, Any]]:
    """Return how the decay is to be chosen, if it is, and the other options.

    Parameters
    ----------
    decay : float, array_like, "estimate" or None
        As given to `fit`.
    kernel : Kernel or None
        As given to `fit`.
    options : mapping
        As given to `fit`.

    Returns
    -------
    search : DecaySearch or None
        None if the decay is given.
    rest : dict
        Options that are not about the choice of the decay.

    Raises
    ------
    InvalidParameterError
        More than one of decay, decay_grid and kernel is given, or an option has no use.
    """
    own = {key: value for key, value in options.items() if key in SEARCHING}
    rest = {key: value for key, value in options.items() if key not in SEARCHING}
    if isinstance(decay, str):
        check_choice(decay, "decay", ("estimate",))
    estimated = isinstance(decay, str)
    grid = own.pop("decay_grid", None)
    if not estimated and grid is None:
        if own:
            raise InvalidParameterError(
                f"{', '.join(own)} need decay='estimate' or decay_grid; got decay={brief(decay)}."
            )
        return None, rest
    if kernel is not None or (grid is not None and decay is not None):
        raise InvalidParameterError(
            "give exactly one of decay, decay_grid and kernel; got "
            f"decay={brief(decay)}, decay_grid={brief(grid)} and kernel={brief(kernel)}."
        )
    named = {key.removeprefix("decay_"): value for key, value in own.items()}
    return DecaySearch(grid=grid, **named), rest
