#!/usr/bin/env bash
# PySpike 0.9.0: spike trains with different windows are merged and compared without a word.
#
# One would guess: an error, or a common window. Seen on 2026-11-30 (Python 3.11, numpy 1.26.4): trains
# on [0, 10] and [0, 20] merge to the window [0, 10] with spikes at 15 and 19 left in it, and in the
# other order to [0, 20]; isi_distance of the two is .42159 without a warning, though they were observed
# for different times.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "pyspike==0.9.0" "numpy==1.26.4" 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import warnings
from importlib.metadata import version

import pyspike

short = pyspike.SpikeTrain([1.0, 2.0, 9.0], [0.0, 10.0])
long = pyspike.SpikeTrain([3.0, 15.0, 19.0], [0.0, 20.0])
merged = pyspike.merge_spike_trains([short, long])
other = pyspike.merge_spike_trains([long, short])
with warnings.catch_warnings():
    warnings.simplefilter("error")
    distances = [float(pyspike.isi_distance(a, b)) for a, b in ((short, long), (long, short))]
print(f"PySpike {version('pyspike')}")
print(f"merged: window [{merged.t_start}, {merged.t_end}], spikes {merged.spikes.tolist()}")
print(f"the other way round: window [{other.t_start}, {other.t_end}]")
print(f"isi_distance one way and the other: {distances}")
same = (
    (merged.t_end, other.t_end) == (10.0, 20.0)
    and merged.spikes.tolist() == [1.0, 2.0, 3.0, 9.0, 15.0, 19.0]
    and abs(distances[0] - 0.42159090909090907) < 1e-12
)
raise SystemExit(0 if same else "changed: windows of merged or compared trains are another matter now")
PYTHON
