"""The bootstrap of fits by other methods than maximum likelihood."""

import numpy as np
import pytest

import hawkeys
from hawkeys.exceptions import ConvergenceWarning, InvalidParameterError
from hawkeys.inference import bootstrap

TRUTH = hawkeys.Hawkes([0.5, 0.4], [[0.3, 0.2], [0.1, 0.4]], decay=2.0)
EVENTS = hawkeys.simulate(TRUTH, end_time=[400.0, 300.0], rng=1)


@pytest.mark.parametrize("method", ["least_squares", "vi", "vi_stochastic", "vi_branching"])
def test_realizations_are_drawn_and_fitted_alike(method):
    """Each replicate of two realisations is one of three fits, made here by hand."""
    result = hawkeys.fit(EVENTS, decay=2.0, method=method)
    found = bootstrap(result, EVENTS, kind="realizations", n_replicates=6, rng=0)
    by_hand = [
        hawkeys.fit(EVENTS[np.array(picked)], decay=2.0, method=method).estimates
        for picked in ([0, 0], [1, 1], [0, 1], [1, 0])
    ]
    for replicate in found.replicates:
        assert min(np.nanmax(np.abs(replicate - one)) for one in by_hand) < 1e-9


def test_errors_of_least_squares_and_of_inhibition_agree_with_the_bootstrap():
    """Standard errors by theory and by 80 replicates, whose own relative error is 8 %."""
    for result in (
        hawkeys.fit(EVENTS, decay=2.0, method="least_squares"),
        hawkeys.fit_rectified(EVENTS, decay=2.0),
    ):
        found = bootstrap(result, EVENTS, n_replicates=80, rng=0)
        assert found.n_failed == 0
        ratio = found.std_err / result.std_err
        assert (np.abs(np.log(ratio)) < np.log(1.4)).all(), ratio


def test_what_has_no_bootstrap():
    with pytest.raises(InvalidParameterError, match=r"hawkeys\.fit_nonlinear; got 'int'"):
        bootstrap(3, EVENTS)
    with pytest.warns(ConvergenceWarning):
        early = hawkeys.fit(EVENTS, decay=2.0, method="vi", max_iter=1)
    with pytest.raises(InvalidParameterError, match="needs a fit that converged"):
        bootstrap(early, EVENTS)
