#!/usr/bin/env bash
# pyeer 0.5.6: impostors given as a histogram of distances are accepted one step later than genuine.
#
# One would guess: the same scores, as a list or as a histogram, have the same error rates. Seen on
# 2026-11-30 (Python 3.11, numpy 2.2.6): integer distances, genuine and impostors, have EER .2583 as
# lists and .4833 with the impostors as counts (`hformat=True, ds_scores=True`); the AUC is .811 and
# -.891. At threshold t a genuine distance of t is accepted and an impostor's is not, so that the
# error rates cross where they should not. As similarities the two forms agree. Documented for both.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile "pyeer==0.5.6" "numpy==2.2.6" 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import warnings
from importlib.metadata import version

import numpy as np
from pyeer.eer_info import get_eer_stats

warnings.simplefilter("ignore")  # it warns of an AUC below one half
rng = np.random.default_rng(0)
near, far = rng.poisson(3, 300), rng.poisson(6, 300)
listed = get_eer_stats(near.tolist(), far.tolist(), ds_scores=True)
counted = get_eer_stats(near.tolist(), np.bincount(far).tolist(), hformat=True, ds_scores=True)
control = [
    get_eer_stats(far.tolist(), near.tolist()).eer,
    get_eer_stats(far.tolist(), np.bincount(near).tolist(), hformat=True).eer,
]
print(f"pyeer {version('pyeer')}, distances: EER {listed.eer:.4f} as lists, {counted.eer:.4f} counted")
print(f"AUC {listed.auc:.4f} as lists, {counted.auc:.4f} counted; similarities: EER {control}")
same = (
    control[0] == control[1]
    and abs(listed.eer - 0.2583333333333333) < 1e-12
    and abs(counted.eer - 0.48333333333333334) < 1e-12
)
raise SystemExit(0 if same else "changed: histograms of distances are another matter now")
PYTHON
