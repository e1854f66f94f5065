"""``hawkeys verifiers``: the verifiers that the benchmark knows by name."""

from __future__ import annotations

import click
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from hawkeys.cli.console import print_text
from hawkeys.datasets import timing_columns
from hawkeys.datasets.named._cmu_file import CMU_KEYS
from hawkeys.evaluation import DEFAULT_VERIFIERS, PUBLISHED_FIGURES, VERIFIERS, make_verifiers
from hawkeys.verifiers import OneClassVerifier

__all__ = ["command"]


@click.command("verifiers")
def command() -> None:
    """List the verifiers: what each does, where it was published, what it needs, its parameters.

    A parameter is set behind the name: ``--verifiers pohmm:n_states=3,manhattan``.
    """
    for name, verifier in make_verifiers(["all"]).items():
        for line in _lines(name, verifier):
            print_text(line)
        print_text()


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
    detector = verifier.steps[-1][1] if isinstance(verifier, Pipeline) else verifier
    parameters = detector.get_params(deep=False)
    lines.append(f"  training samples: {_need(detector, entry.enough_samples)}")
    shown = ", ".join(f"{key}={value!r}" for key, value in sorted(parameters.items()))
    return [*lines, f"  {type(detector).__name__}({shown})"]
