"""The site stays true: every code block runs, and the API pages name everything public."""

import importlib
import re
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

import hawkeys

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.glob("*.md"), *(DOCS / "api").glob("*.rst")])
FACES = ("baselines", "capture", "datasets", "evaluation", "exceptions", "features", "inference",
         "interop", "kernels", "neural", "plotting", "productivity", "verifiers")  # fmt: skip


def blocks(page):
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".md":
        return re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    found = re.findall(r"^\.\. code-block:: python\n\n((?:   .*\n|\n)+)", text, re.MULTILINE)
    return [re.sub(r"^   ", "", one, flags=re.MULTILINE) for one in found]


WITH_CODE = [page for page in PAGES if blocks(page)]


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.stem)
def test_code_blocks_run(page, tmp_path, monkeypatch):
    """In order, in one namespace a page, as a reader would type them."""
    monkeypatch.chdir(tmp_path)
    scope: dict[str, object] = {}
    for code in blocks(page):
        exec(compile(code, page.name, "exec"), scope)
    plt.close("all")


def blocks_of_libraries():
    """Return the blocks fenced `py`, which need a library that hawkeys does not."""
    text = (DOCS / "other_fields.md").read_text(encoding="utf-8")
    return re.findall(r"^```py\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("code", blocks_of_libraries(), ids=lambda code: code.split()[1])
def test_blocks_that_need_a_library_run(code, tmp_path, monkeypatch):
    for library in re.findall(r"^import (?!hawkeys|numpy|pandas)(\w+)", code, re.MULTILINE):
        pytest.importorskip(library, reason=f"{library} is not installed")
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "other_fields", "exec"), {})


def test_pages_have_code():
    assert len(WITH_CODE) >= 10


def named():
    """Return the names that the pages of the API list, without the package."""
    text = "".join(page.read_text(encoding="utf-8") for page in (DOCS / "api").glob("*.rst"))
    return set(re.findall(r"^   hawkeys\.([\w.]+)$", text, re.MULTILINE))


def test_every_public_name_has_a_place():
    wanted = {name for name in hawkeys.__all__ if name not in FACES and name != "__version__"}
    alias = {f"inference.{name}" for name in wanted}  # listed once, under the shorter name
    for face in FACES:
        module = importlib.import_module(f"hawkeys.{face}")
        wanted |= {f"{face}.{name}" for name in module.__all__}
    assert sorted(wanted - named() - alias) == []


def test_every_name_listed_exists():
    for name in sorted(named()):
        value = hawkeys
        for part in name.split("."):
            value = getattr(value, part, None) or importlib.import_module(f"hawkeys.{part}")
        assert value is not None


def test_pages_of_other_libraries_agree_with_interop():
    table = (DOCS / "coming_from.md").read_text(encoding="utf-8")
    text = importlib.import_module("hawkeys.interop").__doc__
    rows = re.findall(r"^([a-z]\S*) +\S.*\[(\w+), (\w+)\]", text, re.MULTILINE)
    assert len(rows) == 8
    for library, first, second in rows:
        if library not in ("hawkeys", "tick"):  # tick has a table of its own
            assert re.search(rf"^\| {library} \|.*\[{first}, {second}\]", table, re.MULTILINE), (
                library
            )
