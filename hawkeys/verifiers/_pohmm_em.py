"""Parameters of the partially observable hidden Markov model and their estimation.

Event types are numbered from 1; index 0 of every parameter is its marginal over event types, used
for types that training did not see.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from hawkeys._loops import pohmm as choose
from hawkeys._typing import FloatArray, IntArray
from hawkeys.verifiers.fixed_text._censored import bounds, log_mass, moments

__all__ = [
    "SMOOTHINGS",
    "Counts",
    "Fit",
    "Options",
    "Parameters",
    "Text",
    "estimate",
    "estimate_texts",
    "score",
]

SMOOTHINGS = ("freq", "exp", "fixed", "none")

# Constants of the published implementation.
_LOG_DENSITY_FLOOR = float(np.log(1e-5))
_SCALE_FLOOR = 1e-5
_COUNT_FLOOR = 1e-5
_START_SPREAD = 2.0


class Parameters(NamedTuple):
    """Parameters for W event types, F features and M hidden states, with marginals at index 0.

    Attributes
    ----------
    start : ndarray, shape (W + 1, M)
        P(state | first event of that type).
    transition : ndarray, shape (W + 1, W + 1, M, M)
        [v, w, i, j]: P(state j at the next event | state i now, types v now and w next).
    location, scale : ndarray, shape (W + 1, F, M)
        Mean and standard deviation of the (log) features given type and state.
    """

    start: FloatArray
    transition: FloatArray
    location: FloatArray
    scale: FloatArray


class Text(NamedTuple):
    """Samples of one text.

    Attributes
    ----------
    values : ndarray, shape (N, T, F)
        (Log) features of every event.
    types : ndarray of int64, shape (T,)
        Event types, from 1.
    """

    values: FloatArray
    types: IntArray


class Counts(NamedTuple):
    """How often event types occur in training.

    Attributes
    ----------
    first : ndarray, shape (W,)
        Samples that start with each type.
    events : ndarray, shape (W,)
        Events of each type.
    pairs : ndarray, shape (W, W)
        [v, w]: events of type v that are followed by type w.
    """

    first: FloatArray
    events: FloatArray
    pairs: FloatArray


@dataclass(frozen=True)
class Options:
    """How to estimate.

    Attributes
    ----------
    n_states : int
        Hidden states M.
    smoothing : str
        One of `SMOOTHINGS`.
    tol : float
        Gain of the log-likelihood below which to stop.
    max_iter : int
        Largest number of updates.
    width : float, default 0
        Width of the interval that a value stands for, in its unit; 0 for exact values.
    """

    n_states: int
    smoothing: str
    tol: float
    max_iter: int
    width: float = 0.0


@dataclass(frozen=True)
class Fit:
    """Estimated parameters and how they were reached.

    Attributes
    ----------
    parameters : Parameters
        The estimate.
    trace : ndarray, shape (n_iter + 1,)
        Log-likelihood before each update and of the estimate (last).
    converged : bool
        Whether the last gain was below the tolerance.
    """

    parameters: Parameters
    trace: FloatArray
    converged: bool


def score(
    values: FloatArray,
    jacobian: float,
    types: IntArray,
    parameters: Parameters,
    width: float = 0.0,
) -> FloatArray:
    """Return the log-likelihood of each sample of `values` (N, T, F), event types `types` (T,)."""
    out = np.empty(values.shape[0])
    loops, text = choose.for_scores(values), Text(values, types)
    start, transition, emission = _at_positions(loops, text, jacobian, parameters, width)
    loops.log_likelihood(emission, start, transition, out)
    return out


def estimate(values: FloatArray, jacobian: float, types: IntArray, options: Options) -> Fit:
    """Estimate the parameters from samples of one text; see `estimate_texts`."""
    return estimate_texts([Text(values, types)], jacobian, options)


def estimate_texts(texts: Sequence[Text], jacobian: float, options: Options) -> Fit:
    """Estimate the parameters by expectation-maximisation with smoothing after each update.

    It stops when an update gains less than the tolerance; smoothing can make the log-likelihood
    fall, which stops it too.
    """
    counts = _count(texts)
    loops = choose.for_estimation([values for values, _ in texts], options.n_states)
    parameters = _starting_point(_finite(texts, options.width), options.n_states)
    trace: list[float] = []
    while True:
        parameters = _smooth(parameters, counts, options.smoothing)
        found, total = [], 0.0
        for text in texts:
            start, transition, emission = _at_positions(
                loops, text, jacobian, parameters, options.width
            )
            states = np.empty_like(emission)
            pairs = np.empty_like(transition)
            total += loops.posterior(emission, start, transition, states, pairs)
            found.append((states, pairs))
        trace.append(total)
        converged = len(trace) > 1 and trace[-1] - trace[-2] < options.tol
        if converged or len(trace) > options.max_iter:
            return Fit(parameters, np.array(trace), converged)
        parameters = _maximise(loops, texts, found, parameters, jacobian, options.width)


def _at_positions(
    loops: Any, text: Text, jacobian: float, parameters: Parameters, width: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return start (M,), transition (T - 1, M, M) and log emission (N, T, M) of one text."""
    values, types = text
    emission = np.empty((*values.shape[:2], parameters.start.shape[1]))
    location, scale = parameters.location[types], parameters.scale[types]
    if width > 0.0:
        lower, upper = _ends(values, jacobian, width)
        each = log_mass(lower, upper, location, scale) - np.log(width)
        emission[:] = np.maximum(_LOG_DENSITY_FLOOR, each).sum(axis=2)
    else:
        loops.log_emission(values, location, scale, jacobian, _LOG_DENSITY_FLOOR, emission)
    return parameters.start[types[0]], parameters.transition[types[:-1], types[1:]], emission


