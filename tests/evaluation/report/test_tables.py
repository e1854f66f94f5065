"""Numbers as text."""

import pandas as pd
import pytest

from hawkeys.evaluation.report.tables import interval_text, rate_text, summary_rows, summary_table


@pytest.mark.parametrize(
    ("rate", "text"),
    [(0.0, ".000"), (0.0625, ".062"), (0.9994, ".999"), (0.9996, "1.00"), (1.0, "1.00")],
)
def test_rates_take_four_characters(rate, text):
    assert rate_text(rate) == text


def test_table():
    columns = {"miss_rate": [0.25, 0.5], "eer": [0.125, 0.25], "auc": [0.75, 1.0]}
    for name in tuple(columns):
        columns |= {f"{name}_lower": [0.0, 0.25], f"{name}_upper": [0.5, 1.0]}
    summary = pd.DataFrame(columns, index=["one", "second"])
    assert summary_rows(summary)[0] == (
        "one",
        ".250 (.000-.500)",
        ".125 (.000-.500)",
        ".750 (.000-.500)",
    )
    assert summary_table(summary, 0.05).splitlines() == [
        "verifier  miss at 5 %       EER               AUC",
        "one       .250 (.000-.500)  .125 (.000-.500)  .750 (.000-.500)",
        "second    .500 (.250-1.00)  .250 (.250-1.00)  1.00 (.250-1.00)",
    ]
    assert interval_text(1.0, 1.0, 1.0) == "1.00 (1.00-1.00)"
