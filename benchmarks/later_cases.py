"""One case of later_speed.py, in the build of hawkeys that PYTHONPATH names.

Usage: python later_cases.py CASE FOLDER

Reads FOLDER/CASE.npz and prints a JSON object: processor seconds of each operation (the least of
up to three), what it found, and the largest resident memory before and after it, in megabytes.
"""

import json
import resource
import sys
import tempfile
import time
import warnings
from pathlib import Path

import matplotlib

matplotlib.use("agg")

import numpy as np
from matplotlib.figure import Figure
from threadpoolctl import threadpool_limits

import hawkeys
from hawkeys.diagnostics import rescale
from hawkeys.inference import edge_tests
from hawkeys.kernels import LogNormal

# seconds from which an operation is not repeated
_LONG = 5.0


class Measured:
    """Operations with their time, memory and answers."""

    def __init__(self):
        self.seconds, self.peaks, self.answers = {}, {}, {}

    def take(self, name, function, answers, repeats=3):
        """Measure one operation; `answers` turns its result into numbers. Return the result."""
        times = []
        while len(times) < repeats and (not times or min(times) < _LONG):
            out = None  # one result at a time, for the memory
            started = time.process_time()
            out = function()
            times.append(time.process_time() - started)
        self.seconds[name], self.peaks[name] = min(times), peak()
        self.answers[name] = [float(x) for x in np.ravel(answers(out))]
        return out


def peak():
    """Return the largest resident memory of this process so far, in megabytes.

    Where Linux tells it: what `resource` tells begins with the memory of the process before.
    """
    status = Path("/proc/self/status")
    for line in status.read_text(encoding="ascii").splitlines() if status.exists() else ():
        if line.startswith("VmHWM:"):
            return float(line.split()[1]) / 1024.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def estimates(result):
    """Return what a fit found: the objective in nats, and estimates as sums.

    The builds stop within 1e-6 nats of the optimum of a row, each somewhere else, so that estimates
    agree to some 1e-5 of their standard errors.
    """
    found = result.estimates
    return [result.objective, found.sum(), (found**2).sum()]


def estimates_and_decay(result):
    """Return the same and the kernel's decay."""
    return [*estimates(result), float(result.kernel.decay)]


def sums(array):
    """Return sums of an array that no error escapes."""
    return [array.sum(), (array**2).sum(), np.abs(array).max()]


def estimated_decay(events, measured):
    """Estimate one decay of many realisations, beside a fit with the decay given."""
    measured.take("fit, decay given", lambda: hawkeys.fit(events, decay=2.0), estimates)
    measured.take(
        "fit, decay estimated", lambda: hawkeys.fit(events, decay="estimate"), estimates_and_decay
    )


def edges(events, measured):
    """Test all edges and re-fit samples of a long record."""
    result = hawkeys.fit(events, decay=1.5)
    measured.take("edge tests", lambda: edge_tests(result, events), lambda out: sums(out.statistic))
    measured.take(
        "goodness of fit, 9 re-fits",
        lambda: hawkeys.goodness_of_fit(result, events, n_mc_samples=9, rng=0),
        lambda out: [out.pvalue, *sums(out.residuals)],
    )


def wide(events, measured):
    """Fit a process of many marks; save, read, plot and forecast it."""
    fit = lambda: hawkeys.fit(events, decay=1.5)  # noqa: E731
    result = measured.take("fit", fit, estimates)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "wide.json"
        save = lambda: result.save(path)  # noqa: E731
        measured.take("save", save, lambda out: [])
        measured.seconds["size of the file, MB"] = path.stat().st_size / 2.0**20
        measured.take("read", lambda: hawkeys.load_result(path), estimates)
    measured.take("plot_intensity", lambda: draw(result.process, events), highest)
    measured.take(
        "forecast",
        lambda: hawkeys.forecast(result, events, horizon=1.0, n_paths=200),
        lambda out: [out.counts.sum()],
    )
    measured.take(
        "law of the next event",
        lambda: hawkeys.forecast(result, events, horizon=1.0, n_paths=1).next_event,
        lambda out: [out.median, *sums(out.mark_probabilities)],
    )


def draw(process, events):
    """Plot the first fiftieth of the window."""
    window = events.start_times[0], events.start_times[0] + events.durations[0] / 50.0
    return hawkeys.plotting.plot_intensity(process, events, window=window, ax=Figure().subplots())


def highest(axes):
    """Return the highest intensity drawn."""
    return [max(np.max(line.get_ydata()) for line in axes.lines)]


def delayed(events, measured):
    """Follow a process with a delayed kernel over time."""
    size = events.n_marks
    rng = np.random.default_rng(0)
    adjacency = rng.uniform(0.0, 1.0, (size, size)) / size
    process = hawkeys.Hawkes(np.full(size, 0.1), adjacency, kernel=LogNormal(-4.0, 0.5))
    times = np.linspace(events.start_times[0], events.end_times[0], 20_000)
    measured.take("intensity", lambda: process.intensity(events, times), sums, repeats=1)
    measured.take("compensator", lambda: process.compensator(events, times), sums, repeats=1)
    measured.take("residuals", lambda: rescale(process, events).residuals, sums, repeats=1)
    measured.take("plot_intensity", lambda: draw(process, events), highest, repeats=1)


def typing(events, measured):
    """Fit short typing samples, jointly and one by one."""
    measured.take("joint fit", lambda: hawkeys.fit(events, decay=0.1), estimates)
    measured.take(
        "separate fits",
        lambda: hawkeys.fit_each(events, decay=0.1),
        lambda out: [out.objective.sum(), *sums(out.adjacency)],
    )
    measured.take(
        "joint fit, decay estimated",
        lambda: hawkeys.fit(events, decay="estimate"),
        estimates_and_decay,
    )


def long_record(events, measured):
    """Fit a long record of several marks."""
    measured.take("mle", lambda: hawkeys.fit(events, decay=1.5), estimates)
    measured.take(
        "decay estimated", lambda: hawkeys.fit(events, decay="estimate"), estimates_and_decay
    )


def one_mark(events, measured):
    """Fit one mark."""
    measured.take("mle", lambda: hawkeys.fit(events, decay=1.5), estimates)
    measured.take(
        "decay estimated", lambda: hawkeys.fit(events, decay="estimate"), estimates_and_decay
    )


def log_normal(events, measured):
    """Estimate a log-normal kernel."""
    measured.take(
        "kernel estimated",
        lambda: hawkeys.fit(events, kernel=LogNormal()),
        lambda out: [*estimates(out), out.kernel.location, out.kernel.scale],
    )


CASES = (
    estimated_decay,
    edges,
    wide,
    delayed,
    typing,
    long_record,
    one_mark,
    log_normal,
)


def main():
    """Run one case and print what was measured."""
    warnings.simplefilter("ignore")
    case = next(case for case in CASES if case.__name__ == sys.argv[1])
    with np.load(Path(sys.argv[2]) / f"{case.__name__}.npz") as saved:
        events = hawkeys.Events.from_arrays(
            saved["times"],
            saved["marks"],
            offsets=saved["offsets"],
            end_times=saved["end_times"],
            n_marks=int(saved["n_marks"]),
        )
    measured = Measured()
    with threadpool_limits(1):
        before = peak()
        case(events, measured)
    print(json.dumps({**vars(measured), "before": before}))


if __name__ == "__main__":
    main()
