"""Likelihood-ratio tests of nested fits, with the bound at 0 taken into account."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import scipy

from hawkeys._design.ties import Ties
from hawkeys._validation import check_count
from hawkeys.baselines import Baseline, Constant, LogLinear, Periodic, PiecewiseConstant
from hawkeys.diagnostics.comparison import check_same_data, is_maximum
from hawkeys.exceptions import InvalidParameterError
from hawkeys.kernels import Exponential, Kernel, SumExponential
from hawkeys.results import LikelihoodResult
from hawkeys.results.nonlinear import NonlinearResult
from hawkeys.results.rectified import RectifiedResult
from hawkeys.summary import render, render_html

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LikelihoodRatioTest", "likelihood_ratio_test"]

Fit: TypeAlias = LikelihoodResult | RectifiedResult

_ROUNDING = 1e-6


@dataclass(frozen=True)
class LikelihoodRatioTest:
    """Test of a smaller model against a larger one; see `hawkeys.likelihood_ratio_test`.

    Attributes
    ----------
    statistic : float
        Twice the gain in log-likelihood; 0 if that is below what the fits' tolerance resolves.
    n_added : int
        Parameters of the larger model that the smaller one lacks.
    n_bounded : int
        How many of them lie at the bound 0 if the smaller model is true.
    pvalue : float
        The p-value, exact in large samples if `n_bounded` is 0 or 1; else its upper bound over all
        correlations of the estimates.
    pvalue_lower : float
        Lower bound of the p-value; equal to `pvalue` if `n_bounded` is 0 or 1.
    pvalue_chi_square : float
        What the plain chi-square law of `n_added` degrees would give: too large if a parameter is
        bounded.
    caveats : tuple of str
        What may make the p-values wrong.
    """

    statistic: float
    n_added: int
    n_bounded: int
    pvalue: float
    pvalue_lower: float
    pvalue_chi_square: float
    caveats: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return one row.

        Returns
        -------
        pandas.DataFrame, shape (1, 6)
            Columns statistic, n_added, n_bounded, pvalue, pvalue_lower, pvalue_chi_square.
        """
        import pandas as pd

        names = ("statistic", "n_added", "n_bounded", "pvalue", "pvalue_lower", "pvalue_chi_square")
        return pd.DataFrame({name: [getattr(self, name)] for name in names})

    def summary(self) -> str:
        """Return a text table.

        Returns
        -------
        str
            No clock in it: the same fits give the same text.
        """
        return render("Likelihood-ratio test", {}, self.to_frame(), list(self.caveats))

    def _repr_html_(self) -> str:
        """Return `summary` as HTML, for notebooks."""
        return render_html("Likelihood-ratio test", {}, self.to_frame(), list(self.caveats))


