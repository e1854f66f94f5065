"""Checks before enrolment: each rule by name, on samples that break it and on samples that do not.

Sources of samples: the simulated demo typists and, where there is a file, the CMU benchmark.
"""

import warnings

import numpy as np
import pandas as pd
import pytest

from hawkeys.datasets import join_timings, load_demo
from hawkeys.exceptions import EnrolmentError, EnrolmentWarning, InvalidTimingsError
from hawkeys.verifiers import Manhattan, enrol
from hawkeys.verifiers.templates.enrolment import check_enrolment, read_samples, refuse_or_warn

DEMO = load_demo()
CLEAN = DEMO.timings().to_numpy()[:100]


def rules(samples):
    return [finding.rule for finding in check_enrolment(samples)]


def only(samples, rule):
    """The one finding of a rule."""
    (found,) = [finding for finding in check_enrolment(samples) if finding.rule == rule]
    return found


def with_clock(samples, tick):
    """The same samples recorded by a clock that ticks: presses and releases rounded down."""
    hold, interval = samples[:, 0::3], samples[:, 1::3]
    press = np.cumsum(np.hstack((np.full((len(samples), 1), 0.3), interval)), axis=1)
    return join_timings(tick * np.floor(press / tick), tick * np.floor((press + hold) / tick))


def test_clean_samples_have_no_findings():
    assert check_enrolment(CLEAN) == ()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        refuse_or_warn(check_enrolment(CLEAN))


def test_no_demo_typist_is_refused():
    for name in DEMO.subjects:
        samples = DEMO.timings().to_numpy()[DEMO.subject == name]
        assert set(rules(samples)) <= {"extreme-samples"}
        assert len(only(samples, "extreme-samples").rows) <= 12 if rules(samples) else True


def test_no_person_of_the_benchmark_is_refused(cmu):
    found = [check_enrolment(cmu[cmu.subject == s].timings().to_numpy()) for s in cmu.subjects]
    assert {finding.rule for each in found for finding in each} == {"extreme-samples"}
    share = [len(each[0].rows) / 400 if each else 0.0 for each in found]
    assert np.median(share) < 0.01


@pytest.mark.parametrize(
    ("n", "outcome"),
    [
        (0, True),
        (2, True),
        (4, True),
        (5, False),
        (9, False),
        (10, False),
        (49, False),
        (50, None),
        (100, None),
    ],
)
def test_number_of_samples(n, outcome):
    found = [one for one in check_enrolment(CLEAN[:n]) if one.rule == "too-few-samples"]
    assert [one.is_error for one in found] == ([] if outcome is None else [outcome])
    if found:
        assert f"{n} samples; at least 5 are needed and 50 or more advised" in found[0].message
        assert ("expect 1 in 10 of the typist's samples" in found[0].message) is (n < 10)


def test_too_many_samples():
    rng = np.random.default_rng(0)
    assert rules(rng.uniform(0.05, 0.15, size=(2000, 1))) == []
    found = only(rng.uniform(0.05, 0.15, size=(2001, 1)), "too-many-samples")
    assert found.is_error
    assert "2001 samples" in found.message
    wide = np.tile(CLEAN, (11, 47))[:, :1456]  # 486 keys
    assert "too-many-samples" in rules(wide)


@pytest.mark.parametrize(("factor", "wrong"), [(1000.0, True), (1e6, True), (20.0, False)])
def test_wrong_unit(factor, wrong):
    assert ("wrong-unit" in rules(CLEAN * factor)) is wrong


def test_one_interval_of_more_than_an_hour():
    samples = CLEAN.copy()
    samples[7, 1:3] += 4000.0
    found = only(samples, "wrong-unit")
    assert found.is_error
    assert "the longest interval 4000." in found.message
    assert found.rows == (7,)


def test_one_sample_in_milliseconds_among_many():
    samples = CLEAN.copy()
    samples[5] *= 1000
    found = only(samples, "wrong-unit")
    assert found.is_error
    assert found.rows == (5,)
    assert "1 of the samples (row 5 of them, counted from 0) are not in seconds" in found.message


def sample_of(hold, interval, n_keys=11):
    press = np.arange(n_keys) * interval
    return join_timings([press], [press + hold])


@pytest.mark.parametrize(
    ("hold", "interval", "n_keys", "typed"),
    [
        (0.0, 0.0, 11, False),
        (0.08, 0.0, 11, False),
        (0.08, 0.004, 11, False),
        (0.0, 0.2, 11, False),
        (0.004, 0.2, 11, False),
        (0.08, 0.2, 11, False),  # as regular as a program
        (0.08, 0.2, 4, False),
        (0.08, 0.2, 3, True),  # too short a text to tell
        (0.08, 0.0, 2, False),
        (0.006, 0.006, 3, True),
    ],
)
def test_pasted_or_synthesised(hold, interval, n_keys, typed):
    samples = np.vstack((CLEAN[:, : 3 * n_keys - 2], sample_of(hold, interval, n_keys)))
    found = [one for one in check_enrolment(samples) if one.rule == "not-typed"]
    assert (found == []) is typed
    if found:
        assert found[0].is_error
        assert found[0].rows == (100,)
        assert "(row 100 of them, counted from 0) cannot have been typed" in found[0].message


def test_a_generator_with_jitter_below_the_clock():
    jitter = 4e-5 * np.random.default_rng(0).uniform(size=(20, 31))
    jitter[:, 2::3] = jitter[:, 1::3] - jitter[:, 0:-1:3]
    found = only(sample_of(0.08, 0.2) + jitter, "not-typed")
    assert len(found.rows) == 20


