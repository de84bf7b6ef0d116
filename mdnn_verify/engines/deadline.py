"""A time limit for Python code, in any thread (a worker of a cluster runs its tasks outside the main one).

The limit is an exception that a watching thread has raised in the working one, at some bytecode. A ``with`` statement
cannot contain that for certain: the exception may arrive while ``__exit__`` is being entered. So a function is called
below several nested handlers, more than there can be exceptions, and nothing is returned before the watch has ended.
"""

from __future__ import annotations

import _thread
import contextlib
import ctypes
import threading
import time
from collections.abc import Callable
from typing import TypeVar

__all__ = ["Timeout", "within"]

T = TypeVar("T")
REPEAT = 0.25  # seconds until a limit that foreign code swallowed is raised again
MOST_RAISED = 3
LAYERS = 2 * MOST_RAISED + 2  # for this limit, an enclosing one, and Ctrl-C


class Timeout(Exception):
    """The time limit of ``within`` has passed."""


def within(seconds: float, function: Callable[[], T]) -> T:
    """``function()``, or Timeout if it has not returned after so many seconds; it is never interrupted later.

    The limit takes effect between two bytecodes: a single long call into C (Z3, FLINT) returns first. Limits nest; code
    that catches BaseException is interrupted three times. Raises ValueError for a limit that is not positive.
    """
    if not seconds > 0:
        raise ValueError(f"seconds = {seconds!r}, expected a positive number")
    results: list[T] = []
    watch = _Watch(seconds)
    _below(LAYERS, watch, lambda: results.append(function()))
    foreign = [error for error in watch.caught if not isinstance(error, watch.expired)]
    for error in sorted(foreign, key=lambda error: isinstance(error, Exception)):  # Ctrl-C before any mere error
        raise error
    if watch.caught:
        raise Timeout(f"not finished after {seconds:g} s")
    return results[0]


def _below(layers: int, watch: _Watch, work: Callable[[], None]) -> None:
    """Work and end the watch below so many handlers; each ends the watch again, under the protection of those above."""
    try:
        if layers:
            _below(layers - 1, watch, work)
        else:
            watch.start()
            work()
            watch.stop()
    except BaseException as error:  # noqa: BLE001  (kept, and raised by ``within`` once the watch has ended)
        watch.caught.append(error)
        watch.stop()


class _Watch:
    """A thread that raises ``expired`` in the thread that made it, a few times, until it is stopped."""

    def __init__(self, seconds: float) -> None:
        self.caught: list[BaseException] = []
        # a class of its own, and no Exception: foreign code must not swallow it, nor an enclosing limit mistake it
        self.expired: type[BaseException] = type("Expired", (BaseException,), {})
        self._seconds = seconds
        self._thread = threading.get_ident()
        self._working = _thread.allocate_lock()
        self._running = False

    def start(self) -> None:
        self._working.acquire()
        _thread.start_new_thread(self._run, ())

    def stop(self) -> None:
        """End the watch for certain, and receive here what it has raised and this thread has not met yet."""
        if self._working.locked():
            with contextlib.suppress(RuntimeError):
                self._working.release()  # a watch that has not begun yet ends at once
        while self._running:
            time.sleep(2e-5)
        for _ in range(3):
            _meet_pending_exceptions()

    def _run(self) -> None:
        self._running = True
        wait = min(self._seconds, threading.TIMEOUT_MAX)
        try:
            for _ in range(MOST_RAISED):
                if self._working.acquire(timeout=wait):
                    return
                _raise_in(self._thread, self.expired)
                wait = REPEAT
        finally:
            self._running = False


def _meet_pending_exceptions() -> None:
    """CPython looks for them when it enters a function."""


def _raise_in(thread: int, kind: type[BaseException]) -> None:
    """Have ``kind`` raised in a thread at its next bytecode."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(kind))
