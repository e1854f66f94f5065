"""Profiles, sandwiches and edge tests where baselines change, weights are estimated, values tied.

The oracle has the columns and costs of `naive_columns` and a number for every free value; nothing
of it comes from the package.
"""

from dataclasses import dataclass

import naive_columns as naive
import numpy as np
import pytest
from scipy import optimize, stats

import hawkeys
from hawkeys import Events
from hawkeys.baselines import Periodic, PiecewiseConstant
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference import edge_tests, profile_interval, sandwich_covariance
from hawkeys.inference.post_estimation.chi_bar import (
    mixture_quantile,
    mixture_tail,
    mixture_weights,
)
from hawkeys.kernels import SumExponential

CUT = stats.chi2.ppf(0.95, 1)
TRUTH = hawkeys.Hawkes(
    PiecewiseConstant([0.0, 8.0, 20.0], [[0.3, 0.6], [0.5, 0.2]]),
    [[0.3, 0.2], [0.0, 0.4]],
    kernel=SumExponential([1.0, 6.0], [0.5, 0.5]),
)
TIED = {"baseline": [0, 0], "adjacency": [[0, 1], [1, 0]]}
KNOTS = [0.0, 8.0, 20.0]


@dataclass(frozen=True)
class Model:
    options: dict
    labels: list
    decays: tuple = (2.0,)
    knots: list | None = None
    period: float | None = None

    @property
    def n_pieces(self):
        return 1 if self.knots is None else len(self.knots) - (self.period is None)

    def fit(self, events, unit=1.0, **more):
        options = {**self.options, **more}
        if self.period is not None:
            options["baseline"] = Periodic(np.array(self.knots) * unit, self.period * unit)
        elif self.knots is not None:
            options["baseline"] = PiecewiseConstant(np.array(self.knots) * unit)
        decays = np.array(self.decays) / unit
        if len(self.decays) == 1:
            return hawkeys.fit(events, decay=decays[0], **options)
        return hawkeys.fit(events, kernel=SumExponential(decays), **options)

    def columns(self, events):
        return naive.columns(events, self.decays, self.knots, self.period)

    def group(self, target, p):
        """The numbers of the values whose sum is a parameter; none if it is held at 0."""
        labels = np.array(self.labels)[target]
        if p < self.n_pieces:
            return [labels[p]]
        where = [p + 2 * u for u in range(len(self.decays))]
        return [label for label in labels[where] if label >= 0]


MODELS = {
    "piecewise": Model({}, [[0, 1, 2, 3], [4, 5, 6, 7]], knots=KNOTS),
    "periodic": Model({}, [[0, 1, 2, 3], [4, 5, 6, 7]], knots=[0.0, 2.0], period=5.0),
    "tied": Model({"tied": TIED}, [[0, 1, 2], [0, 2, 1]]),
    "components": Model({}, [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]], decays=(1.0, 6.0)),
    "support": Model(
        {"support": [[True, True], [False, True]]},
        [[0, 1, 2, 3, 4, 5], [6, 7, -1, 8, -1, 9]],
        decays=(1.0, 6.0),
        knots=KNOTS,
    ),
    "all": Model(
        {"tied": TIED}, [[0, 1, 2, 3, 4, 5], [0, 1, 3, 2, 5, 4]], decays=(1.0, 6.0), knots=KNOTS
    ),
}


@pytest.fixture(scope="module")
def events():
    return hawkeys.simulate(TRUTH, end_time=20.0, n_realizations=10, rng=1)


def in_units(events, unit):
    return Events.from_arrays(
        events.times * unit,
        events.marks,
        offsets=events.offsets,
        end_times=events.end_times * unit,
        n_marks=events.n_marks,
    )


