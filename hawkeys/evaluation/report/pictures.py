"""Figures of a report, saved as PNG files and in further formats."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hawkeys._typing import FloatArray
from hawkeys.evaluation.rates.by_subject import miss_name
from hawkeys.evaluation.report.det import draw_det_of
from hawkeys.evaluation.report.embedding import embed, thin
from hawkeys.evaluation.report.figures import (
    draw_adjacency,
    draw_embedding,
    draw_roc,
    plot_study,
    redraw_adjacency,
    session_means,
)
from hawkeys.evaluation.stages import Representation, Samples
from hawkeys.features import HawkesFeatures

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hawkeys.evaluation.results import Results

__all__ = [
    "Gallery",
    "Picture",
    "adjacency_of",
    "adjacency_pictures",
    "curve_pictures",
    "embedding_pictures",
    "study_pictures",
]

_DPI = 130
_MAX_SUBJECTS = 5
_MAX_POINTS = 600
_MAX_CURVES = 8
# the moment of drawing, which would make each file another one
_UNDATED: dict[str, dict[str, Any]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
_PLAIN = re.compile("[A-Za-z0-9_-]{1,60}")


@dataclass(frozen=True)
class Picture:
    """A PNG file with the words that go with it.

    Attributes
    ----------
    path : Path
        The file.
    alt : str
        What it shows, for readers who cannot see it.
    caption : str
        How to read it.
    """

    path: Path
    alt: str
    caption: str

    @property
    def base64(self) -> str:
        """Content of the file, as a web page embeds it."""
        return base64.b64encode(self.path.read_bytes()).decode("ascii")


@dataclass(frozen=True)
class Gallery:
    """Where figures are kept, and as what.

    Attributes
    ----------
    folder : Path
        Existing folder for the files.
    formats : tuple of {"png", "svg", "pdf"}, default ("png",)
        PNG is always written, because the page shows it.
    """

    folder: Path
    formats: tuple[str, ...] = ("png",)

    def save(self, figure: Figure, name: str) -> Path:
        """Write a figure in every format, the same bytes each time; return the PNG file."""
        from matplotlib import rc_context

        shown = self.folder / f"{name}.png"
        with rc_context({"svg.hashsalt": name}):
            for ending in dict.fromkeys(("png", *self.formats)):
                undated = _UNDATED.get(ending)
                figure.savefig(self.folder / f"{name}.{ending}", dpi=_DPI, metadata=undated)
        return shown


def curve_pictures(evaluation: Results, gallery: Gallery) -> list[Picture]:
    """Save the ROC and DET curves of the verifiers, of the eight best if there are more.

    Parameters
    ----------
    evaluation : Results
        What is reported.
    gallery : Gallery
        Where figures are kept.

    Returns
    -------
    list of Picture
        Mean ROC, mean DET, DET of every subject with the verifier that misses least, and DET with
        a threshold that the subjects share.
    """
    ranked, shown = _best(evaluation)
    words = f"The dotted line marks {100 * evaluation.false_alarm:g} % false alarms."
    words += _selection(evaluation, shown)
    few = evaluation.only(shown)
    best = evaluation.only(ranked[:1])
    figures = [_new_figure(5.6, 5.4) for _ in range(4)]
    roc = figures[0].subplots()
    draw_roc(few.mean_curves(), false_alarm=few.false_alarm, ax=roc)
    draw_det_of(few, figures[1].subplots())
    draw_det_of(best, figures[2].subplots(), per_subject=True)
    draw_det_of(few, figures[3].subplots(), shared="shifted")
    texts = [
        (
            "roc",
            "ROC curve of every verifier",
            f"ROC, mean over subjects: the nearer to the top left, the better. {words}",
        ),
        (
            "det",
            "DET curve of every verifier",
            f"DET, the same errors on axes that spread small rates: lower is better. {words}",
        ),
        (
            "det_subjects",
            f"DET curve of every subject with {ranked[0]}",
            f"DET of every subject (thin) with {ranked[0]}, which misses least; thick: their mean.",
        ),
        (
            "det_shared",
            "DET curves with a threshold that all subjects share",
            "DET of all subjects' samples together, each score counted from the subject's own "
            "threshold, so that one setting serves everybody; dots: the thresholds as they are.",
        ),
    ]
    return [
        Picture(gallery.save(figure, name), alt, caption)
        for figure, (name, alt, caption) in zip(figures, texts, strict=True)
    ]


def study_pictures(
    evaluation: Results, studies: Mapping[str, pd.DataFrame], gallery: Gallery
) -> Iterator[Picture]:
    """Save misses and achieved false alarms of every study, of the eight best verifiers.

    Parameters
    ----------
    evaluation : Results
        What is reported.
    studies : mapping of str to DataFrame
        Tidy frames as `hawkeys.evaluation.studies` return them, by name.
    gallery : Gallery
        Where figures are kept.

    Yields
    ------
    Picture
        One per study.
    """
    shown = _best(evaluation)[1]
    for name, table in studies.items():
        rows = table[table["verifier"].isin(shown)]
        metrics = [miss_name(evaluation.false_alarm), "achieved_false_alarm"]
        drawn = [metric for metric in metrics if (rows["metric"] == metric).any()]
        figure = _new_figure(5.0 * len(drawn), 4.2)
        axes = figure.subplots(1, len(drawn), squeeze=False)[0]
        for ax, metric in zip(axes, drawn, strict=True):
            plot_study(rows, metric, ax=ax)
        for ax in axes[1:]:
            ax.get_legend().remove()
        study = str(table["study"].iloc[0])
        yield Picture(
            gallery.save(figure, f"study_{name}"),
            f"Error rates against {study}",
            f"Error rates against {study}, means over subjects with intervals."
            f"{_selection(evaluation, shown)}",
        )


def _best(evaluation: Results) -> tuple[list[str], list[str]]:
    """Return all verifiers by rank, and the best few in their own order."""
    ranked = list(evaluation.summary()["miss_rate"].sort_values(kind="stable").index)
    return ranked, [name for name in evaluation.verifiers if name in ranked[:_MAX_CURVES]]


def _selection(evaluation: Results, shown: Sequence[str]) -> str:
    if len(evaluation.verifiers) == len(shown):
        return ""
    return f" Shown are the {len(shown)} verifiers of {len(evaluation.verifiers)} that miss least."


def adjacency_of(features: Representation, keys: Sequence[str]) -> FloatArray | None:
    """Put the adjacency entries among Hawkes features back into matrices.

    Parameters
    ----------
    features : Representation
        Feature matrix with the names of its columns, as `HawkesFeatures` gives them.
    keys : sequence of str, length n_keys
        Names of the keys.

    Returns
    -------
    ndarray of float64, shape (n_samples, n_keys, n_keys), or None
        Entries that are not among the features are NaN; a column factor is undone. None if there
        is no entry at all.
    """
    column = {name: k for k, name in enumerate(features.columns)}
    matrices = np.full((features.values.shape[0], len(keys), len(keys)), np.nan)
    for i, target in enumerate(keys):
        for j, source in enumerate(keys):
            k = column.get(f"adjacency.{target}.{source}")
            if k is not None:
                matrices[:, i, j] = features.values[:, k]
    if any(isinstance(one, HawkesFeatures) and one.column_factor for one in features.steps):
        matrices *= np.arange(1, len(keys) + 1)
    return None if np.isnan(matrices).all() else matrices


def adjacency_pictures(
    adjacency: FloatArray, samples: Samples, gallery: Gallery
) -> Iterator[Picture]:
    """Save the mean adjacency matrices per session of the first subjects, at most five.

    Parameters
    ----------
    adjacency : ndarray of float64, shape (n_samples, n_keys, n_keys)
        One matrix per sample, NaN where not estimated.
    samples : Samples
        Typist and session of each sample.
    gallery : Gallery
        Where figures are kept.

    Yields
    ------
    Picture
        One per subject.
    """
    subjects = np.unique(samples.subject)[:_MAX_SUBJECTS]
    own = {name: samples.subject == name for name in subjects}
    each = [session_means(adjacency[mask], samples.session[mask]) for mask in own.values()]
    largest = max(np.nanmax(means) for means, _ in each)
    parts = _file_parts([str(name) for name in subjects])
    drawn, figure = None, None
    for part, (name, mask), (means, sessions) in zip(parts, own.items(), each, strict=True):
        title = f"Subject {name}"
        if figure is not None and sessions == drawn:
            redraw_adjacency(figure, means, title=title)
        else:
            drawn = sessions
            figure = draw_adjacency(
                adjacency[mask],
                samples.session[mask],
                samples.keys,
                title=title,
                vmax=float(largest) if largest > 0 else None,
            )
        yield Picture(
            gallery.save(figure, f"adjacency_{part}"),
            f"Mean adjacency matrix of each session of subject {name}",
            f"Subject {name}: mean adjacency matrix of each session.",
        )


def embedding_pictures(
    representations: Sequence[Representation], samples: Samples, gallery: Gallery
) -> Iterator[Picture]:
    """Save two-dimensional maps of what the verifiers see, for at most five subjects.

    Parameters
    ----------
    representations : sequence of Representation
        Feature matrices, rows aligned with `samples`.
    samples : Samples
        Typist of each sample.
    gallery : Gallery
        Where figures are kept.

    Yields
    ------
    Picture
        One per representation, PCA beside t-SNE.
    """
    few = np.flatnonzero(np.isin(samples.subject, np.unique(samples.subject)[:_MAX_SUBJECTS]))
    rows = few[thin(few.size, _MAX_POINTS)]
    for number, one in enumerate(representations, start=1):
        if one.values.shape[1] < 2:
            continue
        maps = embed(one.values[rows])
        figure = _new_figure(10.0, 4.8)
        left, right = figure.subplots(1, 2)
        share = f"PCA ({100 * maps.explained:.0f} % of the variance)"
        draw_embedding(maps.pca, samples.subject[rows], title=share, ax=left)
        draw_embedding(maps.tsne, samples.subject[rows], title="t-SNE", ax=right)
        right.get_legend().remove()
        figure.suptitle(one.label)
        yield Picture(
            gallery.save(figure, f"features_{number}"),
            f"PCA and t-SNE maps of {one.label}",
            f"{one.label[0].upper()}{one.label[1:]}: {rows.size:,} samples of "
            f"{np.unique(samples.subject[rows]).size} subjects.",
        )


def _file_parts(names: Sequence[str]) -> list[str]:
    """Return names fit for files of any system: plain ones as they are, others numbered."""
    lower = [name.lower() for name in names]
    return [
        name if _PLAIN.fullmatch(name) and lower.count(name.lower()) == 1 else f"no.{number}"
        for number, name in enumerate(names, start=1)
    ]


def _new_figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")
