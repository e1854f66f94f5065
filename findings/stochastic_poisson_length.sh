#!/usr/bin/env bash
# stochastic 0.6.0: PoissonProcess.sample(length=T) returns more than the events in [0, T].
#
# One would guess: the event times up to T, none of them 0. Seen on 2026-11-30 (Python 3.11, numpy
# 1.26.4): in 1,000 samples at rate 1 with T = 10 the first time is always 0.0 and the last always
# after 10; the mean length of the arrays is near 12, where 10 events are expected.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "stochastic==0.6.0" "numpy==1.26.4" 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
from stochastic.processes.continuous import PoissonProcess

process = PoissonProcess(rate=1.0, rng=np.random.default_rng(0))
samples = [np.asarray(process.sample(length=10)) for _ in range(1000)]
first, last = {float(s[0]) for s in samples}, min(float(s[-1]) for s in samples)
sizes = np.mean([s.size for s in samples])
inside = np.mean([((s > 0) & (s <= 10)).sum() for s in samples])
print(f"stochastic {version('stochastic')}: first times {first}, least last time {last:.4f}")
print(f"mean length of the arrays {sizes:.2f}, mean number of events in (0, 10] {inside:.2f}")
same = first == {0.0} and last > 10.0 and abs(sizes - inside - 2.0) < 1e-9
raise SystemExit(0 if same else "changed: what sample(length=...) returns is another matter now")
PYTHON