def test_copies_of_a_fine_clock_are_refused():
    found = only(np.vstack((CLEAN, CLEAN[[3, 3, 9]])), "copies")
    assert found.is_error
    assert found.rows == (100, 101, 102)
    assert "(rows 100, 101, 102 of them, counted from 0) repeat an earlier" in found.message


def test_copies_of_a_coarse_clock_are_pointed_out():
    samples = with_clock(CLEAN, 0.0156)
    findings = check_enrolment(np.vstack((samples, samples[:7])))
    copies = next(one for one in findings if one.rule == "copies")
    assert not copies.is_error
    assert "rows 100, 101, 102, 103, 104 and 2 more of them" in copies.message


@pytest.mark.parametrize("tick", [0.001, 0.002, 0.004])
def test_fine_clocks(tick):
    assert "coarse-clock" not in rules(with_clock(CLEAN, tick))


@pytest.mark.parametrize("tick", [0.008, 0.01, 0.0156, 0.015625, 0.1])
def test_coarse_clocks_are_measured(tick):
    found = only(with_clock(CLEAN, tick), "coarse-clock")
    assert not found.is_error
    stated = float(found.message.split("steps of about ")[1].split(" ms")[0])
    # the message rounds to 0.1 ms
    assert stated == pytest.approx(1000 * tick, abs=0.051)


def test_the_error_that_a_tick_adds():
    """Standard deviation tick / sqrt(6): presses and releases are cut off independently."""
    rng = np.random.default_rng(5)
    press, release = rng.uniform(0, 1, size=(2, 200_000))
    error = np.floor(release) - np.floor(press) - (release - press)
    # four standard errors of a standard deviation from 200,000 draws
    assert error.std() == pytest.approx(1 / np.sqrt(6), rel=4 / np.sqrt(2 * 200_000))


def test_constant_intervals():
    samples = CLEAN.copy()
    samples[:, -1] = 0.1
    found = only(samples, "constant-interval")
    assert not found.is_error
    assert found.message.startswith("H.key 11 never varied")


def test_extreme_samples():
    samples = CLEAN.copy()
    samples[[4, 70], 1:3] += 6.0
    samples[8] *= 0.2
    found = only(samples, "extreme-samples")
    assert not found.is_error
    assert found.rows == (4, 8, 70)
    assert "0.5 to 2 times the median" in found.message


def test_all_errors_come_together_and_prevent_enrolment():
    samples = np.vstack((CLEAN[:2], CLEAN[:1], sample_of(0.0, 0.0)))
    with pytest.raises(EnrolmentError, match=r"too-few-samples: .*not-typed: .*copies: "):
        enrol(samples)


def test_warnings_do_not_prevent_enrolment():
    with pytest.warns(EnrolmentWarning, match="too-few-samples: 20 samples") as caught:
        template = enrol(CLEAN[:20], verifier=Manhattan())
    assert template.n_samples == 20
    assert caught[0].filename == __file__


@pytest.mark.parametrize("convert", [list, tuple, lambda rows: [tuple(row) for row in rows]])
def test_wrong_length(convert):
    rows = [list(row) for row in CLEAN[:20]]
    rows[13] = rows[13][:28]
    with pytest.raises(
        InvalidTimingsError,
        match=r"sample 13 \(counted from 0\) has 28 intervals, the first has 31",
    ):
        enrol(convert(rows))


BROKEN = {
    "NaN": ((3, 5, np.nan), "row 3: UD.key2.key3 is nan; every interval must be finite"),
    "infinite": ((3, 4, np.inf), "row 3: DD.key2.key3 is inf"),
    "negative hold": ((3, 3, -0.1), "row 3: H.key2 is -0.1; H and DD must not be negative"),
    "contradiction": ((3, 4, 9.0), r"DD must equal H \+ UD"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_intervals(case):
    (row, column, value), match = BROKEN[case]
    samples = CLEAN.copy()
    samples[row, column] = value
    with pytest.raises(InvalidTimingsError, match=match):
        enrol(samples)


@pytest.mark.parametrize(
    ("samples", "match"),
    [
        (CLEAN[:, :30], r"must have shape \(n_samples, 3 K - 2\)"),
        (CLEAN[0], r"must have shape \(n_samples, 3 K - 2\)"),
        ([["a"] * 4] * 20, "must hold numbers only"),
        (np.empty((0, 4)), None),
        (None, "shape"),
        (pd.DataFrame(CLEAN), "no column named H"),
        (DEMO.timings()[:20].drop(columns="UD.t.i"), "no column 'UD.t.i'"),
    ],
    ids=["width", "one sample", "text", "none", "None", "no names", "missing column"],
)
def test_no_timing_matrix(samples, match):
    error = EnrolmentError if match is None else InvalidTimingsError
    with pytest.raises(error, match=match or "too-few-samples: 0 samples"):
        enrol(samples)


def test_frames_are_read_by_name():
    frame = DEMO.timings()[:3]
    shuffled = frame[frame.columns[::-1]].assign(subject="ann")
    shuffled = shuffled[["subject", *[c for c in frame.columns if c.startswith("H.")],
                         *[c for c in frame.columns if not c.startswith("H.")]]]  # fmt: skip
    matrix, keys = read_samples(shuffled)
    np.testing.assert_array_equal(matrix, frame.to_numpy())
    assert keys == DEMO.keys
