"""What first_use.py measures: for each case what comes before the call, and the call.

All of it runs as written with every build that has these public names, so that builds can be
compared. The call is one that a reader of the README or of a notebook makes, on its data.
"""

from dataclasses import dataclass, replace
from pathlib import Path

__all__ = ["CASES", "Case", "readme_example"]

README = """
import hawkeys
truth = hawkeys.Hawkes(baseline=[0.4, 0.2], adjacency=[[0.3, 0.1], [0.0, 0.5]], decay=2.0)
sample = hawkeys.simulate(truth, end_time=1_000.0, n_realizations=5, rng=0)
"""
FITTED = README + "result = hawkeys.fit(sample, decay=2.0)"
# the goodness_of_fit notebook: delays around one second
DELAYED = """
import hawkeys
from hawkeys.kernels import Gamma, Histogram, LogNormal, SumExponential
truth = hawkeys.Hawkes([0.05, 0.02], [[0.2, 0.0], [0.9, 0.0]], kernel=LogNormal(0.0, 0.15))
sample = hawkeys.simulate(truth, end_time=4_000.0, rng=1)
"""
# the neurons notebook, with a quarter of its trials
NEURONS = """
import numpy as np
import hawkeys
wiring = [[0.2, 0.0, -0.4], [0.5, 0.1, 0.0], [0.0, 0.5, 0.1]]
truth = hawkeys.RectifiedHawkes([8.0, 4.0, 3.0], wiring, decay=60.0)
spikes = hawkeys.simulate_rectified(truth, end_time=np.full(15, 2.0), rng=0)
"""
TYPIST = """
from hawkeys.datasets import load_demo, timings_to_events
from hawkeys.features import HawkesFeatures
from hawkeys.verifiers import POHMM, HawkesLikelihood, RecencyNearestNeighbors, enrol, verify
demo = load_demo()
own = demo.timings()[demo.subject == demo.subjects[3]]
"""
ENROLLED = TYPIST + "template = enrol(own[:200], verifier=RecencyNearestNeighbors())"
# half of the entries 0, spectral radius 0.6; drawn once, by the build that runs the script
LONG = """
import numpy as np
import hawkeys
with np.load(DATA) as saved:
    times, marks, end_time = saved["times"], saved["marks"], float(saved["end_time"])
lists = [times[marks == j] for j in range(5)]
"""


@dataclass(frozen=True)
class Case:
    """One line of the table: its name, what comes before the call, and the call."""

    name: str
    before: str
    call: str
    # it leaves files: not repeated in one process
    once: bool = False
    group: str = "library"
    # how many times less it is to take than with commit 0c94af6, with nothing compiled
    aim: float | None = None

    @property
    def labels(self):
        """What the case is chosen by."""
        return f"{self.group} {self.name}" + (" aims" if self.aim else "")


def readme_example():
    """Return the ten lines of the README."""
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    return text.split("```python\n")[1].split("```")[0]


def _fits():
    """Return the methods of inference on the README's sample."""
    calls = {
        "mle": "decay=2.0",
        "map": "decay=2.0, method='map'",
        "vi": "decay=2.0, method='vi'",
        "vi_branching": "decay=2.0, method='vi_branching'",
        "vi_stochastic": "decay=2.0, method='vi_stochastic', rng=0",
        "least squares": "decay=2.0, method='least_squares'",
        "a decay per pair": "decay=[[2.0, 1.0], [1.0, 2.0]]",
        "decay estimated": "decay='estimate'",
        "decay from a grid": "decay_grid=[0.5, 1.0, 2.0, 4.0]",
    }
    return [Case(f"fit: {name}", README, f"hawkeys.fit(sample, {how})", group="fit")
            for name, how in calls.items()]  # fmt: skip


def _kernels():
    """Return the kernels with delays, estimated and given."""
    kernels = {
        "LogNormal estimated": "LogNormal()",
        "LogNormal given": "LogNormal(0.0, 0.15)",
        "Gamma estimated": "Gamma()",
        "Histogram estimated": "Histogram([0.0, 0.5, 1.0, 1.5, 2.0])",
        "SumExponential": "SumExponential([0.5, 2.0])",
    }
    return [Case(f"fit: {name}", DELAYED, f"hawkeys.fit(sample, kernel={kernel})", group="kernels")
            for name, kernel in kernels.items()]  # fmt: skip


def _after():
    """Return what is done with a fit."""
    inference = "hawkeys.inference"
    return [
        Case("goodness_of_fit", FITTED,
             "hawkeys.goodness_of_fit(result, sample, n_mc_samples=99, rng=0)"),
        Case("profile_interval", FITTED, f"{inference}.profile_interval(result, sample)"),
        Case("edge_tests", FITTED, f"{inference}.edge_tests(result, sample)"),
        Case("sandwich_covariance", FITTED, f"{inference}.sandwich_covariance(result, sample)"),
        Case("bootstrap", FITTED, f"{inference}.bootstrap(result, sample, n_replicates=99, rng=0)"),
        Case("penalty_path", README, f"{inference}.penalty_path(sample, decay=2.0)"),
        Case("branching_probabilities", FITTED,
             "hawkeys.branching_probabilities(result.process, sample)"),
        Case("forecast", FITTED + "\nnow = hawkeys.simulate(truth, end_time=50.0, rng=1)",
             "hawkeys.forecast(result, now, 10.0, rng=0)"),
    ]  # fmt: skip


