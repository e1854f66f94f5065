#!/usr/bin/env bash
# intensify 0.3.3: `endogeneity_index` is n / (1 + n), not the share of events that were triggered.
#
# One would guess: the "fraction of events attributable to self-excitation", so its documentation, is
# the branching ratio n itself. Seen on 2026-11-30 (Python 3.11, numpy 2.2.6): .444 for n = .8, and
# a jump from .497 at n = .99 to 1 at n = 1; of the events of a process with n = .8, baseline .5 on
# [0, 20,000], 80 % are not immigrants (1 - baseline * window / events).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile "intensify==0.3.3" "numpy==2.2.6" \
    "scipy==1.17.1" 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
from intensify import ExponentialKernel, PowerLawKernel, UnivariateHawkes
from intensify.core.diagnostics.metrics import endogeneity_index
from intensify.core.simulation.cluster import branching_simulation

process = UnivariateHawkes(mu=0.5, kernel=ExponentialKernel(alpha=0.8, beta=1.0))
index = endogeneity_index(process)
share = 1 - 0.5 * 20_000 / np.asarray(branching_simulation(process, 20_000.0, seed=1)).size
ends = [
    endogeneity_index(UnivariateHawkes(mu=0.5, kernel=PowerLawKernel(alpha=n, beta=1.0, c=1.0)))
    for n in (0.99, 1.0)
]
print(f"intensify {version('intensify')}: index {index:.4f}, share of offspring {share:.4f} at n = .8")
print(f"index at n = .99 and 1: {ends[0]:.4f}, {ends[1]:.4f}")
same = abs(index - 0.8 / 1.8) < 1e-12 and abs(share - 0.8) < 0.03 and ends[1] == 1
raise SystemExit(0 if same else "changed: the index is another matter now")
PYTHON
