"""Parameters and events in the conventions of other Hawkes libraries, by name.

For each library X, ``from_X`` builds a `hawkeys.Hawkes` from its parameters and ``to_X`` returns
the arguments it takes; ``events_to_X`` and ``events_from_X`` do the same for data. None of them
imports the library. What differs between exponential kernels:

============= ===================== ================ =================== ======================
library       kernel of j on i      its matrix       decay               log-likelihood
============= ===================== ================ =================== ======================
hawkeys       a b exp(-b t)         [target, source] any                 log L
tick          a b exp(-b t)         [target, source] one; one per pair   shifted, scaled
hawkes-rs     a b exp(-b t)         [target, source] one                 -log L
intensify     a b exp(-b t)         [target, source] one per pair        log L
hawkes-engine a exp(-b t)           [target, source] per source or pair  log L
hawkesbook    a exp(-b t)           [source, target] one per target      log L; ties excite
hawkeslib     a b exp(-b t)         [source, target] one                 log L; ties excite
sparklen      a b exp(-b t)         [target, source] one                 -log L
============= ===================== ================ =================== ======================

All of them count time from the start of the window, which ends where they are told. Each
convention was established by comparing log-likelihoods (``benchmarks/peer_agreement.py``).

Two benchmarks of event sequences keep their sets in files: `events_from_easytpp` reads JSON,
`events_from_hotpp` Parquet. What packages of other fields hold becomes events, too: spike trains by
`events_from_neo`, `events_from_nwb` and `events_from_pynapple`, earthquake catalogues by
`events_from_obspy` and `events_from_zmap`, messages of an order book by `events_from_lobster`, logs
of business processes by `events_from_pm4py`.
"""

from hawkeys.interop.catalogues import events_from_obspy, events_from_zmap
from hawkeys.interop.easytpp import events_from_easytpp
from hawkeys.interop.hawkes_engine import (
    events_from_hawkes_engine,
    events_to_hawkes_engine,
    from_hawkes_engine,
    to_hawkes_engine,
)
from hawkeys.interop.hawkes_rs import (
    events_from_hawkes_rs,
    events_to_hawkes_rs,
    from_hawkes_rs,
    to_hawkes_rs,
)
from hawkeys.interop.hawkesbook import (
    events_from_hawkesbook,
    events_to_hawkesbook,
    from_hawkesbook,
    to_hawkesbook,
)
from hawkeys.interop.hawkeslib import (
    events_from_hawkeslib,
    events_to_hawkeslib,
    from_hawkeslib,
    to_hawkeslib,
)
from hawkeys.interop.hotpp import events_from_hotpp
from hawkeys.interop.intensify import (
    events_from_intensify,
    events_to_intensify,
    from_intensify,
    to_intensify,
)
from hawkeys.interop.lobster import events_from_lobster
from hawkeys.interop.pm4py import events_from_pm4py
from hawkeys.interop.sparklen import (
    events_from_sparklen,
    events_to_sparklen,
    from_sparklen,
    to_sparklen,
)
from hawkeys.interop.spikes import (
    events_from_neo,
    events_from_nwb,
    events_from_pynapple,
    windows_from_nwb,
)
from hawkeys.interop.tick import events_from_tick, events_to_tick, from_tick, to_tick

__all__ = [
    "events_from_easytpp",
    "events_from_hawkes_engine",
    "events_from_hawkes_rs",
    "events_from_hawkesbook",
    "events_from_hawkeslib",
    "events_from_hotpp",
    "events_from_intensify",
    "events_from_lobster",
    "events_from_neo",
    "events_from_nwb",
    "events_from_obspy",
    "events_from_pm4py",
    "events_from_pynapple",
    "events_from_sparklen",
    "events_from_tick",
    "events_from_zmap",
    "events_to_hawkes_engine",
    "events_to_hawkes_rs",
    "events_to_hawkesbook",
    "events_to_hawkeslib",
    "events_to_intensify",
    "events_to_sparklen",
    "events_to_tick",
    "from_hawkes_engine",
    "from_hawkes_rs",
    "from_hawkesbook",
    "from_hawkeslib",
    "from_intensify",
    "from_sparklen",
    "from_tick",
    "to_hawkes_engine",
    "to_hawkes_rs",
    "to_hawkesbook",
    "to_hawkeslib",
    "to_intensify",
    "to_sparklen",
    "to_tick",
    "windows_from_nwb",
]
