"""Slow, obvious twins of the partially observable hidden Markov model.

Hidden paths are enumerated one by one; parameters live in dictionaries keyed by event type, with
"*" for the marginal.
"""

import itertools
import math

import numpy as np
from scipy import stats

ANY = "*"


def log_emission(events, location, scale, distribution):
    """Return the floored log density of one event in one state: (F,) values and parameters."""
    total = 0.0
    for x, mean, deviation in zip(events, location, scale, strict=True):
        if distribution == "normal":
            density = stats.norm.pdf(x, mean, deviation)
        else:
            density = stats.lognorm.pdf(x, deviation, scale=math.exp(mean))
        total += math.log(max(1e-5, density))
    return total


def enumerate_paths(emission, start, transition):
    """Return log-likelihood, P(state at t) and P(states at t and t + 1) of one sample (T, M)."""
    n_events, n_states = emission.shape
    likelihood = 0.0
    states = np.zeros((n_events, n_states))
    pairs = np.zeros((n_events - 1, n_states, n_states))
    for path in itertools.product(range(n_states), repeat=n_events):
        chance = start[path[0]] * math.exp(emission[0, path[0]])
        for t in range(1, n_events):
            chance *= transition[t - 1, path[t - 1], path[t]] * math.exp(emission[t, path[t]])
        likelihood += chance
        for t in range(n_events):
            states[t, path[t]] += chance
        for t in range(n_events - 1):
            pairs[t, path[t], path[t + 1]] += chance
    return math.log(likelihood), states / likelihood, pairs / likelihood


def weighted_moments(values, states, types, wanted, floor):
    """Return the weighted mean and deviation (F, M) of the events of one type."""
    n_features, n_states = values.shape[2], states.shape[2]
    mean, deviation = np.empty((2, n_features, n_states))
    at = [t for t, one in enumerate(types) if one == wanted]
    for f in range(n_features):
        for j in range(n_states):
            x = np.array([values[n, t, f] for n in range(len(values)) for t in at])
            weight = np.array([states[n, t, j] for n in range(len(values)) for t in at])
            mean[f, j] = np.average(x, weights=weight)
            variance = np.average((x - mean[f, j]) ** 2, weights=weight)
            deviation[f, j] = max(floor, math.sqrt(variance))
    return mean, deviation


def with_marginals(start, transition, location, scale, text, n_samples):
    """Return copies of the four dictionaries with entries for `ANY`."""
    start, transition, location, scale = map(dict, (start, transition, location, scale))
    types = list(start)
    pairs = list(itertools.pairwise(text))
    n_states = len(start[text[0]])
    total = n_samples * len(text)
    start[ANY] = start[text[0]]
    location[ANY] = sum(n_samples * text.count(w) / total * location[w] for w in types)
    variance = 0.0
    for w in types:
        share = n_samples * text.count(w) / total
        variance += share * ((location[w] - location[ANY]) ** 2 + scale[w] ** 2)
    scale[ANY] = np.sqrt(variance)

    def chance(w, v):
        followed = [b for a, b in pairs if a == v]
        return followed.count(w) / len(followed) if followed else 1 / len(types)

    def collapse(before, after):
        rows = np.zeros((n_states, n_states))
        for v, w in itertools.product(before, after):
            rows += chance(w, v) * transition[v, w]
        return [row / row.sum() for row in rows] if rows.sum() > 0 else None

    together = np.array(collapse(types, types))
    marginals = {(ANY, ANY): together}
    for w in types:
        marginals[w, ANY] = np.array(collapse([w], types))
        column = collapse(types, [w])
        marginals[ANY, w] = together if column is None else np.array(column)
    return start, transition | marginals, location, scale


