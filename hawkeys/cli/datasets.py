"""``hawkeys datasets``: what data there are, and where."""

from __future__ import annotations

import click

from hawkeys.cli.console import print_text
from hawkeys.cli.logs import json_option, print_json
from hawkeys.datasets import DatasetInfo, available_datasets

__all__ = ["command"]


@click.command("datasets")
@json_option
def command(as_json: bool) -> None:
    """List the data sets, where they come from and whether they are on this machine."""
    if as_json:
        print_json("datasets", {"datasets": available_datasets()})
        return
    for info in available_datasets():
        for line in _lines(info):
            print_text(line)
        print_text()


def _lines(info: DatasetInfo) -> list[str]:
    lines = [f"{info.name}: {info.description}", f"  source: {info.source}"]
    lines.append(f"  terms: {info.terms}")
    if info.found is not None:
        return [*lines, f"  found: {info.found}"]
    if not info.looked_in:
        return [*lines, "  found: no (HAWKEYS_DATA is not set)"]
    hint = " (hawkeys benchmark tries to download it)" if info.source.startswith("http") else ""
    places = [f"    {place}" for place in info.looked_in]
    return [*lines, f"  found: no{hint}; looked for", *places]
