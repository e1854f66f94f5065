"""`fit_coarse`: maximum likelihood of times known up to a tick, or of counts by bins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray, RandomState
from hawkeys._validation import as_generator, brief, check_count, check_fraction
from hawkeys.events.container import as_events
from hawkeys.events.counts import EventCounts
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference.coarse.cells import Cells, cells_of_counts, cells_of_events
from hawkeys.inference.coarse.problem import Problem
from hawkeys.inference.decay.options import split_search
from hawkeys.inference.examine import log_fit
from hawkeys.inference.methods import make_options
from hawkeys.inference.task import check_support
from hawkeys.kernels import Exponential, Kernel
from hawkeys.process.hawkes import choose_kernel
from hawkeys.results import LikelihoodResult

__all__ = ["CoarseOptions", "fit_coarse"]

# widths of a cell in units of 1 / decay; beyond it exponentials leave the range of doubles
_SHORTEST = 300.0
_WHOSE = "a fit to times known up to a tick, or to counts,"


@dataclass(frozen=True)
class CoarseOptions:
    """Options of ``method="mle"`` for times known up to a tick, and for counts.

    Parameters
    ----------
    precision : float, default 0.15
        Monte Carlo error of the estimates to end with, in their standard errors.
    max_iter : int, default 60
        Most Newton steps.

    Raises
    ------
    InvalidParameterError
        A value out of range.
    """

    precision: float = 0.15
    max_iter: int = 60

    def __post_init__(self) -> None:
        check_fraction(self.precision, "precision")
        check_count(self.max_iter, "max_iter")


def fit_coarse(
    data: Any,
    given: tuple[ArrayLike | str | None, Kernel | None],
    beside: tuple[str, Any, Any, Any],
    options: Mapping[str, Any],
    rng: RandomState,
) -> LikelihoodResult:
    """Fit by the likelihood of cells; arguments as of `hawkeys.fit`.

    `given` are its decay and kernel, `beside` method, support, weights and end_time. Raises
    `InvalidParameterError` for what the likelihood of cells does not know.
    """
    method, support, weights, end_time = beside
    if method != "mle":
        raise InvalidParameterError(
            f"{_WHOSE} is by method='mle'; got {method!r}. Leave method out."
        )
    every = {**options, "weights": weights, "end_time": end_time}
    rest = {name: value for name, value in every.items() if value is not None}
    cells, how, unit = _cells(data, rest)
    mask = check_support(support, cells.n_marks)
    decay, rest = _decay(given, rest, cells)
    settings = _settings(rest)
    how |= {"precision": settings.precision, "max_iter": settings.max_iter}
    how |= {} if support is None else {"support": mask}
    problem = Problem(cells, mask, decay, settings.precision, settings.max_iter)
    found = problem.solve(as_generator(rng))
    return problem.result(found, how, unit)


def _cells(data: Any, options: dict[str, Any]) -> tuple[Cells, dict[str, Any], str | None]:
    """Return the cells, what of them is kept among the options, and the unit of time."""
    resolution = options.pop("resolution", None)
    rounding = options.pop("rounding", None)
    if not isinstance(data, EventCounts):
        events = log_fit("fit by mle of cells", as_events(data, options))
        cells, tick = cells_of_events(events, resolution, rounding or "floor")
        return cells, {"resolution": tick, "rounding": rounding or "floor"}, events.unit
    for name, value in (("resolution", resolution), ("rounding", rounding)):
        if value is not None:
            raise InvalidParameterError(
                f"{name} belongs to times; counts have their bins. Got {name}={brief(value)}; "
                "leave it out."
            )
    for name in ("end_time", "end_times", "start_time", "start_times", "unit", "mark_names"):
        if name in options:
            raise InvalidParameterError(
                f"{name}: counts carry their bins, marks and unit; give them to Events.from_counts."
            )
    return cells_of_counts(data), {"resolution": "bins"}, data.unit


def _decay(
    given: tuple[ArrayLike | str | None, Kernel | None], options: dict[str, Any], cells: Cells
) -> tuple[FloatArray | None, dict[str, Any]]:
    """Return the decay of each source, None to estimate one for all; and the other options."""
    search, rest = split_search(*given, options)
    if search is not None:
        if search.grid is not None or search.sharing != "shared":
            raise InvalidParameterError(
                f"{_WHOSE} estimates one decay for all: decay='estimate', without decay_grid and "
                "decay_sharing; or give decays."
            )
        return None, rest
    kernel = choose_kernel(*given)
    if not isinstance(kernel, Exponential) or kernel.decay.ndim > 1:
        raise InvalidParameterError(
            f"{_WHOSE} has an exponential kernel with one decay, or one for each source mark; got "
            f"{brief(kernel)}. Give decay='estimate', a number or shape (n_marks,)."
        )
    kernel.check_marks(cells.n_marks)
    widest = float((cells.highs - cells.lows).max())
    if float(kernel.decay.max()) * widest > _SHORTEST:
        raise InvalidParameterError(
            f"the kernel is over within 1/{_SHORTEST:g} of the width of a cell: decay "
            f"{float(kernel.decay.max()):.4g}, cells up to {widest:.4g}. Are both in one unit?"
        )
    return np.broadcast_to(kernel.decay, (cells.n_marks,)).astype(np.float64), rest


def _settings(options: dict[str, Any]) -> CoarseOptions:
    for name in ("weights", "baseline", "tied", "history"):
        if name in options:
            raise InvalidParameterError(
                f"{name}: {_WHOSE} has constant baselines, free parameters, no weights and no "
                "history. Leave it out."
            )
    found: CoarseOptions = make_options(CoarseOptions, options, _WHOSE)
    return found
