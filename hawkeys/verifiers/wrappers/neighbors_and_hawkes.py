"""The verifier to begin with: nearest neighbours and the Hawkes likelihood together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hawkeys._typing import FloatArray
from hawkeys.verifiers._wrapper import Wrapper
from hawkeys.verifiers.fixed_text._intervals import check_clock
from hawkeys.verifiers.fixed_text.hawkes_likelihood import HawkesLikelihood
from hawkeys.verifiers.fixed_text.neighbors import RecencyNearestNeighbors
from hawkeys.verifiers.thresholds import seen_scores
from hawkeys.verifiers.wrappers.combination import ScoreSum
from hawkeys.verifiers.wrappers.practice import PracticeCorrected

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

__all__ = ["NeighborsAndHawkes"]

_WEIGHTS = (2.0, 1.0)


class NeighborsAndHawkes(Wrapper):
    """Sum of nearest neighbours and the Hawkes likelihood, after correction for practice.

    ``PracticeCorrected(ScoreSum([RecencyNearestNeighbors(half_life=25), HawkesLikelihood()],
    weights=[2, 1]))`` in one word, so that a template can store it.

    Parameters
    ----------
    half_life : float or None, default 25
        Samples after which a training sample counts half, in both verifiers; None if all count
        alike.
    strength : float, optional
        Part of the trend of practice that is believed; see `PracticeCorrected`. Default: from the
        data.
    ahead : float, optional
        Samples after training for which the verifier is to be right; see `PracticeCorrected`.
    clock : float, optional
        Resolution of the timings in seconds, 0 for exact ones; see `HawkesLikelihood`. Default:
        from the training samples.
    false_alarm : float, default 0.05
        Share of the training samples, strictly between 0 and 1, that the threshold may reject.

    Attributes
    ----------
    verifier_ : PracticeCorrected
        The trained verifiers.
    offset_ : float
        Score below which a sample is rejected.

    Raises
    ------
    InvalidParameterError
        By `fit`, if a parameter is not valid.
    InvalidTimingsError
        By `fit` and scoring, if `X` is no timing matrix.

    Notes
    -----
    `X` is the timing matrix (n_samples, 3 K - 2) in seconds, its rows in the order of typing.

    Examples
    --------
    >>> from hawkeys.datasets import load_demo
    >>> from hawkeys.verifiers import NeighborsAndHawkes, enrol
    >>> own = load_demo(n_subjects=1).timings()
    >>> enrol(own[:60], verifier=NeighborsAndHawkes()).verifier
    'NeighborsAndHawkes'
    """

    def __init__(
        self,
        *,
        half_life: float | None = 25.0,
        strength: float | None = None,
        ahead: float | None = None,
        clock: float | None = None,
        false_alarm: float = 0.05,
    ) -> None:
        super().__init__(false_alarm=false_alarm)
        self.half_life = half_life
        self.strength = strength
        self.ahead = ahead
        self.clock = clock

    @property
    def slow_to_fit(self) -> bool:
        """Whether a fit takes too long for one per training sample: it does."""
        return True

    def _parts(self) -> Sequence[BaseEstimator]:
        parts = (
            # neighbours take no tick of 0: exact timings are as fine as they are found
            RecencyNearestNeighbors(half_life=self.half_life, clock=self.clock or None),
            HawkesLikelihood(half_life=self.half_life, clock=self.clock),
        )
        return (
            PracticeCorrected(
                ScoreSum(parts, weights=_WEIGHTS), strength=self.strength, ahead=self.ahead
            ),
        )

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_clock(self.clock)
        for part in self._parts():
            part._check_parameters()

    def _learn(self, samples: FloatArray) -> None:
        self.verifier_ = self._trained(self._parts()[0], samples)

    def _training_score(self, samples: FloatArray) -> FloatArray:
        return seen_scores(self.verifier_, samples)
