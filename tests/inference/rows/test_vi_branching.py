"""Variational inference over the branching structure."""

import naive_branching as naive
import numpy as np
import pytest
from scipy import special

import hawkeys
from hawkeys import Events, GammaPrior
from hawkeys._design import Design
from hawkeys._design.columns import ColumnMap
from hawkeys._jit import branching as jit
from hawkeys._loops import branching as loops
from hawkeys.exceptions import ConvergenceWarning, IdentifiabilityWarning, InvalidParameterError
from hawkeys.inference import BranchingVIOptions, KernelPrior
from hawkeys.inference.post_estimation.refits import fit_again
from hawkeys.inference.rows.branching import _linear_response
from hawkeys.kernels import Exponential, Gamma, Histogram, LogNormal, SumExponential
from hawkeys.results.gamma_posterior import GammaPosterior

BASELINE = np.array([0.3, 0.2])
ADJACENCY = np.array([[0.2, 0.5], [0.4, 0.0]])
PROPER = GammaPrior(shape=1.5, rate=2.0, baseline_shape=2.0, baseline_rate=3.0)


def sample_of(kernel, *, end_time=300.0, n=4, seed=0):
    process = hawkeys.Hawkes(BASELINE, ADJACENCY, kernel=kernel)
    return hawkeys.simulate(process, end_time=end_time, n_realizations=n, rng=seed)


def row(seed, n=6, size=3):
    """Densities (with some 0 and the baseline's 1), cost, prior shapes and rates of a row."""
    rng = np.random.default_rng(seed)
    v = rng.gamma(0.5, 1.0, (n, size))
    v[:, 0] = 1.0
    v[1, 1] = 0.0
    return v, np.array([4.0, 2.0, 1.5]), np.array([1.0, 1.5, 2.5]), np.array([0.5, 1.0, 2.0])


def raise_row(v, cost, shape, rate, weights=None, tolerance=1e-13):
    """Return shapes, the bound, and the trace of the compiled code for one row."""
    n = len(v)
    weights = np.empty(0) if weights is None else weights
    start = shape + (n if weights.size == 0 else weights.sum()) / cost.size
    shapes, report, traces = loops.raise_rows(
        v[:, 1:].T.ravel(), weights, np.array([0, n]), shape, (cost + rate)[None], start[None],
        tolerance, 100,
    )  # fmt: skip
    constant = special.xlogy(shape, rate)[rate > 0].sum()
    trace = traces[0, : int(report[0, 2]) + 1] + constant
    return shapes[0], report[0, 0] + constant, trace


