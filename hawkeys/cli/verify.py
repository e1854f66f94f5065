"""``hawkeys verify``: typing samples checked against a template."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pandas as pd

from hawkeys._files import write_text
from hawkeys.cli.logs import (
    Log,
    check_output_file,
    json_option,
    log_options,
    print_json,
    warnings_at_the_end,
)
from hawkeys.exceptions import DatasetError
from hawkeys.verifiers import Verification, load_template, verify_many

__all__ = ["command"]

_SHOWN = 2


@click.command("verify")
@click.argument("template", type=click.Path(path_type=Path))
@click.argument("samples", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Write the decisions here (csv)."
)
@json_option
@log_options
def command(template: Path, samples: Path, output: Path | None, as_json: bool, log: Log) -> int:
    """Decide for each typing sample in SAMPLES whether it is from the typist of TEMPLATE.

    SAMPLES is a csv table or, with --text, a log as for 'hawkeys enrol' (- for stdin), TEMPLATE
    what that command wrote. Printed for
    each sample (row of the table, from 1): decision, score (higher for more genuine), and the
    intervals that deviate most, with the number of robust standard deviations. The exit status is
    0 if all samples are accepted, 1 if one is rejected.
    """
    if output is not None:
        check_output_file(output, template, *([samples] if samples != Path("-") else []))
    enrolled = load_template(template)
    timings, labels = _read(samples, log)
    decisions = verify_many(enrolled, timings)
    if output is not None:
        write_text(output, _table(decisions, labels).to_csv(index=False))
    accepted = sum(decision.accepted for decision in decisions)
    if as_json:
        print_json("verify", _answer(decisions, labels, enrolled.threshold))
        return int(accepted < len(decisions))
    for row, decision in enumerate(decisions, start=1):
        click.echo(_line(row, decision))
    where = "" if output is None else f": {output}"
    click.echo(
        f"{accepted} of {len(decisions)} accepted, threshold {enrolled.threshold:.4g}{where}"
    )
    return int(accepted < len(decisions))


def _read(path: Path, log: Log) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return timings and labels of at least one sample."""
    with warnings_at_the_end():
        timings, labels = log.samples(path)
    if timings.empty:
        # with nothing rejected the exit status would read as accepted
        raise DatasetError(f"{path}: no sample to verify, only a header. Check the file.")
    return timings, labels


def _line(row: int, decision: Verification) -> str:
    word = "accepted" if decision.accepted else "REJECTED"
    most = ", ".join(f"{one.column} ({one.z:+.1f})" for one in decision.deviations[:_SHOWN])
    return f"{row:>5}  {word}  {decision.score:>9.4g}  {most}"


def _answer(
    decisions: tuple[Verification, ...], labels: pd.DataFrame, threshold: float
) -> dict[str, Any]:
    """Return the decisions as JSON holds them, with the labels of each sample."""
    return {
        "threshold": threshold,
        "n_samples": len(decisions),
        "n_accepted": sum(decision.accepted for decision in decisions),
        "samples": [
            {
                "row": row,
                "labels": {str(name): str(value) for name, value in given.items()},
                "accepted": decision.accepted,
                "score": decision.score,
                "deviations": [{"timing": one.column, "z": one.z} for one in decision.deviations],
            }
            for row, (decision, given) in enumerate(
                zip(decisions, labels.to_dict("records"), strict=True), start=1
            )
        ],
    }


def _table(decisions: tuple[Verification, ...], labels: pd.DataFrame) -> pd.DataFrame:
    """Return one row per sample: its labels, the decision, and the deviations."""
    rows = []
    for decision in decisions:
        row: dict[str, object] = {
            "score": decision.score,
            "threshold": decision.threshold,
            "accepted": decision.accepted,
        }
        for k, one in enumerate(decision.deviations, start=1):
            row |= {f"deviates_{k}": one.column, f"z_{k}": one.z}
        rows.append(row)
    table = pd.DataFrame(rows, index=labels.index)
    own = labels.rename(columns=lambda name: f"given_{name}" if name in table else name)
    return pd.concat((own, table), axis=1)
