"""Slow, obvious Hawkes process of a typed text, its update, the trend of practice."""

import math

import numpy as np
from scipy import integrate, stats


def times_of(row):
    """Press and release times in the order of marks, from a row of the timing matrix."""
    n_keys = (len(row) + 2) // 3
    times, press = [], 0.0
    for i in range(n_keys):
        if i > 0:
            press += row[3 * i - 2]
        times += [round(press, 9), round(press + row[3 * i], 9)]
    return times


def edges(n_keys, lags, structure):
    found = []
    for target in range(2 * n_keys):
        for source in range(2 * n_keys):
            back = target // 2 - source // 2
            to_press, from_press = target % 2 == 0, source % 2 == 0
            if to_press:
                keep = 1 <= back <= lags
            elif from_press:
                keep = back == 0 or (back == -1 and structure == "rollover")
            else:
                keep = back == 1
            if keep:
                found.append((target, source))
    return found


def density(u, location, scale):
    return stats.lognorm(scale, scale=math.exp(location)).pdf(u) if u > 0 else 0.0


def mass(u, location, scale):
    return stats.lognorm(scale, scale=math.exp(location)).cdf(u) if u > 0 else 0.0


def event_terms(times, edge_list, baseline, parameters):
    """(ln lambda at the event, compensator over the window, and up to the event) of each mark."""
    end, found = max(times), []
    for m, time in enumerate(times):
        rate, whole, until = baseline[m], baseline[m] * end, baseline[m] * time
        for (target, source), (adjacency, location, scale) in zip(
            edge_list, parameters, strict=True
        ):
            if target == m:
                rate += adjacency * density(time - times[source], location, scale)
                whole += adjacency * mass(end - times[source], location, scale)
                until += adjacency * mass(time - times[source], location, scale)
        found.append((math.log(rate), whole, until))
    return np.array(found)


def expected_children(samples, weights, edge_list, baseline, parameters):
    """Moments of every edge's children, arrivals, and weighted ln lambda minus W G.

    The children after the window are integrated numerically.
    """
    moments, arrivals, total = np.zeros((len(edge_list), 3)), np.zeros(len(baseline)), 0.0
    for times, weight in zip(samples, weights, strict=True):
        terms = event_terms(times, edge_list, baseline, parameters)
        rates, end = np.exp(terms[:, 0]), max(times)
        total += weight * (terms[:, 0] - terms[:, 1] + np.array(baseline) * end).sum()
        arrivals += weight * np.array(baseline) / rates
        for k, (target, source) in enumerate(edge_list):
            adjacency, location, scale = parameters[k]
            lag, rest = times[target] - times[source], end - times[source]
            chance = adjacency * density(lag, location, scale) / rates[target]
            for power in range(3):
                if chance > 0:
                    moments[k, power] += weight * chance * (math.log(lag) - location) ** power
                moments[k, power] += weight * adjacency * unseen(rest, location, scale, power)
    return moments, arrivals, total


def unseen(rest, location, scale, power):
    """The integral of (x - location)^power over a normal density beyond ln(rest)."""
    low = math.log(rest) if rest > 0 else -math.inf
    below = max(low, location - 12 * scale)
    if below > location + 12 * scale:
        return 0.0
    normal = stats.norm(location, scale)
    return integrate.quad(
        lambda x: (x - location) ** power * normal.pdf(x),
        below,
        location + 12 * scale,
        epsabs=1e-13,
        points=[location] if below < location else None,
    )[0]


def believed(x, logs, slope):
    """Part of a slope that is believed: exponents scatter by 0.06, this one by its error."""
    n, middle = len(x), sum(x) / len(x)
    mean = sum(logs) / n
    p = [v - middle for v in x]
    r = [logs[i] - mean - slope * p[i] for i in range(n)]
    total = sum(v * v for v in p)
    alone = sum(v * v for v in r) / (n - 2) / total
    reach, summed = n // 4, 0.0
    for i in range(n):
        for k in range(n):
            if abs(i - k) <= reach:
                summed += (1 - abs(i - k) / (reach + 1)) * p[i] * r[i] * p[k] * r[k]
    error = max(alone, n / (n - 2) * summed / total**2)
    return 0.06**2 / (0.06**2 + error)


def practised(rows, strength, ahead, head_start):
    """Training rows after the power law of practice, and its exponents; strength may be None."""
    n, n_keys = len(rows), (len(rows[0]) + 2) // 3
    columns = [3 * i for i in range(n_keys)] + [3 * i + 1 for i in range(n_keys - 1)]
    moved, trend = np.array(rows, dtype=float), []
    x = [math.log(i + head_start) for i in range(n)]
    for column in columns:
        logs = [math.log(max(row[column], 0.005)) for row in rows]
        middle = float(np.median(logs))
        reach = 3.0 * 1.4826 * float(np.median([abs(v - middle) for v in logs]))
        logs = [min(max(v, middle - reach), middle + reach) for v in logs]
        slope = float(np.polyfit(x, logs, 1)[0])
        trend.append(slope)
        part = believed(x, logs, slope) if strength is None else strength
        for i in range(n):
            moved[i, column] *= ((n + ahead + head_start) / (i + head_start)) ** (part * slope)
    for i in range(n_keys - 1):
        moved[:, 3 * i + 2] = moved[:, 3 * i + 1] - moved[:, 3 * i]
    return moved, np.array(trend)
