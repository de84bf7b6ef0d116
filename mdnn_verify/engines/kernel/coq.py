"""The Coq that is installed: where it is, which version, what its libraries are, and how to call it."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mdnn_verify.errors import MdnnVerifyError

__all__ = ["INSTALL", "Answer", "CoqMissing", "Installation", "OutOfTime", "first_error", "installation"]

INSTALL = "apt-get install coq libcoq-stdlib libcoq-mathcomp-algebra libcoq-coquelicot"
# what each of our packages puts under Coq's library folder
_LIBRARIES = {
    "Coq": ("the standard library", "theories/Reals"),
    "mathcomp": ("mathcomp-algebra", "user-contrib/mathcomp/algebra"),
    "Coquelicot": ("Coquelicot", "user-contrib/Coquelicot"),
}
_COUNTED = ("theories", "user-contrib/mathcomp", "user-contrib/Coquelicot")
_ERROR = re.compile(r'File "(?P<file>[^"]*)", line (?P<line>\d+), characters [\d-]+:\s*\n(?P<text>Error:.*)', re.S)


class CoqMissing(MdnnVerifyError):
    """Coq, or one of its libraries, is not installed; the message ends with the one command that installs all."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is not installed: {INSTALL}")


class OutOfTime(MdnnVerifyError):
    """A call of Coq did not finish within its limit."""


@dataclass(frozen=True)
class Answer:
    """What a call of Coq came back with."""

    status: int
    output: str
    errors: str
    seconds: float


@dataclass(frozen=True)
class Installation:
    """A Coq that can be called. ``stamp`` changes with its version and with every compiled library it has."""

    coqc: Path
    coqchk: Path
    version: str
    library: Path
    stamp: str

    def require(self, roots: Sequence[str]) -> None:
        """Raises CoqMissing if a library that belongs to one of these logical roots is not there."""
        for root in dict.fromkeys(("Coq", *roots)):
            if root in _LIBRARIES and not (self.library / _LIBRARIES[root][1]).is_dir():
                raise CoqMissing(f"Coq is there, but {_LIBRARIES[root][0]}")

    def compile(self, file: Path, paths: Sequence[tuple[Path, str]], deadline: float) -> Answer:
        """Compile ``file`` where it lies; ``paths`` are folders with the logical names they stand for."""
        return _run([self.coqc, "-q", "-w", "none", "-noglob", *_mapped(paths), file.name], file.parent, deadline)

    def recheck(
        self, modules: Sequence[str], paths: Sequence[tuple[Path, str]], deadline: float, *, libraries: bool = False
    ) -> Answer:
        """Have coqchk check compiled ``modules`` again; with ``libraries`` everything that they rest on as well."""
        named = modules if libraries else [part for module in modules for part in ("-norec", module)]
        return _run([self.coqchk, "-silent", "-o", *_mapped(paths), *named], self.library, deadline)


def installation() -> Installation:
    """The Coq on the PATH. Raises CoqMissing."""
    found = {name: shutil.which(name) for name in ("coqc", "coqchk")}
    if not all(found.values()):
        raise CoqMissing("Coq")
    return _installation(*(Path(str(path)) for path in found.values()))


def first_error(answer: Answer, limit: int = 400) -> tuple[int | None, str]:
    """The line and the text of the first error that Coq reported, in one line."""
    found = _ERROR.search(answer.errors)
    text = found["text"] if found else answer.errors or answer.output or f"exit status {answer.status}"
    text = " ".join(text.split('\nFile "')[0].split())
    return int(found["line"]) if found else None, text if len(text) <= limit else f"{text[: limit - 3]}..."


@cache
def _installation(coqc: Path, coqchk: Path) -> Installation:
    soon = time.monotonic() + 30
    answers = [_run([coqc, option], Path.cwd(), soon) for option in ("--version", "-where")]
    for answer in answers:
        if answer.status:
            raise CoqMissing(f"{coqc} does not run ({first_error(answer)[1]}): a working Coq")
    version = re.search(r"version\s+(\S+)", answers[0].output)
    library = Path(answers[1].output.strip())
    return Installation(coqc, coqchk, version[1] if version else "", library, _stamp(answers[0].output, library))


def _stamp(version: str, library: Path) -> str:
    """A hash over the version and the size and date of every compiled library: an upgrade of one of them changes it."""
    digest = hashlib.sha256(version.encode())
    for folder in _COUNTED:
        for file in sorted((library / folder).rglob("*.vo")):
            state = file.stat()
            digest.update(f"{file.relative_to(library)} {state.st_size} {state.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _mapped(paths: Sequence[tuple[Path, str]]) -> list[str]:
    return [part for folder, name in dict.fromkeys(paths) for part in ("-Q", str(folder), name)]


def _environment() -> Mapping[str, str]:
    """Without what would point Coq at other libraries: its own variables, and a user's folders of data."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COQ", "OCAMLPATH"))}
    return {**kept, "LC_ALL": "C.UTF-8", "XDG_DATA_HOME": os.devnull, "XDG_DATA_DIRS": os.devnull}


def _run(command: Sequence[Path | str], folder: Path, deadline: float) -> Answer:
    """Raises OutOfTime; then the call, and what it started, has been ended."""
    start = time.monotonic()
    process = subprocess.Popen(
        [str(part) for part in command], cwd=folder, env=dict(_environment()), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", errors="replace",
        start_new_session=True,
    )  # fmt: skip
    try:
        output, errors = process.communicate(timeout=max(deadline - start, 0.01))
    except BaseException as error:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            raise OutOfTime(f"{Path(command[0]).name} did not finish in time") from None
        raise
    return Answer(process.returncode, output, errors, time.monotonic() - start)
