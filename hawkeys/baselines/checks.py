"""What the methods of a user's own baseline return, checked; those of hawkeys are trusted."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from hawkeys._registry import is_ours
from hawkeys._typing import FloatArray
from hawkeys._validation import brief
from hawkeys.exceptions import InvalidParameterError

__all__ = ["Functions", "check_pieces", "check_times", "checked_basis", "checked_integrals"]

# of numbers >= 0 that were computed
_ROUNDING = 1e-9
# a basis and its integrals are compared on so many parts of a window, at so many times in each
_PARTS, _CELLS = 8, 64
# they may differ by this share; a part counts as resolved if its jumps matter less than this
_APART, _RESOLVED = 1e-3, 0.04
# of the part in doubt, until a wrong integral is told from a jump, a spike or many periods
_HALVINGS = 30
# a window of fewer units in the last place of its times says nothing of an integral
_PLACES = 1e6
_AGREED = "_integrals_agree"


class Functions(Protocol):
    """The pieces b_q of a baseline."""

    @property
    def n_pieces(self) -> int:
        """Number of functions."""

    def basis(self, times: FloatArray) -> FloatArray:
        """Return b_q at times, (n_times, n_pieces)."""

    def integrals(self, starts: FloatArray, ends: FloatArray) -> FloatArray:
        """Return the integrals of b_q over windows, (n_windows, n_pieces)."""


def check_pieces(baseline: Any) -> None:
    """Check what a baseline says of its pieces, and that its constructor kept the rates.

    Parameters
    ----------
    baseline : Baseline
        Any; one of hawkeys is not looked at.

    Raises
    ------
    InvalidParameterError
        There are no `rates`, not one piece or more, not one label and one share >= 0 of each, or
        rates of another shape.
    """
    if is_ours(type(baseline)):
        return
    name = type(baseline).__name__
    if not hasattr(baseline, "rates"):
        raise InvalidParameterError(
            f"{name}.__init__ must keep the rates, given or None; the object has none. Take an "
            "argument rates=None and call super().__init__(rates)."
        )
    n, labels = baseline.n_pieces, baseline.labels
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise InvalidParameterError(
            f"{name}.n_pieces must be a whole number of at least 1; got {brief(n)}."
        )
    if not isinstance(labels, tuple | list) or len(labels) != n or not all(map(_is_text, labels)):
        raise InvalidParameterError(
            f"{name}.labels must name each of {n} pieces (n_pieces); got {brief(labels)}."
        )
    _check(baseline, "shares", baseline.shares, (int(n),), "one share of each piece", 0.0)
    if baseline.rates is not None:
        shape = (*np.shape(baseline.rates)[:1], int(n))
        meaning = "one row per mark, one column per piece"
        _check(baseline, "rates", baseline.rates, shape, meaning, 0.0)


def checked_basis(baseline: Functions, times: FloatArray) -> FloatArray:
    """Return b_q at times, finite, >= 0 and of the right shape.

    Parameters
    ----------
    baseline : Baseline
        Any; what one of hawkeys returns is not looked at.
    times : ndarray of float64, shape (n_times,)
        Within the span.

    Returns
    -------
    ndarray of float64, shape (n_times, n_pieces)
        What `basis` returned.

    Raises
    ------
    InvalidParameterError
        It is something else.
    """
    values = baseline.basis(times)
    if is_ours(type(baseline)):
        return values
    shape = (times.size, baseline.n_pieces)
    meaning = "one row per time, one column per piece"
    return _check(baseline, "basis", values, shape, meaning, _ROUNDING)


def checked_integrals(baseline: Functions, starts: FloatArray, ends: FloatArray) -> FloatArray:
    """Return the integrals of b_q, finite, >= 0, of the right shape, and those of `basis`.

    Parameters
    ----------
    baseline : Baseline
        Any; what one of hawkeys returns is not looked at. Of another the integrals are compared
        with `basis` on the longest window, once for each object.
    starts, ends : ndarray of float64, shape (n_windows,)
        Windows within the span.

    Returns
    -------
    ndarray of float64, shape (n_windows, n_pieces)
        What `integrals` returned.

    Raises
    ------
    InvalidParameterError
        It is something else.
    """
    if is_ours(type(baseline)):
        return baseline.integrals(starts, ends)
    out = _own_integrals(baseline, starts, ends)
    if starts.size and not getattr(baseline, _AGREED, False):
        longest = int((ends - starts).argmax())
        window = np.array([starts[longest], ends[longest]])
        if _tells(window, np.spacing(abs(window).max())):
            _compare(baseline, window)
            object.__setattr__(baseline, _AGREED, True)  # of a frozen dataclass, too
    return out


def check_times(baseline: Any, times: Any, starts: FloatArray, ends: FloatArray) -> FloatArray:
    """Return times that a baseline drew, one in each window.

    Parameters
    ----------
    baseline : Baseline
        Any; what one of hawkeys draws is not looked at.
    times : ndarray of float64, shape (n,)
        What `sample_times` returned.
    starts, ends : ndarray of float64, shape (n,)
        The windows.

    Returns
    -------
    ndarray of float64, shape (n,)
        The times.

    Raises
    ------
    InvalidParameterError
        They are something else.
    """
    if is_ours(type(baseline)):
        return np.asarray(times)
    array = _numbers(baseline, "sample_times", times)
    if array.shape != starts.shape or not ((array >= starts) & (array <= ends)).all():
        _refuse(baseline, "sample_times", f"{starts.size} times, each within its window", array)
    return array


def _compare(baseline: Functions, window: FloatArray) -> None:
    """Compare integrals over the parts of a window (2,) with sums over `basis`, then narrow down.

    What the sums step over at first is resolved where the part is narrow enough: jumps, spikes,
    many periods. What differs down to the narrowest part is wrong.
    """
    unit, edges = np.spacing(abs(window).max()), np.linspace(window[0], window[1], _PARTS + 1)
    for _ in range(_HALVINGS):
        floor = _floor(edges[1] - edges[0], unit)
        found = _added_up(baseline, edges, unit)
        summed, error, varied = _quadrature(baseline, edges)
        apart, larger = abs(found - summed), np.maximum(found, summed)
        slack = _APART * larger + floor
        scale = larger.max(axis=0) + floor
        wrong, coarse = apart > error + slack, varied > _RESOLVED * scale
        if not (wrong | coarse).any():
            return
        doubt = np.where(wrong, 1.0 + apart / scale, np.minimum(varied / scale, 1.0))
        k = int(doubt.max(axis=1).argmax())
        refused = apart[k] > varied[k] + slack[k]
        window, values = edges[k : k + 2], (found[k], summed[k])
        edges = np.linspace(window[0], window[1], 3)
        if not _tells(window, unit):
            break
    if refused.any():
        _tell(baseline, window, values, "the area under basis is")


def _tells(window: FloatArray, unit: float) -> bool:
    """Tell whether a window (2,) is wide enough for sums at times known to `unit`."""
    return bool(window[1] - window[0] > _PLACES * unit)


def _floor(width: float, unit: float) -> float:
    """Return the integral over a part that rounding makes of nothing."""
    return _ROUNDING * width + _PLACES * _APART * unit


def _added_up(baseline: Functions, edges: FloatArray, unit: float) -> FloatArray:
    """Return the integrals over each part, (n_parts, n_pieces), which are those of the whole."""
    starts, ends = np.append(edges[:-1], edges[0]), np.append(edges[1:], edges[-1])
    found = _own_integrals(baseline, starts, ends)
    parts, whole = found[:-1], found[-1]
    total = parts.sum(axis=0)
    slack = _APART * np.maximum(whole, total) + _floor(edges[-1] - edges[0], unit)
    if (abs(whole - total) > slack).any():
        _tell(baseline, edges[[0, -1]], (whole, total), "those of its parts add up to")
    return parts


def _quadrature(
    baseline: Functions, edges: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return midpoint sums of b_q over each part, their error where smooth, and where it jumps.

    Each (n_parts, n_pieces). The first error is by second differences, which a jump between two
    cells is within; the second is the total variation times a cell.
    """
    cell = np.diff(edges) / _CELLS
    times = edges[:-1, None] + cell[:, None] * (np.arange(_CELLS) + 0.5)
    values = checked_basis(baseline, times.ravel()).reshape(*times.shape, -1)
    sums = cell[:, None] * values.sum(axis=1)
    bends, steps = (abs(np.diff(values, n, axis=1)).sum(axis=1) for n in (2, 1))
    return sums, 0.25 * cell[:, None] * bends, cell[:, None] * steps


