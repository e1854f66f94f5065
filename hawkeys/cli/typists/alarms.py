"""What `hawkeys benchmark` says without impostors: false alarms alone."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from hawkeys._files import write_text
from hawkeys.cli.console import print_table, print_text
from hawkeys.cli.logs import print_json
from hawkeys.cli.typists.options import BenchmarkOptions
from hawkeys.datasets import Keystrokes
from hawkeys.evaluation import Protocol

__all__ = ["ALARMS", "print_alarms"]

# file of the folder of the report
ALARMS = "false_alarms.csv"


def print_alarms(
    asked: BenchmarkOptions, typed: Keystrokes, rules: Protocol, rates: pd.DataFrame
) -> None:
    """Print, and write, what can be said without impostors."""
    path = _write_alarms(asked, rates)
    if asked.as_json:
        about = {
            "protocol": rules.name,
            "protocol_text": rules.describe(typed, asked.false_alarm),
            "false_alarm": asked.false_alarm,
            "notice": typed.provenance.get("notice", ""),
            "table": None if path is None else str(path),
        }
        print_json("benchmark-alarms", {**about, "rates": rates.to_dict("records")})
        return
    print_text(f"Protocol {rules.name}. {rules.describe(typed, asked.false_alarm)}")
    print_text(
        f"\nGenuine samples rejected, of thresholds that aim at {100 * asked.false_alarm:g} %. "
        "Without impostors nothing is said about how many of theirs are accepted.\n"
    )
    shown = rates.groupby(["verifier", "policy"], sort=False)[["n_genuine", "n_false_alarm"]].sum()
    shown = shown.assign(share=(shown["n_false_alarm"] / shown["n_genuine"]).round(3))
    print_table(shown.reset_index())
    if path is not None:
        print_text(f"\nTable: {path}")


def _write_alarms(asked: BenchmarkOptions, rates: pd.DataFrame) -> Path | None:
    """Write the table if a report was asked for; return its file."""
    if not asked.report:
        return None
    Path(asked.output).mkdir(parents=True, exist_ok=True)
    path = Path(asked.output) / ALARMS
    write_text(path, rates.to_csv(index=False))
    return path
