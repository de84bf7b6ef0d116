"""Runs a check in a child process and survives whatever the implementation does: hang, crash, exhaust memory."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from mdnn_verify.checking.assessment import Assessment, Request
from mdnn_verify.checking.registry import contract_of, resolve
from mdnn_verify.errors import MdnnVerifyError, UsageError

__all__ = ["assessed", "check_file", "validated"]

LOADING = 60.0  # seconds for the imports of torch and of the user's file
POLL = 0.1
TAIL = 4000


def check_file(request: Request) -> Assessment:
    """Check ``request.subject`` (FILE.py:CALLABLE or package.module:callable) against the contract of ``request.id``.

    Raises UnknownName for an id without a contract, UsageError for terms that make no sense; everything that is wrong
    with the implementation or its file is in the outcome.
    """
    request = validated(request)
    started = time.monotonic()
    child = _Child(request)
    try:
        event, trying = child.last_event()
    finally:
        child.end()
    return _assessment(request, event, trying, child, time.monotonic() - started)


def validated(request: Request) -> Request:
    """The request with its full id. Raises UnknownName or UsageError, naming the option."""
    identifier = resolve(request.id)
    if request.dtype not in ("float32", "float64"):
        raise UsageError(f"--dtype is {request.dtype!r}, expected float64 or float32")
    if request.device == "cuda":
        import torch

        if not torch.cuda.is_available():
            raise UsageError("no device 'cuda': torch sees no GPU on this machine")
    elif request.device != "cpu":
        raise UsageError(f"--device is {request.device!r}, expected cpu or cuda")
    if request.dim is not None and not 1 < request.dim <= 64:
        raise UsageError(f"--dim is {request.dim}, expected 2 to 64")
    if not 0 < request.alpha < 1:
        raise UsageError(f"--alpha is {request.alpha}, expected a probability strictly between 0 and 1")
    if not request.timeout > 0:
        raise UsageError(f"--timeout is {request.timeout}, expected a positive number of seconds")
    return Request(**{**request.__dict__, "id": identifier})


class _Child:
    """The process, what it tells, and the limits it is held to."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.stopped = ""
        self.printed = b""
        reader, writer = os.pipe()
        os.set_inheritable(writer, True)
        plain = {name: value for name, value in request.__dict__.items() if name not in ("timeout", "memory")}
        command = [sys.executable, "-m", "mdnn_verify.checking.child", json.dumps(plain), str(writer)]
        root = str(Path(__file__).parent.parent.parent)
        path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, pass_fds=(writer,),
            start_new_session=True, env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        os.close(writer)
        self.reader = reader
        os.set_blocking(reader, False)
        assert self.process.stderr is not None
        os.set_blocking(self.process.stderr.fileno(), False)

    def last_event(self) -> tuple[Mapping[str, Any], int | None]:
        """What the child told last, and the number of the input it was trying; watches time and memory meanwhile."""
        event: Mapping[str, Any] = {}
        trying, rest, since, limit = None, b"", time.monotonic(), LOADING
        with selectors.DefaultSelector() as selector:
            selector.register(self.reader, selectors.EVENT_READ)
            selector.register(self.process.stderr, selectors.EVENT_READ)  # type: ignore[arg-type]
            while True:
                for key, _ in selector.select(POLL):
                    if key.fd != self.reader:
                        self._print(selector)
                        continue
                    chunk = self._read()
                    if not chunk:  # every writer is gone: the child has ended
                        return event, trying
                    *lines, rest = (rest + chunk).split(b"\n")
                    for line in lines:
                        event, since = json.loads(line), time.monotonic()
                        trying = event.get("trying", trying)
                        limit = self.request.timeout + (LOADING if "loading" in event else 0)
                        if "result" in event or "usage" in event:
                            return event, trying
                if self.process.poll() is not None and not selector.select(0):
                    return event, trying
                if time.monotonic() - since > limit:
                    self.stopped = f"it does not come back within {self.request.timeout:g} s"
                    return event, trying
                if self._resident() > self.request.memory:
                    self.stopped = f"it takes more than {self.request.memory / 2**30:.3g} GiB of memory"
                    return event, trying

    def end(self) -> None:
        """Nothing of the child is left, nor of what it has started."""
        with suppress(ProcessLookupError):
            if self.stopped:
                os.killpg(self.process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=2)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.reader)
        if self.process.stderr is not None:
            with suppress(BlockingIOError, OSError):
                self.printed += self.process.stderr.read() or b""
            self.process.stderr.close()

    def _read(self) -> bytes:
        try:
            return os.read(self.reader, 1 << 16)
        except BlockingIOError:
            return b""

    def _print(self, selector: selectors.BaseSelector) -> None:
        chunk = os.read(self.process.stderr.fileno(), 1 << 16)  # type: ignore[union-attr]
        if not chunk:
            selector.unregister(self.process.stderr)  # type: ignore[arg-type]
        self.printed = (self.printed + chunk)[-TAIL:]

    def _resident(self) -> int:
        try:
            pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        except (OSError, IndexError, ValueError):
            return 0
        return pages * os.sysconf("SC_PAGE_SIZE")