@pytest.mark.parametrize("name", MODELS)
def test_the_likelihood_falls_by_the_cut_off_at_each_end(events, name):
    model = MODELS[name]
    result = model.fit(events, tolerance=1e-10)
    found = profile_interval(result, events)
    rows, cost = model.columns(events)
    labels = np.array(model.labels)
    for i, p in np.ndindex(result.estimates.shape):
        group = model.group(i, p)
        if not group:
            assert np.isnan(found.upper[i, p])
            continue
        assert found.estimates[i, p] == result.estimates[i, p]
        assert found.lower[i, p] <= result.estimates[i, p] < found.upper[i, p]
        for end in {found.lower[i, p], found.upper[i, p]} - {0.0}:
            fall = 2.0 * (result.log_likelihood - naive.restricted(rows, cost, labels, group, end))
            assert fall == pytest.approx(CUT, abs=2e-6)
        at_zero = naive.restricted(rows, cost, labels, group, 0.0)
        fall = 2.0 * (result.log_likelihood - at_zero)
        # L-BFGS-B knows the optimum to about 1e-7 nats; it takes 1e10 for infinity
        expected = fall if fall < 1e9 else np.inf
        assert found.statistic_at_zero[i, p] == pytest.approx(expected, abs=2e-6)


def test_tied_parameters_have_one_interval(events):
    found = profile_interval(MODELS["all"].fit(events), events)
    assert np.array_equal(found.upper[0, :2], found.upper[1, :2])
    assert np.array_equal(found.upper[0, 2:], found.upper[1, [3, 2]])
    mask = np.zeros((2, 4), dtype=bool)
    mask[1, 2] = True
    one = profile_interval(MODELS["all"].fit(events), events, parameters=mask)
    assert one.upper[1, 2] == pytest.approx(found.upper[1, 2], rel=1e-9)
    assert np.isnan(one.upper[~mask]).all()


def test_components_that_are_one_have_a_sum(events):
    # decays that the data cannot tell apart: the sum is as well known as that of one decay
    kernel = SumExponential([2.0, 2.0 + 1e-9])
    found = profile_interval(hawkeys.fit(events, kernel=kernel), events)
    expected = profile_interval(hawkeys.fit(events, decay=2.0), events)
    assert np.allclose(found.upper, expected.upper, rtol=1e-6)
    assert np.allclose(found.lower, expected.lower, atol=1e-6)


def test_three_components_enclose_two(events):
    # more freedom for all else: a profile can only be wider around its own maximum
    few = profile_interval(MODELS["components"].fit(events), events)
    kernel = SumExponential([1.0, 2.5, 6.0])
    many = profile_interval(hawkeys.fit(events, kernel=kernel, tolerance=1e-10), events)
    found = hawkeys.fit(events, kernel=kernel, tolerance=1e-10)
    gain = 2.0 * (found.log_likelihood - MODELS["components"].fit(events).log_likelihood)
    assert 0.0 <= gain < 1.0
    assert (many.upper > 0.9 * few.upper).all()
    assert many.cutoff_at_zero[0, 1] > few.cutoff_at_zero[0, 1] > few.cutoff_at_zero[0, 0]


@pytest.mark.parametrize("name", MODELS)
def test_the_sandwich_is_that_of_differences(events, name):
    model = MODELS[name]
    result = model.fit(events, tolerance=1e-10)
    found = sandwich_covariance(result, events)
    labels = np.array(model.labels)
    theta = np.zeros(labels.max() + 1)
    pieces, mixture = result.process.baseline_function.known_rates, result.adjacency[:, :, None]
    if len(model.decays) > 1:
        mixture = mixture * result.kernel.weights
    for i in range(2):
        natural = np.concatenate((pieces[i], mixture[i].T.ravel()))
        theta[labels[i][labels[i] >= 0]] = natural[labels[i] >= 0]
    expected = naive.sandwich([model.columns(events[r : r + 1]) for r in range(10)], labels, theta)
    for i in range(2):
        n_parameters = model.n_pieces + 2
        matrix = np.zeros((n_parameters, theta.size))
        for p in range(n_parameters):
            matrix[p, model.group(i, p)] = 1.0
        reference = matrix @ expected @ matrix.T
        inside = np.flatnonzero(result.identified[i] & ~result.at_bound[i])
        assert inside.size >= 2
        part = np.ix_(inside, inside)
        # central differences of step 1e-5 are good to 1e-9 of the second derivative
        assert np.allclose(found.covariance[i][part], reference[part], rtol=1e-5, atol=1e-10)
        rest = np.setdiff1d(np.arange(n_parameters), inside)
        assert np.isnan(found.std_err[i, rest]).all()


