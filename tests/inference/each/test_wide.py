"""Every realisation alone, with baselines that change, estimated weights and tied parameters."""

import warnings

import naive_columns as naive
import numpy as np
import pytest

import hawkeys
from hawkeys import Events
from hawkeys._design import Design
from hawkeys._design.ties import Ties
from hawkeys.baselines import Constant, Periodic, PiecewiseConstant
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference import GroupLasso, Ridge
from hawkeys.kernels import Exponential, SumExponential

KNOTS = [0.0, 8.0, 20.0]
TIED = {"baseline": [0, 0], "adjacency": [[0, 1], [1, 0]]}
TRUTH = hawkeys.Hawkes(
    PiecewiseConstant(KNOTS, [[0.6, 1.2], [1.0, 0.4]]),
    [[0.3, 0.2], [0.1, 0.4]],
    kernel=SumExponential([1.0, 6.0], [0.5, 0.5]),
)
MODELS = {
    "piecewise": {"decay": 2.0, "baseline": PiecewiseConstant(KNOTS)},
    "periodic": {"decay": 2.0, "baseline": Periodic([0.0, 2.0], 5.0)},
    "tied": {"decay": 2.0, "tied": TIED},
    "one tied": {"decay": 2.0, "tied": {"adjacency": [[-1, 1], [1, -1]]}},
    "components": {"kernel": SumExponential([1.0, 6.0])},
    "all": {
        "kernel": SumExponential([1.0, 6.0]),
        "baseline": PiecewiseConstant(KNOTS),
        "tied": TIED,
    },
}


@pytest.fixture(scope="module")
def events():
    return hawkeys.simulate(TRUTH, end_time=20.0, n_realizations=5, rng=2)


