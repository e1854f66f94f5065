"""Where this project's own runs keep compiled code: between runs, if there is a place at all."""

import ast
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from long_files import LONGEST

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / ".ci" / "compiled-code"
pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="a script of a POSIX shell"),
    pytest.mark.skipif(not SCRIPT.exists(), reason="not run in a checkout"),
]


def folder_of(root=ROOT, python=sys.executable, **environment):
    """Return what the script prints, and nothing else: it always succeeds."""
    kept = {"PATH": os.environ["PATH"], **environment}
    done = subprocess.run([str(root / ".ci" / "compiled-code"), python], env=kept,
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert done.stderr == ""
    return done.stdout.strip()


def test_a_folder_named_by_the_source(tmp_path):
    """The same each time; another one where compiled code changed, and not for other code."""
    first = folder_of(XDG_CACHE_HOME=str(tmp_path))
    assert Path(first).is_dir()
    assert Path(first).parent == tmp_path / "hawkeys-ci"
    assert folder_of(XDG_CACHE_HOME=str(tmp_path)) == first
    copy = tmp_path / "copy"
    shutil.copytree(ROOT / ".ci", copy / ".ci")
    shutil.copytree(ROOT / "hawkeys" / "_jit", copy / "hawkeys" / "_jit")
    (copy / "hawkeys" / "other.py").write_text("x = 1\n")
    assert folder_of(copy, XDG_CACHE_HOME=str(tmp_path)) == first
    with (copy / "hawkeys" / "_jit" / "layout.py").open("a") as file:
        file.write("# changed\n")
    assert folder_of(copy, XDG_CACHE_HOME=str(tmp_path)) != first


def test_the_home_of_the_user(tmp_path):
    assert folder_of(HOME=str(tmp_path)).startswith(f"{tmp_path}/.cache/hawkeys-ci/")


def test_folders_that_no_run_uses_go(tmp_path):
    old, recent = (tmp_path / "hawkeys-ci" / name for name in ("old", "recent"))
    for folder in (old, recent):
        (folder / "inner").mkdir(parents=True)
        (folder / "used").touch()
    long_ago = time.time() - 40 * 86_400
    os.utime(old / "used", (long_ago, long_ago))
    folder_of(XDG_CACHE_HOME=str(tmp_path))
    assert not old.exists()
    assert recent.exists()


def test_no_place_is_no_failure(tmp_path):
    (tmp_path / "file").write_text("")
    assert folder_of() == ""
    assert folder_of(XDG_CACHE_HOME=str(tmp_path / "file")) == ""
    assert folder_of(python="/nowhere/python", XDG_CACHE_HOME=str(tmp_path)) == ""


def test_the_run_takes_it():
    text = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    given = 'compiled="$(.ci/compiled-code .venv/bin/python || true)"'
    assert text.index(given) < text.index('NUMBA_CACHE_DIR="$compiled"') < text.index("bin/pytest")


def needs_torch(function):
    """Whether a test skips where torch is not installed."""
    calls = (one for one in ast.walk(function) if isinstance(one, ast.Call) and one.args)
    return any(ast.unparse(one.func) == "pytest.importorskip"
               and ast.literal_eval(one.args[0]) == "torch" for one in calls
               if isinstance(one.args[0], ast.Constant))  # fmt: skip


def test_the_run_takes_every_test_of_networks():
    """What skips without torch runs in the environment that has it: a skip hides a failure."""
    taken = (ROOT / ".ci" / "run").read_text(encoding="utf-8").split()
    found = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith("tests/neural/") and name not in taken:
            body = ast.parse(path.read_text(encoding="utf-8")).body
            found += [f"{name}::{one.name}" for one in body
                      if isinstance(one, ast.FunctionDef) and needs_torch(one)]  # fmt: skip
    assert len(found) >= 6
    assert [name for name in found if name not in taken] == []


def test_the_longest_files_are_there():
    assert [name for name in LONGEST if not (ROOT / "tests" / name).is_file()] == []
    assert len(set(LONGEST)) == len(LONGEST)
