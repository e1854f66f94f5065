"""Slow, obvious twins of the paired comparisons: every sign, every pair, every step."""

from itertools import product


def mean_ranks(values):
    """The rank of each value from 1, equal values sharing the mean of their ranks."""
    return [
        sum(other < value for other in values) + (sum(other == value for other in values) + 1) / 2
        for value in values
    ]


def signed_rank_pvalue(differences):
    """All 2^n ways to sign the ranks of the differences that are not zero."""
    ranks = [
        rank
        for rank, d in zip(mean_ranks([abs(d) for d in differences]), differences, strict=True)
        if d != 0
    ]
    signs = [d > 0 for d in differences if d != 0]
    observed = sum(rank for rank, positive in zip(ranks, signs, strict=True) if positive)
    sums = [
        sum(rank for rank, positive in zip(ranks, chosen, strict=True) if positive)
        for chosen in product([False, True], repeat=len(ranks))
    ]
    below = sum(total <= observed for total in sums) / len(sums)
    above = sum(total >= observed for total in sums) / len(sums)
    return min(1.0, 2 * min(below, above))


def holm(p_values):
    """The smallest level at which the step-down procedure rejects each hypothesis."""
    adjusted = []
    for k, _ in enumerate(p_values):
        levels = sorted({min(1.0, m * p) for p in p_values for m in range(1, len(p_values) + 1)})
        adjusted.append(next(a for a in levels if k in _rejected(p_values, a)))
    return adjusted


def _rejected(p_values, level):
    left = sorted(range(len(p_values)), key=lambda k: p_values[k])
    rejected = []
    while left and min(1.0, len(left) * p_values[left[0]]) <= level:
        rejected.append(left.pop(0))
    return rejected
