"""The report of an evaluation: one web page, tables and figures, written all at once."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from hawkeys.evaluation.bootstrap import Bootstrap
from hawkeys.evaluation.curves import MeanCurve
from hawkeys.evaluation.files import MANIFEST, staged_directory
from hawkeys.evaluation.pictures import (
    Picture,
    adjacency_of,
    adjacency_pictures,
    curve_pictures,
    embedding_pictures,
)
from hawkeys.evaluation.protocols import Protocol
from hawkeys.evaluation.stages import Progress, Representation, Samples
from hawkeys.evaluation.tables import rate_text

__all__ = ["ReportContent", "headline", "write_report"]

_FIGURES = "figures"
_PAGE = "report.html"


@dataclass(frozen=True, eq=False)
class ReportContent:
    """All that a report shows; `Evaluation.report` fills it in.

    Attributes
    ----------
    protocol : Protocol
        The rules.
    protocol_text : str
        The rules in words.
    false_alarm : float
        The stated false-alarm rate.
    bootstrap : Bootstrap
        Settings of the intervals.
    verifiers, provenance, versions : mapping of str to str
        Expressions that make the verifiers, source of the data, versions of the software.
    samples : Samples
        Typist and session of the samples used.
    representations : tuple of Representation
        What the verifiers saw of those samples.
    curves : mapping of str to MeanCurve
        Mean error curve of each verifier.
    per_subject, summary, operating_point : DataFrame
        Tables of the same names of `Evaluation`.
    command, notice : str
        Command that repeats the evaluation, and what must be known about the data.
    """

    protocol: Protocol
    protocol_text: str
    false_alarm: float
    bootstrap: Bootstrap
    verifiers: Mapping[str, str]
    provenance: Mapping[str, str]
    versions: Mapping[str, str]
    samples: Samples
    representations: tuple[Representation, ...]
    curves: Mapping[str, MeanCurve]
    per_subject: pd.DataFrame
    summary: pd.DataFrame
    operating_point: pd.DataFrame
    command: str = ""
    notice: str = ""


def write_report(
    content: ReportContent,
    directory: str | os.PathLike[str],
    *,
    progress: Progress | None = None,
) -> Path:
    """Write the report; its files appear together when all are complete.

    Parameters
    ----------
    content : ReportContent
        What to show.
    directory : str or path-like
        Folder to write to; created if missing.
    progress : callable, optional
        Called as ``progress(what, done, total)``.

    Returns
    -------
    Path
        The page, report.html.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    with staged_directory(directory) as folder:
        (folder / _FIGURES).mkdir()
        _write_tables(content, folder)
        pictures = _draw(content, folder / _FIGURES, progress)
        page = _environment().get_template("report.html.jinja").render(_page(content, pictures))
        (folder / _PAGE).write_text(page, encoding="utf-8")
        _write_manifest(content, folder)
    return Path(directory) / _PAGE


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("hawkeys.evaluation"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )


def _write_tables(content: ReportContent, folder: Path) -> None:
    content.per_subject.to_csv(folder / "per_subject.csv", index=False)
    content.summary.to_csv(folder / "summary.csv")
    content.operating_point.to_csv(folder / "operating_point.csv", index=False)


def _draw(
    content: ReportContent, folder: Path, progress: Progress | None
) -> dict[str, list[Picture]]:
    """Draw every figure, reporting after each group."""
    groups = {
        "curves": lambda: curve_pictures(content.curves, folder, false_alarm=content.false_alarm),
        "adjacency": lambda: _adjacency(content, folder),
        "embeddings": lambda: list(
            embedding_pictures(content.representations, content.samples, folder)
        ),
    }
    pictures = {}
    for done, (name, draw) in enumerate(groups.items()):
        if progress is not None:
            progress("Drawing figures", done, len(groups))
        pictures[name] = draw()
    if progress is not None:
        progress("Drawing figures", len(groups), len(groups))
    return pictures


def _adjacency(content: ReportContent, folder: Path) -> list[Picture]:
    """Draw the matrices of the first representation that has any."""
    for one in content.representations:
        matrices = adjacency_of(one, content.samples.keys)
        if matrices is not None:
            return list(adjacency_pictures(matrices, content.samples, folder))
    return []


