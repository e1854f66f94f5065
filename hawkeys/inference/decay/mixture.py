"""Several decays that are estimated: where their search starts, and which of them say nothing.

With all decays of a grid at once the log-likelihood is concave in their weights, whose maximum
shows where decays lie: at the middles of as many groups of them. The profile has several maxima; it
is climbed from there, from evenly spaced decays, and from points of the grid at which no exchange
of one decay for another is better.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import NamedTuple

import numpy as np

from hawkeys._typing import BoolArray, FloatArray
from hawkeys.inference.decay.climb import Search, Top, climb

__all__ = ["Idle", "idle_decays", "starts_of_decays"]

_GRID = 12
# the logs of decays that start at one point are moved apart by so much
_SPLIT = 0.5
# log decays that are nearer are one component to the data
_ONE = 0.1


class Idle(NamedTuple):
    """Decays that the data do not tell, (n_decays,), and why, in words."""

    flags: BoolArray
    texts: list[str]


def starts_of_decays(search: Search, phi: FloatArray) -> list[FloatArray]:
    """Return points to start at, all other coordinates being those of `phi`.

    Parameters
    ----------
    search : Search
        With coordinates named "decays", which come first; fewer than points of the grid.
    phi : ndarray, shape (n_coordinates - n_decays,)
        The others.

    Returns
    -------
    list of ndarray, shape (n_coordinates,)
        The decays in increasing order.
    """
    joint = search.joint
    size = len(joint.of_name("decays"))
    low, high = joint.box[:, :size]
    grid = np.linspace(low.min(), high.max(), _GRID)
    mass = _masses(replace(search, joint=joint.with_decays(grid)), phi, _GRID)
    quantiles = (np.arange(size) + 0.5) / size
    share = np.cumsum(mass) - 0.5 * mass
    found = [_middles(grid, mass, size), np.interp(quantiles, share / mass.sum(), grid)]
    found.append(low + (high - low) * quantiles)
    starts = [np.concatenate((np.clip(_apart(one), low, high), phi)) for one in found]
    return [climb(search, start).phi for start in [*starts, *_exchanged(search, grid, starts)]]


def _exchanged(search: Search, grid: FloatArray, starts: list[FloatArray]) -> list[FloatArray]:
    """Return points on the grid that no exchange of one decay makes better, one for each start."""
    size = len(search.joint.of_name("decays"))
    low, high = search.joint.box[:, :size]
    rest = starts[0][size:]
    tried: dict[frozenset[int], float] = {}

    def at(chosen: frozenset[int]) -> FloatArray:
        return np.concatenate((np.clip(grid[sorted(chosen)], low, high), rest))

    def value(chosen: frozenset[int]) -> float:
        if chosen not in tried:
            tried[chosen] = search.solve(at(chosen))[0]
        return tried[chosen]

    out = set()
    for start in starts:
        best, better = _on_grid(grid, start[:size]), True
        while better:
            others = [best - {k} | {new} for k in best for new in set(range(_GRID)) - best]
            other = max(others, key=value)
            better = value(other) > value(best)
            best = other if better else best
        out.add(best)
    return [at(best) for best in sorted(out, key=sorted)]


def _on_grid(grid: FloatArray, logs: FloatArray) -> frozenset[int]:
    """Return the nearest points of the grid, as many different ones as there are logs."""
    found: set[int] = set()
    for log in logs:
        order = np.argsort(np.abs(grid - log)).tolist()
        found.add(next(k for k in order if k not in found))
    return frozenset(found)


def _masses(search: Search, phi: FloatArray, n_components: int) -> FloatArray:
    """Return the expected number of children of each component at the maximum, plus a trace."""
    design, x = search.design(phi), search.solve(phi)[1]
    where = design.columns.adjacency.reshape(-1, n_components)
    where = where[(where >= 0).all(axis=1)]
    children = (x * design.cost).ravel()[where].sum(axis=0)
    return np.asarray(children + 1e-9 * max(float(children.sum()), 1.0))


def _middles(grid: FloatArray, mass: FloatArray, size: int) -> FloatArray:
    """Return the middles of the groups of neighbours that scatter least about them, (size,)."""
    best, out = np.inf, grid[:size]
    for cuts in combinations(range(1, grid.size), size - 1):
        parts = [*np.split(np.arange(grid.size), cuts)]
        middles = [np.average(grid[part], weights=mass[part]) for part in parts]
        spread = sum(
            float(mass[part] @ (grid[part] - middle) ** 2)
            for part, middle in zip(parts, middles, strict=True)
        )
        if spread < best:
            best, out = spread, np.array(middles)
    return out


def _apart(logs: FloatArray) -> FloatArray:
    """Return the logs in increasing order, those that are next to each other moved apart."""
    out = np.sort(logs)
    for k in range(1, out.size):
        out[k] = max(out[k], out[k - 1] + _SPLIT)
    return out


def idle_decays(search: Search, top: Top) -> Idle:
    """Return which decays of a sum the data do not tell: without weight, or one with the next.

    Parameters
    ----------
    search : Search
        Of anything; nothing is idle where no decays are coordinates.
    top : Top
        The maximum.

    Returns
    -------
    Idle
        With a text for each reason.
    """
    where = search.joint.of_name("decays")
    texts: list[str] = []
    flags = np.zeros(len(where), dtype=bool)
    if not where:
        return Idle(flags, texts)
    logs = top.phi[where]
    columns = search.design(top.phi).columns.adjacency.reshape(-1, len(where))
    columns = columns[(columns >= 0).all(axis=1)]
    flags |= ~(top.x.ravel()[columns] > 0.0).any(axis=0)
    if flags.any():
        fewer = _fewer(int((~flags).sum()))
        shown = ", ".join(f"{decay:.4g}" for decay in np.exp(logs[flags]))
        texts.append(f"no pair has weight at the decay {shown}: {fewer}")
    near = np.flatnonzero((np.diff(logs) < _ONE) & ~flags[1:] & ~flags[:-1])
    fewer = _fewer(int((~flags).sum()) - near.size)
    for k in near:
        flags[[k, k + 1]] = True
        texts.append(
            f"the decays {np.exp(logs[k]):.4g} and {np.exp(logs[k + 1]):.4g} are one: {fewer}"
        )
    return Idle(flags, texts)


def _fewer(n_decays: int) -> str:
    """Return what to do where the data tell of so many decays."""
    return f"give n_decays={n_decays}" if n_decays > 1 else "one decay is enough"
