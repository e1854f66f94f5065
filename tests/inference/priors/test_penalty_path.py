"""The path over the strength of a penalty, and the choice of the strength."""

import math

import numpy as np
import pytest
from matplotlib.figure import Figure

import hawkeys
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference import ElasticNet, GroupLasso, Lasso, PenaltyPath, Ridge, penalty_path

SPARSE = hawkeys.Hawkes(
    [0.3, 0.3, 0.3, 0.3],
    [[0.4, 0.0, 0.0, 0.0], [0.4, 0.0, 0.0, 0.0], [0.0, 0.0, 0.3, 0.3], [0.0, 0.4, 0.0, 0.0]],
    decay=2.0,
)
SAMPLE = hawkeys.simulate(SPARSE, end_time=300.0, n_realizations=3, rng=1)
SHORT = hawkeys.simulate(SPARSE, end_time=60.0, rng=2)
PENALTIES = {
    "lasso": Lasso(1.0),
    "adaptive": Lasso(np.arange(1.0, 17.0).reshape(4, 4)),
    "elastic net": ElasticNet(1.0, l1_ratio=0.5),
    "source": GroupLasso(1.0, groups="source"),
    "target": GroupLasso(1.0, groups="target"),
}


@pytest.fixture(scope="module")
def path():
    return penalty_path(SAMPLE, decay=2.0, n_strengths=25, n_folds=3)


@pytest.mark.parametrize("name", PENALTIES)
def test_it_starts_at_the_smallest_strength_that_empties(name):
    penalty = PENALTIES[name]
    found = penalty_path(SHORT, decay=2.0, penalty=penalty, n_strengths=6, n_folds=0)
    assert found.converged.all()
    assert (found.adjacency[0] == 0.0).all()
    assert found.coefficients[0, :, 0] == pytest.approx(SHORT.counts[0] / 60.0, rel=1e-4)
    below = penalty.scaled(0.99 * found.strengths[0])
    assert (hawkeys.fit(SHORT, decay=2.0, method="map", prior=below).adjacency > 0.0).any()
    assert found.strengths[-1] == pytest.approx(1e-3 * found.strengths[0])
    # the larger the strength, the less the data are followed
    assert (np.diff(found.log_likelihood) > 0.0).all()
    mle = hawkeys.fit(SHORT, decay=2.0)
    assert found.log_likelihood[-1] <= mle.log_likelihood + 1e-6
    assert found.refit_log_likelihood[-1] <= mle.log_likelihood + 1e-6
    assert (found.refit_log_likelihood >= found.log_likelihood - 1e-6).all()


def test_warm_starts_end_where_cold_ones_do(path):
    for k in (3, 12, 24):
        prior = Lasso(path.strengths[k])
        cold = hawkeys.fit(SAMPLE, decay=2.0, method="map", prior=prior)
        assert path.coefficients[k] == pytest.approx(cold.estimates, abs=1e-4)
        penalised = path.log_likelihood[k] - path.strengths[k] * path.adjacency[k].sum()
        assert penalised == pytest.approx(cold.objective, abs=1e-6)
    assert (path.optimality_gap <= 4e-7).all()


def test_criteria_by_hand(path):
    k = int(np.flatnonzero(path.n_nonzero == 5)[0])
    support = path.adjacency[k] > 0
    refit = hawkeys.fit(SAMPLE, decay=2.0, support=support).log_likelihood
    assert path.refit_log_likelihood[k] == pytest.approx(refit, abs=1e-6)
    count = math.log(math.comb(16, 5))
    expected = -2 * refit + 9 * math.log(SAMPLE.n_events) + 2 * 0.7 * count
    assert path.ebic(0.7)[k] == pytest.approx(expected, rel=1e-9)
    assert path.ebic(0.0)[k] == pytest.approx(expected - 1.4 * count, rel=1e-9)


def test_held_out_realisations_by_hand(path):
    assert path.fold_kind == "realisations"
    assert path.cv_log_likelihood.shape == (25, 3)
    for r, k in ((0, 5), (2, 15)):
        rest = SAMPLE[[s for s in range(3) if s != r]]
        prior = Lasso(path.strengths[k] * 2.0 / 3.0)
        train = hawkeys.fit(rest, decay=2.0, method="map", prior=prior)
        expected = train.process.log_likelihood(SAMPLE[r])
        assert path.cv_log_likelihood[k, r] == pytest.approx(expected, abs=1e-2)
    assert path.cv_total == pytest.approx(path.cv_log_likelihood.sum(axis=1))
    spread = path.cv_log_likelihood[5].std(ddof=1) * math.sqrt(3)
    assert path.cv_std_err[5] == pytest.approx(spread)


def test_rules(path):
    best = path.index("cv")
    assert path.cv_total[best] == path.cv_total.max()
    simple = path.index("cv-1se")
    assert simple <= best  # a larger strength
    assert path.cv_total[simple] >= path.cv_total[best] - path.cv_std_err[best]
    assert simple == 0 or path.cv_total[simple - 1] < path.cv_total[best] - path.cv_std_err[best]
    assert path.index("ebic", gamma=1.0) == np.argmin(path.ebic(1.0))
    for rule in ("ebic", "cv", "cv-1se"):
        chosen = path.choose(rule)
        assert chosen.estimates == pytest.approx(path.coefficients[path.index(rule)], abs=1e-4)
        assert chosen.options["prior"].strength == path.strengths[path.index(rule)]


