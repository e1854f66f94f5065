"""Threads, forks and several processes at once: all right, and the same numbers as alone."""

import itertools
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from hawkeys._threads import in_threads, limit_threads, most_threads, n_threads
from hawkeys.exceptions import InvalidParameterError

# every method on data that are large enough for threads, as one list of arrays
PRELUDE = """
import sys
import warnings
import numpy as np
import hawkeys
from hawkeys.kernels import Exponential, LogNormal

warnings.simplefilter("ignore", hawkeys.exceptions.HawkeysWarning)
DECAYS = np.array([[1.0, 2.0], [0.5, 3.0]])
TRUTH = hawkeys.Hawkes([0.5, 0.4], [[0.3, 0.1], [0.2, 0.4]], kernel=Exponential(DECAYS))
LONG = hawkeys.simulate(TRUTH, end_time=6_500.0, rng=1)
SHORT = hawkeys.simulate(TRUTH, end_time=60.0, n_realizations=120, rng=2)
assert min(LONG.n_events, SHORT.n_events) * 2 > 20_000
FEW = hawkeys.simulate(TRUTH, end_time=300.0, n_realizations=4, rng=2)


def everything():
    out = []
    for events in (LONG, SHORT):
        for decay in (1.5, DECAYS[0], DECAYS):
            found = hawkeys.fit(events, decay=decay)
            out += [found.estimates, found.log_likelihood, found.std_err]
    for options in ({}, {"method": "vi"}, {"method": "map"}, {"method": "vi", "pooling": "row"}):
        found = hawkeys.fit_each(SHORT, decay=2.0, **options)
        out += [found.adjacency, found.log_likelihood]
    out.append(hawkeys.fit(FEW, decay=2.0, method="vi").estimates)
    out.append(hawkeys.fit(SHORT, kernel=LogNormal(-1.0, 0.5), method="vi_branching").estimates)
    stochastic = {"method": "vi_stochastic", "n_steps": 200, "rng": 3}
    out.append(hawkeys.fit(FEW, decay=2.0, **stochastic).estimates)
    searched = hawkeys.fit(FEW, decay="estimate", decay_sharing="pair")
    out.append(searched.estimates)
    result = hawkeys.fit(FEW, decay=2.0)
    gof = hawkeys.goodness_of_fit(result, FEW, n_mc_samples=9, rng=0)
    out.append(gof.pvalue)
    likelihood = hawkeys.LogLikelihood(LONG, decay=2.0)
    out += list(likelihood.value_and_gradient(np.full((2, 3), 0.3)))
    return [np.asarray(value) for value in out]


def same(found, expected):
    return len(found) == len(expected) and all(
        np.array_equal(a, b, equal_nan=True) for a, b in zip(found, expected)
    )
"""


def run(code, timeout=600, prelude=PRELUDE, **environment):
    """Run a prelude and `code` in a fresh process and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", prelude + code],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip()


AT_ONCE = """
from concurrent.futures import ThreadPoolExecutor
from hawkeys._threads import limit_threads

with limit_threads(1):
    alone = everything()
with limit_threads(3):
    assert same(everything(), alone)
with ThreadPoolExecutor(3) as pool:
    found = [future.result() for future in [pool.submit(everything) for _ in range(3)]]
print(len(alone), [same(one, alone) for one in found])
"""


def test_threads_that_fit_at_once():
    """And however many threads one fit uses: the numbers are those of a single thread, bit by bit.

    numba's workqueue layer would abort the process.
    """
    printed = run(AT_ONCE, NUMBA_THREADING_LAYER="workqueue", HAWKEYS_NUM_THREADS="3")
    assert printed == "33 [True, True, True]"


FORKED = """
import multiprocessing

def fit(seed):
    return hawkeys.fit(LONG, decay=1.5).estimates, hawkeys.fit_each(SHORT, decay=2.0).adjacency

expected = fit(0)
with multiprocessing.get_context("fork").Pool(2) as pool:
    found = pool.map(fit, range(4))
print([same(one, expected) for one in found])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_a_pool_by_fork_after_a_fit():
    assert run(FORKED, timeout=120, HAWKEYS_NUM_THREADS="2") == "[True, True, True, True]"


# a fit of which little has to be compiled, in several files; then how much was
FIRST = """
import sys
import numpy as np
import hawkeys
import hawkeys._jit.loading as loading
rng = np.random.default_rng(0)
lists = [np.sort(rng.uniform(0.0, 9_000.0, 12_000)) for _ in range(2)]
fitted = hawkeys.fit([lists], decay=1.5, end_time=9_000.0, method="least_squares")
print(fitted.adjacency.tolist())
print(sum(sum(one.stats.cache_misses.values()) for one in loading.functions()), file=sys.stderr)
"""


