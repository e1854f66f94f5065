"""Event times known up to a cell: drawn within their cells given the model, and derivatives.

`cells` is a tuple (offsets, lows, highs, firsts, ends): cell c holds the events offsets[c]:offsets
[c + 1] and the times from lows[c] to highs[c]; realisation r has the cells firsts[r]:firsts[r + 1],
in order of time, and its window ends at ends[r]. `model` is (baseline (D,), adjacency (D, D), decay
(D,) of each source). `state` is (times, marks, rates, fades), in order of time, (n_events,) each
but for `fades`, (1 or D, n_events): by what excitations fade up to an event, in the cell at hand
since its start, in later ones since the event before; by source if their decays differ. All of it
changes.
"""

import math

import numpy as np
from numba import njit

__all__ = ["derivatives", "draw"]

# lags times decay beyond which an excitation is gone
_GONE = 12.0


@njit(cache=True, nogil=True)
def draw(rng, cells, model, state, n_sweeps, scores, information):
    """Draw times again and again; keep the derivatives of each state, add up the information.

    A draw is `n_sweeps` sweeps; `scores` has shape (n_draws, D (D + 1) + 1), `information` (D, D +
    2, D + 2). Returns how many proposals were accepted.
    """
    accepted = 0
    for k in range(scores.shape[0]):
        for _ in range(n_sweeps):
            accepted += _sweep(rng, cells, model, state)
        derivatives(cells, model, state, scores[k], information)
    return accepted


@njit(cache=True, nogil=True)
def _sweep(rng, cells, model, state):
    """Propose as many moves in each cell as it has events; return how many were accepted."""
    offsets, lows, highs, firsts, ends = cells
    decay = model[2]
    times, marks, _, fades = state
    accepted = 0
    excited = np.zeros(decay.size)  # by each source, at the start of the cell
    edges = np.zeros((4, fades.shape[0]))
    for r in range(firsts.size - 1):
        excited[:] = 0.0
        last = offsets[firsts[r + 1]]
        _note_gaps(model, state, offsets[firsts[r]], last)
        for c in range(firsts[r], firsts[r + 1]):
            first, end = offsets[c], offsets[c + 1]
            if c > firsts[r]:
                _pass(excited, decay, lows[c] - highs[c - 1])
            within = (first, end, last, lows[c], highs[c], ends[r])
            _enter(model, state, excited, within, edges)
            for _ in range(end - first):
                accepted += _move(rng, model, state, excited, within, edges)
            _pass(excited, decay, highs[c] - lows[c])
            for p in range(first, end):
                j = marks[p]
                excited[j] += decay[j] * math.exp(-decay[j] * (highs[c] - times[p]))
    return accepted


@njit(cache=True, nogil=True)
def _note_gaps(model, state, begin, last):
    """Note by what excitations fade from each event to the next."""
    decay = model[2]
    times, _, _, fades = state
    for row in range(fades.shape[0]):
        for k in range(begin + 1, last):
            fades[row, k] = math.exp(-decay[row] * (times[k] - times[k - 1]))


@njit(cache=True, nogil=True)
def _pass(excited, decay, wait):
    """Let the excitation by each source fade."""
    for j in range(excited.size):
        excited[j] *= math.exp(-decay[j] * wait)


@njit(cache=True, nogil=True)
def _enter(model, state, excited, within, edges):
    """Note by what excitations fade since the start of the cell, and the rates of its events.

    The rows of `edges` are what is left of an excitation from the start of the cell to its end,
    from there to the next event, and to the end of the window; the last one is for a proposal.
    """
    decay = model[2]
    times, _, rates, fades = state
    first, end, last, low, high, window_end = within
    for row in range(fades.shape[0]):
        edges[0, row] = math.exp(-decay[row] * (high - low))
        edges[1, row] = math.exp(-decay[row] * (times[end] - high)) if end < last else 0.0
        edges[2, row] = math.exp(-decay[row] * (window_end - high))
        for q in range(first, end):
            fades[row, q] = math.exp(-decay[row] * (times[q] - low))
    for p in range(first, end):
        for row in range(fades.shape[0]):
            edges[3, row] = fades[row, p]
        rates[p] = _rate(model, state, excited, within, edges, p, times[p])


