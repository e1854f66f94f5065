"""What a newcomer tries in the first hour: it works, or one line says what to write.

Each case is one natural way to pass data: the wrong shape, a frame,
dates, milliseconds, labels, one list, a mapping, a tensor, no decay, ambiguous nesting.
"""

import datetime as dt
import warnings

import numpy as np
import pandas as pd
import pytest

import hawkeys
from hawkeys.exceptions import EventsWarning, HawkeysError

rng = np.random.default_rng(0)
TIMES = np.sort(rng.uniform(0.0, 100.0, 60))
LABELS = rng.choice(["buy", "sell"], 60)
BUY, SELL = TIMES[LABELS == "buy"], TIMES[LABELS == "sell"]
DATES = pd.Timestamp("2024-01-01") + pd.to_timedelta(TIMES, unit="h")
FRAME = pd.DataFrame({"time": TIMES, "mark": LABELS})
DAYS = {"unit": "h", "start_time": "2024-01-01", "end_time": "2024-01-05T04:00"}
END = {"end_time": 100.0}


class Tensor:
    """What `torch.Tensor` offers: it must be detached before it is an array."""

    ndim = 1
    dtype = "torch.float64"

    def __init__(self, values):
        self.values = values

    def tolist(self):
        return self.values.tolist()

    def __len__(self):
        return len(self.values)

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("Can't call numpy() on Tensor that requires grad.")

    def detach(self):
        return self

    def cpu(self):
        return self

    def numpy(self):
        return self.values


def fitted(data, **options):
    """The adjacency of a fit, with the decay given unless the case is about it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EventsWarning)
        return hawkeys.fit(data, **{"decay": 1.0, **options}).adjacency


ONE = fitted([TIMES], **END)
TWO = fitted([BUY, SELL], **END)

WORKS = {
    "one flat array": (lambda: fitted(TIMES, **END), ONE),
    "one flat list": (lambda: fitted(TIMES.tolist(), **END), ONE),
    "a Series": (lambda: fitted(pd.Series(TIMES), **END), ONE),
    "a tensor": (lambda: fitted(Tensor(TIMES), **END), ONE),
    "single precision": (lambda: fitted(TIMES.astype(np.float32), **END), ONE),
    "a column of objects": (lambda: fitted(pd.Series(TIMES, dtype=object), **END), ONE),
    "a frame": (lambda: fitted(FRAME, **END), TWO),
    "a frame with names of its own": (
        lambda: fitted(FRAME.set_axis(["at", "what"], axis=1), time="at", mark="what", **END),
        TWO,
    ),
    "a mapping": (lambda: fitted({"buy": BUY, "sell": SELL}, **END), TWO),
    "labels beside times": (lambda: fitted(TIMES, mark=LABELS, **END), TWO),
    "unsorted, and it is said": (
        lambda: fitted(FRAME.sample(frac=1.0, random_state=0), sort=True, **END), TWO),
    "dates": (lambda: fitted(list(DATES), **DAYS), ONE),
    "an index of dates": (
        lambda: fitted(pd.DataFrame({"mark": LABELS}, index=DATES), **DAYS), TWO),
    "end_times for end_time": (lambda: fitted([BUY, SELL], end_times=100.0), TWO),
    "a method in capitals": (lambda: fitted([BUY, SELL], method="MLE", **END), TWO),
}  # fmt: skip

PAIRS = list(zip(TIMES.tolist(), LABELS.tolist(), strict=True))
SAID = {
    "no decay": (lambda: hawkeys.fit(TIMES, **END), r"write decay='estimate'"),
    "no end": (lambda: fitted(TIMES), r"end_time is missing: .* Pass end_time="),
    "dates without a unit": (
        lambda: fitted(DATES, end_time="2024-01-06"), r"unit= is missing: .*'day'"),
    "dates without a start": (
        lambda: fitted(DATES, unit="h", end_time="2024-01-06"),
        r"start_time is missing: dates have no 0"),
    "dates as text": (
        lambda: fitted(DATES.astype(str), **DAYS), r"Parse text first: pandas.to_datetime"),
    "an end in days beside hours": (
        lambda: fitted(DATES, **DAYS | {"end_time": 5.0}), r"end_time must be a date"),
    "milliseconds beside seconds": (
        lambda: hawkeys.fit(TIMES * 1e3, decay=50.0, end_time=1e5), r"not ms beside a decay"),
    "nanoseconds called seconds": (
        lambda: fitted((TIMES * 1e9).astype(int) + 1_700_000_000 * 10**9, unit="s",
                       start_time=1_700_000_000 * 10**9, end_time=1_700_000_100 * 10**9),
        r"pass dates, x.astype\('datetime64\[ns\]'\)"),
    "a column vector": (lambda: fitted(TIMES[:, None], **END), r"pass x\.ravel\(\)"),
    "rows of time and mark": (
        lambda: fitted(np.column_stack((TIMES, LABELS == "buy")), **END),
        r"x\[:, 0\] with mark=x\[:, 1\]"),
    "pairs of time and mark": (
        lambda: fitted(PAIRS, **END), r"write times, marks = zip\(\*pairs\)"),
    "columns in a mapping": (
        lambda: fitted({"time": TIMES, "mark": LABELS}, **END), r"Pass pandas\.DataFrame\(data\)"),
    "runs of one mark": (
        lambda: fitted([BUY, SELL], end_time=[100.0, 100.0]), r"put each into a list of its own"),
    "a list of frames": (lambda: fitted([FRAME, FRAME], **END), r"pandas\.concat"),
    "values at dates": (
        lambda: fitted(pd.Series(TIMES, index=DATES), **DAYS), r"Pass the times, x\.index"),
    "unsorted": (lambda: fitted(TIMES[::-1], **END), r"Sort them \(sort=True"),
    "an empty cell": (
        lambda: fitted(FRAME.assign(mark=[None, *LABELS[1:]]), **END), r"empty at row 0"),
    "a unit that has no length": (
        lambda: fitted(DATES, **DAYS | {"unit": "month"}), r"months and years differ in length"),
    "a zone on one side": (
        lambda: fitted(DATES.tz_localize("UTC"), **DAYS), r"tz='UTC'\), or give"),
    "a misspelt option": (lambda: fitted(TIMES, endtime=100.0, **END), r"has no option 'endtime'"),
}  # fmt: skip


@pytest.mark.parametrize("case", WORKS)
def test_works(case):
    way, expected = WORKS[case]
    # dates are whole nanoseconds, single precision has seven digits
    np.testing.assert_allclose(way(), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("case", SAID)
def test_says_in_one_line_what_to_write(case):
    way, message = SAID[case]
    with pytest.raises((HawkeysError, EventsWarning), match=message) as caught:
        way()
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 500


def test_there_are_at_least_twenty():
    assert len(WORKS) + len(SAID) >= 20
    assert dt.datetime(2024, 1, 1) == DATES[0].floor("D")
