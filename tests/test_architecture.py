"""The rules of CONTRIBUTING.md, checked on the source."""

import ast
import doctest
import importlib
import itertools
import pkgutil
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

import hawkeys

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "hawkeys"
FILES = sorted(PACKAGE.rglob("*.py"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}

LAYERS = [
    [
        "_version",
        "exceptions",
        "_typing",
        "_threads",
        "_validation",
        "_files",
        "_progress",
        "_records",
        "_registry",
        "_linalg",
        "_faces",
        "_estimators",
    ],
    ["_jit", "_plain"],
    ["_loops"],
    ["events", "productivity", "kernels", "baselines", "_design", "partitions"],
    ["process", "plotting", "summary"],
    ["simulation", "results", "diagnostics", "forecasting", "interop"],
    ["inference"],
    ["datasets"],
    ["features"],
    ["verifiers"],
    ["neural"],
    ["evaluation"],
    ["capture"],
    ["warming"],
    ["cli", "__main__"],
]
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}

PUBLIC = [
    "Events",
    "GammaPrior",
    "Hawkes",
    "LogLikelihood",
    "NonlinearHawkes",
    "RectifiedHawkes",
    "__version__",
    "baselines",
    "branching_probabilities",
    "capture",
    "compare",
    "datasets",
    "evaluation",
    "exceptions",
    "features",
    "fit",
    "fit_each",
    "fit_nonlinear",
    "fit_rectified",
    "forecast",
    "goodness_of_fit",
    "inference",
    "interop",
    "kernels",
    "likelihood_ratio_test",
    "load_result",
    "neural",
    "open_events",
    "plotting",
    "productivity",
    "simulate",
    "simulate_branching",
    "simulate_nonlinear",
    "simulate_rectified",
    "simulate_until",
    "verifiers",
    "warmup",
    "write_events",
]


def name_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


MODULES = sorted(name_of(path) for path in FILES)
# lines of its own: its parts call each other, and compiled functions may call their own file only
LONGER = {
    "hawkeys._jit.delayed": 355,
    "hawkeys._jit.nonlinear": 275,
    "hawkeys._jit.penalized": 395,
    "hawkeys._jit.profile": 300,
    "hawkeys._jit.rows": 340,
    "hawkeys._jit.variational": 425,
}
# an estimator names each of its parameters, as scikit-learn asks
PARAMETERS = {"hawkeys.verifiers.fixed_text.hawkes_likelihood": 9}
# entries of folders with more than 20: loops of one thing each, and rooms still to be divided
CROWDED = {
    "hawkeys": 41,
    "hawkeys._jit": 25,
}
# the only compiled functions that may add in another order than written: bare sums
REORDERED = {"hawkeys._jit.rows": {"_add_four", "_inner"}, "hawkeys._jit.variational": {"_inner"}}


WITHOUT_NAMES = (
    "hawkeys._jit",
    "hawkeys._loops",
    "hawkeys._plain",
    "hawkeys.__main__",
    "hawkeys.cli.__main__",
)


def own_imports(tree):
    """Yield the modules of this package that are imported when the module is."""
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("hawkeys"))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hawkeys"):
            full = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in MODULES else node.module for name in full)


def functions(tree):
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def test_public_names():
    assert sorted(hawkeys.__all__) == PUBLIC
    assert all(getattr(hawkeys, name) is not None for name in PUBLIC)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        hawkeys.nothing  # noqa: B018


def test_layers():
    wrong = []
    for path, tree in TREES.items():
        parts = name_of(path).split(".")
        if len(parts) == 1:
            continue
        for target in own_imports(tree):
            other = target.split(".")
            if len(other) > 1 and RANK[other[1]] > RANK[parts[1]]:
                wrong.append(f"{'.'.join(parts)} imports {target}")
    assert wrong == []


def for_types_alone(tree):
    """Yield the modules of this package that are imported under TYPE_CHECKING."""
    for node in tree.body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            yield from own_imports(node)


