"""From a file of proofs to what is known about it: read, refuse or compile, question, check again, keep the result."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mdnn_verify.engines.kernel.contents import WITNESS, Contents, definitions_used, load
from mdnn_verify.engines.kernel.coq import Answer, Installation, first_error
from mdnn_verify.engines.kernel.query import (
    ALLOWED_LIBRARIES,
    WHITE_LIST,
    Report,
    Stated,
    ask,
    ask_which_are_proofs,
    parse,
    without_proofs,
)
from mdnn_verify.engines.kernel.store import Record, Store, engine_stamp, hash_of
from mdnn_verify.errors import MdnnVerifyError

__all__ = ["Built", "NotWellFormed", "Refused", "Workshop", "summary_of"]

_SOUND = {
    "Theory": "Set is predicative",
    "Constants/Inductives relying on type-in-type": "<none>",
    "Constants/Inductives relying on unsafe (co)fixpoints": "<none>",
    "Inductives whose positivity is assumed": "<none>",
}


class Refused(MdnnVerifyError):
    """The file does not prove what it says; the message names file and line and what was found there."""


class NotWellFormed(MdnnVerifyError):
    """The proofs may be right, but a human could not compare them with the theorem."""


@dataclass(frozen=True)
class Built:
    """A compiled module: where it lies, and the record of its checks; ``cached`` if nothing had to be done."""

    contents: Contents
    folder: Path
    record: Record
    cached: bool

    @property
    def hash(self) -> str:
        return str(self.record["files"][f"{self.contents.path.stem}.vo"])

    @property
    def mapping(self) -> tuple[Path, str]:
        return self.folder, self.contents.prefix


class Workshop:
    """Works on the files below ``root`` with one Coq, one store and one deadline (by time.monotonic)."""

    def __init__(self, root: Path, coq: Installation, store: Store, deadline: float) -> None:
        self.root, self.coq, self.store, self.deadline = root.resolve(), coq, store, deadline

    def build(self, contents: Contents) -> Built:
        """Compile and check ``contents`` and every shared file it rests on, each only if something changed.

        Raises Refused, NotWellFormed, CoqMissing and OutOfTime.
        """
        files = [*closure(contents, self.root), contents]
        self.coq.require([name.split(".")[0] for file in files for name in file.required])
        built: list[Built] = []
        for file in files:
            built.append(self._build(file, [b for b in built if b.contents.is_shared]))
        return built[-1]

    def _build(self, contents: Contents, earlier: Sequence[Built]) -> Built:
        names = {file.module for file in closure(contents, self.root)}
        needed = [built for built in earlier if built.contents.module in names]
        needs = {built.contents.module: built.hash for built in needed}
        text = [contents.module, contents.source.text, [built.record["key"] for built in needed]]
        key = hash_of([engine_stamp(), self.coq.stamp, *text])

        record, cached = self.store.get(
            contents.module, key, needs, lambda folder: self._make(contents, needed, folder), self.deadline
        )
        return Built(contents, self.store.place(contents.module, key), record, cached)

    def _make(self, contents: Contents, needed: Sequence[Built], folder: Path) -> Record:
        paths = [*(built.mapping for built in needed), (folder, contents.prefix)]
        file = folder / contents.path.name
        file.write_text(contents.source.text, encoding="utf-8")
        compiled = self.coq.compile(file, paths, self.deadline)
        if compiled.status:
            raise Refused(_does_not_compile(contents, compiled))
        checked = self.coq.recheck([contents.module], paths, self.deadline)
        if ours := [name for name in summary_of(checked, _at(contents)) if name.startswith("MDNN.")]:
            raise Refused(f"{_at(contents)}: coqchk finds the axiom {ours[0]}")
        seconds = {"compile": compiled.seconds, "coqchk": checked.seconds}
        if contents.is_shared:  # is questioned as a part of every theorem that rests on it
            return {"seconds": seconds}
        shared = [built.contents for built in needed]
        report, spent = self._question(contents, shared, folder, paths)
        _judge(contents, shared, report)
        return {
            "theorems": [_shown(contents, stated) for stated in report.theorems],
            "definitions": definitions_used(contents, shared),
            "seconds": {**seconds, "questions": spent},
        }

    def _question(
        self, contents: Contents, shared: Sequence[Contents], folder: Path, paths: list[tuple[Path, str]]
    ) -> tuple[Report, float]:
        """The answers, and how many seconds they took; a second round only if some name had a meaning before."""
        mark = f"@@{secrets.token_hex(8)}"
        answer = self._ask(contents, ask(contents, shared, mark), folder, paths)
        try:
            report = parse(answer.output, contents, mark)
        except (ValueError, KeyError) as error:
            raise Refused(f"{_at(contents)}: the answers of Coq cannot be read ({error})") from None
        if not report.shadowed:
            return report, answer.seconds
        again = self._ask(contents, ask_which_are_proofs(contents, shared, report.shadowed, mark), folder, paths)
        return without_proofs(report, again.output, mark), answer.seconds + again.seconds

    def _ask(self, contents: Contents, text: str, folder: Path, paths: list[tuple[Path, str]]) -> Answer:
        asking = folder / "questions"
        asking.mkdir()
        (asking / "mdnn_questions.v").write_text(text, encoding="utf-8")
        answer = self.coq.compile(asking / "mdnn_questions.v", paths, self.deadline)
        shutil.rmtree(asking)
        if answer.status:
            raise Refused(f"{_at(contents)}: Coq does not answer questions about it ({first_error(answer)[1]})")
        return answer


def closure(contents: Contents, root: Path) -> list[Contents]:
    """The shared files that ``contents`` rests on, each after those it rests on itself; all of them keep the rules.

    Raises Refused, also for ``contents``, and NotWellFormed if it lacks what a theorem's file must say.
    """
    found: dict[str, Contents] = {}
    _visit(contents, root, (), found)
    del found[contents.module]
    return list(found.values())


def _visit(contents: Contents, root: Path, below: tuple[str, ...], found: dict[str, Contents]) -> None:
    if contents.faults:
        raise Refused(f"{_at(contents, contents.faults[0].line)}: {contents.faults[0].what}")
    if not contents.is_shared and not contents.theorems:
        raise Refused(f"{_at(contents)}: it states no Theorem")
    if not contents.is_shared and contents.faults_of_form:
        raise NotWellFormed(f"{_at(contents, contents.faults_of_form[0].line)}: {contents.faults_of_form[0].what}")
    for name in contents.shared:
        path = root.joinpath(*name.split(".")[1:]).with_suffix(".v")
        if name in (*below, contents.module):
            raise Refused(f"{_at(contents)}: {name} requires itself")
        if not path.is_file():
            raise Refused(f"{_at(contents)}: it requires {name}, and there is no {path.relative_to(root)}")
        if name not in found:
            _visit(load(path, root), root, (*below, contents.module), found)
    found[contents.module] = contents


def summary_of(checked: Answer, what: object) -> list[str]:
    """The axioms in the context that coqchk reports. Raises Refused if it fails, or reports a check switched off."""
    if checked.status:
        raise Refused(f"{what}: coqchk does not accept the compiled file ({first_error(checked)[1]})")
    titled = (part.partition(":") for part in re.split(r"^\* ", checked.output + checked.errors, flags=re.M)[1:])
    parts = {title: text for title, _, text in titled}
    for title, sound in _SOUND.items():
        if parts.get(title, "").strip() != sound:
            raise Refused(f"{what}: coqchk says of {title}: {' '.join(parts.get(title, 'nothing').split())}")
    return [name for name in parts.get("Axioms", "").split() if name != "<none>"]


def _judge(contents: Contents, shared: Sequence[Contents], report: Report) -> None:
    """Raises Refused for the first thing in Coq's answers that must not be."""
    ours = {contents.module, *(file.module for file in shared)}
    for library in report.libraries:
        if library not in ours and not library.startswith(ALLOWED_LIBRARIES):
            raise Refused(f"{_at(contents)}: it loads {library}, which is outside the allowed libraries")
    for name, other in report.shadowed.items():
        file, line = next(
            (file, item.line) for file in (contents, *shared) for item in file.definitions if name in item.names
        )
        raise Refused(f"{_at(file, line)}: it defines {name}, which already stands for {other}; choose another name")
    for stated in report.theorems:
        line = next(theorem.line for theorem in contents.theorems if theorem.name == stated.name)
        if fault := _fault_of(stated, contents):
            raise Refused(f"{_at(contents, line)}: {fault}")
    for axiom in report.witness_axioms:
        if axiom not in WHITE_LIST:
            raise Refused(f"{_at(contents)}: a witness rests on the axiom {axiom}, which is not on the white list")


