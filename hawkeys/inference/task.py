"""`Counted`: the data of a fit, and which model of its class is fitted to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hawkeys._design import Design
from hawkeys._design.ties import Ties
from hawkeys._loops.layout import count_events
from hawkeys._typing import ArrayLike, BoolArray, FloatArray
from hawkeys.baselines import Baseline, Constant, baseline_from_dict
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference.selection import check_support, check_weights, leave_out
from hawkeys.kernels import Kernel

__all__ = ["Counted", "refuse_models", "split_model"]

_OPTIONS = ("baseline", "tied")


@dataclass(frozen=True, eq=False)
class Counted:
    """Events with what is fitted to them; None stands for the plain choice.

    Attributes
    ----------
    events : Events
        The data.
    support : ndarray of bool, shape (n_marks, n_marks), or None
        Pairs that may excite; None: all.
    weights : ndarray, shape (n_realizations,), or None
        Weight of each realisation; None: 1.
    baseline : Baseline
        Its rates are unknown.
    ties : Ties or None
        Parameters that are one.
    """

    events: Events
    support: BoolArray | None
    weights: FloatArray | None
    baseline: Baseline
    ties: Ties | None

    @classmethod
    def check(
        cls,
        events: Events,
        support: ArrayLike | None,
        weights: ArrayLike | None,
        model: Mapping[str, Any],
    ) -> Counted:
        """Check what `hawkeys.fit` was given; `model` holds its options baseline and tied."""
        baseline, tied = model.get("baseline"), model.get("tied")
        counted = cls(
            events,
            None if support is None else check_support(support, events.n_marks),
            None if weights is None else check_weights(weights, events.n_realizations),
            Constant() if baseline is None else _check_baseline(baseline),
            None if tied is None else Ties.check(tied, events.n_marks),
        )
        counted.baseline.check_windows(events.start_times, events.end_times)
        return counted

    @property
    def is_plain(self) -> bool:
        """Whether the model has one constant baseline per mark and nothing tied."""
        return isinstance(self.baseline, Constant) and self.ties is None

    @property
    def observed(self) -> Counted:
        """The same without the realisations of weight 0, which do not count at all."""
        events, weights = leave_out(self.events, self.weights)
        return self if events is self.events else replace(self, events=events, weights=weights)

    def design(self, kernel: Kernel, weight: float = 1.0, *, separate: bool = False) -> Design:
        """Return the row problems under a kernel, of each realisation alone if `separate`."""
        design = Design.build(
            self.events,
            kernel,
            separate=separate,
            weight=weight,
            realization_weights=self.weights,
            support=self.support,
            baseline=self.baseline,
            ties=self.ties,
        )
        events, largest = self.events, 1.0 if self.weights is None else float(self.weights.max())
        if not design.may_have_unseen(weight * largest * events.n_events):
            return design
        counts = count_events(events.marks, events.offsets, events.n_marks).astype(np.float64)
        counts = (
            weight * counts if self.weights is None else weight * self.weights[:, None] * counts
        )
        return design.without_unseen(counts if separate else counts.sum(axis=0, keepdims=True))

    def pick(self, rows: BoolArray | slice) -> Counted:
        """Return the same of some realisations."""
        weights = None if self.weights is None else self.weights[rows]
        return replace(self, events=self.events[rows], weights=weights)

    def as_options(self) -> dict[str, Any]:
        """Return what `hawkeys.fit` must be given to count in the same way."""
        out: dict[str, Any] = {}
        out |= {"support": self.support} if self.support is not None else {}
        out |= {"weights": self.weights} if self.weights is not None else {}
        out |= {} if isinstance(self.baseline, Constant) else {"baseline": self.baseline}
        return out | ({} if self.ties is None else {"tied": self.ties.to_dict()})


def split_model(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the options that say which model is fitted, and the others."""
    model = {key: options[key] for key in _OPTIONS if options.get(key) is not None}
    return model, {key: value for key, value in options.items() if key not in _OPTIONS}


def refuse_models(options: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Refuse the options baseline and tied in the name of `what`; return the others."""
    model, rest = split_model(options)
    if model:
        raise InvalidParameterError(
            f"{what} has one constant baseline per mark and free parameters; got the options "
            f"{', '.join(model)}. Use hawkeys.fit by 'mle', 'map' or 'vi', the kernel given."
        )
    return rest


def _check_baseline(baseline: Any) -> Baseline:
    if isinstance(baseline, Mapping):  # as a saved result has it
        baseline = baseline_from_dict(dict(baseline))
    if not isinstance(baseline, Baseline):
        raise InvalidParameterError(
            f"baseline must be one of hawkeys.baselines, such as PiecewiseConstant(knots); got "
            f"{baseline!r}. Its rates are estimated."
        )
    if baseline.known:
        raise InvalidParameterError(
            f"the rates of a baseline are estimated by hawkeys.fit, but {baseline!r} has them "
            "given; leave them out, or write baseline.with_rates(None)."
        )
    return baseline