def test_no_import_cycles():
    """Nor rings that are hidden under TYPE_CHECKING, but for the faces, which name their parts."""
    graph = {name_of(path): set(own_imports(tree)) for path, tree in TREES.items()}
    for path, tree in TREES.items():
        if path.name != "__init__.py":
            graph[name_of(path)] |= set(for_types_alone(tree))
    done, path = set(), []

    def visit(module):
        assert module not in path, f"cycle: {' -> '.join([*path, module])}"
        if module in done:
            return
        path.append(module)
        for target in graph.get(module, ()):
            if target != module:
                visit(target)
        path.pop()
        done.add(module)

    for module in graph:
        visit(module)


def own_lines(path):
    """Return the number of lines of code but for imports and the list of names."""
    tree, left_out = TREES[path], set()
    for node in ast.walk(tree):
        documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        if documented and ast.get_docstring(node, clean=False) is not None:
            node = node.body[0]
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            pass
        elif not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        left_out |= set(range(node.lineno, node.end_lineno + 1))
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    code = [k for k, line in enumerate(lines, 1) if line and not line.startswith("#")]
    return len(set(code) - left_out)


def only_builds_a_record(node):
    """Tell whether a function binds names and returns a call, without a loop or a branch."""
    inner = [n for statement in node.body for n in ast.walk(statement)]
    branches = (ast.For, ast.While, ast.If, ast.Try, ast.With, ast.FunctionDef)
    returned = [n for n in node.body if isinstance(n, ast.Return)]
    return not any(isinstance(n, branches) for n in inner) and all(
        isinstance(n.value, ast.Call) for n in returned
    )


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_sizes(path):
    assert own_lines(path) <= LONGER.get(name_of(path), 250)
    for node in functions(TREES[path]):
        documented = ast.get_docstring(node, clean=False)
        text = documented.count("\n") + 1 if documented else 0
        most = 45 if only_builds_a_record(node) else 40
        assert node.end_lineno - node.lineno + 1 - text <= most, node.name
        arguments = [a.arg for a in node.args.posonlyargs + node.args.args + node.args.kwonlyargs]
        named = [a for a in arguments if a not in ("self", "cls")]
        assert len(named) <= PARAMETERS.get(name_of(path), 8), node.name


@pytest.mark.parametrize("folder", sorted({path.parent for path in FILES}), ids=name_of)
def test_no_folder_is_crowded(folder):
    entries = [one for one in folder.iterdir() if one.suffix in (".py", ".jinja")]
    entries += [one for one in folder.iterdir() if any(one.glob("*.py"))]
    assert len(entries) <= CROWDED.get(name_of(folder), 20)


def walk_of(function):
    """Return the files of the package that a call goes through, one for each function called."""
    files, package = [], str(Path(hawkeys.__file__).parent)  # as it is installed

    def note(frame, event, _):
        if event == "call" and frame.f_code.co_filename.startswith(package):
            files.append(frame.f_code.co_filename)

    function()  # so that what is imported when it is needed is
    before = sys.getprofile()
    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(before)
    return files


def test_who_reads_a_fit_opens_few_files():
    """How many a plain fit and a log-likelihood go through, and how often from one to another."""
    process = hawkeys.Hawkes([0.4, 0.2], [[0.3, 0.1], [0.0, 0.5]], decay=2.0)
    events = hawkeys.simulate(process, end_time=1_000.0, n_realizations=5, rng=0)
    for function, most, most_changes in (
        (lambda: hawkeys.fit(events, decay=2.0), 16, 40),
        (lambda: process.log_likelihood(events), 9, 16),
    ):
        files = walk_of(function)
        assert 5 < len(set(files)) <= most
        assert sum(a != b for a, b in itertools.pairwise(files)) <= most_changes


def test_the_measure_of_lines():
    path = PACKAGE / "__main__.py"
    text = path.read_text(encoding="utf-8").splitlines()
    assert own_lines(path) == sum(
        bool(line.strip()) and not line.startswith(('"""', "from", "import")) for line in text
    )


def compiled(tree):
    for node in functions(tree):
        for decorator in node.decorator_list:
            if "njit" in ast.unparse(decorator):
                yield node, ast.unparse(decorator)


