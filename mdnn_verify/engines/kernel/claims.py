"""The claims of this engine: one file is machine-checked; all files and all that they rest on are checked once more."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mdnn_verify.engines.base import Claim, Context
from mdnn_verify.engines.kernel.contents import load
from mdnn_verify.engines.kernel.coq import CoqMissing, Installation, OutOfTime, installation
from mdnn_verify.engines.kernel.query import WHITE_LIST
from mdnn_verify.engines.kernel.store import Record, Store, engine_stamp, hash_of
from mdnn_verify.engines.kernel.workshop import Built, NotWellFormed, Refused, Workshop, closure, summary_of
from mdnn_verify.verdicts import Status, Verdict

__all__ = ["EverythingRechecked", "MachineChecked", "theorem_files"]

_TRUSTED = "the compiled libraries of the distribution were loaded as they are"


@dataclass(frozen=True)
class MachineChecked(Claim):
    """Every Theorem of the file ``path``, below the folder ``root``, is a theorem to Coq's kernel, and is not vacuous.

    PROVED says: the text uses none of the ways around a proof; coqc accepts it; each theorem rests on no axiom outside
    the white list; each is applied, by its witness, to data that fulfil all of its hypotheses; coqchk accepts the
    compiled file and the shared files it rests on. Whether the statement is the textbook's is left to a human: the
    evidence holds it as Coq prints it, with the definitions it uses. ``cache`` is for tests; see ``store`` for what is
    believed of it.
    """

    path: Path
    root: Path
    cache: Path | None = None

    def decide(self, context: Context) -> Verdict:
        """PROVED, REFUTED with file and line, INCONCLUSIVE out of time, SKIPPED without Coq, ERROR without a scope."""
        return _guarded(context, lambda deadline: self._decide(deadline))

    def _decide(self, deadline: float) -> Verdict:
        contents = load(self.path, self.root)
        shared = closure(contents, self.root)  # what cheats is refused also where Coq is not installed
        coq = installation()
        built = Workshop(self.root, coq, Store(self.cache), deadline).build(contents)
        modules = [file.module for file in (*shared, contents)]
        checked = f"coqchk checked the compiled {_listed(modules)} once more; {_TRUSTED}"
        count = len(built.record["theorems"])
        axioms = sorted({name for theorem in built.record["theorems"] for name in theorem["axioms"]})
        used = ", ".join(name.rpartition(".")[2] for name in axioms) or "none"
        evidence: dict[str, Any] = {
            "theorems": built.record["theorems"],
            "definitions": built.record["definitions"],
            "checked": checked,
            "seconds": built.record["seconds"],
            "cached": built.cached,
        }
        detail = f"{count} theorem{'s' if count > 1 else ''}, with witness; axioms: {used}"
        return Verdict(Status.PROVED, contents.scope, detail, engine=_engine(coq), evidence=evidence)


@dataclass(frozen=True)
class EverythingRechecked(Claim):
    """All files below ``root``, and every library module that they rest on, pass coqchk together.

    This takes a minute or two: the standard library, mathcomp and Coquelicot are checked as well, so that nothing but
    coqchk itself and the axioms it lists is trusted. ``seconds`` is the limit, where it is more than the context's.
    """

    root: Path
    seconds: float = 900.0
    cache: Path | None = None

    def decide(self, context: Context) -> Verdict:
        """As MachineChecked; the first file that is not PROVED answers for all."""
        return _guarded(replace(context, timeout=max(context.timeout, self.seconds)), self._decide)

    def _decide(self, deadline: float) -> Verdict:
        coq, store = installation(), Store(self.cache)
        workshop = Workshop(self.root, coq, store, deadline)
        files = [load(path, self.root) for path in theorem_files(self.root)]
        shared = {file.module: file for content in files for file in closure(content, self.root)}
        if not files:
            return Verdict(Status.ERROR, detail="there is no file of proofs to check")
        built = [workshop.build(file) for file in (*shared.values(), *files)]
        needs = {one.contents.module: one.hash for one in built}
        key = hash_of([engine_stamp(), coq.stamp, needs])
        record, cached = store.get("everything", key, needs, lambda _: _recheck_all(coq, built, deadline), deadline)
        evidence = {**record, "modules": sorted(needs), "cached": cached}
        scope = f"the {len(needs)} modules of this package and all library modules that they rest on"
        detail = f"coqchk accepts them; axioms: {', '.join(record['axioms']) or 'none'}"
        return Verdict(Status.PROVED, scope, detail, engine=_engine(coq), evidence=evidence)


def theorem_files(root: Path) -> list[Path]:
    """Every ``<chapter>/<name>.v`` below ``root`` that is no shared file."""
    return [path for path in sorted(root.glob("*/*.v")) if path.parent.name != "shared"]


def _recheck_all(coq: Installation, built: list[Built], deadline: float) -> Record:
    paths = [one.mapping for one in built]
    checked = coq.recheck([one.contents.module for one in built], paths, deadline, libraries=True)
    axioms = summary_of(checked, "all files")
    for axiom in axioms:
        if axiom not in WHITE_LIST:
            raise Refused(f"all files: coqchk finds the axiom {axiom}, which is not on the white list")
    return {"axioms": sorted(axioms), "seconds": {"coqchk": checked.seconds}}


def _guarded(context: Context, work: Callable[[float], Verdict]) -> Verdict:
    """``work`` with a deadline; what it raises on purpose becomes a verdict."""
    try:
        verdict = work(time.monotonic() + context.timeout)
    except CoqMissing as error:
        return Verdict(Status.SKIPPED, context.scope, str(error), engine="Coq")
    except Refused as error:
        return Verdict(Status.REFUTED, context.scope, str(error), counterexample=str(error), engine="Coq")
    except OutOfTime as error:
        return Verdict(Status.INCONCLUSIVE, context.scope, f"{error} ({context.timeout:g} s)", engine="Coq")
    except NotWellFormed as error:
        return Verdict(Status.ERROR, context.scope, str(error), engine="Coq")
    except (OSError, UnicodeDecodeError) as error:
        return Verdict(Status.ERROR, context.scope, f"a file cannot be read or written: {error}", engine="Coq")
    return replace(verdict, scope=verdict.scope or context.scope)


def _engine(coq: Installation) -> str:
    return f"Coq {coq.version}"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
