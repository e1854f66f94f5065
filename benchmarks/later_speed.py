"""Speed where users wait: this build against another one, equal answers proved first.

Usage: python benchmarks/later_speed.py --against FOLDER [--only CASE ...] [--rounds N] [--quick]

FOLDER is a checkout of the other build. Run with --quick first, which compiles what the caches of
both builds lack. Each case runs in a process of its own, the builds in turn on the same events, on
one thread; the time is processor time, the least of all rounds. Nothing is written unless every
answer agrees: objectives of fits to 1e-8; all else, which hangs on where in the flat top of the
objective a build stopped, to 1e-4. Writes results/later_speed.csv; with --only, the other rows of
that table stay.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import later_cases
import numpy as np
import pandas as pd
from machine import write_table

import hawkeys
from hawkeys.datasets import load_cmu, timings_to_events
from hawkeys.kernels import LogNormal

OUTPUT = Path(__file__).parent / "results" / "later_speed.csv"
HERE = Path(__file__).parent.parent
# relative, of objectives and of all else
EQUAL, NEAR = 1e-8, 1e-4


def sparse(n_marks, zero=0.5, seed=None):
    """Return a stable process half of whose pairs do not excite."""
    rng = np.random.default_rng(n_marks if seed is None else seed)
    keep = (rng.uniform(size=(n_marks, n_marks)) >= zero) | np.eye(n_marks, dtype=bool)
    adjacency = rng.uniform(0.0, 1.0, (n_marks, n_marks)) * keep
    adjacency *= 0.6 / np.abs(np.linalg.eigvals(adjacency)).max()
    return hawkeys.Hawkes(np.full(n_marks, 0.5), adjacency, decay=1.5)


def some_events(process, n_events, n_realizations=1):
    """Simulate about so many events."""
    end_time = n_events / n_realizations / float(process.stationary_rate.sum())
    return hawkeys.simulate(process, end_time=end_time, n_realizations=n_realizations, rng=1)


def events_of(case, quick):
    """Return the events of a case; a hundredth of them if `quick`."""
    few = 100 if quick else 1
    if case == "estimated_decay":
        return some_events(sparse(3), 2_000_000 // few, 20_000 // few)
    if case == "edges":
        return some_events(sparse(8), 1_000_000 // few)
    if case == "wide":
        return some_events(sparse(20 if quick else 200, zero=0.95), 100_000 // few)
    if case == "delayed":
        return some_events(sparse(10 if quick else 100, zero=0.9), 20_000 // few)
    if case == "typing":
        return timings_to_events(load_cmu().timings().to_numpy()[: 2_000 // min(few, 10)])
    if case == "long_record":
        return some_events(sparse(5), 100_000 // few)
    if case == "one_mark":
        return some_events(sparse(1), 100_000 // few)
    process = hawkeys.Hawkes([0.5], [[0.5]], kernel=LogNormal(0.0, 0.5))
    return some_events(process, 20_000 // few)


def save(events, path):
    """Write events as plain arrays, which every build reads."""
    np.savez(
        path,
        times=events.times,
        marks=events.marks,
        offsets=events.offsets,
        end_times=events.end_times,
        n_marks=events.n_marks,
    )


def run(case, folder, build):
    """Run a case in one build."""
    environment = {**os.environ, "PYTHONPATH": str(build)}
    environment |= {"OMP_NUM_THREADS": "1", "HAWKEYS_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    script = [sys.executable, str(HERE / "benchmarks" / "later_cases.py"), case, str(folder)]
    return json.loads(subprocess.check_output(script, text=True, env=environment, cwd=folder))


def compare(case, against, rounds, quick):
    """Return the rows of a case, this build against the other."""
    with tempfile.TemporaryDirectory() as folder:
        events = events_of(case, quick)
        save(events, Path(folder) / f"{case}.npz")
        runs = [(run(case, folder, against), run(case, folder, HERE)) for _ in range(rounds)]
    before, here = zip(*runs, strict=True)
    prove_equal(case, before[0]["answers"], here[0]["answers"])
    rows = []
    for what in here[0]["seconds"]:
        times = [min(one["seconds"][what] for one in build) for build in (before, here)]
        memory = [min(one["peaks"].get(what, np.nan) for one in b) for b in (before, here)]
        rows.append((case, what, events.n_marks, events.n_events, events.n_realizations,
                     *times, times[0] / times[1], *memory, here[0]["before"]))  # fmt: skip
    return rows


def is_fit(what):
    """Tell whether the first answer of an operation is an objective."""
    return any(word in what for word in ("fit,", "fits", "estimated", "mle", "vi")) or what == "fit"


def prove_equal(case, before, here):
    """Stop unless both builds found the same."""
    for what, numbers in here.items():
        same = np.allclose(numbers[:1], before[what][:1], rtol=EQUAL if is_fit(what) else NEAR)
        if not (same and np.allclose(numbers, before[what], rtol=NEAR, equal_nan=True)):
            raise SystemExit(
                f"{case}, {what}: the builds disagree, {before[what]} and {numbers}; nothing is "
                "written."
            )


def main(arguments=None):
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--against", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=[case.__name__ for case in later_cases.CASES])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    given = parser.parse_args(arguments)
    columns = ["case", "operation", "n_marks", "n_events", "n_realizations", "before", "here",
               "ratio", "peak_before", "peak_here", "peak_at_start"]  # fmt: skip
    rows = []
    for case in given.only:
        rows += compare(case, given.against.resolve(), given.rounds, given.quick)
        print(pd.DataFrame(rows, columns=columns).tail(8).to_string(index=False), flush=True)
    table = pd.DataFrame(rows, columns=columns)
    if given.output.exists():
        kept = pd.read_csv(given.output)[columns]
        table = pd.concat((kept[~kept["case"].isin(given.only)], table))
    write_table(table, given.output, ["matplotlib"])


if __name__ == "__main__":
    main()
