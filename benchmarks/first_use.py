"""What does the first call of everything cost, on a machine where nothing is compiled?

Usage: python benchmarks/first_use.py [--cases WORD ...] [--against FOLDER] [--output DIR]
       [--repeats N] [--quick]

Each case of `first_use_cases.py` runs in fresh processes: with an empty folder for compiled code,
then with that folder filled, then several times in one process. Processor time of the process and
of all that it started, one thread each. Writes first_use.csv, one row a case:

* compiled, of_hawkeys: functions that were compiled, and how many of them are this package's (the
  others are numba's own);
* cold, cold_call: seconds with nothing compiled, of the whole process and of the call alone;
* warm, warm_call: the same with compiled code on disk (median of --repeats);
* later: seconds of a later call in one process (smallest of --repeats).

`--against FOLDER` runs the same with the package in that checkout, in turn with this one, and adds
its columns (before_...) and the ratios before / now; `aim` is the ratio of the column cold that was
asked for when this work began, against commit 0c94af6. `--cases` takes names or groups, or parts of
them, and "aims"; rows of other cases are kept. A case that fails is told and left empty; if it is
one of this checkout the script ends with status 1.
"""

import argparse
import ctypes
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from first_use_cases import CASES, Case
from machine import write_table

ROOT = Path(__file__).parents[1]
MEASURED = ("compiled", "of_hawkeys", "cold", "cold_call", "warm", "warm_call", "later")
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
                            "NUMBA_NUM_THREADS", "HAWKEYS_NUM_THREADS"), "1")  # fmt: skip
QUICK = [
    Case("quick: nothing compiled", "import hawkeys", "hawkeys.Hawkes([1.0], [[0.1]], decay=1.0)"),
    Case("quick: a few functions", "import numpy as np\nimport hawkeys",
         "hawkeys.Events.from_lists([[np.arange(15_000.0), np.arange(9_000.0)]], end_times=3e4)"),
]  # fmt: skip

# Python runs this first in every process, also of joblib: one line for every compiled function.
# It waits for numba to be imported, which some cases never do.
LISTENER = """
import os, sys
from importlib.machinery import PathFinder

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name != "numba.core.event":
            return None
        sys.meta_path.remove(self)
        spec = PathFinder.find_spec(name, path, target)
        run = spec.loader.exec_module

        def exec_module(module):
            run(module)
            listen(module)

        spec.loader.exec_module = exec_module
        return spec

def listen(module):
    class Listener(module.Listener):
        def on_start(self, event):
            function = event.data["dispatcher"].py_func
            line = f"{function.__module__}.{function.__qualname__}\\n"
            log = os.open(os.environ["COMPILED_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(log, line.encode())
            os.close(log)

        def on_end(self, event):
            pass

    module.register("numba:compile", Listener())

sys.meta_path.insert(0, Finder())
"""

# what a process runs: prints the seconds of each call as its last line
RUN = """
import json, resource, sys, warnings
warnings.simplefilter("ignore")
DATA, repeats = sys.argv[1], int(sys.argv[2])

def spent():
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)

{before}

def call():
{call}

seconds = []
for _ in range(repeats):
    started = spent()
    call()
    seconds.append(spent() - started)
sys.stderr.write("\\n" + json.dumps(seconds) + "\\n")
"""


class Failed(Exception):
    """A process ended with an error, of which the last line is told."""


def adopt_orphans():
    """Have processes that outlive the one that started them counted here, where Linux can."""
    if sys.platform == "linux":
        pr_set_child_subreaper = 36
        ctypes.CDLL(None).prctl(pr_set_child_subreaper, 1, 0, 0, 0)


def script_of(case):
    """Return the program of a case."""
    call = "".join(f"    {line}\n" for line in case.call.splitlines())
    return RUN.format(before=case.before, call=call)


def run_once(program, package, folder, data, repeats=1):
    """Run a program with the package of a checkout; return seconds in all and of each call."""
    environment = {**os.environ, **ONE_THREAD, "COMPILED_LOG": str(folder / "compiled"),
                   "NUMBA_CACHE_DIR": str(folder / "cache"),
                   "PYTHONPATH": f"{folder}{os.pathsep}{package}"}  # fmt: skip
    with (folder / "errors").open("w+", encoding="utf-8") as errors:
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(data), str(repeats)],
            cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=errors,
        )  # fmt: skip
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = used.ru_utime + used.ru_stime + orphans()
        errors.seek(0)
        lines = [line for line in errors.read().splitlines() if line.strip()]
    if process.returncode:
        raise Failed(lines[-1] if lines else f"status {process.returncode}")
    return seconds, json.loads(lines[-1])


def orphans():
    """Return the processor seconds of processes that were left behind, when they end."""
    seconds = 0.0
    while True:
        try:
            _, _, used = os.wait4(-1, 0)
        except ChildProcessError:
            return seconds
        seconds += used.ru_utime + used.ru_stime


