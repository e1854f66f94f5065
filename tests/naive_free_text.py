"""Slow, obvious twin of the free-text process: one keystroke at a time, one formula at a time."""

import math

from scipy import stats

# target, source, keystrokes back
EDGES = {
    "press-press": ("press", "press", 1),
    "release-press": ("press", "release", 1),
    "press-press-2": ("press", "press", 2),
    "press-release": ("release", "press", 0),
    "release-release": ("release", "release", 1),
}


def pause_density(wait):
    """Return 1 / (wait ln 1e6) for a wait held between 1 ms and 1,000 s."""
    return 1.0 / (min(max(wait, 1e-3), 1e3) * math.log(1e6))


def surprise(recordings, kernel, weights):
    """Return rows (press, release) of compensator minus log intensity.

    `recordings` lists recordings of (key, press, release); `kernel(first, second, edge)` returns
    the mean and standard deviation of the log of seconds.
    """
    rows = []
    for strokes in recordings:
        for k, stroke in enumerate(strokes):
            rows.append([cost(strokes, k, target, kernel, weights) for target in weights])
            if k == 0:
                assert math.isnan(rows[-1][0])
            assert stroke[2] >= stroke[1]
    return rows


def cost(strokes, k, target, kernel, weights):
    """Return the cost of one press or release."""
    time = {"press": strokes[k][1], "release": strokes[k][2]}[target]
    if target == "press" and k == 0:
        return math.nan
    wait = time - (strokes[k - 1][1] if target == "press" else strokes[k][1])
    intensity = weights[target]["pause"] * pause_density(wait)
    compensator = weights[target]["pause"]
    for edge, weight in weights[target].items():
        if edge == "pause" or k < EDGES[edge][2]:
            continue
        source = strokes[k - EDGES[edge][2]]
        lag = time - {"press": source[1], "release": source[2]}[EDGES[edge][1]]
        compensator += weight
        if lag > 0:
            location, scale = kernel(source[0], strokes[k][0], edge)
            intensity += weight * stats.lognorm.pdf(lag, scale, scale=math.exp(location))
    return compensator - math.log(intensity)


def log_prior(kernels, parents, location_counts, scale_counts):
    """Return the log prior density of locations and log variances, up to a constant.

    `kernels` maps each node ("user", a class or a pair) to (location, variance); `parents` maps a
    node to its level (0 pair, 1 class, 2 user) and its parent, None above the user.
    """
    total = 0.0
    for node, (level, parent) in parents.items():
        location, variance = kernels[node]
        up_location, up_variance = (0.0, 1.0) if parent is None else kernels[parent]
        k, n = location_counts[level], scale_counts[level]
        total -= 0.5 * (math.log(variance) + k * (location - up_location) ** 2 / variance)
        # scaled inverse chi-squared in ln v, without the constants that only n decides
        total += 0.5 * n * math.log(up_variance / variance) - 0.5 * n * up_variance / variance
    return total
