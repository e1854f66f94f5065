"""`RectifiedResult`: a fitted process with inhibition, frozen and readable without the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys.kernels import Kernel
from hawkeys.process.rectified import RectifiedHawkes
from hawkeys.results.by_name import wald_pvalues
from hawkeys.results.nonlinear import LinkedResult

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RECTIFIED_SCHEMA", "RectifiedResult"]

RECTIFIED_SCHEMA = "hawkeys-rectified-fit/2"


@dataclass(frozen=True, eq=False, repr=False)
class RectifiedResult(LinkedResult):
    """Maximum likelihood of a process with inhibition; see `hawkeys.fit_rectified`.

    Attributes
    ----------
    process : RectifiedHawkes
        The fitted process.
    method : str
        "rectified mle".
    log_likelihood : float
        Log-likelihood of the data under `process`, in nats, unweighted, nothing dropped.
    to_gain : float
        What the next steps promised, in nats, summed over targets.
    gradient_norm : float
        Largest violation of the optimality conditions: a derivative by the baseline over the total
        time, or by the adjacency over one plus the number of events of the source; no unit.
    converged : bool
        Whether every target mark met the tolerance, with no estimated decay at an edge.
    message : str
        Why the method stopped.
    n_iterations : int
        Most steps of any target mark, at its decay.
    trace : ndarray, shape (n_steps,)
        Weighted log-likelihood along the way, at the final decays.
    identified : ndarray of bool, shape (n_marks, n_marks + 1)
        Baseline, then adjacency row, of each target: False where the data say nothing, or where any
        stronger inhibition is as good, or where an estimated decay is not identified.
    at_bound : ndarray of bool, shape (n_marks, n_marks + 1)
        A baseline of 0, or inhibition at the strongest value that is tried (-1e6).
    information : ndarray, shape (n_marks, p, p)
        Observed information of each target's baseline, adjacency row and, if it was estimated,
        decay: p is n_marks + 1 or n_marks + 2. Standard errors invert it over the parameters that
        are identified and not at a bound; all others have NaN, in the intervals too.
    decay_identified : ndarray of bool, shape (n_marks,)
        Where the decay was estimated and can be told from the edges of its range.
    event_counts : ndarray of int, shape (n_marks,)
        Events per mark.
    n_realizations : int
        Number of realisations.
    total_time : float
        Sum of the window lengths.
    options : mapping
        Options of the method.
    version : str
        Version of hawkeys that made the fit.
    """

    schema: ClassVar[str] = RECTIFIED_SCHEMA

    process: RectifiedHawkes
    method: str
    log_likelihood: float
    to_gain: float
    gradient_norm: float
    converged: bool
    message: str
    n_iterations: int
    trace: FloatArray
    identified: BoolArray
    at_bound: BoolArray
    information: FloatArray
    decay_identified: BoolArray
    event_counts: IntArray
    n_realizations: int
    total_time: float
    options: Mapping[str, Any]
    version: str
    unit: str | None = None

    @property
    def decay(self) -> FloatArray:
        """Decay of each target mark, shape (n_marks,), per unit of time."""
        return self.process.decay

    @property
    def kernel(self) -> Kernel:
        """Kernel with the decay of each target along its row."""
        return self.process.kernel

    @property
    def decay_estimated(self) -> bool:
        """Whether the decays were estimated, one per target mark."""
        return self.information.shape[1] == self.baseline.size + 2

    @property
    def n_parameters(self) -> int:
        """Number of identified parameters, estimated decays included; those at a bound count."""
        return int(self.identified.sum() + self.decay_identified.sum())

    @property
    def estimates(self) -> FloatArray:
        """Baseline and adjacency side by side, shape (n_marks, n_marks + 1)."""
        return np.column_stack((self.baseline, self.adjacency))

    def with_parameters(self, estimates: FloatArray) -> RectifiedHawkes:
        """Return the process with other parameters and the same decays.

        Parameters
        ----------
        estimates : ndarray of float64, shape (n_marks, n_marks + 1)
            Baseline, then adjacency row, of each target.

        Returns
        -------
        RectifiedHawkes
            With the marks of the fit.
        """
        names = self.process.mark_names
        return RectifiedHawkes(
            estimates[:, 0], estimates[:, 1:], decay=self.decay, mark_names=names
        )

    @property
    def _free(self) -> BoolArray:
        free = self.identified & ~self.at_bound
        return np.column_stack((free, self.decay_identified)) if self.decay_estimated else free

    @property
    def pvalues(self) -> FloatArray:
        r"""Two-sided Wald p-values of the adjacency, shape (n_marks, n_marks), target by source.

        Of the hypothesis that an entry is 0: :math:`2 (1 - \Phi(|\hat W| / \mathrm{se}))`; NaN
        where there is no standard error, at a bound too.
        """
        errors, bound = self.std_err[:, 1:], self.at_bound[:, 1:]
        return wald_pvalues(self.adjacency, errors, bound, signed=True)

    @property
    def decay_std_err(self) -> FloatArray:
        """Standard errors of `decay`, shape (n_marks,); NaN if it was given."""
        if not self.decay_estimated:
            return np.full(self.baseline.size, np.nan)
        variance = self.covariance[:, -1, -1]
        return np.sqrt(np.where(variance > 0, variance, np.nan))

    def to_frame(self, *, level: float = 0.95) -> pd.DataFrame:
        """Return one row per parameter.

        Parameters
        ----------
        level : float, default 0.95
            Level of the intervals.

        Returns
        -------
        pandas.DataFrame, shape (n_marks * (n_marks + 1), 9), or n_marks rows more
            Columns parameter ("baseline", "adjacency", and "decay" if it was estimated), target,
            source, estimate, std_err, lower, upper, at_bound, identified. The interval of a decay
            is a Wald interval of its logarithm.

        Raises
        ------
        InvalidParameterError
            `level` is not strictly between 0 and 1.
        """
        import pandas as pd

        names, size = list(self.process.mark_names), self.baseline.size
        columns = {
            "estimate": self.estimates,
            "std_err": self.std_err,
            "lower": self.conf_int(level)[0],
            "upper": self.conf_int(level)[1],
            "at_bound": self.at_bound,
            "identified": self.identified,
        }
        flat = {key: np.append(v[:, 0], v[:, 1:].ravel()) for key, v in columns.items()}
        frame = pd.DataFrame(
            {
                "parameter": ["baseline"] * size + ["adjacency"] * size**2,
                "target": [*names, *np.repeat(names, size)],
                "source": [None] * size + names * size,
                **flat,
            }
        )
        return pd.concat([frame, self._decay_frame(level)]) if self.decay_estimated else frame

    def _decay_frame(self, level: float) -> pd.DataFrame:
        import pandas as pd

        quantile = NormalDist().inv_cdf(0.5 + 0.5 * level)
        reach = np.exp(quantile * self.decay_std_err / self.decay)
        index = self.baseline.size * (self.baseline.size + 1) + np.arange(self.baseline.size)
        return pd.DataFrame(
            {
                "parameter": "decay",
                "target": self.process.mark_names,
                "source": None,
                "estimate": self.decay,
                "std_err": self.decay_std_err,
                "lower": self.decay / reach,
                "upper": self.decay * reach,
                "at_bound": False,
                "identified": self.decay_identified,
            },
            index=index,
        )

    def _title(self) -> str:
        return "Hawkes process with inhibition by mle"

    def _interval_name(self) -> str:
        return "Wald intervals; none at a bound"

    def _facts(self) -> dict[str, str]:
        return {
            "Events": f"{self.n_events}",
            "Log-likelihood": f"{self.log_likelihood:.6f}",
            "Realisations": self._realizations_and_marks,
            "AIC": f"{self.aic:.4f}",
            "Total time": self._total_time,
            "BIC": f"{self.bic:.4f}",
            "Gradient norm": f"{self.gradient_norm:.1e}",
            "Converged": f"{self.converged} ({self.message})",
        }

    def __repr__(self) -> str:
        return (
            f"RectifiedResult(n_marks={self.baseline.size}, n_realizations={self.n_realizations}, "
            f"n_events={self.n_events}, log_likelihood={self.log_likelihood:.6g}, "
            f"converged={self.converged})"
        )