def smooth(parameters, text, n_samples, smoothing):
    """Return the parameters of every type drawn towards the marginals already in them."""
    start, transition, location, scale = parameters
    types = [w for w in start if w != ANY]
    pairs = list(itertools.pairwise(text))
    rule = {"freq": lambda n: 1 / (1 + n), "exp": lambda n: math.exp(-n), "none": lambda n: 0.0}
    rule["fixed"] = lambda n: 1.0
    smoothed = dict(transition)
    for v, w in itertools.product(types, types):
        n_vw = n_samples * pairs.count((v, w))
        into_w = n_samples * sum(b == w for _, b in pairs)
        out_of_v = n_samples * sum(a == v for a, _ in pairs)
        r, s = rule[smoothing](n_vw + into_w), rule[smoothing](n_vw + out_of_v)
        if r + s > 1:
            r, s = r / (r + s), s / (r + s)
        smoothed[v, w] = (
            (1 - r - s) * transition[v, w] + r * transition[v, ANY] + s * transition[ANY, w]
        )
    if smoothing == "fixed":
        smoothed = dict.fromkeys(transition, transition[ANY, ANY])

    def draw(values):
        weight = {w: rule[smoothing](n_samples * text.count(w)) for w in types}
        drawn = {w: (1 - weight[w]) * values[w] + weight[w] * values[ANY] for w in types}
        return drawn | {ANY: values[ANY]}

    return draw(start), smoothed, draw(location), draw(scale)


def starting_point(values, text, n_states):
    """Return the parameters before the first update, without marginals."""
    types = list(dict.fromkeys(text))
    start = {w: np.full(n_states, 1 / n_states) for w in types}
    transition = {
        pair: np.full((n_states, n_states), 1 / n_states)
        for pair in itertools.product(types, types)
    }
    spread = np.std(values[:, :, 0])
    location, scale = {}, {}
    for w in types:
        events = np.concatenate([values[:, t] for t, one in enumerate(text) if one == w])
        location[w] = np.repeat(events.mean(axis=0)[:, None], n_states, axis=1)
        scale[w] = np.repeat(np.maximum(events.std(axis=0), 1e-5)[:, None], n_states, axis=1)
        for j in range(n_states):
            if n_states > 1:
                location[w][0, j] += spread * (-2 + 4 * j / (n_states - 1))
    return start, transition, location, scale


def expect(events, parameters, text, distribution):
    """Return log-likelihood, posterior states and pairs of every sample, by enumeration."""
    start, transition, location, scale = parameters
    steps = np.array([transition[pair] for pair in itertools.pairwise(text)])
    n_states = len(start[text[0]])
    found = []
    for sample in events:
        emission = np.array(
            [
                [
                    log_emission(sample[t], location[w][:, j], scale[w][:, j], distribution)
                    for j in range(n_states)
                ]
                for t, w in enumerate(text)
            ]
        )
        found.append(enumerate_paths(emission, start[text[0]], steps))
    return tuple(np.array(part) for part in zip(*found, strict=True))


def maximise(values, text, states, pairs):
    """Return the parameters that the posterior suggests, without marginals."""
    types = list(dict.fromkeys(text))
    start, location, scale, transition = {}, {}, {}, {}
    for w in types:
        weight = np.maximum(states[:, text.index(w)].sum(axis=0), 1e-5)
        start[w] = weight / weight.sum()
        location[w], scale[w] = weighted_moments(values, states, text, w, 1e-5)
    for v, w in itertools.product(types, types):
        total = np.zeros(pairs.shape[2:])
        for t, pair in enumerate(itertools.pairwise(text)):
            if pair == (v, w):
                total += pairs[:, t].sum(axis=0)
        total = np.maximum(total, 1e-5)
        transition[v, w] = total / total.sum(axis=1, keepdims=True)
    return start, transition, location, scale


def fit(events, text, *, n_states, smoothing, distribution, n_updates):
    """Return the parameters after some updates, and the log-likelihoods before each and after."""
    values = np.log(events) if distribution == "lognormal" else events
    parameters = starting_point(values, text, n_states)
    trace = []
    for step in range(n_updates + 1):
        parameters = with_marginals(*parameters, text, len(events))
        parameters = smooth(parameters, text, len(events), smoothing)
        likelihood, states, pairs = expect(events, parameters, text, distribution)
        trace.append(likelihood.sum())
        if step < n_updates:
            parameters = maximise(values, text, states, pairs)
    return parameters, trace
