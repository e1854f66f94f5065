"""How long does it take to read and pair the key events of a file?

    python benchmarks/key_reading_speed.py [--against FOLDER] [--sizes N ...] [--output DIR]

Writes a csv of invented key events (three typists, 30 keys, a release for each press, rollover),
reads it with read_key_events and pairs it with pair_events, each build in a process of its own.
Times are processor seconds, imports apart. FOLDER is a checkout of another build; `faster` is its
time over this one's. Before the times count, both must have found the same strokes. Writes
key_reading_speed.csv.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from machine import write_table

SIZES = (100_000, 1_000_000)
PROGRAM = """
import hashlib, json, sys, time
import numpy as np
from hawkeys.datasets import pair_events, read_key_events
start = time.process_time()
events = read_key_events(sys.argv[1])
read = time.process_time()
strokes = pair_events(events)
done = time.process_time()
found = np.column_stack([strokes.press, strokes.release])
order = np.lexsort((strokes.release, strokes.press, strokes.user))
digest = hashlib.sha256(np.round(found[order] * 1e6).astype("<i8").tobytes()).hexdigest()
print(json.dumps([read - start, done - read, len(found), digest]))
"""


def main(arguments=None):
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--against", type=Path)
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES)
    options = parser.parse_args(arguments)
    rows = []
    for size in options.sizes:
        with tempfile.TemporaryDirectory() as place:
            path = Path(place) / "events.csv"
            write_events(path, size)
            own = measure(path, Path(__file__).parents[1])
            row = {"n_events": size, "read_seconds": own[0], "pair_seconds": own[1]}
            if options.against is not None:
                other = measure(path, options.against)
                if own[2:] != other[2:]:
                    raise SystemExit(f"{size} events: {own[2:]} here, {other[2:]} there")
                row |= {"read_before": other[0], "pair_before": other[1]}
                row["faster"] = sum(other[:2]) / sum(own[:2])
        rows.append(
            row | {"microseconds_per_event": 1e6 * sum(own[:2]) / size, "n_strokes": own[2]}
        )
    table = pd.DataFrame(rows).round(4)
    write_table(table, options.output / "key_reading_speed.csv", [])
    print(table.to_string(index=False))


def write_events(path, size):
    """Write so many events, in the order of time of each typist."""
    rng = np.random.default_rng(0)
    each = size // 6
    parts = []
    for user in ("ann", "bob", "cem"):
        press = np.cumsum(rng.integers(60_000, 250_000, each))
        release = press + rng.integers(40_000, 140_000, each)
        # no key is struck again before it is let go
        key = np.char.add("k", (np.arange(each) % 30).astype(str))
        parts.append(
            pd.DataFrame(
                {
                    "user": user,
                    "session": 1,
                    "key": np.tile(key, 2),
                    "type": np.repeat(["down", "up"], each),
                    "time": np.concatenate([press, release]) / 1e6,
                }
            ).sort_values("time", kind="stable")
        )
    pd.concat(parts).to_csv(path, index=False)


def measure(path, build):
    """Return seconds to read and to pair, the number of strokes and their digest."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, str(path)],
        env={**os.environ, "PYTHONPATH": str(build), "OMP_NUM_THREADS": "1"},
        cwd=path.parent, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


if __name__ == "__main__":
    main()
