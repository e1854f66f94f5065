"""The likelihood of a Hawkes process over the presses and releases of a text."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

from hawkeys._estimators import check_fitted
from hawkeys._typing import ArrayLike, FloatArray
from hawkeys._validation import as_float_array, check_choice, check_count, check_positive_number
from hawkeys.datasets._units import check_usual_unit
from hawkeys.datasets.timings import default_keys, split_timings
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers._samples import recency_weights
from hawkeys.verifiers.base import WeightedVerifier
from hawkeys.verifiers.fixed_text import _hawkes_em as em
from hawkeys.verifiers.fixed_text._intervals import check_clock, resolution

if TYPE_CHECKING:
    from hawkeys.process import Hawkes

__all__ = ["HawkesLikelihood"]

# Relative deviation of a lag that the prior takes as typical.
_PRIOR_SCALE = 0.2


class HawkesLikelihood(WeightedVerifier):
    r"""Log-likelihood of a Hawkes process over the presses and releases of the text.

    A sample of a text of K keys is a realisation of D = 2 K marks, press and release of every key,
    with the intensities

    .. math::
        \lambda_m(t) = \mu_m + \sum_{j \to m} W_{mj} \, g_{mj}(t - t_j) \, 1[t_j < t], \qquad
        g_{mj}(u) = \frac{\exp(-(\ln u - \eta_{mj})^2 / (2 \rho_{mj}^2))}
        {u \, \rho_{mj} \sqrt{2 \pi}}

    where the press of key i is excited by presses and releases of the keys i - 1 to i - `lags`, its
    release by its own press and by the release of key i - 1. The score is the log-likelihood over
    the window from the first press to the last event,

    .. math:: \ln L = \sum_m (\ln \lambda_m(t_m) - \Lambda_m(T)), \qquad
        \Lambda_m(T) = \mu_m T + \sum_{j \to m} W_{mj} \, G_{mj}(T - t_j).

    One process is estimated for all training samples, the latest of which count most.

    Parameters
    ----------
    structure : {"rollover", "key"}, default "rollover"
        With "rollover" the release of a key is also excited by the press of the next one, which
        comes before it in fluent typing.
    lags : int, default 2
        Keys back that excite a press.
    half_life : float or None, default 25
        Samples after which a training sample counts half; None if all count alike.
    floor : float or None, default None
        Least contribution of a mark to the score, in nats, so that a hesitation at one key does not
        make an impostor. None for the log-likelihood itself.
    min_baseline : float, default 0.003
        Least mu, per second: what an event costs that no training sample explains.
    prior_strength : float, default 1.0
        Training samples that the prior of an edge counts as: a prior exp(-strength W), and
        strength lags whose logarithms have the standard deviation 0.2. Positive.
    n_iter : int, default 40
        Updates by expectation-maximisation.
    clock : float, optional
        Resolution of the timings in seconds, 0 for exact ones. Default: from the training samples
        (see Notes).
    false_alarm : float, default 0.05
        Share of the (weighted) training samples, strictly between 0 and 1, that the threshold may
        reject.

    Attributes
    ----------
    mark_names_ : tuple of str, length 2 K
        "press key1", "release key1", "press key2", ...
    baseline_ : ndarray, shape (2 K,)
        mu, per second.
    edges_ : ndarray of int64, shape (n_edges, 2)
        Target m and source j, sorted.
    adjacency_, location_, scale_ : ndarray, shape (n_edges,)
        W, eta (of seconds) and rho of every edge.
    process_ : hawkeys.Hawkes
        The estimated process, with a `hawkeys.kernels.LogNormal` kernel per pair.
    clock_ : float
        Resolution of the timings in seconds, 0 for exact ones; see Notes.
    objective_trace_ : ndarray, shape (n_iter + 1,)
        Weighted log-likelihood plus log-priors before each update and at the end; never falls.
    offset_ : float
        Score below which a sample is rejected.

    Raises
    ------
    InvalidParameterError
        By `fit`, if a parameter is not valid.
    InvalidTimingsError
        By `fit` and scoring, if `X` is no timing matrix; by `fit`, if it is not in seconds.

    Notes
    -----
    `X` is the timing matrix (n_samples, 3 K - 2) in seconds, H.k1, DD.k1.k2, UD.k1.k2, H.k2, ...,
    and its rows are in the order of typing, oldest first. Weights given to `fit` multiply those of
    recency; with ``half_life=None`` they are numbers of repetitions.

    An edge whose source is not earlier than its target adds nothing to that sample's intensity:
    keys overlap, and simultaneous events do not excite each other. Updates count the children
    expected after the window, with moments of a truncated normal, so that they are exact and the
    objective does not fall. The fit is deterministic. One update is O(n_samples n_edges), and so is
    scoring, with (2 `lags` + 3) K edges at most.

    Where the training samples come from a clock with ticks of 2 ms or more, jitter or not, or have
    an interval of zero, a lag read as u stands for all from ``u - clock_ / 2`` to
    ``u + clock_ / 2``: the mean density over these counts, and updates take means and squares
    given that interval.

    The first press is the origin of time; its ln mu is the same for all samples.

    The defaults were chosen on 23 subjects of the CMU benchmark. On all 51 the mean equal-error
    rate is 0.045 (`POHMM` 0.073), and the mean miss rate at 5 % false alarms, with all samples of
    the others as zero-effort impostors, 0.126 (0.190); on the 23 subjects held out of the choice
    0.035 (0.056) and 0.082 (0.130). `PracticeCorrected` lowers them further.

    References
    ----------
    .. [1] A. G. Hawkes (1971), "Spectra of some self-exciting and mutually exciting point
       processes", Biometrika 58, 83-90, doi:10.1093/biomet/58.1.83.
    .. [2] E. Lewis and G. Mohler (2011), "A nonparametric EM algorithm for multiscale Hawkes
       processes", preprint, for expectation-maximisation over the branching structure.
    .. [3] C. Zhang, Y. Zhang and F. Li (2021), "Feature extraction of sequence of keystrokes in
       fixed text using the multivariate Hawkes process", Mathematical Problems in Engineering,
       doi:10.1155/2021/6648726, whose kernels decay from lag 0.

    Examples
    --------
    >>> from hawkeys.datasets import load_demo
    >>> from hawkeys.verifiers import HawkesLikelihood
    >>> demo = load_demo()
    >>> X = demo.timings().to_numpy()
    >>> typist, other = (X[demo.subject == name] for name in demo.subjects[:2])
    >>> verifier = HawkesLikelihood().fit(typist[:200])
    >>> bool(verifier.score_samples(typist[200:]).mean() > verifier.score_samples(other).mean())
    True
    """

    enough_samples = 20

    def __init__(
        self,
        *,
        structure: str = "rollover",
        lags: int = 2,
        half_life: float | None = 25.0,
        floor: float | None = None,
        min_baseline: float = 0.003,
        prior_strength: float = 1.0,
        n_iter: int = 40,
        clock: float | None = None,
        false_alarm: float = 0.05,
    ) -> None:
        super().__init__(false_alarm=false_alarm)
        self.structure = structure
        self.lags = lags
        self.half_life = half_life
        self.floor = floor
        self.min_baseline = min_baseline
        self.prior_strength = prior_strength
        self.n_iter = n_iter
        self.clock = clock

    @property
    def slow_to_fit(self) -> bool:
        """Whether a fit takes too long for one per training sample: it does."""
        return True

    @property
    def process_(self) -> Hawkes:
        """The estimated process, a `hawkeys.Hawkes` with a log-normal kernel per pair."""
        check_fitted(self)
        size = self.baseline_.size
        target, source = self.edges_.T
        adjacency, location = np.zeros((size, size)), np.zeros((size, size))
        scale = np.ones((size, size))
        adjacency[target, source] = self.adjacency_
        location[target, source] = self.location_
        scale[target, source] = self.scale_
        kernel = import_module("hawkeys.kernels").LogNormal(location, scale)
        process: Hawkes = import_module("hawkeys.process").Hawkes(
            self.baseline_, adjacency, kernel=kernel
        )
        return process

    def surprise(self, X: ArrayLike) -> FloatArray:
        """Return what every event adds to minus the log-likelihood, to explain a decision.

        Parameters
        ----------
        X : array_like, shape (n_samples, 3 K - 2)
            Timing matrix in seconds.

        Returns
        -------
        ndarray of float64, shape (n_samples, 2 K)
            Lambda_m(T) - ln lambda_m(t_m) in nats, columns as `mark_names_`, higher for less
            genuine. Rows sum to minus the score, if no `floor` is set.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        ValueError
            As `score_samples`.

        Examples
        --------
        >>> import numpy as np
        >>> from hawkeys.datasets import load_demo
        >>> from hawkeys.verifiers import HawkesLikelihood
        >>> X = load_demo()[:200].timings().to_numpy()
        >>> verifier = HawkesLikelihood().fit(X)
        >>> held = X[:1].copy()
        >>> held[0, [3, 5]] += 0.3, -0.3  # the second key is held for 0.3 s longer
        >>> more = verifier.surprise(held) - verifier.surprise(X[:1])
        >>> verifier.mark_names_[np.argmax(more)]
        'release key2'
        """
        check_fitted(self)
        logs, masses = self._data(X).logs_and_masses(self._parameters)
        return (masses - logs).T

    def residuals(self, X: ArrayLike) -> FloatArray:
        """Return the compensator of every mark up to its event.

        Under the model each is exponential with mean 1, as long as it is not cut by the end of the
        window: small where the event came early, large where it came late.

        Parameters
        ----------
        X : array_like, shape (n_samples, 3 K - 2)
            Timing matrix in seconds.

        Returns
        -------
        ndarray of float64, shape (n_samples, 2 K)
            Lambda_m(t_m) >= 0, columns as `mark_names_`; 0 at the first press.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        ValueError
            As `score_samples`.
        """
        check_fitted(self)
        return self._data(X).residuals(self._parameters).T

    def _check_parameters(self) -> None:
        super()._check_parameters()
        recency_weights(1, self.half_life)
        check_clock(self.clock)
        self._check_options()

    def _learn(self, samples: FloatArray, weights: FloatArray | None = None) -> None:
        options = self._check_options()
        hold, _, _ = split_timings(self._timings(samples))
        keys = default_keys(hold.shape[1])
        self.mark_names_ = tuple(f"{act} {key}" for key in keys for act in ("press", "release"))
        self.edges_ = em.make_edges(len(keys), self.lags, self.structure)
        recency = recency_weights(samples.shape[0], self.half_life)
        each = recency if weights is None else recency * weights
        check_usual_unit(samples)
        self.clock_ = resolution(samples, self.clock)
        fit = em.estimate(self._lags(samples), each, options)
        self._parameters = fit.parameters
        self.baseline_ = fit.parameters.baseline
        self.adjacency_, self.location_, self.scale_ = fit.parameters.edges.T
        self.objective_trace_ = fit.trace

    def _score(self, samples: FloatArray) -> FloatArray:
        logs, masses = self._lags(samples).logs_and_masses(self._parameters)
        # one row per sample, so that a row is summed alike in whatever company
        each = np.ascontiguousarray((logs - masses).T)
        return np.sum(each if self.floor is None else np.maximum(each, self.floor), axis=1)

    def _timings(self, samples: FloatArray) -> FloatArray:
        return samples

    def _lags(self, samples: FloatArray) -> em.Lags:
        return em.Lags.of(self._timings(samples), self.edges_, self.clock_)

    def _data(self, X: ArrayLike) -> em.Lags:
        return self._lags(self._check_samples(X, reset=False))

    def _check_options(self) -> em.Options:
        check_choice(self.structure, "structure", em.STRUCTURES)
        check_count(self.lags, "lags")
        floor = as_float_array(0.0 if self.floor is None else self.floor, "floor")
        if floor.ndim != 0 or isinstance(self.floor, bool):
            raise InvalidParameterError(
                f"floor must be None or one number, in nats; got {self.floor!r}."
            )
        return em.Options(
            min_baseline=check_positive_number(self.min_baseline, "min_baseline"),
            prior_strength=check_positive_number(self.prior_strength, "prior_strength"),
            prior_scale=_PRIOR_SCALE,
            n_iter=check_count(self.n_iter, "n_iter"),
        )
