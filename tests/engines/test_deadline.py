"""Time limits: raised in any thread, never after the block, never swallowed, nested."""

import sys
import threading
import time

import pytest

from mdnn_verify.engines.deadline import Timeout, deadline


def spin(seconds=5.0):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def test_raises_in_the_main_thread():
    start = time.perf_counter()
    with pytest.raises(Timeout, match=r"0\.05 s"), deadline(0.05):
        spin()
    assert time.perf_counter() - start < 2


def test_raises_in_a_worker_thread_and_nowhere_else():
    caught = []

    def work():
        try:
            with deadline(0.05):
                spin()
        except Timeout:
            caught.append(threading.current_thread())

    worker = threading.Thread(target=work)
    worker.start()
    spin(0.3)
    worker.join()
    assert caught == [worker]


def test_never_fires_after_the_block():
    for k in range(300):
        try:
            with deadline(0.001):
                spin(0.0009 + (k % 20) * 1e-5)
        except Timeout:
            pass
        for _ in range(100):
            pass
    spin(0.3)
    assert not [thread for thread in threading.enumerate() if thread.name == "deadline"]


def test_foreign_code_cannot_swallow_it():
    def stubborn():
        for _ in range(3):
            try:
                spin()
            except Exception:  # noqa: BLE001
                pass

    with pytest.raises(Timeout), deadline(0.05):
        stubborn()


def test_a_bare_except_only_delays_it():
    def swallowing():
        try:
            spin()
        except:  # noqa: E722
            spin()

    with pytest.raises(Timeout), deadline(0.05):
        swallowing()


def test_the_enclosing_limit_is_not_mistaken_for_the_inner_one():
    inner = []
    with pytest.raises(Timeout, match=r"0\.05 s"), deadline(0.05):
        try:
            with deadline(5):
                spin()
        except Timeout:
            inner.append("mistaken")
    assert not inner


def test_the_inner_limit_leaves_the_enclosing_one_running():
    with deadline(30):
        with pytest.raises(Timeout, match=r"0\.05 s"), deadline(0.05):
            spin()
        spin(0.1)


def test_results_and_errors_pass_through():
    with deadline(5):
        value = 1
    assert value == 1
    with pytest.raises(KeyError), deadline(5):
        raise KeyError


def test_the_interpreter_runs_at_full_speed_afterwards():
    """A pending exception that is withdrawn leaves CPython on its slow path: a traced generator then never ends."""
    with deadline(5):
        pass
    done = []
    worker = threading.Thread(target=lambda: done.append(traced()), daemon=True)

    def traced():
        sys.setprofile(lambda *_: None)
        with deadline(5):
            pass
        return sum(i for i in range(10))

    worker.start()
    worker.join(10)
    assert done == [45]


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_the_limit_is_positive(seconds):
    with pytest.raises(ValueError, match="seconds"):
        deadline(seconds)
