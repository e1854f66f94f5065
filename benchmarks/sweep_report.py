"""What a case of the sweep finds: comparisons made, those that failed, warnings heard."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hawkeys.exceptions import HawkeysWarning

__all__ = ["Report"]

_SHOWN = 400
_RADIUS = 10.0
_REASONS = (
    "beyond any process",
    "spectral radi",
    "decay is not identified",
    "decays are not",
    "edge of their range",
    "did not converge",
)


@dataclass
class Report:
    """Comparisons of one case.

    A failure is a wrong number or a broken promise that nothing has announced; what hawkeys has
    said by a warning is noted under `heard`, what it refused under `refused`, and what is no fault
    but worth counting under `notes`.
    """

    number: int
    kind: str
    n_checks: int = 0
    failures: list[str] = field(default_factory=list)
    heard: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    notes: set[str] = field(default_factory=set)

    @property
    def outcome(self) -> str:
        """Return "wrong", "refused", "said" or "agrees"."""
        if self.failures:
            return "wrong"
        if self.refused:
            return "refused"
        return "said" if self.heard else "agrees"

    def true(self, name: str, condition: Any, text: str = "") -> bool:
        """Check a condition."""
        self.n_checks += 1
        if not bool(condition):
            self.failures.append(f"{name}: {text}"[:_SHOWN])
        return bool(condition)

    def close(
        self, name: str, value: Any, expected: Any, *, rtol: float = 1e-8, atol: float = 1e-10
    ) -> bool:
        """Check that arrays agree; NaN and infinities must stand at the same places."""
        value, expected = np.asarray(value, dtype=float), np.asarray(expected, dtype=float)
        if value.shape != expected.shape:
            return self.true(name, False, f"shape {value.shape} instead of {expected.shape}")
        same = np.isclose(value, expected, rtol=rtol, atol=atol, equal_nan=True)
        if same.all():
            return self.true(name, True)
        where = tuple(int(k) for k in np.argwhere(~same)[0])
        text = f"{value[where]!r} instead of {expected[where]!r} at {where}, {(~same).sum()} differ"
        return self.true(name, False, text)

    def below(self, name: str, value: float, bound: float, text: str = "") -> bool:
        """Check that a value is no larger than a bound; NaN is."""
        return self.true(name, value <= bound, f"{value!r} exceeds {bound!r} {text}")

    def finite(self, name: str, value: Any) -> bool:
        """Check that all numbers are finite."""
        array = np.asarray(value, dtype=float)
        bad = array[~np.isfinite(array)]
        return self.true(name, bad.size == 0, f"{bad[:3]}")

    def explained(self, radius: float, texts: list[str], data: str = "") -> bool:
        """Check that a spectral radius beyond any process comes with a warning that says why."""
        why = any(word in text for text in texts for word in _REASONS)
        what = f"radius {radius:.3g}; {data}; {texts}"
        return self.true("no nonsense without a word", radius <= _RADIUS or why, what)

    @contextmanager
    def listening(self) -> Iterator[list[str]]:
        """Note the warnings of hawkeys; any other warning is a failure. Yields their texts."""
        texts: list[str] = []
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield texts
        for warning in caught:
            text = f"{warning.category.__name__}: {warning.message}"
            texts.append(text)
            if issubclass(warning.category, HawkeysWarning):
                self.heard.add(warning.category.__name__)
            else:
                self.failures.append(f"stray {text}"[:_SHOWN])
