"""The least-squares contrast."""

import naive_penalties as naive
import numpy as np
import pytest
from scipy.optimize import minimize

import hawkeys
from hawkeys._design import Design
from hawkeys._jit.contrast import add_products
from hawkeys.exceptions import IdentifiabilityWarning, InvalidParameterError
from hawkeys.inference.rows.least_squares import exponential_gram
from hawkeys.interop import from_tick
from hawkeys.kernels import Exponential, LogNormal
from hawkeys.results.contrast import ContrastResult

TRUTH = hawkeys.Hawkes([0.4, 0.2], [[0.3, 0.1], [0.0, 0.5]], decay=2.0)
SAMPLE = hawkeys.simulate(TRUTH, end_time=20.0, n_realizations=2, rng=4)
LARGER = hawkeys.simulate(TRUTH, end_time=2_000.0, rng=5)
PAIRS = np.array([[2.0, 1.0], [0.5, 3.0]])


def tied(sample):
    lists = [[np.round(times) for times in marks] for marks in sample.to_lists()]
    ends = sample.end_times + 1.0
    return hawkeys.Events.from_lists(lists, start_times=-1.0, end_times=ends)


CASES = {
    "plain": SAMPLE,
    "ties": tied(SAMPLE),
    "silent mark": hawkeys.Events.from_lists([[[1.0, 1.5], []]], end_times=4.0),
    "one event": hawkeys.Events.from_lists([[[1.0], []]], end_times=4.0),
    "no event": hawkeys.Events.from_lists([[[], []]], end_times=4.0),
    "huge gap": hawkeys.Events.from_lists([[[1.0, 1e4], [1.2]]], end_times=1e4 + 1.0),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("decay", [1.5, [1.0, 2.5], PAIRS], ids=["shared", "source", "pair"])
def test_the_contrast_is_that_of_quadrature(case, decay):
    events, kernel = CASES[case], Exponential(decay)
    weights = np.arange(1.0, events.n_realizations + 1.0)
    design = Design.build(events, kernel, realization_weights=weights)
    gram = exponential_gram(events, kernel, weights, design.cost)
    x = np.array([[0.3, 0.2, 0.4], [0.1, 0.5, 0.2]])
    for i in range(2):
        counted = design.weights[design.offsets[i] : design.offsets[i + 1]]
        columns = np.vstack((np.ones(design.counts[i]), design.block(i)))
        linear = columns @ (counted if counted.size else np.ones(design.counts[i]))
        value = x[i] @ gram[i] @ x[i] - 2.0 * linear @ x[i]
        expected = naive.contrast(events, x[i], kernel.decay_matrix(2), weights, i)
        assert value == pytest.approx(expected, rel=1e-8)


def test_nothing_cancels_in_short_windows():
    # of two events long before their influence fades: beta^2 (T - s), to first order in beta
    times, end = np.array([1.0, 2.0]), np.array([4.0])
    decay = np.array([1e-9, 1e-9])
    out = np.zeros((2, 2))
    marks, offsets = np.array([0, 1]), np.array([0, 2])
    add_products((times, marks, offsets), end, np.ones(1), decay, out)
    assert out == pytest.approx(1e-18 * np.array([[3.0, 2.0], [2.0, 2.0]]), rel=1e-7)


@pytest.mark.filterwarnings("ignore::hawkeys.exceptions.EventsWarning")
@pytest.mark.filterwarnings("ignore::hawkeys.exceptions.IdentifiabilityWarning")
@pytest.mark.parametrize("case", CASES)
def test_no_optimiser_finds_less(case):
    events = CASES[case]
    result = hawkeys.fit(events, decay=PAIRS, method="least_squares")
    assert result.converged
    assert result.kkt_residual < 1e-10
    x, gram = result.estimates, 0.5 * result.information
    weights = np.ones(events.n_realizations)
    linear = np.array([naive.row(events, PAIRS, i, weights)[0].sum(axis=0) for i in range(2)])
    value = np.einsum("ip,ipq,iq->", x, gram, x) - 2.0 * (linear * x).sum()
    assert result.contrast == pytest.approx(value, rel=1e-9, abs=1e-12)
    for i in range(2):
        found = minimize(
            lambda z, i=i: (z @ gram[i] @ z - 2 * linear[i] @ z, 2 * (gram[i] @ z - linear[i])),
            np.full(3, 0.2), jac=True, bounds=[(0, None)] * 3, options={"ftol": 1e-15},
        )  # fmt: skip
        own = x[i] @ gram[i] @ x[i] - 2 * linear[i] @ x[i]
        assert own <= found.fun + 1e-9 * abs(found.fun)
        assert own == pytest.approx(found.fun, rel=1e-6, abs=1e-12)


def test_the_minimum_is_that_of_tick(tick):
    model = tick.ModelHawkesExpKernLeastSq(2.0)
    times = LARGER.to_lists()[0]
    model.fit(times, end_times=2_000.0)
    best = minimize(
        lambda c: (model.loss(c), model.grad(c)), np.full(6, 0.2), jac=True,
        bounds=[(0, None)] * 6, options={"ftol": 1e-16, "gtol": 1e-12},
    )  # fmt: skip
    theirs = from_tick(best.x[:2], best.x[2:].reshape(2, 2), 2.0)
    result = hawkeys.fit(LARGER, decay=2.0, method="least_squares")
    assert result.baseline == pytest.approx(theirs.baseline, abs=1e-5)
    assert result.adjacency == pytest.approx(theirs.adjacency, abs=1e-5)
    coefficients = np.concatenate((result.baseline, result.adjacency.ravel()))
    assert model.loss(coefficients) <= best.fun + 1e-12
    # their loss is the contrast per event
    assert model.loss(coefficients) * LARGER.n_events == pytest.approx(result.contrast, rel=1e-9)


def test_standard_errors_are_those_of_repetitions():
    sample = hawkeys.simulate(TRUTH, end_time=150.0, n_realizations=200, rng=3)
    whole = hawkeys.fit(sample, decay=2.0, method="least_squares")
    parts = [
        hawkeys.fit(sample[list(range(k, 200, 40))], decay=2.0, method="least_squares").estimates
        for k in range(40)
    ]
    # 5 realisations each: the spread is sqrt(40) times the error of the whole; adjacency[1, 0] is
    # at its bound 0, where there is no standard error to compare
    spread = np.std(parts, axis=0, ddof=1) / np.sqrt(40)
    free = TRUTH.adjacency > 0
    # the sd of 40 draws has a relative error of 11 %
    assert whole.std_err[:, 0] == pytest.approx(spread[:, 0], rel=0.35)
    assert whole.std_err[:, 1:][free] == pytest.approx(spread[:, 1:][free], rel=0.35)
    truth = np.column_stack((TRUTH.baseline, TRUTH.adjacency))
    inside = np.abs(whole.estimates - truth) < 3.5 * whole.std_err
    assert inside[:, 0].all()
    assert inside[:, 1:][free].all()


def test_support_weights_and_flags():
    support = np.array([[True, False], [True, True]])
    result = hawkeys.fit(SAMPLE, decay=2.0, method="least_squares", support=support)
    assert result.adjacency[0, 1] == 0.0
    assert not result.identified[0, 2]
    only = hawkeys.fit(SAMPLE, decay=2.0, method="least_squares", weights=[0.0, 3.0])
    alone = hawkeys.fit(SAMPLE[1], decay=2.0, method="least_squares")
    assert only.estimates == pytest.approx(alone.estimates, rel=1e-9)
    # a weight counts repetitions, as for likelihoods
    assert only.std_err * np.sqrt(3) == pytest.approx(alone.std_err, rel=1e-9, nan_ok=True)
    assert only.log_likelihood == only.process.log_likelihood(SAMPLE)


def test_the_result_is_complete(tmp_path):
    result = hawkeys.fit(LARGER, decay=2.0, method="least_squares")
    assert isinstance(result, ContrastResult)
    assert result.log_likelihood <= hawkeys.fit(LARGER, decay=2.0).log_likelihood
    assert np.isnan(result.optimality_gap)
    lower, upper = result.interval(0.9)
    assert (lower <= result.estimates)[~result.at_bound].all()
    assert (upper >= result.estimates)[~result.at_bound].all()
    assert "sandwich intervals" in result.summary()
    assert len(result.to_frame()) == 6
    result.save(tmp_path / "fit.json")
    again = hawkeys.load_result(tmp_path / "fit.json")
    assert isinstance(again, ContrastResult)
    assert (again.std_err[~again.at_bound] == result.std_err[~result.at_bound]).all()
    assert again.contrast == result.contrast


def test_an_impossible_event_is_said(tmp_path):
    burst = [np.array([1.0, *np.linspace(50.0, 50.2, 30)])]  # best explained by itself alone
    with pytest.warns(
        IdentifiabilityWarning, match="beyond any process that lasts: .* radius 13.2"
    ):
        result = hawkeys.fit(burst, decay=0.5, end_time=50.21, method="least_squares")
    assert result.baseline[0] == 0.0
    assert result.log_likelihood == -np.inf
    result.save(tmp_path / "fit.json")
    assert hawkeys.load_result(tmp_path / "fit.json").log_likelihood == result.log_likelihood


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernel": LogNormal(-1.0, 0.5)}, "needs exponential kernels with given decays"),
        ({"decay": "estimate"}, "needs exponential kernels with given decays; got None"),
        ({"decay": 2.0, "tolerance": 0.0}, "tolerance must be one positive number"),
        ({"decay": 2.0, "prior": 1}, "has no option 'prior'"),
        ({"decay": [1.0, 2.0, 3.0]}, "there are 2 marks"),
        ({"decay": 2.0, "tied": {"baseline": [0, 0]}}, "has one constant baseline per mark"),
    ],
)
def test_bad_arguments_are_refused(options, message):
    with pytest.raises(InvalidParameterError, match=message):
        hawkeys.fit(SAMPLE, method="least_squares", **options)


def test_one_realisation_at_a_time_is_refused():
    with pytest.raises(InvalidParameterError, match="fits one process to all realisations"):
        hawkeys.fit_each(SAMPLE, decay=2.0, method="least_squares")
