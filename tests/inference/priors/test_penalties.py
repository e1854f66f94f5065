"""Ridge, L1, elastic-net and group penalties."""

import functools

import naive_penalties as naive
import numpy as np
import pytest

import hawkeys
from hawkeys._design import Design
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference import ElasticNet, GroupLasso, Lasso, Ridge
from hawkeys.inference.rows.penalized import PenalizedRows
from hawkeys.kernels import Exponential

TRUTH = hawkeys.Hawkes(
    [0.4, 0.2, 0.3], [[0.3, 0.1, 0.0], [0.0, 0.4, 0.0], [0.2, 0.0, 0.1]], decay=2.0
)
SAMPLE = hawkeys.simulate(TRUTH, end_time=40.0, n_realizations=2, rng=4)
MIDDLE = hawkeys.simulate(TRUTH, end_time=200.0, rng=5)
LARGER = hawkeys.simulate(TRUTH, end_time=1_000.0, n_realizations=2, rng=5)
DECAY = np.array([[2.0, 1.0, 3.0], [0.5, 2.0, 1.0], [1.0, 1.5, 2.5]])


def tied(sample):
    lists = [[np.round(times) for times in marks] for marks in sample.to_lists()]
    return hawkeys.Events.from_lists(lists, end_times=sample.end_times + 1.0)


def one(*lists, end=10.0):
    return hawkeys.Events.from_lists([lists], end_times=end)


CASES = {
    "plain": SAMPLE,
    "ties": tied(SAMPLE),
    "empty mark": one([1.0, 1.2, 5.0, 5.3, 5.5], [], [1.1, 5.1, 5.2]),
    "no excitation": one([1.0, 4.0, 7.0], [1.0, 4.0, 7.0], [], end=1e3),
    "one event": one([1.0], [], []),
    "no event": one([], [], []),
    "bursts": one([1.0, 1.001, 1.002, 1.003], [50.0, 50.001], [1.0005, 90.0], end=100.0),
}
MATRIX = np.array([[0.0, 2.0, 1.0], [3.0, 0.5, 0.0], [1.0, 1.0, 4.0]])
NUMBERED = [[0, 0, 1], [-1, 1, 2], [2, -1, 0]]
PENALTIES = {
    "ridge": Ridge(3.0),
    "ridge by pair": Ridge(MATRIX),
    "lasso": Lasso(1.5),
    "lasso by pair": Lasso(MATRIX),
    "elastic net": ElasticNet(2.0, l1_ratio=0.4),
    "source": GroupLasso(1.0, groups="source"),
    "target": GroupLasso(1.0, groups="target"),
    "pair": GroupLasso(MATRIX, groups="pair"),
    "numbered": GroupLasso(1.0, groups=NUMBERED),
}


def terms_of(penalty):
    """The penalty as the naive objective takes it."""
    strength = np.broadcast_to(np.asarray(penalty.strength), (3, 3))
    none = np.full((3, 3), -1)
    if isinstance(penalty, Ridge):
        return 0.0 * strength, strength, none, []
    if isinstance(penalty, Lasso):
        return strength, 0.0 * strength, none, []
    if isinstance(penalty, ElasticNet):
        ratio = penalty.l1_ratio
        return ratio * strength, (1.0 - ratio) * strength, none, []
    labels = {
        "source": np.array([[0, 1, 2]] * 3),
        "target": np.array([[0, 1, 2]] * 3).T,
        "pair": np.array([[0, 1, 2], [1, 3, 4], [2, 4, 5]]),
    }.get(str(penalty.groups), np.array(NUMBERED))
    sizes = [(labels == g).sum() for g in range(labels.max() + 1)]
    means = [strength[labels == g].mean() for g in range(labels.max() + 1)]
    return 0.0 * strength, 0.0 * strength, labels, np.sqrt(sizes) * means


