"""Row problems of many marks: the few columns that matter, certified over all."""

import tracemalloc

import naive_hawkes
import naive_penalties
import numpy as np
import pytest

import hawkeys
from hawkeys import Events
from hawkeys._design import Design, SelectedRows
from hawkeys._loops import choice
from hawkeys.inference import ElasticNet, GroupLasso, Lasso, Ridge, penalty_path
from hawkeys.inference.rows import selected
from hawkeys.kernels import Exponential
from hawkeys.results.row_matrices import RowMatrices

SIZE = 40
RNG = np.random.default_rng(5)
DECAYS = {
    "one": 1.5,
    "by source": RNG.uniform(0.8, 2.5, SIZE),
    "by pair": RNG.uniform(0.8, 2.5, (SIZE, SIZE)),
}
PRIORS = {
    "mle": {},
    "lasso": {"prior": Lasso(8.0, baseline=2.0)},
    "net": {"prior": ElasticNet(8.0, l1_ratio=0.5)},
    "ridge": {"prior": Ridge(20.0)},
    "gamma": {"prior": hawkeys.GammaPrior(shape=1.0, rate=6.0)},
}


def sparse_process(size, rng, n_edges=3):
    adjacency = np.zeros((size, size))
    for row in adjacency:
        row[rng.choice(size, n_edges, replace=False)] = rng.uniform(0.1, 0.25, n_edges)
    return hawkeys.Hawkes(rng.uniform(0.1, 0.3, size), adjacency, decay=1.5)


@pytest.fixture(scope="module")
def sample():
    """Three windows, one of them silent, with ties, a mark without events, and one huge gap."""
    truth = sparse_process(SIZE, np.random.default_rng(1))
    events = hawkeys.simulate(truth, end_time=150.0, n_realizations=2, rng=2)
    keep = events.marks != 7
    times, marks = events.times[keep], events.marks[keep]
    counts = [int(keep[slice(*events.offsets[r : r + 2])].sum()) for r in range(2)]
    times[counts[0] :] += np.where(times[counts[0] :] > 75.0, 5_000.0, 0.0)
    tied = np.arange(5, times.size - 5, 300)
    times[tied + 1] = times[tied]
    return Events.from_arrays(
        times, marks, offsets=[0, counts[0], sum(counts), sum(counts)],
        end_times=[151.0, 5_151.0, 3.0], n_marks=SIZE,
    )  # fmt: skip


@pytest.fixture(scope="module")
def small():
    truth = sparse_process(12, np.random.default_rng(1))
    return hawkeys.simulate(truth, end_time=40.0, n_realizations=3, rng=2)


@pytest.fixture
def many(monkeypatch):
    """Let every fit of 2 marks and more be one of many."""
    monkeypatch.setattr(choice, "_MANY_MARKS", 2)
    monkeypatch.setattr(choice, "_MANY_NUMBERS", 0)


def on_both_sides(monkeypatch, fit):
    """What `fit` returns with excitations all written out, and with the few that matter."""
    whole = fit()
    with monkeypatch.context() as patch:
        patch.setattr(choice, "_MANY_MARKS", 2)
        patch.setattr(choice, "_MANY_NUMBERS", 0)
        return whole, fit()


def options_of(name):
    return {"method": "mle" if name == "mle" else "map", **PRIORS[name]}


def matrix_of(decay, size=SIZE):
    return np.array(np.broadcast_to(decay, (size, size)))


@pytest.mark.parametrize("decay", DECAYS.values(), ids=DECAYS)
def test_columns_and_pulls_by_definition(sample, decay):
    rows = SelectedRows.build(sample, Exponential(decay))
    rng = np.random.default_rng(0)
    residuals = rng.uniform(0.1, 2.0, sample.n_events)
    targets = np.array([3, 7, 39, 0])
    sources = np.array([5, 3, 7, 12])
    found = rows.pulls(targets, residuals)
    for q, target in enumerate(targets):
        columns, numbers = [], []
        at = 0
        for times, marks, _, _ in naive_hawkes.realizations(sample):
            for k in np.flatnonzero(marks == target):
                c = naive_hawkes.excitation(times, marks, matrix_of(decay), target, times[k], SIZE)
                columns.append(c)
                numbers.append(at + k)
            at += times.size
        expected = np.array(columns).reshape(-1, SIZE)
        np.testing.assert_allclose(
            rows.columns(target, sources), expected[:, sources].T, rtol=1e-12, atol=1e-280
        )
        np.testing.assert_array_equal(rows.where(target), numbers)
        np.testing.assert_allclose(found[q], residuals[numbers] @ expected, rtol=1e-12, atol=1e-280)


