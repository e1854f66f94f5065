"""The tasks of ``hawkeys benchmark`` besides fixed text: event times, few samples, free text."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from hawkeys._files import write_text
from hawkeys._validation import check_fraction
from hawkeys.cli.logs import print_json
from hawkeys.cli.tasks.options import TASKS, TaskOptions, networks_option
from hawkeys.evaluation import check_output_directory
from hawkeys.evaluation.report.task import TaskPage, write_task_page
from hawkeys.exceptions import InvalidParameterError

TITLES = {
    "event-times": "Who types, by times of events alone",
    "few-shot": "New people who enrol with few samples",
    "free-text": "Who typed a sentence",
}

__all__ = ["TASKS", "TaskOptions", "networks_option", "run_task"]


def run_task(task: str, asked: TaskOptions) -> None:
    """Run a task, print its tables and write them as csv and as a page.

    Parameters
    ----------
    task : {"event-times", "few-shot", "free-text"}
        Which.
    asked : TaskOptions
        How.

    Raises
    ------
    InvalidParameterError
        A path is given for simulated data, or `false_alarm` is no fraction.
    DatasetNotFoundError, DatasetError
        Real data were asked for and are not there, or are damaged.
    OutputError
        The tables cannot be written.
    MissingExtraError
        Networks are asked for without torch.
    """
    if asked.networks:
        from hawkeys.neural import require_torch

        require_torch()
    check_fraction(asked.false_alarm, "false_alarm")
    if asked.dataset == "demo" and asked.data_path is not None:
        raise InvalidParameterError(
            f"the demo is simulated and reads no file, got --data-path {asked.data_path!r}. Leave "
            "one of the two out."
        )
    if asked.output is not None:
        check_output_directory(asked.output)
    # a task imports networks and processes that the others do without
    name = task.replace("-", "_")
    tables = getattr(import_module(f"hawkeys.cli.tasks.{name}"), f"run_{name}")(asked)
    if asked.output is not None:
        Path(asked.output).mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            write_text(Path(asked.output) / f"{name}.csv", table.to_csv(index=False))
        page = write_task_page(_page(task, asked), asked.output)
        asked.say(f"\nTables: {asked.output}/{', '.join(f'{name}.csv' for name in tables)}")
        asked.say(f"Report: {page}")
    if asked.as_json:
        rows = {name: table.to_dict("records") for name, table in tables.items()}
        print_json(f"benchmark-{task}", {"output": asked.output, **rows})


def _page(task: str, asked: TaskOptions) -> TaskPage:
    """Return the page of a task: what it said first is what was compared."""
    lead, *rest = [one for one in asked.said if not isinstance(one, str) or one]
    return TaskPage(
        title=TITLES[task],
        lead=str(lead),
        parts=[("Results", rest)],
        command=asked.command(task),
        notice=" ".join(asked.notices),
    )
