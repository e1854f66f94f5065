"""What a summary shows of so many marks that its rows would hold baselines alone."""

import re

import numpy as np
import pytest
from matplotlib.figure import Figure

import hawkeys
from hawkeys.inference import Lasso

SIZE = 45
RNG = np.random.default_rng(3)


@pytest.fixture(scope="module")
def result():
    adjacency = np.zeros((SIZE, SIZE))
    adjacency[np.arange(SIZE), (np.arange(SIZE) + 1) % SIZE] = RNG.uniform(0.2, 0.6, SIZE)
    truth = hawkeys.Hawkes(RNG.uniform(0.1, 0.5, SIZE), adjacency, decay=2.0)
    events = hawkeys.simulate(truth, end_time=100.0, rng=1)
    return hawkeys.fit(events, decay=2.0, method="map", prior=Lasso(12.0))


def test_the_summary_shows_the_strongest(result):
    text = result.summary()
    rows = re.findall(r"^ *(baseline|adjacency) +(\d+) *(\d*) +([\d.e-]+) ", text, re.MULTILINE)
    baselines = [float(value) for kind, _, _, value in rows if kind == "baseline"]
    pairs = [(int(i), int(j), float(w)) for kind, i, j, w in rows if kind == "adjacency"]
    np.testing.assert_allclose(baselines, np.sort(result.baseline)[::-1][:10], rtol=1e-3)
    strongest = np.sort(result.adjacency, axis=None)[::-1][:30]
    np.testing.assert_allclose([w for *_, w in pairs], strongest, rtol=1e-3)
    for i, j, w in pairs:
        assert result.adjacency[i, j] == pytest.approx(w, rel=1e-3)
    n_above = int((result.adjacency > 0).sum())
    told = (
        f"Shown: the 10 largest of 45 baselines, and the 30 strongest of {n_above} influences that "
        "are not 0, of 2025; all: to_frame()."
    )
    assert told in text
    assert "more rows" not in text
    assert told in result._repr_html_()


def test_few_marks_are_shown_as_they_come():
    found = hawkeys.fit([[0.5, 1.0, 2.5], [1.1, 2.6]], decay=1.0, end_time=4.0)
    assert "Shown:" not in found.summary()


def test_a_fit_without_any_influence_is_shown(result):
    events = hawkeys.simulate(result.process, end_time=20.0, rng=1)
    found = hawkeys.fit(events, decay=2.0, method="map", prior=Lasso(1e6))
    assert "and the 0 strongest of 0 influences that are not 0" in found.summary()


def test_its_picture_can_be_clustered(result):
    axes = result.plot_adjacency(Figure().subplots(), cluster=True)
    given = result.plot_adjacency(Figure().subplots())
    drawn, plain = (np.asarray(ax.images[0].get_array()) for ax in (axes, given))
    assert not np.array_equal(drawn, plain)
    np.testing.assert_array_equal(np.sort(drawn, axis=None), np.sort(plain, axis=None))
