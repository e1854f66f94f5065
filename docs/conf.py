"""Configuration of the site: ``python -m sphinx -W docs docs/_build`` with the extra ``docs``."""

import shutil
import warnings
from pathlib import Path

import pandas as pd

import hawkeys

HERE = Path(__file__).parent

project = "hawkeys"
author = "The hawkeys developers"
project_copyright = "The hawkeys developers"
release = version = hawkeys.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "myst_nb",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = [
    "_build",
    "jupyter_execute",
    "gallery",
    "notebooks.md",
    "pitfalls_table.md",
    "plots/*.[!r]*",
]
source_suffix = {".rst": "restructuredtext", ".md": "myst-nb", ".ipynb": "myst-nb"}
default_role = "py:obj"
autodoc_typehints = "none"  # numpydoc's own section says the types, with shapes
autosummary_generate = True
autosummary_imported_members = True
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
# inherited methods of scikit-learn refer to labels of its own site; our pages have none
suppress_warnings = ["ref.ref"]
# outputs are committed with the notebooks, and a test repeats them
nb_execution_mode = "off"
myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3

html_theme = "pydata_sphinx_theme"
html_title = "hawkeys"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_theme_options = {
    "show_prev_next": False,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
# pages without pages below them have nothing to put into a sidebar
html_sidebars = {path.stem: [] for path in HERE.glob("*.md")}
# no request leaves the page: the formulas are set by the copy beside it
mathjax_path = "mathjax/tex-svg.js"

sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "plots",
    "filename_pattern": r"plot_",
    "download_all_examples": False,
    "show_signature": False,
    "show_memory": False,
    "min_reported_time": 1_000,
    "abort_on_example_error": True,
    "copyfile_regex": r"",
    "nested_sections": False,
    "write_computation_times": False,
}
warnings.filterwarnings("ignore", category=DeprecationWarning)


def copy_from_the_checkout(_app):
    """Put the notebooks and the picture of the README where Sphinx reads."""
    target = HERE / "notebooks"
    target.mkdir(exist_ok=True)
    for notebook in (HERE.parent / "notebooks").glob("*.ipynb"):
        shutil.copy2(notebook, target)
    shutil.copy2(HERE / "notebooks.md", target / "index.md")
    picture = HERE.parent / "benchmarks" / "results" / "readme.png"
    shutil.copy2(picture, HERE / "_static" / "readme.png")


def write_the_table_of_pitfalls(_app):
    """Turn the saved results into a table of the site: mean (sd) and truth, a row a treatment."""
    rows = pd.read_csv(
        HERE.parent / "benchmarks" / "results" / "pitfalls.csv", keep_default_na=False
    )
    figures = ["branching ratio", "decay", "baseline", "rejected"]
    lines = ["| pitfall | treatment | " + " | ".join(figures) + " |", "|---" * 6 + "|"]
    for (pitfall, treatment), group in rows.groupby(["pitfall", "treatment"], sort=False):
        cells = {row.figure: _cell(row) for row in group.itertuples()}
        shown = [pitfall, treatment, *(cells.get(name, "") for name in figures)]
        lines.append("| " + " | ".join(shown) + " |")
    (HERE / "pitfalls_table.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _cell(row):
    if row.figure == "rejected":
        return f"{100 * float(row.mean):.1f} %"
    lost = f", none in {row.no_estimate}" if int(row.no_estimate) else ""
    return f"{float(row.mean):.3f} ({float(row.sd):.3f}{lost})"


def setup(app):
    """Called by Sphinx."""
    app.connect("builder-inited", copy_from_the_checkout, priority=1)
    app.connect("builder-inited", write_the_table_of_pitfalls, priority=2)
