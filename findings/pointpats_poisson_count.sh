#!/usr/bin/env bash
# pointpats 2.5.5: `random.poisson(hull, intensity=...)` draws no Poisson number of points.
#
# One would guess: the number of points in the unit square at intensity 50 has mean 50 and variance 50.
# Seen on 2026-11-30 (Python 3.11, numpy 1.26.4): 200 draws of exactly 50 points each. Its text says
# "the number of observations is computed from the intensity": it is a binomial process.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "pointpats==2.5.5" "numpy==1.26.4" 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
import pointpats
from pointpats import random

square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
counts = np.array([len(random.poisson(square, intensity=50)) for _ in range(200)])
print(f"pointpats {pointpats.__version__}: 200 draws, mean {counts.mean()}, variance {counts.var()}")
raise SystemExit(0 if set(counts.tolist()) == {50} else "changed: the number of points varies now")
PYTHON
