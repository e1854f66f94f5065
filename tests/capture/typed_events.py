"""Attempts as a browser would send them, and the timings that follow from them by hand."""

import numpy as np

__all__ = [
    "KEYS",
    "TEXT",
    "attempt",
    "event",
    "events_of",
    "genuine",
    "impostor",
    "record",
    "timings_of",
]

TEXT = "hello"
KEYS = [*TEXT, "Enter"]


def _code(key):
    return f"Key{key.upper()}" if key.isalpha() and len(key) == 1 else key


def event(kind, key, time, **more):
    return {
        "type": kind,
        "key": key,
        "code": _code(key),
        "timeStamp": time,
        "repeat": False,
        **more,
    }


def events_of(press, release, keys=KEYS):
    """Return the events of keys pressed and let go at these times (ms), in order."""
    both = [(down, "keydown", key) for down, key in zip(press, keys, strict=True)]
    both += [(up, "keyup", key) for up, key in zip(release, keys, strict=True)]
    return [event(kind, key, time) for time, kind, key in sorted(both, key=lambda one: one[0])]


def record(events):
    return {"events": events, "clock_resolution_ms": 0.005}


def _typed(rng, step, hold, scatter, keys=KEYS):
    press = 1_000.0 + np.cumsum(step + rng.normal(0.0, scatter, len(keys)))
    release = press + hold + rng.normal(0.0, scatter, len(keys))
    return np.round(press, 3).tolist(), np.round(release, 3).tolist()


def genuine(rng):
    """Return press and release (ms) of the typist: quick, with rollover now and then."""
    return _typed(rng, np.array([0.0, 85, 180, 160, 130, 220]), 100.0, 6.0)


def impostor(rng):
    """Return press and release (ms) of somebody slower."""
    return _typed(rng, np.array([0.0, 260, 150, 240, 330, 300]), 70.0, 6.0)


def attempt(rng, who=genuine):
    """Return an attempt at the text as the page sends it."""
    return record(events_of(*who(rng)))


def timings_of(press, release):
    """Return H, DD, UD, H, ... in seconds."""
    row = []
    for k in range(len(press)):
        row.append(release[k] - press[k])
        if k + 1 < len(press):
            row += [press[k + 1] - press[k], press[k + 1] - release[k]]
    return np.array(row) / 1e3
