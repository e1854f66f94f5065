"""The words and numbers that the page of a report shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hawkeys.evaluation.rates.by_subject import miss_name
from hawkeys.evaluation.rates.comparisons import least_pvalue
from hawkeys.evaluation.report.published import PUBLISHED_COUNTS, PUBLISHED_FIGURES

if TYPE_CHECKING:
    from hawkeys.evaluation.results import Results

__all__ = ["headline", "page_content"]

_KM = ("killourhy-maxion", "killourhy-maxion-all")
_MANY = 6
# pairs of columns that a page 1280 pixels wide shows
_PAIRS_PER_TABLE = 6
_LEVEL = 0.05


def page_content(
    evaluation: Results, tables: Mapping[str, pd.DataFrame], command: str
) -> dict[str, Any]:
    """Return what the template asks for, except the pictures.

    Parameters
    ----------
    evaluation : Results
        What is reported.
    tables : mapping of str to DataFrame
        As `tables_of` returns them.
    command : str
        Command that repeats the evaluation.

    Returns
    -------
    dict of str to object
        By the names in the template.
    """
    summary = evaluation.summary()
    return {
        "protocol": evaluation.protocol,
        "protocol_text": evaluation.protocol_text,
        "bootstrap": evaluation.bootstrap,
        "percent": f"{100 * evaluation.false_alarm:g}",
        "level": f"{100 * evaluation.bootstrap.level:g}",
        "n_subjects": evaluation.n_subjects,
        "headline": headline(summary, evaluation.false_alarm),
        "rows": [_row(str(name), row) for name, row in summary.iterrows()],
        "published": _published(evaluation, summary),
        "achieved": _achieved(tables["achieved"]),
        "spread": _spread(tables["spread"], tables.get("people"), evaluation.false_alarm),
        "comparisons": _comparisons(tables.get("comparisons_miss_rate"), summary),
        "too_few": _too_few(tables.get("comparisons_miss_rate")),
        "costs": _costs(tables["costs"]),
        "operating": _operating_tables(tables["operating_point"], evaluation),
        "subjects": _subjects(tables["rates"]),
        "facts": [*_origin(evaluation.provenance), *_software(evaluation.versions)],
        "verifiers": list(evaluation.verifiers.items()),
        "command": command,
        "notice": evaluation.notice,
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


def _row(name: str, row: pd.Series) -> dict[str, Any]:
    ends = [(row[f], row[f"{f}_lower"], row[f"{f}_upper"]) for f in ("miss_rate", "eer", "auc")]
    written = (_percent, _percent, _decimals)
    return {
        "name": name,
        "cells": [
            {"mean": write(mean), "interval": _interval(write(low), write(high))}
            for write, (mean, low, high) in zip(written, ends, strict=True)
        ],
        "own_false_alarm": _percent(row["achieved_false_alarm"]),
        "own_miss": _percent(row["achieved_miss"]),
    }


def _published(evaluation: Results, summary: pd.DataFrame) -> list[dict[str, str]]:
    """Return the rows of the protocol's paper beside those computed here."""
    if evaluation.protocol.name not in _KM[:1]:
        return []
    rows = []
    for name, row in summary.iterrows():
        paper = PUBLISHED_FIGURES.get(str(name))
        if paper is not None:
            rows.append(
                {
                    "name": str(name),
                    "detector": paper.detector,
                    "eer": f"{row['eer']:.4f} ({row['eer_sd']:.4f})",
                    "published_eer": f"{paper.eer:.4f} ({paper.eer_sd:.4f})",
                    "zero_miss": f"{row['zero_miss']:.3f}",
                    "published_zero_miss": f"{paper.zero_miss:.3f}",
                    "remark": paper.remark,
                }
            )
    return rows


def _achieved(achieved: pd.DataFrame) -> dict[str, Any]:
    policies = list(dict.fromkeys(achieved["policy"]))
    found = achieved.set_index(["verifier", "policy"])
    rows = []
    for name in dict.fromkeys(achieved["verifier"]):
        cells = []
        for policy in policies:
            if (name, policy) not in found.index:
                cells += [{"mean": "not computed", "worst": ""}] * 2
                continue
            row = found.loc[(name, policy)]
            cells += [
                {"mean": _percent(row[rate]), "worst": _percent(row[f"{rate}_worst"])}
                for rate in ("achieved_false_alarm", "achieved_miss")
            ]
        rows.append({"name": name, "cells": cells})
    return {"policies": policies, "rows": rows}


def _spread(
    spread: pd.DataFrame, people: pd.DataFrame | None, false_alarm: float
) -> list[dict[str, str]]:
    metric = miss_name(false_alarm)
    both = None if people is None else people.set_index(["verifier", "metric"])
    found = spread.set_index(["verifier", "metric"])
    rows = []
    for name in dict.fromkeys(spread["verifier"]):
        row, strict = found.loc[(name, metric)], found.loc[(name, "miss_at_1")]
        interval = ""
        if both is not None and (name, metric) in both.index:
            ends = both.loc[(name, metric)]
            interval = _interval(_percent(ends["people_lower"]), _percent(ends["people_upper"]))
        rows.append(
            {
                "name": name,
                "mean": _percent(row["mean"]),
                "median": _percent(row["median"]),
                "quartiles": _interval(
                    _percent(row["lower_quartile"]), _percent(row["upper_quartile"])
                ),
                "worst": f"{_percent(row['worst'])} ({row['worst_subject']})",
                "people": interval,
                "strict": _percent(strict["mean"]),
            }
        )
    return rows


