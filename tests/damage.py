"""What can go wrong with one value of a JSON file, for tests of what reads it."""

import copy

ABSENT = object()


def fresh(path):
    """Return a path where no file is any more: one that is overwritten is waited for on ext4."""
    path.unlink(missing_ok=True)
    return path


def places(value, path=()):
    """Every place in a JSON value but its root, as a tuple of names and indices."""
    if path:
        yield path
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(item, (*path, key))


def places_of_data(value):
    """The places of all but text: of numbers, booleans, nulls, lists and objects."""
    return [path for path in places(value) if not isinstance(at(value, path), str)]


def at(value, path):
    """What is at a place."""
    for key in path:
        value = value[key]
    return value


def replacements(value):
    """Values of a wrong type or shape, and nothing, by name."""
    out = {"nothing": None, "absent": ABSENT, "text": str(value), "object": {}}
    if isinstance(value, bool):
        out |= {"number": int(value), "list": [value]}
    elif isinstance(value, int):
        out |= {"boolean": bool(value), "decimal": float(value), "list": [value]}
    elif isinstance(value, float):
        out |= {"boolean": bool(value), "list": [[value]]}
    elif isinstance(value, list):
        out |= {"boolean": True, "short": value[:-1], "long": [*value, *value[-1:]]}
        out |= {"deep": [value], "number": 1.0}
    elif value is None:
        del out["nothing"]
        out |= {"boolean": True, "list": [1.0]}
    else:
        del out["object"]
        out |= {"boolean": True, "list": [value], "additional": {**value, "more": 1}}
    return out


def replaced(record, path, value):
    """A copy of a record with another value at a place, or none."""
    out = copy.deepcopy(record)
    *parents, last = path
    target = at(out, parents)
    if value is ABSENT:
        del target[last]
    else:
        target[last] = value
    return out