def _fault_of(stated: Stated, contents: Contents) -> str:
    name, witness = stated.name, stated.name + WITNESS
    for axiom in stated.axioms:
        if axiom not in WHITE_LIST:
            return f"{name} rests on the axiom {axiom}, which is not on the white list"
    if not stated.witness:
        return f"{name} may be vacuous: no transparent Definition {witness} := {name} ... outside of sections"
    if not stated.witness_applies:
        return f"{witness} is not {name} applied to arguments"
    if not stated.witness_closed:
        return f"{witness} leaves an argument or a hypothesis of {name} open: {' '.join(stated.witness.split())}"
    if not stated.is_proposition:
        return f"{name} states no proposition: {' '.join(stated.statement.split())}"
    if not stated.witness_says:
        return f"{name} says nothing: {witness} is a proof of True"
    return ""


def _does_not_compile(contents: Contents, compiled: Answer) -> str:
    line, text = first_error(compiled)
    return f"{_at(contents, line)}: Coq says: {text}"


def _shown(contents: Contents, stated: Stated) -> dict[str, Any]:
    doc = next(theorem.doc for theorem in contents.theorems if theorem.name == stated.name)
    return {
        "name": stated.name,
        "statement": stated.statement,
        "doc": doc,
        "axioms": list(stated.axioms),
        "witness": stated.witness,
    }


def _at(contents: Contents, line: int | None = None) -> str:
    """The file by its place below the root, so that no report shows where this machine keeps it."""
    place = "/".join(contents.module.split(".")[1:]) + ".v"
    return place if line is None else f"{place}, line {line}"