def _data():
    """Return the holding of data, their simulation and their likelihood."""
    point = "[[0.3, 0.2, 0.1], [0.2, 0.1, 0.3]]"
    return [
        Case("Events.from_lists", "import hawkeys",
             "hawkeys.Events.from_lists([[[0.5, 2.0], [1.0]]], end_times=3.0)"),
        Case("simulate", "import hawkeys\n" + README.splitlines()[2], README.splitlines()[3]),
        Case("LogLikelihood", README,
             f"hawkeys.LogLikelihood(sample, decay=2.0).value_and_gradient({point})"),
        Case("fit_each: mle", README, "hawkeys.fit_each(sample, decay=2.0)", group="fit"),
        Case("fit_each: map", README, "hawkeys.fit_each(sample, decay=2.0, method='map')",
             group="fit"),
        Case("fit_each: vi", README, "hawkeys.fit_each(sample, decay=2.0, method='vi')",
             group="fit"),
        Case("simulate: LogNormal", DELAYED.rsplit("\n", 2)[0], DELAYED.splitlines()[-1],
             group="kernels"),
        Case("goodness_of_fit: LogNormal",
             DELAYED + "result = hawkeys.fit(sample, kernel=LogNormal())",
             "hawkeys.goodness_of_fit(result, sample, n_mc_samples=9, rng=0)", group="kernels"),
        Case("simulate_rectified", NEURONS.rsplit("\n", 2)[0], NEURONS.splitlines()[-1],
             group="rectified"),
        Case("fit_rectified", NEURONS, "hawkeys.fit_rectified(spikes, decay=60.0)",
             group="rectified"),
    ]  # fmt: skip


def _laboratory():
    """Return verifiers, features and the commands."""
    table = "own.assign(subject='a', session=1, rep=range(1, len(own) + 1))"
    files = f"{ENROLLED}\n{table}[:200].to_csv('own.csv', index=False)\n"
    files += f"{table}[200:].to_csv('new.csv', index=False)\nfrom hawkeys.cli import main\n"
    command = "main({})".format
    parts = "'enrol', 'own.csv', '-o', 'template.json'"
    benchmark = "'benchmark', '--dataset', 'demo', '--output', 'out'"
    simple = "import hawkeys\nfrom hawkeys.cli import main\nopen('events.csv', 'w').write("
    simple += "'time,mark\\n' + ''.join(f'{t},{t % 3}\\n' for t in range(1, 500)))"
    fit = "'fit', 'events.csv', '--mark', 'mark', '--decay', '2', '--end-time', '600'"
    return [
        Case("HawkesFeatures", TYPIST, "HawkesFeatures(decay=0.1).fit_transform(own)",
             group="verifiers"),
        Case("POHMM", TYPIST, "POHMM().fit(own[:200]).score_samples(own[200:])",
             group="verifiers"),
        Case("HawkesLikelihood", TYPIST,
             "HawkesLikelihood().fit(own[:200]).score_samples(own[200:])", group="verifiers"),
        Case("enrol", TYPIST, ENROLLED.splitlines()[-1], group="verifiers"),
        Case("verify", ENROLLED, "verify(template, own.iloc[200])", group="verifiers"),
        Case("hawkeys enrol", files, command(f"[{parts}]"), once=True, group="commands"),
        Case("hawkeys verify", f"{files}main([{parts}])",
             command("['verify', 'template.json', 'new.csv']"), once=True, group="commands"),
        Case("hawkeys fit", simple, command(f"[{fit}]"), once=True, group="commands"),
        Case("hawkeys benchmark, demo", "from hawkeys.cli import main",
             command(f"[{benchmark}]"), once=True, group="commands"),
    ]  # fmt: skip


def _long():
    """Return 100,000 events of five marks, from lists."""
    fit = "hawkeys.fit([lists], decay=1.5, end_time=end_time{})".format
    return [
        Case("100,000 events, 5 marks: mle", LONG, fit(""), group="long"),
        Case("100,000 events, 5 marks: vi", LONG, fit(", method='vi'"), group="long"),
        Case("100,000 events, 5 marks: simulate",
             LONG + "truth = hawkeys.fit([lists], decay=1.5, end_time=end_time).process",
             "hawkeys.simulate(truth, end_time=end_time, rng=0)", group="long"),
    ]  # fmt: skip


_AIMS = {
    "import hawkeys": 1.0,
    "the README's ten lines": 12.0,
    "hawkeys benchmark, demo": 3.0,
    "100,000 events, 5 marks: mle": 3.0,
    **dict.fromkeys(("fit: map", "fit: vi", "fit: decay estimated", "fit: LogNormal estimated",
                     "goodness_of_fit", "fit_each: mle", "POHMM", "HawkesLikelihood", "enrol",
                     "verify"), 8.0),
}  # fmt: skip
CASES = [
    replace(case, aim=_AIMS.get(case.name))
    for case in (
        Case("import hawkeys", "", "import hawkeys"),
        Case("the README's ten lines", "", readme_example()),
        *_data(),
        *_fits(),
        *_kernels(),
        *_after(),
        *_laboratory(),
        *_long(),
    )
]
