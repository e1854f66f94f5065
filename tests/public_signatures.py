"""The public names with their signatures, a line each: written down, so that a change is seen.

    python tests/public_signatures.py

writes `reference/public.txt` anew. Public is what the faces of the package list, and the classes
that those return, which stand there by their names alone.
"""

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import hawkeys

PATH = Path(__file__).parent / "reference" / "public.txt"
FACES = ("hawkeys", *(f"hawkeys.{name}" for name in (
    "baselines", "capture", "datasets", "evaluation", "exceptions", "features", "inference",
    "interop", "kernels", "neural", "partitions", "plotting", "process", "productivity", "results",
    "verifiers",
)))  # fmt: skip


def lines():
    """Return the lines of what is public now, sorted."""
    classes, found, done = _classes(), [], set()
    waiting = [(f"{face}.{name}", getattr(importlib.import_module(face), name))
               for face in FACES for name in importlib.import_module(face).__all__
               if f"{face}.{name}" not in FACES]  # fmt: skip
    on_faces = {value for _, value in waiting if inspect.isclass(value)}
    for name, value in waiting:  # which grows
        if inspect.isclass(value) or inspect.isfunction(value):
            if value in done:  # it has a place under a shorter name
                continue
            done.add(value)
        own, returned = of(name, value, on_faces)
        found += own
        waiting += [(one, classes[one]) for one in sorted(returned) if one in classes]
    return sorted(found)


def _classes():
    """Return the classes of the package by name, where a name is of one class alone."""
    out, twice = {}, set()
    for one in pkgutil.walk_packages(hawkeys.__path__, "hawkeys."):
        if re.search(r"\._jit|\._nets|\._app|__main__", one.name):
            continue
        for name, value in vars(importlib.import_module(one.name)).items():
            ours = inspect.isclass(value) and _is_ours(value) and not name.startswith("_")
            if ours and out.setdefault(name, value) is not value:
                twice.add(name)
    return {name: value for name, value in out.items() if name not in twice}


def _is_ours(value):
    return getattr(value, "__module__", "").startswith("hawkeys")


def of(name, value, on_faces):
    """Return the lines of one public object, and the names in what it returns."""
    if inspect.isclass(value):
        return _of_class(name, value, on_faces)
    if callable(value):
        return [f"{name}{_signature(value)}"], _returned(value)
    if isinstance(value, dict):
        return [f"{name}[{key!r}]" for key in value], set()
    return [f"{name}: {type(value).__name__}"], set()


def _of_class(name, value, on_faces):
    """Return a line of the class and one for each member but those of bases on the faces."""
    bases = [base for base in value.__mro__[1:] if _is_ours(base)]
    public = [base.__name__ for base in bases if base in on_faces]
    made = "" if issubclass(value, BaseException) else _signature(value)
    out, returned = [f"class {name}{made} <- {', '.join(public)}".removesuffix(" <- ")], set()
    members = {}
    for base in [*reversed(bases), value]:
        members |= {} if base in on_faces and base is not value else vars(base)
    for key, one in members.items():
        if not key.startswith("_") and not re.fullmatch("set_.*_request", key):  # scikit-learn's
            function = getattr(one, "fget", None) or getattr(one, "func", None)  # of a property
            method = getattr(one, "__func__", one) if function is None else None
            returned |= _returned(function or method)
            out.append(f"{name}.{key}{_signature(method) if inspect.isfunction(method) else ''}")
    return out, returned


def _returned(function):
    annotation = getattr(function, "__annotations__", {}).get("return", "")
    return set(re.findall(r"\w+", annotation if isinstance(annotation, str) else repr(annotation)))


def _signature(value):
    """Return names, kinds and defaults of the parameters; the types are the type checker's."""
    signature = inspect.signature(value)
    plain = [one.replace(annotation=inspect.Parameter.empty, default=_default(one.default))
             for one in signature.parameters.values()]  # fmt: skip
    return str(inspect.Signature(plain))


class _Shown:
    """A default, shown the same in every process."""

    def __init__(self, text):
        self.text = text

    def __repr__(self):
        return self.text


def _default(value):
    if value is inspect.Parameter.empty:
        return value
    text = getattr(value, "__name__", None) or repr(value)
    return _Shown(re.sub(r"<(\S+) .*? at 0x\w+>|<(\S+) .*>", r"<\1\2>", text))


if __name__ == "__main__":
    PATH.write_text("\n".join(lines()) + "\n", encoding="utf-8")
