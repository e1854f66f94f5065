"""Files that a command reads and writes: none is written over what is read."""

from __future__ import annotations

import os
from pathlib import Path

from hawkeys._files import check_output_directory, is_device
from hawkeys.exceptions import OutputError

__all__ = ["check_output_file", "refuse_same_file"]


def check_output_file(output: Path, *inputs: Path) -> None:
    """Make sure, before any work, that a file can be written and is none of those read.

    Parameters
    ----------
    output : Path
        File to be written.
    *inputs : Path
        Files that the command reads.

    Raises
    ------
    OutputError
        If the output is one of the inputs, by whatever name, or its folder cannot be written to.
    """
    refuse_same_file(output, *inputs)
    if output.is_dir():
        raise OutputError(f"cannot write to {str(output)!r}: it is a folder. Name a file in it.")
    if not is_device(output):
        check_output_directory(output.absolute().parent)


def refuse_same_file(output: Path, *inputs: Path) -> None:
    """Refuse an output that is one of the inputs: through a link or in other letters, too.

    Parameters
    ----------
    output : Path
        File to be written.
    *inputs : Path
        Files that the command reads.

    Raises
    ------
    OutputError
        If it is one of them.
    """
    for one in inputs:
        if _is_same(output, one):
            raise OutputError(
                f"the output {str(output)!r} is the input {str(one)!r}, which would be lost. Name "
                "another file for the output."
            )


def _is_same(one: Path, other: Path) -> bool:
    try:
        # also finds hard links, and names that differ by case where the disk does not see it
        if one.samefile(other):
            return True
    except (OSError, ValueError):  # one of them does not exist, or is no path
        pass
    return os.path.realpath(one) == os.path.realpath(other)