@pytest.mark.parametrize("decay", DECAYS.values(), ids=DECAYS)
def test_costs_are_those_of_the_whole_design(sample, decay):
    weights, support = np.array([2.0, 0.5, 1.0]), RNG.random((SIZE, SIZE)) < 0.5
    kernel = Exponential(decay)
    whole = Design.build(sample, kernel, realization_weights=weights, support=support)
    rows = SelectedRows.build(sample, kernel, realization_weights=weights, support=support)
    np.testing.assert_allclose(rows.cost, whole.cost, rtol=1e-12)
    x = RNG.uniform(0.1, 0.5, rows.cost.shape) * (whole.cost > 0)
    np.testing.assert_allclose(rows.log_likelihood(x), whole.log_likelihood(x), rtol=1e-11)


@pytest.mark.parametrize("decay", DECAYS.values(), ids=DECAYS)
@pytest.mark.parametrize("name", PRIORS)
def test_a_fit_is_the_same_on_both_sides_of_the_rule(sample, monkeypatch, name, decay):
    def fit():
        if name == "gamma":  # the prior says what a mark without events would do
            return hawkeys.fit(sample, decay=decay, **options_of(name))
        with pytest.warns(hawkeys.exceptions.IdentifiabilityWarning, match="not identified"):
            return hawkeys.fit(sample, decay=decay, **options_of(name))

    whole, few = on_both_sides(monkeypatch, fit)
    assert isinstance(few.information, RowMatrices)
    assert not isinstance(whole.information, RowMatrices)
    assert few.converged
    assert 0.0 <= few.optimality_gap < 1e-7
    # both are certified: neither objective can be further from the maximum than its gap
    assert whole.objective - few.optimality_gap - 1e-9 <= few.objective
    assert few.objective <= whole.objective + whole.optimality_gap + 1e-9
    np.testing.assert_allclose(few.estimates, whole.estimates, atol=3e-5)
    np.testing.assert_array_equal(few.identified, whole.identified)
    assert few.log_likelihood == pytest.approx(whole.log_likelihood, abs=0.01)
    clear = (whole.estimates > 1e-3) & (few.estimates > 1e-3)
    np.testing.assert_allclose(few.std_err[clear], whole.std_err[clear], rtol=1e-3)
    assert np.isnan(few.std_err[few.estimates == 0]).all()
    assert few.trace.size == few.n_iterations
    assert (np.diff(few.trace) >= -1e-9).all()
    assert few.aic == pytest.approx(whole.aic, abs=0.02)


def test_the_certificate_by_definition(small, many, monkeypatch):
    """The duality gap with all pairs, from columns written out by brute force."""
    monkeypatch.setattr(selected, "_FEW", 3)
    found = hawkeys.fit(small, decay=1.5, method="map", prior=Lasso(3.0))
    total = 0.0
    for i, x in enumerate(found.estimates):
        columns, weights, cost = naive_penalties.row(small, matrix_of(1.5, 12), i, np.ones(3))
        cost[1:] += 3.0 * (cost[1:] > 0)
        if len(columns) == 0:
            continue
        slope = columns.T @ (weights / (columns @ x))
        able = (cost > 0) & (slope > 0)
        factor = min(1.0, (cost[able] / slope[able]).min())
        total += cost @ x - weights.sum() * (1.0 + np.log(factor))
    assert total == pytest.approx(found.optimality_gap, abs=2e-9)
    assert abs(total) < 1e-7