class TestRow:
    def test_special_functions(self):
        x = np.concatenate((np.geomspace(1e-3, 1e4, 57), [11.99, 12.0, 12.01]))
        digamma = [jit.digamma(value) for value in x]
        np.testing.assert_allclose(digamma, special.digamma(x), rtol=1e-13, atol=1e-13)
        trigamma = [jit.trigamma(value) for value in x]
        np.testing.assert_allclose(trigamma, special.polygamma(1, x), rtol=1e-12)

    @pytest.mark.parametrize("weights", [np.empty(0), np.array([1.0, 0.0, 2.0, 0.5, 1.0, 1.0])])
    def test_sharing(self, weights):
        v, *_ = row(0)
        e = np.array([0.3, 0.7, 0.0])
        counts, cross = np.empty(3), np.empty((3, 3))
        total = jit.share_events(v[:, 1:].T.copy(), weights, e, counts, cross)
        w = weights if weights.size else np.ones(6)
        resp = e * v / (v @ e)[:, None]
        assert total == pytest.approx(w @ np.log(v @ e), rel=1e-14)
        np.testing.assert_allclose(counts, w @ resp, rtol=1e-14)
        np.testing.assert_allclose(cross, np.tril((resp.T * w) @ resp), rtol=1e-13)

    @pytest.mark.parametrize("seed", range(4))
    @pytest.mark.parametrize("weights", [None, np.array([1.0, 0.0, 2.0, 0.5, 1.0, 1.0])])
    def test_stops_where_coordinate_ascent_does(self, seed, weights):
        v, cost, shape, rate = row(seed)
        w = np.ones(6) if weights is None else weights
        found, bound, trace = raise_row(v, cost, shape, rate, weights)
        again, resp = naive.update(v, cost, w, shape, rate, found)
        np.testing.assert_allclose(again, found, rtol=1e-6)
        # the bound written out term by term is the one that was maximised
        assert naive.bound(v, cost, w, shape, rate, found, resp) == pytest.approx(bound, abs=1e-12)
        a = shape + w.sum() / 3
        for _ in range(2_000):
            a, resp = naive.update(v, cost, w, shape, rate, a)
        np.testing.assert_allclose(found, a, rtol=1e-6)
        assert (np.diff(trace) > 0).all()
        assert trace.size < 12

    @pytest.mark.parametrize("seed", range(4))
    def test_is_below_the_evidence_summed_over_all_branchings(self, seed):
        v, cost, shape, rate = row(seed)
        _, bound, _ = raise_row(v, cost, shape, rate)
        exact = naive.log_evidence(v, cost, shape, rate)
        assert bound < exact < bound + 1.5
        nodes = 60  # Gauss-Laguerre: the evidence again, as an integral over the parameters
        total = 0.0
        points, weights = special.roots_laguerre(nodes)
        grid = np.stack(np.meshgrid(*[points] * 3, indexing="ij"), axis=-1) / (rate + cost)
        mass = np.einsum("a,b,c->abc", weights, weights, weights)
        density = np.prod(grid ** (shape - 1) * rate**shape / special.gamma(shape), axis=-1)
        total = (mass * density * np.prod(grid @ v.T, axis=-1)).sum() / np.prod(rate + cost)
        # powers of half-integers are not polynomials, so the rule is not exact
        assert np.log(total) == pytest.approx(exact, abs=2e-2)

    def test_is_the_evidence_if_there_is_nothing_hidden(self):
        """One possible parent per event: Gamma priors are conjugate and the bound is tight."""
        v = np.array([[1.0, 0.0], [1.0, 0.0]])
        cost, shape, rate = np.array([4.0, 2.0]), np.array([1.0, 1.5]), np.array([0.5, 1.0])
        found, bound, _ = raise_row(v, cost, shape, rate)
        assert found == pytest.approx([3.0, 1.5], rel=1e-9)
        assert bound == pytest.approx(naive.log_evidence(v, cost, shape, rate), abs=1e-12)

    def test_an_impossible_event(self):
        v = np.zeros((1, 2))
        out = loops.raise_rows(
            v[:, 1:].T.ravel(), np.empty(0), np.array([0, 1]), np.ones(2),
            np.array([[0.0, 1.0]]), np.ones((1, 2)), 1e-6, 5,
        )  # fmt: skip
        assert out[1][0, 0] == -np.inf