def _ends(values: FloatArray, jacobian: float, width: float) -> tuple[FloatArray, FloatArray]:
    """Return the ends of the interval that each (log) feature stands for, (N, T, F, 1)."""
    if jacobian == 0.0:
        return (values - 0.5 * width)[..., None], (values + 0.5 * width)[..., None]
    lower, upper = bounds(np.exp(values), width)
    return lower[..., None], upper[..., None]


def _finite(texts: Sequence[Text], width: float) -> Sequence[Text]:
    """Return the texts with a log feature of 0 in the middle of the interval it stands for."""
    if width == 0.0:
        return texts
    lowest = float(np.log(0.25 * width))
    return [Text(np.where(np.isneginf(v), lowest, v), types) for v, types in texts]


def _count(texts: Sequence[Text]) -> Counts:
    n_types = max(int(types.max()) for _, types in texts)
    first, events = np.zeros(n_types), np.zeros(n_types)
    pairs = np.zeros((n_types, n_types))
    for values, types in texts:
        n_samples = float(values.shape[0])
        first[types[0] - 1] += n_samples
        np.add.at(events, types - 1, n_samples)
        np.add.at(pairs, (types[:-1] - 1, types[1:] - 1), n_samples)
    return Counts(first, events, pairs)


def _flat(texts: Sequence[Text]) -> Text:
    """Return all events as one sample."""
    n_features = texts[0].values.shape[2]
    values = np.concatenate([values.reshape(-1, n_features) for values, _ in texts])
    types = np.concatenate([np.tile(types, values.shape[0]) for values, types in texts])
    return Text(values[None], types)


def _starting_point(texts: Sequence[Text], n_states: int) -> Parameters:
    """Return uniform chances, and states that differ in the mean of the first feature only."""
    (values,), types = _flat(texts)
    n_types, n_features = int(types.max()), values.shape[1]
    location = np.zeros((n_types + 1, n_features, n_states))
    scale = np.zeros_like(location)
    for w in range(1, n_types + 1):
        events = values[types == w]
        location[w] = events.mean(axis=0)[:, None]
        scale[w] = np.maximum(events.std(axis=0), _SCALE_FLOOR)[:, None]
    if n_states > 1:
        steps = np.linspace(-_START_SPREAD, _START_SPREAD, n_states)
        location[:, 0] += values[:, 0].std() * steps
    start = np.full((n_types + 1, n_states), 1.0 / n_states)
    transition = np.full((n_types + 1, n_types + 1, n_states, n_states), 1.0 / n_states)
    return Parameters(start, transition, location, scale)


def _maximise(
    loops: Any,
    texts: Sequence[Text],
    found: Sequence[tuple[FloatArray, FloatArray]],
    old: Parameters,
    jacobian: float,
    width: float,
) -> Parameters:
    """Return the parameters of each event type that the posterior suggests."""
    transition = np.zeros_like(old.transition)
    start = np.zeros_like(old.start)
    for (_, types), (states, pairs) in zip(texts, found, strict=True):
        np.add.at(transition, (types[:-1], types[1:]), pairs)
        known, first = np.unique(types, return_index=True)
        start[known] += states[:, first].sum(axis=0)
    events = _flat(texts)
    states = np.concatenate([states.reshape(-1, states.shape[2]) for states, _ in found])
    location, scale = old.location.copy(), old.scale.copy()
    if width > 0.0:
        ends = _ends(events.values, jacobian, width)
        _weighted_moments(ends, states, events.types, location, scale)
    else:
        loops.weighted_moments(
            events.values, states[None], events.types, _SCALE_FLOOR, location, scale
        )
    return Parameters(
        _normalise(np.maximum(start, _COUNT_FLOOR)),
        _normalise(np.maximum(transition, _COUNT_FLOOR)),
        location,
        scale,
    )


