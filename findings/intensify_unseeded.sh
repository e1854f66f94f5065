#!/usr/bin/env bash
# intensify 0.3.3: `simulate` without a seed returns the same events at every call.
#
# One would guess: seed=None means new events, as in numpy. Seen on 2026-11-30 (Python 3.11, numpy
# 2.2.6): Hawkes processes with exponential kernels, of one mark and of several, repeat themselves
# exactly, in a new process too; HomogeneousPoisson and other kernels vary. A study of 1,000
# repetitions has one, and standard deviations of 0. The documentation says "seed, optional".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile "intensify==0.3.3" "numpy==2.2.6" \
    "scipy==1.17.1" 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
from intensify import (
    ExponentialKernel,
    HomogeneousPoisson,
    MultivariateHawkes,
    PowerLawKernel,
    UnivariateHawkes,
)

kernel = ExponentialKernel(alpha=0.5, beta=1.0)
pair = [[ExponentialKernel(0.3, 1.0), ExponentialKernel(0.2, 1.0)] for _ in range(2)]
processes = {
    "one mark": UnivariateHawkes(mu=0.5, kernel=kernel),
    "two marks": MultivariateHawkes(n_dims=2, mu=[0.3, 0.2], kernel=pair),
    "power law": UnivariateHawkes(mu=0.5, kernel=PowerLawKernel(alpha=0.5, beta=1.0, c=1.0)),
    "Poisson": HomogeneousPoisson(rate=1.0),
}
print(f"intensify {version('intensify')}")
repeated = {}
for name, process in processes.items():
    runs = [np.concatenate([np.ravel(x) for x in process.simulate(100.0)]) for _ in range(3)]
    repeated[name] = all(np.array_equal(runs[0], run) for run in runs)
    print(f"{name}: {[run.size for run in runs]} events, {'the same' if repeated[name] else 'new'}")
same = list(repeated.values()) == [True, True, False, False]
raise SystemExit(0 if same else "changed: what a missing seed means is another matter now")
PYTHON
