#!/usr/bin/env bash
# neo 0.14.6 on quantities 0.16.4: a list of quantities keeps its numbers and loses its units.
#
# One would guess: SpikeTrain([500 ms, 1.5 s], units="s") holds .5 and 1.5 s, or is refused. Seen on
# 2026-11-30 (Python 3.11, numpy 2.2.6): 500 and 1.5 s, without a warning; `quantities.Quantity` itself
# does it. Units are converted in rescale, in comparisons and in item assignment, but
# numpy.searchsorted of spike times in s for a time in ms, and numpy.histogram with edges in
# another unit, count bare numbers. Documentation: units are needed "if times is a list", nothing of
# lists that have units; quantities lists only vstack and interp among functions that drop units.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile "neo==0.14.6" "quantities==0.16.4" \
    "numpy==2.2.6" 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import warnings
from importlib.metadata import version

import neo
import numpy as np
import quantities as pq

with warnings.catch_warnings():
    warnings.filterwarnings("error", category=UserWarning)
    listed = neo.SpikeTrain([500.0 * pq.ms, 1.5 * pq.s], units="s", t_stop=1000.0)
    quantity = pq.Quantity([500.0 * pq.ms, 1.5 * pq.s], "s")
    array = neo.SpikeTrain([500.0, 1500.0] * pq.ms, t_stop=2000.0).rescale("s")
    place = int(np.searchsorted(array.times, 600.0 * pq.ms))
    counts = np.histogram(array.times, bins=np.array([0.0, 1000.0, 2000.0]) * pq.ms)[0]
    later = int(np.sum(array.times > 600.0 * pq.ms))
print(f"neo {version('neo')}, quantities {version('quantities')}")
print(f"list of quantities: {listed.times}; Quantity: {quantity}; array: {array.times}")
print(f"spikes before .6 s by searchsorted in ms: {place}; after it by comparison: {later}")
print(f"numpy.histogram with edges of 0, 1 and 2 s in ms: {counts}")
same = (
    listed.magnitude.tolist() == [500.0, 1.5] == quantity.magnitude.tolist()
    and array.magnitude.tolist() == [0.5, 1.5]
    and (place, later) == (2, 1)
    and counts.tolist() == [2, 0]
)
raise SystemExit(0 if same else "changed: units in lists are another matter now")
PYTHON
