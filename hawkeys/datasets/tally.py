"""`Tally`: how often each rule was applied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

__all__ = ["Tally"]


class Tally(Mapping[str, int]):
    """Read-only counts by the name of a rule; rules that did not apply are left out.

    Parameters
    ----------
    counts : mapping of str to int, optional
        Number of times each rule was applied. Default: none.

    Examples
    --------
    >>> from hawkeys.datasets import Tally
    >>> tally = Tally({"paired": 4, "missing release": 1, "auto-repeat": 0})
    >>> tally, tally.total
    (Tally(paired=4, missing release=1), 5)
    >>> tally == {"paired": 4, "missing release": 1}
    True
    """

    __slots__ = ("_counts",)

    def __init__(self, counts: Mapping[str, int] | None = None) -> None:
        self._counts = {rule: int(count) for rule, count in (counts or {}).items() if count}

    @property
    def total(self) -> int:
        """Sum of the counts."""
        return sum(self._counts.values())

    def __getitem__(self, rule: str) -> int:
        return self._counts[rule]

    def __iter__(self) -> Iterator[str]:
        return iter(self._counts)

    def __len__(self) -> int:
        return len(self._counts)

    def __repr__(self) -> str:
        counts = ", ".join(f"{rule}={count}" for rule, count in self._counts.items())
        return f"Tally({counts})"
