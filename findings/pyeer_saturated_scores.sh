#!/usr/bin/env bash
# pyeer 0.5.6: with impostors at the highest score, AUC loses its last piece and EER can be 1.
#
# One would guess: AUC = P(genuine > impostor) + P(tie) / 2, and an EER between the error rates. Its
# thresholds are the scores themselves, and none lies above the highest: the piece of the ROC curve
# from there to "nobody is accepted" is missing. Seen on 2026-11-30 (Python 3.11, numpy 2.2.6) with
# scores of 0 and 1 (yes or no; a bounded score does the same): 90 of 100 genuine and 10 of 100
# impostors at 1 have AUC .855 for .9; with 95 genuine at 1 the EER is 1, and a warning that the
# curves do not intersect (FMR .1, FNMR .05 at the upper threshold, FMR 0, FNMR 1 above it). Its
# documentation promises the area under the curve and the point where the rates are equal.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile "pyeer==0.5.6" "numpy==2.2.6" 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import warnings
from importlib.metadata import version

from pyeer.eer_info import get_eer_stats

impostors = [1.0] * 10 + [0.0] * 90
first = get_eer_stats([1.0] * 90 + [0.0] * 10, impostors)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    second = get_eer_stats([1.0] * 95 + [0.0] * 5, impostors)
print(f"pyeer {version('pyeer')}: AUC {first.auc:.4f} where .9 is right")
print(f"EER {second.eer} at rates .1 and .05; warning: {caught[0].message if caught else None}")
same = abs(first.auc - 0.855) < 1e-12 and second.eer == 1
raise SystemExit(0 if same else "changed: scores that are saturated are another matter now")
PYTHON
