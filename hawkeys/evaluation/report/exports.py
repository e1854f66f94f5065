"""The tables of an evaluation as files: CSV, JSON, Parquet, Markdown and LaTeX."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from hawkeys.evaluation.losses import complete_subjects
from hawkeys.evaluation.report.published import PUBLISHED_FIGURES
from hawkeys.evaluation.report.tables import interval_text, rate_text
from hawkeys.evaluation.studies.sessions import session_rates

if TYPE_CHECKING:
    from hawkeys.evaluation.results import Results

__all__ = ["REPORT_FILES", "main_table", "tables_of", "write_tables"]

_TABLES = (
    "per_subject",
    "summary",
    "operating_point",
    "achieved",
    "thresholds",
    "rates",
    "spread",
    "sessions",
    "costs",
    "comparisons_miss_rate",
    "comparisons_eer",
    "people",
    "enrolment",
    "clock",
    "practice",
)
REPORT_FILES = (
    "report.html",
    "evaluation.json",
    "tables.json",
    "main_table.md",
    "main_table.tex",
    *(f"{name}.csv" for name in _TABLES),
    *(f"{name}.parquet" for name in _TABLES),
)
"""Names of the files that a report can have, figures apart."""


_FEWEST_PEOPLE = 3
_ALWAYS = (0.05, 0.01)
_KM = ("killourhy-maxion", "killourhy-maxion-all")


def tables_of(evaluation: Results) -> dict[str, pd.DataFrame]:
    """Return every table of an evaluation, none with an index.

    Parameters
    ----------
    evaluation : Results
        The evaluation.

    Returns
    -------
    dict of str to DataFrame
        By the name of its file: per_subject, summary, operating_point, achieved (rates by
        threshold policy), thresholds (the same, subject by subject), rates (misses at 5 %, at 1 %
        and at the stated share of false alarms and the rest, subject by subject), spread,
        sessions, costs; and, where there are enough verifiers and people, comparisons_miss_rate,
        comparisons_eer and people (intervals over people in both roles); lost, where a verifier
        could not be trained for a typist.
    """
    stated = tuple(dict.fromkeys((*_ALWAYS, evaluation.false_alarm)))
    tables = {
        "per_subject": evaluation.to_frame(),
        "summary": evaluation.summary().reset_index(),
        "operating_point": evaluation.operating_point(),
        "achieved": evaluation.achieved_rates().reset_index(),
        "thresholds": evaluation.policy_table(),
        "rates": evaluation.subject_rates(stated),
        "spread": evaluation.spread(stated),
        "sessions": session_rates(evaluation),
        "costs": evaluation.costs().reset_index(),
    }
    if evaluation.lost:
        tables["lost"] = evaluation.lost_frame()
    complete = complete_subjects(tables["per_subject"])["subject"].nunique()
    if len(evaluation.verifiers) > 1 and complete > 1:
        for metric in ("miss_rate", "eer"):
            tables[f"comparisons_{metric}"] = evaluation.compare(metric)
    if evaluation.n_people >= _FEWEST_PEOPLE:
        tables["people"] = evaluation.intervals(stated)
    return tables


def main_table(evaluation: Results) -> pd.DataFrame:
    """Return the main figures as text, one row per verifier.

    Parameters
    ----------
    evaluation : Results
        The evaluation.

    Returns
    -------
    DataFrame
        The verifier; mean miss rates at the stated and at 1 % false alarms, equal-error rate and
        area under the ROC curve, the first, third and fourth with their intervals; zero-miss
        false-alarm rate; with a Killourhy-Maxion protocol also the equal-error rate of their
        paper, marked with an asterisk where it does not follow from its description.
    """
    summary, spread = evaluation.summary(), evaluation.spread((0.01,))
    strict = spread[spread["metric"] == "miss_at_1"].set_index("verifier")["mean"]
    stated = f"miss at {100 * evaluation.false_alarm:g} %"
    rows = []
    for name, row in summary.iterrows():
        miss, eer, auc = (
            interval_text(row[f], row[f"{f}_lower"], row[f"{f}_upper"])
            for f in ("miss_rate", "eer", "auc")
        )
        cells = {"verifier": name, stated: miss, "miss at 1 %": rate_text(strict[name])}
        cells |= {"EER": eer, "AUC": auc, "zero-miss": rate_text(row["zero_miss"])}
        if evaluation.protocol.name in _KM:
            cells["published EER"] = _published(str(name))
        rows.append(cells)
    return pd.DataFrame(rows)


def write_tables(evaluation: Results, tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    """Write every table as CSV, all of them as JSON, and the main one as Markdown and LaTeX.

    With the package pyarrow each table is also written as Parquet.

    Parameters
    ----------
    evaluation : Results
        The evaluation.
    tables : mapping of str to DataFrame
        Tables by the name of their file, as `tables_of` returns them.
    folder : Path
        An existing folder.
    """
    parquet = importlib.util.find_spec("pyarrow") is not None
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
        if parquet:
            table.to_parquet(folder / f"{name}.parquet", index=False)
    _write_json(tables, folder / "tables.json")
    main = main_table(evaluation)
    (folder / "main_table.md").write_text(_markdown(main), encoding="utf-8")
    latex = main.to_latex(index=False, escape=True)
    (folder / "main_table.tex").write_text(latex, encoding="utf-8")


def _published(name: str) -> str:
    row = PUBLISHED_FIGURES.get(name)
    if row is None:
        return ""
    return f"{rate_text(row.eer)}{' *' if row.remark else ''}"


def _write_json(tables: Mapping[str, pd.DataFrame], path: Path) -> None:
    records = {
        name: json.loads(table.to_json(orient="records", double_precision=15))
        for name, table in tables.items()
    }
    path.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")


def _markdown(table: pd.DataFrame) -> str:
    lines = [table.columns, ["---"] * len(table.columns), *table.to_numpy().tolist()]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines) + "\n"