class TestFit:
    events = sample_of(LogNormal(-0.5, 0.4))
    kernel = LogNormal(-0.5, 0.4)

    def fit(self, **options):
        return hawkeys.fit(self.events, kernel=self.kernel, method="vi_branching", **options)

    def test_finds_the_process(self):
        result = self.fit(prior=PROPER)
        assert result.converged
        assert isinstance(result.posterior, GammaPosterior)
        np.testing.assert_array_equal(result.posterior.mean, result.estimates)
        truth = np.column_stack((BASELINE, ADJACENCY))
        # four posterior standard deviations
        assert (np.abs(result.estimates - truth) < 4 * result.std_err + 0.02).all()
        assert np.isnan(result.prior_coefficient).all()
        assert result.elbo == result.objective == result.trace[-1]
        assert result.elbo < result.log_likelihood
        assert (np.diff(result.trace) > 0).all()

    def test_nears_maximum_likelihood_as_data_grow(self):
        events = sample_of(self.kernel, n=40)
        found = hawkeys.fit(events, kernel=self.kernel, method="vi_branching")
        best = hawkeys.fit(events, kernel=self.kernel)
        np.testing.assert_allclose(found.estimates, best.estimates, atol=0.01)

    def test_any_kernel_and_baseline(self):
        for kernel in (Exponential(2.0), SumExponential([1.0, 5.0], [0.3, 0.7])):
            result = hawkeys.fit(self.events, kernel=kernel, method="vi_branching")
            assert result.converged
        flat = hawkeys.fit(self.events, decay=2.0, method="vi_branching")
        pieces = hawkeys.baselines.PiecewiseConstant([0.0, 150.0, 300.0])
        split = hawkeys.fit(self.events, decay=2.0, method="vi_branching", baseline=pieces)
        assert split.posterior.shape.shape == (2, 4)
        mean = split.posterior.mean[:, :2].mean(axis=1)
        np.testing.assert_allclose(mean, flat.baseline, rtol=0.1)
        mixed = hawkeys.fit(
            self.events, kernel=SumExponential([1.0, 5.0]), method="vi_branching", prior=PROPER
        )
        np.testing.assert_allclose(mixed.posterior.mean, mixed.estimates, rtol=1e-12)

    def test_does_not_depend_on_the_unit_of_time(self):
        one = self.fit(prior=GammaPrior())
        scaled = Events.from_arrays(
            self.events.times * 1e9, self.events.marks, offsets=self.events.offsets,
            end_times=self.events.end_times * 1e9, mark_names=self.events.mark_names,
        )  # fmt: skip
        kernel = LogNormal(-0.5 + np.log(1e9), 0.4)
        other = hawkeys.fit(scaled, kernel=kernel, method="vi_branching", prior=GammaPrior())
        np.testing.assert_allclose(other.adjacency, one.adjacency, rtol=1e-8)
        np.testing.assert_allclose(other.baseline * 1e9, one.baseline, rtol=1e-8)

    def test_support_and_weights(self):
        support = [[False, True], [True, False]]
        result = self.fit(support=support)
        assert (result.adjacency[~np.array(support)] == 0).all()
        assert np.isnan(result.posterior.shape[0, 1])
        offsets = self.events.offsets
        doubled = Events.from_arrays(
            np.tile(self.events.times, 2), np.tile(self.events.marks, 2),
            offsets=np.concatenate((offsets[:-1], offsets + offsets[-1])),
            end_times=np.tile(self.events.end_times, 2),
        )  # fmt: skip
        twice = hawkeys.fit(doubled, kernel=self.kernel, method="vi_branching")
        weighted = self.fit(weights=[2.0] * 4)
        np.testing.assert_allclose(weighted.estimates, twice.estimates, rtol=1e-6)
        assert weighted.log_likelihood == pytest.approx(twice.log_likelihood / 2, rel=1e-9)

    def test_linear_response(self):
        """The optimum moves as the bound is tilted: differences of coordinate ascent."""
        v, cost, shape, rate = row(2, n=12)
        b = rate + cost

        def mean_log(tilt):
            a = shape + 4.0
            for _ in range(3_000):  # with t . E log theta added, a is g + N + t
                a = naive.update(v, cost, np.ones(12), shape, rate, a)[0] + tilt
            return special.digamma(a) - np.log(b)

        design = Design(
            v[:, 1:].T.ravel(),
            np.empty(0),
            np.array([0, 12]),
            cost[None],
            2,
            mapping=ColumnMap.plain(2, 1),
        )
        a = shape + 4.0
        for _ in range(3_000):
            a = naive.update(v, cost, np.ones(12), shape, rate, a)[0]
        found = _linear_response(design, GammaPosterior(a[None], b[None]))[0]
        for p in range(3):
            step = 1e-5 * np.eye(3)[p]
            slope = (mean_log(step) - mean_log(-step)) / 2e-5
            np.testing.assert_allclose(found[p], slope, rtol=1e-5, atol=1e-7)

    def test_linear_response_widens_the_intervals(self):
        result = self.fit(support=[[True, True], [True, False]])
        lower, upper = result.credible_interval(linear_response=True)
        plain = result.credible_interval()
        some = result.identified
        assert (upper - lower > (plain[1] - plain[0]) * 0.99)[some].all()
        assert np.isnan(upper[~some]).all()

    def test_linear_response_covers(self):
        """In 40 samples; the docstring of `BranchingVIOptions` reports 1,000."""
        process = hawkeys.Hawkes(BASELINE, ADJACENCY + 0.1, decay=2.0)
        events = hawkeys.simulate(process, end_time=300.0, n_realizations=40, rng=0)
        truth = np.column_stack((BASELINE, ADJACENCY + 0.1))
        hits = 0
        for r in range(40):
            result = hawkeys.fit(events[r : r + 1], decay=2.0, method="vi_branching")
            lower, upper = result.credible_interval(linear_response=True)
            hits += ((lower < truth) & (truth < upper)).mean() / 40
        assert hits > 0.9

    def test_each(self):
        each = hawkeys.fit_each(self.events, kernel=self.kernel, method="vi_branching")
        assert each.converged.all()
        assert each.posterior.shape.shape == (4, 2, 3)
        alone = hawkeys.fit(self.events[2:3], kernel=self.kernel, method="vi_branching")
        np.testing.assert_allclose(each.adjacency[2], alone.adjacency, rtol=1e-9)

    def test_is_saved(self, tmp_path):
        result = self.fit()
        result.save(tmp_path / "fit.json")
        again = hawkeys.load_result(tmp_path / "fit.json")
        assert isinstance(again.posterior, GammaPosterior)
        np.testing.assert_array_equal(again.posterior.shape, result.posterior.shape)
        assert again.summary() == result.summary()
        assert "vi_branching" in result.summary()

    def test_without_events(self):
        empty = Events.from_lists([[[], []]], end_times=4.0)
        result = hawkeys.fit(empty, kernel=self.kernel, method="vi_branching", prior=PROPER)
        np.testing.assert_allclose(result.posterior.shape, [[2.0, 1.5, 1.5]] * 2)
        np.testing.assert_allclose(result.posterior.rate, [[7.0, 2.0, 2.0]] * 2)
        # nothing is hidden: the evidence is that of no event in the baseline's time
        assert result.elbo == pytest.approx(2 * 2.0 * np.log(3.0 / 7.0), rel=1e-12)
        flat = GammaPrior(shape=1.0, rate=0.0)
        with pytest.warns(IdentifiabilityWarning, match="4 parameters are not identified"):
            result = hawkeys.fit(empty, kernel=self.kernel, method="vi_branching", prior=flat)
        assert np.isnan(result.std_err[:, 1:]).all()

    def test_simultaneous_events_do_not_excite_each_other(self):
        ties = Events.from_lists([[[1.0, 1.0, 2.0], [1.0]]], end_times=4.0)
        result = hawkeys.fit(ties, decay=1.0, method="vi_branching", prior=PROPER)
        v = np.ones((3, 3))
        v[:, 1:] = [[0.0, 0.0], [0.0, 0.0], [2 * np.exp(-1.0), np.exp(-1.0)]]
        mass = [2 * (1 - np.exp(-3.0)) + 1 - np.exp(-2.0), 1 - np.exp(-3.0)]
        cost, shape, rate = np.array([4.0, *mass]), np.array([2.0, 1.5, 1.5]), np.array([3.0, 2, 2])
        found, _, _ = raise_row(v, cost, shape, rate)
        np.testing.assert_allclose(result.posterior.shape[0], found, rtol=1e-3)


