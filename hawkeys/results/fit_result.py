"""`FitResult`: what every fit returns, frozen, complete and readable without the data."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from hawkeys._typing import BoolArray, FloatArray
from hawkeys.baselines import Constant, baseline_from_dict
from hawkeys.kernels import (
    Exponential,
    Gamma,
    Kernel,
    LogNormal,
    PowerLaw,
    SumExponential,
    kernel_from_dict,
)
from hawkeys.kernels.productive import spread_of
from hawkeys.process import Hawkes
from hawkeys.results.base import Result
from hawkeys.results.few_events import FEW_EVENTS, events_per_parameter, few_events, shape_note

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FitResult"]


@dataclass(frozen=True, eq=False, repr=False)
class FitResult(Result):
    """What every fit returns; see `LikelihoodResult` and `VariationalResult`.

    Attributes
    ----------
    process : Hawkes
        The fitted process. A parameter that the data do not identify is 0 in it, or, where a decay
        or kernel has run into a limit, what goes with its bound (see `message`).
    method : str
        Name of the inference method.
    log_likelihood : float
        Log-likelihood of the data under `process`, in nats: natural log, summed, nothing dropped.
    objective : float
        What was maximised: log-likelihood, log posterior or evidence bound, in nats.
    optimality_gap : float
        What is still to gain, in nats: an upper bound for likelihood methods whose kernel is given,
        by gradient and curvature nearby for estimated log-normal and gamma kernels, extrapolated
        for histograms and for "vi_branching" with an estimated kernel, the promise of the next step
        for deterministic variational inference, NaN for the stochastic form.
    converged : bool
        Whether every target mark met the tolerance.
    message : str
        Why the method stopped.
    n_iterations : int
        Most steps taken by any target mark.
    trace : ndarray, shape (n_steps,)
        Objective along the way, in nats.
    identified : ndarray of bool, shape (n_marks, n_marks + 1)
        Baseline, then adjacency row, of each target: False where the data say nothing, and for
        what is `held`.
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
    n_kernel_parameters : int
        Number of kernel parameters estimated along with the others; 0 if the kernel was given.
        Standard errors hold the kernel at its estimate, but for the weights of `SumExponential` and
        the parameters of log-normal and gamma kernels, which are part of the same problem.
    unit : str or None
        Unit of time of the data if it was told (``unit=`` of `hawkeys.fit`): "s", "day" and so on.
    """

    schema: ClassVar[str] = "hawkeys-fit/2"
    kind: ClassVar[str] = "fit"

    process: Hawkes
    method: str
    log_likelihood: float
    objective: float
    optimality_gap: float
    converged: bool
    message: str
    n_iterations: int
    trace: FloatArray
    identified: BoolArray
    event_counts: np.ndarray
    n_realizations: int
    total_time: float
    options: Mapping[str, Any]
    version: str
    n_kernel_parameters: int = field(default=0, kw_only=True)
    unit: str | None = field(default=None, kw_only=True)

    @property
    def kernel(self) -> Kernel:
        """Excitation kernel of the fit."""
        return self.process.kernel

    @property
    def estimates(self) -> FloatArray:
        """Baseline and adjacency side by side, shape (n_marks, n_marks + 1).

        A baseline that changes over time has a column for each piece; so have `identified`,
        `std_err` and the bounds.
        """
        return np.column_stack((self.process.baseline_function.known_rates, self.adjacency))

    @property
    def held(self) -> BoolArray:
        """What the caller held, shape (n_marks, n_marks + 1).

        A baseline whose rates were given, and at 0 the pairs outside the support.
        """
        out = self._excluded
        out[:, : -self.adjacency.shape[0]] = self._baseline_given
        return out

    @property
    def _baseline_given(self) -> bool:
        """Whether the rates of the baseline were given."""
        given = self.options.get("baseline")
        if isinstance(given, Mapping):  # as a file has it
            given = baseline_from_dict(dict(given))
        return given is not None and given.known

    @property
    def at_bound(self) -> BoolArray:
        """Whether an identified estimate is exactly 0, shape (n_marks, n_marks + 1)."""
        return self.identified & (self.estimates == 0)

    @property
    @abstractmethod
    def std_err(self) -> FloatArray:
        """Standard error (or posterior sd), shape (n_marks, n_marks + 1)."""

    @abstractmethod
    def interval(self, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
        """Return lower and upper bounds; subclasses say of which kind."""

    def to_frame(self, *, level: float = 0.95) -> pd.DataFrame:
        """Return one row per parameter.

        Parameters
        ----------
        level : float, default 0.95
            Level of the intervals.

        Returns
        -------
        pandas.DataFrame, shape (n_marks * (n_marks + 1), 9)
            Columns parameter ("baseline" or "adjacency"), target, source, estimate, std_err, lower,
            upper, at_bound, identified. Of a parameter that is not identified the numbers are NaN;
            of what is `held` the estimate is its value, and the others are NaN.
            A baseline that changes over time has one row per piece, with the piece as source.

        Raises
        ------
        InvalidParameterError
            `level` is not strictly between 0 and 1.
        """
        import pandas as pd

        lower, upper = self.interval(level)
        names = self.process.mark_names
        size = len(names)
        pieces = self._pieces
        order = _baseline_first(size, len(pieces))
        blank = np.where(self.identified | self.held, 1.0, np.nan)
        columns = {
            "estimate": self.estimates * blank,
            "std_err": self.std_err,
            "lower": lower,
            "upper": upper,
            "at_bound": self.at_bound,
            "identified": self.identified,
        }
        frame = pd.DataFrame(
            {
                "parameter": ["baseline"] * (len(pieces) * size) + ["adjacency"] * size**2,
                "target": [*np.repeat(names, len(pieces)), *np.repeat(names, size)],
                "source": [*pieces * size, *names * size],
            }
        )
        return frame.assign(**{key: value.ravel()[order] for key, value in columns.items()})

    def _record(self) -> dict[str, Any]:
        """Return the fields as plain JSON types, with the kind of fit."""
        return super()._record() | {"kind": self.kind}

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(method={self.method!r}, n_marks={self.process.n_marks}, "
            f"n_realizations={self.n_realizations}, n_events={self.n_events}, "
            f"log_likelihood={self.log_likelihood:.6g}, converged={self.converged})"
        )

    @property
    def _pieces(self) -> tuple[str | None, ...]:
        """Labels of the pieces of the baseline; none of a constant."""
        function = self.process.baseline_function
        return (None,) if isinstance(function, Constant) else function.labels

    def _notes(self, level: float) -> list[str]:
        notes = super()._notes(level)
        if self._baseline_given:
            notes.append("The baseline was given: held (-).")
        few = few_events(self)
        if few.any():
            least = float(np.min(events_per_parameter(self)))
            notes.append(
                f"{few.sum()} of {few.size} targets have fewer than {FEW_EVENTS:g} events per "
                f"parameter (fewest: {least:.2g}): {self._few_note()} Estimate less: "
                "hawkeys.inference.penalty_path, or support= for the pairs that can excite."
            )
        shape = shape_note(self)
        if shape is not None:
            notes.append(shape)
        return notes

    def _few_note(self) -> str:
        """Return what few events per parameter do to this kind of fit, in a sentence."""
        return "the adjacency is estimated too large on the whole, and intervals may not hold."

    def _title(self) -> str:
        return f"Hawkes process by {self.method}"

    def _facts(self) -> dict[str, str]:
        function = self.process.baseline_function
        constant = isinstance(function, Constant)
        kinds = Exponential | SumExponential
        decays = self.unit is not None and isinstance(spread_of(self.kernel), kinds)
        per = f" per {self.unit}" if decays else ""
        return {
            "Events": f"{self.n_events}",
            "Log-likelihood": f"{self.log_likelihood:.6f}",
            "Realisations": self._realizations_and_marks,
            "Spectral radius": f"{self.process.spectral_radius:.4g}{self._unfounded}",
            "Total time": self._total_time,
            **self._past,
            "Kernel": f"{self._shown_kernel!r}{per}",
            **self._shown_productivity,
            **({} if constant else {"Baseline": repr(function)}),
            "Converged": f"{self.converged} ({self.message})",
        }

    @property
    def _unfounded(self) -> str:
        """What stands behind the spectral radius if its excitation has run into a limit."""
        size = self.adjacency.shape[0]
        known = self.identified[:, -size:] | self.held[:, -size:]
        return " (not identified)" if (self.adjacency[~known] > 0).any() else ""

    @property
    def _shown_kernel(self) -> Kernel:
        """The kernel without a productivity, what was estimated with as few digits as the rest."""
        kernel = spread_of(self.kernel)
        if isinstance(kernel, LogNormal | Gamma | PowerLaw) and self.n_kernel_parameters:
            return kernel_from_dict(_rounded(kernel.to_dict()))
        errors = getattr(self, "kernel_std_err", None) or {}
        if isinstance(kernel, SumExponential) and "decays" in errors:
            return SumExponential([float(f"{d:.4g}") for d in kernel.decays], kernel.weights)
        if not isinstance(kernel, Exponential) or not self.n_kernel_parameters:
            return kernel
        digits = [float(f"{decay:.4g}") for decay in kernel.decay.ravel()]
        return Exponential(np.reshape(digits, kernel.decay.shape))

    @property
    def _shown_productivity(self) -> dict[str, str]:
        """How values act, for the summary, without their law; empty if they do not."""
        acting = self.process.productivity
        return {} if acting is None else {"Productivity": repr(acting.replaced(law=None))}

    @property
    def _past(self) -> dict[str, str]:
        """What the likelihood is conditional on, for the summary."""
        past = self.options.get("history")
        where = "outside" if past is not None and "owners" in past else "before"
        return {} if past is None else {"Given": f"{len(past['times'])} events {where} the windows"}


def _rounded(record: Any) -> Any:
    """Return a record, or a part of it, with four digits of its fractions."""
    if isinstance(record, dict):
        return {name: _rounded(value) for name, value in record.items()}
    if isinstance(record, list):
        return [_rounded(value) for value in record]
    return float(f"{record:.4g}") if isinstance(record, float) else record


def _baseline_first(size: int, n_pieces: int) -> np.ndarray:
    """Return the order that takes (n_marks, n_pieces + n_marks) rows to baselines first."""
    index = np.arange(size * (size + n_pieces)).reshape(size, -1)
    return np.concatenate((index[:, :n_pieces].ravel(), index[:, n_pieces:].ravel()))