@pytest.mark.parametrize("unit", [1e-9, 1e9])
@pytest.mark.parametrize("name", MODELS)
def test_units_of_time_do_not_matter(events, name, unit):
    model, other = MODELS[name], in_units(events, unit)
    q = model.n_pieces
    one, two = model.fit(events, tolerance=1e-10), model.fit(other, unit, tolerance=1e-10)
    first, second = profile_interval(one, events), profile_interval(two, other)
    for part in ("lower", "upper"):
        a, b = getattr(first, part), getattr(second, part)
        assert np.allclose(a[:, :q], b[:, :q] * unit, rtol=1e-6, atol=0, equal_nan=True)
        assert np.allclose(a[:, q:], b[:, q:], rtol=1e-6, atol=1e-12, equal_nan=True)
    assert np.allclose(first.cutoff_at_zero, second.cutoff_at_zero, rtol=1e-5, equal_nan=True)
    a, b = sandwich_covariance(one, events).std_err, sandwich_covariance(two, other).std_err
    assert np.allclose(a[:, q:], b[:, q:], rtol=1e-5, equal_nan=True)
    assert np.allclose(a[:, :q], b[:, :q] * unit, rtol=1e-5, equal_nan=True)
    a, b = edge_tests(one, events), edge_tests(two, other)
    assert np.allclose(a.pvalues, b.pvalues, rtol=1e-4, equal_nan=True)


@pytest.mark.parametrize("name", ["piecewise", "all"])
def test_weights_of_realisations_are_repetitions(events, name):
    model = MODELS[name]
    weights = np.array([2.0, 0.0, 1, 1, 1, 1, 1, 1, 1, 3])
    repeated = events[np.repeat(np.arange(10), weights.astype(int))]
    whole, weighted = model.fit(repeated), model.fit(events, weights=weights)
    found = profile_interval(weighted, events)
    expected = profile_interval(whole, repeated)
    assert np.allclose(found.upper, expected.upper, rtol=1e-6)
    assert np.isfinite(sandwich_covariance(weighted, events).std_err[:, :2]).all()
    # a weighted score is one score of several times the size
    assert sandwich_covariance(weighted, events).n_realizations == 9


@pytest.mark.parametrize("name", ["piecewise", "all"])
def test_frames_and_files(events, name, tmp_path):
    result = MODELS[name].fit(events)
    result.save(tmp_path / "fit.json")
    again = hawkeys.load_result(tmp_path / "fit.json")
    found = profile_interval(result, events)
    assert np.array_equal(profile_interval(again, events).upper, found.upper, equal_nan=True)
    robust = sandwich_covariance(again, events)
    for frame in (found.to_frame(), robust.to_frame()):
        assert len(frame) == 8
        assert frame["source"][:2].tolist() == ["[0, 8)", "[8, 20)"]
    assert found.to_frame()["upper"].iloc[1] == found.upper[0, 1]
    assert robust.to_frame()["std_err"].iloc[4] == robust.std_err[0, 2]


def test_edges_of_a_changing_baseline_are_two_fits(events):
    model = MODELS["piecewise"]
    whole = model.fit(events, tolerance=1e-10)
    found = edge_tests(whole, events)
    for i, j in np.ndindex(2, 2):
        support = np.ones((2, 2), dtype=bool)
        support[i, j] = False
        smaller = model.fit(events, tolerance=1e-10, support=support)
        expected = 2.0 * (whole.log_likelihood - smaller.log_likelihood)
        assert found.statistic[i, j] == pytest.approx(expected, abs=1e-7)
        half = 0.5 * stats.chi2.sf(found.statistic[i, j], 1)
        assert found.pvalues[i, j] == pytest.approx(half if found.statistic[i, j] > 0 else 1.0)


def test_tied_edges_are_one_test(events):
    found = edge_tests(MODELS["tied"].fit(events), events, correction="holm")
    assert np.array_equal(found.pvalues, found.pvalues.T[::-1, ::-1])
    two = np.array([found.pvalues[0, 0], found.pvalues[0, 1]])
    assert found.adjusted.min() == pytest.approx(2.0 * two.min(), rel=1e-12)


