"""Comparison of fits to the same data: information criteria and likelihood-ratio tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys._validation import check_choice
from hawkeys.exceptions import InvalidParameterError
from hawkeys.results import LikelihoodResult
from hawkeys.results.nonlinear import LinkedResult
from hawkeys.results.smoothness import effective_parameters
from hawkeys.summary import render, render_html

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Comparison", "check_same_data", "compare", "is_maximum"]

Fit: TypeAlias = LikelihoodResult | LinkedResult

_CRITERIA = ("aic", "aicc", "bic")
_SAME_TIME = 1e-9
_LONGEST_KERNEL = 40


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Fits of several models to the same data, best first; see `hawkeys.compare`.

    Attributes
    ----------
    names : tuple of str, length n_fits
        Name of each fit.
    methods : tuple of str, length n_fits
        Inference method.
    kernels : tuple of str, length n_fits
        Excitation kernel in words.
    n_parameters : ndarray of int64, shape (n_fits,)
        Identified parameters; pairs that method "map" has set to 0 do not count.
    log_likelihood : ndarray of float64, shape (n_fits,)
        In nats, unweighted, nothing dropped.
    converged : ndarray of bool, shape (n_fits,)
        Whether the method met its tolerance.
    maximised : ndarray of bool, shape (n_fits,)
        Whether `log_likelihood` is what the method maximised; if not (a prior, a penalty, weights
        of realisations), the criteria are upper bounds of those of the model.
    n_events : int
        Number of events, which is the number of observations in `aicc` and `bic`.
    criterion : str
        What `delta`, `weight` and the order are based on: "aic", "aicc" or "bic".
    """

    names: tuple[str, ...]
    methods: tuple[str, ...]
    kernels: tuple[str, ...]
    n_parameters: IntArray
    log_likelihood: FloatArray
    converged: BoolArray
    maximised: BoolArray
    n_events: int
    criterion: str

    @property
    def aic(self) -> FloatArray:
        """Akaike's criterion, 2 k - 2 log L, shape (n_fits,)."""
        return 2.0 * self.n_parameters - 2.0 * self.log_likelihood

    @property
    def aicc(self) -> FloatArray:
        """Akaike's criterion corrected, + 2 k (k + 1) / (n - k - 1); infinite if n <= k + 1."""
        k, left = self.n_parameters, self.n_events - self.n_parameters - 1
        correction = np.full(k.size, np.inf)
        correction[left > 0] = (2.0 * k * (k + 1))[left > 0] / left[left > 0]
        return self.aic + correction

    @property
    def bic(self) -> FloatArray:
        """Schwarz's criterion, log(n) k - 2 log L, shape (n_fits,)."""
        return np.log(max(self.n_events, 1)) * self.n_parameters - 2.0 * self.log_likelihood

    @property
    def delta(self) -> FloatArray:
        """Difference of the criterion from the smallest, shape (n_fits,)."""
        values: FloatArray = getattr(self, self.criterion)
        least = values.min()
        return values - least if np.isfinite(least) else np.full(values.size, np.nan)

    @property
    def weight(self) -> FloatArray:
        """Akaike weights, proportional to exp(-delta / 2), summing to 1, shape (n_fits,)."""
        relative = np.exp(-0.5 * self.delta)
        return relative / relative.sum()

    @property
    def best(self) -> str:
        """Name of the fit with the smallest criterion."""
        return self.names[0]

    def to_frame(self) -> pd.DataFrame:
        """Return one row per fit, the best first.

        Returns
        -------
        pandas.DataFrame, shape (n_fits, 11)
            Columns name, method, kernel, n_parameters, log_likelihood, aic, aicc, bic, delta,
            weight, converged.
        """
        import pandas as pd

        return pd.DataFrame(
            {
                "name": self.names,
                "method": self.methods,
                "kernel": self.kernels,
                "n_parameters": self.n_parameters,
                "log_likelihood": self.log_likelihood,
                "aic": self.aic,
                "aicc": self.aicc,
                "bic": self.bic,
                "delta": self.delta,
                "weight": self.weight,
                "converged": self.converged,
            }
        )

    def summary(self) -> str:
        """Return a text table.

        Returns
        -------
        str
            No clock in it: the same fits give the same text.
        """
        return render(*self._layout())

    def _repr_html_(self) -> str:
        """Return `summary` as HTML, for notebooks."""
        return render_html(*self._layout())

    def __repr__(self) -> str:
        size = len(self.names)
        return f"Comparison(n_fits={size}, criterion={self.criterion!r}, best={self.best!r})"

    def _layout(self) -> tuple[str, dict[str, str], pd.DataFrame, list[str]]:
        """Return what `summary` shows: title, facts, table and notes."""
        table = self.to_frame()
        for name in ("log_likelihood", *_CRITERIA):
            table[name] = [f"{value:.2f}" for value in table[name]]
        facts = {"Events": f"{self.n_events}", "Criterion": self.criterion}
        if len(set(self.kernels)) == 1:
            kernel = self.kernels[0]
            long = len(kernel) > _LONGEST_KERNEL
            facts["Kernel"] = f"{kernel[: _LONGEST_KERNEL - 3]}..." if long else kernel
        table["kernel"] = [k.split("(")[0] for k in self.kernels]
        notes = [f"delta, weight: by {self.criterion}; the weights compare these models only."]
        if not self.maximised.all():
            named = ", ".join(np.array(self.names)[~self.maximised])
            notes.append(f"{named}: not a maximum of the likelihood; criteria are upper bounds.")
        if not self.converged.all():
            notes.append("A fit that did not converge may have a higher likelihood than shown.")
        return "Comparison of fits", facts, table, notes


