"""Parameters that share one value."""

import naive_columns as naive
import numpy as np
import pytest

import hawkeys
from hawkeys._design import Design
from hawkeys._design.ties import Ties
from hawkeys.baselines import Periodic
from hawkeys.exceptions import IdentifiabilityWarning, InvalidParameterError
from hawkeys.kernels import Exponential, SumExponential

# one number per row of (baseline, adjacency row); negative: free
WITHIN = [[-1, 7, 7, -1], [-1, -1, -1, -1], [-1, 8, -1, 8]]
ACROSS = [[0, 1, 2, 2], [0, 2, 1, 2], [3, -1, -1, 1]]
SYMMETRIC = {"adjacency": [[-1, 1, 2], [1, -1, 3], [2, 3, -1]]}


@pytest.fixture(scope="module")
def small():
    truth = hawkeys.Hawkes(
        [0.3, 0.5, 0.4], [[0.3, 0.1, 0.1], [0.2, 0.2, 0.1], [0.1, 0.2, 0.3]], decay=2.0
    )
    return hawkeys.simulate(truth, end_time=[30.0, 40.0], rng=5)


def numbers(tied, n_marks=3):
    """The value that each parameter has, numbered from 0; naively."""
    if isinstance(tied, dict):
        free = np.full((n_marks, 1), -1)
        base = np.array(tied.get("baseline", free)).reshape(n_marks, 1)
        other = np.array(tied.get("adjacency", np.full((n_marks, n_marks), -1)))
        tied = np.hstack((np.where(base >= 0, base + 100, -1), other))
    seen, out = {}, np.zeros((n_marks, n_marks + 1), dtype=int)
    for where, label in np.ndenumerate(np.array(tied)):
        key = label if label >= 0 else where
        out[where] = seen.setdefault(key, len(seen))
    return out


@pytest.mark.parametrize("tied", [WITHIN, ACROSS, SYMMETRIC, {"baseline": [4, -3, 4]}])
def test_fit_is_the_maximum_found_by_another_optimiser(tied, small):
    result = hawkeys.fit(small, decay=2.0, tied=tied)
    labels = numbers(tied)
    best, x = naive.maximise(small, [2.0], labels)
    assert result.log_likelihood == pytest.approx(best, abs=1e-6)
    assert result.log_likelihood == pytest.approx(result.process.log_likelihood(small), abs=1e-9)
    np.testing.assert_allclose(result.estimates, x, atol=2e-4)
    for number in range(labels.max() + 1):
        shared = result.estimates[labels == number]
        assert (shared == shared[0]).all()
    assert result.n_parameters == labels.max() + 1
    expected = 2 * (labels.max() + 1) - 2 * result.log_likelihood
    assert result.aic == pytest.approx(expected, abs=1e-12)
    assert result.event_counts.tolist() == np.bincount(small.marks).tolist()


@pytest.mark.parametrize("tied", [WITHIN, ACROSS, SYMMETRIC])
def test_standard_errors_invert_the_naive_information(tied, small):
    result = hawkeys.fit(small, decay=2.0, tied=tied)
    labels = numbers(tied)
    rows, _ = naive.columns(small, [2.0])
    n = labels.max() + 1
    information = np.zeros((n, n))
    for v, x, label in zip(rows, result.estimates, labels, strict=True):
        merged = np.zeros((len(v), n))
        np.add.at(merged.T, label, v.T)
        scaled = merged / (v @ x)[:, None]
        information += scaled.T @ scaled
    value = np.zeros(n)
    value[labels] = result.estimates
    free = np.flatnonzero(value > 0)
    std_err = np.full(n, np.nan)
    std_err[free] = np.sqrt(np.diag(np.linalg.inv(information[np.ix_(free, free)])))
    np.testing.assert_allclose(result.std_err, std_err[labels], rtol=1e-6)


def test_nothing_tied_changes_nothing(small):
    plain = hawkeys.fit(small, decay=2.0)
    free = np.full((3, 4), -1)
    alone = np.arange(12).reshape(3, 4)
    for tied in (free, alone, {"adjacency": free[:, 1:]}):
        same = hawkeys.fit(small, decay=2.0, tied=tied)
        np.testing.assert_allclose(same.estimates, plain.estimates, atol=1e-6)
        np.testing.assert_allclose(same.std_err, plain.std_err, rtol=1e-4)
        assert same.bic == pytest.approx(plain.bic, abs=1e-6)