def likelihood_ratio_test(
    small: Fit, large: Fit, *, n_bounded: int | None = None
) -> LikelihoodRatioTest:
    r"""Test a smaller model against a larger one that contains it.

    .. math:: x = 2 (\log L_{\mathrm{large}} - \log L_{\mathrm{small}})

    With d added parameters of which b lie at the bound 0 under the smaller model, x follows in
    large samples a mixture of chi-square laws of d - b to d degrees. For b = 0 it is the plain law
    of d degrees; for b = 1 half of d - 1 and half of d degrees. For b > 1 the mixing depends on the
    correlations of the estimates, but always

    .. math:: \tfrac12 P(\chi^2_{d-b} > x) + \tfrac12 P(\chi^2_{d-b+1} > x) \le p \le
        \tfrac12 P(\chi^2_{d-1} > x) + \tfrac12 P(\chi^2_d > x).

    Parameters
    ----------
    small, large : LikelihoodResult or RectifiedResult
        Maximum-likelihood fits to the same data, both of `hawkeys.fit` or both of
        `hawkeys.fit_rectified`.
    n_bounded : int, optional
        b. Default: the number of adjacency entries that only the larger fit has, which are bounded
        in `hawkeys.fit`, and 0 in `hawkeys.fit_rectified`, where they may be negative.

    Returns
    -------
    LikelihoodRatioTest
        Statistic and p-values.

    Raises
    ------
    InvalidParameterError
        The fits are no maximum-likelihood fits of one family to the same data, or are not nested: a
        larger likelihood of the smaller model, no more parameters in the larger, a parameter or an
        estimated kernel that only the smaller has, kernels, pieces of a baseline or ties of which
        the larger model's do not contain the smaller's.

    Notes
    -----
    The law assumes that all other parameters are inside their bounds, and that the larger model's
    kernel exists in the smaller one. Where not (a decay estimated while all adjacency is 0 under
    the smaller model), `caveats` says so; simulate from the smaller fit then.

    References
    ----------
    Self, S. G. and Liang, K.-Y. (1987). Asymptotic properties of maximum likelihood estimators and
    likelihood ratio tests under nonstandard conditions. Journal of the American Statistical
    Association 82(398), 605-610, cases 5 to 9. doi:10.1080/01621459.1987.10478472

    Perlman, M. D. (1969). One-sided testing problems in multivariate analysis. Annals of
    Mathematical Statistics 40(2), 549-567. doi:10.1214/aoms/1177697723

    Examples
    --------
    >>> import hawkeys
    >>> truth = hawkeys.Hawkes([0.4, 0.2], [[0.3, 0.1], [0.0, 0.5]], decay=2.0)
    >>> sample = hawkeys.simulate(truth, end_time=2_000.0, rng=0)
    >>> small = hawkeys.fit(sample, decay=2.0, support=[[1, 0], [0, 1]])
    >>> test = hawkeys.likelihood_ratio_test(small, hawkeys.fit(sample, decay=2.0))
    >>> test.n_added, test.n_bounded, test.pvalue < 0.01
    (2, 2, True)
    """
    check_same_data({"small": small, "large": large})
    _check_methods(small, large)
    n_added = _check_nested(small, large)
    bounded = _n_bounded(small, large, n_added) if n_bounded is None else n_bounded
    if check_count(bounded, "n_bounded", minimum=0) > n_added:
        raise InvalidParameterError(
            f"n_bounded must be at most the number of added parameters, {n_added}; got {bounded}."
        )
    x = 2.0 * (large.log_likelihood - small.log_likelihood)
    x = x if x > _resolution(small, large) else 0.0
    plain = _tail(x, n_added)
    fewest = 0.5 * (_tail(x, n_added - bounded) + _tail(x, n_added - bounded + 1))
    most = 0.5 * (_tail(x, n_added - 1) + plain)
    return LikelihoodRatioTest(
        statistic=x,
        n_added=n_added,
        n_bounded=bounded,
        pvalue=most if bounded else plain,
        pvalue_lower=fewest if bounded else plain,
        pvalue_chi_square=plain,
        caveats=_caveats(small, large),
    )


def _resolution(small: Fit, large: Fit) -> float:
    """Return the statistic below which the two fits cannot be told apart."""
    left = [
        fit.to_gain if isinstance(fit, RectifiedResult) else fit.optimality_gap
        for fit in (small, large)
    ]
    return _ROUNDING + 2.0 * float(np.nansum(left))


def _tail(x: float, degrees: int) -> float:
    """Return the probability that a chi-square variable exceeds x or, at 0, reaches it."""
    if x <= 0.0:
        return 1.0
    return float(scipy.special.chdtrc(degrees, x)) if degrees > 0 else 0.0


def _check_methods(small: Any, large: Any) -> None:
    for name, fit in (("small", small), ("large", large)):
        if isinstance(fit, NonlinearResult):
            raise InvalidParameterError(
                f"{name!r} is a fit of hawkeys.fit_nonlinear, and whether its filters contain "
                "those of another is not known. Use inference.edge_tests or hawkeys.compare."
            )
        if not is_maximum(fit):
            raise InvalidParameterError(
                f"{name!r} is no plain maximum of the likelihood (method {fit.method!r}, or "
                "weighted realisations). Fit with method='mle' and without weights."
            )
    if isinstance(small, RectifiedResult) != isinstance(large, RectifiedResult):
        raise InvalidParameterError(
            "one fit has inhibition and the other bounds the adjacency at 0; neither has the "
            "other's parameter space within chi-square theory. Use hawkeys.compare, or fit both "
            "with fit_rectified."
        )


