"""Files of fitted networks: arrays and settings in one .npz, with a checksum, without pickle."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from hawkeys._files import write_bytes
from hawkeys.exceptions import InvalidParameterError, TemplateFileError

__all__ = [
    "digest_of",
    "read_arrays",
    "read_network",
    "rebuilding",
    "with_prefix",
    "write_arrays",
    "write_network",
]

Arrays = Mapping[str, np.ndarray]


def digest_of(text: str, arrays: Arrays) -> str:
    """Return the checksum of a text and of arrays with their names, 64 hexadecimal digits."""
    seen = hashlib.sha256(text.encode())
    for name, array in sorted(arrays.items()):
        seen.update(name.encode() + np.ascontiguousarray(array).tobytes())
    return seen.hexdigest()


def write_network(
    path: str | os.PathLike[str], kind: str, settings: Mapping[str, Any], arrays: Arrays
) -> None:
    """Write a fitted network; raises `OutputError` if it cannot be written.

    Settings are numbers, texts, truth values, None, and lists and mappings of them.
    """
    text = json.dumps(settings, sort_keys=True)
    digest = digest_of(text, arrays)
    write_arrays(path, {"kind": kind, "settings": text, "digest": digest, **arrays})


def write_arrays(
    path: str | os.PathLike[str], arrays: Mapping[str, Any], *, private: bool = False
) -> None:
    """Write arrays of numbers and texts; raises `OutputError` if they cannot be written.

    Raises `InvalidParameterError` for objects, which only pickle could write.
    """
    named = {name: np.asarray(array) for name, array in arrays.items()}
    for name, array in named.items():
        if array.dtype.hasobject:
            raise InvalidParameterError(
                f"{name} holds Python objects; a file holds numbers and texts alone. Fit with "
                "labels that are all numbers or all texts."
            )
    content = io.BytesIO()
    np.savez(content, **named)  # type: ignore[arg-type]
    write_bytes(path, content.getvalue(), private=private)


def read_network(
    path: str | os.PathLike[str], kind: str
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return settings and arrays that `write_network` wrote.

    Raises `TemplateFileError` if there is no such file, or it is of another kind, damaged or was
    edited.
    """
    arrays = read_arrays(path, kind, ("settings", "digest"))
    text, digest = str(arrays.pop("settings")), str(arrays.pop("digest"))
    del arrays["kind"]
    if digest_of(text, arrays) != digest:
        raise TemplateFileError(
            f"{path}: the {kind} was edited or damaged: its checksum does not fit. Save it anew."
        )
    return json.loads(text), arrays


def read_arrays(
    path: str | os.PathLike[str], kind: str, names: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """Return the arrays of a file; raises `TemplateFileError` if it is none of that kind."""
    file = Path(path)
    if not file.is_file():
        raise TemplateFileError(f"{file}: no such file. Check the path.")
    try:
        with file.open("rb") as handle, np.load(handle, allow_pickle=False) as found:
            arrays = dict(found)
    except (OSError, ValueError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise TemplateFileError(f"{file}: expected a file of a {kind} ({error}).") from error
    if str(arrays.get("kind")) != kind or not set(names) <= set(arrays):
        raise TemplateFileError(
            f"{file}: expected a {kind}; got one that says {str(arrays.get('kind'))!r}, with the "
            f"arrays {', '.join(sorted(arrays))}."
        )
    return arrays


@contextmanager
def rebuilding(path: str | os.PathLike[str], what: str) -> Iterator[None]:
    """Raises a `TemplateFileError` in place of what a file's contents raise in a network."""
    try:
        yield
    except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
        told = str(error).strip().splitlines() or [type(error).__name__]
        raise TemplateFileError(f"{path}: {what} ({told[0]}). Save it anew.") from error


def with_prefix(prefix: str, arrays: Arrays) -> dict[str, np.ndarray]:
    """Return the arrays whose names begin with a prefix, by the rest of their names."""
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
