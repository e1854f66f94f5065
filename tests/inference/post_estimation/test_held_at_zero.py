"""What a maximum loses with a parameter at 0, by the solver of fits: as the profile code has it."""

import numpy as np
import pytest

import hawkeys
from hawkeys._jit import profile as compiled
from hawkeys.baselines import PiecewiseConstant
from hawkeys.inference import edge_tests
from hawkeys.inference.post_estimation import profile
from hawkeys.inference.post_estimation.fitted_rows import FittedRows
from hawkeys.inference.post_estimation.held_at_zero import falls_at_zero
from hawkeys.kernels import SumExponential

TRUTH = hawkeys.Hawkes([0.4, 0.2, 0.1], [[0.3, 0.1, 0], [0, 0.5, 0], [0.2, 0, 0.1]], decay=2.0)
FEW = hawkeys.simulate(TRUTH, end_time=40.0, n_realizations=4, rng=1)
MANY = hawkeys.simulate(TRUTH, end_time=60_000.0, rng=2)
LABELS = [[1, -1, 2, -1], [1, -1, 2, -1], [-1, -1, -1, -1]]
FITS = {
    "few events": (FEW, {"decay": 2.0}),
    "one event of a mark": (
        hawkeys.Events.from_lists([[[1.0, 2.0, 2.5], [2.2]]], end_times=5.0),
        {"decay": 2.0},
    ),
    "weights": (FEW, {"decay": 2.0, "weights": [0.5, 2.0, 0.0, 1.0]}),
    "support": (FEW, {"decay": 2.0, "support": np.triu(np.ones((3, 3), dtype=bool))}),
    "pieces": (FEW, {"decay": 2.0, "baseline": PiecewiseConstant([0.0, 10.0, 40.0])}),
    "two decays": (FEW, {"kernel": SumExponential([1.0, 5.0])}),
    "tied": (FEW, {"decay": 2.0, "tied": LABELS}),
    "many events": (MANY, {"decay": 2.0}),
}


@pytest.mark.filterwarnings("ignore::hawkeys.exceptions.IdentifiabilityWarning")
@pytest.mark.filterwarnings("ignore::hawkeys.exceptions.EventsWarning")
@pytest.mark.parametrize("name", FITS)
def test_the_falls_are_those_of_the_profiles(name, monkeypatch):
    events, options = FITS[name]
    result = hawkeys.fit(events, **options)
    rows = FittedRows.check(result, events, "test")
    wanted = result.identified.copy()
    wanted[:, : rows.columns.map.n_pieces] = False  # without a baseline first events cannot be
    for block, _, members in rows.distinct(wanted):
        found, gain = falls_at_zero(rows, block, members)
        start = rows.columns.estimates[block].copy()
        expected, higher = compiled.profile_ends(
            rows.row(block), rows.held[block], members, start, np.inf
        )
        np.testing.assert_allclose(found, expected[:, 2], rtol=1e-8, atol=2e-8)
        assert gain == pytest.approx(higher, abs=1e-8)
    quick = edge_tests(result, events).statistic
    monkeypatch.setattr(profile, "falls_at_zero", lambda *arguments: None)
    np.testing.assert_allclose(quick, edge_tests(result, events).statistic, rtol=1e-8, atol=4e-8)


def test_a_statistic_is_twice_what_a_fit_without_the_pair_loses():
    result = hawkeys.fit(MANY, decay=2.0)
    support = np.ones((3, 3), dtype=bool)
    support[0, 1] = False
    without = hawkeys.fit(MANY, decay=2.0, support=support)
    expected = 2.0 * (result.log_likelihood - without.log_likelihood)
    assert edge_tests(result, MANY).statistic[0, 1] == pytest.approx(expected, abs=4e-6)


def test_what_makes_an_event_impossible_is_left_to_the_profiles():
    # the second piece's only event can have no other cause than that piece
    events = hawkeys.Events.from_lists([[[1.0, 2.0], [9.0]]], end_times=10.0)
    steps = PiecewiseConstant([0.0, 5.0, 10.0])
    support = np.zeros((2, 2), dtype=bool)
    result = hawkeys.fit(events, decay=2.0, baseline=steps, support=support)
    rows = FittedRows.check(result, events, "test")
    (_, _, members), (block, _, own) = rows.distinct(result.identified)
    assert len(members) == len(own) == 2
    assert falls_at_zero(rows, block, own) is None
    assert profile.profile_figures(rows, result.identified, np.inf)[2][1, 1] == np.inf
