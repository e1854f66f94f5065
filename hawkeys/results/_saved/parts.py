"""Kernels, baselines and penalties in saved results: those of hawkeys, and a user's own."""

from __future__ import annotations

from typing import Any, get_args

from hawkeys._records import RecordError, shown, words
from hawkeys._registry import known_names, rebuild
from hawkeys.exceptions import HawkeysError
from hawkeys.results._saved.reading import AGAIN, read

__all__ = ["read_part"]


def read_part(value: Any, kind: str, schema: Any, where: str) -> None:
    """Check the record of a kernel, baseline or penalty; raises `RecordError`.

    One of the `schema` is checked field by field; a user's own by its class, which must be defined.
    """
    name = value.get("name") if isinstance(value, dict) else None
    ours = [one.__struct_config__.tag for one in get_args(schema)]
    if not isinstance(name, str) or name in ours:
        read(value, schema, f".{where}")
        return
    if name not in known_names(kind):
        raise RecordError(
            f"field {where}.name: invalid value {shown(name)}: no {kind} of hawkeys "
            f"({', '.join(ours)}) and no class of your own that is defined here. If it is your "
            f"own, import the module that defines the class whose name is {shown(name)}, then load "
            f"again. {AGAIN}"
        )
    try:
        rebuild(kind, value)
    except HawkeysError as error:
        raise RecordError(f"field {where}: {words(error)} {AGAIN}") from error
