"""Log-normal kernels by key pair that back off to the pair of key classes and to any keys.

For one edge, standardised log-lags y of the pair i in the class c are normal, and each parameter
has a prior around its parent's:

    y | i ~ N(l_i, v_i),  l_i ~ N(l_c, v_i / k_pair),   v_i ~ prior(n_pair, v_c)
                          l_c ~ N(l_u, v_c / k_class),  v_c ~ prior(n_class, v_u)
                          l_u ~ N(0, v_u / k_user),     v_u ~ prior(n_user, 1)

prior(n, w) is scaled inverse chi-squared with n degrees and scale w. Modes are taken in ln v.
The counts k and n say how many lags the parent is worth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hawkeys._typing import FloatArray, IntArray

__all__ = ["Counts", "Kernels", "Moments", "Tree", "log_prior", "update"]


class Counts(NamedTuple):
    """How many lags the parent is worth, for pair, class and user."""

    pair: float
    cls: float
    user: float


@dataclass(frozen=True, eq=False)
class Tree:
    """Pairs and their classes, as they came in training.

    Attributes
    ----------
    pairs : ndarray of int64, shape (n_pairs,)
        Sorted numbers of the pairs.
    classes : ndarray of int64, shape (n_classes,)
        Sorted numbers of the pairs of classes.
    parent : ndarray of int64, shape (n_pairs,)
        Place in `classes` of each pair's class.
    """

    pairs: IntArray
    classes: IntArray
    parent: IntArray


class Kernels(NamedTuple):
    """Location and variance of every node: pairs, classes and user.

    Attributes
    ----------
    pair_location, pair_variance : ndarray, shape (n_pairs,)
        Of the pairs.
    class_location, class_variance : ndarray, shape (n_classes,)
        Of the classes.
    location, variance : float
        Of the user.
    """

    pair_location: FloatArray
    pair_variance: FloatArray
    class_location: FloatArray
    class_variance: FloatArray
    location: float
    variance: float

    @classmethod
    def prior(cls, tree: Tree) -> Kernels:
        """Return location 0 and variance 1 throughout."""
        n_pairs, n_classes = tree.pairs.size, tree.classes.size
        return cls(
            np.zeros(n_pairs), np.ones(n_pairs), np.zeros(n_classes), np.ones(n_classes), 0.0, 1.0
        )


class Moments(NamedTuple):
    """Weighted lags of each pair.

    Attributes
    ----------
    weight, total, square : ndarray, shape (n_pairs,)
        Sum of the weights, of weight times lag and of weight times squared lag.
    """

    weight: FloatArray
    total: FloatArray
    square: FloatArray


def update(old: Kernels, moments: Moments, tree: Tree, location: Counts, scale: Counts) -> Kernels:
    """Maximise over all locations given the variances, then over each level of variances.

    No step lowers expected log-likelihood plus `log_prior`.
    """
    moved = _locations(old, moments, tree, location)
    return _variances(moved, moments, tree, location, scale)


def log_prior(kernels: Kernels, tree: Tree, location: Counts, scale: Counts) -> float:
    """Return the log prior density of locations and log variances, up to a constant."""
    up_location, up_variance = kernels.class_location[tree.parent], kernels.class_variance
    total = _node(
        kernels.pair_location - up_location,
        kernels.pair_variance,
        up_variance[tree.parent],
        location.pair,
        scale.pair,
    )
    total += _node(
        kernels.class_location - kernels.location,
        kernels.class_variance,
        np.full(tree.classes.size, kernels.variance),
        location.cls,
        scale.cls,
    )
    return total + _node(
        np.array([kernels.location]),
        np.array([kernels.variance]),
        np.ones(1),
        location.user,
        scale.user,
    )


def _node(shift: FloatArray, variance: FloatArray, parent: FloatArray, k: float, n: float) -> float:
    normal = -0.5 * (np.log(variance) + k * shift**2 / variance)
    spread = 0.5 * n * (np.log(parent / variance) - parent / variance)
    return float((normal + spread).sum())


def _locations(old: Kernels, moments: Moments, tree: Tree, k: Counts) -> Kernels:
    """Solve for all locations at once: up the tree, then down."""
    weight, total = moments.weight, moments.total
    # a pair with its location integrated out tells its class its mean, with this precision
    precision = k.pair / (weight + k.pair) / old.pair_variance
    n_classes = tree.classes.size
    told = _total(tree.parent, precision * weight, n_classes)
    heard = _total(tree.parent, precision * total, n_classes)
    own = k.cls / old.class_variance
    passed = own / (told + own)
    user = (passed * heard).sum() / ((passed * told).sum() + k.user / old.variance)
    class_location = (heard + own * user) / (told + own)
    pair_location = (total + k.pair * class_location[tree.parent]) / (weight + k.pair)
    return old._replace(
        pair_location=pair_location, class_location=class_location, location=float(user)
    )


def _variances(old: Kernels, moments: Moments, tree: Tree, k: Counts, n: Counts) -> Kernels:
    """Maximise over the variances of pairs, then of classes, then of the user."""
    at = old.pair_location
    spread = moments.square - 2.0 * at * moments.total + at**2 * moments.weight
    gap = at - old.class_location[tree.parent]
    pair = (
        np.maximum(spread, 0.0) + k.pair * gap**2 + n.pair * old.class_variance[tree.parent]
    ) / (moments.weight + 1.0 + n.pair)
    size = tree.classes.size
    cls = _middle(
        _total(tree.parent, np.ones(tree.pairs.size), size),
        _total(tree.parent, 1.0 / pair, size),
        n.pair,
        k.cls * (old.class_location - old.location) ** 2 + n.cls * old.variance,
        n.cls,
    )
    user = _middle(
        np.array([float(size)]),
        np.array([(1.0 / cls).sum()]),
        n.cls,
        np.array([k.user * old.location**2 + n.user]),
        n.user,
    )
    return old._replace(pair_variance=pair, class_variance=cls, variance=float(user[0]))


def _total(group: IntArray, values: FloatArray, size: int) -> FloatArray:
    return np.asarray(np.bincount(group, values, size), dtype=np.float64)


def _middle(
    children: FloatArray, inverse: FloatArray, n_below: float, own: FloatArray, n_above: float
) -> FloatArray:
    """Return the variance v that maximises a ln v - b v - c / v for a node between two levels.

    `children` counts the nodes below, `inverse` sums one over their variances.
    """
    a = 0.5 * (n_below * children - 1.0 - n_above)
    b = np.maximum(0.5 * n_below * inverse, 1e-300)  # no child: only the prior above
    c = 0.5 * own
    # of two equal forms of the root, the one without cancellation
    root = np.sqrt(a**2 + 4.0 * b * c)
    return np.where(a > 0, (a + root) / (2.0 * b), 2.0 * c / (root - a))
