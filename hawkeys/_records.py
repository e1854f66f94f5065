"""Results as plain JSON types and back."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["SCHEMA", "decode_floats", "encode"]

SCHEMA = "hawkeys-fit/1"


def encode(value: Any) -> Any:
    """Return `value` as JSON types: arrays become lists, NaN and infinity None, records dicts."""
    if isinstance(value, np.ndarray):
        return encode(value.tolist())
    if isinstance(value, list | tuple):
        return [encode(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): encode(item) for key, item in value.items()}
    if hasattr(value, "to_dict"):
        return encode(value.to_dict())
    if dataclasses.is_dataclass(value):
        return {
            field.name: encode(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


def decode_floats(value: Any) -> np.ndarray:
    """Return nested lists of numbers and None as a float64 array; None becomes NaN."""
    return np.array(value, dtype=np.float64)
