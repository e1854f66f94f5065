"""Random problems of the sweep: data of many kinds, kernels, baselines, supports, weights, ties."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from sweep_model import (
    Array,
    Bins,
    Exponentials,
    GammaLags,
    LogNormalLags,
    Mixture,
    Problem,
    Shape,
    Steps,
    Window,
)

import hawkeys
from hawkeys.kernels import Exponential, Gamma, Histogram, LogNormal, SumExponential

__all__ = [
    "KERNELS",
    "draw_problem",
    "draw_weights",
    "draw_windows",
    "exponential_problem",
    "generator",
]

KERNELS = ("exponential", "sum", "log_normal", "gamma", "histogram")
_SEED = 18
_GRID = 2.0**-20  # times are multiples of it, so that a shift by whole seconds is exact
_STYLES = ("poisson", "clusters", "clusters", "rounded", "sparse", "pairs")


def generator(number: int, stream: int = 0) -> np.random.Generator:
    """Return the random numbers of a case."""
    return np.random.default_rng([_SEED, number, stream])


def draw_problem(
    rng: np.random.Generator,
    *,
    kernels: tuple[str, ...] = KERNELS,
    plain: bool = False,
    most_events: int = 120,
    clusters: float = 0.0,
) -> Problem:
    """Return a random problem with a kernel that is given.

    With `plain` it has a constant baseline, no ties, no support and no weights. `clusters` is the
    probability that the data are at least 40 events of a branching process, come what may.
    """
    size = int(rng.choice([1, 1, 2, 2, 3, 4]))
    windows = draw_windows(rng, size, most_events, clusters=clusters)
    gap = typical_gap(windows)
    kernel, shape = draw_kernel(rng, str(rng.choice(kernels)), size, gap)
    problem = Problem(size, windows, kernel, (shape,))
    if plain:
        return problem
    if rng.random() < 0.3:
        problem = replace(problem, steps=draw_steps(rng, windows))
    if rng.random() < 0.25:
        problem = replace(problem, support=rng.random((size, size)) < 0.6)
    if len(windows) > 1 and rng.random() < 0.4:
        problem = replace(problem, weights=draw_weights(rng, len(windows)))
    if size > 1 and rng.random() < 0.2:
        problem = replace(problem, tied=draw_ties(rng, size))
    return problem


def exponential_problem(problem: Problem, rates: Array | float) -> Problem:
    """Return the problem with exponential kernels of these decays, a number or (D, D)."""
    size = problem.n_marks
    full = np.array(np.broadcast_to(np.asarray(rates, dtype=float), (size, size)))
    return replace(problem, kernel=Exponential(rates), shapes=(Exponentials(full),))


def draw_windows(
    rng: np.random.Generator, size: int, most_events: int, *, clusters: float = 0.0
) -> tuple[Window, ...]:
    """Return one to many windows with at least one event in all; see `draw_problem`."""
    many = bool(rng.random() < clusters)
    style = "clusters" if many else str(rng.choice(_STYLES))
    n_windows = int(rng.choice([1, 1, 1, 2, 3, 8]))
    fewest = min(40.0, most_events - 1.0) if many else 4.0
    wanted = float(np.exp(rng.uniform(np.log(fewest), np.log(most_events)))) / n_windows
    start = float(rng.choice([0.0, 0.0, 0.0, 3.25, -7.5, 1.7e9]))
    silent = int(rng.integers(size)) if size > 1 and rng.random() < 0.15 else -1
    while True:
        windows = []
        for _ in range(n_windows):
            length = float(np.round(rng.uniform(0.5, 1.5) * 64.0)) + 1.0
            times, marks = _draw_events(rng, style, size, wanted, length)
            kept = marks != silent
            times = start + times[kept]
            order = np.argsort(times, kind="stable")
            windows.append(Window(times[order], marks[kept][order], start, start + length))
        if sum(window.times.size for window in windows) > 0:
            return tuple(windows)


def _draw_events(
    rng: np.random.Generator, style: str, size: int, wanted: float, length: float
) -> tuple[Array, np.ndarray]:
    """Return times within [0, length] on a grid, and marks; no order."""
    if style == "clusters":
        times, marks = _clusters(rng, size, wanted, length)
    elif style == "pairs":
        first = rng.uniform(0.0, length, rng.poisson(0.5 * wanted))
        second = first + rng.exponential(0.02 * length / max(wanted, 1.0), first.size)
        times = np.concatenate((first, second))
        marks = rng.integers(size, size=times.size)
    elif style == "sparse":
        times = length * rng.beta(0.3, 0.3, rng.poisson(0.3 * wanted))
        marks = rng.integers(size, size=times.size)
    else:
        times = rng.uniform(0.0, length, rng.poisson(wanted))
        marks = rng.integers(size, size=times.size)
    grid = 0.5 if style == "rounded" else _GRID
    times = np.round(times / grid) * grid
    kept = times <= length
    if rng.random() < 0.1:  # an event at each end of the window
        return np.append(times[kept], [0.0, length]), np.append(
            marks[kept], rng.integers(size, size=2)
        )
    return times[kept], marks[kept]


def _clusters(
    rng: np.random.Generator, size: int, wanted: float, length: float
) -> tuple[Array, np.ndarray]:
    """Return clusters of a branching process with half a child per event, by hand."""
    matrix = rng.dirichlet(np.ones(size), size=size).T * rng.uniform(0.2, 0.8)
    lag = length / max(wanted, 1.0) * rng.choice([0.05, 0.5])
    now = rng.uniform(0.0, length, rng.poisson(0.5 * wanted))
    who = rng.integers(size, size=now.size)
    times, marks = [now], [who]
    for _ in range(20):
        n_children = rng.poisson(matrix.sum(axis=0)[who])
        parents = np.repeat(np.arange(now.size), n_children)
        if parents.size == 0:
            break
        chance = matrix[:, who[parents]] / matrix[:, who[parents]].sum(axis=0)
        below = rng.random(parents.size)[None, :] > np.cumsum(chance, axis=0)[:-1]
        now, who = now[parents] + rng.exponential(lag, parents.size), below.sum(axis=0)
        times.append(now)
        marks.append(who)
    return np.concatenate(times), np.concatenate(marks).astype(np.int64)


def typical_gap(windows: tuple[Window, ...]) -> float:
    """Return the mean distance of events."""
    total = sum(window.end - window.start for window in windows)
    return total / max(sum(window.times.size for window in windows), 1)


def draw_kernel(
    rng: np.random.Generator, name: str, size: int, gap: float
) -> tuple[hawkeys.kernels.Kernel, Shape]:
    """Return a kernel with parameters, for all pairs or by pair, and its densities."""
    pair = (size, size)
    rate = 10.0 ** rng.uniform(-1.5, 2.0) / gap
    by_pair = rng.random() < 0.4
    if name == "exponential":
        kind = int(rng.integers(3))
        rates = rate * 10.0 ** rng.uniform(-0.5, 0.5, ((), (size,), pair)[kind])
        return Exponential(rates), Exponentials(np.array(np.broadcast_to(rates, pair)))
    if name == "sum":
        rates = rate * np.array([0.1, 1.0, 7.0])[: int(rng.integers(2, 4))]
        shares = rng.dirichlet(np.ones(rates.size), pair if by_pair else None)
        whole = np.array(np.broadcast_to(shares, (*pair, rates.size)))
        return SumExponential(rates, shares), Mixture(rates, whole)
    if name == "histogram":
        edges = np.cumsum(rng.uniform(0.2, 1.0, int(rng.integers(2, 7)))) / rate
        edges = np.concatenate(([0.0 if rng.random() < 0.6 else 0.1 / rate], edges))
        masses = rng.dirichlet(np.full(edges.size - 1, 0.7), pair if by_pair else None)
        masses = np.round(masses, 12)
        masses /= masses.sum(axis=-1, keepdims=True)
        whole = np.array(np.broadcast_to(masses, (*pair, edges.size - 1)))
        return Histogram(edges, masses), Bins(edges, whole)
    spread = 10.0 ** rng.uniform(-1.5, 0.4, pair if by_pair else ())
    middle = 10.0 ** rng.uniform(-0.3, 0.3, pair if by_pair else ()) / rate
    if name == "log_normal":
        law = LogNormalLags(*(np.array(np.broadcast_to(v, pair)) for v in (np.log(middle), spread)))
        return LogNormal(np.log(middle), spread), law
    form = np.maximum(spread**-2, 0.2)
    whole_gamma = GammaLags(*(np.array(np.broadcast_to(v, pair)) for v in (form, form / middle)))
    return Gamma(form, form / middle), whole_gamma


def draw_steps(rng: np.random.Generator, windows: tuple[Window, ...]) -> Steps:
    """Return pieces or a period; knots may fall on events and on ends of windows."""
    low = min(window.start for window in windows)
    high = max(window.end for window in windows)
    times = np.concatenate([window.times for window in windows])
    places = rng.uniform(low, high, int(rng.integers(1, 4)))
    if rng.random() < 0.5:
        places = np.append(places, rng.choice(times))
    if rng.random() < 0.3:
        places = np.append(places, windows[int(rng.integers(len(windows)))].end)
    inside = np.round(places / _GRID) * _GRID
    if rng.random() < 0.5:
        beyond = high + (rng.integers(1, 4) if rng.random() < 0.5 else 0.0)
        return Steps(np.unique(np.concatenate(([low], inside, [beyond]))))
    period = float(np.round((high - low) / rng.uniform(1.0, 6.0) * 16.0) / 16.0)
    phases = np.unique(np.mod(inside - low, period))
    return Steps(low + phases, period)


def draw_weights(rng: np.random.Generator, n: int) -> Array:
    """Return weights of realisations, some 0, some 1, not all 0."""
    weights = rng.choice([0.0, 0.5, 1.0, 1.0, 2.0, 3.7], n)
    if not weights.any():
        weights[int(rng.integers(n))] = 1.0
    return weights


def draw_ties(rng: np.random.Generator, size: int) -> np.ndarray:
    """Return labels of shared parameters, baseline first; most parameters are free."""
    labels = np.full((size, size + 1), -1)
    labels[:, 1:] = rng.choice([-1, -1, 0, 1], (size, size))
    labels[:, 0] = rng.choice([-1, -1, 7], size)
    return labels
