"""Verifiers written number by number: slow, obvious oracles."""

import math
import statistics


def neighbor_distance(sample, templates, weights, share, clip):
    """Mean clipped distance from the nearest templates, whose weights sum to a share of all."""
    if not templates:
        return 0.0
    pairs = []
    for template, weight in zip(templates, weights, strict=True):
        gaps = [min(abs(x - t), clip) for x, t in zip(sample, template, strict=True)]
        pairs.append((math.fsum(gaps) / len(gaps), weight))
    pairs.sort()
    left = mass = share * math.fsum(weights)
    if mass == 0.0:
        return pairs[0][0]
    total = 0.0
    for distance, weight in pairs:
        used = min(weight, left)
        total += used * distance
        left -= used
        if left <= 0.0:
            break
    return total / mass


def interval_features(row, floor):
    """H, UD, ln H, ln DD of one row of a timing matrix."""
    hold, down_down, up_down = row[0::3], row[1::3], row[2::3]
    return [
        *hold,
        *up_down,
        *(math.log(max(x, floor)) for x in hold),
        *(math.log(max(x, floor)) for x in down_down),
    ]


def log_timings(row, floor):
    """ln H, ln DD of one row of a timing matrix."""
    return [math.log(max(x, floor)) for x in [*row[0::3], *row[1::3]]]


def scale(column, tick):
    """1.4826 median absolute deviations, at least one tick."""
    middle = statistics.median(column)
    return max(1.4826 * statistics.median(abs(x - middle) for x in column), tick)


def ticks(columns, n_plain, clock, floor):
    """What one tick of the clock changes: a tick, or tick / interval in a logarithm."""
    logs = [clock / max(math.exp(statistics.median(column)), floor) for column in columns[n_plain:]]
    return [clock] * n_plain + logs


def recency_distance(train, sample, *, half_life, neighbor_mass, clip, min_interval, clock):
    """The distance of RecencyNearestNeighbors."""
    templates = [interval_features(row, min_interval) for row in train]
    columns = list(zip(*templates, strict=True))
    changes = ticks(columns, len(columns) // 2, clock, min_interval)
    scales = [scale(column, tick) for column, tick in zip(columns, changes, strict=True)]

    def scaled(features):
        return [x / a for x, a in zip(features, scales, strict=True)]

    n = len(templates)
    weights = [2.0 ** (-(n - 1 - i) / half_life) for i in range(n)]
    features = scaled(interval_features(sample, min_interval))
    return neighbor_distance(features, [scaled(t) for t in templates], weights, neighbor_mass, clip)
