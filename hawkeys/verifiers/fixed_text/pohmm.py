"""The partially observable hidden Markov model of typing."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from hawkeys._estimators import check_fitted
from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys._validation import check_choice, check_count, check_nonnegative_number
from hawkeys.datasets._units import check_usual_unit
from hawkeys.datasets.timings import default_keys, split_timings
from hawkeys.exceptions import ConvergenceWarning, InvalidParameterError, InvalidTimingsError
from hawkeys.verifiers import _pohmm_em as em
from hawkeys.verifiers.base import OneClassVerifier
from hawkeys.verifiers.fixed_text._intervals import check_clock, resolution

__all__ = ["POHMM"]

_MILLISECONDS = 1000.0
_FEATURES = ("press interval", "hold")


class POHMM(OneClassVerifier):
    r"""Partially observable hidden Markov model of press intervals and holds.

    The typist is in one of M hidden states z (such as fluent or hesitating) at each key; the key
    w is seen. Press interval tau and hold d of event t are independent given key and state:

    .. math::
        P(z_1 = j) = \pi_{j | w_1}, \quad P(z_{t+1} = j | z_t = i) = a_{ij | w_t w_{t+1}}, \quad
        \ln x_{tf} | z_t = j \sim N(\eta_{fj | w_t}, \rho_{fj | w_t}^2)

    Estimated by expectation-maximisation, each update followed by smoothing towards the marginals
    over keys. The score is the log-likelihood of a sample (natural log, milliseconds).

    Parameters
    ----------
    n_states : int, default 2
        Hidden states M.
    smoothing : {"freq", "exp", "fixed", "none"}, default "freq"
        Weight u of the marginal in the parameters of a key seen n times: 1 / (1 + n), exp(-n),
        1 (an ordinary hidden Markov model, blind to the keys) or 0.
    tol : float, default 1.0
        Gain of the log-likelihood of all training samples, in nats, below which it stops.
    max_iter : int, default 1000
        Largest number of updates.
    distribution : {"lognormal", "normal"}, default "lognormal"
        Of the intervals given key and state.
    keys : sequence of str, length K, optional
        Event type of each key of the text. A name that comes twice shares its parameters. By
        default every position is a type of its own: "key1", "key2", ...
    clock : float, optional
        Resolution of the timings in seconds: an interval read as x stands for all from x - clock /
        2 to x + clock / 2. 0 for exact timings. Default: from the training samples (see Notes).
    false_alarm : float, default 0.05
        Share of the training samples, strictly between 0 and 1, that the threshold may reject.

    Attributes
    ----------
    keys_ : tuple of str, length W
        The event types; type ``keys_[w - 1]`` has index w below, and index 0 holds the marginals.
    start_ : ndarray, shape (W + 1, M)
        pi: chance of each state at the first event, given its type.
    transition_ : ndarray, shape (W + 1, W + 1, M, M)
        a: [v, w, i, j] is the chance of state j at the next event given state i now, types v, w.
    location_, scale_ : ndarray, shape (W + 1, 2, M)
        eta and rho of tau (first) and d: mean and standard deviation of the log of milliseconds
        ("lognormal") or of milliseconds ("normal").
    log_likelihood_ : float
        Of the training samples under these parameters: the sum of their scores.
    log_likelihood_trace_ : ndarray, shape (n_iter + 1,)
        Before each update and, last, `log_likelihood_`.
    clock_ : float
        The resolution used, in seconds; 0 for exact timings.
    n_iter_ : int
        Updates done.
    converged_ : bool
        Whether it stopped because the last update gained less than `tol`, or lost.
    offset_ : float
        Score below which a sample is rejected.

    Raises
    ------
    InvalidParameterError
        By `fit`, if a parameter is not valid or `keys` does not fit the text.
    InvalidTimingsError
        By `fit` and scoring, if `X` is no timing matrix of two keys or more; by `fit`, if an
        interval is zero and ``clock=0`` ("lognormal" only).

    Warns
    -----
    ConvergenceWarning
        By `fit`, if `max_iter` updates do not suffice.

    Notes
    -----
    `X` is the timing matrix (n_samples, 3 K - 2) in seconds, H.k1, DD.k1.k2, UD.k1.k2, H.k2, ...
    tau of the first key, which has no press before it, is the median DD of the sample.

    A clock of ticks of 2 ms or more, jitter or not, is found in the training samples; so is 1 ms at
    least, if an interval is zero. The density of an interval x is then the mass of (x - clock / 2,
    x + clock / 2), cut at 0, over `clock`, and updates take means and squares of the logarithm
    given that interval, which is exact for such readings. Finer timings are taken as exact: a
    tick changes a log-density of deviation s by about (clock / s)^2 / 24.

    The defaults reproduce iterations and log-likelihoods of the first author's program pohmm,
    version 0.5, on five typists to 1e-6; the other smoothings were not compared. Details:

    * each feature's density, per millisecond, is at least 1e-5, so that one outlying interval
      costs at most 11.5 nats; an interval of zero has that density under "lognormal";
    * deviations rho are at least 1e-5, as are the summed probabilities of which starts and
      transitions are made;
    * at the start all chances are uniform, and states differ in the mean of tau alone, evenly from
      -2 to +2 standard deviations of all tau;
    * marginals weigh keys by their frequency n_w / n; those of the transitions
      sum P(w | v) a[v, w] over v, over w or over both and divide by the row's total, where P(w | v)
      is the frequency of w after v. A key that is never followed, such as the last one of the text,
      counts as followed by every key alike, with uniform transitions: of the readings tried, the
      one that gives the program's numbers;
    * a[v, w] becomes (1 - r - s) a[v, w] + r a[v, .] + s a[., w] with r and s as u for the counts
      n(v, w) + n(., w) and n(v, w) + n(v, .). Where r + s > 1 (pairs never seen; no effect on the
      text of training) this package divides both by r + s.

    Smoothing and floors are no part of what an update maximises: the log-likelihood may fall, and
    the fit then stops and keeps the parameters after the fall, as that program does. The fit is
    deterministic. One update is O(n_samples K M^2).

    References
    ----------
    .. [1] J. V. Monaco and C. C. Tappert (2018), "The partially observable hidden Markov model and
       its application to keystroke dynamics", Pattern Recognition 76, 449-462,
       arXiv:1607.03854.

    Examples
    --------
    >>> from hawkeys.datasets import load_demo
    >>> from hawkeys.verifiers import POHMM
    >>> demo = load_demo()
    >>> X = demo.timings().to_numpy()
    >>> typist, other = (X[demo.subject == name] for name in demo.subjects[:2])
    >>> verifier = POHMM().fit(typist[:200])
    >>> bool(verifier.score_samples(typist[200:]).mean() > verifier.score_samples(other).mean())
    True
    """

    # nine for each transition between two states
    enough_samples = 36

    def __init__(
        self,
        *,
        n_states: int = 2,
        smoothing: str = "freq",
        tol: float = 1.0,
        max_iter: int = 1000,
        distribution: str = "lognormal",
        keys: Sequence[str] | None = None,
        clock: float | None = None,
        false_alarm: float = 0.05,
    ) -> None:
        super().__init__(false_alarm=false_alarm)
        self.n_states = n_states
        self.smoothing = smoothing
        self.tol = tol
        self.max_iter = max_iter
        self.distribution = distribution
        self.keys = keys
        self.clock = clock

    @property
    def slow_to_fit(self) -> bool:
        """Whether a fit takes too long for one per training sample: it does."""
        return True

    def score_samples(self, X: ArrayLike, *, keys: Sequence[str] | None = None) -> FloatArray:
        """Return the log-likelihood of each sample given its keys.

        Parameters
        ----------
        X : array_like, shape (n_samples, 3 K - 2)
            Timing matrix in seconds.
        keys : sequence of str, length K, optional
            Event types of these samples, if their text is not that of training. Types that training
            did not see have the marginal parameters. `offset_` does not apply to another text.

        Returns
        -------
        ndarray of float64, shape (n_samples,)
            Natural logs, per milliseconds; higher for more genuine.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        InvalidTimingsError
            If `X` is no timing matrix of two keys or more.
        InvalidParameterError
            If `keys` does not name K types, or `X` holds NaN or infinity.
        ValueError
            If `keys` is not given and `X` has not the width seen in `fit`.

        Notes
        -----
        O(n_samples K M^2); scoring never changes the model.

        Examples
        --------
        >>> from hawkeys.datasets import load_demo
        >>> from hawkeys.verifiers import POHMM
        >>> demo = load_demo()[:50]
        >>> X = demo.timings().to_numpy()
        >>> verifier = POHMM(keys=demo.keys).fit(X)
        >>> head = verifier.score_samples(X[:, :7], keys=demo.keys[:3])
        >>> head.shape
        (50,)
        """
        check_fitted(self)
        if keys is None:
            return super().score_samples(X)
        events = _intervals(X)
        names = _check_names(keys, events.shape[1])
        known = {name: index for index, name in enumerate(self.keys_, start=1)}
        return self._score_events(events, np.array([known.get(name, 0) for name in names]))

    def _own_need(self, n_features: int) -> int:
        return 9 * self.n_states**2

    def _check_parameters(self) -> None:
        super()._check_parameters()
        self._check_options()
        check_clock(self.clock)
        if self.keys is not None:
            _check_names(self.keys, None)

    def _learn(self, samples: FloatArray) -> None:
        options = self._check_options()
        events = _intervals(samples)
        types = self._set_types(events.shape[1])
        check_usual_unit(samples)
        self.clock_ = resolution(samples, self.clock)
        if self.distribution == "lognormal" and self.clock_ == 0.0:
            _refuse_zeros(events)
        options = replace(options, width=_MILLISECONDS * self.clock_)
        fit = em.estimate(*self._values(events), types, options)
        self.start_, self.transition_, self.location_, self.scale_ = fit.parameters
        self.log_likelihood_trace_ = fit.trace
        self.log_likelihood_ = float(fit.trace[-1])
        self.n_iter_ = fit.trace.size - 1
        self.converged_ = fit.converged
        if not fit.converged:
            gain = fit.trace[-1] - fit.trace[-2]
            warnings.warn(
                f"POHMM stopped after max_iter={self.max_iter} updates, of which the last gained "
                f"{gain:.3g} nats, not less than tol={self.tol:g}. Raise max_iter or tol.",
                ConvergenceWarning,
                stacklevel=3,
            )

    def _score(self, samples: FloatArray) -> FloatArray:
        return self._score_events(_intervals(samples), self._types)

    def _score_events(self, events: FloatArray, types: IntArray) -> FloatArray:
        parameters = em.Parameters(self.start_, self.transition_, self.location_, self.scale_)
        values, jacobian = self._values(events)
        return em.score(values, jacobian, types, parameters, _MILLISECONDS * self.clock_)

    def _values(self, events: FloatArray) -> tuple[FloatArray, float]:
        """Return what is normal given key and state, and minus its power in the density."""
        if self.distribution == "normal":
            return events, 0.0
        with np.errstate(divide="ignore"):
            return np.log(events), 1.0

    def _check_options(self) -> em.Options:
        check_choice(self.distribution, "distribution", ("lognormal", "normal"))
        return em.Options(
            n_states=check_count(self.n_states, "n_states"),
            smoothing=check_choice(self.smoothing, "smoothing", em.SMOOTHINGS),
            tol=check_nonnegative_number(self.tol, "tol"),
            max_iter=check_count(self.max_iter, "max_iter"),
        )

    def _set_types(self, n_keys: int) -> IntArray:
        names = default_keys(n_keys) if self.keys is None else _check_names(self.keys, n_keys)
        self.keys_ = tuple(dict.fromkeys(names))
        self._types = np.array([self.keys_.index(name) + 1 for name in names])
        return self._types


def _intervals(X: ArrayLike) -> FloatArray:
    """Return press interval and hold of every key in milliseconds, (n_samples, K, 2)."""
    hold, down_down, _ = split_timings(X)
    if hold.shape[1] < 2:
        raise InvalidTimingsError(
            "POHMM needs a text of at least two keys (4 columns: H, DD, UD, H), because it models "
            f"press intervals; got {hold.shape[1]} column."
        )
    first = np.median(down_down, axis=1, keepdims=True)
    return _MILLISECONDS * np.stack([np.hstack([first, down_down]), hold], axis=2)


def _refuse_zeros(events: FloatArray) -> None:
    for row, key, feature in np.argwhere(events <= 0)[:1]:
        raise InvalidTimingsError(
            f"timing matrix, row {row}: the {_FEATURES[feature]} of key {key} (counted from 0) is "
            "0 s, which has no logarithm if timings are exact (clock=0). Give the resolution of "
            "the clock, leave the sample out of training or use distribution='normal'."
        )


def _check_names(keys: Sequence[str], n_keys: int | None) -> tuple[str, ...]:
    """Return the names of the keys; of any number if `n_keys` is None."""
    if not isinstance(keys, Iterable) or isinstance(keys, Mapping | bytes):
        raise InvalidParameterError(
            f"keys must be None or the event types of the keys of the text, as in ['a', 'b']; got "
            f"{keys!r}."
        )
    names = tuple(str(key) for key in keys)
    if n_keys is not None and len(names) != n_keys:
        raise InvalidParameterError(
            f"keys must name the event type of all {n_keys} keys of the text (the timing matrix "
            f"has 3 K - 2 = {3 * n_keys - 2} columns); got {len(names)}: {names}."
        )
    return names
