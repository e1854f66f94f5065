"""`MarkedRenewalVerifier`: one person by keyed text, against a cohort."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import logsumexp
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from hawkeys._typing import FloatArray
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers.free_text.marked import MarkedRenewal
from hawkeys.verifiers.free_text.recordings import as_recordings
from hawkeys.verifiers.protocol import Needs

__all__ = ["MarkedRenewalVerifier"]


class MarkedRenewalVerifier(BaseEstimator):
    """Verify one person by keyed text, against a cohort of other people.

    The score is the log-likelihood under the person's law less the log of the mean likelihood
    under those of the background's people, from whom people in general are learned, too.

    Parameters
    ----------
    model : MarkedRenewal, optional
        The laws. Default: `MarkedRenewal()`.

    Attributes
    ----------
    person_, cohort_ : MarkedRenewal
        Fitted to the person, and to the background.

    Notes
    -----
    Times less what people in general do in the same key context are the channels that the best
    published network of free text adds [1]_. Here they are the closed form of it: the person's law
    is that of people in general, moved as far as the person's own times of the key or pair say,
    and the score is what the move gains.

    References
    ----------
    .. [1] N. Gonzalez et al., "Type2Branch: keystroke biometrics based on a dual-branch
       architecture with attention mechanisms and set2set loss", arXiv:2405.01088.

    Examples
    --------
    >>> from hawkeys.datasets import simulate_keyed_text
    >>> from hawkeys.verifiers import MarkedRenewalVerifier
    >>> strokes = simulate_keyed_text()
    >>> mine, early = strokes.user == "simulated-00", strokes.session < 6
    >>> verifier = MarkedRenewalVerifier().fit(strokes[mine & early], strokes[~mine & early])
    >>> bool(verifier.score_samples(strokes[mine & ~early]).min() > 0)
    True
    """

    needs = Needs("free text", holds=True, keys=True, background=True)

    def __init__(self, model: MarkedRenewal | None = None) -> None:
        self.model = model

    def fit(self, genuine: Any, background: Any = None) -> MarkedRenewalVerifier:
        """Enrol a person.

        Parameters
        ----------
        genuine : Strokes, DataFrame or mapping
            Keystrokes of the person, in recordings.
        background : Strokes
            Keystrokes of other people, with their users.

        Returns
        -------
        MarkedRenewalVerifier
            The verifier itself.

        Raises
        ------
        InvalidParameterError
            If there is no background, or it does not say who typed.
        InvalidTimingsError
            If times are not finite or not in order, or a recording has fewer than two keystrokes.
        """
        if background is None:
            raise InvalidParameterError(
                "background is needed: keystrokes of other people, as a Strokes record, to which "
                "the person is compared. Give fit(genuine, background)."
            )
        model = MarkedRenewal() if self.model is None else self.model
        self.cohort_ = clone(model).fit(background)
        strokes = as_recordings(genuine, "genuine")
        own = np.full(strokes.n_recordings, "genuine")
        self.person_ = clone(model).fit(strokes, own, population=background)
        return self

    def score_samples(self, samples: Any) -> FloatArray:
        """Return how genuine recordings are.

        Parameters
        ----------
        samples : Strokes, DataFrame or mapping
            Keystrokes in recordings.

        Returns
        -------
        ndarray of float64, shape (n_recordings,)
            Log-likelihood ratio, in nats; higher for more genuine.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        InvalidParameterError, InvalidTimingsError
            As `fit`.
        """
        check_is_fitted(self)
        others = self.cohort_.log_likelihood(samples)
        general = logsumexp(others, axis=1) - np.log(others.shape[1])
        return np.asarray(self.person_.log_likelihood(samples)[:, 0] - general)
