"""Plots: what is written in the squares, on the axes and in the legends, and what hides what."""

import numpy as np
import pytest
from looks import check_words, heat_maps_without_bar, hidden_by_legend
from matplotlib import pyplot as plt
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

import hawkeys
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference import edge_tests, penalty_path
from hawkeys.plotting import plot_adjacency, plot_intensity
from hawkeys.plotting.adjacency import cluster_marks
from hawkeys.results.decay_profile import DecayProfile

MATRIX = np.array([[0.3, 0.0], [2e-8, 12.5]])
TRUTH = hawkeys.Hawkes([0.4, 0.2], [[0.3, 0.1], [0.0, 0.5]], decay=2.0)


@pytest.fixture(scope="module")
def sample():
    return hawkeys.simulate(TRUTH, end_time=500.0, rng=0)


@pytest.fixture
def no_figures():
    plt.close("all")
    yield
    plt.close("all")


def new_axes():
    return Figure(layout="constrained").subplots()


class TestTheChecksThemselves:
    """Each finds the fault that it is there for."""

    def test_formulas(self):
        ax = new_axes()
        ax.set_xscale("log")
        ax.set_xlim(0.01, 100.0)
        with pytest.raises(AssertionError):
            check_words(ax.figure)

    def test_a_matrix_without_a_bar(self):
        ax = new_axes()
        image = ax.imshow(MATRIX)
        assert heat_maps_without_bar(ax.figure) == [ax]
        ax.figure.colorbar(image)
        assert heat_maps_without_bar(ax.figure) == []

    def test_an_error_bar_under_a_legend(self):
        ax = new_axes()
        ax.errorbar([0, 1], [0.1, 0.1], yerr=[0.1, 0.9], label="v")
        ax.legend(loc="upper right")
        assert hidden_by_legend(ax)
        ax.legend(loc="upper left")
        assert hidden_by_legend(ax) == set()


def test_entries_are_written_into_their_squares():
    ax = plot_adjacency(MATRIX, mark_names=["a", "b"], ax=Figure().subplots())
    written = {text.get_position(): text.get_text() for text in ax.texts}
    # x is the source, y the target; what is small but positive does not read 0
    assert written == {(0, 0): "0.3", (1, 0): "0", (0, 1): "<.01", (1, 1): "12"}
    assert ax.get_xlabel() == "source"
    assert ax.get_ylabel() == "target"


def test_small_inhibition_does_not_read_zero():
    ax = plot_adjacency([[0.3, -0.5], [0.0, -0.003]], ax=Figure().subplots())
    assert [text.get_text() for text in ax.texts] == ["0.3", "-0.5", "0", ">-.01"]


def test_names_must_match():
    with pytest.raises(InvalidParameterError, match="got 1 mark_names for 2 marks"):
        plot_adjacency(MATRIX, mark_names=["a"], ax=Figure().subplots())


def test_of_many_names_some_are_written():
    ax = plot_adjacency(np.eye(100), ax=Figure().subplots())
    assert ax.get_xticks().tolist() == ax.get_yticks().tolist() == list(range(0, 100, 3))
    assert [text.get_text() for text in ax.get_yticklabels()][-1] == "99"
    ax.figure.draw_without_rendering()
    for labels in (ax.get_xticklabels(), ax.get_yticklabels()):
        boxes = [label.get_window_extent() for label in labels]
        overlapping = [a for k, a in enumerate(boxes) if any(a.overlaps(b) for b in boxes[:k])]
        assert overlapping == []
    few = plot_adjacency(np.eye(40), ax=Figure().subplots())
    assert few.get_xticks().tolist() == list(range(40))


def test_the_scale_of_zeros_is_no_rounding_error():
    assert plot_adjacency(np.zeros((2, 2)), ax=new_axes()).images[0].get_clim() == (0.0, 1.0)


def test_matrices_have_bars_and_words(sample):
    result = hawkeys.fit(sample, decay=2.0)
    for ax in (
        result.plot_adjacency(new_axes()),
        plot_adjacency([[0.3, -0.5], [0.1, 0.0]], ax=new_axes()),
        edge_tests(result, sample).plot(new_axes()),
    ):
        assert heat_maps_without_bar(ax.figure) == []
        check_words(ax.figure)