def test_compiled_functions():
    n = 0
    for path, tree in TREES.items():
        own = {node.name for node, _ in compiled(tree)}
        for node, decorator in compiled(tree):
            n += 1
            assert path.parent.name == "_jit", path
            if node.name in REORDERED.get(name_of(path), ()):
                assert decorator == (
                    "njit(cache=True, nogil=True, fastmath={'contract', 'reassoc'})"
                )
            else:
                assert decorator == "njit(cache=True, nogil=True)"
            called = {c.func.id for c in ast.walk(node)
                      if isinstance(c, ast.Call) and isinstance(c.func, ast.Name)}  # fmt: skip
            private = {name for name in called if name.startswith("_")}
            assert private <= own, f"{path}: {node.name} calls {private - own}"
    assert n > 40


def test_compiled_functions_copy_no_array_into_a_part_of_another():
    """For the error of shapes that do not fit numba compiles its strings: 1.5 s; a loop needs none.

    A part may be set to one number: one as written, or an entry whose every index is one.
    """
    n = 0
    for path, tree in TREES.items():
        for node, _ in compiled(tree):
            for one in ast.walk(node):
                targets = one.targets if isinstance(one, ast.Assign) else []
                targets += [one.target] if isinstance(one, ast.AugAssign) else []
                parts = [part for target in targets for part in ast.walk(target)
                         if isinstance(part, ast.Slice)]  # fmt: skip
                if parts:
                    n += 1
                    values = one.value.elts if isinstance(one.value, ast.Tuple) else [one.value]
                    assert all(is_number(value) for value in values), (
                        f"{path.name}, {node.name}: {ast.unparse(one)}"
                    )
    assert n > 5


def is_number(node):
    if isinstance(node, ast.Subscript):
        indices = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return all(isinstance(index, ast.Constant) for index in indices)
    return isinstance(node, ast.Constant)


def literals(node):
    """Return the names that a function sets to a whole number or truth value as written."""
    for one in ast.walk(node):
        if isinstance(one, ast.Assign):
            for target in one.targets:
                both = isinstance(target, ast.Tuple) and isinstance(one.value, ast.Tuple)
                names = target.elts if both else [target]
                values = one.value.elts if both else [one.value]
                yield from (ast.unparse(name) for name, value in zip(names, values, strict=True)
                            if is_literal(value))  # fmt: skip


def is_literal(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, int)


def test_no_literal_is_given_to_a_compiled_function():
    """numba compiles the function once more for the type of that very number or truth value."""
    for path, tree in TREES.items():
        own = {node.name for node, _ in compiled(tree)}
        for node, _ in compiled(tree):
            names = set(literals(node))
            for call in ast.walk(node):
                if isinstance(call, ast.Call) and ast.unparse(call.func) in own:
                    bad = [ast.unparse(a) for a in call.args
                           if is_literal(a) or ast.unparse(a) in names]  # fmt: skip
                    assert bad == [], f"{path}: {node.name} calls {ast.unparse(call)}"


def test_compiled_code_is_imported_when_it_is_needed():
    """Through `Compiled` alone: to import the package, or to use small data, needs no numba."""
    for path, tree in TREES.items():
        if path.parent.name != "_jit":
            assert not [name for name in own_imports(tree) if "._jit" in name], path
            names = [ast.unparse(n) for n in ast.walk(tree)
                     if isinstance(n, ast.Import | ast.ImportFrom)]  # fmt: skip
            assert not [name for name in names if "numba" in name], path


def test_compiled_files_import_nothing_of_ours():
    for path in (PACKAGE / "_jit").glob("*.py"):
        assert list(own_imports(TREES[path])) == []


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_module_lists_its_names(path):
    assigned = {t.id for n in TREES[path].body if isinstance(n, ast.Assign)
                for t in n.targets if isinstance(t, ast.Name)}  # fmt: skip
    names_a_folder = len(TREES[path].body) == 1  # a package that is a docstring alone
    assert "__all__" in assigned or names_a_folder or name_of(path) in WITHOUT_NAMES


