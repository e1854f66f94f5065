"""Work over subjects begins in this process, and goes on in others once that is worth it."""

import os
import time

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController

from hawkeys.evaluation import processes
from hawkeys.evaluation.processes import each_in_turn


def who(k, seconds):
    """Return the argument and the process; on the way, use the processor for a while."""
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass
    return k, os.getpid()


def threads(_):
    np.ones((2, 2)) @ np.ones((2, 2))
    return {one["num_threads"] for one in ThreadpoolController().info()}


def fails(k):
    raise KeyError(k)


def ran(subjects, n_jobs):
    answers = list(each_in_turn(who, subjects, n_jobs))
    assert [k for k, _ in answers] == [k for k, _ in subjects]
    return [process == os.getpid() for _, process in answers]


def test_little_work_starts_no_process():
    assert ran([(k, 0.0) for k in range(6)], 2) == [True] * 6
    assert ran([], 2) == []


def test_one_job_is_this_process(monkeypatch):
    monkeypatch.setattr(processes, "_WORTH", 0.01)
    assert ran([(k, 0.02) for k in range(4)], 1) == [True] * 4


def test_much_work_goes_on_in_others_after_the_first(monkeypatch):
    monkeypatch.setattr(processes, "_WORTH", 0.4)
    assert ran([(k, 0.2) for k in range(4)], 2) == [True, False, False, False]


def test_others_start_while_the_first_takes_long(monkeypatch):
    """The rest is begun before the first is done: by its own estimate it would not be."""
    monkeypatch.setattr(processes, "_WORTH", 0.5)
    started = []
    start = processes.Parallel

    def watched(*args, **kwargs):
        started.append(time.monotonic())
        return start(*args, **kwargs)

    monkeypatch.setattr(processes, "Parallel", watched)
    first = each_in_turn(who, [(0, 3.0), (1, 0.0), (2, 0.0)], 2)
    assert next(first) == (0, os.getpid())
    assert len(started) == 1
    assert time.monotonic() - started[0] > 1.0
    assert [k for k, _ in first] == [1, 2]


def test_errors_are_those_of_the_work():
    with pytest.raises(KeyError, match="5"):
        list(each_in_turn(fails, [(5,)], 2))


def test_threads_are_those_of_one_process_among_several():
    """With as many processes as cores a library has one thread, here as there."""
    (found,) = each_in_turn(threads, [(0,)], 1)
    assert found
    before = threads(0)
    assert (
        list(each_in_turn(threads, [(k,) for k in range(os.cpu_count())], -1))
        == [{1}] * os.cpu_count()
    )
    assert threads(0) == before
