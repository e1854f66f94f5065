"""The partially observable hidden Markov model of free text."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np

from hawkeys._typing import FloatArray
from hawkeys._validation import check_choice, check_count, check_nonnegative, check_shape
from hawkeys.exceptions import ConvergenceWarning
from hawkeys.verifiers import _pohmm_em as em
from hawkeys.verifiers.fixed_text._intervals import check_clock
from hawkeys.verifiers.free_text._clock import resolution_of_strokes
from hawkeys.verifiers.free_text.base import FreeTextVerifier
from hawkeys.verifiers.free_text.recordings import Recordings

__all__ = ["FreeTextPOHMM"]

_MILLISECONDS = 1000.0
_SHORTEST = 1.0


class FreeTextPOHMM(FreeTextVerifier):
    """Partially observable hidden Markov model of free text: `POHMM` with any sequence of keys.

    Each recording is a sequence of events, a key's event type being its name. The first press
    interval of a recording, which is unknown, is the median of the others. Exact intervals below
    1 ms count as 1 ms; with a `clock`, times are known to a tick, as in `POHMM`. Keys not seen in
    training have the marginal parameters.

    Parameters
    ----------
    n_states : int, default 2
        Hidden states M.
    smoothing : {"freq", "exp", "fixed", "none"}, default "freq"
        Weight of the marginal in the parameters of a key seen n times, as in `POHMM`.
    tol : float, default 1.0
        Gain of the log-likelihood of all training keystrokes, in nats, below which it stops.
    max_iter : int, default 200
        Largest number of updates.
    clock : float or None, default 0.0
        Resolution of the times in seconds, 0 for exact ones; None for what is found in the training
        keystrokes, as in `POHMM`.

    Attributes
    ----------
    keys_ : tuple of str, length W
        Event types; type ``keys_[w - 1]`` has index w below, and index 0 holds the marginals.
    start_, transition_, location_, scale_ : ndarray
        Parameters, as in `POHMM`.
    clock_ : float
        The resolution used, in seconds; 0 for exact times.
    log_likelihood_trace_ : ndarray, shape (n_iter + 1,)
        Before each update and of the estimate.
    n_iter_ : int
        Updates done.
    converged_ : bool
        Whether the last update gained less than `tol`, or lost.

    Notes
    -----
    The score of a recording is its log-likelihood per keystroke (milliseconds, given the keys).
    O(n_strokes M^2) per update.

    References
    ----------
    .. [1] J. V. Monaco and C. C. Tappert, "The partially observable hidden Markov model and its
       application to keystroke dynamics", Pattern Recognition 76, 2018, arXiv:1607.03854.

    Examples
    --------
    >>> from hawkeys.verifiers import FreeTextPOHMM
    >>> press = [0.0, 0.15, 0.31, 0.46, 0.60, 0.77]
    >>> release = [t + d for t, d in zip(press, [0.08, 0.09, 0.085, 0.08, 0.09, 0.1])]
    >>> typed = {"key": list("ababab"), "press": press, "release": release}
    >>> FreeTextPOHMM().fit(typed).keys_
    ('a', 'b')
    """

    def __init__(
        self,
        *,
        n_states: int = 2,
        smoothing: str = "freq",
        tol: float = 1.0,
        max_iter: int = 200,
        clock: float | None = 0.0,
    ) -> None:
        self.n_states = n_states
        self.smoothing = smoothing
        self.tol = tol
        self.max_iter = max_iter
        self.clock = clock

    def _learn(self, strokes: Recordings) -> None:
        options = em.Options(
            n_states=check_count(self.n_states, "n_states"),
            smoothing=check_choice(self.smoothing, "smoothing", em.SMOOTHINGS),
            tol=float(check_shape(check_nonnegative(self.tol, "tol"), "tol", (), "one number")),
            max_iter=check_count(self.max_iter, "max_iter"),
        )
        check_clock(self.clock)
        self.clock_ = resolution_of_strokes(strokes, self.clock)
        options = replace(options, width=_MILLISECONDS * self.clock_)
        # only keys that come in these recordings are types
        self.keys_ = tuple(strokes.names[code] for code in np.unique(strokes.key))
        fit = em.estimate_texts(self._texts(strokes), 1.0, options)
        self.start_, self.transition_, self.location_, self.scale_ = fit.parameters
        self.log_likelihood_trace_, self.converged_ = fit.trace, fit.converged
        self.n_iter_ = fit.trace.size - 1
        if not fit.converged:
            warnings.warn(
                f"FreeTextPOHMM stopped after max_iter={self.max_iter} updates, of which the last "
                f"gained {fit.trace[-1] - fit.trace[-2]:.3g} nats, not less than "
                f"tol={self.tol:g}. Raise max_iter or tol.",
                ConvergenceWarning,
                stacklevel=3,
            )

    def _score(self, strokes: Recordings) -> FloatArray:
        parameters = em.Parameters(self.start_, self.transition_, self.location_, self.scale_)
        width = _MILLISECONDS * self.clock_
        return np.array(
            [
                em.score(text.values, 1.0, text.types, parameters, width)[0] / text.types.size
                for text in self._texts(strokes)
            ]
        )

    def _texts(self, strokes: Recordings) -> list[em.Text]:
        """Return log press interval and log hold in ms of each recording, one sample each."""
        known = {name: index for index, name in enumerate(self.keys_, start=1)}
        types = np.array([known.get(name, 0) for name in strokes.names])[strokes.key]
        interval = np.diff(strokes.press, prepend=np.nan)
        hold = strokes.release - strokes.press
        begins = np.flatnonzero(strokes.place == 0)
        texts = []
        for begin, end in zip(begins, [*begins[1:], len(strokes)], strict=True):
            interval[begin] = np.median(interval[begin + 1 : end])
            values = _MILLISECONDS * np.column_stack([interval[begin:end], hold[begin:end]])
            if self.clock_ == 0.0:
                values = np.maximum(values, _SHORTEST)
            with np.errstate(divide="ignore"):
                texts.append(em.Text(np.log(values)[None], types[begin:end]))
        return texts
