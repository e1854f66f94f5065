"""Run the notebooks, compare what they print with what is committed, or write it anew.

    python tests/run_notebooks.py [NAME ...]

writes the outputs of the notebooks named, or of all, into `notebooks/`. HAWKEYS_DATA must hold the
CMU file and the earthquakes, and torch must be installed: what is committed is of real data and
with the networks.
"""

import base64
import io
import json
import os
import re
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from PIL import Image

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "notebooks"
# tags of cells: all numbers are times that were measured; there are lines of networks, which are
# left out without torch, and whose training follows the machine's rounding
MEASURED, WITH_NETWORKS = "measured", "networks"
NETWORKS = ("contrastive network", "LSTM template", "LSTM codes", "temporal characters")
# variables that say where data are
DATA = ("HAWKEYS_DATA", "XDG_CACHE_HOME", "HTTP_PROXY")
_NUMBER = re.compile(r"(?<![\w.])-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?(?!\w)")
# digits that sums in another order may change; and what a number in powers of ten says of a climb
# that ended (nats to gain, residuals) is 0 up to that
_RELATIVE, _ZERO = 1e-7, 1e-4
_RULES = re.compile(r"[-=─━═]{2,}")


@contextmanager
def kernel_of(folder):
    """Yield a kernel of this very interpreter, whatever is installed elsewhere."""
    spec = folder / "jupyter" / "kernels" / "python3"
    spec.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    text = {"argv": command, "display_name": "Python 3", "language": "python"}
    spec.joinpath("kernel.json").write_text(json.dumps(text))
    own = {
        "JUPYTER_DATA_DIR": str(folder / "jupyter"),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    }
    client = NotebookClient(nbformat.v4.new_notebook())
    with client.setup_kernel(env=os.environ | own):
        yield client.km


# what a notebook finds in a kernel that ran another one: as in a new one
_ANEW = """
%reset -f
import os
import matplotlib.pyplot
import pandas
matplotlib.pyplot.close("all")
pandas.reset_option("^display")
os.chdir({place!r})
for name, value in {environment!r}.items():
    os.environ.pop(name, None)
    if value is not None:
        os.environ[name] = value
%reset -f
"""


def execute(name, folder, kernel):
    """Return a notebook as it runs in `folder`, beside which the benchmarks lie as in a checkout.

    The kernel may have run others: it forgets their names, figures and settings, and sees the data
    that this process sees.
    """
    notebook = nbformat.read(FOLDER / name, as_version=4)
    folder.joinpath("benchmarks").symlink_to(ROOT / "benchmarks")
    place = folder / "notebooks"
    place.mkdir()
    seen = {key: os.environ.get(key) for key in DATA}
    anew = _ANEW.format(place=str(place), environment=seen)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(anew))
    client = NotebookClient(notebook, km=kernel, timeout=240, record_timing=False)
    client.execute()
    client.kc.stop_channels()
    del notebook.cells[0]
    return notebook


def outputs_of(notebook):
    """Yield each code cell with the text that it printed and the kinds of what else it shows."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            data = [one.get("data", {}) for one in cell.outputs]
            printed = [one.get("text", "") or shown.get("text/plain", "")
                       for one, shown in zip(cell.outputs, data, strict=True)
                       if "image/png" not in shown]  # fmt: skip
            yield cell, "\n".join(printed), [tuple(sorted(shown)) for shown in data if shown]


def pictures_of(notebook):
    """Return the pictures of a notebook, as they are encoded in it."""
    shown = [one for cell in notebook.cells for one in cell.get("outputs", ())]
    return [one.data["image/png"] for one in shown if "image/png" in one.get("data", {})]


def differences(saved, made, *, networks=True):
    """Return what differs between two runs, in words: text and the kinds of pictures and tables.

    A number may differ by one unit of its last digit, as sums do from machine to machine; whole
    numbers may not. Measured numbers may be any. Without `networks`, what is saved of them does not
    count.
    """
    pairs = list(zip(outputs_of(saved), outputs_of(made), strict=True))
    out = []
    for number, ((cell, before, kinds), (_, after, now)) in enumerate(pairs):
        tags = cell.metadata.get("tags", ())
        if kinds != now:
            out.append(f"code cell {number}: {kinds} saved, {now} shown")
        first, second = _lines(before), _lines(after)
        trained = NETWORKS if WITH_NETWORKS in tags else ()
        if trained and not networks:
            first = [line.replace("networks: True", "networks: False")
                     for line in first if not line.startswith(trained)]  # fmt: skip
        if len(first) != len(second):
            out.append(f"code cell {number}: {len(first)} lines saved, {len(second)} printed")
        out += [f"code cell {number}: {a!r} saved, {b!r} printed"
                for a, b in zip(first, second, strict=False)
                if not _alike(a, b, MEASURED in tags or a.startswith(trained))]  # fmt: skip
    return out


def _lines(text):
    """Return the lines without what only sets them out: blanks, rules."""
    text = _RULES.sub("--", text).replace("None", "NaN")  # pandas 2 and 3
    lines = [" ".join(line.split()) for line in text.splitlines()]
    return [line for line in lines if line]


def _alike(first, second, measured):
    if _NUMBER.sub("#", first) != _NUMBER.sub("#", second):
        return False
    pairs = zip(_NUMBER.findall(first), _NUMBER.findall(second), strict=True)
    return measured or all(
        abs(float(a) - float(b)) <= max(_tolerance(a), _tolerance(b)) for a, b in pairs if a != b
    )


def _tolerance(number):
    """Return by how much a number may differ, as it is written; a whole number not at all."""
    digits, _, power = number.partition("e")
    behind = len(digits.partition(".")[2])
    if not behind and not power:
        return 0.0
    unit = 1.01 * 10.0 ** (int(power or 0) - behind)
    return max(unit, _RELATIVE * abs(float(number)), _ZERO if power else 0.0)


def small(picture):
    """Return a picture in 128 colours, which its lines and bars do not miss."""
    image = Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGB")
    written = io.BytesIO()
    image.quantize(128, dither=Image.Dither.NONE).save(written, "PNG", optimize=True)
    return base64.b64encode(written.getvalue()).decode()


def write(name):
    """Write a notebook with its outputs."""
    with tempfile.TemporaryDirectory() as folder, kernel_of(Path(folder)) as kernel:
        notebook = execute(name, Path(folder), kernel)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for count, cell in enumerate(code, 1):
        cell.execution_count = count  # as in a kernel of its own
        for one in cell.outputs:
            if "execution_count" in one:
                one.execution_count = count
            if "image/png" in one.get("data", {}):
                one.data["image/png"] = small(one.data["image/png"])
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    nbformat.write(notebook, FOLDER / name)


if __name__ == "__main__":
    for chosen in sys.argv[1:] or sorted(path.name for path in FOLDER.glob("*.ipynb")):
        write(chosen)
