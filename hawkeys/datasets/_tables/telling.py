"""How a reader says what is wrong with a file."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["BrokenFileError", "list_names", "one_line"]


class BrokenFileError(Exception):
    """What is wrong with the file, without its name."""


def list_names(names: Sequence[str], limit: int = 3) -> str:
    """Quote the first few names and count the rest."""
    rest = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(repr(name) for name in names[:limit]) + rest


def one_line(error: Exception) -> str:
    """Return the message without line breaks."""
    return " ".join(str(error).split())
