"""A time limit for Python code, in any thread (a worker of a cluster runs its tasks outside the main one)."""

from __future__ import annotations

import _thread
import contextlib
import ctypes
import threading
import time
from types import TracebackType

__all__ = ["Timeout", "deadline"]

REPEAT = 0.25  # seconds until a limit that foreign code swallowed is raised again


class Timeout(Exception):
    """The time limit of a ``deadline`` block has passed."""


class deadline:  # noqa: N801  (used like a function)
    """``with deadline(seconds):`` raises Timeout in this thread once the time has passed, and never after the block.

    The limit takes effect between two bytecodes: a single long call into C (Z3, FLINT) returns first. Blocks nest.
    Raises ValueError for a limit that is not positive.
    """

    def __init__(self, seconds: float) -> None:
        if not seconds > 0:
            raise ValueError(f"seconds = {seconds!r}, expected a positive number")
        self.seconds = seconds
        # a class of its own, and no Exception: foreign code must not swallow it, nor an enclosing block mistake it
        self._expired: type[BaseException] = type("Expired", (BaseException,), {})
        self._released = _thread.allocate_lock()
        self._running = self._fired = False

    def __enter__(self) -> deadline:
        self._thread = threading.get_ident()
        self._released.acquire()
        self._running = True
        try:
            threading.Thread(target=self._watch, daemon=True, name="deadline").start()
        except RuntimeError:
            self._running = False
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        interrupted = self._disarm()
        if interrupted is not None:
            raise interrupted
        if kind is self._expired:
            raise Timeout(f"not finished after {self.seconds:g} s") from None

    def _watch(self) -> None:
        """Runs in a thread of its own until the block ends."""
        wait = self.seconds
        try:
            while not self._released.acquire(timeout=min(wait, threading.TIMEOUT_MAX)):
                self._fired = True
                _raise_in(self._thread, self._expired)
                wait = REPEAT
        finally:
            self._running = False

    def _disarm(self) -> BaseException | None:
        """End the watch for certain; what interrupts this from outside (Ctrl-C, an enclosing limit) is handed back.

        A limit that was set and not delivered yet cannot be withdrawn (CPython would stay on its slow path for good),
        so it is provoked once more and caught here: a thread holds one pending exception at most.
        """
        interrupted = None
        while True:
            try:
                self._stop_watch()
                if not self._fired:
                    return interrupted
                _raise_in(self._thread, self._expired)
                while True:
                    pass
            except self._expired:
                if not self._running:
                    return interrupted
            except BaseException as error:  # noqa: BLE001  (handed back, and raised once the watch has ended)
                interrupted = error

    def _stop_watch(self) -> None:
        while self._running:
            if self._released.locked():
                with contextlib.suppress(RuntimeError):  # the watch was faster
                    self._released.release()
            time.sleep(2e-5)


def _raise_in(thread: int, kind: type[BaseException]) -> None:
    """Have ``kind`` raised in a thread at its next bytecode."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(kind))
