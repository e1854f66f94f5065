"""Penalties on the parameters: ridge, L1, elastic net and groups."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

import numpy as np

from hawkeys._design import Design
from hawkeys._registry import Named, rebuild
from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys._validation import (
    as_float_array,
    brief,
    check_choice,
    check_nonnegative,
    check_shape,
    refuse_labels,
)
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference.priors.penalty_terms import PenaltyTerms, spread, spread_labels

__all__ = ["ElasticNet", "GroupLasso", "Lasso", "Penalty", "Ridge", "penalty_from_dict"]


@dataclass(frozen=True, eq=False)
class Penalty(Named, ABC):
    """Base class of the penalties `Ridge`, `Lasso`, `ElasticNet` and `GroupLasso`.

    Parameters
    ----------
    strength : float or array_like, shape (n_marks, n_marks), default 1.0
        Strength >= 0, in nats: one for all adjacency entries, or one of each pair (target, source).
    baseline : float, default 0.0
        Strength of the same penalty on every baseline (and each of its pieces).
    """

    _kind: ClassVar[str] = "penalty"
    strength: ArrayLike = 1.0
    baseline: float = 0.0

    def __post_init__(self) -> None:
        name = type(self).__name__
        refuse_labels(self.strength, f"{name}: strength")
        strength = check_nonnegative(self.strength, f"{name}: strength")
        if strength.ndim not in (0, 2) or (strength.ndim == 2 and len(set(strength.shape)) > 1):
            raise InvalidParameterError(
                f"{name}: strength must be one number or have shape (n_marks, n_marks), target by "
                f"source; got shape {strength.shape}."
            )
        if check_nonnegative(self.baseline, f"{name}: baseline").ndim:
            raise InvalidParameterError(
                f"{name}: baseline must be one number >= 0; got {brief(self.baseline)}."
            )

    @property
    @abstractmethod
    def l1_share(self) -> float:
        """Share of the strength on the absolute value; the rest is on half the square."""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, with the class under "name"; see `penalty_from_dict`."""
        return {"name": self.name} | {f.name: getattr(self, f.name) for f in fields(self)}

    def scaled(self, factor: float) -> Penalty:
        """Return the penalty with the strengths of the adjacency multiplied.

        Parameters
        ----------
        factor : float
            Factor >= 0. The strength on the baseline stays.

        Returns
        -------
        Penalty
            Of the same class.
        """
        strength = np.asarray(self.strength, dtype=np.float64) * factor
        return replace(self, strength=strength if strength.ndim else float(strength))

    def strengths(self, n_marks: int) -> FloatArray:
        """Return the strength of each pair, checked against the number of marks.

        Parameters
        ----------
        n_marks : int
            Number of marks D.

        Returns
        -------
        ndarray of float64, shape (n_marks, n_marks)
            Target by source.

        Raises
        ------
        InvalidParameterError
            The strengths are for another number of marks.
        """
        array = as_float_array(self.strength, "strength")
        shape = (n_marks, n_marks)
        if array.ndim == 0:
            return np.full(shape, float(array))
        return check_shape(array, f"{type(self).__name__}: strength", shape, "target by source")

    def terms(self, design: Design) -> PenaltyTerms:
        """Return the penalty by column of row problems.

        Parameters
        ----------
        design : Design
            The row problems.

        Returns
        -------
        PenaltyTerms
            0 for columns that are held at 0. A parameter shared by several pairs bears the sum of
            their penalties; each component of a mixed kernel bears the penalty of its pair.

        Raises
        ------
        InvalidParameterError
            The strengths are for another number of marks.
        """
        each = spread(self.strengths(design.n_marks), design)
        each[:, : design.n_baselines] = self.baseline
        each[design.cost <= 0.0] = 0.0
        share = self.l1_share
        none = np.full(each.shape, -1)
        return PenaltyTerms(share * each, (1.0 - share) * each, none, np.empty(0))


