"""What works with what: every fit against all that can be asked of it, tried and written down.

``python tests/what_works.py`` tries every cell and writes the table of docs/what_works.md anew;
``test_what_works.py`` tries them again and compares.
"""

from __future__ import annotations

import re
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

import hawkeys
from hawkeys import baselines, inference, kernels, plotting, productivity
from hawkeys.exceptions import HawkeysError
from hawkeys.process import LagFilters, LogTimeFilters

BEGIN, END = "<!-- begin of the table -->", "<!-- end of the table -->"
PAGE = Path(__file__).parents[1] / "docs" / "what_works.md"
TRUTH = hawkeys.Hawkes([0.5, 0.4], [[0.3, 0.2], [0.1, 0.4]], decay=2.0, mark_names="ab")
EVENTS = hawkeys.simulate(TRUTH, end_time=[150.0, 120.0], rng=1)
# values that only a productivity looks at
EVENTS = EVENTS.with_values(3.0 + np.random.default_rng(1).exponential(0.4, EVENTS.n_events))
# what is observed of them: all after a history, and all but a gap
HISTORY, LATER = EVENTS.split(at=20.0)
WINDOWS, OUTSIDE = EVENTS.within([(0.0, 50.0), (60.0, 150.0)])
HALVES, DAY, QUARTERS = [0.0, 60.0, 250.0], [0.0, 12.0], [0.0, 6.0, 12.0, 18.0]

ROWS: dict[str, Callable[[], Any]] = {
    "`mle`": lambda: hawkeys.fit(EVENTS, decay=2.0),
    "`map`": lambda: hawkeys.fit(EVENTS, decay=2.0, method="map"),
    "`map`, penalty": lambda: hawkeys.fit(
        EVENTS, decay=2.0, method="map", prior=inference.Ridge(1.0)
    ),
    "`least_squares`": lambda: hawkeys.fit(EVENTS, decay=2.0, method="least_squares"),
    "`vi`": lambda: hawkeys.fit(EVENTS, decay=2.0, method="vi"),
    "`vi_stochastic`": lambda: hawkeys.fit(EVENTS, decay=2.0, method="vi_stochastic"),
    "`vi_branching`": lambda: hawkeys.fit(EVENTS, decay=2.0, method="vi_branching"),
    '`decay="estimate"`': lambda: hawkeys.fit(EVENTS, decay="estimate"),
    "`SumExponential`, weights estimated": lambda: hawkeys.fit(
        EVENTS, kernel=kernels.SumExponential([1.0, 4.0])
    ),
    "`PowerLaw`, given": lambda: hawkeys.fit(EVENTS, kernel=kernels.PowerLaw(0.5, 2.0)),
    "`productivity`, given": lambda: hawkeys.fit(
        EVENTS, decay=2.0, productivity=productivity.Exponential(a=0.7, v0=3.0)
    ),
    "`productivity`, estimated": lambda: hawkeys.fit(
        EVENTS, decay="estimate", productivity="exponential"
    ),
    "`SumExponential`, decays estimated": lambda: hawkeys.fit(
        EVENTS, kernel=kernels.SumExponential(n_decays=2)
    ),
    "`Shifted`, latency given": lambda: hawkeys.fit(
        EVENTS, kernel=kernels.Shifted(kernels.Exponential(2.0), 0.1)
    ),
    "`LogNormal`, given": lambda: hawkeys.fit(EVENTS, kernel=kernels.LogNormal(-1.0, 0.8)),
    "`LogNormal`, estimated": lambda: hawkeys.fit(EVENTS, kernel=kernels.LogNormal()),
    "`Gamma`, estimated": lambda: hawkeys.fit(EVENTS, kernel=kernels.Gamma()),
    "`Histogram`, estimated": lambda: hawkeys.fit(
        EVENTS, kernel=kernels.Histogram([0.0, 0.5, 1.0, 3.0])
    ),
    "`PiecewiseConstant` baseline": lambda: hawkeys.fit(
        EVENTS, decay=2.0, baseline=baselines.PiecewiseConstant(HALVES)
    ),
    "`PiecewiseConstant` baseline, given": lambda: hawkeys.fit(
        EVENTS, decay=2.0, baseline=baselines.PiecewiseConstant(HALVES, [[0.5, 0.6], [0.4, 0.3]])
    ),
    "`Periodic` baseline": lambda: hawkeys.fit(
        EVENTS, decay=2.0, baseline=baselines.Periodic(DAY, 24.0)
    ),
    "`Spline` baseline": lambda: hawkeys.fit(
        EVENTS, decay="estimate", baseline=baselines.Spline(QUARTERS, period=24.0)
    ),
    "`LogLinear` baseline, estimated": lambda: hawkeys.fit(
        EVENTS, decay="estimate", baseline=baselines.LogLinear(HALVES, [0.0, 1.0])
    ),
    "`history=`": lambda: hawkeys.fit(LATER, decay=2.0, history=HISTORY),
    "`history=`, windows with gaps": lambda: hawkeys.fit(WINDOWS, decay=2.0, history=OUTSIDE),
    "`fit_rectified`": lambda: hawkeys.fit_rectified(EVENTS, decay=2.0),
    "`fit_nonlinear`": lambda: hawkeys.fit_nonlinear(
        EVENTS, filters=LogTimeFilters([0.2, 0.6, 1.5]), penalty=0.0
    ),
    "`fit_nonlinear`, penalty": lambda: hawkeys.fit_nonlinear(
        EVENTS,
        filters=LagFilters(edges=[0.0, 0.2, 0.6, 1.5]),
        penalty=inference.Ridge(1.0),
        link="softplus",
    ),
    "`fit_nonlinear`, steps, `Periodic`": lambda: hawkeys.fit_nonlinear(
        EVENTS,
        filters=LagFilters(edges=[0.0, 0.2, 0.6]),
        baseline=baselines.Periodic(DAY, 24.0),
        link="softplus",
    ),
    "`fit_nonlinear`, decays": lambda: hawkeys.fit_nonlinear(
        EVENTS, filters=LagFilters(decays=[1.0, 4.0]), link="softplus"
    ),
}