def test_nothing_forbidden():
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            assert not isinstance(node, ast.Assert), path
            if isinstance(node, ast.ExceptHandler):
                caught = ast.unparse(node.type) if node.type else "everything"
                assert caught not in ("everything", "Exception", "BaseException"), path
            if isinstance(node, ast.Call):
                assert ast.unparse(node.func) not in ("print", "eval", "exec"), path
            if isinstance(node, ast.Import):
                assert all(alias.name not in ("pickle", "dill") for alias in node.names), path


def test_errors_are_documented():
    """A public function whose own body raises has a Raises section."""
    missing = []
    for path, tree in TREES.items():
        if any(part.startswith("_") for part in path.relative_to(PACKAGE).parts):
            continue
        for node in functions(tree):
            raises = any(isinstance(n, ast.Raise) and n.exc is not None for n in ast.walk(node))
            if node.name.startswith("_") or not raises:
                continue
            text = ast.get_docstring(node) or ""
            if not re.search("[Rr]aises|Refuse", text):
                missing.append(f"{name_of(path)}.{node.name}")
    assert missing == []


def test_every_file_of_tests_has_a_name_of_its_own():
    """pytest imports them by their names alone."""
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []


def test_the_project_stands_on_its_own():
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    texts = [p for p in listed if not p.endswith((".png", ".gz")) and p != ".ci/run"]
    here = Path(__file__).relative_to(ROOT).as_posix()
    pattern = re.compile(r"\.\./shared|/work/|MATHS\.md|DESIGN\.md")
    found = [
        name for name in texts
        if name != here and pattern.search((ROOT / name).read_text(encoding="utf-8"))
    ]  # fmt: skip
    assert found == []


DOCUMENTED = [
    module.name
    for module in pkgutil.walk_packages([str(PACKAGE)], "hawkeys.")
    if not re.search(r"\._jit|\._nets\.|__main__$", module.name)
]


def test_lint_and_types_are_checked_for_the_oldest_python():
    """mypy and ruff refuse names and syntax that the floor of `requires-python` lacks."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (floor,) = re.findall(r'^requires-python = ">=3\.(\d+)"$', project, re.MULTILINE)
    named = re.findall(r'"Programming Language :: Python :: 3\.(\d+)"', project)
    assert named == sorted(named, key=int)
    assert named[0] == floor
    assert re.findall(r'^target-version = "py3(\d+)"$', project, re.MULTILINE) == [floor]
    types = (ROOT / "setup.cfg").read_text(encoding="utf-8")
    assert re.findall(r"^python_version = 3\.(\d+)$", types, re.MULTILINE) == [floor]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"Python 3.{floor} or newer" in readme


def test_examples_print_no_numbers_of_numpy():
    """Which numpy 1 and 2 print in two ways."""
    printed = re.compile(r"^ *np\.(?:True_|False_|(?:float|int|str_|bool)\w*\(.*\))$", re.M)
    found = {path.name: printed.findall(path.read_text(encoding="utf-8")) for path in FILES}
    assert {name: one for name, one in found.items() if one} == {}


@pytest.mark.parametrize("name", DOCUMENTED)
def test_examples_run(name, tmp_path, monkeypatch):
    if name.startswith("hawkeys.neural"):
        pytest.importorskip("torch", reason="examples of networks need the extra [neural]")
    if name == "hawkeys.capture._app":
        pytest.importorskip("starlette", reason="the page needs the extra [capture]")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    plt.close("all")  # examples draw on the current axes, and another test may have left some
    outcome = doctest.testmod(importlib.import_module(name))
    assert outcome.failed == 0


def test_torch_is_imported_when_it_is_needed():
    """In the folder of networks alone, and nothing else imports that when it is imported."""
    for path, tree in TREES.items():
        if path.parent.name != "_nets":
            assert not [name for name in own_imports(tree) if "._nets" in name], path
            names = [ast.unparse(n) for n in ast.walk(tree)
                     if isinstance(n, ast.Import | ast.ImportFrom)]  # fmt: skip
            assert not [name for name in names if re.search(r"\btorch\b", name)
                        and "require_torch" not in name], path  # fmt: skip
