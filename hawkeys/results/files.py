"""Reading saved results back, from files that nobody vouches for."""

from __future__ import annotations

import os
from typing import Any

from hawkeys._records import (
    CHECKSUM,
    RecordError,
    check_sum,
    parse_record,
    read_limited,
    shown,
)
from hawkeys._version import __version__
from hawkeys.exceptions import ResultFileError
from hawkeys.results.fit_result import FitResult
from hawkeys.results.nonlinear import NONLINEAR_SCHEMA, LinkedResult
from hawkeys.results.rectified import RECTIFIED_SCHEMA

__all__ = ["load_result"]

_MOST_BYTES = 2**31
_REMEDY = "Take an undamaged copy, or fit and save again."
# the number is that of the version; version 1 had no checksum
_READABLE = (
    FitResult.schema,
    "hawkeys-fit/1",
    RECTIFIED_SCHEMA,
    "hawkeys-rectified-fit/1",
    NONLINEAR_SCHEMA,
)


def load_result(path: str | os.PathLike[str]) -> FitResult | LinkedResult:
    """Read a result that its `save` wrote.

    Parameters
    ----------
    path : str or path-like
        A JSON file of at most 2 GiB.

    Returns
    -------
    LikelihoodResult, VariationalResult, ContrastResult, RectifiedResult or NonlinearResult
        Equal to the result that was saved.

    Raises
    ------
    ResultFileError
        The file is missing, empty, truncated, too large, nested too deep, not in UTF-8, of another
        kind or schema, or does not fit its checksum; or a field is missing, unknown, there twice,
        of a wrong type or shape, or does not agree with the others.

    Notes
    -----
    Results of version 0.1, which had no checksum, are read as well; there only what makes no sense
    is found, not one number in the place of another.

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
        content = read_limited(path, _MOST_BYTES)
        return _rebuild(_check_schema(parse_record(content, _REMEDY)), content)
    except RecordError as error:
        raise ResultFileError(f"{str(path)!a}: {error}") from error


def _check_schema(record: Any) -> dict[str, Any]:
    found = record.get("schema") if isinstance(record, dict) else record
    if not isinstance(record, dict) or found not in _READABLE:
        raise RecordError(
            f"holds schema {shown(found)}; hawkeys {__version__} reads "
            f"{' and '.join(map(repr, _READABLE))}. If a newer hawkeys wrote it, upgrade; "
            "otherwise fit and save again."
        )
    return record


def _rebuild(record: dict[str, Any], content: bytes) -> FitResult | LinkedResult:
    """Return the result of a record whose schema is known."""
    from hawkeys.results._saved import rebuilding  # msgspec takes time to import

    first = record["schema"].endswith("/1")
    if first == (CHECKSUM in record):
        what = "has the field 'checksum', unlike" if first else "lacks the field 'checksum' of"
        raise RecordError(f"{what} all files of schema {record['schema']!r}. {_REMEDY}")
    fields = {key: value for key, value in record.items() if key not in ("schema", CHECKSUM)}
    fields.setdefault("unit", None)  # of files saved before there was one
    if first:
        fields = rebuilding.as_of_now(fields)
    kind = record["schema"].split("/")[0]
    rebuild: Any = {
        "hawkeys-rectified-fit": rebuilding.rectified_result,
        "hawkeys-nonlinear-fit": rebuilding.nonlinear_result,
    }.get(kind, rebuilding.fit_result)
    found: FitResult | LinkedResult = rebuild(fields)
    if not first:
        check_sum(record, content, _REMEDY)
    return found