def compare(fits: Any, *others: Any, criterion: str = "aic") -> Comparison:
    r"""Compare fits of several models, nested or not, to the same data.

    .. math:: \mathrm{AIC} = 2k - 2\log L, \quad \mathrm{AICc} = \mathrm{AIC} +
        \frac{2k(k + 1)}{n - k - 1}, \quad \mathrm{BIC} = k \log n - 2\log L,

    with k identified parameters (estimated kernel parameters included) and n events. The weight of
    a model is proportional to exp(-delta / 2), delta its difference from the smallest criterion.

    Parameters
    ----------
    fits : mapping from str to LikelihoodResult, RectifiedResult or NonlinearResult, list, or first
        At least one fit, by name, or without names: "fit 1", "fit 2", ...
    *others : LikelihoodResult, RectifiedResult or NonlinearResult
        The other fits, if they are given one after another.
    criterion : {"aic", "aicc", "bic"}, default "aic"
        What the order, `delta` and `weight` are based on.

    Returns
    -------
    Comparison
        Frozen, the best fit first.

    Raises
    ------
    InvalidParameterError
        No fit, a result without a likelihood criterion (variational inference has `elbo` instead),
        fits to different data, or no such criterion.

    Notes
    -----
    Data count as the same if the events per mark, the number of realisations and the total time
    are. Other differences cannot be seen from results.

    Adjacency at the bound 0 counts as a parameter, so that the criteria of large models are on the
    cautious side. AICc was derived for regression, and serves here as a warning: where it differs
    from AIC, the data are few.

    References
    ----------
    Burnham, K. P. and Anderson, D. R. (2004). Multimodel inference: understanding AIC and BIC in
    model selection. Sociological Methods & Research 33(2), 261-304. doi:10.1177/0049124104268644

    Examples
    --------
    >>> import hawkeys
    >>> truth = hawkeys.Hawkes([0.4, 0.2], [[0.3, 0.1], [0.0, 0.5]], decay=2.0)
    >>> sample = hawkeys.simulate(truth, end_time=2_000.0, rng=0)
    >>> all_pairs = hawkeys.fit(sample, decay=2.0)
    >>> selves = hawkeys.fit(sample, decay=2.0, support=[[1, 0], [0, 1]])
    >>> table = hawkeys.compare({"all pairs": all_pairs, "selves": selves})
    >>> table.best
    'all pairs'
    >>> table.to_frame()["n_parameters"].tolist()
    [6, 4]
    """
    check_choice(criterion, "criterion", _CRITERIA)
    named = _named(fits, others)
    check_same_data(named)
    table = _gather(named, criterion)
    values = np.asarray(getattr(table, criterion))
    order = np.argsort(values, kind="stable")
    return _gather({table.names[k]: named[table.names[k]] for k in order}, criterion)


def _named(fits: Any, others: tuple[Any, ...]) -> dict[str, Any]:
    """Return fits by name, given as a mapping, a list, or one after another."""
    if isinstance(fits, Mapping) and fits and not others:
        return {str(name): fit for name, fit in fits.items()}
    every = list(fits) if isinstance(fits, list | tuple) and not others else [fits, *others]
    if every and not isinstance(fits, Mapping):
        return {f"fit {k}": fit for k, fit in enumerate(every, start=1)}
    raise InvalidParameterError(
        "fits must be a mapping from names to at least one fit, a list of them, or one after "
        f"another; got {'none' if not every or not fits else 'a mapping and more'}. "
        'Pass {"name": result, ...}.'
    )


