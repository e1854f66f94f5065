"""Small calls that run the compiled code of point processes, in every form that data can have."""

from __future__ import annotations

import numpy as np

from hawkeys._design import Design, SelectedRows
from hawkeys._loops.rows import row_sums, shared_sums
from hawkeys.baselines import PiecewiseConstant
from hawkeys.events import Events
from hawkeys.forecasting import forecast
from hawkeys.inference import (
    ElasticNet,
    GammaPrior,
    GroupLasso,
    Lasso,
    Ridge,
    bootstrap,
    edge_tests,
    fit,
    fit_each,
    fit_rectified,
    goodness_of_fit,
    penalty_path,
    profile_interval,
    sandwich_covariance,
)
from hawkeys.inference.nonlinear import fit_nonlinear
from hawkeys.kernels import Exponential, Gamma, Histogram, Kernel, LogNormal, SumExponential
from hawkeys.process import Hawkes, LagFilters, LogTimeFilters, NonlinearHawkes
from hawkeys.process.branching import branching_probabilities
from hawkeys.process.likelihood import LogLikelihood
from hawkeys.process.rectified import RectifiedHawkes
from hawkeys.simulation import simulate, simulate_until
from hawkeys.simulation.branching import simulate_branching
from hawkeys.simulation.nonlinear import simulate_nonlinear
from hawkeys.simulation.rectified import simulate_rectified

__all__ = [
    "branching",
    "decays",
    "events",
    "kernels",
    "least_squares",
    "likelihood",
    "nonlinear",
    "penalties",
    "rectified",
    "simulation",
    "stochastic",
    "uncertainty",
    "variational",
]

# one decay, one per source, one per pair
_DECAYS = (2.0, np.array([1.0, 2.0]), np.array([[1.0, 2.0], [0.5, 3.0]]))
_QUERIES = np.array([1.0, 2.5, 7.0])


def _lists(seed: int, n_marks: int = 2, n_events: int = 30) -> list[np.ndarray]:
    """Return sorted times in (0, 20), one array per mark."""
    rng = np.random.default_rng(seed)
    return [np.sort(rng.uniform(0.0, 20.0, n_events)) for _ in range(n_marks)]


def _data(n_realizations: int = 3) -> Events:
    """Return a few short realisations of two marks."""
    lists = [_lists(seed) for seed in range(n_realizations)]
    return Events.from_lists(lists, end_times=20.0)


def _answers() -> Events:
    """Return two marks of which each event brings others some 0.4 later: clearly excitation."""
    rng = np.random.default_rng(0)
    first = [_lists(seed, n_events=40) for seed in range(3)]
    late = [
        [np.sort(times + rng.lognormal(-1.0, 0.3, times.size)) for times in lists[::-1]]
        for lists in first
    ]
    both = [
        [np.sort(np.concatenate(pair)) for pair in zip(*lists, strict=True)]
        for lists in zip(first, late, strict=True)
    ]
    return Events.from_lists(both, end_times=25.0)


def _sums_of_parts(data: Events) -> None:
    """Take the sums of a pass over events on disk, which need no disk."""
    x, wanted = np.full((2, 3), 0.3), np.ones(2, dtype=bool)
    shared_sums((data.times, data.marks, data.offsets), 2.0, x, wanted)
    design = Design.build(data, Exponential(2.0))
    row_sums((design.excitation, design.weights, design.offsets), x, wanted)


def _process(kernel: Kernel) -> Hawkes:
    return Hawkes([0.8, 0.6], [[0.2, 0.1], [0.1, 0.3]], kernel=kernel)


def _evaluate(kernel: Kernel) -> None:
    """Ask a process for all that it computes of data."""
    process, data = _process(kernel), _data()
    process.log_likelihood(data)
    process.intensity(data, _QUERIES, realization=0)
    process.compensator(data, _QUERIES, realization=0)
    branching_probabilities(process, data)


def events() -> None:
    """Merge lists; excitations, intensities and compensators of exponential kernels."""
    alone, data = Events.from_lists([[_lists(0)[0]]], end_times=20.0), _data()
    LogLikelihood(alone, decay=2.0).value_and_gradient(np.full((1, 2), 0.3))
    Events.from_arrays(data.times, data.marks, offsets=data.offsets, end_times=20.0)
    for decay in _DECAYS:
        _evaluate(Exponential(decay))
        likelihood = LogLikelihood(data, decay=decay)
        likelihood.value_and_gradient(np.full((2, 3), 0.3))
    _evaluate(SumExponential([0.5, 3.0], [0.5, 0.5]))


def likelihood() -> None:
    """Maximum likelihood and posterior modes, of all realisations, of each and of parts on disk."""
    data = _data()
    _sums_of_parts(data)
    steps = {"baseline": PiecewiseConstant([0.0, 10.0, 20.0])}
    weights = {"weights": [1.0, 2.0, 0.5]}
    for method in ("mle", "map"):
        for decay in _DECAYS:
            fit(data, decay=decay, method=method)
        for options in (steps, weights, {"support": np.eye(2, dtype=bool)}):
            fit(data, decay=2.0, method=method, **options)
        fit(data, kernel=SumExponential([0.5, 3.0]), method=method)
        fit_each(data, decay=2.0, method=method)
    fit(data, decay=2.0, method="map", prior=GammaPrior(shape=2.0, rate=1.0))
    fit_each(data, decay=2.0, method="map", pooling="row")