def test_p_values_are_written_as_numbers(sample):
    ax = edge_tests(hawkeys.fit(sample, decay=2.0), sample).plot(new_axes())
    ax.figure.draw_without_rendering()
    bar = next(one for one in ax.figure.axes if one.get_label() == "<colorbar>")
    written = [text.get_text() for text in bar.get_yticklabels()]
    assert [one for one in written if 1e-4 <= float(one) <= 1] == [
        "0.0001",
        "0.001",
        "0.01",
        "0.1",
        "1",
    ]
    assert isinstance(ax.images[0].norm, LogNorm)


def profile(decays, peak, width):
    """A profile that is a parabola in the log decay: its interval is peak e^(+-1.96 width)."""
    decays = np.asarray(decays, dtype=float)
    fall = -0.5 * (np.log(decays / peak) / width) ** 2
    return DecayProfile(decays, fall - 300.0, fall - 300.0)


class TestDecayProfile:
    @pytest.mark.parametrize("width", [0.002, 0.05, 0.5])
    def test_the_interval_takes_a_third_of_the_axis(self, width):
        steps = np.linspace(-7.0, 7.0, 29)
        decays = np.concatenate((np.exp(width * steps) * 2.0, [1e-7, 1e7]))
        ax = profile(np.sort(decays), 2.0, width).plot(new_axes())
        left, right = np.log(ax.get_xlim())
        ends = np.log(2.0) + 1.959964 * width * np.array([-1.0, 1.0])
        assert (ends[1] - ends[0]) / (right - left) == pytest.approx(1 / 3, rel=0.1)
        assert np.mean([left, right]) == pytest.approx(np.log(2.0), abs=0.1 * (right - left))
        check_words(ax.figure)
        assert 2 <= len([t for t in ax.get_xticklabels() if t.get_text()]) <= 10

    def test_the_curve_meets_its_level_where_the_interval_ends(self):
        one = profile([0.5, 1.0, 2.0, 4.0, 8.0], 2.0, 0.3)
        ax = one.plot(new_axes())
        x, y = ax.lines[0].get_data()
        for end in one.interval():
            assert np.interp(np.log(end), np.log(x), y) == pytest.approx(-1.9207, abs=0.02)
        # the true profile, though only five points of it are known
        np.testing.assert_allclose(y, -0.5 * (np.log(x / 2.0) / 0.3) ** 2, atol=1e-9)

    def test_neighbours_of_the_maximum_are_shown(self):
        ax = profile([0.5, 1.0, 2.0, 4.0], 2.0, 0.01).plot(new_axes())
        left, right = ax.get_xlim()
        assert 0.5 < left < 1.0 < 4.0 < right

    def test_one_candidate_and_a_maximum_at_the_edge_can_be_drawn(self):
        assert profile([2.0], 2.0, 0.1).plot(new_axes()).get_xlim()[0] < 2.0
        assert profile([1.0, 2.0, 4.0], 9.0, 0.3).plot(new_axes()).get_xlim()[1] > 4.0

    def test_the_choice_of_a_cross_validation_is_shown(self):
        objective = np.array([-np.inf, -300.0, -250.0, -251.0, -270.0, -290.0])
        score = np.array([-90.0, -80.0, -70.0, -70.0, -60.0, -65.0])
        one = DecayProfile(2.0 ** np.arange(6), objective, score, "cross-validation")
        ax = one.plot(new_axes())
        left, right = ax.get_xlim()
        assert 1.0 < left < 2.0
        assert right > 31.0
        check_words(ax.figure)

    def test_of_a_fit(self, sample):
        found = hawkeys.fit(sample, decay="estimate").decay_profile
        ax = found.plot(new_axes())
        lower, upper = np.log(found.interval())
        assert 0.2 < (upper - lower) / np.diff(np.log(ax.get_xlim()))[0] < 0.5
        check_words(ax.figure)


def test_path_in_words_with_its_legend_beside_it(sample, no_figures):
    ax = penalty_path(sample, decay=2.0, n_strengths=10).plot()
    check_words(ax.figure)
    ax.figure.draw_without_rendering()
    box = ax.get_legend().get_window_extent()
    assert box.x0 >= ax.get_window_extent().x1
    assert box.x1 <= ax.figure.bbox.x1