def test_all_tied_is_the_pooled_univariate_process(small):
    """mu + a sum_j c_j in each of D rows: the superposition has D mu and D a, less N log D."""
    all_one = {"baseline": [0, 0, 0], "adjacency": np.zeros((3, 3))}
    result = hawkeys.fit(small, decay=2.0, tied=all_one)
    one = hawkeys.Events.from_arrays(
        small.times,
        np.zeros(small.n_events, dtype=int),
        offsets=small.offsets,
        end_times=small.end_times,
    )
    pooled = hawkeys.fit(one, decay=2.0)
    np.testing.assert_allclose(3 * result.baseline, pooled.baseline[0], rtol=1e-5)
    np.testing.assert_allclose(3 * result.adjacency, pooled.adjacency[0, 0], rtol=1e-5)
    np.testing.assert_allclose(3 * result.std_err[0, :2], pooled.std_err[0], rtol=1e-5)
    shift = small.n_events * np.log(3)
    assert result.log_likelihood == pytest.approx(pooled.log_likelihood - shift, abs=1e-6)
    assert result.n_parameters == 2


def test_support_takes_precedence_over_a_label(small):
    support = np.ones((3, 3), dtype=bool)
    support[0, 1] = False  # one of two tied pairs, and both of a third label
    support[2] = [False, True, False]
    result = hawkeys.fit(small, decay=2.0, tied=WITHIN, support=support)
    assert result.adjacency[0, 1] == 0
    assert result.adjacency[0, 0] > 0
    assert (result.adjacency[2, [0, 2]] == 0).all()
    labels = numbers(WITHIN)
    labels[0, 2] = labels[2, 1] = labels[2, 3] = -1
    labels = np.unique(labels, return_inverse=True)[1].reshape(3, 4) - 1
    best, _ = naive.maximise(small, [2.0], labels)
    assert result.log_likelihood == pytest.approx(best, abs=1e-6)
    prior = hawkeys.GammaPrior(shape=2.0, rate=1.0)
    mode = hawkeys.fit(small, decay=2.0, tied=WITHIN, support=support, method="map", prior=prior)
    np.testing.assert_array_equal(mode.adjacency == 0, ~support)


def test_the_order_of_events_in_a_row_problem_does_not_matter():
    rng = np.random.default_rng(3)
    lists = [np.sort(rng.uniform(0, 50.0, n)) for n in (21_000, 4_000)]
    events = hawkeys.Events.from_lists([lists, lists], end_times=50.0)
    ties = Ties.check({"adjacency": [[0, -1], [-1, 0]]}, 2)
    design = Design.build(
        events, Exponential(30.0), ties=ties, realization_weights=np.array([1.0, 2.0])
    )
    moved = design.spread()
    assert (moved.excitation != design.excitation).any()
    x = rng.uniform(0.1, 1.0, design.cost.shape) * ~design.excluded
    np.testing.assert_allclose(moved.log_likelihood(x), design.log_likelihood(x), rtol=1e-12)
    for b, (begin, end) in enumerate(zip(design.offsets[:-1], design.offsets[1:], strict=True)):
        np.testing.assert_allclose(moved.block(b).sum(axis=1), design.block(b).sum(axis=1))
        assert moved.weights[begin:end].sum() == design.weights[begin:end].sum()


def test_weights_of_realisations(small):
    once = [small.to_lists()[r] for r in (0, 1, 1, 1)]
    repeated = hawkeys.Events.from_lists(once, end_times=[30.0, 40.0, 40.0, 40.0])
    weighted = hawkeys.fit(small, decay=2.0, tied=ACROSS, weights=[1.0, 3.0])
    same = hawkeys.fit(repeated, decay=2.0, tied=ACROSS)
    np.testing.assert_allclose(weighted.estimates, same.estimates, atol=1e-5)
    np.testing.assert_allclose(weighted.std_err, same.std_err, rtol=1e-3)


def test_with_further_baselines_and_components(small):
    tied = {"baseline": [1, 1, -1], "adjacency": [[1, 2, 2], [2, 1, 2], [2, 2, 1]]}
    result = hawkeys.fit(
        small, kernel=SumExponential([1.0, 6.0]), baseline=Periodic([0, 2], 5.0), tied=tied
    )
    block = np.array([[2, 4, 4], [4, 2, 4], [4, 4, 2]])
    labels = np.hstack(([[0, 1], [0, 1], [6, 7]], block, block + 1))
    best, x = naive.maximise(small, [1.0, 6.0], labels, [0.0, 2.0], 5.0)
    assert result.log_likelihood == pytest.approx(best, abs=1e-6)
    np.testing.assert_allclose(result.estimates[:, :2], x[:, :2], atol=5e-4)
    np.testing.assert_allclose(result.adjacency, x[:, 2:5] + x[:, 5:], atol=5e-4)
    assert (result.kernel.weights[0, 0] == result.kernel.weights[1, 1]).all()
    assert result.n_parameters == 8
    assert result.n_kernel_parameters == 2