@functools.cache
def naive_rows(case, weights):
    """Rows by definition of one of the cases, or of the longer sample."""
    sample = MIDDLE if case == "middle" else CASES[case]
    return [naive.row(sample, DECAY, i, weights) for i in range(3)]


def fit(sample, penalty, **options):
    return hawkeys.fit(sample, decay=DECAY, method="map", prior=penalty, **options)


@pytest.mark.filterwarnings("ignore::hawkeys.exceptions.EventsWarning")
@pytest.mark.filterwarnings("ignore::hawkeys.exceptions.IdentifiabilityWarning")
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", ["ridge", "lasso", "elastic net", "source", "target"])
def test_no_optimiser_finds_more(case, name):
    sample, penalty = CASES[case], PENALTIES[name]
    weights = tuple(range(1, sample.n_realizations + 1))
    rows = naive_rows(case, weights)
    # with costs 0 (a source without events) groups would count members that cannot move
    if isinstance(penalty, GroupLasso) and any((cost == 0).any() for _, _, cost in rows):
        penalty = GroupLasso(penalty.strength, groups="target")
        moving = np.array([cost[1:] > 0 for _, _, cost in rows])
        terms = terms_of(penalty)
        terms = (*terms[:3], np.sqrt(moving.sum(axis=1)))
    else:
        terms = terms_of(penalty)
    result = fit(sample, penalty, weights=weights)
    assert result.converged
    assert result.objective == pytest.approx(
        naive.objective(result.estimates, rows, terms), abs=1e-9
    )
    starts = [np.full((3, 4), 0.3), 0.9 * result.estimates + 0.01]
    other = naive.maximise(rows, terms, starts)
    assert other <= result.objective + 1e-6
    assert other >= result.objective - 1e-3  # it is the same problem
    assert other <= result.objective + result.optimality_gap + 1e-9  # the bound holds
    assert (np.diff(result.trace) >= -1e-9).all()


@pytest.mark.parametrize("name", PENALTIES)
def test_optimality_conditions(name):
    sample, penalty = MIDDLE, PENALTIES[name].scaled(3.0)
    rows = naive_rows("middle", (1.0,))
    terms = terms_of(penalty)
    result = fit(sample, penalty, tolerance=1e-12)
    x, slope = result.estimates, naive.slope(result.estimates, rows, terms)
    scale = np.array([cost for _, _, cost in rows])
    assert result.kkt_residual < 1e-5
    assert np.abs(np.where(x > 0, slope, 0.0) / scale).max() < 1e-5
    labels, strength = terms[2:]
    for g, s in enumerate(strength):
        inside = np.column_stack((np.zeros(3, bool), labels == g))
        if (x[inside] == 0).all():
            assert np.linalg.norm(np.maximum(slope[inside], 0.0)) <= s * (1 + 1e-9)
            slope[inside] = 0.0
    assert (np.where(x > 0, 0.0, slope) / scale).max() < 1e-5


def test_strength_0_is_maximum_likelihood():
    mle = hawkeys.fit(LARGER, decay=DECAY)
    for penalty in (Ridge(0.0), Lasso(0.0), ElasticNet(0.0), GroupLasso(0.0)):
        result = fit(LARGER, penalty)
        assert result.objective == pytest.approx(mle.objective, abs=2e-7 * 3)
        assert result.estimates == pytest.approx(mle.estimates, abs=1e-4)


def test_a_huge_strength_empties_the_adjacency_and_leaves_the_baseline():
    rate = LARGER.counts.sum(axis=0) / LARGER.durations.sum()
    for penalty in (Lasso(1e6), ElasticNet(1e6, l1_ratio=0.1), GroupLasso(1e6)):
        result = fit(LARGER, penalty)
        assert (result.adjacency == 0.0).all()
        assert result.baseline == pytest.approx(rate, rel=1e-6)  # what 1e-7 nats leave open
    assert (fit(LARGER, Ridge(1e6)).adjacency > 0.0).any()  # ridge shrinks, but not to 0


