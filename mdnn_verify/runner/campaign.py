"""A whole run: preflight, what is still to do over the workers, the journal, one verdict for each theorem."""

from __future__ import annotations

import math
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from mdnn_verify.catalogue import Entry
from mdnn_verify.errors import MdnnVerifyError, UnknownName, UsageError
from mdnn_verify.runner.backends import LOCAL, Run, Workers
from mdnn_verify.runner.journal import Journal, Key, header
from mdnn_verify.runner.units import Settings, Unit, assemble, preflight, units_of
from mdnn_verify.verdicts import KINDS, MONTECARLO, CheckResult, TheoremResult

__all__ = ["Interrupted", "run_campaign", "validated"]

DEVICES = ("cpu", "cuda")
OnResult = Callable[[CheckResult | None, int, int], None]


class Interrupted(MdnnVerifyError):
    """Ctrl-C or SIGTERM. What was finished is in the journal; ``resumable`` says whether there is a journal."""

    exit_status = 130  # what a shell reports for a command that SIGINT ended

    def __init__(self, finished: int, total: int, *, resumable: bool) -> None:
        kept = f"{finished} of {total} checks are finished and kept" if resumable else "nothing was started"
        super().__init__(f"interrupted: {kept}")
        self.resumable = resumable


def validated(settings: Settings) -> Settings:
    """The settings, if a run can take place under them. Raises UsageError that names the option."""
    for kind in settings.kinds:
        if kind not in KINDS:
            raise UnknownName("kind", kind, KINDS)
    if not settings.kinds:
        raise UsageError(f"no kind of check is selected, expected some of {', '.join(KINDS)}")
    if not 0 < settings.alpha < 1:  # false for NaN
        raise UsageError(f"--alpha is {settings.alpha}, expected a number strictly between 0 and 1")
    if settings.seed < 0:
        raise UsageError(f"--seed is {settings.seed}, expected a non-negative integer")
    if not (settings.timeout > 0 and math.isfinite(settings.timeout)):
        raise UsageError(f"--timeout is {settings.timeout}, expected a positive number of seconds")
    if settings.device not in DEVICES:
        raise UnknownName("device", settings.device, DEVICES)
    if settings.device == "cuda":
        _require_cuda()
    return settings


def run_campaign(
    entries: Sequence[Entry],
    settings: Settings,
    *,
    jobs: int = 1,
    backend: str = LOCAL,
    scheduler: str = "",
    journal_path: Path,
    resume: bool = False,
    folders: Sequence[Path] = (),
    on_result: OnResult | None = None,
) -> list[TheoremResult]:
    """Decide all checks of ``entries`` and judge each theorem; results do not depend on jobs, backend or interruptions.

    ``settings.theorems`` is the size of the whole catalogue, so that a selection gives the numbers of the full run.
    ``on_result(result, done, total)`` hears of every result; once with None before the first. Raises UsageError,
    JournalMismatch and MalformedTheorem before any work; Interrupted on Ctrl-C and SIGTERM.
    """
    workers = Workers(jobs, backend, scheduler)
    validated(settings)
    state = _State(resumable=resume)
    with _sigterm_interrupts():
        try:
            preflight(entries, settings)
            units = [unit for entry in entries for unit in units_of(entry, settings.kinds)]
            state.total = len(units)
            with (
                workers.open(folders) as run,
                Journal(journal_path, header(settings, folders), resume=resume) as journal,
            ):
                state.resumable = True
                _finish(units, settings, run, journal, state, on_result)
            return [assemble(entry, _of(entry, units, journal), settings.kinds) for entry in entries]
        except KeyboardInterrupt:
            raise Interrupted(state.done, state.total, resumable=state.resumable) from None


@dataclass
class _State:
    """How far a run has come, for whoever interrupts it."""

    done: int = 0
    total: int = 0
    resumable: bool = False


def _finish(
    units: Sequence[Unit], settings: Settings, run: Run, journal: Journal, state: _State, on_result: OnResult | None
) -> None:
    """Run what the journal does not hold yet."""
    todo = [unit for unit in units if _key(unit) not in journal.finished]
    state.done = state.total - len(todo)
    if on_result:
        on_result(None, state.done, state.total)
    # simulations take longest: first, so that no worker is left with one at the end
    todo.sort(key=lambda unit: unit.kind != MONTECARLO)
    with closing(run(todo, settings)) as results:
        for result in results:
            journal.append(result)
            state.done += 1
            if on_result:
                on_result(result, state.done, state.total)


def _of(entry: Entry, units: Sequence[Unit], journal: Journal) -> list[CheckResult]:
    return [journal.finished[_key(unit)] for unit in units if unit.entry == entry]


def _key(unit: Unit) -> Key:
    return (unit.entry.id, unit.control, unit.check)


def _require_cuda() -> None:
    import torch

    if not torch.cuda.is_available():
        raise UsageError("--device cuda, but torch finds no CUDA device here")


@contextmanager
def _sigterm_interrupts() -> Iterator[None]:
    """SIGTERM (a batch system, a shutdown) ends a run as Ctrl-C does. Only the main thread may say so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