def test_zero_is_judged_alike(events):
    result = MODELS["components"].fit(events)
    ends, tests = profile_interval(result, events), edge_tests(result, events)
    assert np.array_equal(tests.pvalues < 0.05, ~ends.includes_zero[:, 1:])
    assert ends.cutoff_at_zero[0, 0] == pytest.approx(stats.chi2.ppf(0.9, 1))


@pytest.mark.parametrize(("size", "seed"), [(1, 0), (2, 1), (2, 2), (3, 3), (4, 4)])
def test_mixture_weights_are_those_of_projections(size, seed):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(size, size))
    information = root @ root.T + 0.1 * np.eye(size)
    found = mixture_weights(information)
    half = np.linalg.cholesky(information)
    count = np.zeros(size + 1)
    for noise in rng.normal(size=(20_000, size)):  # the nearest vector >= 0 to a normal one
        nearest, _ = optimize.nnls(half.T, noise)
        count[(nearest > 0).sum()] += 1
    # the standard error of a share of 20,000 is at most 0.0035
    assert np.allclose(found, count / count.sum(), atol=0.012)
    assert found.sum() == pytest.approx(1.0)
    assert np.allclose(mixture_weights(information * 1e18), found, rtol=1e-6)


def test_mixtures_of_independent_parameters_are_binomial():
    for size in (1, 2, 3, 4, 5):
        expected = stats.binom.pmf(np.arange(size + 1), size, 0.5)
        assert np.allclose(mixture_weights(np.diag(np.arange(1.0, size + 1))), expected, atol=1e-4)
    nothing = mixture_weights(np.diag([1.0, 0.0]))
    assert np.allclose(nothing, [0.5, 0.5, 0.0])
    weights = np.array([0.25, 0.5, 0.25])
    quantile = mixture_quantile(0.95, weights)
    assert mixture_tail(np.array(quantile), weights) == pytest.approx(0.05, rel=1e-9)
    assert mixture_quantile(0.2, weights) == 0.0
    found = mixture_tail(np.array([0.0, np.nan, quantile]), np.tile(weights, (3, 1)))
    np.testing.assert_allclose(found, [1.0, np.nan, 0.05], rtol=1e-9)


@pytest.mark.parametrize("name", ["piecewise", "components", "tied", "all"])
def test_a_prior_that_says_nothing_changes_nothing(events, name):
    flat = hawkeys.GammaPrior(shape=1.0, rate=0.0)
    by_map = MODELS[name].fit(events, method="map", prior=flat, tolerance=1e-10)
    result = MODELS[name].fit(events, tolerance=1e-10)
    ends, expected = (profile_interval(fit, events) for fit in (by_map, result))
    np.testing.assert_allclose(ends.upper, expected.upper, rtol=1e-5)
    np.testing.assert_allclose(ends.lower, expected.lower, rtol=1e-5, atol=1e-7)
    robust, expected = (sandwich_covariance(fit, events) for fit in (by_map, result))
    np.testing.assert_allclose(robust.covariance, expected.covariance, rtol=1e-4, atol=1e-9)
    tests, expected = (edge_tests(fit, events) for fit in (by_map, result))
    np.testing.assert_allclose(tests.pvalues, expected.pvalues, rtol=1e-4)


def test_what_is_refused(events):
    for name in ("piecewise", "components", "tied"):
        with pytest.raises(InvalidParameterError, match="fitted to other events"):
            profile_interval(MODELS[name].fit(events), events[:5])
    with pytest.raises(InvalidParameterError, match=r"parameters must have shape \(2, 4\)"):
        profile_interval(MODELS["piecewise"].fit(events), events, parameters=np.ones((2, 3)))


