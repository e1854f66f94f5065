"""A point process of free typing: delayed excitation between keys, shared by back-off."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from hawkeys._typing import FloatArray
from hawkeys._validation import (
    check_choice,
    check_count,
    check_nonnegative,
    check_positive,
    check_shape,
)
from hawkeys.exceptions import ConvergenceWarning, InvalidParameterError
from hawkeys.verifiers.fixed_text._intervals import check_clock
from hawkeys.verifiers.free_text import _em as em
from hawkeys.verifiers.free_text._backoff import Counts
from hawkeys.verifiers.free_text._clock import resolution_of_strokes
from hawkeys.verifiers.free_text._edge_kernels import FixedPrior
from hawkeys.verifiers.free_text.base import FreeTextVerifier
from hawkeys.verifiers.free_text.recordings import EDGES, Recordings, as_recordings

__all__ = ["FreeTextProcess"]

# ln seconds; wide, so that a few keystrokes of any typist outweigh them
_PRIORS = {
    "press-press": FixedPrior(np.log(0.18), 0.6),
    "release-press": FixedPrior(np.log(0.10), 0.9),
    "press-press-2": FixedPrior(np.log(0.36), 0.5),
    "press-release": FixedPrior(np.log(0.09), 0.4),
    "release-release": FixedPrior(np.log(0.18), 0.6),
}
# keystrokes that the prior of the branching weights is worth
_WEIGHT_COUNT = 20.0
_PAUSE_SHARE = {"press": 0.1, "release": 0.05}


class FreeTextProcess(FreeTextVerifier):
    r"""Point process of free typing with log-normal lags by key pair and back-off.

    Given the keys typed, the press and the release of each keystroke are events of streams of
    their own. The events before them excite them with a delay: a press of key b by edge e from
    key a, struck u seconds before, and the release of a key by its own press,

    .. math::
        \lambda(t) = W_0 \, h(t) + \sum_e W_e \, g^e_{ab}(u_e(t)), \qquad
        g^e_{ab} = \mathrm{LogNormal}(\eta^e_{ab}, \rho^e_{ab})

    W are branching weights: the expected number of children of one event. Simultaneous and later
    events excite nothing. The baseline h is uniform in the log of the time waited, so that a pause
    of any length costs about the same. Each stream is observed until all its children have come,
    so that its compensator is the sum of the W of its parents.

    Kernels back off from the pair of keys to the pair of key classes (hand and row of letters,
    digits, space, shift, ...; one key struck twice is a class of its own) to any pair of this
    typist, and from there to `population`: see Notes. Weights and kernels maximise the posterior
    density by expectation-maximisation, whose objective never falls.

    Parameters
    ----------
    population : FreeTextProcess, optional
        A process fitted to keystrokes of many other typists, to whose kernels and weights those of
        this typist shrink. By default they shrink to one wide fixed kernel for each edge.
    edges : sequence of str, default ("press-press", "release-press", "press-release")
        What excites: the press (or the release) before excites a press; "press-press-2" is the
        press two keystrokes before. A press excites its release, and "release-release" the release
        of the next key. A press and a release edge at least.
    location_counts : sequence of float, shape (3,), default (1, 1, 1)
        How many lags the location of the parent is worth in that of a pair, of a class, and of the
        typist.
    scale_counts : sequence of float, shape (3,), default (20, 10, 10)
        The same for the variances.
    release_weight : float, default 0.4
        Weight of the releases in the score; 1 makes it the log-likelihood. The holds of a session
        are long or short together, so that they are less evidence than as many independent events.
    tol : float, default 1e-4
        Gain of the objective per keystroke, in nats, below which the fit stops.
    max_iter : int, default 500
        Largest number of updates.
    clock : float or None, default 0.0
        Resolution of the times in seconds, 0 for exact ones; None for what is found in the training
        keystrokes (see Notes).

    Attributes
    ----------
    weights_ : dict of dict of float
        Branching weights: ``weights_["press"]["release-press"]``; the baseline is "pause".
    kernels_ : dict of EdgeKernels
        Lag kernels of each edge; see `kernel`.
    clock_ : float
        The resolution used, in seconds; 0 for exact times.
    objective_trace_ : ndarray, shape (n_iter + 1,)
        Log posterior density, up to a constant, before each update and at the estimate.
    n_iter_ : int
        Updates done.
    converged_ : bool
        Whether the last update gained less than `tol` per keystroke.

    Notes
    -----
    With y the log-lag standardised by the kernel of `population` (or the fixed one), v variances:
    y of pair i of class c is N(l_i, v_i), l_i is N(l_c, v_i / k_1), l_c is N(l, v_c / k_2) and l is
    N(0, v / k_3), k the `location_counts`; v_i is scaled inverse chi-squared around v_c, that
    around v and v around 1, with `scale_counts` degrees. A pair that was never typed has its
    class's kernel, wider by the uncertainty of its location. Locations are solved exactly given
    the variances, variances level by level. O(n) per update. It is a local maximum: lags many
    standard deviations from where a narrow parent expects them are taken for pauses.

    With ``clock=None`` ticks of 2 ms or more are found, jitter or not, and 1 ms at least if an
    interval is zero. With a clock, a lag read as u stands for all from ``u - clock_ / 2`` to
    ``u + clock_ / 2``: mean densities over these count, and updates take means and squares given
    that interval.

    The keys themselves are given, never scored: what someone writes is not how they type. Lags
    are a clock's: typists on clocks of different resolution differ in that too.

    References
    ----------
    .. [1] A. G. Hawkes (1971), "Spectra of some self-exciting and mutually exciting point
       processes", Biometrika 58, doi:10.1093/biomet/58.1.83.
    .. [2] D. A. Reynolds, T. F. Quatieri and R. B. Dunn (2000), "Speaker verification using adapted
       Gaussian mixture models", Digital Signal Processing 10, doi:10.1006/dspr.1999.0361, for
       models drawn to that of a population.

    Examples
    --------
    >>> from hawkeys.verifiers import FreeTextProcess
    >>> press = [0.0, 0.15, 0.31, 0.46, 0.60, 0.77]
    >>> typed = {"key": list("ababab"), "press": press, "release": [t + 0.08 for t in press]}
    >>> process = FreeTextProcess().fit(typed)
    >>> slow = {**typed, "release": [t + 0.16 for t in press]}
    >>> process.score(typed) > process.score(slow)
    True
    """

    def __init__(
        self,
        *,
        population: FreeTextProcess | None = None,
        edges: Sequence[str] = ("press-press", "release-press", "press-release"),
        location_counts: Sequence[float] = (1.0, 1.0, 1.0),
        scale_counts: Sequence[float] = (20.0, 10.0, 10.0),
        release_weight: float = 0.4,
        tol: float = 1e-4,
        max_iter: int = 500,
        clock: float | None = 0.0,
    ) -> None:
        self.population = population
        self.edges = edges
        self.location_counts = location_counts
        self.scale_counts = scale_counts
        self.release_weight = release_weight
        self.tol = tol
        self.max_iter = max_iter
        self.clock = clock

    def surprise(self, strokes: Any) -> FloatArray:
        """Return the cost of every event: its compensator minus its log intensity.

        Parameters
        ----------
        strokes : Strokes, DataFrame or mapping
            Keystrokes in one or more recordings of two or more.

        Returns
        -------
        ndarray of float64, shape (n_strokes, 2)
            Of press and release, in nats; large where the typing is unusual. NaN for the first
            press of a recording, which sets the clock. Minus their sum over keystrokes is the
            log-likelihood, in seconds; `score` is its mean per keystroke.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        InvalidParameterError, InvalidTimingsError
            As `fit`.

        Examples
        --------
        >>> from hawkeys.verifiers import FreeTextProcess
        >>> press = [0.0, 0.15, 0.31, 2.46, 2.60, 2.77]
        >>> typed = {"key": list("ababab"), "press": press, "release": [t + 0.08 for t in press]}
        >>> surprise = FreeTextProcess().fit(typed).surprise(typed)
        >>> int(surprise[1:, 0].argmax()) + 1
        3
        """
        check_is_fitted(self)
        return self._surprise(as_recordings(strokes))

    def kernel(self, first: str, second: str, edge: str = "press-press") -> tuple[float, float]:
        """Return the lag kernel of a pair of keys, its own or what it backs off to.

        Parameters
        ----------
        first, second : str
            Source and target key; the same key for the edge "press-release".
        edge : str, default "press-press"
            One of `edges`.

        Returns
        -------
        tuple of float
            Mean and standard deviation of the log of seconds.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        InvalidParameterError
            If the model has no such edge.

        Examples
        --------
        >>> from hawkeys.verifiers import FreeTextProcess
        >>> press = [0.0, 0.15, 0.31, 0.46, 0.60, 0.77]
        >>> typed = {"key": list("ababab"), "press": press, "release": [t + 0.08 for t in press]}
        >>> import numpy as np
        >>> location, scale = FreeTextProcess().fit(typed).kernel("a", "b")
        >>> round(float(np.exp(location)), 2)
        0.16
        """
        check_is_fitted(self)
        name = check_choice(edge, "edge", tuple(self.kernels_))
        pair = as_recordings({"key": [first, second], "press": [0.0, 1.0], "release": [0.5, 1.5]})
        lags = pair.lags("press-press")
        if EDGES[name].back == 0:
            lags = pair.lags(name).pick(np.array([False, True]))
        location, scale = self.kernels_[name].at(pair.names, lags)
        return float(location[0]), float(scale[0])

    def _learn(self, strokes: Recordings) -> None:
        weight = check_nonnegative(self.release_weight, "release_weight")
        check_shape(weight, "release_weight", (), "one number")
        check_clock(self.clock)
        self.clock_ = resolution_of_strokes(strokes, self.clock)
        fit = em.estimate(strokes, self._pull(), self._options(), self.clock_)
        self.kernels_, self.weights_ = fit.kernels, fit.weights
        self.objective_trace_, self.converged_ = fit.trace, fit.converged
        self.n_iter_ = fit.trace.size - 1
        if not fit.converged:
            warnings.warn(
                f"FreeTextProcess stopped after max_iter={self.max_iter} updates, of which the "
                f"last gained {fit.trace[-1] - fit.trace[-2]:.3g} nats for {len(strokes):,} "
                f"keystrokes. Raise max_iter or tol={self.tol:g}.",
                ConvergenceWarning,
                stacklevel=3,
            )

    def _score(self, strokes: Recordings) -> FloatArray:
        press, release = self._surprise(strokes).T
        cost = np.nan_to_num(press) + self.release_weight * release
        return -np.bincount(strokes.number, cost) / np.bincount(strokes.number)

    def _surprise(self, strokes: Recordings) -> FloatArray:
        columns = []
        for target, weights in self.weights_.items():
            intensity, compensator = em.log_intensities(
                strokes, self.kernels_, weights, target, self.clock_
            )
            columns.append(compensator - intensity)
        return np.column_stack(columns)

    def _pull(self) -> em.Pull:
        names = [check_choice(name, "edges", tuple(EDGES)) for name in self.edges]
        by_target = {
            target: [name for name in EDGES if name in names and EDGES[name].target == target]
            for target in _PAUSE_SHARE
        }
        for target, own in by_target.items():
            if not own:
                raise InvalidParameterError(
                    f"edges = {tuple(self.edges)} lets nothing excite a {target}; add one of "
                    f"{[name for name in EDGES if EDGES[name].target == target]}."
                )
        if self.population is not None:
            return _pull_of(self.population, names)
        weights = {}
        for target, share in _PAUSE_SHARE.items():
            own = by_target[target]
            weights[target] = {em.PAUSE: share, **dict.fromkeys(own, (1.0 - share) / len(own))}
        return em.Pull({name: _PRIORS[name] for name in names}, weights)

    def _options(self) -> em.Options:
        return em.Options(
            location=_counts(self.location_counts, "location_counts"),
            scale=_counts(self.scale_counts, "scale_counts"),
            weight=_WEIGHT_COUNT,
            tol=float(check_shape(check_nonnegative(self.tol, "tol"), "tol", (), "one number")),
            max_iter=check_count(self.max_iter, "max_iter"),
        )


def _pull_of(population: FreeTextProcess, names: Sequence[str]) -> em.Pull:
    """Return the kernels and weights of a fitted population, which must have the same edges."""
    check_is_fitted(population)
    if set(population.kernels_) != set(names):
        raise InvalidParameterError(
            f"population was fitted with the edges {tuple(population.kernels_)}, this process has "
            f"{tuple(names)}; give both the same."
        )
    return em.Pull({name: population.kernels_[name] for name in names}, population.weights_)


def _counts(values: Sequence[float], name: str) -> Counts:
    counts = check_shape(check_positive(values, name), name, (3,), "pair, class and typist")
    return Counts(*counts.tolist())
