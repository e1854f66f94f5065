#!/usr/bin/env bash
# Hawkes 1.0.0 (PyPI): the simulator loses events wherever the baseline rises.
#
# One would guess: samples of a baseline that changes over time (`set_baseline('custom', ...)`, and
# likewise its other baselines) have the integral of the baseline as their mean number of events.
# Seen on 2026-12-01 (Python 3.11): thinning takes the intensity at the last candidate as its bound,
# also while the baseline rises above it. Of a rate .05 + .01 t up to 100 there are 49 events for
# 55, of .5 + .45 sin(2 pi t / 24) up to 240 there are 72 for 120; of a rate that is constant, or
# falls, the right number. No warning. The estimator has the exact integral, so that fits to such
# samples come out too low.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile "Hawkes==1.0.0" "numpy==1.26.4" \
    "scipy==1.17.1" "matplotlib==3.10.7" 2>/dev/null
HOME="$folder" "$folder/venv/bin/python" - <<'PYTHON' 2>/dev/null
from importlib.metadata import version

import Hawkes
import numpy as np

np.random.seed(0)


def mean(rate, end):
    """Return the mean number of events of 1,500 samples without excitation, and its error."""
    model = Hawkes.simulator().set_kernel("exp", num_exp=1)
    model.set_baseline("custom", l_custom=rate).set_parameter({"alpha": 1e-9, "beta": 1.0})
    counts = [len(model.simulate([0, end])) for _ in range(1500)]
    return np.mean(counts), np.std(counts) / np.sqrt(1500)


print(f"Hawkes {version('Hawkes')}")
cases = {
    "constant": (lambda t: 1.0 + 0.0 * t, 50.0, 50.0),
    "falling": (lambda t: 1.05 - 0.01 * t, 100.0, 55.0),
    "rising": (lambda t: 0.05 + 0.01 * t, 100.0, 55.0),
    "daily": (lambda t: 0.5 + 0.45 * np.sin(2.0 * np.pi * t / 24.0), 240.0, 120.0),
}
off = {}
for name, (rate, end, integral) in cases.items():
    found, error = mean(rate, end)
    off[name] = (found - integral) / error
    print(f"{name}: {found:.1f} events on average for {integral:g}")
same = max(abs(off["constant"]), abs(off["falling"])) < 5 and max(off["rising"], off["daily"]) < -10
raise SystemExit(0 if same else "changed: the number of events is another one now")
PYTHON
