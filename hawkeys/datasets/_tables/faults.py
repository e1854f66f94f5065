"""What becomes of a broken row: an error, or a row left out and counted by rule."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hawkeys._typing import BoolArray
from hawkeys._validation import check_choice
from hawkeys.datasets._tables.telling import BrokenFileError

__all__ = ["DROP_HINT", "Faults"]

DROP_HINT = 'or leave such rows out with on_error="drop" (--on-error drop)'
_PLACES = 3


class Faults:
    """Broken rows by rule; with on_error="raise" the first of them is an error."""

    def __init__(self, on_error: str, hint: str = f", {DROP_HINT}") -> None:
        """Keep what to do, and the advice of an error; `hint` is empty where rows must not drop."""
        check_choice(on_error, "on_error", ("raise", "drop"))
        self._hint = hint
        self.drop = on_error == "drop"
        self.counts: dict[str, int] = {}
        self._places: dict[str, list[str]] = {}

    def strike(self, rule: str, tell: Callable[[], str]) -> None:
        """Count one broken row, or raise `BrokenFileError` with what `tell` says of it."""
        if not self.drop:
            raise BrokenFileError(f"{tell()}; correct or remove the row{self._hint}.")
        self.counts[rule] = self.counts.get(rule, 0) + 1
        places = self._places.setdefault(rule, [])
        if len(places) < _PLACES:
            places.append(tell())

    def strike_rows(self, rule: str, bad: BoolArray, tell: Callable[[int], str]) -> None:
        """Count the rows (n,) that are `bad`, or raise with what `tell` says of the first."""
        rows = np.flatnonzero(bad).tolist()
        for row in rows[: _PLACES if self.drop else 1]:
            self.strike(rule, lambda row=row: tell(row))  # type: ignore[misc]
        if len(rows) > _PLACES:
            self.counts[rule] += len(rows) - _PLACES

    def described(self) -> tuple[str, ...]:
        """Say of each rule how many rows it struck and where the first of them stand."""
        return tuple(
            f"{rule}: {count:,} row{'s' * (count != 1)} left out, the first: "
            + "; ".join(self._places[rule])
            for rule, count in self.counts.items()
        )