# of the rows that look at other events than all
LOOKED_AT = {"`history=`": LATER, "`history=`, windows with gaps": WINDOWS}


def _some(values: Any) -> None:
    array = np.asarray(values, dtype=float)
    if not np.isfinite(array).any():
        raise ValueError(f"no finite number: {array}")


def _interval(result: Any, events: Any) -> None:
    lower, upper = (result.conf_int if hasattr(result, "conf_int") else result.interval)(0.9)
    known = np.isfinite(lower) & np.isfinite(upper)
    _some(lower)
    if not (lower[known] < upper[known]).any():
        raise ValueError("the intervals are points")


def _history(result: Any, events: Any) -> None:
    past = EVENTS[0]
    future = hawkeys.simulate(result, end_time=200.0, history=past, max_events=10**5, rng=0)
    if future.start_times.tolist() != [150.0] or future.n_events == 0:
        raise ValueError("the future does not begin where the past ends")


def _saved(result: Any, events: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        result.save(Path(folder) / "fit.json")
        again = hawkeys.load_result(Path(folder) / "fit.json")
    if again.log_likelihood != result.log_likelihood or not again.params.equals(result.params):
        raise ValueError("what was read is not what was saved")


def _drawn(result: Any, events: Any) -> None:
    import matplotlib.pyplot as plt

    result.plot()
    plotting.plot_intensity(result.process, EVENTS)
    plt.close("all")


COLUMNS: dict[str, Callable[[Any, Any], None]] = {
    "std_err": lambda result, events: _some(result.std_err),
    "interval": _interval,
    "profile": lambda result, events: _some(inference.profile_interval(result, events).lower),
    "sandwich": lambda result, events: _some(inference.sandwich_covariance(result, events).std_err),
    "bootstrap": lambda result, events: _some(
        inference.bootstrap(result, events, n_replicates=3, n_jobs=1).std_err
    ),
    "edge_tests": lambda result, events: _some(inference.edge_tests(result, events).pvalues),
    "goodness of fit": lambda result, events: _some(
        hawkeys.goodness_of_fit(result, events, n_mc_samples=3).pvalue
    ),
    "forecast": lambda result, events: _some(
        hawkeys.forecast(result, EVENTS[0], 5.0, n_paths=20).to_frame()["mean"]
    ),
    "simulate, history": _history,
    "branching": lambda result, events: _some(
        hawkeys.branching_probabilities(result, events).immigrant
    ),
    "save, load": _saved,
    "plots": _drawn,
}


def try_cell(result: Any, column: str, events: Any = EVENTS) -> str:
    """Return "yes", or in a line why not."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            COLUMNS[column](result, events)
    except (HawkeysError, AttributeError) as error:
        return re.sub(r"\s+", " ", str(error))
    return "yes"


def try_row(name: str) -> dict[str, str]:
    """Return the cells of a row, by column."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = ROWS[name]()
    events = LOOKED_AT.get(name, EVENTS)
    return {column: try_cell(result, column, events) for column in COLUMNS}


# why cells are empty: rows, columns, the reason, and words of the error that is raised there
_NOT_HAWKES = [row for row in ROWS if row.startswith(("`fit_rectified`", "`fit_nonlinear`"))]
REASONS: list[tuple[list[str], list[str], str, str]] = [
    (
        _NOT_HAWKES,
        ["branching"],
        "There is none: with inhibition or a link the intensity is no sum over parents.",
        "there is no branching structure",
    ),
    (
        ["`Spline` baseline"],
        ["profile", "sandwich", "edge_tests"],
        "Not made: they maximise the likelihood without the penalty of a smooth baseline. Fit the "
        "spline with ``smoothing=None`` for a test, or take the bootstrap, which smooths again.",
        "does not smooth a baseline",
    ),
    (
        list(LOOKED_AT),
        ["bootstrap"],
        "Not made: it draws windows that start from nothing.",
        "draws windows that start from nothing",
    ),
    (
        list(LOOKED_AT),
        ["branching"],
        "Events of the history are parents too: pass ``result.process`` and the whole recording.",
        "whose events are parents too",
    ),
]


def reason_of(row: str, column: str) -> int | None:
    """Return which of `REASONS` is that of an empty cell."""
    found = [k for k, one in enumerate(REASONS) if row in one[0] and column in one[1]]
    return found[0] if found else None


def table(cells: dict[str, dict[str, str]]) -> str:
    """Return the table of the page, with the numbers of the reasons in empty cells."""
    lines = [f"| fit | {' | '.join(COLUMNS)} |", f"|---|{':-:|' * len(COLUMNS)}"]
    for row, told in cells.items():
        shown = []
        for column, text in told.items():
            reason = reason_of(row, column)
            missing = "?" if reason is None else f"[{reason + 1}](#reason-{reason + 1})"
            shown.append("yes" if text == "yes" else missing)
        lines.append(f"| {row} | {' | '.join(shown)} |")
    reasons = [f"(reason-{k})=\n{k}. {one[2]}" for k, one in enumerate(REASONS, start=1)]
    return "\n".join(lines) + "\n\n" + "\n\n".join(reasons) + "\n"


def on_page() -> str:
    """Return what the page has between its marks."""
    return PAGE.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0].strip("\n") + "\n"


if __name__ == "__main__":
    mpl.use("agg")
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    made = table({row: try_row(row) for row in ROWS})
    PAGE.write_text(f"{before}{BEGIN}\n{made}{END}{rest.split(END)[1]}", encoding="utf-8")
