"""The report of an evaluation: one web page, tables and figures, written all at once."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from hawkeys._validation import brief
from hawkeys.evaluation.report.exports import tables_of, write_tables
from hawkeys.evaluation.report.files import MANIFEST, staged_directory
from hawkeys.evaluation.report.page import page_content
from hawkeys.evaluation.report.pictures import (
    Gallery,
    Picture,
    adjacency_of,
    adjacency_pictures,
    curve_pictures,
    embedding_pictures,
    study_pictures,
)
from hawkeys.evaluation.stages import Progress
from hawkeys.exceptions import InvalidParameterError

if TYPE_CHECKING:
    from hawkeys.evaluation.results import Results

__all__ = ["check_formats", "environment", "write_report"]

_FIGURES = "figures"
_PAGE = "report.html"


def write_report(
    evaluation: Results,
    directory: str | os.PathLike[str],
    *,
    command: str = "",
    studies: Mapping[str, pd.DataFrame] | None = None,
    progress: Progress | None = None,
    figures: Sequence[str] = ("png",),
) -> Path:
    """Write the report; its files appear together when all are complete.

    Parameters
    ----------
    evaluation : Results
        What to report.
    directory : str or path-like
        Folder to write to; created if missing.
    command : str, default ""
        Command that repeats the evaluation.
    studies : mapping of str to DataFrame, optional
        Studies to be shown as well, by the name of their file.
    progress : callable, optional
        Called as ``progress(what, done, total)``.
    figures : sequence of {"png", "svg", "pdf"}, default ("png",)
        Formats of the figures; PNG is always written, because the page shows it.

    Returns
    -------
    Path
        The page, report.html.

    Raises
    ------
    OutputError
        If a file cannot be written.
    InvalidParameterError
        There is no such format.
    """
    formats = check_formats(figures)
    with staged_directory(directory) as folder:
        (folder / _FIGURES).mkdir()
        tables = tables_of(evaluation)
        shown = {"sessions": tables["sessions"], **(studies or {})}
        write_tables(evaluation, tables | shown, folder)
        pictures = _draw(evaluation, shown, Gallery(folder / _FIGURES, formats), progress)
        content = page_content(evaluation, tables, command) | pictures
        page = environment().get_template("report.html.jinja").render(content)
        (folder / _PAGE).write_text(page, encoding="utf-8")
        _write_manifest(evaluation, folder, command)
    return Path(directory) / _PAGE


def check_formats(figures: Sequence[str]) -> tuple[str, ...]:
    """Return the formats of figures.

    Parameters
    ----------
    figures : sequence of str
        Some of "png", "svg", "pdf".

    Returns
    -------
    tuple of str
        The same.

    Raises
    ------
    InvalidParameterError
        There is no such format, or none is given.
    """
    known = ("png", "svg", "pdf")
    given = (figures,) if isinstance(figures, str) else tuple(figures)
    if not given or not all(one in known for one in given):
        raise InvalidParameterError(
            f"figures must be some of {', '.join(map(repr, known))}; got {brief(figures)}."
        )
    return given


def environment() -> Environment:
    """Return where the templates of pages are found."""
    return Environment(
        loader=PackageLoader("hawkeys.evaluation.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )


def _draw(
    evaluation: Results,
    studies: Mapping[str, pd.DataFrame],
    gallery: Gallery,
    progress: Progress | None,
) -> dict[str, list[Picture]]:
    """Draw every figure, reporting after each group."""
    from matplotlib import rc_context

    groups = {
        "curves": lambda: curve_pictures(evaluation, gallery),
        "studies": lambda: list(study_pictures(evaluation, studies, gallery)),
        "adjacency": lambda: _adjacency(evaluation, gallery),
        "embeddings": lambda: list(
            embedding_pictures(evaluation.representations, evaluation.samples, gallery)
        ),
    }
    pictures = {}
    for done, (name, draw) in enumerate(groups.items()):
        if progress is not None:
            progress("Drawing figures", done, len(groups))
        # names of subjects, keys and verifiers may hold dollar signs, which are no formulas here
        with rc_context({"text.parse_math": False}):
            pictures[name] = draw()
    if progress is not None:
        progress("Drawing figures", len(groups), len(groups))
    return pictures


def _adjacency(evaluation: Results, gallery: Gallery) -> list[Picture]:
    """Draw the matrices of the first representation that has any."""
    for one in evaluation.representations:
        matrices = adjacency_of(one, evaluation.samples.keys)
        if matrices is not None:
            return list(adjacency_pictures(matrices, evaluation.samples, gallery))
    return []


def _write_manifest(evaluation: Results, folder: Path, command: str) -> None:
    files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    record = {
        "protocol": asdict(evaluation.protocol),
        "protocol_text": evaluation.protocol_text,
        "false_alarm": evaluation.false_alarm,
        "bootstrap": asdict(evaluation.bootstrap),
        "verifiers": dict(evaluation.verifiers),
        "data": dict(evaluation.provenance),
        "notice": evaluation.notice,
        "versions": dict(evaluation.versions),
        "command": command,
        "files": [*(path.as_posix() for path in files), MANIFEST],
    }
    text = json.dumps(record, indent=2, ensure_ascii=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")
