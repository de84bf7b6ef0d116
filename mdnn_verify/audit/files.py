"""Finds derivations in Python files: those of the seeds, and a person's own."""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from mdnn_verify.audit.derivation import Derivation, MalformedDerivation, made
from mdnn_verify.errors import MdnnVerifyError, UnknownName, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SEEDS", "Place", "load", "of_seeds", "places"]

SEEDS = Path(__file__).parents[1] / "derivations"


@dataclass(frozen=True)
class Place:
    """Where a derivation is: the file as it was named, and the name of the object there."""

    path: str
    name: str
    alone: bool = True  # the only one in its file

    @property
    def module(self) -> str:
        """The dotted name of a derivation of the package; empty for a person's own file."""
        path = Path(self.path).resolve()
        return _module_name(path) if path.is_relative_to(SEEDS) else ""

    @property
    def shown(self) -> str:
        """The file as a person would name it, and the object if there are several."""
        path = Path(self.path)
        near = str(path.resolve().relative_to(SEEDS.parents[1])) if self.module else self.path
        return near if self.alone else f"{near}:{self.name}"

    def paste(self, line: str, world: int) -> str:
        """Python that prints both sides of a line in one world."""
        if self.module:
            return f"from {self.module} import {self.name}\n{self.name}.show({line!r}, {world})"
        which = "" if self.alone else f", {self.name!r}"
        return f"from mdnn_verify.audit import load\nload({self.path!r}{which}).show({line!r}, {world})"


def of_seeds() -> list[Place]:
    """Every ``derivations/seed_*/*.py`` of the package; there is no registry to edit."""
    return [place for path in sorted(SEEDS.glob("seed_*/*.py")) if path.name[0] != "_" for place in _in_file(str(path))]


def places(names: Sequence[str]) -> list[Place]:
    """The derivations in files and folders, in order.

    Raises UsageError for a name that is neither, and MalformedDerivation, naming file and line, for a file that does
    not import or holds no derivation. In a folder, files without one are passed over.
    """
    found: list[Place] = []
    for name in names:
        path = Path(name)
        if path.is_dir():
            files = [file for file in sorted(path.rglob("*.py")) if not file.name.startswith("_")]
            below = [place for file in files for place in _in_file(str(file))]
        elif path.is_file():
            below = _in_file(name)
        else:
            raise UsageError(f"no file {name}; expected a Python file with derivations, or a folder of such")
        if not below:
            raise MalformedDerivation(
                "no derivation here; expected an object of type mdnn_verify.audit.Derivation", name
            )
        found += below
    return list(dict.fromkeys(found))


def load(path: str | Path, name: str = "") -> Derivation:
    """The derivation ``name`` of a file, or its only one; the file is run as your own code.

    Raises UsageError for a missing file, UnknownName for a name it does not have, UsageError if it has several and none
    is named, and MalformedDerivation for a file that does not import.
    """
    if not Path(path).is_file():
        raise UsageError(f"no file {path}")
    known = _derivations(str(path))
    if name:
        if name not in known:
            raise UnknownName(f"derivation of {path}", name, known)
        return known[name]
    if len(known) != 1:
        raise UsageError(f"{path} holds {len(known)} derivations; name one of: {', '.join(known) or 'none'}")
    return next(iter(known.values()))


def _in_file(path: str) -> list[Place]:
    names = list(_derivations(path))
    return [Place(path, name, len(names) == 1) for name in names]


def _derivations(path: str) -> dict[str, Derivation]:
    """By name, in the order in which the file defines them; what it imports belongs to another file."""
    with made() as found:
        module = _imported(path)
    here = [(line, one) for file, line, one in found if Path(file).resolve() == Path(path).resolve()]
    made_here = {id(one) for _, one in here}
    tree = ast.parse(Path(path).read_bytes())
    elsewhere = {
        alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    own = {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, Derivation) and (name not in elsewhere or id(value) in made_here)
    }
    for line, lost in here:
        if all(lost is not value for value in own.values()):
            raise MalformedDerivation(
                f"the derivation {lost.title!r} has no name of its own at the end of the file, so nobody would read it",
                f"{path}:{line}",
            )
    first = {id(value): name for name, value in reversed(own.items())}  # one object under two names is one derivation
    return {name: value for name, value in own.items() if first[id(value)] == name}


def _imported(path: str) -> ModuleType:
    resolved = Path(path).resolve()
    name = _module_name(resolved)
    try:
        if resolved.is_relative_to(SEEDS):
            return importlib.import_module(name)
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise MalformedDerivation("not a Python file", path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        with _importable(str(resolved.parent)):
            spec.loader.exec_module(module)
    except MalformedDerivation as error:
        raise error if error.place else error.at(_line_of(error, path)) from error
    except SyntaxError as error:
        own = error.filename is None or Path(error.filename).resolve() == resolved
        place = (path if own else str(error.filename)) + (f":{error.lineno}" if error.lineno else "")
        raise MalformedDerivation(f"syntax error: {error.msg}", place) from error
    except MdnnVerifyError as error:
        raise MalformedDerivation(str(error), _line_of(error, path)) from error
    except (Exception, SystemExit) as error:  # whatever a file raises while it is imported is that file's fault
        place = _line_of(error, path)
        raise MalformedDerivation(f"it does not import: {type(error).__name__}: {error}", place) from error
    return module


@contextmanager
def _importable(folder: str) -> Iterator[None]:
    """A person's file may import its neighbours."""
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def _module_name(path: Path) -> str:
    if path.is_relative_to(SEEDS):
        return ".".join(("mdnn_verify", "derivations", *path.relative_to(SEEDS).with_suffix("").parts))
    return f"mdnn_verify_derivation_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"


def _line_of(error: BaseException, path: str) -> str:
    """``path:line`` of the last call in that file that led to the error."""
    number, trace = 0, error.__traceback__
    while trace is not None:
        if Path(trace.tb_frame.f_code.co_filename).resolve() == Path(path).resolve():
            number = trace.tb_lineno
        trace = trace.tb_next
    return f"{path}:{number}" if number else path
