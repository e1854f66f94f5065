"""Reading templates back, from files that nobody vouches for."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from hawkeys._records import (
    CHECKSUM,
    RecordError,
    check_sum,
    parse_record,
    read_limited,
    shown,
    words,
)
from hawkeys._typing import FloatArray
from hawkeys._validation import check_choice
from hawkeys._version import __version__
from hawkeys.datasets.timings import check_keys, check_timings
from hawkeys.exceptions import (
    HawkeysError,
    InvalidParameterError,
    TemplateFileError,
)
from hawkeys.verifiers.templates._storable import make_background, make_verifier
from hawkeys.verifiers.templates.enrolment import check_enrolment
from hawkeys.verifiers.templates.template import SCHEMA, Template, train
from hawkeys.verifiers.thresholds import THRESHOLD_POLICIES, HeldOutThreshold

__all__ = ["load_template"]

_MOST_BYTES = 2**24  # the largest template that `enrol` makes has 12 MB
_REMEDY = "Take an undamaged copy or enrol again."
_LONGEST_NAME, _MOST_VERSIONS = 100, 20
# Another machine or numpy may round scores differently; an edit that matters is larger.
_TOLERANCE = 1e-6
# What a verifier's fit may raise on parameters of the right type that make no sense together.
_FIT_ERRORS = (ValueError, TypeError, AttributeError, ArithmeticError, LookupError, MemoryError)


def load_template(path: str | os.PathLike[str]) -> Template:
    """Read a template that `Template.save` wrote.

    Parameters
    ----------
    path : str or path-like
        A JSON file of at most 16 MiB.

    Returns
    -------
    Template
        The verifier is trained again on the samples of the file; scores and decisions are those of
        the template that was saved, bit by bit on the same machine.

    Raises
    ------
    TemplateFileError
        The file is missing, truncated, too large, of another kind or schema, lacks a field or has
        one of a wrong type, names an unknown verifier or parameter, or does not fit its checksum;
        or the threshold is not the one that its own samples give. No other exception is raised,
        whatever the file holds.

    Notes
    -----
    Nothing in a file is imported or run, and sizes are limited: of the file, the samples and the
    whole numbers among the parameters. Costs as much as `enrol`; a forger can choose samples and
    parameters that make this slow, so load files of unknown origin with a time limit.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from hawkeys.datasets import load_demo
    >>> from hawkeys.verifiers import enrol, load_template
    >>> template = enrol(load_demo(n_subjects=1).timings()[:100])
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "template.json"
    >>> template.save(path)
    >>> load_template(path).threshold == template.threshold
    True
    """
    try:
        content = read_limited(path, _MOST_BYTES)
        return _rebuild(_check_schema(parse_record(content, _REMEDY)))
    except RecordError as error:
        raise TemplateFileError(f"{str(path)!a}: {error}") from error


def _check_schema(record: Any) -> dict[str, Any]:
    if not isinstance(record, dict) or record.get("schema") != SCHEMA:
        found = record.get("schema") if isinstance(record, dict) else record
        raise RecordError(
            f"expected a template of schema {SCHEMA!r}, which hawkeys {__version__} reads; got "
            f"{shown(found)}. If a newer hawkeys wrote it, upgrade; otherwise enrol again."
        )
    return record


def _rebuild(record: dict[str, Any]) -> Template:
    fields = _check_fields(record)
    check_sum(record, b"", _REMEDY)
    model = _train(fields)
    threshold, version = fields["threshold"], fields["versions"].get("hawkeys")
    if not math.isclose(threshold, model.offset_, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE):
        raise RecordError(
            f"damaged or edited: the stored threshold is {threshold:.9g}, its samples give "
            f"{model.offset_:.9g} (written by hawkeys {shown(version)}, read by {__version__}). "
            "Enrol again."
        )
    del fields["n_samples"]
    for name in ("parameters", "versions"):
        fields[name] = MappingProxyType(fields[name])
    return Template(**fields, model=model)


def _train(fields: dict[str, Any]) -> HeldOutThreshold:
    names = ("verifier", "parameters", "samples", "policy", "sessions", "background")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # `enrol` has said it
            return train(**{name: fields[name] for name in names if name in fields})
    except (HawkeysError, *_FIT_ERRORS) as error:
        raise RecordError(
            f"the verifier cannot be trained ({words(error)}). Enrol again."
        ) from error


def _check_fields(record: dict[str, Any]) -> dict[str, Any]:
    missing = [name for name in (*_CHECKS, "schema", CHECKSUM) if name not in record]
    known = (*_CHECKS, *_CHECKS_IF_THERE, "schema", CHECKSUM)
    unknown = [name for name in record if name not in known]
    if missing or unknown:
        what = f"lacks the field {missing[0]!r}" if missing else f"has a field {shown(unknown[0])}"
        raise RecordError(f"{what}, unlike every template of schema {SCHEMA!r}. Enrol again.")
    fields = {}
    checks = {**_CHECKS, **{name: one for name, one in _CHECKS_IF_THERE.items() if name in record}}
    for name, check in checks.items():
        try:
            fields[name] = check(record[name])
        except (RecordError, HawkeysError) as error:
            raise RecordError(f"field {name!r}: {words(error)}") from error
    try:
        make_verifier(fields["verifier"], fields["parameters"])
    except InvalidParameterError as error:
        raise RecordError(words(error)) from error
    _check_lengths(fields)
    return fields


def _check_lengths(fields: dict[str, Any]) -> None:
    n_samples, n_columns = fields["samples"].shape
    expected = {"n_samples": n_samples, "sessions": n_samples, "keys": (n_columns + 2) // 3}
    for name, size in expected.items():
        value = fields[name]
        found = len(value) if isinstance(value, tuple) else value
        if found is not None and found != size:
            raise RecordError(
                f"field {name!r} is of {found}, the samples are {n_samples} of "
                f"{expected['keys']} keys. Enrol again."
            )


def _check_text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_NAME or not value.isprintable():
        raise RecordError(
            f"expected a printable text of at most 100 characters; got {shown(value)}."
        )
    return value


def _check_policy(value: Any) -> str:
    return check_choice(_check_text(value), "policy", THRESHOLD_POLICIES)


def _check_number(value: Any) -> float:
    if type(value) is not float or not math.isfinite(value):
        raise RecordError(f"expected a finite number with a decimal point; got {shown(value)}.")
    return value


def _check_count(value: Any) -> int:
    if type(value) is not int:
        raise RecordError(f"expected a whole number; got {shown(value)}.")
    return value


def _check_parameters(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise RecordError(f"expected named parameters (an object); got {shown(value)}.")
    return value


def _check_versions(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or len(value) > _MOST_VERSIONS:
        raise RecordError(f"expected at most 20 named versions (an object); got {shown(value)}.")
    return {_check_text(name): _check_text(version) for name, version in value.items()}


def _check_keys(value: Any) -> tuple[str, ...] | None:
    names = _list_or_none(value)
    return None if names is None else check_keys(_check_text(name) for name in names)


def _check_sessions(value: Any) -> tuple[int, ...] | None:
    codes = _list_or_none(value)
    if codes is None:
        return None
    for code in codes:
        if not 0 <= _check_count(code) < len(codes):
            raise RecordError(f"sessions are numbered from 0; got {shown(code)}.")
    return tuple(codes)


def _list_or_none(value: Any) -> list[Any] | None:
    if value is not None and not isinstance(value, list):
        raise RecordError(f"expected a list or null; got {shown(value)}.")
    return value


def _check_samples(value: Any) -> FloatArray:
    rows = _list_or_none(value)
    if not rows:
        raise RecordError(f"expected lists of intervals, one per sample; got {shown(value)}.")
    for k, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != len(rows[0]):
            raise RecordError(f"row {k} is not a list as long as the first; got {shown(row)}.")
        for interval in row:
            if type(interval) is not float:
                raise RecordError(
                    f"row {k}: expected numbers with a decimal point; got {shown(interval)}."
                )
    samples = check_timings(np.array(rows, dtype=np.float64))
    for finding in check_enrolment(samples):
        if finding.is_error:
            raise RecordError(f"{finding.rule}: {finding.message}")
    samples.flags.writeable = False
    return samples


_CHECKS: Mapping[str, Callable[[Any], Any]] = {
    "verifier": _check_text,
    "parameters": _check_parameters,
    "policy": _check_policy,
    "threshold": _check_number,
    "n_samples": _check_count,
    "keys": _check_keys,
    "sessions": _check_sessions,
    "versions": _check_versions,
    "samples": _check_samples,
}

# what a verifier learned of other typists
_CHECKS_IF_THERE: Mapping[str, Callable[[Any], Any]] = {"background": make_background}
