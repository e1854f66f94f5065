"""Compiled loops as the interpreter runs them: the same text, without numba.

Where only the sums over events are worth numpy, and the rest is arithmetic on a few parameters, a
second text of the rest would say the same again, and could come to differ. It is read from the file
of the compiled loops, its decorators left out.
"""

from __future__ import annotations

import ast
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec
from pathlib import Path
from types import CodeType, ModuleType

__all__ = ["interpreted"]

_COMPILED = Path(__file__).parents[1] / "_jit"


class _WithoutNumba(SourceFileLoader):
    """Reads a module of compiled loops, leaving out numba and what it decorates."""

    def get_code(self, fullname: str) -> CodeType:
        """Return the code, neither from the cache of the module that has numba nor put there."""
        tree = ast.parse(self.get_data(self.path), self.path)
        tree.body = [node for node in tree.body if not _imports_numba(node)]
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                node.decorator_list = []
        return compile(tree, self.path, "exec", dont_inherit=True)


def _imports_numba(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "numba"


def interpreted(name: str, **instead: object) -> ModuleType:
    """Return the module ``hawkeys._jit.NAME`` as plain Python, with some functions replaced.

    Parameters
    ----------
    name : str
        Name of a module in `hawkeys._jit`.
    **instead
        Functions of the module by name, that take the place of its own: its sums over events.

    Returns
    -------
    module
        With the same functions. It is not entered in ``sys.modules``.
    """
    loader = _WithoutNumba(f"hawkeys._plain.interpreted.{name}", str(_COMPILED / f"{name}.py"))
    module = module_from_spec(ModuleSpec(loader.name, loader, origin=loader.path))
    loader.exec_module(module)
    for function, other in instead.items():
        getattr(module, function)  # is there
        setattr(module, function, other)
    return module
