"""The notebooks run from top to bottom, on the demo and on the real data."""

import json
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NEW = [("det_curve.ipynb", 2), ("drift.ipynb", 4), ("explain.ipynb", 3)]
# notebooks on simulated events: pictures, and a line that must be printed
CORE = [
    ("first_fit.ipynb", 5, "the same: True"),
    ("goodness_of_fit.ipynb", 2, "exponential: p-value 0.03"),
    ("neurons.ipynb", 2, "with inhibition: 1.45"),
    ("small_samples.ipynb", 3, "6 of 20 estimates are at the bound 0"),
]
FOLDER = Path(__file__).parents[1] / "notebooks"
# shown as it ran: its networks need an extra that the site is built without
EXECUTED = {"neighbours.ipynb"}
NOTEBOOKS = sorted(path.name for path in FOLDER.glob("*.ipynb"))


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    """A Jupyter kernel of this very interpreter, whatever is installed elsewhere."""
    spec = tmp_path / "jupyter" / "kernels" / "python3"
    spec.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec.joinpath("kernel.json").write_text(
        json.dumps({"argv": command, "display_name": "Python 3", "language": "python"})
    )
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")


def run(name, folder):
    notebook = nbformat.read(FOLDER / name, as_version=4)
    client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}})
    client.execute()
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", ())]
    printed = "".join(out.get("text", "") for out in outputs)
    pictures = [out for out in outputs if "image/png" in out.get("data", {})]
    return printed, pictures


def test_there_are_notebooks():
    laboratory = {name for name, _ in NEW} | {"one_typist.ipynb"} | EXECUTED
    assert laboratory | {name for name, *_ in CORE} == set(NOTEBOOKS)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_no_output_is_committed(name):
    notebook = nbformat.read(FOLDER / name, as_version=4)
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", ())]
    if name not in EXECUTED:
        assert outputs == []
        return
    assert [out for out in outputs if out["output_type"] == "error"] == []
    text = "".join(str(out.get("text", "")) + str(out.get("data", "")) for out in outputs)
    assert "networks: True" in text
    for system in ("contrastive network", "LSTM template, heads", "temporal characters"):
        assert system in text


@pytest.mark.usefixtures("kernel", "no_data")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the Jupyter client
def test_the_neighbours_run(tmp_path):
    """Without torch, too: then the networks are left out."""
    printed, pictures = run("neighbours.ipynb", tmp_path)
    assert "Data: simulated; networks: " in printed
    assert len(pictures) == 1


@pytest.mark.usefixtures("cmu", "kernel")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the Jupyter client
def test_one_typist_on_real_data(tmp_path):
    printed, pictures = run("one_typist.ipynb", tmp_path)
    assert "Data: cmu, 20400 samples" in printed
    assert "typist s002: 400 samples, adjacency (400, 11, 11)" in printed
    assert len(pictures) == 3


@pytest.fixture
def no_data(tmp_path, monkeypatch):
    """Neither files nor a network: notebooks take the demo."""
    monkeypatch.setenv("HAWKEYS_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # no download, wherever this runs


@pytest.mark.usefixtures("kernel", "no_data")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the Jupyter client
def test_one_typist_on_the_demo(tmp_path):
    printed, pictures = run("one_typist.ipynb", tmp_path)
    assert "SIMULATED" in printed.upper()
    assert "typist demo01: 400 samples" in printed
    assert len(pictures) == 3


@pytest.mark.usefixtures("cmu", "kernel")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the Jupyter client
def test_det_curve_on_real_data(tmp_path):
    printed, pictures = run("det_curve.ipynb", tmp_path)
    assert "Data: cmu, 20400 samples of 51 typists" in printed
    assert "recency-nearest-neighbors  .052" in printed
    assert len(pictures) == 2


@pytest.mark.usefixtures("kernel", "no_data")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the Jupyter client
@pytest.mark.parametrize(("name", "n_pictures"), NEW)
def test_the_laboratory_notebooks_run_on_the_demo(tmp_path, name, n_pictures):
    printed, pictures = run(name, tmp_path)
    assert "Data: demo" in printed
    assert len(pictures) == n_pictures


@pytest.mark.usefixtures("cmu", "kernel")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the Jupyter client
def test_drift_on_real_data(tmp_path):
    printed, pictures = run("drift.ipynb", tmp_path)
    assert "naive: the impostor is accepted in the end" in printed
    assert "guarded: the impostor is rejected in the end" in printed
    assert len(pictures) == 4


@pytest.mark.usefixtures("cmu", "kernel")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the Jupyter client
def test_explain_on_real_data(tmp_path):
    printed, pictures = run("explain.ipynb", tmp_path)
    assert "typists s002 and s003" in printed
    assert ": rejected" in printed
    assert printed.count("nats of surprise, came") == 4
    assert len(pictures) == 3


@pytest.mark.usefixtures("kernel")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the Jupyter client
@pytest.mark.parametrize(("name", "n_pictures", "line"), CORE)
def test_the_core_notebooks_run(tmp_path, name, n_pictures, line):
    printed, pictures = run(name, tmp_path)
    assert line in printed
    assert len(pictures) == n_pictures
