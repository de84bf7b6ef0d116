"""Time limits: raised in any thread, never after the function has returned, hard to swallow, nested."""

import gc
import os
import sys
import threading
import time
import weakref

import pytest

from mdnn_verify.engines.deadline import Timeout, within


def spin(seconds=5.0):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def test_raises_in_the_main_thread():
    start = time.perf_counter()
    with pytest.raises(Timeout, match=r"0\.05 s"):
        within(0.05, spin)
    assert time.perf_counter() - start < 3


def test_raises_in_a_worker_thread_and_nowhere_else():
    caught = []

    def work():
        try:
            within(0.05, spin)
        except Timeout:
            caught.append(threading.current_thread())

    worker = threading.Thread(target=work)
    worker.start()
    spin(0.3)
    worker.join()
    assert caught == [worker]


def test_never_fires_after_the_function_has_returned():
    """Functions that end just when the limit strikes, before, while or after the watch is stopped."""

    def ends_at_the_limit(extra):
        try:
            within(0.001, lambda: spin(0.0005 + extra))
        except Timeout:
            return True
        return False

    struck = [ends_at_the_limit((k % 100) * 1e-5) for k in range(1500)]
    for _ in range(3):
        spin(0.2)
    assert any(struck)


def test_foreign_code_cannot_swallow_it():
    def stubborn():
        for _ in range(3):
            try:
                spin()
            except Exception:  # noqa: BLE001
                pass

    with pytest.raises(Timeout):
        within(0.05, stubborn)


def test_a_bare_except_only_delays_it():
    def swallowing():
        try:
            spin()
        except:  # noqa: E722
            spin()

    with pytest.raises(Timeout):
        within(0.05, swallowing)


def test_the_enclosing_limit_is_not_mistaken_for_the_inner_one():
    inner = []

    def work():
        try:
            within(5, spin)
        except Timeout:
            inner.append("mistaken")

    with pytest.raises(Timeout, match=r"0\.05 s"):
        within(0.05, work)
    assert not inner
    assert "Expired" not in repr(sys.exc_info())


def test_the_inner_limit_leaves_the_enclosing_one_running():
    def work():
        with pytest.raises(Timeout, match=r"0\.05 s"):
            within(0.05, spin)
        spin(0.1)
        return "done"

    assert within(30, work) == "done"


def test_an_enclosing_limit_that_strikes_while_the_inner_one_ends():
    for k in range(300):
        try:
            within(0.002, lambda k=k: within(0.001 + (k % 30) * 1e-4, lambda: spin(0.0015)))
        except Timeout:
            continue
    spin(0.5)


def test_results_and_errors_pass_through():
    assert within(5, lambda: 1) == 1
    assert within(5, lambda: None) is None
    for error in (KeyError, KeyboardInterrupt, SystemExit):
        with pytest.raises(error):
            within(5, lambda error=error: (_ for _ in ()).throw(error()))


def test_no_watch_is_left_behind():
    before = threading.active_count()
    for _ in range(50):
        within(60, lambda: None)
    assert threading.active_count() == before


def test_limits_in_a_forked_copy():
    def forked():
        child = os.fork()
        if child == 0:
            try:
                within(0.05, spin)
            except Timeout:
                os._exit(7)
            os._exit(1)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    assert within(30, forked) == 7


def test_many_limits_in_many_threads_each_strike_their_own():
    struck = []

    def work(k):
        for seconds, busy in ((0.02, 10), (60, 0.04)):
            try:
                within(seconds, lambda busy=busy: spin(busy))
            except Timeout as error:
                struck.append((k, str(error)))

    workers = [threading.Thread(target=work, args=(k,)) for k in range(20)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(struck) == sorted((k, "not finished after 0.02 s") for k in range(20))


def test_ended_limits_are_forgotten():
    class Big:
        pass

    kept = []
    for _ in range(1500):
        big = Big()
        kept.append(weakref.ref(big))
        within(60, lambda big=big: None)
        with pytest.raises(KeyError):
            within(60, lambda big=big: {}[big])
    del big
    gc.collect()
    assert not [ref for ref in kept if ref() is not None]


def test_the_interpreter_runs_at_full_speed_afterwards():
    """An exception that is set and withdrawn leaves CPython on its slow path: a traced generator then never ends."""
    done = []

    def traced():
        within(5, lambda: None)
        sys.setprofile(lambda *_: None)
        done.append(sum(i for i in range(10)))

    worker = threading.Thread(target=traced, daemon=True)
    worker.start()
    worker.join(10)
    assert done == [45]


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_the_limit_is_positive(seconds):
    with pytest.raises(ValueError, match="seconds"):
        within(seconds, spin)