class TestGammaPosterior:
    posterior = GammaPosterior(np.array([[3.0, 0.5, np.nan]]), np.array([[10.0, 4.0, np.nan]]))

    def test_moments(self):
        draws = self.posterior.sample(20_000, rng=0)
        assert draws.shape == (20_000, 1, 3)
        np.testing.assert_allclose(draws.mean(axis=0), self.posterior.mean, rtol=0.03)
        np.testing.assert_allclose(draws.std(axis=0), self.posterior.sd, rtol=0.03)
        median = np.quantile(draws[:, 0, :2], 0.5, axis=0)
        np.testing.assert_allclose(median, self.posterior.median[0, :2], rtol=0.05)
        np.testing.assert_allclose(self.posterior.mode, [[0.2, 0.0, np.nan]])
        lower, upper = self.posterior.interval(0.9)
        inside = (draws > lower) & (draws < upper)
        assert inside[:, 0, :2].mean(axis=0) == pytest.approx([0.9, 0.9], abs=0.01)

    def test_bad_input(self):
        with pytest.raises(InvalidParameterError, match="strictly between 0 and 1"):
            self.posterior.quantile(1.0)
        with pytest.raises(InvalidParameterError, match="level must be one number strictly"):
            self.posterior.interval(2.0)
        with pytest.raises(InvalidParameterError, match="size must be at least 1"):
            self.posterior.sample(0)


