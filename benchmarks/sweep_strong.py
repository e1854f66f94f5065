"""Many marks that excite one another strongly: a spectral radius made of many small entries.

No entry of the adjacency is large, but a dozen of them in each row are. What is asked is that no
number is not finite, that a radius beyond any process is explained, and that a fit with a given
decay is the optimum of brute force.
"""

from __future__ import annotations

import numpy as np
from sweep_degenerate import compare, fit_as, look_at, radius_of
from sweep_model import Problem, Window
from sweep_report import Report

__all__ = ["METHODS", "check_strong"]

METHODS = (
    "given",
    "given",
    "estimate",
    "source",
    "log_normal",
    "gamma",
    "histogram",
    "sum",
    "map",
    "vi",
    "vi_branching",
    "least_squares",
    "rectified",
    "each",
)
_MOST = 150
_GRID = 2.0**-20


def check_strong(report: Report, rng: np.random.Generator) -> None:
    """Fit a cascade in some way, and look at all that is returned."""
    size = int(rng.choice([5, 8, 12]))
    children = float(np.exp(rng.uniform(np.log(1.0), np.log(60.0))))
    windows = tuple(_cascade(rng, size, children) for _ in range(int(rng.choice([1, 1, 2]))))
    problem = Problem(size, windows, None, ())
    method = str(rng.choice(METHODS))
    length = max(window.end - window.start for window in windows)
    decay = 10.0 ** rng.uniform(-2.0, 1.0) if rng.random() < 0.5 else 1.0
    with report.listening() as texts:
        result = fit_as(problem, method, length, decay)
        look_at(report, result, problem)
    radius = float(np.max(radius_of(result)))
    report.explained(radius, texts, f"{children:.3g} children, {problem.n_events} events")
    if radius > 10.0 and result.adjacency.max() <= 10.0:
        report.notes.add("radius of small entries")
    if method == "given":
        with report.listening():
            compare(report, rng, problem, result)


def _cascade(rng: np.random.Generator, size: int, children: float) -> Window:
    """Return a window that ends soon after so many events; lags are about 1."""
    now = rng.uniform(0.0, 3.0, int(rng.integers(1, 6)))
    times = [now]
    while now.size and sum(part.size for part in times) < 5 * _MOST:
        parents = np.repeat(now, rng.poisson(children, now.size))
        now = parents + rng.exponential(1.0, parents.size)
        times.append(now)
    every = np.round(np.sort(np.concatenate(times)) / _GRID)[:_MOST] * _GRID
    end = float(every[-1]) + 0.125
    return Window(every, rng.integers(size, size=every.size), 0.0, end)