def _gather(fits: dict[str, Fit], criterion: str) -> Comparison:
    every = list(fits.values())
    return Comparison(
        names=tuple(fits),
        methods=tuple(fit.method for fit in every),
        kernels=tuple(repr(getattr(fit, "kernel", fit.process)) for fit in every),
        n_parameters=np.array([fit.n_parameters for fit in every], dtype=np.int64),
        log_likelihood=np.array([fit.log_likelihood for fit in every]),
        converged=np.array([fit.converged for fit in every]),
        maximised=np.array([is_maximum(fit) for fit in every]),
        n_events=every[0].n_events,
        criterion=criterion,
    )


def is_maximum(fit: Fit) -> bool:
    """Return whether the log-likelihood of a fit is what its method maximised.

    Parameters
    ----------
    fit : LikelihoodResult, RectifiedResult or NonlinearResult
        The fit.

    Returns
    -------
    bool
        False for a posterior mode, a penalty (of a kernel or a baseline, too), a floor under the
        baseline, or realisations with weights other than 1.
    """
    if isinstance(fit, LikelihoodResult) and effective_parameters(fit) is not None:
        return False
    weights = fit.options.get("weights")
    plain = weights is None or bool((np.asarray(weights) == 1).all())
    changed = ("prior", "smoothing", "baseline_floor", "penalty")
    plain &= not any(fit.options.get(key) for key in changed)
    return plain and fit.method in ("mle", "rectified mle")


def check_same_data(fits: Mapping[str, Any]) -> None:
    """Refuse fits without a likelihood criterion, or to different data.

    Parameters
    ----------
    fits : mapping from str to object
        Fits by name.

    Raises
    ------
    InvalidParameterError
        A fit is no `LikelihoodResult`, `RectifiedResult` or `NonlinearResult`, or two differ in the
        number of marks, the events per mark, the number of realisations or the total time.
    """
    for name, fit in fits.items():
        if not isinstance(fit, Fit):
            raise InvalidParameterError(
                f"{name!r} is a {type(fit).__name__}; expected the result of hawkeys.fit with "
                "method 'mle' or 'map', or of hawkeys.fit_rectified or hawkeys.fit_nonlinear. Of "
                "variational fits, compare the elbo."
            )
    first, *others = fits
    for name in others:
        difference = _difference(fits[first], fits[name])
        if difference is not None:
            raise InvalidParameterError(
                f"{first!r} and {name!r} are fits to different data: {difference}. Criteria of "
                "different data cannot be compared; fit both models to the same events."
            )


def _other_past(one: Fit, other: Fit) -> str | None:
    """Return in words how the histories that two fits were given differ, or their windows."""
    past, other_past = (fit.options.get("history") or {} for fit in (one, other))

    def same(names: tuple[str, ...]) -> bool:
        return all(np.array_equal(past.get(n, ()), other_past.get(n, ())) for n in names)

    if not same(("times", "marks", "offsets")):
        sizes = [len(record.get("times", ())) for record in (past, other_past)]
        return f"other histories, of {sizes[0]} and {sizes[1]} events"
    if not same(("owners", "window_starts", "window_ends", "observed")):
        return "other windows of their recordings, or other marks observed in them"
    return None


def _difference(one: Fit, other: Fit) -> str | None:
    """Return in words how the data of two fits differ."""
    if one.process.mark_names != other.process.mark_names:
        return f"marks {one.process.mark_names} and {other.process.mark_names}"
    if one.n_events != other.n_events:
        return f"{one.n_events} and {other.n_events} events"
    if (one.event_counts != other.event_counts).any():
        return f"events per mark {one.event_counts} and {other.event_counts}"
    if one.n_realizations != other.n_realizations:
        return f"{one.n_realizations} and {other.n_realizations} realisations"
    given = [fit.options.get("n_given", 0) for fit in (one, other)]
    if given[0] != given[1]:
        return f"n_given {given[0]} and {given[1]}"
    clocks = [fit.options.get("resolution") for fit in (one, other)]
    if clocks[0] != clocks[1]:
        return f"resolution {clocks[0]} and {clocks[1]}"
    past = _other_past(one, other)
    if past is not None:
        return past
    if abs(one.total_time - other.total_time) > _SAME_TIME * one.total_time:
        return f"total times {one.total_time:.12g} and {other.total_time:.12g}"
    return None