@dataclass(frozen=True, eq=False)
class Ridge(Penalty):
    r"""Ridge penalty, :math:`\frac{s}{2} \sum_{ij} W_{ij}^2`.

    The same as a Gaussian prior of variance 1 / s, restricted to positive values.

    Parameters
    ----------
    strength : float or array_like, shape (n_marks, n_marks), default 1.0
        Strength s >= 0, in nats: one for all adjacency entries, or one of each pair (target,
        source).
    baseline : float, default 0.0
        Strength of the same penalty on every baseline, in squared units of time.

    Raises
    ------
    InvalidParameterError
        A strength is negative or has another shape.

    References
    ----------
    Hoerl, A. E. and Kennard, R. W. (1970). Ridge regression. Technometrics 12, 55-67.
    doi:10.1080/00401706.1970.10488634

    Examples
    --------
    >>> import hawkeys
    >>> hawkeys.inference.Ridge(10.0)
    Ridge(strength=10.0, baseline=0.0)
    """

    @property
    def l1_share(self) -> float:
        """0: all of the strength is on half the square."""
        return 0.0


@dataclass(frozen=True, eq=False)
class Lasso(Penalty):
    r"""L1 penalty, :math:`s \sum_{ij} W_{ij}`, which sets entries to exactly 0.

    Parameters
    ----------
    strength : float or array_like, shape (n_marks, n_marks), default 1.0
        Strength s >= 0, in nats: one for all adjacency entries, or one of each pair (target,
        source), as the adaptive lasso has it.
    baseline : float, default 0.0
        Strength of the same penalty on every baseline, in units of time.

    Raises
    ------
    InvalidParameterError
        A strength is negative or has another shape.

    References
    ----------
    Tibshirani, R. (1996). Regression shrinkage and selection via the lasso. JRSS B 58, 267-288.
    doi:10.1111/j.2517-6161.1996.tb02080.x

    Examples
    --------
    >>> import hawkeys
    >>> events = [[0.5, 1.0, 2.5], [1.1, 2.6]]
    >>> strong = hawkeys.inference.Lasso(50.0)
    >>> hawkeys.fit(events, decay=1.0, end_time=4.0, method="map", prior=strong).adjacency
    array([[0., 0.],
           [0., 0.]])
    """

    @property
    def l1_share(self) -> float:
        """1: all of the strength is on the absolute value."""
        return 1.0


@dataclass(frozen=True, eq=False)
class ElasticNet(Penalty):
    r"""Elastic net, :math:`s \sum_{ij} \big(a W_{ij} + \frac{1 - a}{2} W_{ij}^2\big)`.

    Parameters
    ----------
    strength : float or array_like, shape (n_marks, n_marks), default 1.0
        Strength s >= 0, in nats: one for all adjacency entries, or one of each pair (target,
        source).
    baseline : float, default 0.0
        Strength of the same penalty on every baseline.
    l1_ratio : float, default 0.5
        Share a of the absolute value, from 0 (ridge) to 1 (L1).

    Raises
    ------
    InvalidParameterError
        A strength is negative or has another shape, or the share is not from 0 to 1.

    References
    ----------
    Zou, H. and Hastie, T. (2005). Regularization and variable selection via the elastic net.
    JRSS B 67, 301-320. doi:10.1111/j.1467-9868.2005.00503.x

    Examples
    --------
    >>> import hawkeys
    >>> hawkeys.inference.ElasticNet(10.0, l1_ratio=0.9).scaled(2.0)
    ElasticNet(strength=20.0, baseline=0.0, l1_ratio=0.9)
    """

    l1_ratio: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        ratio = as_float_array(self.l1_ratio, "ElasticNet: l1_ratio")
        if ratio.ndim or not 0.0 <= ratio <= 1.0:
            raise InvalidParameterError(
                f"ElasticNet: l1_ratio must be one number from 0 (ridge) to 1 (L1); got "
                f"{brief(self.l1_ratio)}."
            )

    @property
    def l1_share(self) -> float:
        """Share of the strength on the absolute value, as given."""
        return float(self.l1_ratio)