def penalties() -> None:
    """Penalised fits and their paths."""
    groups = [[0, 1], [1, 0]]
    for penalty in (Ridge(1.0), Lasso(1.0), ElasticNet(1.0, 0.5), GroupLasso(groups, 1.0)):
        fit(_data(), decay=2.0, method="map", prior=penalty)
    penalty_path(_data(), decay=2.0)
    _many_marks()


def _many_marks() -> None:
    """Sums over events of so many marks that excitations are written out as they are needed."""
    for decay in _DECAYS:
        rows = SelectedRows.build(_data(), Exponential(decay))
        rows.columns(0, np.arange(2))
        rows.pulls(np.arange(2), np.ones(rows.events.n_events))


def least_squares() -> None:
    """Least squares."""
    for decay in _DECAYS:
        fit(_data(), decay=decay, method="least_squares")


def variational() -> None:
    """Deterministic variational inference, of all realisations and of each."""
    data = _data()
    for decay in _DECAYS:
        fit(data, decay=decay, method="vi")
    fit(data, decay=2.0, method="vi", weights=[1.0, 2.0, 0.5])
    fit(data, kernel=SumExponential([0.5, 3.0]), method="vi")
    fit(data, decay=2.0, method="vi", relevance_determination=True)
    fit_each(data, decay=2.0, method="vi")
    fit_each(data, decay=2.0, method="vi", pooling="row")


def branching() -> None:
    """Variational inference over the branching structure."""
    fit(_data(), decay=2.0, method="vi_branching")
    fit_each(_data(), decay=2.0, method="vi_branching")


def stochastic() -> None:
    """Stochastic variational inference."""
    fit(_data(), decay=2.0, method="vi_stochastic", n_steps=20)
    fit_each(_data(), decay=2.0, method="vi_stochastic", n_steps=20)


def decays() -> None:
    """Decays that are estimated, one or many, or chosen from a grid."""
    for sharing in ("shared", "source", "pair"):
        fit(_data(), decay="estimate", decay_sharing=sharing)
    fit(_data(), decay="estimate", method="map")
    both = _answers()
    alone = Events.from_arrays(
        both.times, np.zeros(both.n_events, np.int64), offsets=both.offsets, end_times=25.0
    )
    fit(alone, decay="estimate")
    fit(_data(), decay_grid=[0.5, 2.0])


def kernels() -> None:
    """Delayed kernels, given and estimated."""
    data, edges = _data(), [0.0, 0.5, 1.0]
    given = (LogNormal(-1.0, 0.5), Gamma(2.0, 4.0), Histogram(edges, [0.6, 0.4]))
    for kernel in (*given, LogNormal(np.full((2, 2), -1.0), np.full((2, 2), 0.5))):
        _evaluate(kernel)
        for method in ("mle", "vi"):
            fit(data, kernel=kernel, method=method)
    clear = _answers()
    for kernel in (LogNormal(), Gamma(), Histogram(edges)):
        fit(clear, kernel=kernel, method="vi_branching")
        result = fit(clear, kernel=kernel)
        goodness_of_fit(result, clear, n_mc_samples=2, rng=0)


def simulation() -> None:
    """Simulation of few events and of many, and forecasts."""
    process = _process(Exponential(2.0))
    for decay in _DECAYS:
        simulate(_process(Exponential(decay)), end_time=50_000.0, rng=0)
    simulate(process, end_time=20.0, n_realizations=3, rng=0)
    simulate_until(process, n_events=20, rng=0)
    simulate_branching(process, end_time=20.0, rng=0)
    simulate(_process(LogNormal(-1.0, 0.5)), end_time=20.0, rng=0)
    forecast(process, _data(1), 5.0, n_paths=20, rng=0)


def rectified() -> None:
    """Processes with inhibition: simulation, likelihood and fit."""
    process = RectifiedHawkes([0.8, 0.6], [[0.2, -0.3], [0.1, 0.2]], decay=2.0)
    data = simulate_rectified(process, end_time=[20.0, 30.0], rng=0)
    process.log_likelihood(data)
    process.intensity(data, _QUERIES, realization=0)
    process.compensator(data, _QUERIES, realization=0)
    goodness_of_fit(fit_rectified(data, decay=2.0), data, n_mc_samples=2, rng=0)


def nonlinear() -> None:
    """Processes with a link: simulation, likelihood and fit."""
    filters = LogTimeFilters([0.1, 0.3, 0.9])
    process = NonlinearHawkes([0.0, -0.5], np.full((1, 2, 2, 2), 0.2), filters, memory=2)
    data = simulate_nonlinear(process, end_time=[40.0, 30.0], rng=0)
    process.log_likelihood(data)
    process.intensity(data, _QUERIES, realization=0)
    process.compensator(data, _QUERIES, realization=0)
    goodness_of_fit(fit_nonlinear(data, filters=filters), data, n_mc_samples=2, rng=0)
    lags = LagFilters([0.0, 0.2], [1.0])
    linked = NonlinearHawkes([0.0, -0.5], np.full((1, 2, 2, 2), -0.2), lags, link="softplus")
    simulate_nonlinear(linked, end_time=20.0, rng=0)


def uncertainty() -> None:
    """Profile intervals, sandwich covariances, tests of edges, replicates, tests of the model."""
    data = _data()
    for weights in (None, [1.0, 2.0, 0.5]):
        result = fit(data, decay=2.0, weights=weights)
        profile_interval(result, data)
        sandwich_covariance(result, data)
        edge_tests(result, data)
    result = fit(data, decay=2.0)
    bootstrap(result, data, n_replicates=3, rng=0)
    goodness_of_fit(result, data, n_mc_samples=2, rng=0)
