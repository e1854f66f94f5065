"""The page of a task: paragraphs, tables and headings in their order."""

import re

import pandas as pd
import pytest

from hawkeys.evaluation.report.task import TaskPage, write_task_page
from hawkeys.exceptions import OutputError

TABLE = pd.DataFrame({"system": ["<b>one</b>", "two"], "EER": [0.2, 0.125], "n": [3, 40]})
PAGE = TaskPage(
    title="A task",
    lead="What was compared.",
    parts=[("Results", ["before", TABLE, "after", ""]), ("More", [TABLE[["n"]]])],
    command="hawkeys benchmark --task 'a task'",
    notice="SIMULATED",
)


def test_the_page_says_all_in_order(tmp_path):
    text = write_task_page(PAGE, tmp_path).read_text(encoding="utf-8")
    assert (tmp_path / "report.html").exists()
    order = ["A task", "SIMULATED", "What was compared", "Results", "before", "0.200", "after",
             "More", "--task &#39;a task&#39;"]  # fmt: skip
    places = [text.index(part, text.index("<h1>")) for part in order]
    assert places == sorted(places)
    rows = re.findall("<tr>(.*?)</tr>", text)
    assert rows[0] == "<th>system</th><th>EER</th><th>n</th>"
    assert rows[2] == "<td>two</td><td>0.125</td><td>40</td>"
    assert rows[3:] == ["<th>n</th>", "<td>3</td>", "<td>40</td>"]
    assert "<b>one" not in text  # names are text, whatever they hold
    assert "&lt;b&gt;one" in text


def test_what_is_not_known_is_left_blank(tmp_path):
    table = pd.DataFrame({"miss": [float("nan"), 0.5], "ms": [1.0, 2.0]})
    page = TaskPage("A task", "Lead.", [("", [table])], "hawkeys")
    text = write_task_page(page, tmp_path).read_text(encoding="utf-8")
    assert "<td></td><td>1</td>" in text
    assert "<td>0.5</td><td>2</td>" in text
    assert "About the data" not in text


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(OutputError, match=r"report\.html"):
        write_task_page(PAGE, tmp_path / "nowhere")
