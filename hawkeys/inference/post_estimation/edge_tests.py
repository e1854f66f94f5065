"""`edge_tests`: is an entry of the adjacency 0? One likelihood-ratio test per pair of marks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hawkeys._progress import Verbose, told
from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys._validation import check_choice, check_fraction
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference.examine import warn_about_ties
from hawkeys.inference.post_estimation.chi_bar import mixture_tail
from hawkeys.inference.post_estimation.linked import linked_edges
from hawkeys.inference.post_estimation.maximised import likelihood_rows
from hawkeys.inference.post_estimation.profile import profile_figures, weights_at_zero
from hawkeys.inference.post_estimation.refits import check_fit, events_of_fit
from hawkeys.plotting._axes import current_axes, plain_numbers
from hawkeys.plotting.adjacency import label_marks
from hawkeys.process import RectifiedHawkes
from hawkeys.results.nonlinear import LinkedResult

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["EdgeTests", "edge_tests"]

_CORRECTIONS = ("benjamini-hochberg", "benjamini-yekutieli", "holm")
_ANNOTATE_UP_TO = 8
_SMALLEST_SHOWN = 1e-4
_LIGHT_TEXT = 0.02


@dataclass(frozen=True, eq=False, repr=False)
class EdgeTests:
    """Likelihood-ratio tests of every entry of the adjacency.

    Attributes
    ----------
    estimates, statistic : ndarray of float64, shape (n_marks, n_marks)
        Estimated adjacency, target by source (of `hawkeys.fit_nonlinear` the integrals of the
        kernels, summed over orders), and twice the log-likelihood lost if the entry is 0;
        NaN for entries that the support excludes or the data do not identify.
    pvalues, adjusted : ndarray of float64, shape (n_marks, n_marks)
        p-values, and the same adjusted for the number of tests; NaN as above.
    correction : str or None
        How they were adjusted.
    mark_names : tuple of str
        Labels of the marks.
    method : str
        How the likelihood was maximised: "mle" if the fit is by maximum likelihood, and for a fit
        by another method, say "vi", "mle, from 'vi'".
    """

    estimates: FloatArray
    statistic: FloatArray
    pvalues: FloatArray
    adjusted: FloatArray
    correction: str | None
    mark_names: tuple[str, ...]
    method: str = "mle"

    def rejected(self, level: float = 0.05) -> BoolArray:
        """Return which entries are not 0, by their adjusted p-values.

        Above 0, that is, but for fits with inhibition or a link, where they may be below.

        Parameters
        ----------
        level : float, default 0.05
            False-discovery rate, or for Holm's method the probability of any false rejection.

        Returns
        -------
        ndarray of bool, shape (n_marks, n_marks)
            Fit for `support` of `hawkeys.fit`; but a fit chosen so by the same events has standard
            errors that are too small.

        Raises
        ------
        InvalidParameterError
            `level` is not strictly between 0 and 1.
        """
        return self.adjusted <= check_fraction(level, "level")

    def to_frame(self) -> pd.DataFrame:
        """Return one row per entry.

        Returns
        -------
        pandas.DataFrame, shape (n_marks**2, 6)
            Columns target, source, estimate, statistic, pvalue and pvalue_adjusted.
        """
        import pandas as pd

        names = list(self.mark_names)
        return pd.DataFrame(
            {
                "target": np.repeat(names, len(names)),
                "source": names * len(names),
                "estimate": self.estimates.ravel(),
                "statistic": self.statistic.ravel(),
                "pvalue": self.pvalues.ravel(),
                "pvalue_adjusted": self.adjusted.ravel(),
            }
        )

    def plot(self, ax: Axes | None = None, *, level: float = 0.05) -> Axes:
        """Draw the adjusted p-values as a heat map, sources across and targets down.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw. Default: the current axes.
        level : float, default 0.05
            Entries with an adjusted p-value up to this are framed.

        Returns
        -------
        matplotlib.axes.Axes
            The axes drawn on. Hatched: not tested.

        Raises
        ------
        InvalidParameterError
            `level` is not strictly between 0 and 1.
        """
        from matplotlib.colors import LogNorm

        framed = self.rejected(level)
        axes = current_axes() if ax is None else ax
        shown = np.clip(self.adjusted, _SMALLEST_SHOWN, 1.0)
        image = axes.imshow(shown, cmap="Blues_r", norm=LogNorm(_SMALLEST_SHOWN, 1.0))
        self._mark_cells(axes, framed)
        label_marks(axes, self.mark_names)
        axes.set_title(f"framed: at most {level:g}", fontsize="medium")
        label = f"p-value ({self.correction})" if self.correction else "p-value"
        bar = axes.figure.colorbar(
            image, ax=axes, fraction=0.046, pad=0.04, extend="min", format=plain_numbers()
        )
        bar.set_label(label, fontsize="small")
        bar.ax.tick_params(labelsize="small")
        return axes

    def _mark_cells(self, axes: Axes, framed: BoolArray) -> None:
        """Hatch what was not tested, frame what is rejected, and write the p-values if few."""
        from matplotlib.patches import Rectangle

        for (i, j), pvalue in np.ndenumerate(self.adjusted):
            corner = (j - 0.5, i - 0.5)
            if np.isnan(pvalue):
                axes.add_patch(Rectangle(corner, 1, 1, fill=False, hatch="///", ec="0.7", lw=0))
                continue
            if framed[i, j]:
                axes.add_patch(Rectangle(corner, 1, 1, fill=False, ec="#d55e00", lw=2))
            if len(self.mark_names) <= _ANNOTATE_UP_TO:
                colour = "white" if pvalue < _LIGHT_TEXT else "black"
                text = _short(pvalue)
                axes.text(j, i, text, ha="center", va="center", color=colour, fontsize="small")

    def __repr__(self) -> str:
        tested = int((~np.isnan(self.pvalues)).sum())
        small = int(self.rejected().sum())
        other = "" if self.method == "mle" else f"method={self.method!r}, "
        return (
            f"EdgeTests(n_tests={tested}, correction={self.correction!r}, {other}"
            f"adjusted p-value up to 0.05: {small})"
        )


def edge_tests(
    result: Any,
    events: Any,
    *,
    correction: str | None = "benjamini-hochberg",
    verbose: Verbose = False,
    **windows: Any,
) -> EdgeTests:
    r"""Test for every pair of marks whether the source excites the target at all.

    The statistic of the hypothesis :math:`W_{ij} = 0` is
    :math:`T = 2 (l_{max} - l_{max | W_{ij} = 0})`, all other parameters maximised anew, at least 0.
    Its p-value is :math:`\tfrac12 P(\chi^2_1 \ge T)`, or 1 if T = 0; see Notes for kernels whose
    weights were estimated.

    Parameters
    ----------
    result : FitResult, RectifiedResult or NonlinearResult
        A fit by any method of `hawkeys.fit`, of `hawkeys.fit_rectified`, or of
        `hawkeys.fit_nonlinear` without penalty; weights, support, baseline and ties are kept. The
        test is one of the model, and not of how it was fitted: after another method than "mle" the
        likelihood of the same model is maximised first, and the tests are those of that maximum
        (see Notes).
    events : Events, frame, mapping or sequence
        The events of the fit; all but Events need ``end_time``.
    correction : str or None, default "benjamini-hochberg"
        Adjustment of the p-values for the number of tests: "benjamini-hochberg" for the
        false-discovery rate if the tests are independent or positively dependent,
        "benjamini-yekutieli" for the same under any dependence, "holm" for the probability of any
        false rejection.
    verbose : bool or callable, default False
        True shows how far it is on stderr; a function is called as ``verbose(what, done, total)``.
    **windows
        ``end_time``, ``start_time`` and all else that says how data are read, as for `hawkeys.fit`;
        marks are found by name.

    Returns
    -------
    EdgeTests
        Frozen: statistics, p-values, `to_frame`, `plot`.

    Raises
    ------
    InvalidParameterError
        The result is not of `hawkeys.fit`, is not of these events, or has estimated a kernel for
        each pair; the likelihood has no maximum that can be found; no such correction.
    InvalidEventsError
        `events` cannot be read, or have another number of marks.

    Warns
    -----
    EventsWarning
        Many events are simultaneous; the tests are not valid.
    ConvergenceWarning
        A profile needs more steps than allowed; its figures are NaN.

    Notes
    -----
    The hypothesis lies on the boundary of the parameters, so that T is a mixture of chi-square with
    0 and 1 degrees of freedom, half each, if the target's other parameters are above 0 (Self and
    Liang 1987, case 5): half of all p-values are 1 when the hypothesis is true.

    If some of the target's other parameters are 0 too, the weights and the components of the
    mixture are others, and they depend on which are 0, which is not known; the p-value stays what
    is said above. With one other parameter at 0 and estimates of correlation r, the test at 5 %
    rejects in the limit with probability .07 (r = .5), .03 (r = -.5) and at most .115 (r = 1). With
    10 marks and half of all entries 0 it rejected .041 (benchmarks/coverage_study.py).

    Of a `SumExponential` whose weights were estimated the hypothesis is that all components of the
    pair are 0, and T is a mixture of chi-square with 0 to K degrees of freedom, K the number of
    decays, with weights that depend on the information of the components (Shapiro 1985), here
    taken at the hypothesis. In 200 simulated data sets each the test at 5 % rejected a true
    hypothesis in 4.0 % (two decays, all components of the other entries above 0), 4.5 % (one of the
    two decays not in the truth) and 3.0 % (three decays) of them, with a standard error of 1.5 %.
    Entries that are tied are one test, counted once by `correction`.

    After another method than "mle" a kernel that was given is held and the search starts at the
    estimates, from which the one maximum of the concave likelihood is found. A decay or kernel that
    was estimated is estimated again by maximum likelihood, from the start, without its priors;
    priors and penalties take no part. So the tests equal those of `hawkeys.fit` by "mle".
    With inhibition or a link 0 is inside: the tests are two-sided, and T is chi-square with as many
    degrees of freedom as the pair has weights that the data determine (one with the rectified link;
    else one for each filter, and for each order of events that has kernels of its own).

    Other parameters of the kernel that were estimated are held at the estimate, which makes the
    p-values a little too small; a kernel estimated for each pair is refused, as it means nothing
    where the entry is 0. With weights other than 1 the log-likelihood is not that of the events,
    and the p-values are approximate.

    References
    ----------
    Self, S. G. and Liang, K.-Y. (1987). Asymptotic properties of maximum likelihood estimators and
    likelihood ratio tests under nonstandard conditions. Journal of the American Statistical
    Association 82, 605-610. doi:10.1080/01621459.1987.10478472

    Shapiro, A. (1985). Asymptotic distribution of test statistics in the analysis of moment
    structures under inequality constraints. Biometrika 72(1), 133-144, eq. 5.3.
    doi:10.1093/biomet/72.1.133

    Benjamini, Y. and Hochberg, Y. (1995). Controlling the false discovery rate: a practical and
    powerful approach to multiple testing. Journal of the Royal Statistical Society B 57, 289-300.
    doi:10.1111/j.2517-6161.1995.tb02031.x

    Examples
    --------
    >>> import hawkeys
    >>> truth = hawkeys.Hawkes([0.4, 0.2], [[0.3, 0.1], [0.0, 0.5]], decay=2.0)
    >>> sample = hawkeys.simulate(truth, end_time=2_000.0, rng=0)
    >>> tests = hawkeys.inference.edge_tests(hawkeys.fit(sample, decay=2.0), sample)
    >>> tests.rejected(0.05)
    array([[ True,  True],
           [False,  True]])
    """
    if correction is not None:
        check_choice(correction, "correction", _CORRECTIONS)
    events = events_of_fit(result, events, windows)
    if isinstance(result, LinkedResult):
        if isinstance(result.process, RectifiedHawkes):
            warn_about_ties(events, result.process.kernel, "edge_tests")
        return _of_linked(result, events, correction)
    _check_kernel(check_fit(result, "edge_tests").options)
    rows, method = likelihood_rows(result, events, "edge_tests")
    fitted = rows.result
    warn_about_ties(events, fitted.kernel, "edge_tests")
    wanted = fitted.identified.copy()
    where = rows.columns.map
    wanted[:, : where.n_pieces] = False
    pairs = np.s_[:, where.n_pieces :]
    with told(verbose, "Testing pairs", len(rows.columns.estimates)) as done:
        _, _, fall = profile_figures(rows, wanted, np.inf, done)
    statistic = 2.0 * fall[pairs]
    weights = weights_at_zero(rows, wanted)[pairs]
    pvalues = mixture_tail(statistic, weights)
    return EdgeTests(
        estimates=np.where(wanted[pairs], fitted.adjacency, np.nan),
        statistic=statistic,
        pvalues=pvalues,
        adjusted=_adjust_distinct(pvalues, where.identities[pairs], correction),
        correction=correction,
        mark_names=fitted.process.mark_names,
        method=method,
    )


def _of_linked(result: LinkedResult, events: Events, correction: str | None) -> EdgeTests:
    """Return the tests of a process with inhibition or a link."""
    estimates, statistic, pvalues, method = linked_edges(result, events)
    return EdgeTests(
        estimates=estimates,
        statistic=statistic,
        pvalues=pvalues,
        adjusted=_adjust(pvalues, correction),
        correction=correction,
        mark_names=result.process.mark_names,
        method=method,
    )


def _check_kernel(options: Any) -> None:
    groups = options.get("groups", "shared")
    if options.get("decay_sharing") == "pair" or (isinstance(groups, str) and groups == "edge"):
        raise InvalidParameterError(
            "edge_tests cannot test a fit that estimated a kernel for every pair: without "
            "excitation a pair has no kernel. Estimate a shared kernel, or give the decay."
        )


def _adjust_distinct(pvalues: FloatArray, names: IntArray, correction: str | None) -> FloatArray:
    """Return the adjusted p-values; entries of one name are one test."""
    _, first, back = np.unique(names, return_index=True, return_inverse=True)
    adjusted = _adjust(pvalues.ravel()[first], correction)[back].reshape(pvalues.shape)
    return np.where(np.isnan(pvalues), np.nan, adjusted)


def _adjust(pvalues: FloatArray, correction: str | None) -> FloatArray:
    """Return the adjusted p-values; NaN stays and does not count."""
    from scipy.stats import false_discovery_control

    out = pvalues.copy()
    known = ~np.isnan(pvalues)
    if correction is None or not known.any():
        return out
    if correction == "holm":
        out[known] = _holm(pvalues[known])
    else:
        method = "bh" if correction == "benjamini-hochberg" else "by"
        out[known] = false_discovery_control(pvalues[known], method=method)
    return out


def _holm(pvalues: FloatArray) -> FloatArray:
    """Return Holm's step-down p-values (1979, Scandinavian Journal of Statistics 6, 65-70)."""
    order = np.argsort(pvalues)
    factors = np.arange(pvalues.size, 0, -1)
    out = np.empty_like(pvalues)
    out[order] = np.minimum(np.maximum.accumulate(factors * pvalues[order]), 1.0)
    return out


def _short(pvalue: float) -> str:
    return f"<{_SMALLEST_SHOWN:g}" if pvalue < _SMALLEST_SHOWN else f"{pvalue:.2g}"