class Side:
    """One checkout in one case: its own folder for compiled code, empty at first."""

    def __init__(self, package, folder):
        self.package = package
        self.folder = folder
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(LISTENER, encoding="utf-8")

    def cold(self, program, data):
        """Return the columns of the first process."""
        log = self.folder / "compiled"
        seconds, (call,) = run_once(program, self.package, self.folder, data)
        names = log.read_text(encoding="utf-8").split() if log.exists() else []
        own = sum(name.startswith("hawkeys.") for name in names)
        return {"compiled": len(names), "of_hawkeys": own, "cold": seconds, "cold_call": call}

    def warm(self, program, data):
        """Return seconds of a process that finds compiled code, and of its call."""
        seconds, (call,) = run_once(program, self.package, self.folder, data)
        return seconds, call

    def later(self, program, data, repeats):
        """Return the seconds of a later call."""
        _, calls = run_once(program, self.package, self.folder, data, repeats + 1)
        return min(calls[1:])


def measure(case, packages, data, repeats):
    """Return the columns of a case for each checkout, whose processes take turns."""
    program = script_of(case)
    with tempfile.TemporaryDirectory() as place:
        sides = [Side(package, Path(place) / str(k)) for k, package in enumerate(packages)]
        rows = []
        for side in sides:
            try:
                rows.append(side.cold(program, data))
            except Failed as error:
                print(f"{case.name}, {side.package}: {error}", file=sys.stderr)
                rows.append(None)
        found = [k for k, row in enumerate(rows) if row is not None]
        taken = [{k: sides[k].warm(program, data) for k in found} for _ in range(repeats)]
        for k in found:
            warm, call = np.median([one[k] for one in taken], axis=0)
            rows[k] |= {"warm": warm, "warm_call": call}
            rows[k]["later"] = np.nan if case.once else sides[k].later(program, data, repeats)
    return [row or dict.fromkeys(MEASURED, np.nan) for row in rows]


def row_of(case, rows):
    """Return one row of the table: this checkout, then the other one and the ratios."""
    row = {"group": case.group, "case": case.name, "aim": case.aim, **rows[0]}
    if len(rows) > 1:
        row |= {f"before_{name}": rows[1][name] for name in MEASURED}
        row |= {f"{name}_ratio": rows[1][name] / rows[0][name]
                for name in ("cold", "cold_call", "warm", "later")}  # fmt: skip
    return row


def make_data(path):
    """Save about 100,000 events of five marks; half of the influences are 0."""
    import hawkeys

    adjacency = np.random.default_rng(5).uniform(0.1, 1.0, 25)
    adjacency[1::2] = 0.0
    adjacency = adjacency.reshape(5, 5)
    adjacency *= 0.6 / np.abs(np.linalg.eigvals(adjacency)).max()
    process = hawkeys.Hawkes(np.full(5, 1.0), adjacency, decay=1.5)
    end_time = 100_000 / float(process.stationary_rate.sum())
    events = hawkeys.simulate(process, end_time=end_time, rng=1)
    np.savez(path, times=events.times, marks=events.marks, end_time=end_time)


def chosen(words, quick):
    """Return the cases whose name or group holds one of the words, or all."""
    if quick:
        return QUICK
    cases = [case for case in CASES
             if not words or any(word in case.labels for word in words)]  # fmt: skip
    if not cases:
        raise SystemExit(f"no case holds any of {words}; there are: "
                         + "; ".join(case.name for case in CASES))  # fmt: skip
    return cases


def saved_rows(path, names):
    """Return the rows of earlier runs that stay."""
    if not path.exists():
        return []
    table = pd.read_csv(path).drop(columns=["machine", "versions"])
    return table[~table["case"].isin(names)].to_dict("records")


def save(rows, path):
    """Write what there is so far, in the order of the cases."""
    order = {case.name: k for k, case in enumerate([*CASES, *QUICK])}
    table = pd.DataFrame(sorted(rows, key=lambda row: order.get(row["case"], len(order))))
    write_table(table, path, [])
    return table


def main(arguments=None):
    """Measure the cases that were asked for; return 1 if one failed with this checkout."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", nargs="+", default=[], help="names or groups, or parts of them")
    parser.add_argument("--against", type=Path, help="another checkout, to compare with")
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="small, to test the script")
    options = parser.parse_args(arguments)
    cases = chosen(options.cases, options.quick)
    packages = [ROOT] + ([options.against.resolve()] if options.against else [])
    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / "first_use.csv"
    rows = saved_rows(path, [case.name for case in cases])
    adopt_orphans()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "events.npz"
        if any("DATA" in case.before for case in cases):
            make_data(data)
        for k, package in enumerate(packages):  # Python's own files are written before
            place = Path(folder) / f"import{k}"
            run_once(script_of(CASES[0]), package, Side(package, place).folder, data)
        failed = False
        for case in cases:
            started = time.perf_counter()
            row = row_of(case, measure(case, packages, data, options.repeats))
            failed |= bool(np.isnan(row["cold"]))
            rows.append(row)
            save(rows, path)
            shown = ", ".join(f"{name} {row[name]:.4g}" for name in row
                              if name in MEASURED or name.endswith("ratio"))  # fmt: skip
            print(f"{case.name}: {shown} ({time.perf_counter() - started:.0f} s)", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
