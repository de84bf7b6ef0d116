"""A time limit for Python code, in any thread (a worker of a cluster runs its tasks outside the main one).

The limit is an exception that a watching thread has raised in the working one, at some bytecode. A ``with`` statement
cannot contain that for certain: the exception may arrive while ``__exit__`` is being entered. So a function is called
below several nested handlers, more than there can be exceptions, and nothing is returned before the watch has ended.
"""

from __future__ import annotations

import _thread
import contextlib
import ctypes
import heapq
import itertools
import os
import queue
import threading
import time
from collections.abc import Callable
from typing import TypeVar

__all__ = ["Timeout", "within"]

T = TypeVar("T")
REPEAT = 0.25  # seconds until a limit that foreign code swallowed is raised again
MOST_RAISED = 3
MOST_WAITING = 1000  # then the limits that have ended are forgotten
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
    caught, watch.caught = watch.caught, []  # the watcher may know the watch for a while yet: let it hold no frames
    foreign = [error for error in caught if not isinstance(error, watch.expired)]
    for error in sorted(foreign, key=lambda error: isinstance(error, Exception)):  # Ctrl-C before any mere error
        raise error
    if caught:
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
    """One limit: ``expired`` is raised in the thread that made it, a few times, until it is stopped."""

    def __init__(self, seconds: float) -> None:
        self.caught: list[BaseException] = []
        # a class of its own, and no Exception: foreign code must not swallow it, nor an enclosing limit mistake it
        self.expired: type[BaseException] = type("Expired", (BaseException,), {})
        self.stopped = False
        self._seconds = seconds
        self._thread = threading.get_ident()
        self._striking = False
        self._struck = 0
        self._watched_by: queue.SimpleQueue[_Due] | None = None

    def start(self) -> None:
        self._watched_by = _watcher()
        self._watched_by.put((time.monotonic() + self._seconds, self))

    def stop(self) -> None:
        """End the watch for certain, and receive here what it has raised and this thread has not met yet."""
        self.stopped = True
        while self._striking and self._watched_by is _watched:  # a forked copy has lost its watcher
            time.sleep(2e-5)
        for _ in range(3):
            _meet_pending_exceptions()

    def strike(self) -> None:
        """Called by the watcher. Each side sets its own flag before it reads the other's, so one of them sees both."""
        self._striking = True
        if not self.stopped:
            _raise_in(self._thread, self.expired)
            self._struck += 1
        self._striking = False
        self.stopped = self.stopped or self._struck == MOST_RAISED


_Due = tuple[float, _Watch]
_watched: queue.SimpleQueue[_Due] | None = None


def _watcher() -> queue.SimpleQueue[_Due]:
    """The way to this process's one watching thread. One for all limits, begun while none is running: CPython knows a
    thread that is just starting by its maker's number, and a limit that struck its maker then would strike it instead.
    """
    global _watched
    if _watched is None:
        new: queue.SimpleQueue[_Due] = queue.SimpleQueue()
        _thread.start_new_thread(_watch_all, (new,))
        _watched = new
    return _watched


def _forget_watcher() -> None:
    """Threads do not survive a fork."""
    global _watched
    _watched = None


os.register_at_fork(after_in_child=_forget_watcher)


def _watch_all(arriving: queue.SimpleQueue[_Due]) -> None:
    number = itertools.count()  # two limits may end at the same moment
    waiting: list[tuple[float, int, _Watch]] = []
    while True:
        now = time.monotonic()
        while waiting and (waiting[0][0] <= now or waiting[0][2].stopped):
            _, _, watch = heapq.heappop(waiting)
            watch.strike()
            if not watch.stopped:
                heapq.heappush(waiting, (now + REPEAT, next(number), watch))
        wait = min(waiting[0][0] - now, threading.TIMEOUT_MAX) if waiting else None
        with contextlib.suppress(queue.Empty):
            due, watch = arriving.get(timeout=wait)
            if len(waiting) > MOST_WAITING:
                waiting = [entry for entry in waiting if not entry[2].stopped]
                heapq.heapify(waiting)
            heapq.heappush(waiting, (due, next(number), watch))


def _meet_pending_exceptions() -> None:
    """CPython looks for them when it enters a function."""


def _raise_in(thread: int, kind: type[BaseException]) -> None:
    """Have ``kind`` raised in a thread at its next bytecode."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(kind))