def _check_nested(small: Fit, large: Fit) -> int:
    """Return the number of added parameters."""
    added = large.n_parameters - small.n_parameters
    if added <= 0:
        raise InvalidParameterError(
            f"the models are not nested: 'large' has {large.n_parameters} parameters, 'small' has "
            f"{small.n_parameters}. Pass the smaller model first; for others use hawkeys.compare."
        )
    gain = large.log_likelihood - small.log_likelihood
    if gain < -_ROUNDING * (1.0 + abs(small.log_likelihood)):
        raise InvalidParameterError(
            f"the models are not nested, or a fit stopped early: the log-likelihood of 'large', "
            f"{large.log_likelihood:.6f}, is below that of 'small', {small.log_likelihood:.6f}."
        )
    lost = _only_in(small, large)
    if lost is not None and lost.any():
        raise InvalidParameterError(
            f"the models are not nested: {int(lost.sum())} parameters are in 'small' only. For "
            "such models use hawkeys.compare."
        )
    _check_kernels(small, large)
    if isinstance(small, LikelihoodResult) and isinstance(large, LikelihoodResult):
        _check_given(small, large)
        if not _is_log_linear_within(small, large):
            _check_baselines(small.process.baseline_function, large.process.baseline_function)
        _check_ties(small, large)
    return int(added)


def _check_kernels(small: Fit, large: Fit) -> None:
    free = [_kernel_parameters(fit) > 0 for fit in (small, large)]
    same = small.kernel.to_dict() == large.kernel.to_dict()
    if (free[0] and not free[1]) or (not any(free) and not same):
        what = "estimated" if free[0] else repr(small.kernel)
        raise InvalidParameterError(
            f"the models are not nested: the kernel of 'small' is {what}, that of 'large' is given "
            f"as {large.kernel!r}. Estimate it in 'large' too, or give the same."
        )
    size = small.baseline.size
    searched = "decays" in (getattr(large, "kernel_std_err", None) or {})
    fewer = searched and _n_decays(small.kernel) <= _n_decays(large.kernel)
    if small.identified[:, -size:].any() and not (fewer or _contains(large.kernel, small.kernel)):
        raise InvalidParameterError(
            f"the models are not nested: {large.kernel!r} of 'large' does not contain the kernel "
            f"of 'small', {small.kernel!r}. Use hawkeys.compare."
        )


def _n_decays(kernel: Kernel) -> float:
    """Return how many exponentials a kernel with the same decays for all pairs is the sum of."""
    if isinstance(kernel, SumExponential):
        return kernel.n_decays
    one = isinstance(kernel, Exponential) and kernel.decay.ndim == 0
    return 1 if one else math.inf


def _contains(large: Kernel, small: Kernel) -> bool:
    """Return whether a kernel can be the other at some value of its free parameters."""
    if isinstance(large, SumExponential) and isinstance(small, SumExponential):
        return bool(np.isin(small.decays, large.decays).all())
    if isinstance(large, SumExponential) and isinstance(small, Exponential):
        return bool(np.isin(small.decay, large.decays).all())
    return type(large) is type(small)


def _check_given(small: LikelihoodResult, large: LikelihoodResult) -> None:
    """Refuse a baseline that is given in the larger model and not the same in the smaller."""
    size = large.adjacency.shape[0]
    if not large.held[:, :-size].any():
        return
    ours, theirs = (fit.process.baseline_function.to_dict() for fit in (small, large))
    if not small.held[:, :-size].any() or ours != theirs:
        raise InvalidParameterError(
            f"the models are not nested: the baseline of 'large', "
            f"{large.process.baseline_function!r}, is given, and that of 'small' is not the same. "
            "Give it to both, or use hawkeys.compare."
        )