def _comparisons(pairs: pd.DataFrame | None, summary: pd.DataFrame) -> list[dict[str, str]]:
    """Return all pairs of a few verifiers, or those with the best of many."""
    if pairs is None:
        return []
    best = str(summary["miss_rate"].idxmin())
    if len(summary) > _MANY:
        pairs = pairs[(pairs["first"] == best) | (pairs["second"] == best)]
    return [
        {
            "pair": f"{row.first} - {row.second}",
            "difference": f"{100 * row.mean_difference:+.1f}",
            "interval": _interval(f"{100 * row.lower:+.1f}", f"{100 * row.upper:+.1f}"),
            "better": _percent(row.share_first_better),
            "p": "< .001" if row.p_holm < 0.001 else f"{row.p_holm:.3f}".removeprefix("0"),
        }
        for row in pairs.itertuples()
    ]


def _too_few(pairs: pd.DataFrame | None) -> str:
    """Say that no difference can be told from chance, if the subjects are too few for that."""
    if pairs is None:
        return ""
    n_subjects, n_pairs = int(pairs["n_subjects"].min()), len(pairs)
    least = least_pvalue(n_subjects, n_pairs)
    if least <= _LEVEL:
        return ""
    enough = n_subjects + 1
    while least_pvalue(enough, n_pairs) > _LEVEL:
        enough += 1
    return (
        f"With {n_subjects} subjects this test cannot find a difference: were one verifier better "
        f"on every subject, p would still be {least_pvalue(n_subjects):.3g}, and {least:.3g} after "
        f"the adjustment for {n_pairs} pair{'s' * (n_pairs > 1)}. At least {enough} subjects are "
        f"needed for a p of {_LEVEL:g}."
    )


def _costs(costs: pd.DataFrame) -> list[dict[str, str]]:
    return [
        {
            "name": row.verifier,
            "fit": f"{1e3 * row.fit_seconds:.3g} ms",
            "score": f"{1e3 * row.score_milliseconds:.3g} µs",
            "size": f"{row.template_bytes / 1024:.3g} KiB",
        }
        for row in costs.itertuples()
    ]


def _operating_tables(operating_point: pd.DataFrame, evaluation: Results) -> list[dict[str, Any]]:
    """Return the counts of every subject, a few verifiers to a table."""
    subjects = list(dict.fromkeys(operating_point["subject"]))
    columns = [
        (name, *_counts(own.set_index("subject"), subjects))
        for name, own in operating_point.groupby("verifier", sort=False)
    ]
    if evaluation.protocol.name == "five-subjects":
        columns += _published_counts([name for name, *_ in columns], subjects)
    n_tables = -(-len(columns) // _PAIRS_PER_TABLE)
    size = -(-len(columns) // n_tables)
    parts = [columns[start : start + size] for start in range(0, len(columns), size)]
    return [
        {
            "names": [name for name, *_ in part],
            "subjects": [
                {"name": subject, "cells": [cell for _, cells, _ in part for cell in cells[k]]}
                for k, subject in enumerate(subjects)
            ],
            "out_of": [size for *_, sizes in part for size in sizes],
        }
        for part in parts
    ]


def _counts(
    own: pd.DataFrame, subjects: list[str]
) -> tuple[list[tuple[str, ...]], tuple[str, str]]:
    """Return a verifier's errors, subject by subject, and the numbers of samples."""
    errors = own.reindex(subjects)[["false_negatives", "false_positives"]].to_numpy()
    cells: list[tuple[str, ...]] = [
        tuple("" if np.isnan(count) else f"{int(count):,}" for count in pair) for pair in errors
    ]
    return cells, (_span(own["n_genuine"]), _span(own["n_impostor"]))


def _published_counts(
    verifiers: list[str], subjects: list[str]
) -> list[tuple[str, list[tuple[str, ...]], tuple[str, str]]]:
    """Return the counts of the protocol's paper, if it tells of any of these subjects."""
    found: list[tuple[str, list[tuple[str, ...]], tuple[str, str]]] = []
    for name in verifiers:
        counts = PUBLISHED_COUNTS.get(name, {})
        if not set(counts).isdisjoint(subjects):
            known = {who: tuple(f"{count:,}" for count in pair) for who, pair in counts.items()}
            cells: list[tuple[str, ...]] = [known.get(subject, ("", "")) for subject in subjects]
            found.append((f"{name}, in the paper", cells, ("200", "1,600")))
    return found


def _subjects(rates: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a table of all verifiers for each subject, the best first."""
    figures = ["miss_at_5", "miss_at_1", "eer", "auc", "achieved_false_alarm", "achieved_miss"]
    return [
        {
            "name": name,
            "rows": [
                {
                    "name": row["verifier"],
                    "cells": [(_decimals if f == "auc" else _percent)(row[f]) for f in figures],
                }
                for _, row in own.sort_values("miss_at_5", kind="stable").iterrows()
            ],
        }
        for name, own in rates.groupby("subject", sort=False)
    ]


def _span(sizes: pd.Series) -> str:
    low, high = int(sizes.min()), int(sizes.max())
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _percent(rate: float) -> str:
    return f"{100 * rate:.1f} %"


def _decimals(share: float) -> str:
    return f"{share:.3f}"


def _interval(low: str, high: str) -> str:
    return f"{low.removesuffix(' %')} to {high}"


def _origin(provenance: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the record of the data without the notice, which is shown at the top instead."""
    return [(name, value) for name, value in provenance.items() if name != "notice"]


def _software(versions: Mapping[str, str]) -> list[tuple[str, str]]:
    return [("software", ", ".join(f"{name} {number}" for name, number in versions.items()))]
