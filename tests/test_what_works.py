"""The page of what works with what says what is so: every cell is tried."""

import re

import matplotlib.pyplot as plt
import pytest
from what_works import COLUMNS, REASONS, ROWS, on_page, reason_of, table, try_row


@pytest.fixture(scope="module")
def cells():
    plt.switch_backend("agg")
    return {row: try_row(row) for row in ROWS}


def test_the_page_is_what_was_tried(cells):
    assert on_page() == table(cells)


@pytest.mark.parametrize("row", ROWS)
def test_every_empty_cell_has_its_reason(cells, row):
    for column, told in cells[row].items():
        reason = reason_of(row, column)
        if told == "yes":
            assert reason is None, f"{row}, {column}: works by now; take the reason away"
        else:
            assert reason is not None, f"{row}, {column}: {told}"
            assert re.search(REASONS[reason][3], told), f"{row}, {column}: {told}"


def test_fits_by_maximum_likelihood_have_no_empty_cell(cells):
    likely = [row for row in ROWS if row not in {name for one in REASONS for name in one[0]}]
    assert len(likely) >= 9
    assert all(told == "yes" for row in likely for told in cells[row].values())
    assert len(cells) * len(COLUMNS) >= 200