def _write_manifest(content: ReportContent, folder: Path) -> None:
    files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    record = {
        "protocol": asdict(content.protocol),
        "protocol_text": content.protocol_text,
        "false_alarm": content.false_alarm,
        "bootstrap": asdict(content.bootstrap),
        "verifiers": dict(content.verifiers),
        "data": dict(content.provenance),
        "notice": content.notice,
        "versions": dict(content.versions),
        "command": content.command,
        "files": [*(path.as_posix() for path in files), MANIFEST],
    }
    text = json.dumps(record, indent=2, ensure_ascii=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def _page(content: ReportContent, pictures: Mapping[str, list[Picture]]) -> dict[str, Any]:
    """Return the words and numbers that the template asks for."""
    return {
        "protocol": content.protocol,
        "protocol_text": content.protocol_text,
        "bootstrap": content.bootstrap,
        "percent": f"{100 * content.false_alarm:g}",
        "level": f"{100 * content.bootstrap.level:g}",
        "n_subjects": int(content.summary["n_subjects"].iloc[0]),
        "headline": headline(content.summary, content.false_alarm),
        "rows": [_row(name, row) for name, row in content.summary.iterrows()],
        "operating": _operating_table(content.operating_point),
        "facts": [*_origin(content.provenance), *_software(content.versions)],
        "verifiers": list(content.verifiers.items()),
        "command": content.command,
        "notice": content.notice,
        **pictures,
    }


def _row(name: object, row: pd.Series) -> dict[str, Any]:
    ends = [(row[f], row[f"{f}_lower"], row[f"{f}_upper"]) for f in ("miss_rate", "eer", "auc")]
    written = (_percent, _percent, rate_text)
    return {
        "name": str(name),
        "cells": [
            {"mean": write(mean), "interval": f"{write(low).removesuffix(' %')} to {write(high)}"}
            for write, (mean, low, high) in zip(written, ends, strict=True)
        ],
        "own_false_alarm": _percent(row["achieved_false_alarm"]),
        "own_miss": _percent(row["achieved_miss"]),
    }


def headline(summary: pd.DataFrame, false_alarm: float) -> str:
    """Say in two sentences which verifier missed least and which most.

    Parameters
    ----------
    summary : DataFrame
        As `Evaluation.summary` returns it.
    false_alarm : float
        The stated false-alarm rate.

    Returns
    -------
    str
        Sentences for a reader outside the field.
    """
    ordered = summary.sort_values("miss_rate", kind="stable")
    name, best = ordered.index[0], ordered.iloc[0]
    text = (
        f"At thresholds that reject at most {100 * false_alarm:g} % of the genuine samples, "
        f"{name} accepted {_percent(best['miss_rate'])} of the impostor samples on average over "
        f"{int(best['n_subjects'])} subjects (interval {_percent(best['miss_rate_lower'])} to "
        f"{_percent(best['miss_rate_upper'])})"
    )
    if len(ordered) == 1:
        return f"{text}."
    worst = _percent(ordered["miss_rate"].iloc[-1])
    return (
        f"{text}, the fewest of {len(ordered)} verifiers; {ordered.index[-1]}, the most: {worst}."
    )


def _operating_table(operating_point: pd.DataFrame) -> dict[str, Any]:
    counts = ["false_negatives", "false_positives"]
    sizes = ["n_genuine", "n_impostor"]
    verifiers = list(dict.fromkeys(operating_point["verifier"]))
    wide = operating_point.set_index(["subject", "verifier"])
    subjects = list(dict.fromkeys(operating_point["subject"]))
    return {
        "verifiers": verifiers,
        "subjects": [
            {
                "name": name,
                "cells": [int(wide.loc[(name, v), c]) for v in verifiers for c in counts],
            }
            for name in subjects
        ],
        "out_of": [_span(wide[size].xs(v, level="verifier")) for v in verifiers for size in sizes],
    }


def _span(sizes: pd.Series) -> str:
    low, high = int(sizes.min()), int(sizes.max())
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _percent(rate: float) -> str:
    return f"{100 * rate:.1f} %"


def _origin(provenance: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the record of the data without the notice, which is shown at the top instead."""
    return [(name, value) for name, value in provenance.items() if name != "notice"]


def _software(versions: Mapping[str, str]) -> list[tuple[str, str]]:
    return [("software", ", ".join(f"{name} {number}" for name, number in versions.items()))]