@pytest.mark.parametrize(("size", "figsize"), [(2, (6.4, 4.8)), (8, (6.4, 4.8)), (8, (11.0, 4.0))])
def test_the_legend_of_intensities_hides_none(size, figsize):
    names = [f"neuron {k}" for k in range(size)]
    process = hawkeys.Hawkes(np.full(size, 0.1), np.eye(size) / 2, decay=1.0, mark_names=names)
    # bursts everywhere below the legend
    events = hawkeys.Events.from_lists([[np.arange(1.0, 50.0)] * size], end_times=50.0)
    events = hawkeys.Events.from_lists(events.to_lists(), end_times=50.0, mark_names=names)
    ax = plot_intensity(process, events, ax=Figure(figsize).subplots())
    assert hidden_by_legend(ax) == set()


def test_points_outside_the_band_are_counted(sample):
    """A process whose excitation is left out: residuals that are no Exp(1)."""
    wrong = hawkeys.Hawkes([0.6, 0.6], np.zeros((2, 2)), decay=1.0)
    check = hawkeys.goodness_of_fit(wrong, sample, refit=False, n_mc_samples=39, rng=0)
    ax = check.plot_qq(new_axes())
    inside, outside = ax.lines[1:]
    n_inside, n_outside = len(inside.get_xdata()), len(outside.get_xdata())
    assert outside.get_label() == f"outside the band: {n_outside} of {sample.n_events}"
    assert n_inside + n_outside == sample.n_events
    # by hand: the distance of the empirical distribution, as Kolmogorov and Smirnov measure it
    x = np.sort(check.residuals)
    reach = check._reach("ks", 0) / np.sqrt(x.size)
    k = np.arange(x.size)
    far = np.maximum((k + 1) / x.size + np.expm1(-x), -np.expm1(-x) - k / x.size) > reach
    np.testing.assert_array_equal(np.sort(outside.get_ydata()), x[far])


def test_a_right_model_has_no_point_outside(sample):
    check = hawkeys.goodness_of_fit(TRUTH, sample, refit=False, n_mc_samples=39, rng=0)
    ax = check.plot_qq(new_axes())
    words = [text.get_text() for text in ax.get_legend().get_texts()]
    assert words == ["95 % band", "Exp(1)", "all marks"]


@pytest.mark.usefixtures("no_figures")
def test_a_figure_that_we_make_has_room_for_its_labels():
    names = ["a very long name of a mark", "b"]
    ax = plot_adjacency(MATRIX, mark_names=names)
    ax.figure.draw_without_rendering()
    assert ax.get_tightbbox().x0 >= 0
    ours = plt.figure()  # one that the caller made stays as it is
    assert plot_adjacency(MATRIX).figure is ours
    assert ours.get_layout_engine() is None


def test_marks_of_one_cluster_are_side_by_side():
    """Three groups of marks, in an order that hides them, and two marks without an edge."""
    group = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2])
    matrix = np.zeros((14, 14))
    matrix[:12, :12] = 0.3 * (group[:, None] == group)
    order = cluster_marks(matrix)
    assert sorted(order.tolist()) == list(range(14))
    assert order[-2:].tolist() == [12, 13]
    assert np.count_nonzero(np.diff(group[order[:12]])) == 2
    drawn = plot_adjacency(matrix, cluster=True, ax=new_axes())
    image = drawn.images[0].get_array()
    np.testing.assert_array_equal(image, matrix[np.ix_(order, order)])
    assert [text.get_text() for text in drawn.get_yticklabels()] == [str(k) for k in order]
    given = plot_adjacency(matrix, ax=new_axes()).images[0].get_array()
    np.testing.assert_array_equal(given, matrix)


@pytest.mark.parametrize("size", [1, 2])
def test_few_marks_keep_their_order(size):
    np.testing.assert_array_equal(cluster_marks(np.eye(size)), np.arange(size))


@pytest.mark.parametrize("value", [0.2, -0.2])
def test_one_pair_in_a_million_is_seen(value):
    matrix = np.zeros((1_001, 1_001))
    matrix[1_000, 3] = value
    axes = plot_adjacency(matrix, ax=new_axes())
    image = axes.images[0]
    shown = np.asarray(image.get_array())
    assert shown.shape == (201, 201)  # blocks of 5
    assert shown[200, 0] == value
    assert np.count_nonzero(shown) == 1
    assert tuple(image.get_extent()) == (-0.5, 1_004.5, 1_004.5, -0.5)
    assert axes.get_xlim() == (-0.5, 1_000.5)
    assert axes.get_ylim() == (1_000.5, -0.5)
    # the point's middle is within its block of marks
    assert 1_000 <= 200.5 * 5 - 0.5 <= 1_004
