"""`PenaltyPath`: fits along a range of penalty strengths, and the choice among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys._validation import check_choice, check_nonnegative_number
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference.examine import quietly
from hawkeys.inference.fit_pooled import fit
from hawkeys.inference.priors.penalties import Penalty
from hawkeys.kernels import Kernel
from hawkeys.plotting._axes import current_axes, label_logarithms
from hawkeys.results.fit_result import FitResult

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["PenaltyPath"]

_RULES = ("ebic", "cv", "cv-1se")
_LABELLED = 8


@dataclass(frozen=True, eq=False, repr=False)
class PenaltyPath:
    """Penalised fits at decreasing strengths; `hawkeys.inference.penalty_path` makes it.

    Attributes
    ----------
    penalty : Penalty
        The penalty at strength 1; along the path its adjacency strengths are multiplied.
    strengths : ndarray, shape (n_strengths,)
        Multiples, largest first.
    coefficients : ndarray, shape (n_strengths, n_marks, n_pieces + n_marks)
        Baseline (its pieces), then adjacency row, of each target.
    log_likelihood : ndarray, shape (n_strengths,)
        Log-likelihood of each fit, in nats, realisations weighted as asked for.
    refit_log_likelihood : ndarray, shape (n_strengths,)
        The same, maximised without penalty over the entries that are not 0.
    n_admissible : int
        Number of pairs that the support admits.
    cv_log_likelihood : ndarray, shape (n_strengths, n_folds), or None
        Log-likelihood of each fold under the fit of the others.
    fold_kind : str
        What was held out: "realisations" or "blocks of time".
    optimality_gap : ndarray, shape (n_strengths,)
        What is still to gain at most, in nats.
    converged : ndarray of bool, shape (n_strengths,)
        Whether the tolerance was met.
    events : Events
        The data.
    kernel : Kernel
        Kernel of all fits.
    options : mapping
        What `hawkeys.fit` is given besides.
    """

    penalty: Penalty
    strengths: FloatArray
    coefficients: FloatArray
    log_likelihood: FloatArray
    refit_log_likelihood: FloatArray
    n_admissible: int
    cv_log_likelihood: FloatArray | None
    fold_kind: str
    optimality_gap: FloatArray
    converged: BoolArray
    events: Events
    kernel: Kernel
    options: Mapping[str, Any]

    @property
    def adjacency(self) -> FloatArray:
        """Adjacency of each fit, shape (n_strengths, n_marks, n_marks)."""
        return self.coefficients[:, :, -self.events.n_marks :]

    @property
    def n_nonzero(self) -> IntArray:
        """Number of adjacency entries above 0 of each fit, shape (n_strengths,)."""
        return np.count_nonzero(self.adjacency, axis=(1, 2))

    def ebic(self, gamma: float = 0.5) -> FloatArray:
        r"""Return the extended Bayesian information criterion of each fit's support.

        .. math:: -2 \hat\ell + k \log n + 2 \gamma \log \binom{p}{k_W},

        with :math:`\hat\ell` maximised over the support without penalty, k the number of
        parameters above 0, :math:`k_W` those of them in the adjacency, p the number of admissible
        pairs and n the number of events.

        Parameters
        ----------
        gamma : float, default 0.5
            Weight >= 0 of the number of supports of that size; 0 gives the ordinary criterion.

        Returns
        -------
        ndarray of float64, shape (n_strengths,)
            Smaller is better.

        Raises
        ------
        InvalidParameterError
            `gamma` is negative.

        Notes
        -----
        With 5 of 16 pairs of adjacency 0.3 or 0.4 and 1,700 events it chose exactly these pairs in
        97 of 100 simulated samples (Lasso path of 15 strengths).

        References
        ----------
        Chen, J. and Chen, Z. (2008). Extended Bayesian information criteria for model selection
        with large model spaces. Biometrika 95, 759-771, eq. 2. doi:10.1093/biomet/asn034
        """
        from scipy.special import gammaln

        weight = check_nonnegative_number(gamma, "gamma")
        chosen, p = self.n_nonzero, self.n_admissible
        supports = gammaln(p + 1) - gammaln(chosen + 1) - gammaln(p - chosen + 1)
        k = np.count_nonzero(self.coefficients, axis=(1, 2))
        size = np.log(max(self.events.n_events, 1))
        return -2.0 * self.refit_log_likelihood + k * size + 2.0 * weight * supports

    @property
    def cv_total(self) -> FloatArray:
        """Log-likelihood of held-out data, summed over folds, shape (n_strengths,).

        Raises
        ------
        InvalidParameterError
            The path was made without cross-validation.
        """
        return self._held_out().sum(axis=1)

    @property
    def cv_std_err(self) -> FloatArray:
        """Standard error of `cv_total` from the spread over folds, shape (n_strengths,).

        Raises
        ------
        InvalidParameterError
            The path was made without cross-validation.
        """
        values = self._held_out()
        n_folds = values.shape[1]
        finite = np.where(np.isfinite(values), values, np.nan)
        return np.sqrt(n_folds * np.var(finite, axis=1, ddof=1))

    def index(self, rule: str = "ebic", *, gamma: float = 0.5) -> int:
        """Return which strength a rule chooses.

        Parameters
        ----------
        rule : {"ebic", "cv", "cv-1se"}, default "ebic"
            Smallest extended information criterion; largest held-out log-likelihood; or the
            largest strength whose held-out log-likelihood is within one standard error of that.
        gamma : float, default 0.5
            As for `ebic`.

        Returns
        -------
        int
            Index into `strengths`; the larger strength of two that are equally good.

        Raises
        ------
        InvalidParameterError
            No such rule, or cross-validation is asked for and was not done.
        """
        if check_choice(rule, "rule", _RULES) == "ebic":
            return int(np.argmin(self.ebic(gamma)))
        total = self.cv_total
        best = int(np.argmax(total))
        if rule == "cv":
            return best
        return int(np.flatnonzero(total >= total[best] - self.cv_std_err[best])[0])

    def choose(self, rule: str = "ebic", *, gamma: float = 0.5) -> FitResult:
        """Return the penalised fit at the strength that a rule chooses.

        Parameters
        ----------
        rule : {"ebic", "cv", "cv-1se"}, default "ebic"
            As for `index`.
        gamma : float, default 0.5
            As for `ebic`.

        Returns
        -------
        LikelihoodResult
            As ``hawkeys.fit(..., method="map", prior=penalty.scaled(strength))`` returns it. For
            estimates that are not shrunk, fit by ``method="mle"`` with
            ``support=result.adjacency > 0``.

        Raises
        ------
        InvalidParameterError
            As for `index`.
        """
        strength = float(self.strengths[self.index(rule, gamma=gamma)])
        prior = self.penalty.scaled(strength)
        with quietly():
            return fit(self.events, kernel=self.kernel, method="map", prior=prior, **self.options)

    def to_frame(self, *, gamma: float = 0.5) -> pd.DataFrame:
        """Return one row per strength.

        Parameters
        ----------
        gamma : float, default 0.5
            As for `ebic`.

        Returns
        -------
        pandas.DataFrame, shape (n_strengths, 7)
            Columns strength, n_nonzero, log_likelihood, refit_log_likelihood, ebic, cv_total and
            cv_std_err (NaN without cross-validation).

        Raises
        ------
        InvalidParameterError
            `gamma` is negative.
        """
        import pandas as pd

        done = self.cv_log_likelihood is not None
        return pd.DataFrame(
            {
                "strength": self.strengths,
                "n_nonzero": self.n_nonzero,
                "log_likelihood": self.log_likelihood,
                "refit_log_likelihood": self.refit_log_likelihood,
                "ebic": self.ebic(gamma),
                "cv_total": self.cv_total if done else np.nan,
                "cv_std_err": self.cv_std_err if done else np.nan,
            }
        )

    def plot(self, ax: Axes | None = None, *, rule: str = "ebic") -> Axes:
        """Draw the adjacency entries against the strength, and the strength chosen.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw. Default: the current axes.
        rule : {"ebic", "cv", "cv-1se"}, default "ebic"
            As for `index`.

        Returns
        -------
        matplotlib.axes.Axes
            The axes drawn on. Entries that are not 0 at the choice are in colour, the largest of
            them in the legend; the others are grey.

        Raises
        ------
        InvalidParameterError
            As for `index`.
        """
        from matplotlib import colormaps

        axes = current_axes() if ax is None else ax
        at = self.index(rule)
        names, lines = self.events.mark_names, self.adjacency.reshape(self.strengths.size, -1)
        order = np.argsort(-lines[at], kind="stable")
        colours = colormaps["viridis"](np.linspace(0.0, 0.9, max(1, int((lines[at] > 0).sum()))))
        for rank, column in enumerate(order):
            kept = lines[at, column] > 0
            target, source = divmod(int(column), len(names))
            axes.plot(
                self.strengths,
                lines[:, column],
                color=colours[rank] if kept else "0.75",
                lw=1.5 if kept else 0.8,
                zorder=2 if kept else 1,
                label=f"{names[source]} to {names[target]}" if kept and rank < _LABELLED else None,
            )
        chosen = f"{rule}: {self.n_nonzero[at]} of {self.n_admissible} entries"
        axes.axvline(self.strengths[at], color="#d55e00", ls="--", lw=1.0, label=chosen)
        axes.set_xscale("log")
        label_logarithms(axes.xaxis)
        axes.set_ylim(bottom=0.0)
        axes.set_xlabel("strength of the penalty")
        axes.set_ylabel("adjacency")
        axes.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1.0, 1.0))
        return axes

    def __repr__(self) -> str:
        return (
            f"PenaltyPath(penalty={self.penalty!r}, n_strengths={self.strengths.size}, "
            f"strengths={self.strengths[0]:.4g}..{self.strengths[-1]:.4g}, "
            f"n_nonzero={self.n_nonzero[0]}..{self.n_nonzero[-1]})"
        )

    def _held_out(self) -> FloatArray:
        if self.cv_log_likelihood is None:
            raise InvalidParameterError(
                "this path was made without cross-validation; make it with n_folds=5, say, or "
                "choose by 'ebic'."
            )
        return self.cv_log_likelihood