def _assessment(
    request: Request, event: Mapping[str, Any], trying: int | None, child: _Child, seconds: float
) -> Assessment:
    printed = child.printed.decode(errors="replace")
    if "result" in event:
        return assessed(request, event["result"], seconds, printed)
    scope = contract_of(request.id).scope
    whole = (request.id, request.subject)
    if "usage" in event:
        return Assessment(*whole, "usage", event["usage"], seconds, scope, printed=printed)
    reason = child.stopped or _ended(child.process.returncode)
    if not event:
        raise MdnnVerifyError(f"the checking process could not be started: {reason}\n{printed}")
    if trying is None:
        sentence = f"{request.subject} does not finish importing: {reason}"
        return Assessment(*whole, "usage", sentence, seconds, scope, printed=printed)
    finding = _lost(request, trying, reason)
    return Assessment(*whole, "refuted", reason, seconds, scope, finding=finding, printed=printed)


def assessed(request: Request, result: Mapping[str, Any], seconds: float, printed: str = "") -> Assessment:
    """The assessment that a judgement, as plain data, amounts to."""
    counts = {name: result[name] for name in ("instances", "comparisons", "uninformative", "calls")}
    notes = tuple(result["notes"])
    if result["finding"] is not None:
        verdict, reason = "refuted", result["finding"]["reason"]
    elif not result["complete"]:
        verdict, reason = "inconclusive", notes[-1]
    else:
        verdict, reason = "verified", f"{counts['instances']} inputs, {counts['comparisons']} comparisons"
    return Assessment(
        request.id, request.subject, verdict, reason, seconds, contract_of(request.id).scope,
        result["finding"], counts, notes, printed,
    )  # fmt: skip


def _ended(code: int | None) -> str:
    if code is not None and code < 0:
        return f"it ends the interpreter with {signal.Signals(-code).name}"
    return f"it ends the process (exit status {code})"


def _lost(request: Request, trying: int, reason: str) -> dict[str, Any]:
    """The input that was being tried when the process was lost, made again."""
    import torch

    from mdnn_verify.checking.inputs import numbered
    from mdnn_verify.checking.pasting import literal, snippet
    from mdnn_verify.contract import Terms

    terms = Terms(getattr(torch, request.dtype), request.device, request.dim, request.trainable, request.alpha)
    instance = numbered(contract_of(request.id), request.id, trying, request.seed, terms)
    call = f"observed = subject({', '.join(instance.arguments)})  # {reason}\nexpected = 'a result'"
    texts = dict.fromkeys(("observed", "expected", "bound", "trace"), "")
    return texts | {
        "law": "it comes back",
        "reason": reason,
        "label": instance.label,
        "shown": call,
        "arguments": {name: literal(value) for name, value in instance.arguments.items()},
        "code": snippet(request.subject, instance.arguments, call),
    }
