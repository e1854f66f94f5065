"""``hawkeys warmup``: compile before it is needed."""

from __future__ import annotations

import click

from hawkeys.cli.logs import json_option, print_json
from hawkeys.warming import GROUPS, WarmupResult, warmup

__all__ = ["command"]

_GROUPS = "\b\nGroups:\n" + "\n".join(f"  {name:<14} {what}" for name, what in GROUPS.items())
_KEEPING = """\b
Where compiled code is kept, and how to keep it:
  NUMBA_CACHE_DIR names the folder; else it is hawkeys/_jit/__pycache__ of
  the installed package, or the user's cache (~/.cache/numba) where that
  cannot be written. It is valid for one version of Python, numba and
  hawkeys, one path of the package and one model of processor; elsewhere
  code is compiled again, beside the other.
  Images:    ENV NUMBA_CACHE_DIR=/opt/hawkeys-cache
             RUN mkdir -m 1777 $NUMBA_CACHE_DIR && hawkeys warmup \\
                 && chmod -R a+rwX $NUMBA_CACHE_DIR
             (numba passes over a folder that it cannot write)
  CI:        keep the folder between runs, e.g. by actions/cache
  Clusters:  NUMBA_CACHE_DIR on a shared disk; hawkeys warmup once on each
             kind of node before the jobs start"""


@click.command("warmup", epilog=f"{_GROUPS}\n\n{_KEEPING}")
@click.argument("groups", nargs=-1, metavar="[GROUP]...")
@click.option("--jobs", type=int, default=-1, show_default=True,
              help="Processes side by side; -1: one per core.")  # fmt: skip
@click.option("--list", "only_list", is_flag=True, help="List the groups and do nothing.")
@json_option
def command(groups: tuple[str, ...], jobs: int, only_list: bool, as_json: bool) -> None:
    """Compile numerical code before it is needed: the GROUPs named, or all.

    Small data need no compiler; other calls compile when first made, 5 to 20 s a method, and later
    processes read that from disk. Prints what was compiled now, what was there already, and where
    it is kept.
    """
    if only_list and as_json:
        known = [{"name": name, "description": what} for name, what in GROUPS.items()]
        print_json("warmup-groups", {"groups": known})
        return
    if only_list:
        for name, what in GROUPS.items():
            click.echo(f"{name:<14} {what}")
        return
    done = warmup(groups or None, n_jobs=jobs, progress=True)
    if as_json:
        print_json("warmup", _answer(done))
        return
    click.echo(done.summary())


def _answer(done: WarmupResult) -> dict[str, object]:
    """Return what was compiled as JSON holds it."""
    return {
        "groups": [
            {
                "name": name,
                "seconds": taken,
                "compiled": done.compiled[name],
                "loaded": done.loaded[name],
            }
            for name, taken in done.seconds.items()
        ],
        "folders": [str(folder) for folder in done.folders],
        "n_files": done.n_files,
        "n_bytes": done.n_bytes,
    }
