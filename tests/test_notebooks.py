"""The notebooks print what is committed with them, and run on the demo where there are no data."""

import importlib.util

import matplotlib.pyplot as plt
import nbformat
import pytest
from run_notebooks import FOLDER, differences, execute, kernel_of, pictures_of

# what is committed of each: pictures, and the real data that it was run on, a fixture
NOTEBOOKS = {
    "det_curve": (2, "cmu"),
    "drift": (4, "cmu"),
    "earthquakes": (3, "earthquakes_path"),
    "explain": (3, "cmu"),
    "first_fit": (5, None),
    "goodness_of_fit": (2, None),
    "neighbours": (1, None),
    "neurons": (2, None),
    "one_typist": (3, "cmu"),
    "small_samples": (3, None),
}
# without the real data they take the demo, and say so
DEMO = {
    "det_curve": ["Data: demo", "SIMULATED"],
    "drift": ["Data: demo; typist demo01"],
    "explain": ["Data: demo; typists demo01 and demo02"],
    "one_typist": ["typist demo01: 400 samples", "SIMULATED"],
}
LARGEST = 200_000


@pytest.fixture
def no_data(tmp_path, monkeypatch):
    """Neither files nor a network: notebooks take the demo."""
    monkeypatch.setenv("HAWKEYS_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # no download, wherever this runs


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    """One for all notebooks, which is started and has its imports once."""
    with kernel_of(tmp_path_factory.mktemp("kernel")) as running:
        yield running


def saved(name):
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def test_there_are_notebooks():
    assert sorted(NOTEBOOKS) == sorted(path.stem for path in FOLDER.glob("*.ipynb"))


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_outputs_are_committed(name):
    notebook = saved(name)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    kinds = {one.output_type for cell in cells for one in cell.outputs}
    assert kinds <= {"stream", "execute_result", "display_data"}
    streams = {one.name for cell in cells for one in cell.outputs if one.output_type == "stream"}
    assert streams == {"stdout"}  # no warning
    assert len(pictures_of(notebook)) == NOTEBOOKS[name][0]
    assert (FOLDER / f"{name}.ipynb").stat().st_size < LARGEST


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the Jupyter client
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_outputs_are_those_of_now(name, tmp_path, request, kernel):
    request.getfixturevalue(NOTEBOOKS[name][1] or "no_data")
    made = execute(f"{name}.ipynb", tmp_path, kernel)
    networks = importlib.util.find_spec("torch") is not None
    assert differences(saved(name), made, networks=networks) == []


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_kernel_forgets_the_notebook_before(tmp_path, kernel, monkeypatch):
    """Names, settings of pandas, figures, the folder and where data are."""
    told = """
import os
import matplotlib.pyplot as plt
import pandas as pd
print("before" in globals(), pd.get_option("display.precision"), plt.get_fignums())
print(os.path.basename(os.path.dirname(os.getcwd())), os.environ.get("HAWKEYS_DATA"))
before = plt.figure()
pd.set_option("display.precision", 3)
os.environ["HAWKEYS_DATA"] = "changed"
"""
    cell = nbformat.v4.new_code_cell(told)
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "told.ipynb")
    for folder, data in (("one", None), ("two", "here")):
        monkeypatch.delenv("HAWKEYS_DATA", raising=False)
        if data is not None:
            monkeypatch.setenv("HAWKEYS_DATA", data)
        (tmp_path / folder).mkdir()
        (ran,) = execute(tmp_path / "told.ipynb", tmp_path / folder, kernel).cells
        assert ran.outputs[0].text == f"False 6 []\n{folder} {data}\n"


@pytest.mark.usefixtures("no_data")
@pytest.mark.parametrize("name", DEMO)
def test_without_data_the_demo_is_taken(name, tmp_path, monkeypatch, capsys):
    """In this very process, which is quicker than a kernel of its own."""
    monkeypatch.chdir(tmp_path)
    plt.close("all")
    names = {"__name__": "__main__"}
    for cell in saved(name).cells:
        if cell.cell_type == "code":
            exec(cell.source, names)
    printed = capsys.readouterr().out
    assert [text for text in DEMO[name] if text.upper() not in printed.upper()] == []
    assert len(plt.get_fignums()) == NOTEBOOKS[name][0]
    plt.close("all")


def notebook_of(*printed, tags=()):
    """Return a notebook, a cell for each text that one printed."""
    output = [nbformat.v4.new_output("stream", text=text) for text in printed]
    cells = [nbformat.v4.new_code_cell("", outputs=[one], metadata={"tags": list(tags)})
             for one in output]  # fmt: skip
    return nbformat.v4.new_notebook(cells=cells)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("mean 0.25", "mean 0.24"),  # a unit of the last digit
        ("a  0.25\n-----\n", "a   0.25\n---\n\n"),  # how a table is set out
        ("gap 3.1e-09", "gap 7e-12"),  # 0 up to rounding
        ("decay 1.4350888788723641", "decay 1.4350888788700000"),
        ("mark None", "mark NaN"),  # pandas 2 and 3
    ],
)
def test_rounding_is_no_difference(before, after):
    assert differences(notebook_of(before), notebook_of(after)) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("mean 0.25", "mean 0.23"),
        ("mean -0.25", "mean 0.25"),
        ("6 of 20 estimates", "7 of 20 estimates"),
        ("gap 3.1e-09", "gap 2.0e-03"),
        ("decay 1.4350888788723641", "decay 1.4350978788723641"),
        ("typist s002", "typist s003"),
        ("the same: True", "the same: False"),
        ("one line", "one line\nand another"),
        ("1e+05 events", "3e+05 events"),
    ],
)
def test_what_is_a_difference(before, after):
    found = differences(notebook_of("first", before), notebook_of("first", after))
    assert found
    assert all(one.startswith("code cell 1: ") for one in found)


def test_kinds_of_outputs_are_compared():
    picture = nbformat.v4.new_output("display_data", {"image/png": "", "text/plain": "<Figure>"})
    shown = notebook_of("x")
    shown.cells[0].outputs.append(picture)
    assert "('image/png', 'text/plain')" in differences(notebook_of("x"), shown)[0]


def test_measured_times_may_be_any():
    before, after = (notebook_of(f"fit {t} s", tags=["measured"]) for t in (0.25, 19.0))
    assert differences(before, after) == []
    assert differences(before, notebook_of("fitted 0.25 s", tags=["measured"])) != []


def test_lines_of_networks():
    """Their numbers follow the machine; without torch they are not there."""
    both = "networks: True\nmarked renewal 0.25\nLSTM template, heads 0.125\n"
    here = notebook_of(both, tags=["networks"])
    trained = notebook_of(both.replace("0.125", "0.375"), tags=["networks"])
    without = notebook_of("networks: False\nmarked renewal 0.25\n")
    assert differences(here, trained) == []
    assert differences(here, without) != []
    assert differences(here, without, networks=False) == []
    assert differences(notebook_of(both), trained) != []  # a cell that does not say so
    wrong = notebook_of("networks: False\nmarked renewal 0.35\n")
    assert differences(here, wrong, networks=False) != []
