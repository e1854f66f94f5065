#!/usr/bin/env bash
# Hawkes 1.0.0 (PyPI): `AIC` counts a baseline of any number of pieces as one parameter.
#
# One would guess: AIC = -2 log L + 2 k with k the number of parameters fitted.
# Seen on 2026-12-01 (Python 3.11): k is the number of names in the dictionary of parameters, 3 for
# mu, alpha and beta, with 2, 8 or 20 values in mu (`plinear`, `pconst` and `loglinear` alike). On
# events of a constant baseline the AIC so falls with every piece: 20 steps win by 9.5 over the
# constant, where a count of 22 makes them lose by 28.5.
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
truth = Hawkes.simulator().set_kernel("exp", num_exp=1).set_baseline("const")
times = truth.set_parameter({"mu": 1.0, "alpha": 0.5, "beta": 2.0}).simulate([0, 300])


def fitted(kind, **pieces):
    """Return a fit, how many parameters its AIC counts, and how many it has."""
    found = Hawkes.estimator().set_kernel("exp", num_exp=1).set_baseline(kind, **pieces)
    found.fit(times, [0, 300])
    counted = (found.AIC + 2.0 * found.L) / 2.0
    return found, round(counted, 6), sum(np.size(value) for value in found.para.values())


print(f"Hawkes {version('Hawkes')}, {times.size} events of a constant baseline")
constant, counted, number = fitted("const")
print(f"constant: {number} parameters, counted {counted:g}, AIC {constant.AIC:.2f}")
same = counted == number == 3
for kind in ("plinear", "pconst", "loglinear"):
    for n in (2, 8, 20):
        found, counted, number = fitted(kind, num_basis=n)
        right = 2.0 * number - 2.0 * found.L
        print(f"{kind}, {n} pieces: {number} parameters, counted {counted:g}, "
              f"AIC {found.AIC:.2f}, with all counted {right:.2f}")
        same = same and counted == 3 and number == n + 2
    same = same and found.AIC < constant.AIC < right
raise SystemExit(0 if same else "changed: AIC counts otherwise now")
PYTHON
