"""Slow, obvious twin of hawkeys.datasets.timings.timings_to_events."""


def sample_events(row, marks):
    """Return the sorted (time, mark) pairs of one row of a timing matrix."""
    n_keys = (len(row) + 2) // 3
    events, press = [], 0.0
    for key in range(n_keys):
        release = press + row[3 * key]
        events.append((round(press, 9), key if marks == "keys" else 2 * key))
        events.append((round(release, 9), key if marks == "keys" else 2 * key + 1))
        if key + 1 < n_keys:
            press += row[3 * key + 1]
    return sorted(events)