def test_a_tied_mark_without_events_is_identified():
    """It borrows from the mark it is tied to; of itself it says only that nothing happened."""
    times = np.sort(np.random.default_rng(2).uniform(0, 50, 60))
    events = hawkeys.Events.from_lists([[times, []]], end_times=50.0)
    with pytest.warns(IdentifiabilityWarning, match="2 parameters are not identified"):
        alone = hawkeys.fit(events, decay=2.0)
    assert not alone.identified[:, 2].any()
    tied = {"baseline": [0, 0], "adjacency": [[1, 2], [2, 1]]}
    result = hawkeys.fit(events, decay=2.0, tied=tied)
    assert result.identified.all()
    assert result.baseline[0] == result.baseline[1] > 0


def test_decays_are_chosen_with_it(small):
    profile = hawkeys.fit(small, decay_grid=[1.0, 4.0], tied=ACROSS).decay_profile
    values = [hawkeys.fit(small, decay=d, tied=ACROSS).log_likelihood for d in (1.0, 4.0)]
    np.testing.assert_allclose(profile.objective, values, atol=1e-6)
    with pytest.raises(InvalidParameterError, match="decay_sharing='source' needs one constant"):
        hawkeys.fit(small, decay="estimate", decay_sharing="source", tied=ACROSS)


def test_other_methods(small):
    mle = hawkeys.fit(small, decay=2.0, tied=ACROSS)
    flat = hawkeys.GammaPrior(shape=1.0, rate=0.0)
    mode = hawkeys.fit(small, decay=2.0, tied=ACROSS, method="map", prior=flat)
    np.testing.assert_allclose(mode.estimates, mle.estimates, atol=1e-4)
    vi = hawkeys.fit(small, decay=2.0, tied=ACROSS, method="vi")
    assert vi.posterior.location.shape == (3, 4)
    for number in range(numbers(ACROSS).max() + 1):
        assert np.ptp(vi.posterior.location[numbers(ACROSS) == number]) == 0
    assert vi.prior_coefficient.shape == (3, 4)
    assert np.isfinite(vi.elbo)


def test_saved_and_fitted_again(small, tmp_path):
    result = hawkeys.fit(small, decay=2.0, tied=SYMMETRIC)
    result.save(tmp_path / "fit.json")
    again = hawkeys.load_result(tmp_path / "fit.json")
    np.testing.assert_array_equal(again.std_err, result.std_err)
    assert again.bic == result.bic
    first, second = (
        hawkeys.goodness_of_fit(fit, small, n_mc_samples=5).null for fit in (result, again)
    )
    np.testing.assert_array_equal(first, second)
    # the re-fits tie too: a free fit has other statistics
    free = hawkeys.goodness_of_fit(
        result, small, n_mc_samples=5, refit=lambda events: hawkeys.fit(events, decay=2.0)
    )
    assert (free.null != first).any()


@pytest.mark.parametrize(
    ("tied", "message"),
    [
        ([[0, 1], [1, 0]], r"tied must have shape \(3, 4\) \(one label per parameter\)"),
        (np.zeros((3, 4)), "tied: label 0 stands for a baseline .* and for an adjacency"),
        (np.full((3, 4), 0.5), "tied must hold whole numbers, equal for parameters that are one"),
        ({"base": [0, 0, 0]}, r"tied must hold labels under 'baseline'.* the keys 'base'"),
        ({}, "tied must hold labels under"),
        ({"baseline": [0, 0]}, r"tied\['baseline'\] must have shape \(3,\)"),
        ({"adjacency": [0, 0, 0]}, r"tied\['adjacency'\] must have shape \(3, 3\)"),
    ],
)
def test_bad_labels(tied, message, small):
    with pytest.raises(InvalidParameterError, match=message):
        hawkeys.fit(small, decay=2.0, tied=tied)


def test_what_cannot_tie_says_so(small):
    with pytest.raises(InvalidParameterError, match="got the options tied"):
        hawkeys.fit(small, kernel=hawkeys.kernels.LogNormal(), tied=ACROSS)
