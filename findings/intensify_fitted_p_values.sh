#!/usr/bin/env bash
# intensify 0.3.3: p-values of `time_rescaling_test(result)` are too large, where it says too small.
#
# One would guess: of 100 fits of the right model 5 or more are rejected at .05; the documentation
# calls the p-value "anti-conservative" once parameters were estimated on the same data. It is that
# of known parameters, to which fitted residuals come too close. Seen on 2026-11-30 (Python 3.11, numpy
# 2.2.6, scipy 1.17.1): none below .05 nor below .1, median .82 (baseline .5, norm .5, decay 1, window
# 200); the same events at the true parameters: 2 below .05, 8 below .1, median .47.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile "intensify==0.3.3" "numpy==2.2.6" \
    "scipy==1.17.1" 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import copy
from importlib.metadata import version

import numpy as np
from intensify import ExponentialKernel, UnivariateHawkes
from intensify.core.diagnostics.goodness_of_fit import time_rescaling_test
from intensify.core.simulation.cluster import branching_simulation


def model():
    return UnivariateHawkes(mu=0.5, kernel=ExponentialKernel(alpha=0.5, beta=1.0))


fitted, known = [], []
for seed in range(1, 101):
    events = np.asarray(branching_simulation(model(), 200.0, seed=seed))
    result = model().fit(events, T=200.0)
    truth = copy.copy(result)
    truth.process = model()
    fitted.append(time_rescaling_test(result)[1])
    known.append(time_rescaling_test(truth)[1])
print(f"intensify {version('intensify')}: p-values of the right model, 100 data sets")
for name, values in (("fitted", np.array(fitted)), ("known", np.array(known))):
    below = [(int((values < level).sum())) for level in (0.05, 0.1, 0.5)]
    print(f"{name}: {below} below .05, .1, .5; median {np.median(values):.3f}")
same = min(fitted) > 0.05 and np.median(fitted) > 0.75 and np.median(known) < 0.65
raise SystemExit(0 if same else "changed: p-values of fitted models are another matter now")
PYTHON
