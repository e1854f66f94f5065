"""Reading saved results back."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from hawkeys._design.columns import ColumnMap, FittedColumns
from hawkeys._records import SCHEMA, decode_floats
from hawkeys.baselines import baseline_from_dict
from hawkeys.exceptions import HawkeysError, ResultFileError
from hawkeys.kernels import kernel_from_dict
from hawkeys.process import Hawkes
from hawkeys.process.rectified import RectifiedHawkes
from hawkeys.results.column_posterior import ColumnPosterior
from hawkeys.results.contrast import ContrastResult
from hawkeys.results.decay_profile import DecayProfile
from hawkeys.results.estimates import LikelihoodResult, VariationalResult
from hawkeys.results.fit_result import FitResult
from hawkeys.results.gamma_posterior import GammaPosterior
from hawkeys.results.posterior import LogNormalPosterior
from hawkeys.results.rectified import RECTIFIED_SCHEMA, RectifiedResult

__all__ = ["load_result"]

_FLOAT_ARRAYS = (
    "trace",
    "information",
    "noise",
    "prior_coefficient",
    "log_covariance",
    "posterior_covariance",
)
_KINDS: dict[str, type[FitResult]] = {
    kind.kind: kind for kind in (ContrastResult, LikelihoodResult, VariationalResult)
}


def load_result(path: str | os.PathLike[str]) -> FitResult | RectifiedResult:
    """Read a result that its `save` wrote.

    Parameters
    ----------
    path : str or path-like
        A JSON file.

    Returns
    -------
    LikelihoodResult, VariationalResult, ContrastResult or RectifiedResult
        Equal to the result that was saved.

    Raises
    ------
    ResultFileError
        The file is missing, truncated, of another kind or schema, or lacks a field.

    Examples
    --------
    >>> import hawkeys, pathlib, tempfile
    >>> result = hawkeys.fit([[0.5, 1.0, 2.5]], decay=1.0, end_time=4.0)
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "fit.json"
    >>> result.save(path)
    >>> hawkeys.load_result(path).log_likelihood == result.log_likelihood
    True
    """
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ResultFileError(f"cannot read {path}: {error.strerror}.") from error
    except ValueError as error:
        raise ResultFileError(
            f"{path} is not a complete JSON file ({error}). Save the result again."
        ) from error
    found = record.get("schema") if isinstance(record, dict) else type(record).__name__
    if not isinstance(record, dict) or str(found) not in _READERS:
        readable = " and ".join(map(repr, _READERS))
        raise ResultFileError(
            f"{path} holds schema {found!r}; this version reads {readable}. If a newer hawkeys "
            "wrote it, upgrade."
        )
    try:
        return _READERS[record["schema"]](record)
    except KeyError as error:
        raise ResultFileError(f"{path} lacks the field {error}. Save the result again.") from error
    except (HawkeysError, TypeError, ValueError, AttributeError) as error:
        raise ResultFileError(f"{path} holds a broken field: {error}") from error


def _rebuild(record: dict[str, Any]) -> FitResult:
    fields = {key: value for key, value in record.items() if key not in ("schema", "kind")}
    process = fields["process"]
    baseline = process["baseline"]
    fields["process"] = Hawkes(
        baseline_from_dict(baseline) if isinstance(baseline, dict) else baseline,
        process["adjacency"],
        kernel=kernel_from_dict(process["kernel"]),
        mark_names=process["mark_names"],
    )
    for name in _FLOAT_ARRAYS:
        if fields.get(name) is not None:
            fields[name] = decode_floats(fields[name])
    if "posterior" in fields:
        fields["posterior"] = _posterior(fields["posterior"])
    if fields.get("decay_profile") is not None:
        profile = fields["decay_profile"]
        arrays = {name: decode_floats(profile[name]) for name in ("decays", "objective", "score")}
        bounds = profile.get("bounds")
        fields["decay_profile"] = DecayProfile(
            **arrays,
            selection=profile["selection"],
            bounds=None if bounds is None else (bounds[0], bounds[1]),
            limit=profile.get("limit"),
        )
    if fields.get("kernel_std_err") is not None:
        errors = fields["kernel_std_err"]
        fields["kernel_std_err"] = {name: decode_floats(value) for name, value in errors.items()}
    if fields.get("columns") is not None:
        fields["columns"] = _columns(fields["columns"])
    if fields.get("column_posterior") is not None:
        fields["column_posterior"] = _column_posterior(fields["column_posterior"])
    fields["identified"] = np.array(fields["identified"], dtype=bool)
    fields["event_counts"] = np.array(fields["event_counts"], dtype=np.int64)
    for name in ("optimality_gap", "kkt_residual"):
        if fields.get(name, 0.0) is None:
            fields[name] = float("nan")
    if fields["log_likelihood"] is None:  # some event is impossible
        fields["log_likelihood"] = -float("inf")
    return _KINDS[record["kind"]](**fields)


def _posterior(record: dict[str, Any]) -> LogNormalPosterior | GammaPosterior:
    values = {name: decode_floats(value) for name, value in record.items()}
    return GammaPosterior(**values) if "rate" in record else LogNormalPosterior(**values)


def _map(record: dict[str, Any]) -> ColumnMap:
    indices = {key: np.array(record[key], dtype=np.int64) for key in ("baseline", "adjacency")}
    return ColumnMap(**indices, n_columns=record["n_columns"])


def _column_posterior(record: dict[str, Any]) -> ColumnPosterior:
    covariance = record["log_covariance"]
    return ColumnPosterior(
        map=_map(record["map"]),
        posterior=_posterior(record["posterior"]),
        prior_coefficient=decode_floats(record["prior_coefficient"]),
        log_covariance=None if covariance is None else decode_floats(covariance),
    )


def _columns(record: dict[str, Any]) -> FittedColumns:
    return FittedColumns(
        map=_map(record["map"]),
        estimates=decode_floats(record["estimates"]),
        used=np.array(record["used"], dtype=bool),
    )


def _rebuild_rectified(record: dict[str, Any]) -> RectifiedResult:
    fields = {field.name: record[field.name] for field in dataclasses.fields(RectifiedResult)}
    fields["process"] = RectifiedHawkes(**fields["process"])
    for name in ("trace", "information"):
        fields[name] = decode_floats(fields[name])
    for name in ("identified", "at_bound", "decay_identified"):
        fields[name] = np.array(fields[name], dtype=bool)
    fields["event_counts"] = np.array(fields["event_counts"], dtype=np.int64)
    return RectifiedResult(**fields)


_READERS: dict[str, Callable[[dict[str, Any]], FitResult | RectifiedResult]] = {
    SCHEMA: _rebuild,
    RECTIFIED_SCHEMA: _rebuild_rectified,
}
