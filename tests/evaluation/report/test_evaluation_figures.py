"""What the figures show, read back from the drawn objects."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from hawkeys.evaluation.rates.curves import MeanCurve
from hawkeys.evaluation.report.figures import (
    draw_adjacency,
    draw_embedding,
    draw_roc,
    session_means,
)
from hawkeys.evaluation.report.pictures import Gallery, adjacency_pictures
from hawkeys.evaluation.stages import Samples
from hawkeys.exceptions import InvalidParameterError

CURVE = MeanCurve(np.array([0.0, 0.1, 0.5, 1.0]), np.array([0.9, 0.4, 0.1, 0.0]))


def new_axes():
    return Figure().subplots()


def test_roc_shows_false_alarms_against_impostors_rejected():
    ax = draw_roc({"v": CURVE}, false_alarm=0.2, ax=new_axes())
    x, y = ax.lines[0].get_data()
    np.testing.assert_allclose(x, [0, 10, 50, 100])
    np.testing.assert_allclose(y, [10, 60, 90, 100])
    assert ax.lines[-1].get_xdata() == [20.0, 20.0]


def test_curves_differ_in_colour_and_dashes():
    ax = draw_roc(dict.fromkeys("abcdefgh", CURVE), ax=new_axes())
    looks = [(line.get_color(), line.get_linestyle()) for line in ax.lines[:8]]
    assert len(set(looks)) == 8


def test_a_new_figure_is_made_without_axes():
    import matplotlib.pyplot as plt

    ax = draw_roc({"v": CURVE})
    assert ax.figure in map(plt.figure, plt.get_fignums())
    plt.close("all")


def test_session_means_follow_the_labels():
    adjacency = np.arange(3 * 4, dtype=float).reshape(3, 2, 2)
    means, sessions = session_means(adjacency, [2, 1, 2])
    assert sessions == (1, 2)
    np.testing.assert_array_equal(means[0], adjacency[1])
    np.testing.assert_array_equal(means[1], (adjacency[0] + adjacency[2]) / 2)


def test_heat_maps_show_the_means_with_targets_as_rows():
    """An asymmetric matrix: the key on the left is triggered by the key below."""
    adjacency = np.zeros((4, 3, 3))
    adjacency[:, 2, 0] = [1.0, 3.0, 5.0, 5.0]
    figure = draw_adjacency(adjacency, [1, 1, 2, 2], ["a", "b", "c"], title="typist")
    first, second = (ax for ax in figure.axes if ax.get_title().startswith("session"))
    assert (first.get_title(), second.get_title()) == ("session 1", "session 2")
    assert first.images[0].get_array()[2, 0] == 2.0
    assert second.images[0].get_array()[2, 0] == 5.0
    assert [tick.get_text() for tick in first.get_yticklabels()] == ["a", "b", "c"]
    assert {ax.images[0].get_clim() for ax in (first, second)} == {(0.005, 5.0)}
    assert figure.get_suptitle() == "typist"
    assert figure.get_supylabel() == "triggered key"


@pytest.mark.parametrize("own_sessions", [False, True])
def test_a_figure_that_is_drawn_again_is_the_one_drawn_anew(tmp_path, own_sessions):
    """Of several typists only the first figure is laid out, unless their sessions differ."""
    rng = np.random.default_rng(0)
    adjacency = rng.exponential(size=(12, 3, 3))
    adjacency[:, 0, 2] = np.nan
    session = np.tile([1, 2, 3], 4)
    session[-1] = 5 if own_sessions else 3
    samples = Samples(np.repeat(["anna", "Bert", "c.2"], 4), session, ("a", "b", "c"))
    found = list(adjacency_pictures(adjacency, samples, Gallery(tmp_path)))
    assert [one.path.stem for one in found] == [
        "adjacency_Bert",
        "adjacency_anna",
        "adjacency_no.3",
    ]
    own = {name: samples.subject == name for name in ("Bert", "anna", "c.2")}
    largest = max(np.nanmax(session_means(adjacency[m], session[m])[0]) for m in own.values())
    for one, (name, mask) in zip(found, own.items(), strict=True):
        alone = draw_adjacency(
            adjacency[mask], session[mask], "abc", title=f"Subject {name}", vmax=largest
        )
        alone.savefig(tmp_path / "alone.png", dpi=130)
        shown, wanted = imread(one.path), imread(tmp_path / "alone.png")
        np.testing.assert_array_equal(shown, wanted)


def test_entries_that_were_not_estimated_are_masked():
    adjacency = np.full((1, 2, 2), np.nan)
    adjacency[0, 1, 0] = 4.0
    figure = draw_adjacency(adjacency, [1], ["a", "b"], vmax=8.0)
    image = figure.axes[0].images[0]
    assert image.get_array().mask.tolist() == [[True, True], [False, True]]
    assert image.get_clim() == (0.008, 8.0)


def test_matrices_without_a_positive_entry_can_be_drawn():
    figure = draw_adjacency(np.zeros((1, 2, 2)), [1], ["a", "b"])
    assert figure.axes[0].images[0].get_clim() == (0.001, 1.0)


def test_empty_panels_of_the_last_row_are_hidden():
    figure = draw_adjacency(np.zeros((5, 1, 1)), np.arange(5), ["a"], vmax=1.0)
    assert sum(ax.axison for ax in figure.axes if not ax.get_title()) == 1  # the colour bar


def test_every_subject_has_its_own_points():
    points = np.arange(8.0).reshape(4, 2)
    ax = draw_embedding(points, ["b", "a", "b", "a"], title="map", ax=new_axes())
    first, second = ax.collections
    assert (first.get_label(), second.get_label()) == ("a", "b")
    np.testing.assert_array_equal(first.get_offsets(), points[[1, 3]])
    np.testing.assert_array_equal(second.get_offsets(), points[[0, 2]])


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ((np.zeros((2, 3)), [1, 2], "ab"), r"adjacency must have shape.*got shape \(2, 3\)"),
        ((np.zeros((2, 3, 2)), [1, 2], "ab"), r"one square matrix per sample"),
        ((np.zeros((2, 2, 2)), [1], "ab"), r"session must have shape \(2,\).*got shape \(1,\)"),
        ((np.zeros((1, 2, 2)), [1], "abc"), "key_names must hold 2 names.*got 3"),
    ],
)
def test_shapes_that_do_not_fit(arguments, match):
    with pytest.raises(InvalidParameterError, match=match):
        draw_adjacency(*arguments)


def test_points_that_do_not_fit():
    with pytest.raises(InvalidParameterError, match=r"points must have shape \(3, 2\)"):
        draw_embedding(np.zeros((2, 2)), ["a", "b", "c"], ax=new_axes())