def alone(events, r, **options):
    """The fit of one realisation by `hawkeys.fit`, which may not identify everything."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return hawkeys.fit(events[r : r + 1], **options)


@pytest.mark.parametrize("method", ["mle", "map", "vi", "vi_branching"])
@pytest.mark.parametrize("name", MODELS)
def test_each_is_a_fit_of_its_own(events, name, method):
    model = {**MODELS[name], "method": method, "tolerance": 1e-10}
    each = hawkeys.fit_each(events, **model)
    assert each.converged.all()
    for r in range(len(events)):
        one = alone(events, r, **model)
        assert each.log_likelihood[r] == pytest.approx(one.log_likelihood, rel=1e-7)
        assert each.objective[r] == pytest.approx(one.objective, rel=1e-7)
        process = each.process(r)
        assert process.log_likelihood(events[r : r + 1]) == pytest.approx(one.log_likelihood)
        found = np.column_stack((process.baseline_function.known_rates, each.adjacency[r]))
        # objectives within 1e-10 nats leave parameters known to about 1e-5
        assert np.allclose(found, one.estimates, rtol=1e-3, atol=2e-5)
        assert np.allclose(each.baseline[r], one.baseline, rtol=1e-3, atol=2e-5)
        if each.posterior is not None:
            mean = each.posterior.mean[r]
            assert np.allclose(mean, one.posterior.mean, rtol=1e-3, atol=1e-8, equal_nan=True)
    assert each.identified.shape == (5, 2, found.shape[1])


def test_it_is_the_maximum_of_a_slow_likelihood(events):
    each = hawkeys.fit_each(events, **MODELS["all"], tolerance=1e-10)
    labels = np.array([[0, 1, 2, 3, 4, 5], [0, 1, 3, 2, 5, 4]])
    for r in range(len(events)):
        best, values = naive.maximise(events[r : r + 1], [1.0, 6.0], labels, knots=KNOTS)
        assert each.log_likelihood[r] == pytest.approx(best, abs=1e-6)
        assert np.allclose(each.rates[r], values[:, :2], rtol=1e-3, atol=1e-5)
        mixture = each.adjacency[r][:, :, None] * each.kernel_weights[r]
        by_decay = values[:, 2:].reshape(2, 2, 2).transpose(0, 2, 1)
        assert np.allclose(mixture, by_decay, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_the_stochastic_form(events, name):
    model = {**MODELS[name], "method": "vi_stochastic", "n_steps": 200}
    each = hawkeys.fit_each(events, **model)
    assert np.isfinite(each.log_likelihood).all()
    again = hawkeys.fit_each(events, **model, n_jobs=1)
    assert np.array_equal(each.adjacency, again.adjacency)
    if "tied" in MODELS[name]:
        assert np.array_equal(each.adjacency[:, 0, 1], each.adjacency[:, 1, 0])


@pytest.mark.parametrize("unit", [1e-9, 1e9])
@pytest.mark.parametrize("name", ["piecewise", "periodic", "all"])
def test_units_of_time_do_not_matter(events, name, unit):
    model = dict(MODELS[name])
    each = hawkeys.fit_each(events, **model)
    other = Events.from_arrays(
        events.times * unit,
        events.marks,
        offsets=events.offsets,
        end_times=events.end_times * unit,
        n_marks=2,
    )
    if "decay" in model:
        model["decay"] /= unit
    else:
        model["kernel"] = SumExponential(np.array([1.0, 6.0]) / unit)
    changed = PiecewiseConstant(np.array(KNOTS) * unit)
    model["baseline"] = Periodic([0.0, 2.0 * unit], 5.0 * unit) if name == "periodic" else changed
    scaled = hawkeys.fit_each(other, **model)
    assert np.allclose(scaled.rates * unit, each.rates, rtol=1e-5, atol=1e-8)
    assert np.allclose(scaled.adjacency, each.adjacency, rtol=1e-5, atol=1e-8)
    assert np.allclose(scaled.baseline * unit, each.baseline, rtol=1e-5, atol=1e-8)


def test_pieces_outside_a_window_are_not_identified():
    lists = [[np.array([1.0, 2.0, 5.0])], [np.array([3.0, 10.0, 12.0, 15.0])]]
    short = Events.from_lists(lists, end_times=[7.0, 20.0])
    each = hawkeys.fit_each(short, decay=2.0, baseline=PiecewiseConstant(KNOTS))
    assert each.identified[:, 0, :2].tolist() == [[True, False], [True, True]]
    assert each.rates[0, 0, 1] == 0.0
    assert each.rates[1, 0].min() > 0.0


@pytest.mark.parametrize("penalty", [Ridge(0.5), GroupLasso(1.0)])
@pytest.mark.parametrize("name", ["piecewise", "components"])
def test_penalties(events, name, penalty):
    model = {**MODELS[name], "method": "map", "prior": penalty, "tolerance": 1e-9}
    each = hawkeys.fit_each(events, **model)
    for r in range(len(events)):
        one = alone(events, r, **model)
        assert each.objective[r] == pytest.approx(one.objective, abs=1e-6)
        assert np.allclose(each.adjacency[r], one.adjacency, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("tied", [None, TIED, {"adjacency": [[-1, 1], [1, -1]]}])
@pytest.mark.parametrize("support", [None, np.array([[True, True], [False, True]])])
def test_rows_of_realisations_add_to_those_of_all(events, tied, support):
    weights = np.array([1.0, 2.0, 0.5, 0.0, 3.0])
    ties = None if tied is None else Ties.check(tied, 2)
    model = {
        "baseline": PiecewiseConstant(KNOTS),
        "ties": ties,
        "support": support,
        "realization_weights": weights,
    }
    kernel = SumExponential([1.0, 6.0])
    each = Design.build(events, kernel, separate=True, **model)
    whole = Design.build(events, kernel, **model)
    assert each.n_blocks == 5 * whole.n_blocks
    assert each.n_blocks_each == whole.n_blocks_each == whole.n_blocks
    x = np.random.default_rng(0).uniform(0.1, 1.0, whole.cost.shape)
    x[whole.excluded] = 0.0
    values = each.log_likelihood(np.tile(x, (5, 1))).reshape(5, -1)
    assert np.allclose(values.sum(axis=0), whole.log_likelihood(x), rtol=1e-10)
    assert np.allclose(each.cost.reshape(5, *whole.cost.shape).sum(axis=0), whole.cost)
    assert np.array_equal(each.columns.blocks % whole.n_blocks, np.tile(whole.columns.blocks, 5))
    assert np.array_equal(each.columns.rates(np.tile(x, (5, 1)))[:2], whole.columns.rates(x))
    plain = Design.build(events, Exponential(2.0), separate=True)
    assert plain.n_blocks_each == 2


def test_plain_results_are_as_before(events):
    each = hawkeys.fit_each(events, decay=2.0)
    assert each.rates is None
    assert each.kernel_weights is None
    assert isinstance(each.baseline_function, Constant)


def test_refused(events):
    for name in ("piecewise", "tied", "components"):
        with pytest.raises(InvalidParameterError, match="pooling has a common prior for one const"):
            hawkeys.fit_each(events, **MODELS[name], method="vi", pooling="row")
    with pytest.raises(InvalidParameterError, match="least squares has one constant baseline"):
        hawkeys.fit_each(events, **MODELS["tied"], method="least_squares")
    with pytest.raises(InvalidParameterError, match=r"fit_each holds the decay.*got 'estimate'"):
        hawkeys.fit_each(events, decay="estimate")
    known = PiecewiseConstant(KNOTS, [[1.0, 1.0], [1.0, 1.0]])
    with pytest.raises(InvalidParameterError, match="hold; 'vi' estimates them"):
        hawkeys.fit_each(events, decay=2.0, method="vi", baseline=known)
    with pytest.raises(InvalidParameterError, match="is not within the knots"):
        hawkeys.fit_each(events, decay=2.0, baseline=PiecewiseConstant([0.0, 5.0, 10.0]))