def test_zeros_are_exact_and_whole_groups():
    sparse = fit(LARGER, Lasso(30.0)).adjacency
    assert 0 < (sparse > 0).sum() < 9
    by_target = fit(LARGER, GroupLasso(600.0, groups="target")).adjacency
    assert (by_target == 0).all(axis=1).sum() == 2
    by_source = fit(LARGER, GroupLasso(400.0, groups="source")).adjacency
    assert (by_source == 0).all(axis=0).sum() == 1


def test_the_linear_penalty_has_two_solvers():
    linear = fit(LARGER, Lasso(20.0))
    almost = fit(LARGER, ElasticNet(20.0, l1_ratio=1.0 - 1e-12))
    assert almost.objective == pytest.approx(linear.objective, abs=1e-6)
    assert ((almost.adjacency > 0) == (linear.adjacency > 0)).all()


def test_a_penalty_on_the_baseline():
    plain, held = fit(SAMPLE, Ridge(1.0)), fit(SAMPLE, Ridge(1.0, baseline=50.0))
    assert (held.baseline < plain.baseline).all()
    value = hawkeys.fit(SAMPLE, decay=DECAY).process.log_likelihood(SAMPLE)
    assert held.log_likelihood < value
    expected = held.log_likelihood - 0.5 * (held.adjacency**2).sum() - 25 * (held.baseline**2).sum()
    assert held.objective == pytest.approx(expected, abs=1e-9)
    assert (fit(SAMPLE, Lasso(1.0, baseline=1e6)).baseline < 1e-3).all()
    assert (fit(SAMPLE, GroupLasso(1.0, baseline=20.0)).baseline < plain.baseline).all()


def test_support_and_weights():
    support = np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1]], dtype=bool)
    for penalty in (Lasso(1.0), ElasticNet(1.0), GroupLasso(1.0, groups="source")):
        result = fit(SAMPLE, penalty, support=support)
        assert (result.adjacency[~support] == 0.0).all()
        only = fit(SAMPLE, penalty, weights=[1.0, 0.0])
        assert only.objective == pytest.approx(fit(SAMPLE[0], penalty).objective, abs=1e-6)
        twice = fit(SAMPLE, penalty.scaled(2.0), weights=[2.0, 2.0])
        assert twice.estimates == pytest.approx(fit(SAMPLE, penalty).estimates, abs=1e-3)
        assert twice.objective == pytest.approx(2.0 * fit(SAMPLE, penalty).objective, abs=1e-6)


@pytest.mark.parametrize("penalty", [Ridge(2.0), Lasso(2.0), GroupLasso(1.0, groups="pair")])
def test_each_realisation_alone(penalty):
    each = hawkeys.fit_each(SAMPLE, decay=DECAY, method="map", prior=penalty)
    assert each.converged.all()
    for r in range(2):
        alone = fit(SAMPLE[r], penalty)
        assert each.adjacency[r] == pytest.approx(alone.adjacency, abs=1e-6)
        assert each.objective[r] == pytest.approx(alone.objective, abs=1e-9)


def test_information_is_that_of_differences():
    penalty = GroupLasso(5.0, groups="target")
    result = fit(MIDDLE, penalty, tolerance=1e-12)
    rows, terms = naive_rows("middle", (1.0,)), terms_of(penalty)
    i = int(np.argmax((result.estimates > 0).sum(axis=1)))
    for p in np.flatnonzero(result.estimates[i] > 0):
        up, down = result.estimates.copy(), result.estimates.copy()
        up[i, p] += 1e-6
        down[i, p] -= 1e-6
        change = naive.slope(up, rows, terms)[i] - naive.slope(down, rows, terms)[i]
        kept = result.estimates[i] > 0
        assert -change[kept] / 2e-6 == pytest.approx(result.information[i, p][kept], rel=1e-4)


