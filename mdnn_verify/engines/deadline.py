"""A time limit for Python code, in any thread (a worker of a cluster runs its tasks in a thread other than the main one)."""

from __future__ import annotations

import _thread
import ctypes
import threading
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
        self._expired = type("Expired", (BaseException,), {})
        self._released = _thread.allocate_lock()
        self._running = False

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

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
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
                _raise_in(self._thread, self._expired)
                wait = REPEAT
        finally:
            self._running = False

    def _disarm(self) -> BaseException | None:
        """End the watch for certain; what interrupts this from outside (Ctrl-C, an enclosing limit) is handed back."""
        interrupted = None
        while True:
            try:
                if self._released.locked() and self._running:
                    self._released.release()
                while self._running:
                    _pause()
                _raise_in(self._thread, None)  # a limit that was set but not delivered yet
                return interrupted
            except self._expired:
                continue
            except RuntimeError:  # the watch took the lock between the look and the release
                continue
            except BaseException as error:
                interrupted = error


def _pause() -> None:
    threading.Event().wait(1e-4)


def _raise_in(thread: int, kind: type[BaseException] | None) -> None:
    """Have ``kind`` raised in a thread at its next bytecode; None withdraws what is pending."""
    target = ctypes.py_object(kind) if kind is not None else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), target)
