"""Time POHMM on the CMU data, after proving that it gives the reference numbers.

Run with HAWKEYS_DATA set: ``python benchmarks/pohmm_speed.py``. Prints a table and writes
``results/pohmm_speed.csv`` with machine and versions. Everything runs on one thread.
"""

import csv
import json
import platform
import statistics
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

from hawkeys.datasets import load_cmu
from hawkeys.verifiers import POHMM

HERE = Path(__file__).parent
REFERENCE = HERE.parent / "tests" / "reference" / "pohmm.json"
OUTPUT = HERE / "results" / "pohmm_speed.csv"
N_REPEATS = 9


def main() -> None:
    """Prove equality, then measure, print and write."""
    data = load_cmu()
    timings, who = data.timings().to_numpy(), np.asarray(data.subject)
    train = {name: timings[who == name][:200] for name in dict.fromkeys(who)}
    compile_s = seconds(lambda: POHMM().fit(train["s002"]))
    check_reference(train)
    fits = {
        name: statistics.median(
            seconds(lambda rows=rows: POHMM().fit(rows)) for _ in range(N_REPEATS)
        )
        for name, rows in train.items()
    }
    verifier = POHMM().fit(train["s002"])
    scored = [seconds(lambda: verifier.score_samples(timings[:1800])) for _ in range(N_REPEATS)]
    slowest = max(fits, key=fits.__getitem__)
    rows = [
        ("first fit in this process (s002)", 1000 * compile_s, ""),
        ("fit 200 samples, s002 (31 updates)", 1000 * fits["s002"], 60),
        ("fit 200 samples, median of 51 typists", 1000 * statistics.median(fits.values()), 60),
        (f"fit 200 samples, slowest typist ({slowest})", 1000 * fits[slowest], 60),
        ("score 1,800 samples", 1000 * statistics.median(scored), 10),
    ]
    report(rows)


def seconds(call) -> float:
    """Return how long a call takes."""
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def check_reference(train: dict[str, np.ndarray]) -> None:
    """Stop unless iterations and log-likelihoods are those of the reference."""
    for subject, expected in json.loads(REFERENCE.read_text())["subjects"].items():
        verifier = POHMM().fit(train[subject])
        gap = abs(verifier.log_likelihood_ - expected["log_likelihood"])
        if verifier.n_iter_ != expected["iterations"] or gap > 1e-6:
            raise SystemExit(f"{subject}: not the reference; nothing was timed.")


def report(rows: list[tuple[str, float, object]]) -> None:
    """Print the measurements and write them with machine and versions."""
    packages = ("hawkeys", "numpy", "numba", "scikit-learn")
    where = f"{platform.machine()} {processor()}"
    software = "; ".join(
        [f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in packages)]
    )
    OUTPUT.parent.mkdir(exist_ok=True)
    with OUTPUT.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["what", "milliseconds", "target_milliseconds", "machine", "versions"])
        for what, milliseconds, target in rows:
            print(f"{what:46s} {milliseconds:9.2f} ms" + (f"  (target {target})" if target else ""))
            writer.writerow([what, f"{milliseconds:.3f}", target, where, software])
    print(f"{where}; {software}; written to {OUTPUT}")


def processor() -> str:
    """Return the name of the processor where Linux tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


if __name__ == "__main__":
    main()
