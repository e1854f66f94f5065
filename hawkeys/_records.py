"""Records as JSON: writing them, and reading them from files that nobody vouches for."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

__all__ = [
    "CHECKSUM",
    "DEEPEST",
    "INFINITIES",
    "RecordError",
    "canonical",
    "check_sum",
    "checksum_of",
    "encode",
    "pack",
    "parse_record",
    "read_limited",
    "seal",
    "shown",
    "unpack",
    "words",
]

CHECKSUM = "checksum"
DEEPEST = 32
"""Levels of lists and objects in a file; the deepest that is written has 7."""

INFINITIES = {"inf": math.inf, "-inf": -math.inf}
"""JSON has no infinite numbers; they are written as these texts, and NaN as null."""

# numbers from which stacked matrices are packed: as lists they take ten times as long and four
# times the space
_PACKED_FROM = 100_000
_PACKED = ("data", "packed", "shape", "symmetric")
_FORMAT = "float64 little-endian base64"
_SHOWN = 60
_AT_ONCE = 2**20


class RecordError(Exception):
    """What is wrong with a file and what to do, without the name of the file."""


def encode(value: Any) -> Any:
    """Return `value` as JSON types: arrays as lists, NaN as None, infinity as text.

    Large stacks of matrices are packed; see `pack`.
    """
    if isinstance(value, np.ndarray) and value.ndim == 3 and value.size >= _PACKED_FROM:
        return pack(value) if value.dtype.kind == "f" else _encode_array(value)
    if isinstance(value, np.ndarray | np.generic):
        return _encode_array(np.asarray(value))
    if isinstance(value, list | tuple):
        if set(map(type, value)) == {float} and all(map(math.isfinite, value)):
            return list(value)
        return [encode(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): encode(item) for key, item in value.items()}
    if hasattr(value, "to_dict"):
        return encode(value.to_dict())
    if dataclasses.is_dataclass(value):
        return {
            field.name: encode(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value


def _encode_array(array: np.ndarray) -> Any:
    if array.dtype.kind == "f" and np.isfinite(array).all():
        return array.tolist()
    return encode(array.tolist()) if array.dtype.kind in "fO" else array.tolist()


def pack(array: np.ndarray) -> dict[str, Any]:
    """Return numbers (n, rows, columns) as one text, bit by bit; of symmetric ones the lower half.

    An object of data (base64 of little-endian doubles, row by row, of symmetric matrices each row
    up to the diagonal), packed (the format), shape, and symmetric.
    """
    symmetric = array.shape[1] == array.shape[2] and all(
        ((one == one.T) | (np.isnan(one) & np.isnan(one.T))).all() for one in array
    )
    rows, columns = np.tril_indices(array.shape[1])
    numbers = array[:, rows, columns] if symmetric else array
    data = base64.b64encode(numbers.astype("<f8").tobytes()).decode("ascii")
    shape = [int(n) for n in array.shape]
    return {"data": data, "packed": _FORMAT, "shape": shape, "symmetric": bool(symmetric)}


def unpack(value: Mapping[str, Any]) -> np.ndarray:
    """Return the array that `pack` made an object of; raises `ValueError` if it is none."""
    if sorted(value) != list(_PACKED) or value["packed"] != _FORMAT:
        raise ValueError(f"expected lists, or an object of {', '.join(_PACKED)}, {_FORMAT!r}")
    shape, symmetric = value["shape"], value["symmetric"]
    whole = type(shape) is list and len(shape) == 3 and {type(n) for n in shape} == {int}
    if not whole or not all(0 < n < 2**31 for n in shape) or type(symmetric) is not bool:
        raise ValueError("expected a shape of three whole numbers, and symmetric true or false")
    try:
        numbers = np.frombuffer(base64.b64decode(value["data"], validate=True), dtype="<f8")
    except (TypeError, ValueError) as error:
        raise ValueError("data is not the base64 of doubles") from error
    if symmetric and shape[1] != shape[2]:
        raise ValueError(f"symmetric matrices cannot have the shape {shape}")
    half = shape[1] * (shape[1] + 1) // 2 if symmetric else shape[1] * shape[2]
    if numbers.size != shape[0] * half:
        raise ValueError(f"data has {numbers.size} numbers, the shape asks for {shape[0] * half}")
    if not symmetric:
        return numbers.astype(np.float64).reshape(shape)
    out = np.empty(shape)
    rows, columns = np.tril_indices(shape[1])
    out[:, rows, columns] = out[:, columns, rows] = numbers.reshape(shape[0], half)
    return out


def canonical(value: Any) -> str:
    """Return `value` as JSON text, the same whatever the order of names and the layout were."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def checksum_of(record: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the canonical text of a record, without its checksum."""
    content = {name: value for name, value in record.items() if name != CHECKSUM}
    return hashlib.sha256(canonical(content).encode("ascii")).hexdigest()