def degenerate(seed):
    """Few events on a coarse clock, empty marks, and labels drawn by chance."""
    rng = np.random.default_rng(seed)
    size, n = (int(k) for k in rng.integers(1, 4, 2))
    ends = np.full(n, rng.uniform(5.0, 30.0))
    lists = [
        [np.sort(rng.uniform(0.0, end, rng.poisson(rng.choice([0, 3, 20])))).round(1).clip(0, end)
         for _ in range(size)] for end in ends
    ]  # fmt: skip
    events = Events.from_lists(lists, end_times=ends)
    decays = [1.0, 7.0][: int(rng.integers(1, 3))]
    knots = [0.0, ends[0] * rng.uniform(0.2, 0.8), ends[0]] if rng.random() < 0.6 else None
    base, pairs = np.full(size, -1), np.full((size, size), -1)
    if rng.random() < 0.5:
        base, pairs = rng.integers(-1, 2, size), rng.integers(-1, 2, (size, size))
    return events, decays, knots, base, pairs


def numbered(base, pairs, n_pieces, n_components):
    """The number of the value of every column, from labels of which negative ones are free."""
    seen, size = {}, len(base)
    labels = np.zeros((size, n_pieces + n_components * size), dtype=int)
    for i in range(size):
        for p in range(n_pieces):
            key = ("b", base[i], p) if base[i] >= 0 else ("b", -1, i, p)
            labels[i, p] = seen.setdefault(key, len(seen))
        for u, j in np.ndindex(n_components, size):
            key = ("a", pairs[i, j], u) if pairs[i, j] >= 0 else ("a", -1, i, j, u)
            labels[i, n_pieces + u * size + j] = seen.setdefault(key, len(seen))
    return labels


@pytest.mark.filterwarnings("ignore::hawkeys.exceptions.EventsWarning")
@pytest.mark.filterwarnings("ignore::hawkeys.exceptions.IdentifiabilityWarning")
@pytest.mark.parametrize("seed", [2, 33, 40, 47, 59])
def test_degenerate_data(seed):
    events, decays, knots, base, pairs = degenerate(seed)
    options = {"tied": {"baseline": base, "adjacency": pairs}, "tolerance": 1e-10}
    if knots is not None:
        options["baseline"] = PiecewiseConstant(knots)
    result = hawkeys.fit(events, kernel=SumExponential(decays), **options)
    found = profile_interval(result, events)
    size, q = events.n_marks, 1 if knots is None else 2
    labels = numbered(base, pairs, q, len(decays))
    rows, cost = naive.columns(events, decays, knots)
    for i, p in zip(*np.nonzero(result.identified), strict=True):
        where = [p] if p < q else [p + u * size for u in range(len(decays))]
        group = labels[i, where].tolist()
        for end in {found.lower[i, p], found.upper[i, p]} - {0.0}:
            fall = 2.0 * (result.log_likelihood - naive.restricted(rows, cost, labels, group, end))
            assert fall == pytest.approx(CUT, abs=1e-4)
    assert np.isnan(found.upper[~result.identified]).all()


# 100 data sets each, of which the test at 20 % should reject 20, the seed being fixed
NULL = {
    "components": (SumExponential([1.0, 6.0], [0.5, 0.5]), {"kernel": SumExponential([1.0, 6.0])}),
    "a component too many": (None, {"kernel": SumExponential([2.0, 20.0])}),
    "piecewise": (None, {"decay": 2.0, "baseline": PiecewiseConstant([0.0, 80.0, 200.0])}),
    "tied": (None, {"decay": 2.0, "tied": {"adjacency": [[0, 1], [-1, 0]]}}),
}


@pytest.mark.parametrize("name", NULL)
def test_size_under_the_hypothesis(name):
    kernel, options = NULL[name]
    shape = {"decay": 2.0} if kernel is None else {"kernel": kernel}
    truth = hawkeys.Hawkes([0.4, 0.3], [[0.3, 0.0], [0.2, 0.3]], **shape)
    pvalues = []
    for seed in np.random.SeedSequence(7).spawn(100):
        sample = hawkeys.simulate(truth, end_time=200.0, rng=seed)
        pvalues.append(edge_tests(hawkeys.fit(sample, **options), sample).pvalues[0, 1])
    for level in (0.05, 0.2):
        rejected = int((np.array(pvalues) <= level).sum())
        assert stats.binomtest(rejected, 100, level).pvalue > 0.01
