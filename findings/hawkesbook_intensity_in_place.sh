#!/usr/bin/env bash
# hawkesbook 0.1.0: `mutual_hawkes_intensity` adds the excitation to the caller's baseline.
#
# One would guess: a function of time, history and parameters, the same at every call. Seen on
# 2026-11-30 (Python 3.11, numpy 2.2.6, numba 0.68.1): three calls with the same arguments answer .552,
# .803 and 1.055 for the first mark, and the array of baselines (.3 before) holds the last of them
# afterwards. A likelihood that is summed over events with it grows on the way. Its docstring says
# nothing of it; `mutual_exp_hawkes_intensity`, for exponential kernels, does not do it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile "hawkesbook==0.1.0" "numpy==2.2.6" \
    "numba==0.68.1" "scipy==1.17.1" 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import warnings
from importlib.metadata import version

import hawkesbook
import numpy as np
from numba import NumbaExperimentalFeatureWarning, njit
from numba.typed import List

warnings.simplefilter("ignore", NumbaExperimentalFeatureWarning)  # of functions as arguments


@njit
def jumps(lag):
    return np.array([0.5, 0.1]) * np.exp(-lag)


baseline = np.array([0.3, 0.2])
history = List([(1.0, 0), (2.0, 0)])
parameters = (baseline, (jumps, jumps))
answers = [hawkesbook.mutual_hawkes_intensity(3.0, history, parameters).copy() for _ in range(3)]
right = 0.3 + 0.5 * (np.exp(-2.0) + np.exp(-1.0))
start, weights = np.array([0.3, 0.2]), np.array([[0.5, 0.1], [0.5, 0.1]])
exponential = (start, weights, np.ones(2))
arguments = (3.0, np.array([1.0, 2.0]), np.array([0, 0]), exponential)
control = [hawkesbook.mutual_exp_hawkes_intensity(*arguments)[0] for _ in range(3)]
print(f"hawkesbook {version('hawkesbook')}: intensity of mark 0, {right:.4f} expected")
print(f"three calls: {[round(float(a[0]), 4) for a in answers]}, baseline afterwards {baseline}")
print(f"the exponential function: {[round(float(c), 4) for c in control]}")
same = (
    abs(answers[0][0] - right) < 1e-12
    and abs(answers[2][0] - (3 * right - 0.6)) < 1e-12
    and baseline[0] == answers[2][0]
    and np.allclose(control, right)
)
raise SystemExit(0 if same else "changed: the baseline stays as it was now")
PYTHON
