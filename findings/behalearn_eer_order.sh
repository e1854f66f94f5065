#!/usr/bin/env bash
# behalearn 3.0.1: `eer_score` of the curve that scikit-learn returns is .5, whatever the classifier.
#
# One would guess: thresholds with their rates may come in the order of `sklearn.metrics.roc_curve`.
# Seen on 2026-11-30 (Python 3.11, scikit-learn 1.7.2): that order begins with the threshold infinity,
# FMR 0 and FNMR 1, and the answer is (inf, .5) for scores whose EER is .15 (the same arrays reversed);
# no warning. The documentation asks for arrays "corresponding to the thresholds" and names no order.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile "behalearn==3.0.1" \
    "scikit-learn==1.7.2" "numpy==2.2.6" "pandas==2.3.3" 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
from behalearn.metrics import eer_score
from sklearn.metrics import roc_curve

rng = np.random.default_rng(0)
labels = np.repeat([1, 0], 200)
scores = np.concatenate((rng.normal(2, 1, 200), rng.normal(0, 1, 200)))
fmr, tpr, thresholds = roc_curve(labels, scores)
given = tuple(map(float, eer_score(thresholds, fmr, 1 - tpr)))
turned = tuple(map(float, eer_score(thresholds[::-1], fmr[::-1], 1 - tpr[::-1])))
print(f"behalearn {version('behalearn')}, scikit-learn {version('scikit-learn')}")
print(f"as roc_curve returns it: {given}; reversed: {turned}")
same = given == (np.inf, 0.5) and abs(turned[1] - 0.15) < 1e-9
raise SystemExit(0 if same else "changed: the order of thresholds is another matter now")
PYTHON