def _is_log_linear_within(small: LikelihoodResult, large: LikelihoodResult) -> bool:
    """Tell whether the smaller baseline is the larger one at some coefficients."""
    one, other = small.process.baseline_function, large.process.baseline_function
    if not isinstance(other, LogLinear) or large.coefficient_std_err is None:
        return False
    if isinstance(one, Constant):
        return bool((other.exposure == other.exposure[0]).all())
    if not isinstance(one, LogLinear) or not set(one.names) <= set(other.names):
        return False
    columns = [other.names.index(name) for name in one.names]
    return (
        np.array_equal(one.knots, other.knots)
        and np.array_equal(one.exposure, other.exposure)
        and np.array_equal(one.covariates, other.covariates[:, columns])
    )


def _check_baselines(small: Baseline, large: Baseline) -> None:
    """Refuse pieces of the smaller model that are no unions of pieces of the larger."""
    inside = isinstance(small, Constant) and not isinstance(large, LogLinear)
    inside |= small.with_rates(None).to_dict() == large.with_rates(None).to_dict()
    if isinstance(small, PiecewiseConstant) and isinstance(large, PiecewiseConstant):
        inside |= bool(np.isin(small.knots[1:-1], large.knots).all())
    if isinstance(small, Periodic) and isinstance(large, Periodic):
        same = small.period == large.period
        inside |= same and bool(np.isin(small.knots, large.knots).all())
    if inside:
        return
    raise InvalidParameterError(
        f"the models are not nested: the baseline of 'small', {small!r}, changes at times at which "
        f"that of 'large', {large!r}, does not. Use knots of which one set contains the other, or "
        "hawkeys.compare."
    )


def _check_ties(small: LikelihoodResult, large: LikelihoodResult) -> None:
    """Refuse parameters that are one in the larger model and not in the smaller."""
    tied, size = large.options.get("tied"), large.baseline.size
    if tied is None:
        return
    ours, theirs = (Ties.check(t, size) if t else None for t in (tied, small.options.get("tied")))
    known = {"baseline": small.identified[:, 0], "adjacency": small.identified[:, -size:]}
    for part, free in known.items():
        labels = getattr(ours, part)
        other = np.full(labels.shape, -1) if theirs is None else getattr(theirs, part)
        for label in np.unique(labels[labels >= 0]):
            member = labels == label
            one = (
                free[member].all() and np.unique(other[member]).size == 1 and other[member][0] >= 0
            )
            if member.sum() > 1 and free[member].any() and not one:
                raise InvalidParameterError(
                    f"the models are not nested: the {part} entries of label {label} are one in "
                    "'large' and not in 'small'. Tie them in 'small' too, or use hawkeys.compare."
                )


def _kernel_parameters(fit: Fit) -> int:
    if isinstance(fit, RectifiedResult):
        return fit.baseline.size if fit.decay_estimated else 0
    return fit.n_kernel_parameters


def _only_in(one: Fit, other: Fit) -> np.ndarray | None:
    """Return which parameters only one fit has; None if the tables differ in shape."""
    if one.identified.shape != other.identified.shape:
        return None
    return one.identified & ~other.identified


def _n_bounded(small: Fit, large: Fit, n_added: int) -> int:
    if not isinstance(large, LikelihoodResult):
        return 0
    size = large.baseline.size
    new = large.identified[:, -size:] & ~small.identified[:, -size:]
    return min(int(new.sum()), n_added)


def _caveats(small: Fit, large: Fit) -> tuple[str, ...]:
    out = []
    if small.at_bound.any():
        out.append(
            f"{small.at_bound.sum()} estimates of the smaller fit are at a bound: the p-values "
            "are approximate."
        )
    if _kernel_parameters(large) > 0 and not small.adjacency.any():
        out.append(
            "The kernel parameters mean nothing under the smaller model: the p-values are too "
            "small. Simulate from it instead."
        )
    searched = "decays" in (getattr(large, "kernel_std_err", None) or {})
    if searched and _n_decays(small.kernel) < _n_decays(large.kernel):
        out.append(
            "The further decays mean nothing under the smaller model: the p-values are too small. "
            "Simulate from it instead."
        )
    if not (small.converged and large.converged):
        out.append("A fit did not converge: the statistic may be wrong.")
    return tuple(out)