@dataclass(frozen=True, eq=False)
class GroupLasso(Penalty):
    r"""Group penalty, :math:`\sum_g s_g \sqrt{n_g} \, \|W_g\|_2`: whole groups are exactly 0.

    Parameters
    ----------
    strength : float or array_like, shape (n_marks, n_marks), default 1.0
        Strength >= 0, in nats. If given by pair, s_g is the mean over the group.
    baseline : float, default 0.0
        Strength of an L1 penalty on every baseline, in units of time.
    groups : "source", "target", "pair" or array_like of int, shape (n_marks, n_marks)
        Which entries make a group: a column (a mark excites nobody), a row (a mark is excited by
        nobody), both directions between two marks, or those with the same number >= 0; negative
        ones are free. Default: "source".

    Raises
    ------
    InvalidParameterError
        A strength or the groups have another shape or kind.

    Notes
    -----
    n_g counts the members that the support admits. Groups that join several targets make one
    problem of all rows.

    References
    ----------
    Yuan, M. and Lin, Y. (2006). Model selection and estimation in regression with grouped
    variables. JRSS B 68, 49-67. doi:10.1111/j.1467-9868.2005.00532.x

    Examples
    --------
    >>> import hawkeys
    >>> hawkeys.inference.GroupLasso(5.0, groups="target").labels(2)
    array([[0, 0],
           [1, 1]])
    """

    groups: str | ArrayLike = "source"

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.groups, str):
            check_choice(self.groups, "GroupLasso: groups", ("source", "target", "pair"))
            return
        refuse_labels(self.groups, "GroupLasso: groups")
        given = as_float_array(self.groups, "GroupLasso: groups")
        if given.ndim != 2 or given.shape[0] != given.shape[1] or (given % 1 != 0).any():
            raise InvalidParameterError(
                "GroupLasso: groups must be 'source', 'target', 'pair' or whole numbers of shape "
                f"(n_marks, n_marks), negative for entries in no group; got {brief(self.groups)}."
            )

    @property
    def l1_share(self) -> float:
        """1, which concerns the baseline alone."""
        return 1.0

    def labels(self, n_marks: int) -> IntArray:
        """Return the group of each pair.

        Parameters
        ----------
        n_marks : int
            Number of marks D.

        Returns
        -------
        ndarray of int64, shape (n_marks, n_marks)
            Numbers from 0, -1 for none.

        Raises
        ------
        InvalidParameterError
            The groups are for another number of marks.
        """
        target, source = np.indices((n_marks, n_marks))
        if isinstance(self.groups, str):
            low, high = np.minimum(target, source), np.maximum(target, source)
            named = {"source": source, "target": target, "pair": low * n_marks + high}
            array = named[self.groups]
        else:
            given = as_float_array(self.groups, "GroupLasso: groups")
            array = check_shape(
                given, "GroupLasso: groups", (n_marks, n_marks), "target by source"
            ).astype(np.int64)
        found = np.unique(array[array >= 0])
        return np.where(array >= 0, np.searchsorted(found, array), -1)

    def terms(self, design: Design) -> PenaltyTerms:
        """Return the penalty by column of row problems; see `Penalty.terms`.

        Parameters
        ----------
        design : Design
            The row problems.

        Returns
        -------
        PenaltyTerms
            Realisations that are fitted each alone have groups of their own.

        Raises
        ------
        InvalidParameterError
            Strengths or groups are for another number of marks, or a parameter that several pairs
            share is in several groups.
        """
        size = design.n_marks
        held = design.cost <= 0.0
        held[:, : design.n_baselines] = True
        group = spread_labels(self.labels(size), design)
        group[held] = -1
        strength = spread(self.strengths(size), design)
        inside = group >= 0
        count = np.bincount(group[inside])
        total = np.bincount(group[inside], weights=strength[inside])
        slope = np.zeros(group.shape)
        slope[:, : design.n_baselines] = self.baseline
        slope[design.cost <= 0.0] = 0.0
        means = total / np.sqrt(np.maximum(count, 1))
        group[(means == 0.0)[group] & inside if count.size else inside] = -1
        return PenaltyTerms(slope, np.zeros(group.shape), group, means)


def penalty_from_dict(record: Mapping[str, Any]) -> Penalty:
    """Rebuild a penalty from `Penalty.to_dict`.

    Parameters
    ----------
    record : mapping
        Plain JSON types.

    Returns
    -------
    Penalty
        The penalty that was written.

    Raises
    ------
    InvalidParameterError
        No class of this name is defined (import the module that defines your own), or its
        constructor refuses the rest.
    """
    penalty: Penalty = rebuild("penalty", record)
    return penalty
