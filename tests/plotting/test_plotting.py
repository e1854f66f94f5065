"""Plots of matrices: what is written in the squares."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from hawkeys.exceptions import InvalidParameterError
from hawkeys.plotting import plot_adjacency

MATRIX = np.array([[0.3, 0.0], [2e-8, 12.5]])


def test_entries_are_written_into_their_squares():
    ax = plot_adjacency(MATRIX, mark_names=["a", "b"], ax=Figure().subplots())
    written = {text.get_position(): text.get_text() for text in ax.texts}
    # x is the source, y the target; what is small but positive does not read 0
    assert written == {(0, 0): "0.3", (1, 0): "0", (0, 1): "<.01", (1, 1): "12"}
    assert ax.get_xlabel() == "source"
    assert ax.get_ylabel() == "target"


def test_names_must_match():
    with pytest.raises(InvalidParameterError, match="got 1 mark_names for 2 marks"):
        plot_adjacency(MATRIX, mark_names=["a"], ax=Figure().subplots())
