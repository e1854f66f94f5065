"""``hawkeys verifiers``: the verifiers that the benchmark knows by name."""

from __future__ import annotations

from typing import Any

import click
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from hawkeys.cli.console import print_text
from hawkeys.cli.logs import json_option, print_json
from hawkeys.datasets import timing_columns
from hawkeys.datasets.named._cmu_file import CMU_KEYS
from hawkeys.evaluation import DEFAULT_VERIFIERS, PUBLISHED_FIGURES, VERIFIERS, make_verifiers
from hawkeys.verifiers import OneClassVerifier

__all__ = ["command"]

_PLAIN = str | bool | int | float | None


@click.command("verifiers")
@json_option
def command(as_json: bool) -> None:
    """List the verifiers: what each does, where it was published, what it needs, its parameters.

    A parameter is set behind the name: ``--verifiers pohmm:n_states=3,manhattan``.
    """
    made = make_verifiers(["all"])
    if as_json:
        print_json("verifiers", {"verifiers": [_answer(*one) for one in made.items()]})
        return
    for name, verifier in made.items():
        for line in _lines(name, verifier):
            print_text(line)
        print_text()


def _detector(verifier: BaseEstimator) -> Any:
    """Return the verifier itself, without the features before it."""
    return verifier.steps[-1][1] if isinstance(verifier, Pipeline) else verifier


def _answer(name: str, verifier: BaseEstimator) -> dict[str, Any]:
    """Return what is known of a verifier as JSON holds it."""
    entry, row = VERIFIERS[name], PUBLISHED_FIGURES.get(name)
    detector = _detector(verifier)
    parameters = detector.get_params(deep=False)
    return {
        "name": name,
        "default": name in DEFAULT_VERIFIERS,
        "description": entry.description,
        "reference": entry.reference,
        "published_as": None if row is None else row.detector,
        "published_eer": None if row is None else row.eer,
        "enough_samples": entry.enough_samples,
        "class": type(detector).__name__,
        "parameters": {
            key: value if isinstance(value, _PLAIN) else repr(value)
            for key, value in parameters.items()
        },
    }


def _need(detector: OneClassVerifier, at_least: int) -> str:
    """Say from how many training samples on a verifier means something."""
    width = len(timing_columns(CMU_KEYS))
    needed, without = detector.samples_needed(width), detector.samples_needed(0)
    if needed is None:
        return "with no number of them does it tell typists apart"
    if needed == without:
        return f"means something from about {max(needed, at_least)}"
    return f"means something from about {needed} ({needed // width} for each of {width} timings)"


def _lines(name: str, verifier: BaseEstimator) -> list[str]:
    entry = VERIFIERS[name]
    default = " (default)" if name in DEFAULT_VERIFIERS else ""
    lines = [f"{name}{default}: {entry.description}", f"  {entry.reference}"]
    if name in PUBLISHED_FIGURES:
        row = PUBLISHED_FIGURES[name]
        remark = f"; {row.remark}" if row.remark else ""
        lines.append(f'  published as "{row.detector}": EER {row.eer:.4f}{remark}')
    detector = _detector(verifier)
    parameters = detector.get_params(deep=False)
    lines.append(f"  training samples: {_need(detector, entry.enough_samples)}")
    shown = ", ".join(f"{key}={value!r}" for key, value in sorted(parameters.items()))
    return [*lines, f"  {type(detector).__name__}({shown})"]
