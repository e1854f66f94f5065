"""`hawkeys.fit` of events on disk: one process for all partitions, of which one is in memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from hawkeys._typing import ArrayLike, BoolArray, FloatArray, RandomState
from hawkeys._validation import brief, in_order
from hawkeys.baselines import Baseline
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference.decay.choice import choose_decay
from hawkeys.inference.decay.errors import beside_decays
from hawkeys.inference.decay.options import DecaySearch, split_search
from hawkeys.inference.methods import Method, choose_method, name_of_method, row_seeds
from hawkeys.inference.on_disk.bounds import PartitionedBounds
from hawkeys.inference.on_disk.decay import PartitionedDecays, moves_over_partitions
from hawkeys.inference.on_disk.productivity import with_values
from hawkeys.inference.on_disk.rows import PartitionedRows
from hawkeys.inference.on_disk.solve import check_prior, likelihood_at, solve_partitioned
from hawkeys.inference.on_disk.task import Memory, PartitionedTask, bytes_of
from hawkeys.inference.outcome import partitioned_result
from hawkeys.inference.rows.solution import Solution
from hawkeys.inference.rows.variational import solve_vi
from hawkeys.inference.task import split_model
from hawkeys.kernels import DelayedKernel, Exponential, Kernel, PowerLaw, SumExponential
from hawkeys.kernels.productive import spread_of
from hawkeys.partitions import PartitionedEvents
from hawkeys.process.hawkes import choose_kernel
from hawkeys.results import LikelihoodResult
from hawkeys.results.decay_profile import DecayProfile
from hawkeys.results.fit_result import FitResult

__all__ = ["FittedOnDisk", "PartitionedFit"]

_MEMORY = "1GB"
_METHODS = ("mle", "map", "vi")


class FittedOnDisk(NamedTuple):
    """A result, and what `warn_about_fit` judges it by: its arguments, in their order."""

    result: FitResult
    converged: BoolArray
    data: PartitionedEvents
    seen: FloatArray | None


@dataclass(frozen=True, eq=False)
class PartitionedFit:
    """What `hawkeys.fit` is asked of events on disk, checked.

    Attributes
    ----------
    task : PartitionedTask
        Data and model.
    how : tuple of Method and its options
        Maximum likelihood, posterior mode or variational inference.
    kernel : Kernel or None
        None if decays are searched.
    search : DecaySearch or None
        How, if they are.
    """

    task: PartitionedTask
    how: tuple[Method, Any]
    kernel: Kernel | None
    search: DecaySearch | None

    @classmethod
    def check(
        cls,
        data: PartitionedEvents,
        decay: ArrayLike | str | None,
        kernel: Kernel | None,
        method: str,
        options: dict[str, Any],
    ) -> PartitionedFit:
        """Check what `hawkeys.fit` was given; those that are None were not.

        The support is among the options, and `memory`: how much may be kept from one pass to the
        next, such as "2GB" or a number of bytes.

        Raises `InvalidParameterError` for what is wrong, or takes the events in memory.
        """
        name = _method_on_disk(method)
        given = {key: value for key, value in options.items() if value is not None}
        productivity = given.pop("productivity", None)
        search, rest = split_search(decay, kernel, given)
        if search is not None and name == "vi":
            raise InvalidParameterError(
                "a decay can be estimated or chosen with the methods 'mle' and 'map'; got 'vi'. "
                "Choose the decay by maximum likelihood first and give it."
            )
        excitation = (
            None if search else choose_kernel(in_order(decay, data.mark_names, "decay"), kernel)
        )
        _refuse_unknown(excitation)
        excitation = with_values(data, excitation, productivity)
        model, others = split_model(rest)
        memory = Memory(bytes_of(others.pop("memory", _MEMORY)))
        support = in_order(others.pop("support", None), data.mark_names, "support")
        how = choose_method(name, others)
        task = PartitionedTask.check(data, support, model, memory)
        if task.baseline.known:
            raise InvalidParameterError(
                f"of events on disk all rates of a baseline are estimated; {brief(task.baseline)} "
                "has them given. Leave them out, or write baseline.with_rates(None)."
            )
        for component in () if excitation is None else excitation.components:
            component.check_marks(data.n_marks)
        check_prior(task, excitation or Exponential(1.0), how[1])
        return cls(task, how, excitation, search)

    @property
    def examined(self) -> tuple[Events, Kernel | None, Baseline]:
        """What `examine` judges: the first partition stands for all."""
        return self.task.events(0), self.kernel, self.task.baseline

    def run(self, rng: RandomState) -> FittedOnDisk:
        """Fit, each Newton step in one pass over the partitions; `rng` is for posteriors.

        Returns the result as of all events in memory, but for what `warn_about_fit` says of it.
        """
        kernel, profile = self.kernel, None
        if self.search is not None:
            profile = choose_decay(PartitionedDecays(self.task, *self.how), self.search)
            kernel = Exponential(profile.chosen)
        rows = PartitionedRows.of(self.task, kernel or Exponential(1.0))
        solution, value = self._solve(rows, rng)
        found = self._result(rows, solution, value)
        if profile is not None and self.search is not None and isinstance(found, LikelihoodResult):
            found = self._with_profile(found, solution.x, self.search, profile)
        seen = rows.known().cost[:, 1:] if rows.template.is_plain else None
        data, converged = self.task.data, rows.template.by_target(solution.converged)
        return FittedOnDisk(replace(found, unit=data.unit), converged, data, seen)

    def _solve(self, rows: PartitionedRows, rng: RandomState) -> tuple[Solution, float]:
        """Return the solution, and the log-likelihood there."""
        method, settings = self.how
        if method.name == "vi":
            bounds = PartitionedBounds.of(rows, settings.likelihood_weight)
            solution = solve_vi(bounds, settings, row_seeds(rng, bounds.n_blocks), keep=True)
            return solution, rows.log_likelihood(solution.x)
        solution = solve_partitioned(rows, self.how)
        return solution, likelihood_at(rows, settings, solution)

    def _result(self, rows: PartitionedRows, solution: Solution, value: float) -> FitResult:
        """Return the result but for what a search of decays adds."""
        seen = rows.known().marks.astype(np.int64), value
        task = self.task
        found = partitioned_result(
            task.data, task.model, rows.kernel, rows.template, solution, self.how, seen
        )
        return replace(found, options={**found.options, **task.model.as_options()})

    def _with_profile(
        self, found: LikelihoodResult, x: FloatArray, search: DecaySearch, profile: DecayProfile
    ) -> LikelihoodResult:
        """Return the result with all that says how its decay was found."""
        n_marks = self.task.data.n_marks
        identified, information = found.identified.copy(), np.asarray(found.information)
        identified[:, -n_marks:] &= ~profile.held(n_marks)
        if profile.bounds is not None:
            information = beside_decays(
                x, information, profile, lambda decay: moves_over_partitions(self.task, decay, x)
            )
        return replace(
            found,
            options={**found.options, **search.as_options()},
            decay_profile=profile,
            n_kernel_parameters=int(np.size(profile.chosen)),
            identified=identified,
            information=information,
        )


def _method_on_disk(method: str) -> str:
    """Return the name of a method; refuse those that take the events in memory."""
    name = name_of_method(method)
    if name not in _METHODS:
        raise InvalidParameterError(
            f"events on disk are fitted by method 'mle', 'map' or 'vi'; got method {name!r}. "
            "Fit a part, hawkeys.fit(data.partition(0), ...), or each realisation alone, "
            "hawkeys.inference.fit_each_on_disk."
        )
    return name


def _refuse_unknown(kernel: Kernel | None) -> None:
    """Refuse kernels with parameters that need more than row problems."""
    spread = None if kernel is None else spread_of(kernel)
    unknown = isinstance(spread, DelayedKernel | PowerLaw) and not spread.known
    if unknown or (isinstance(spread, SumExponential) and not spread.decays.size):
        raise InvalidParameterError(
            "events on disk are fitted with a kernel whose parameters are given, or with "
            f"decay='estimate'; got {brief(kernel)}. Fit a part, "
            "hawkeys.fit(data.partition(0), kernel=...)."
        )
