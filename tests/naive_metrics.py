"""Slow, obvious twins of hawkeys.evaluation.metrics: loops over thresholds and samples."""

import math


def rates(genuine, impostor, threshold):
    rejected = sum(1 for score in genuine if score < threshold)
    accepted = sum(1 for score in impostor if score >= threshold)
    return rejected / len(genuine), accepted / len(impostor)


def roc_points(genuine, impostor):
    thresholds = [*sorted({*genuine, *impostor}), math.inf]
    return [(threshold, *rates(genuine, impostor, threshold)) for threshold in thresholds]


def miss_rate_at(genuine, impostor, false_alarm):
    return min(
        miss for _, alarm, miss in roc_points(genuine, impostor) if alarm <= false_alarm + 1e-12
    )


def equal_error_rate(genuine, impostor):
    """As published: anomaly scores, alarm if anomaly >= cutoff, cutoffs from +inf downwards."""
    genuine = [-score for score in genuine]
    impostor = [-score for score in impostor]
    cutoffs = [math.inf, *sorted({*genuine, *impostor}, reverse=True)]
    points = []
    for cutoff in cutoffs:
        miss = sum(1 for score in impostor if score < cutoff) / len(impostor)
        alarm = sum(1 for score in genuine if score >= cutoff) / len(genuine)
        points.append((miss, alarm))
    last = max(k for k, (miss, alarm) in enumerate(points) if miss - alarm >= 0)
    (m1, f1), (m2, f2) = points[last], points[last + 1]
    a = (m1 - f1) / (f2 - m2 - f1 + m1)
    return m1 + a * (m2 - m1)


def auc(genuine, impostor):
    wins = 0.0
    for own in genuine:
        for other in impostor:
            wins += 1.0 if own > other else 0.5 if own == other else 0.0
    return wins / (len(genuine) * len(impostor))


def zero_miss_false_alarm(genuine, impostor):
    """As published: share of the genuine anomaly scores >= the smallest impostor anomaly."""
    smallest = min(-score for score in impostor)
    return sum(1 for score in genuine if -score >= smallest) / len(genuine)
