"""Perceptrons with one hidden layer, trained on one typist's samples alone."""

from __future__ import annotations

import numpy as np

from hawkeys._loops.choice import Compiled, usual_form
from hawkeys._typing import FloatArray, RandomState
from hawkeys._validation import (
    as_float_array,
    as_generator,
    check_count,
    check_positive_number,
)
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers.base import OneClassVerifier

__all__ = ["AutoAssociativeNet", "StandardNet"]

jit = Compiled("networks")


class _Net(OneClassVerifier):
    """Inputs, logistic hidden units and outputs, with biases; trained sample after sample."""

    n_epochs: int
    learning_rate: float
    momentum: float
    hidden_weights_: FloatArray
    output_weights_: FloatArray
    _logistic_output: bool

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_count(self.n_epochs, "n_epochs")
        check_positive_number(self.learning_rate, "learning_rate")
        _check_momentum(self.momentum)

    @property
    def slow_to_fit(self) -> bool:
        """Whether a fit takes too long for one per training sample: it does."""
        return True

    def _train(self, samples: FloatArray, targets: FloatArray) -> None:
        """Train the weights, which hold their starting values."""
        jit.train(
            usual_form(samples),
            usual_form(targets),
            self.hidden_weights_,
            self.output_weights_,
            int(self.n_epochs),
            float(self.learning_rate),
            float(self.momentum),
            self._logistic_output,
        )
        weights = (self.hidden_weights_, self.output_weights_)
        if not all(np.isfinite(array).all() for array in weights):
            raise InvalidParameterError(
                f"training diverged with learning_rate={self.learning_rate:g} on features as large "
                f"as {np.abs(samples).max():g}. Lower learning_rate."
            )

    def _outputs(self, samples: FloatArray) -> FloatArray:
        """Return the outputs of the net, (n_samples, n_outputs)."""
        out = np.empty((samples.shape[0], self.output_weights_.shape[1]))
        weights = self.hidden_weights_, self.output_weights_
        jit.outputs(usual_form(samples), *weights, self._logistic_output, out)
        return out


class AutoAssociativeNet(_Net):
    r"""Error of a perceptron that learned to reproduce the training samples.

    .. math::
        d(x) = \frac{1}{p} \lVert V h(x) + b - x \rVert^2, \qquad h(x) = \sigma(W x + a)

    with p inputs, p logistic hidden units (:math:`\sigma(z) = 1 / (1 + e^{-z})`) and p linear
    outputs.

    Parameters
    ----------
    n_epochs : int, default 500
        How often training goes through the samples, at least 1.
    learning_rate : float, default 1e-4
        Step against the gradient of half the squared error of one sample.
    momentum : float, default 3e-4
        Share of the last change that is added to the next, at least 0 and below 1.
    random_state : int, Generator, SeedSequence or None, default 0
        Seed of the starting weights; None draws one.
    false_alarm : float, default 0.05
        Share of the training samples, strictly between 0 and 1, that the threshold may reject.

    Attributes
    ----------
    hidden_weights_ : ndarray, shape (n_features + 1, n_features)
        The transpose of W, and the biases a in the last row.
    output_weights_ : ndarray, shape (n_features + 1, n_features)
        The transpose of V, and the biases b in the last row.
    offset_ : float
        Score below which a sample is rejected.

    Raises
    ------
    InvalidParameterError
        By `fit`, if a parameter is out of its range, or training diverged.

    Notes
    -----
    Weights move after each sample, in the order of the training samples, which therefore matters.
    They start uniformly distributed with mean 0 and variance 1 / n, n the number of all weights and
    biases, as in the R package AMORE; the kinds of units are those of [2]_. Features are taken as
    they are. Of the readings tried of the published description this one is nearest: the mean equal
    error rate of 51 typists (CMU data, protocol of [1]_) is .1613 (standard deviation .0800), .1620
    with another seed, and the zero-miss false-alarm rate .859; published are .1614 (.0797) and
    .859. The others:

    ====================================  =======  ==========
    reading                                   EER   zero-miss
    ====================================  =======  ==========
    no biases                               .1629        .862
    linear hidden units                     .1650        .771
    hyperbolic-tangent hidden units         .1650        .782
    linear hidden units, no biases          .1847        .794
    logistic outputs                        .1860        .939
    linear hidden, logistic outputs         .2154        .965
    features standardised                   .1123        .485
    features scaled to 0..1                 .1065        .525
    rate .01, momentum .03                  .1156        .528
    ====================================  =======  ==========

    A feature that never varied in training is learned like any other. Fit costs
    O(n_epochs n_samples n_features^2), about 0.3 s for 200 samples of 31 features.

    References
    ----------
    .. [1] K. S. Killourhy and R. A. Maxion (2009), "Comparing anomaly-detection algorithms for
       keystroke dynamics", DSN 2009, doi:10.1109/DSN.2009.5270346, detector "neural network
       (auto-assoc)".
    .. [2] S. Cho, C. Han, D. H. Han and H.-I. Kim (2000), "Web-based keystroke dynamics identity
       verification using neural network", Journal of Organizational Computing and Electronic
       Commerce 10(4), 295-307.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.verifiers import AutoAssociativeNet
    >>> train = np.full((100, 2), 0.1) + np.linspace(0.0, 0.02, 100)[:, None]
    >>> verifier = AutoAssociativeNet(learning_rate=0.01).fit(train)
    >>> verifier.predict([[0.11, 0.11], [0.11, 0.5]])
    array([ 1, -1])
    """

    enough_samples = 30

    _logistic_output = False

    def __init__(
        self,
        *,
        n_epochs: int = 500,
        learning_rate: float = 1e-4,
        momentum: float = 3e-4,
        random_state: RandomState = 0,
        false_alarm: float = 0.05,
    ) -> None:
        super().__init__(false_alarm=false_alarm)
        self.n_epochs = n_epochs
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.random_state = random_state

    def _check_parameters(self) -> None:
        super()._check_parameters()
        as_generator(self.random_state, "random_state")

    def _learn(self, samples: FloatArray) -> None:
        rng = as_generator(self.random_state, "random_state")
        width = samples.shape[1]
        shape = (width + 1, width)
        bound = np.sqrt(3.0 / (2 * width * (width + 1)))
        self.hidden_weights_ = rng.uniform(-bound, bound, shape)
        self.output_weights_ = rng.uniform(-bound, bound, shape)
        self._train(samples, samples)

    def _score(self, samples: FloatArray) -> FloatArray:
        return -np.square(self._outputs(samples) - samples).mean(axis=1)