@njit(cache=True, nogil=True)
def _rate(model, state, excited, within, edges, p, time):
    """Return the intensity of event p if it were at a time, whose fades are in edges[3]."""
    baseline, adjacency, decay = model
    times, marks, _, fades = state
    i, most = marks[p], fades.shape[0] - 1
    rate = baseline[i]
    for j in range(decay.size):
        rate += adjacency[i, j] * excited[j] * edges[3, min(j, most)]
    for q in range(within[0], within[1]):
        if times[q] < time and q != p:
            j = marks[q]
            row = min(j, most)
            rate += adjacency[i, j] * decay[j] * edges[3, row] / fades[row, q]
    return rate


@njit(cache=True, nogil=True)
def _move(rng, model, state, excited, within, edges):
    """Propose another time for an event of a cell, and take it by Metropolis' rule."""
    _, adjacency, decay = model
    times, marks, rates, fades = state
    first, end, _, low, high, _ = within
    p = first + int(rng.random() * (end - first))
    j, old = marks[p], times[p]
    row = min(j, fades.shape[0] - 1)
    new = _propose(rng, old, low, high, 2.0 / decay[j])
    for other in range(fades.shape[0]):
        edges[3, other] = math.exp(-decay[other] * (new - low))
    rate = _rate(model, state, excited, within, edges, p, new)
    later = edges[0, row] / edges[3, row] - edges[0, row] / fades[row, p]
    paid = 0.0
    for i in range(decay.size):
        paid += adjacency[i, j] * later * edges[2, row]
    change = math.log(rate / rates[p]) + paid
    change += _felt(model, state, within, edges, p, new)
    if not math.log(rng.random()) < change:
        return 0
    _take(model, state, within, edges, p, new)
    return _place(state, within, edges, p, new, rate)


@njit(cache=True, nogil=True)
def _propose(rng, old, low, high, reach):
    """Return a time anywhere in the cell or, as often, nearby, reflected at its edges."""
    if rng.random() < 0.5 or reach >= high - low:
        return low + (high - low) * rng.random()
    new = old + reach * (2.0 * rng.random() - 1.0)
    if new < low:
        new = low + (low - new)
    elif new > high:
        new = high - (new - high)
    return new


@njit(cache=True, nogil=True)
def _felt(model, state, within, edges, p, new):
    """Return by what the log intensities of the events after p change if it moves."""
    _, adjacency, decay = model
    times, marks, rates, fades = state
    first, end, last, _, high, _ = within
    j, old = marks[p], times[p]
    row = min(j, fades.shape[0] - 1)
    more, less = decay[j] / edges[3, row], decay[j] / fades[row, p]
    change, product = 0.0, 1.0
    for q in range(first, end):
        felt = (more if times[q] > new else 0.0) - (less if times[q] > old else 0.0)
        if q != p and felt != 0.0:
            felt *= adjacency[marks[q], j] * fades[row, q]
            product *= max(1.0 + felt / rates[q], 1e-15)
            change, product = _carried(change, product)
    left = edges[0, row] * edges[1, row] * (more - less)
    reach = high + _GONE / decay[j]
    for k in range(end, last):
        if times[k] > reach:
            break
        left *= fades[row, k] if k > end else 1.0
        product *= max(1.0 + adjacency[marks[k], j] * left / rates[k], 1e-15)
        change, product = _carried(change, product)
    return change + math.log(product)


@njit(cache=True, nogil=True)
def _carried(change, product):
    """Carry a product that grows out of range over to its logarithm."""
    if product < 1e-100 or product > 1e100:
        return change + math.log(product), 1.0
    return change, product


@njit(cache=True, nogil=True)
def _take(model, state, within, edges, p, new):
    """Change the intensities of the events after p as it moves."""
    _, adjacency, decay = model
    times, marks, rates, fades = state
    first, end, last, _, high, _ = within
    j, old = marks[p], times[p]
    row = min(j, fades.shape[0] - 1)
    more, less = decay[j] / edges[3, row], decay[j] / fades[row, p]
    for q in range(first, end):
        felt = (more if times[q] > new else 0.0) - (less if times[q] > old else 0.0)
        if q != p:
            rates[q] += adjacency[marks[q], j] * fades[row, q] * felt
    left = edges[0, row] * edges[1, row] * (more - less)
    reach = high + _GONE / decay[j]
    for k in range(end, last):
        if times[k] > reach:
            break
        left *= fades[row, k] if k > end else 1.0
        rates[k] += adjacency[marks[k], j] * left


