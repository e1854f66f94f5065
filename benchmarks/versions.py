"""Does the test suite pass with the oldest and the newest dependencies, and with which Python?

Usage: python benchmarks/versions.py --python python3.10 ... [--resolution lowest-direct highest]
       [--output DIR] [--pytest "ARGUMENTS"]

For each interpreter and each resolution: a new virtual environment, the package with its test
extra as pyproject.toml asks for it (uv chooses the lowest version that every floor allows, or the
highest), and the whole suite. Writes versions.csv, a row each; rows of other runs are kept. Set
HAWKEYS_DATA as for the tests. A failure of any test ends the script with status 1, after all rows.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parents[1]
SHOWN = (
    "numpy",
    "scipy",
    "numba",
    "pandas",
    "scikit-learn",
    "matplotlib",
    "joblib",
    "threadpoolctl",
    "narwhals",
    "polars",
    "rich",
    "click",
    "jinja2",
    "pooch",
    "pytest",
    "hypothesis",
)
COUNTS = ("passed", "failed", "errors", "skipped", "xfailed")
KEY = ["python", "resolution"]


def install(python, resolution, folder):
    """Make an environment of its own and return its interpreter."""
    subprocess.run([python, "-m", "venv", folder], check=True)
    own = folder / "bin" / "python"
    subprocess.run([own, "-m", "pip", "install", "--quiet", "uv"], check=True)
    uv = [own, "-m", "uv", "pip", "install", "--quiet", "--python", own]
    uv.append("--compile-bytecode")  # as pip does; else every process compiles what it imports
    asked = ["--resolution", resolution, "--requirements", ROOT / "pyproject.toml"]
    subprocess.run([*uv, *asked, "--extra", "test"], check=True)
    subprocess.run([*uv, "--no-deps", ROOT], check=True)
    return own


def versions_of(own):
    """Return the versions of the interpreter and of what it imports, as one line."""
    listed = subprocess.run([own, "-m", "pip", "list", "--format", "json"],
                            capture_output=True, check=True)  # fmt: skip
    found = {one["name"].lower(): one["version"] for one in json.loads(listed.stdout)}
    return ", ".join(f"{name} {found[name]}" for name in SHOWN if name in found)


def count(printed):
    """Return how many tests had each outcome, from the last line that pytest printed."""
    last = printed.strip().splitlines()[-1]
    found = {word.rstrip("s"): int(n) for n, word in re.findall(r"(\d+) (\w+)", last)}
    if not found:
        raise SystemExit(f"the last line that pytest printed counts nothing: {last!r}.")
    return {name: found.get(name.rstrip("s"), 0) for name in COUNTS}


def run(python, resolution, arguments):
    """Return the row of one interpreter and resolution."""
    with tempfile.TemporaryDirectory() as folder:
        own = install(python, resolution, Path(folder))
        number = subprocess.run([own, "-c", "import platform; print(platform.python_version())"],
                                capture_output=True, text=True, check=True)  # fmt: skip
        row = {"python": number.stdout.strip(), "resolution": resolution}
        # the installed package, whatever else could be imported
        environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
        tests = subprocess.run([own.parent / "pytest", "-q", *arguments], cwd=ROOT, text=True,
                               env=environment, capture_output=True, check=False)  # fmt: skip
        sys.stdout.write(tests.stdout[-8_000:])
        return row | count(tests.stdout) | {"versions": versions_of(own)}


def main(argv=None):
    """Run the suite for every interpreter and resolution; return 1 if a test failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", nargs="+", default=[sys.executable])
    parser.add_argument("--resolution", nargs="+", default=["lowest-direct", "highest"])
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results")
    parser.add_argument("--pytest", default="")
    options = parser.parse_args(argv)
    path = options.output / "versions.csv"
    table = pd.read_csv(path) if path.exists() else pd.DataFrame(columns=KEY)
    bad = False
    for python in options.python:
        for resolution in options.resolution:
            row = run(python, resolution, options.pytest.split())
            bad |= row["failed"] + row["errors"] > 0 or row["passed"] == 0
            kept = table[(table[KEY] != [row[name] for name in KEY]).any(axis=1)]
            table = pd.concat([kept, pd.DataFrame([row | {"machine": platform.platform()}])])
            table.sort_values(KEY, kind="stable").to_csv(path, index=False)
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