class StandardNet(_Net):
    r"""Output of a perceptron that learned to answer 1 to the training samples.

    .. math:: s(x) = \sigma(v^\top \sigma(W x + a) + b) - 1

    with p inputs, :math:`\lceil 2p/3 \rceil` logistic hidden units and one logistic output,
    :math:`\sigma(z) = 1 / (1 + e^{-z})`.

    Parameters
    ----------
    n_epochs : int, default 500
        How often training goes through the samples, at least 1.
    learning_rate : float, default 1e-4
        Step against the gradient of half the squared error of one sample.
    momentum : float, default 0
        Share of the last change that is added to the next, at least 0 and below 1.
    false_alarm : float, default 0.05
        Share of the training samples, strictly between 0 and 1, that the threshold may reject.

    Attributes
    ----------
    hidden_weights_ : ndarray, shape (n_features + 1, n_hidden)
        The transpose of W, and the biases a in the last row.
    output_weights_ : ndarray, shape (n_hidden + 1, 1)
        The weights v, and the bias b in the last row.
    offset_ : float
        Score below which a sample is rejected.

    Raises
    ------
    InvalidParameterError
        By `fit`, if a parameter is out of its range, or training diverged.

    Notes
    -----
    A published row, not a verifier to use: nothing in its training tells typists apart. It answers
    1 to all, a little more readily to long times, so that slow impostors look more genuine than
    the typist. All weights and biases start at 0.1, so that the hidden units stay equal to each
    other for ever, and nothing is random.

    Of the readings tried of the published description this one is nearest: the mean equal error
    rate of 51 typists (CMU data, protocol of [1]_) is .8283 (standard deviation .1483), as
    published, and the zero-miss false-alarm rate 1.000. The others, all with a zero-miss rate of
    1.000: linear output .8281, also without biases .8279, linear hidden units .8277, linear hidden
    units and output .8256, also without biases .8229; with a linear output, features standardised
    .7702, features scaled to 0..1 .7542. With \|1 - output\| of a linear output the rate would be
    .2903.

    The weights move after each sample, in the order of the training samples, which therefore
    matters. Fit costs O(n_epochs n_samples n_features^2), 0.1 s for 200 samples of 31 features.

    References
    ----------
    .. [1] K. S. Killourhy and R. A. Maxion (2009), "Comparing anomaly-detection algorithms for
       keystroke dynamics", DSN 2009, doi:10.1109/DSN.2009.5270346, detector "neural network
       (standard)".

    Examples
    --------
    >>> from hawkeys.verifiers import StandardNet
    >>> verifier = StandardNet().fit([[0.1, 0.2], [0.2, 0.3]])
    >>> verifier.output_weights_.shape
    (3, 1)
    >>> verifier.predict([[0.1, 0.2], [5.0, 9.0]])
    array([1, 1])
    """

    enough_samples = None

    _logistic_output = True

    def __init__(
        self,
        *,
        n_epochs: int = 500,
        learning_rate: float = 1e-4,
        momentum: float = 0.0,
        false_alarm: float = 0.05,
    ) -> None:
        super().__init__(false_alarm=false_alarm)
        self.n_epochs = n_epochs
        self.learning_rate = learning_rate
        self.momentum = momentum

    def _learn(self, samples: FloatArray) -> None:
        n_samples, width = samples.shape
        n_hidden = -(-2 * width // 3)
        self.hidden_weights_ = np.full((width + 1, n_hidden), 0.1)
        self.output_weights_ = np.full((n_hidden + 1, 1), 0.1)
        self._train(samples, np.ones((n_samples, 1)))

    def _score(self, samples: FloatArray) -> FloatArray:
        return self._outputs(samples)[:, 0] - 1.0


def _check_momentum(momentum: float) -> None:
    value = as_float_array(momentum, "momentum")
    if value.ndim != 0 or isinstance(momentum, bool) or not 0 <= value < 1:
        raise InvalidParameterError(
            f"momentum must be one number of at least 0 and below 1; got {momentum!r}."
        )