def test_a_fit_that_stops_early_says_so():
    events = sample_of(Exponential(2.0))
    with pytest.warns(ConvergenceWarning, match="did not converge"):
        hawkeys.fit(events, decay=2.0, method="vi_branching", max_iter=1)


BAD = {
    "prior": ({"prior": 1.0}, r"prior must be a hawkeys\.GammaPrior; got 1\.0"),
    "tolerance": ({"tolerance": 0.0}, "tolerance must be one positive number"),
    "max_iter": ({"max_iter": 0}, "max_iter must be at least 1"),
    "unknown": ({"rate": 1.0}, "method 'vi_branching' has no option 'rate'; it has prior"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name):
    options, message = BAD[name]
    with pytest.raises(InvalidParameterError, match=message):
        hawkeys.fit(sample_of(Exponential(1.0)), decay=1.0, method="vi_branching", **options)
    assert BranchingVIOptions().prior == GammaPrior()


EDGES = np.linspace(0.0, 4.0, 9)
UNKNOWN = {"log-normal": LogNormal(), "gamma": Gamma(), "histogram": Histogram(EDGES)}


class TestEstimatedKernel:
    truth = LogNormal(-0.2, 0.5)

    @pytest.mark.parametrize("name", UNKNOWN)
    @pytest.mark.parametrize("groups", ["shared", "edge"])
    @pytest.mark.filterwarnings("ignore:no kernel is identified")
    def test_the_bound_never_decreases(self, name, groups):
        """On short windows too, where many children are unseen."""
        for n, end in ((1, 60.0), (8, 4.0)):
            events = sample_of(self.truth, end_time=end, n=n, seed=3)
            result = hawkeys.fit(
                events, kernel=UNKNOWN[name], method="vi_branching", groups=groups, prior=PROPER,
                weights=np.linspace(0.5, 2.0, n), min_spread=0.1,
            )  # fmt: skip
            assert result.converged
            assert np.diff(result.trace).min() >= 0.0
            assert result.trace[-1] > result.trace[0] + 0.1

    @pytest.mark.parametrize("name", UNKNOWN)
    def test_the_bound_is_that_of_the_kernel_found(self, name):
        """With its kernel given, rows are raised to the same place and the same bound."""
        events = sample_of(self.truth, end_time=60.0, seed=1)
        support = [[True, True], [True, False]]
        given = {"method": "vi_branching", "prior": PROPER, "support": support}
        result = hawkeys.fit(events, kernel=UNKNOWN[name], tolerance=1e-7, **given)
        again = hawkeys.fit(events, kernel=result.kernel, **given)
        # a histogram's mass may be below its horizon of 1e-12, and rows stop within 1e-6 nats
        assert result.elbo == pytest.approx(again.elbo, abs=1e-4)
        np.testing.assert_allclose(result.posterior.shape, again.posterior.shape, rtol=1e-2)
        assert result.log_likelihood == pytest.approx(
            result.process.log_likelihood(events), rel=1e-12
        )
        # no other kernel near it has a higher bound
        for change in (0.02, -0.02):
            other = moved(result.kernel, change)
            assert hawkeys.fit(events, kernel=other, **given).elbo < result.elbo

    def test_recovers_the_kernel(self):
        events = sample_of(self.truth, end_time=300.0)
        result = hawkeys.fit(events, kernel=LogNormal(), method="vi_branching")
        assert result.kernel.location == pytest.approx(-0.2, abs=0.1)
        assert result.kernel.scale == pytest.approx(0.5, abs=0.1)
        assert result.n_kernel_parameters == 2

    def test_a_prior_of_the_kernel_draws_towards_itself(self):
        events = sample_of(self.truth, end_time=60.0, n=1)
        prior = KernelPrior(LogNormal(1.0, 0.3), weight=1e4)
        result = hawkeys.fit(events, kernel=LogNormal(), method="vi_branching", kernel_prior=prior)
        assert result.kernel.location == pytest.approx(1.0, abs=0.02)
        assert result.kernel.scale == pytest.approx(0.3, abs=0.02)

    def test_without_events(self):
        empty = Events.from_lists([[[], []]], end_times=4.0)
        result = hawkeys.fit(empty, kernel=LogNormal(), method="vi_branching", prior=PROPER)
        np.testing.assert_allclose(result.posterior.shape, [[2.0, 1.5, 1.5]] * 2)
        assert result.elbo == pytest.approx(2 * 2.0 * np.log(3.0 / 7.0), rel=1e-12)
        assert result.n_kernel_parameters == 0

    def test_is_saved_and_fitted_again(self, tmp_path):
        events = sample_of(self.truth, end_time=40.0, n=2)
        prior = KernelPrior(LogNormal(0.0, 1.0), weight=2.0)
        result = hawkeys.fit(
            events, kernel=LogNormal(), method="vi_branching", kernel_prior=prior, prior=PROPER
        )
        result.save(tmp_path / "fit.json")
        again = hawkeys.load_result(tmp_path / "fit.json")
        found = fit_again(again)(events)
        assert found.elbo == pytest.approx(result.elbo, abs=1e-9)

    def test_other_methods_say_what_to_use(self):
        events = sample_of(self.truth, end_time=20.0, n=1)
        for method in ("vi", "map"):
            with pytest.raises(InvalidParameterError, match="'mle' and 'vi_branching' estimate"):
                hawkeys.fit(events, kernel=LogNormal(), method=method)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"prior": KernelPrior(LogNormal(0, 1))}, "the prior of a kernel is kernel_prior="),
            ({"kernel_prior": GammaPrior()}, r"kernel_prior must be a hawkeys\.inference\.Kernel"),
            ({"start": LogNormal()}, "start must be a kernel with all parameters given"),
            ({"baseline_floor": 0.1}, "estimating the kernel has no option 'baseline_floor'"),
            ({"smoothing": -1.0}, "smoothing must be one number of at least 0"),
        ],
    )
    def test_bad_input(self, options, message):
        with pytest.raises(InvalidParameterError, match=message):
            hawkeys.fit([[1.0]], end_time=2.0, kernel=LogNormal(), method="vi_branching", **options)


def moved(kernel, change):
    """Return a kernel with its first parameter moved a little."""
    if kernel.name == "histogram":
        masses = kernel.masses + change * np.eye(kernel.masses.size)[2]
        return Histogram(kernel.edges, masses / masses.sum())
    first, second = (getattr(kernel, name) for name in kernel.parameter_names)
    return type(kernel)(first + change, second)