def test_the_unit_of_time_does_not_matter():
    for factor in (1e-9, 1e9):
        lists = [[factor * times for times in marks] for marks in SAMPLE.to_lists()]
        scaled = hawkeys.Events.from_lists(lists, end_times=factor * SAMPLE.end_times)
        for penalty in (ElasticNet(2.0), GroupLasso(1.0)):
            result = hawkeys.fit(scaled, decay=DECAY / factor, method="map", prior=penalty)
            assert result.adjacency == pytest.approx(fit(SAMPLE, penalty).adjacency, abs=1e-7)


def test_tied_parameters_and_pieces_of_the_baseline():
    model = {"tied": {"adjacency": [[0, 1, -1], [1, 0, -1], [-1, -1, 0]]}}
    model["baseline"] = hawkeys.baselines.PiecewiseConstant([0.0, 20.0, 40.0])
    for penalty in (ElasticNet(1.0), Lasso(1.0), GroupLasso(1.0, groups="pair")):
        if isinstance(penalty, GroupLasso):
            penalty = GroupLasso(1.0, groups=[[0, 1, 2], [1, 0, 2], [2, 2, 0]])
        result = fit(SAMPLE, penalty, **{**model, "tolerance": 1e-9})
        w = result.adjacency
        assert result.converged
        assert w[0, 1] == w[1, 0]
        assert w[0, 0] == w[1, 1] == w[2, 2]
    with pytest.raises(InvalidParameterError, match="must be in one group"):
        fit(SAMPLE, GroupLasso(1.0, groups="target"), **model)


def test_saved_and_read_back(tmp_path):
    for k, penalty in enumerate((Ridge(MATRIX), GroupLasso(1.0, groups=NUMBERED))):
        result = fit(SAMPLE, penalty)
        result.save(tmp_path / f"{k}.json")
        again = hawkeys.load_result(tmp_path / f"{k}.json")
        assert (again.estimates == result.estimates).all()
        assert again.options["prior"]["strength"] == np.asarray(penalty.strength).tolist()


def test_a_stop_before_the_tolerance_is_said():
    rows = PenalizedRows.of(Design.build(LARGER, Exponential(DECAY)))
    solution = rows.solve(Ridge(5.0).terms(rows.design), 1e-7, 1)
    assert not solution.converged.any()
    full = rows.solve(Ridge(5.0).terms(rows.design), 1e-7, 200)
    assert (full.objective - solution.objective <= solution.gap).all()  # a bound far off, too
    assert (full.objective > solution.objective).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Ridge(-1.0), "Ridge: strength must not be negative"),
        (lambda: Lasso([1.0, 2.0]), r"Lasso: strength must be one number or have shape"),
        (lambda: Lasso(np.ones((2, 3))), r"got shape \(2, 3\)"),
        (lambda: Lasso(1.0, baseline=-1.0), "Lasso: baseline must not be negative"),
        (lambda: Lasso(1.0, baseline=[1.0]), "Lasso: baseline must be one number"),
        (lambda: Ridge("strong"), "Ridge: strength: expected numbers"),
        (lambda: ElasticNet(1.0, l1_ratio=1.5), "l1_ratio must be one number from 0"),
        (lambda: GroupLasso(1.0, groups="row"), "groups must be one of 'source', 'target'"),
        (lambda: GroupLasso(1.0, groups=[[0.5]]), "whole numbers of shape"),
        (lambda: GroupLasso(1.0, groups=[0, 1]), "whole numbers of shape"),
        (lambda: fit(SAMPLE, Ridge(np.ones((2, 2)))), r"Ridge: strength must have shape \(3, 3\)"),
        (lambda: fit(SAMPLE, GroupLasso(groups=[[0]])), r"groups must have shape \(3, 3\)"),
        (lambda: fit(SAMPLE, 1.5), r"or a penalty of hawkeys.inference \(Ridge"),
    ],
)
def test_bad_penalties_are_refused(make, message):
    with pytest.raises(InvalidParameterError, match=message):
        make()
