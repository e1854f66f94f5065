#!/usr/bin/env bash
# phawkes 0.1.0: the ridge `penalty_l2` draws every branching coefficient to 1, not to 0.
#
# One would guess: more penalty, less excitation. It penalises the square of log alpha, which is 0 at
# alpha = 1. Seen on 2026-11-30 (Python 3.11, numpy 2.2.6, scipy 1.17.1), three Poisson processes of
# rate .5 on [0, 500]: the branching ratio of the fit is .065 without penalty, .34 with 1, .79 with 10
# and 1.66, an explosive process, with 100; each fit says that it converged. The documentation says
# "ridge on log_alpha" and that it stabilises fits of marks that are nearly empty.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile "phawkes==0.1.0" "numpy==2.2.6" \
    "scipy==1.17.1" 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
from phawkes import HawkesExpMLE

rng = np.random.default_rng(0)
events = [np.sort(rng.uniform(0.0, 500.0, rng.poisson(250))) for _ in range(3)]
print(f"phawkes {version('phawkes')}: fits of Poisson processes")
ratios = []
for penalty in (0.0, 1.0, 10.0, 100.0):
    fit = HawkesExpMLE(decay=1.0, penalty_l2=penalty).fit(events, 500.0)
    ratios.append(fit.branching_ratio())
    print(f"penalty {penalty}: branching ratio {ratios[-1]:.3f}, converged {fit.converged_}")
same = ratios[0] < 0.1 and ratios == sorted(ratios) and ratios[3] > 1.5
raise SystemExit(0 if same else "changed: where the ridge draws to is another matter now")
PYTHON