def test_ten_processes_that_compile_at_once_into_one_cache(tmp_path):
    """All find an empty cache and return what a warm one returns; each form is compiled once."""
    expected = run(FIRST, prelude="")
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-c", FIRST]
    started = [
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        for _ in range(10)
    ]
    n_compiled = 0
    for process in started:
        out, errors = process.communicate(timeout=900)
        assert process.returncode == 0, errors[-3000:]
        assert out.strip() == expected
        n_compiled += int(errors)
    n_kept = len(list(tmp_path.rglob("*.nbc")))
    assert n_kept > 5
    # without locks (Windows) processes compile the same
    assert n_compiled == n_kept or sys.platform == "win32"
    assert run(FIRST, prelude="", NUMBA_CACHE_DIR=str(tmp_path)) == expected


class TestInThreads:
    @staticmethod
    def parts_of(n, work, limit, meeting=0):
        """With `meeting`, the first two parts wait for each other: no thread can have both."""
        done, threads = [], set()
        both, arrivals = threading.Barrier(2, timeout=60), itertools.count()

        def run(part):
            if next(arrivals) < meeting:
                both.wait()
            threads.add(threading.get_ident())
            done.append(part)

        with limit_threads(limit):
            in_threads(run, n, work)
        return sorted(done), threads

    def test_little_work_is_done_here_and_at_once(self, monkeypatch):
        monkeypatch.setenv("HAWKEYS_NUM_THREADS", "4")
        done, threads = self.parts_of(100, 1_000.0, 4)
        assert done == [(0, 100)]
        assert threads == {threading.get_ident()}

    @pytest.mark.parametrize("n", [2, 5, 100])
    def test_parts_cover_the_range_once(self, monkeypatch, n):
        monkeypatch.setenv("HAWKEYS_NUM_THREADS", "4")
        done, threads = self.parts_of(n, 1e9, 3, meeting=2)
        assert np.concatenate([range(*part) for part in done]).tolist() == list(range(n))
        assert 2 <= len(threads) <= 3

    def test_no_rows(self):
        assert self.parts_of(0, 1e9, 2)[0] == [(0, 0)]

    def test_an_error_of_another_thread_arrives(self, monkeypatch):
        monkeypatch.setenv("HAWKEYS_NUM_THREADS", "2")
        here = threading.get_ident()

        def run(part):
            time.sleep(0.01)
            if threading.get_ident() != here:
                raise MemoryError("no room")

        with pytest.raises(MemoryError, match="no room"):
            in_threads(run, 16, 1e9)

    def test_none_is_left(self, monkeypatch):
        monkeypatch.setenv("HAWKEYS_NUM_THREADS", "2")
        before = threading.active_count()
        in_threads(lambda part: None, 16, 1e9)
        assert threading.active_count() == before


class TestHowMany:
    @pytest.fixture(autouse=True)
    def _no_variables(self, monkeypatch):
        monkeypatch.delenv("HAWKEYS_NUM_THREADS", raising=False)
        monkeypatch.delenv("NUMBA_NUM_THREADS", raising=False)

    def test_variables(self, monkeypatch):
        assert most_threads() >= 1
        monkeypatch.setenv("NUMBA_NUM_THREADS", "7")
        assert most_threads() == 7
        monkeypatch.setenv("HAWKEYS_NUM_THREADS", " 3 ")
        assert most_threads() == 3

    @pytest.mark.parametrize("text", ["0", "two", "-1", "1.5"])
    def test_refuses_what_is_no_number_of_threads(self, monkeypatch, text):
        monkeypatch.setenv("HAWKEYS_NUM_THREADS", text)
        with pytest.raises(InvalidParameterError, match=f"HAWKEYS_NUM_THREADS must .* '{text}'"):
            most_threads()

    def test_a_limit_holds_for_a_while(self, monkeypatch):
        monkeypatch.setenv("HAWKEYS_NUM_THREADS", "4")
        before = n_threads()
        with limit_threads(3):
            assert n_threads() == 3
            with limit_threads(9):
                assert n_threads() == 4
            assert n_threads() == 3
        assert n_threads() == before

    def test_numba_is_heeded_and_not_started(self):
        code = """
import numba
import pytest
from hawkeys._threads import n_threads
assert n_threads() == 2
with pytest.raises(ValueError, match="not initialized"):
    numba.threading_layer()
numba.set_num_threads(1)
print(n_threads())
"""
        assert run(code, HAWKEYS_NUM_THREADS="2", NUMBA_NUM_THREADS="2") == "1"


def test_no_numba_thread_is_ever_started():
    code = """
everything()
import numba
try:
    print(numba.threading_layer())
except ValueError:
    print("none")
"""
    assert run(code, HAWKEYS_NUM_THREADS="2") == "none"