def _weighted_moments(
    ends: tuple[FloatArray, FloatArray],
    states: FloatArray,
    types: IntArray,
    location: FloatArray,
    scale: FloatArray,
) -> None:
    """Replace mean and deviation of each type by those expected given the intervals.

    `ends` (1, E, F, 1), `states` (E, M), `types` (E,); `location` and `scale` (W, F, M) come as the
    old ones. Rows without weight keep their mean.
    """
    mean, variance = (each[0] for each in moments(*ends, location[types], scale[types]))
    for w in np.unique(types):
        weight = states[types == w][:, None, :]
        total = weight.sum(axis=0)
        used = np.where(total > 0.0, total, 1.0)
        center = (weight * mean[types == w]).sum(axis=0) / used
        gap = mean[types == w] - center
        spread = (weight * (variance[types == w] + gap**2)).sum(axis=0) / used
        location[w] = np.where(total > 0.0, center, location[w])
        scale[w] = np.where(total > 0.0, np.maximum(np.sqrt(spread), _SCALE_FLOOR), _SCALE_FLOOR)


def _smooth(parameters: Parameters, counts: Counts, smoothing: str) -> Parameters:
    """Return parameters with marginals at index 0, and those of each type drawn towards them."""
    start, transition, location, scale = _with_marginals(parameters, counts)
    if smoothing == "fixed":
        transition[:] = transition[0, 0]
        blend = np.ones(counts.events.size)
    elif smoothing == "none":
        blend = np.zeros(counts.events.size)
    else:
        blend = _weight(counts.events, smoothing)
        forward, backward = _transition_weights(counts, smoothing)
        transition[1:, 1:] = (
            (1.0 - forward - backward) * transition[1:, 1:]
            + forward * transition[1:, :1]
            + backward * transition[:1, 1:]
        )
    for array in (start, location, scale):
        share = blend.reshape(-1, *[1] * (array.ndim - 1))
        array[1:] = (1.0 - share) * array[1:] + share * array[0]
    return Parameters(start, transition, location, scale)


def _with_marginals(parameters: Parameters, counts: Counts) -> Parameters:
    """Return a copy of the parameters with index 0 set to the marginals over event types."""
    start, transition, location, scale = (array.copy() for array in parameters)
    start[0] = np.tensordot(counts.first / counts.first.sum(), start[1:], axes=1)
    share = counts.events / counts.events.sum()
    location[0] = np.tensordot(share, location[1:], axes=1)
    variance = (location[1:] - location[0]) ** 2 + scale[1:] ** 2
    scale[0] = np.sqrt(np.tensordot(share, variance, axes=1))
    joint = _successors(counts)[:, :, None, None] * transition[1:, 1:]
    transition[0, 0] = _normalise(joint.sum(axis=(0, 1)))
    transition[1:, 0] = _normalise(joint.sum(axis=1))
    before = joint.sum(axis=0)
    reached = before.sum(axis=(1, 2)) > 0
    transition[0, 1:] = transition[0, 0]
    transition[0, 1:][reached] = _normalise(before[reached])
    return Parameters(start, transition, location, scale)


def _successors(counts: Counts) -> FloatArray:
    """Return P(next type | type); a type that is never followed is followed by each alike."""
    ended = counts.pairs.sum(axis=1, keepdims=True) == 0
    return _normalise(np.where(ended, 1.0, counts.pairs))


def _transition_weights(counts: Counts, smoothing: str) -> tuple[FloatArray, FloatArray]:
    """Return the weights of a[v, .] and a[., w]; where they exceed 1 together, their shares."""
    forward = _weight(counts.pairs + counts.pairs.sum(axis=0), smoothing)
    backward = _weight(counts.pairs + counts.pairs.sum(axis=1, keepdims=True), smoothing)
    excess = np.maximum(1.0, forward + backward)
    return (forward / excess)[..., None, None], (backward / excess)[..., None, None]


def _weight(count: FloatArray, smoothing: str) -> FloatArray:
    return np.exp(-count) if smoothing == "exp" else 1.0 / (1.0 + count)


def _normalise(weights: FloatArray) -> FloatArray:
    return weights / weights.sum(axis=-1, keepdims=True)