def test_a_single_realisation_is_cut_into_blocks_of_time():
    found = penalty_path(SHORT, decay=2.0, n_strengths=5, n_folds=4)
    assert found.fold_kind == "blocks of time"
    assert found.cv_log_likelihood.shape == (5, 4)
    assert np.isfinite(found.cv_log_likelihood).all()
    rate = SHORT.counts[0] / 60.0
    near = (SHORT.counts[0] * np.log(rate)).sum() - SHORT.n_events
    assert found.cv_total[0] < near  # of constant rates, those fitted to the same data are best


def test_ebic_finds_the_true_support():
    # all of the support and nothing else; in 97 of 100 further samples of about 1,700 events
    hits, truth = 0, SPARSE.adjacency > 0
    for seed in range(10):
        sample = hawkeys.simulate(SPARSE, end_time=800.0, rng=seed)
        found = penalty_path(sample, decay=2.0, n_strengths=15, smallest=0.05, n_folds=0)
        support = found.adjacency[found.index("ebic")] > 0
        hits += bool((support == truth).all())
    assert hits == 10


@pytest.mark.filterwarnings("ignore::hawkeys.exceptions.EventsWarning")
def test_without_any_excitation_the_path_is_empty():
    alone = hawkeys.Events.from_lists([[[1.0, 500.0], [250.0]]], end_times=1000.0)
    found = penalty_path(alone, decay=2.0, n_strengths=3, n_folds=2)
    assert found.strengths[0] == 1.0
    assert (found.n_nonzero == 0).all()


def test_a_row_with_one_event_starts_empty():
    """At the strength that empties it a mixture of baseline and excitation is exactly as good."""
    for seed in range(8):
        rng = np.random.default_rng(seed)
        events = [np.sort(rng.uniform(0, 60, 30)), rng.uniform(5, 60, 1)]
        found = hawkeys.inference.penalty_path(events, decay=1.0, end_time=60.0, n_strengths=5)
        assert found.n_nonzero[0] == 0


def test_support_weights_and_other_models():
    support = SPARSE.adjacency > 0
    found = penalty_path(SAMPLE, decay=2.0, support=support, weights=[1, 2, 0], n_strengths=6)
    assert found.n_admissible == 5
    assert (found.adjacency[:, ~support] == 0.0).all()
    assert (found.choose().adjacency[~support] == 0.0).all()
    knots = hawkeys.baselines.PiecewiseConstant([0.0, 150.0, 300.0])
    pieces = penalty_path(SAMPLE, decay=2.0, baseline=knots, n_strengths=6, n_folds=0)
    assert pieces.coefficients.shape == (6, 4, 6)
    assert pieces.n_nonzero[0] == 0
    chosen = pieces.choose().estimates
    assert chosen == pytest.approx(pieces.coefficients[pieces.index()], abs=1e-4)


def test_frame_picture_and_repr(path):
    frame = path.to_frame()
    assert len(frame) == 25
    assert (frame.ebic == path.ebic()).all()
    axes = path.plot(ax=Figure().subplots(), rule="cv")
    assert len(axes.get_lines()) == 17
    assert axes.get_xlabel() == "strength of the penalty"
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert "0 to 1" in labels
    assert labels[-1].startswith("cv: ")
    assert repr(path).startswith("PenaltyPath(penalty=Lasso(strength=1.0, baseline=0.0), n_str")
    assert isinstance(path, PenaltyPath)
    given = penalty_path(SHORT, decay=2.0, strengths=[1.0, 20.0, 5.0], n_folds=0)
    assert given.strengths.tolist() == [20.0, 5.0, 1.0]
    assert given.to_frame().cv_total.isna().all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"penalty": Ridge(1.0)}, "no strength of Ridge"),
        ({"penalty": ElasticNet(1.0, l1_ratio=0.0)}, "no strength of ElasticNet"),
        ({"penalty": Lasso(0.0)}, "no strength of Lasso"),
        ({"penalty": 2.0}, "penalty must be a Lasso, ElasticNet or GroupLasso"),
        ({"n_strengths": 1}, "n_strengths must be at least 2"),
        ({"smallest": 2.0}, "smallest must be one number strictly between"),
        ({"n_folds": 1}, r"n_folds must be 0 \(no cross-validation\) or at least 2"),
        ({"strengths": [-1.0]}, "strengths must be positive"),
        ({"strengths": 3.0}, "strengths must be a list of positive numbers"),
        ({"tolerance": 0.0}, "tolerance must be one positive number"),
        ({"prior": None}, "penalty_path has no option 'prior'"),
    ],
)
def test_bad_arguments_are_refused(options, message):
    with pytest.raises(InvalidParameterError, match=message):
        penalty_path(SHORT, decay=2.0, **options)


def test_rules_that_cannot_be_followed_are_refused(path):
    with pytest.raises(InvalidParameterError, match="rule must be one of 'ebic', 'cv'"):
        path.index("aic")
    with pytest.raises(InvalidParameterError, match="gamma must be one number of at least 0"):
        path.ebic(-1.0)
    bare = penalty_path(SHORT, decay=2.0, n_strengths=3, n_folds=0)
    with pytest.raises(InvalidParameterError, match="made without cross-validation"):
        bare.choose("cv")