def test_weights_and_support(sample, monkeypatch):
    support = np.random.default_rng(3).random((SIZE, SIZE)) < 0.4
    support[5] = False

    def fit():
        with pytest.warns(hawkeys.exceptions.IdentifiabilityWarning, match="not identified"):
            return hawkeys.fit(
                sample, decay=1.5, method="map", prior=Lasso(8.0), support=support,
                weights=[2.0, 0.5, 1.0],
            )  # fmt: skip

    whole, few = on_both_sides(monkeypatch, fit)
    np.testing.assert_allclose(few.estimates, whole.estimates, atol=3e-5)
    np.testing.assert_array_equal(few.held, whole.held)
    assert not few.adjacency[~support].any()
    assert few.objective == pytest.approx(whole.objective, abs=1e-5)
    assert few.log_likelihood == pytest.approx(whole.log_likelihood, abs=0.01)


def test_a_weight_of_nothing_leaves_a_realisation_out(sample, monkeypatch):
    def fit():
        with pytest.warns(hawkeys.exceptions.IdentifiabilityWarning, match="not identified"):
            return hawkeys.fit(sample, decay=1.5, method="map", prior=Lasso(8.0), weights=[0, 1, 1])

    whole, few = on_both_sides(monkeypatch, fit)
    np.testing.assert_allclose(few.estimates, whole.estimates, atol=3e-5)
    assert few.log_likelihood == pytest.approx(whole.log_likelihood, abs=0.05)


def test_columns_that_are_equal_are_told(many):
    """Two marks whose events come together excite alike: neither is identified."""
    rng = np.random.default_rng(0)
    cause = np.sort(rng.uniform(0.0, 200.0, 60))
    effect = np.sort(np.concatenate((cause + 0.1, rng.uniform(0.0, 200.0, 10))))
    told = "are not identified|at the time of the event before"
    with pytest.warns(hawkeys.exceptions.HawkeysWarning, match=told):
        found = hawkeys.fit([cause, cause, effect], decay=5.0, end_time=201.0)
    assert found.converged
    above = found.estimates[2, 1:3] > 0
    assert (~found.identified[2, 1:3])[above].all()
    assert np.isnan(found.std_err[2, 1:3]).all()


@pytest.mark.parametrize("prior", [GroupLasso(5.0, groups="target"), hawkeys.GammaPrior(2.0, 1.0)])
def test_what_needs_all_columns_has_them(small, many, prior):
    found = hawkeys.fit(small, decay=1.5, method="map", prior=prior)
    assert isinstance(found.information, np.ndarray)


def test_the_rule_asks_for_sizes_alone():
    assert not choice.has_many_marks(10**9, 63)
    assert choice.has_many_marks(10**6, 64)
    assert not choice.has_many_marks(250_000, 100)
    assert choice.has_many_marks(250_001, 100)