def seal(record: Mapping[str, Any]) -> str:
    """Return the text of a file that holds a record and its checksum, one field a line.

    The lines joined, less that of the checksum, are the canonical text of the record.
    """
    fields = [f"{json.dumps(name)}:{canonical(record[name])}" for name in sorted(record)]
    digest = hashlib.sha256(f"{{{','.join(fields)}}}".encode("ascii")).hexdigest()
    return "{\n" + ",\n".join([f'"{CHECKSUM}":"{digest}"', *fields]) + "\n}\n"


def read_limited(path: str | os.PathLike[str], most: int) -> bytes:
    """Return the content of a file of at most `most` bytes; raises `RecordError`."""
    try:
        with Path(path).open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise RecordError(f"cannot be read ({error.strerror}). Check the path.") from error
    except ValueError as error:  # a path with a NUL or a lone surrogate
        raise RecordError(f"is no path ({error}).") from error
    if len(content) > most:
        raise RecordError(f"has more than {most // 2**20} MiB, which no such file has.")
    return content


def parse_record(content: bytes, remedy: str) -> Any:
    """Return the JSON value that `content` is: complete, no name twice, not nested without bound.

    Raises `RecordError`, whatever the content, which ends with the remedy.
    """
    if not content.strip():
        raise RecordError(f"is empty. {remedy}")
    deepest = _depth(content)
    if deepest > DEEPEST:
        raise RecordError(
            f"is not a file of ours (lists or objects {deepest} deep; at most "
            f"{DEEPEST} are read). {remedy}"
        )
    try:
        return json.loads(
            content.decode("utf-8"),
            parse_constant=_refuse_constant,
            object_pairs_hook=_without_repetition,
        )
    except ValueError as error:
        raise RecordError(f"is not a complete JSON file ({words(error)}). {remedy}") from error
    except MemoryError as error:
        raise RecordError("is too large for the memory there is. Use a larger machine.") from error


def _depth(content: bytes) -> int:
    """Return how deep lists and objects are nested, without parsing; text in quotes is left out."""
    outside = content.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')[::2]
    brackets = b"".join(outside).translate(None, _NO_BRACKETS)
    level = deepest = 0
    for first in range(0, len(brackets), _AT_ONCE):
        codes = np.frombuffer(brackets[first : first + _AT_ONCE], dtype=np.uint8)
        levels = level + np.cumsum(np.where((codes == ord("[")) | (codes == ord("{")), 1, -1))
        level, deepest = int(levels[-1]), max(deepest, int(levels.max()))
    return deepest


_NO_BRACKETS = bytes(code for code in range(256) if code not in b"[]{}")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for k, name in enumerate(names) if name in names[:k])
        raise ValueError(f"an object has the name {shown(twice)} twice")
    return record


def check_sum(record: Mapping[str, Any], content: bytes, remedy: str) -> None:
    """Refuse a record that its checksum does not fit; raises `RecordError`.

    Content as `canonical` wrote it, one field a line after that of the checksum, is summed as it
    stands, which is faster.
    """
    stored = record.get(CHECKSUM)
    start, end, rest = content.partition(b'",\n')
    if end and start == f'{{\n"{CHECKSUM}":"{stored}'.encode("ascii", "replace"):
        text = hashlib.sha256(b"{" + rest.replace(b"\n", b""))
        if text.hexdigest() == stored:
            return
    found = checksum_of(record)
    if stored != found:
        raise RecordError(
            f"damaged or edited: the checksum of its content is {found[:12]}..., the stored one "
            f"{shown(stored)}. {remedy}"
        )


def shown(value: Any) -> str:
    """Return a value of any size as a short text in printable ASCII."""
    if isinstance(value, str):
        return ascii(value[:_SHOWN]) + ("..." if len(value) > _SHOWN else "")
    if value is None or isinstance(value, bool | int | float):
        text = repr(value)
        return text[:_SHOWN] + ("..." if len(text) > _SHOWN else "")
    return f"a {type(value).__name__} of {len(value)}"


def words(error: BaseException) -> str:
    """Return the message of an error as one short line in printable ASCII."""
    line = " ".join(str(error).split())[:400]
    plain = (c if c.isascii() and c.isprintable() else ascii(c)[1:-1] for c in line)
    return "".join(plain) or type(error).__name__
