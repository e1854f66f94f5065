"""The log-likelihood event by event, against sums that are written out."""

import math

import numpy as np
import pytest

import hawkeys
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError

LISTS = [[[0.5, 1.5, 1.5], [1.5, 3.0]], [[], []], [[0.2], [2.5, 2.75]]]
ENDS, STARTS = [4.0, 3.0, 5.0], [0.0, 0.0, -1.0]
EVENTS = hawkeys.Events.from_lists(LISTS, end_times=ENDS, start_times=STARTS)
BASE, MATRIX, DECAY = [0.4, 0.2], [[0.3, 0.1], [0.0, 0.5]], 2.0


def naive():
    """Return the value of each event, and the integral after the last of each realisation."""
    values, rest = [], []
    for r, lists in enumerate(LISTS):
        times = sorted((t, i) for i, own in enumerate(lists) for t in own)

        def passed(t, times=times, r=r):
            total = sum(BASE) * (t - STARTS[r])
            for s, j in times:
                if s < t:
                    total += (MATRIX[0][j] + MATRIX[1][j]) * (1.0 - math.exp(-DECAY * (t - s)))
            return total

        before = STARTS[r]
        for t, i in times:
            rate = BASE[i]
            rate += sum(
                MATRIX[i][j] * DECAY * math.exp(-DECAY * (t - s)) for s, j in times if s < t
            )
            values.append(math.log(rate) - passed(t) + passed(before))
            before = t
        rest.append(passed(ENDS[r]) - passed(before))
    return np.array(values), sum(rest)


def test_against_the_formula():
    process = hawkeys.Hawkes(BASE, MATRIX, decay=DECAY)
    values, rest = naive()
    own = process.log_likelihood(EVENTS, per_event=True)
    np.testing.assert_allclose(own, values, rtol=1e-12)
    assert own.sum() - rest == pytest.approx(process.log_likelihood(EVENTS), rel=1e-13)


@pytest.mark.parametrize(
    "process",
    [
        hawkeys.Hawkes(BASE, MATRIX, kernel=hawkeys.kernels.SumExponential([0.5, 4.0], [0.3, 0.7])),
        hawkeys.Hawkes(BASE, MATRIX, kernel=hawkeys.kernels.LogNormal(-1.0, 0.5)),
        hawkeys.Hawkes(
            hawkeys.baselines.Periodic([0, 1], 3.0, rates=[[0.2, 0.6], [0.5, 0.1]]),
            MATRIX,
            decay=DECAY,
        ),
        hawkeys.RectifiedHawkes(BASE, [[0.3, -0.8], [-0.1, 0.5]], decay=DECAY),
    ],
    ids=["sum", "log-normal", "periodic", "rectified"],
)
def test_they_sum_to_the_whole(process, monkeypatch):
    """With what is left after the last events; in one piece and in pieces of one event."""
    own = process.log_likelihood(EVENTS, per_event=True)
    rest = 0.0
    for r, last in enumerate([3.0, 0.0, 2.75]):
        ends = process.compensator(EVENTS, [last, ENDS[r]], realization=r).sum(axis=1)
        rest += ends[1] - ends[0]
    assert own.sum() - rest == pytest.approx(process.log_likelihood(EVENTS), rel=1e-12)
    monkeypatch.setattr("hawkeys.process.event_densities._MOST_NUMBERS", 1)
    np.testing.assert_allclose(process.log_likelihood(EVENTS, per_event=True), own, rtol=1e-12)


def test_an_impossible_event_is_minus_infinity():
    process = hawkeys.Hawkes([0.0, 1.0], [[0.0, 0.0], [0.0, 0.0]], decay=1.0)
    own = process.log_likelihood(EVENTS, per_event=True)
    assert np.isneginf(own[EVENTS.marks == 0]).all()
    assert np.isfinite(own[EVENTS.marks == 1]).all()


def test_lists_with_their_window():
    process = hawkeys.Hawkes(BASE, MATRIX, decay=DECAY)
    window = {"end_time": ENDS, "start_time": STARTS}
    assert process.log_likelihood(LISTS, **window) == process.log_likelihood(EVENTS)
    per_event = process.log_likelihood(LISTS, per_event=True, **window)
    np.testing.assert_array_equal(per_event, process.log_likelihood(EVENTS, per_event=True))
    with pytest.raises(InvalidParameterError, match="end_time is missing"):
        process.log_likelihood(LISTS)
    with pytest.raises(InvalidParameterError, match="Events carry their windows"):
        process.log_likelihood(EVENTS, end_time=4.0)
    with pytest.raises(InvalidEventsError, match="has 1 sequences of times, expected 2"):
        process.log_likelihood([[1.0]], end_time=4.0)
