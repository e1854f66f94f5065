"""What users of other libraries look for on a result: parameters by name, p-values, pictures."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy.stats import norm

import hawkeys
from hawkeys.exceptions import InvalidParameterError

TRUTH = hawkeys.Hawkes([0.4, 0.2], [[0.3, 0.1], [0.0, 0.5]], decay=2.0, mark_names="ab")
FILTERS = hawkeys.process.LogTimeFilters([0.2, 0.6, 1.5])


@pytest.fixture(scope="module")
def sample():
    return hawkeys.simulate(TRUTH, end_time=400.0, rng=0)


@pytest.fixture(scope="module")
def fitted(sample):
    return hawkeys.fit(sample, decay=2.0)


def test_spectral_radius_and_params(fitted):
    assert fitted.spectral_radius == np.abs(np.linalg.eigvals(fitted.adjacency)).max()
    names = ["baseline[a]", "baseline[b]"]
    names += [f"adjacency[{i}, {j}]" for i in "ab" for j in "ab"]
    assert fitted.params.index.tolist() == names
    assert fitted.params["adjacency[a, b]"] == fitted.adjacency[0, 1]
    assert fitted.params["baseline[b]"] == fitted.baseline[1]


def test_params_name_pieces_and_knots(sample):
    steps = hawkeys.baselines.PiecewiseConstant([0, 200, 400])
    changing = hawkeys.fit(sample, decay=2.0, baseline=steps)
    assert changing.params.index[:2].str.match(r"baseline\[a, .+\]").all()
    assert changing.params.index.is_unique
    linked = hawkeys.fit_nonlinear(sample, filters=FILTERS)
    assert linked.params.index.is_unique
    assert linked.params["baseline[b]"] == linked.parameters[1, 0]


def test_pvalues_are_wald_and_one_at_the_bound(fitted):
    z = fitted.adjacency / fitted.std_err[:, 1:]
    expected = np.where(fitted.at_bound[:, 1:], 1.0, norm.sf(z))
    np.testing.assert_allclose(fitted.pvalues, expected, rtol=1e-10)


def test_pvalues_of_signed_entries_are_two_sided(sample):
    result = hawkeys.fit_rectified(sample, decay=2.0)
    z = np.abs(result.adjacency) / result.std_err[:, 1:]
    np.testing.assert_allclose(result.pvalues, 2.0 * norm.sf(z), rtol=1e-8)


@pytest.mark.parametrize("method", ["mle", "least_squares"])
def test_pvalues_keep_their_level(method):
    """At most 5 % of 500 true hypotheses are rejected at 5 %, and half have the p-value 1."""
    samples = hawkeys.simulate(TRUTH, end_time=400.0, n_realizations=500, rng=8)
    fits = (hawkeys.fit(samples[k], decay=2.0, method=method) for k in range(500))
    values = np.array([result.pvalues[1, 0] for result in fits])
    assert 0.01 <= np.mean(values < 0.05) <= 0.05 + 3 * 0.0097
    assert abs(np.mean(values == 1.0) - 0.5) <= 3 * 0.0224
    assert np.mean(values < 0.5) > 0.3


@pytest.mark.parametrize("method", ["map", "vi"])
def test_no_pvalues_beside_a_prior(sample, method):
    assert np.isnan(hawkeys.fit(sample, decay=2.0, method=method).pvalues).all()


def test_each_realisation_has_params_and_a_radius():
    samples = hawkeys.simulate(TRUTH, end_time=100.0, n_realizations=3, rng=2)
    each = hawkeys.fit_each(samples, decay=2.0)
    assert each.params.shape == (3, 6)
    for k in range(3):
        alone = hawkeys.fit(samples[k], decay=2.0)
        assert each.params.columns.tolist() == alone.params.index.tolist()
        np.testing.assert_allclose(each.params.loc[k], alone.params, rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(each.spectral_radius[k], alone.spectral_radius, rtol=1e-6)


def test_each_realisation_names_the_pieces_of_its_baseline():
    samples = hawkeys.simulate(TRUTH, end_time=100.0, n_realizations=2, rng=2)
    steps = hawkeys.baselines.PiecewiseConstant([0, 50, 100])
    each = hawkeys.fit_each(samples, decay=2.0, baseline=steps)
    alone = hawkeys.fit(samples[1], decay=2.0, baseline=steps)
    assert each.params.columns.tolist() == alone.params.index.tolist()
    np.testing.assert_allclose(each.params.loc[1], alone.params, rtol=1e-6, atol=1e-9)


def test_forecast_is_the_function(fitted, sample):
    mine = fitted.forecast(sample, 20.0, n_paths=50)
    theirs = hawkeys.forecast(fitted, sample, 20.0, n_paths=50)
    assert mine.to_frame().equals(theirs.to_frame())


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_plot_saves_in_every_format(fitted, tmp_path, ending):
    figure = fitted.plot(level=0.9)
    assert [axes.get_title() for axes in figure.axes[:2]] == [
        "baseline, 90 % intervals",
        "adjacency, 90 % intervals",
    ]
    path = tmp_path / f"fit.{ending}"
    figure.savefig(path)
    begins = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}
    assert path.read_bytes().startswith(begins[ending])
    plt.close(figure)


def test_plot_draws_the_intervals(fitted):
    figure = fitted.plot()
    lines = figure.axes[1].collections[0].get_segments()
    lower, upper = (bound[:, 1:].ravel() for bound in fitted.conf_int())
    drawn = [segment[:, 0] for segment in lines if len(segment)]
    known = np.isfinite(lower)  # none at the bound
    assert known.sum() == 3
    np.testing.assert_allclose(drawn, np.column_stack((lower, upper))[known])
    plt.close(figure)


def test_no_label_of_the_picture_is_cut(fitted):
    figure = fitted.plot()
    figure.canvas.draw()
    inside = figure.bbox
    for axes in figure.axes:
        box = axes.get_tightbbox()
        assert inside.x0 <= box.x0
        assert box.x1 <= inside.x1
        assert inside.y0 <= box.y0
        assert box.y1 <= inside.y1
    plt.close(figure)


def test_results_of_other_fits_have_them_too(sample):
    for result in (
        hawkeys.fit(sample, decay=2.0, method="vi"),
        hawkeys.fit(sample, decay=2.0, method="least_squares"),
        hawkeys.fit_rectified(sample, decay=2.0),
    ):
        assert result.spectral_radius == result.process.spectral_radius
        assert result.params.size == 6
        plt.close(result.plot())


@pytest.mark.parametrize("name", ["MLE", "Mle", " mle", "Least-Squares", "least squares", "VI"])
def test_methods_in_any_case(sample, name):
    plain = name.strip().lower().replace("-", "_").replace(" ", "_")
    one, other = (hawkeys.fit(sample, decay=2.0, method=given) for given in (name, plain))
    assert one.method == other.method
    np.testing.assert_array_equal(one.estimates, other.estimates)
    if plain == "mle":
        each = hawkeys.fit_each(sample, decay=2.0, method=name)
        np.testing.assert_array_equal(
            each.adjacency[0], hawkeys.fit_each(sample, decay=2.0).adjacency[0]
        )


@pytest.mark.parametrize("name", ["ml", 3, None])
def test_no_such_method(sample, name):
    with pytest.raises(InvalidParameterError, match="method must be one of 'mle'"):
        hawkeys.fit(sample, decay=2.0, method=name)
