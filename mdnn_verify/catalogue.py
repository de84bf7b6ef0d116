"""Finds theorems: every ``theorems/<chapter>/<name>.py`` is one, and there is no registry to edit.

Further folders of the same shape (a teacher's own theorems) may be added. Listing reads docstrings only, so it
imports neither torch nor sympy.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import re
import sys
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mdnn_verify.errors import MalformedTheorem, UnknownName, UsageError
from mdnn_verify.theorem import Theorem

__all__ = ["FORMAL_ROOT", "PACKAGE_THEOREMS", "Entry", "catalogue", "load", "resolve", "select"]

PACKAGE_THEOREMS = Path(__file__).parent / "theorems"
FORMAL_ROOT = Path(__file__).parent / "formal"


@dataclass(frozen=True)
class Entry:
    """A theorem's file, known by its docstring; ``id`` is ``chapter/name``."""

    id: str
    path: Path

    @property
    def chapter(self) -> str:
        return self.id.split("/")[0]

    @property
    def formal(self) -> Path | None:
        """The file of the machine-checked proof, ``formal/<chapter>/<name>.v``, if the package has one."""
        path = FORMAL_ROOT / f"{self.id}.v"
        return path if self.path.is_relative_to(PACKAGE_THEOREMS) and path.exists() else None

    @property
    def doc(self) -> str:
        """The file's docstring; empty if it has none or does not parse."""
        return _docstring(self.path, self.path.stat().st_mtime_ns)

    @property
    def title(self) -> str:
        return self.doc.partition("\n")[0].rstrip(".")

    @property
    def source(self) -> str:
        """The paragraph after ``Source:`` up to its first full stop at a sentence's end."""
        found = re.search(r"^Source:\s*(.+?)(?:\.(?:\s|$)|\n\s*\n|\Z)", self.doc, flags=re.M | re.S)
        return " ".join(found[1].split()) if found else ""


def catalogue(folders: Iterable[Path] = ()) -> dict[str, Entry]:
    """Every theorem by id: the package's own, then those of further ``folders``.

    Raises UsageError for a folder that does not exist or an id that two folders claim.
    """
    entries: dict[str, Entry] = {}
    for root in (PACKAGE_THEOREMS, *folders):
        if not root.is_dir():
            raise UsageError(f"no folder of theorems at {root}; expected <folder>/<chapter>/<name>.py")
        for path in sorted(root.glob("*/*.py")):
            if path.name.startswith("_"):
                continue
            identifier = f"{path.parent.name}/{path.stem}"
            if identifier in entries:
                raise UsageError(f"two files claim the id {identifier}: {entries[identifier].path} and {path}")
            entries[identifier] = Entry(identifier, path.resolve())
    return entries


def select(names: Sequence[str], entries: dict[str, Entry]) -> list[Entry]:
    """The entries that ids, bare names (where unique) or chapters name; all of them for no name, in catalogue order.

    Raises UnknownName, with the nearest known name, for anything else.
    """
    chosen: set[str] = set()
    for name in names:
        chosen |= _matching(name.strip("/"), entries)
    return [entry for identifier, entry in entries.items() if not names or identifier in chosen]


def load(entry: Entry) -> Theorem:
    """Import a theorem's file. Raises MalformedTheorem with all the faults it has."""
    return _load(entry, entry.path.stat().st_mtime_ns)


@cache
def _load(entry: Entry, _modified: int) -> Theorem:
    faults = []
    if not entry.title:
        faults.append("no docstring: the first line is the title")
    if not entry.source:
        faults.append("no source: the docstring needs a line 'Source: seed and problem, or paper.'")
    theorem = _import_theorem(entry)
    faults += theorem.faults()
    if faults:
        raise MalformedTheorem(str(entry.path), faults)
    return theorem


def _import_theorem(entry: Entry) -> Theorem:
    name = _module_name(entry)
    spec = importlib.util.spec_from_file_location(name, entry.path)
    if spec is None or spec.loader is None:
        raise MalformedTheorem(str(entry.path), ["not a Python file"])
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever a theorem's file raises while it is imported is that file's fault
        del sys.modules[name]
        raise MalformedTheorem(str(entry.path), [f"it does not import: {type(error).__name__}: {error}"]) from error
    theorem = getattr(module, "theorem", None)
    if not isinstance(theorem, Theorem):
        raise MalformedTheorem(str(entry.path), ["no object named 'theorem' of type Theorem"])
    return theorem


def _module_name(entry: Entry) -> str:
    if entry.path.is_relative_to(PACKAGE_THEOREMS):
        return f"mdnn_verify.theorems.{entry.id.replace('/', '.')}"
    folder = hashlib.sha256(str(entry.path.parent).encode()).hexdigest()[:8]
    return f"mdnn_verify_theorems_{folder}.{entry.id.replace('/', '.')}"


def resolve(name: str, known: Iterable[str], what: str) -> str:
    """The full id among ``known`` that an id or a bare name means.

    Raises UnknownName with the nearest, UsageError where the bare name is not unique.
    """
    name, known = name.strip("/"), sorted(known)
    bare = [identifier for identifier in known if identifier.split("/")[1] == name]
    if name in known:
        return name
    if len(bare) > 1:
        raise UsageError(f"the name {name!r} is not unique: {', '.join(bare)}")
    if bare:
        return bare[0]
    raise UnknownName(what, name, known)


def _matching(name: str, entries: dict[str, Entry]) -> set[str]:
    chapters = {entry.chapter for entry in entries.values()}
    if name in chapters:
        return {identifier for identifier, entry in entries.items() if entry.chapter == name}
    try:
        return {resolve(name, entries, "theorem")}
    except UnknownName:
        raise UnknownName("theorem or chapter", name, [*entries, *chapters]) from None


@cache
def _docstring(path: Path, _modified: int) -> str:
    try:
        return textwrap.dedent(ast.get_docstring(ast.parse(path.read_bytes())) or "")
    except (SyntaxError, ValueError):
        return ""