def _tell(
    baseline: Functions, window: FloatArray, values: tuple[FloatArray, FloatArray], what: str
) -> None:
    """Refuse integrals in the name of the piece that is most wrong."""
    given, wanted = values
    q = int(abs(given - wanted).argmax())
    raise InvalidParameterError(
        f"{type(baseline).__name__}.integrals must be those of basis: of piece {q} over "
        f"[{window[0]:.9g}, {window[1]:.9g}] it returned {given[q]:.6g}, where {what} "
        f"{wanted[q]:.6g}. Mend one of the methods."
    )


def _own_integrals(baseline: Functions, starts: FloatArray, ends: FloatArray) -> FloatArray:
    """Return the integrals, what rounding leaves below 0 as 0."""
    shape = (starts.size, baseline.n_pieces)
    values = baseline.integrals(starts, ends)
    meaning = "one row per window, one column per piece"
    unit = np.spacing(max(abs(starts).max(initial=0.0), abs(ends).max(initial=0.0)))
    rounding = _floor((ends - starts).max(initial=0.0), unit)
    return _check(baseline, "integrals", values, shape, meaning, rounding)


def _check(
    baseline: Any, what: str, values: Any, shape: tuple[int, ...], meaning: str, rounding: float
) -> FloatArray:
    """Return finite numbers >= 0 of a shape, which `meaning` puts into words."""
    array = _numbers(baseline, what, values)
    if array.shape != shape:
        _refuse(baseline, what, f"numbers of shape {shape}, {meaning}", array)
    if not (np.isfinite(array) & (array >= -rounding)).all():
        _refuse(baseline, what, "finite numbers >= 0", array)
    return np.maximum(array, 0.0)


def _numbers(baseline: Any, what: str, values: Any) -> FloatArray:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidParameterError(
            f"{type(baseline).__name__}.{what} must be an array of numbers; got {brief(values)}. "
            "Mend it."
        ) from error


def _refuse(baseline: Any, what: str, expected: str, got: FloatArray) -> None:
    shown = np.array2string(got, threshold=6, edgeitems=2, precision=6).replace("\n", "")
    raise InvalidParameterError(
        f"{type(baseline).__name__}.{what} must be {expected}; it is an array of shape "
        f"{got.shape}, {shown}. Mend it."
    )


def _is_text(label: Any) -> bool:
    return isinstance(label, str)