def test_a_support_builds_its_own_columns():
    """150 marks and 200,000 events: all columns would take 240 MB, 3 a row take 4.8 MB."""
    rng = np.random.default_rng(8)
    truth = sparse_process(150, rng)
    horizon = 200_000 / truth.stationary_rate.sum()
    events = hawkeys.simulate(truth, end_time=horizon, rng=1)
    assert choice.has_many_marks(events.n_events, 150)
    hawkeys.fit([[0.5, 1.0], [0.7]], decay=1.0, end_time=2.0)  # imports
    tracemalloc.start()
    found = hawkeys.fit(events, decay=1.5, support=truth.adjacency > 0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60e6
    assert found.converged
    errors = (found.adjacency - truth.adjacency)[truth.adjacency > 0]
    scores = errors / found.std_err[:, 1:][truth.adjacency > 0]
    assert np.abs(scores).max() < 5.0
    assert scores.std() == pytest.approx(1.0, abs=0.15)
    assert found.information.nbytes < 150 * 151**2 * 8 / 50
    assert found.process.log_likelihood(events) == pytest.approx(found.log_likelihood, abs=1e-6)


PENALTIES = {
    "lasso": {"penalty": Lasso(1.0)},
    "net": {"penalty": ElasticNet(1.0, l1_ratio=0.5, baseline=0.1)},
    "by pair": {"penalty": Lasso(RNG.uniform(0.5, 1.5, (12, 12)) * (RNG.random((12, 12)) < 0.9))},
    "support": {"support": RNG.random((12, 12)) < 0.6},
    "strengths": {"strengths": [3.0, 12.0, 6.0]},
}


@pytest.mark.parametrize("weights", [None, [1.0, 0.0, 2.0]], ids=["plain", "weighted"])
@pytest.mark.parametrize("windows", [1, 3])
@pytest.mark.parametrize("name", PENALTIES)
def test_a_path_is_the_same_on_both_sides_of_the_rule(small, monkeypatch, name, windows, weights):
    monkeypatch.setattr(selected, "_FEW", 3)
    monkeypatch.setattr(selected, "_JOIN", 1)
    if windows == 1:
        truth = sparse_process(12, np.random.default_rng(1))
        sample, weights = hawkeys.simulate(truth, end_time=100.0, rng=4), None
    else:
        sample = small

    def path():
        return penalty_path(
            sample, decay=1.5, n_strengths=6, smallest=0.05, n_folds=2, weights=weights,
            **PENALTIES[name],
        )  # fmt: skip

    whole, few = on_both_sides(monkeypatch, path)
    # both first strengths are from optima within 1e-10 nats, whose slopes differ by its root
    np.testing.assert_allclose(few.strengths, whole.strengths, rtol=1e-5)
    np.testing.assert_allclose(few.coefficients, whole.coefficients, atol=1e-4)
    np.testing.assert_array_equal(few.n_nonzero, whole.n_nonzero)
    assert few.converged.all()
    assert (few.optimality_gap < 1e-7 * 12).all()
    np.testing.assert_allclose(few.log_likelihood, whole.log_likelihood, atol=0.02)
    np.testing.assert_allclose(few.refit_log_likelihood, whole.refit_log_likelihood, atol=1e-5)
    np.testing.assert_allclose(few.cv_log_likelihood, whole.cv_log_likelihood, atol=0.02)
    assert few.fold_kind == whole.fold_kind
    assert few.n_admissible == whole.n_admissible
    assert few.index("ebic") == whole.index("ebic")


def test_a_path_without_folds_and_its_choice(small, many):
    path = penalty_path(small, decay=1.5, n_strengths=5, smallest=0.1, n_folds=0)
    assert path.cv_log_likelihood is None
    assert path.n_nonzero[0] == 0
    chosen = path.choose("ebic")
    np.testing.assert_allclose(chosen.adjacency, path.adjacency[path.index()], atol=1e-4)


def test_nothing_to_gain_begins_at_one(many):
    found = penalty_path([[0.5], [9.5]], decay=30.0, end_time=10.0, n_strengths=3, n_folds=0)
    assert found.strengths[0] == 1.0
    assert not found.adjacency.any()


def test_pairs_that_the_windows_do_not_show_are_left_out(small, monkeypatch):
    """A decay of 1e-16 leaves 1e-15 of a kernel within the windows: no estimate of 1e15 comes."""
    decay = np.full(12, 1.5)
    decay[3] = 1e-16

    def fit():
        with pytest.warns(hawkeys.exceptions.HawkeysWarning):
            return hawkeys.fit(small, decay=decay)

    whole, few = on_both_sides(monkeypatch, fit)
    np.testing.assert_array_equal(few.identified, whole.identified)
    assert not few.identified[:, 4].any()
    assert not few.adjacency[:, 3].any()
    np.testing.assert_allclose(few.estimates, whole.estimates, atol=3e-5)


def test_a_row_of_very_many_events(monkeypatch):
    """From 20,000 events on a row is solved by other loops, on a part of its events first."""
    monkeypatch.setattr(selected, "_FEW", 1)
    truth = hawkeys.Hawkes(
        [9.0, 0.3, 0.2], [[0.2, 0.3, 0.0], [0.02, 0.3, 0.0], [0, 0, 0.2]], decay=1.5
    )
    events = hawkeys.simulate(truth, end_time=2_500.0, rng=1)
    assert np.bincount(events.marks).max() > 20_000
    options = {"method": "map", "prior": Lasso(30.0)}
    whole, few = on_both_sides(monkeypatch, lambda: hawkeys.fit(events, decay=1.5, **options))
    assert few.optimality_gap < 1e-8
    assert few.objective == pytest.approx(whole.objective, abs=1e-6)
    np.testing.assert_allclose(few.estimates, whole.estimates, atol=1e-4)
