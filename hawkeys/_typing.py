"""Type aliases shared by the whole package."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["ArrayLike", "BoolArray", "Bounds", "FloatArray", "IntArray", "RandomState"]

ArrayLike: TypeAlias = npt.ArrayLike
Bounds: TypeAlias = "ArrayLike | dt.date | dt.timedelta | list[dt.datetime] | Mapping[Any, Any]"
"""Starts or ends of windows: numbers, dates or durations, one, one each, or by label."""
FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
RandomState: TypeAlias = "int | np.random.Generator | np.random.SeedSequence | None"