@njit(cache=True, nogil=True)
def _place(state, within, edges, p, new, rate):
    """Put event p, at its new time, in its place among those of the cell; return 1."""
    times, marks, rates, fades = state
    j = marks[p]
    while p > within[0] and times[p - 1] > new:
        _shift(state, p, p - 1)
        p -= 1
    while p < within[1] - 1 and times[p + 1] < new:
        _shift(state, p, p + 1)
        p += 1
    times[p], marks[p], rates[p] = new, j, rate
    for row in range(fades.shape[0]):
        fades[row, p] = edges[3, row]
    return 1


@njit(cache=True, nogil=True)
def _shift(state, to, source):
    times, marks, rates, fades = state
    times[to], marks[to], rates[to] = times[source], marks[source], rates[source]
    for row in range(fades.shape[0]):
        fades[row, to] = fades[row, source]


@njit(cache=True, nogil=True)
def derivatives(cells, model, state, score, information):
    """Put the derivatives of the log-likelihood of the times into `score`; return its value.

    Of each target by baseline and adjacency, (D (D + 1),), then by the log of all decays together.
    Minus the second derivatives are added to `information`, (D, D + 2, D + 2), the log decay last.
    """
    offsets, _, _, firsts, ends = cells
    decay = model[2]
    times, marks, _, _ = state
    size = decay.size
    score[:] = 0.0
    value = 0.0
    terms = np.zeros((3, size + 1))  # of an intensity by baseline and adjacency: derivatives 0 to 2
    for r in range(firsts.size - 1):
        sums = np.zeros((3, size))
        now = 0.0
        for k in range(offsets[firsts[r]], offsets[firsts[r + 1]]):
            _fade(sums, decay, times[k] - now)
            now = times[k]
            value += _add_event(model, sums, marks[k], terms, score, information)
            sums[0, marks[k]] += decay[marks[k]]
            value -= _add_cost(model, marks[k], ends[r] - times[k], score, information)
    return value


@njit(cache=True, nogil=True)
def _fade(sums, decay, wait):
    """Let sums of decay exp(-x) x^n fade, n = 0, 1, 2, x the lag times the decay."""
    for j in range(decay.size):
        x = decay[j] * wait
        left = math.exp(-x)
        s0, s1, s2 = sums[0, j], sums[1, j], sums[2, j]
        sums[0, j] = left * s0
        sums[1, j] = left * (s1 + x * s0)
        sums[2, j] = left * (s2 + 2.0 * x * s1 + x * x * s0)


@njit(cache=True, nogil=True)
def _add_event(model, sums, i, terms, score, information):
    """Add what an event of mark i adds to the derivatives; return its log intensity."""
    baseline, adjacency, decay = model
    size = decay.size
    terms[0, 0] = 1.0
    rate, slope, bend = baseline[i], 0.0, 0.0
    for j in range(size):
        terms[0, j + 1] = sums[0, j]
        terms[1, j + 1] = sums[0, j] - sums[1, j]
        terms[2, j + 1] = sums[0, j] - 3.0 * sums[1, j] + sums[2, j]
        rate += adjacency[i, j] * terms[0, j + 1]
        slope += adjacency[i, j] * terms[1, j + 1]
        bend += adjacency[i, j] * terms[2, j + 1]
    row = information[i]
    for a in range(size + 1):
        share = terms[0, a] / rate
        score[i * (size + 1) + a] += share
        for b in range(size + 1):
            row[a, b] += share * terms[0, b] / rate
        mixed = share * slope / rate - terms[1, a] / rate
        row[a, size + 1] += mixed
        row[size + 1, a] += mixed
    score[-1] += slope / rate
    row[size + 1, size + 1] += (slope / rate) ** 2 - bend / rate
    return math.log(rate)


@njit(cache=True, nogil=True)
def _add_cost(model, j, left, score, information):
    """Take off what the children of an event of mark j cost; return it for all targets."""
    _, adjacency, decay = model
    size = decay.size
    x = decay[j] * left
    fade = math.exp(-x)
    cost = 0.0
    for i in range(size):
        score[i * (size + 1) + j + 1] += fade - 1.0
        score[-1] -= adjacency[i, j] * x * fade
        row = information[i]
        row[j + 1, size + 1] += x * fade
        row[size + 1, j + 1] += x * fade
        row[size + 1, size + 1] += adjacency[i, j] * x * (1.0 - x) * fade
        cost += adjacency[i, j] * (1.0 - fade)
    return cost
