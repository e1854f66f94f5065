"""``hawkeys formats``: the files of loggers and studies that can be read."""

from __future__ import annotations

import click

from hawkeys.cli.console import print_text
from hawkeys.cli.logs import json_option, print_json
from hawkeys.datasets import FormatInfo, available_formats

__all__ = ["command"]


@click.command("formats")
@json_option
def command(as_json: bool) -> None:
    """List the formats of files that can be read, with a line of each.

    Key events are read by 'hawkeys import', 'timings', 'enrol' and 'verify', tables of samples by
    the last two. The format is found from the file; --format names it.
    """
    if as_json:
        print_json("formats", {"formats": available_formats()})
        return
    for holds, title in (("key events", "Key events:"), ("timings", "Tables of samples:")):
        print_text(title)
        for info in available_formats():
            if info.holds == holds:
                for line in _lines(info):
                    print_text(line)
        print_text()


def _lines(info: FormatInfo) -> list[str]:
    return [f"  {info.name}: {info.description}", f"      {info.layout}"]
