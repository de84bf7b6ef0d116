"""Questions to Coq about a compiled file: what it states and assumes, what it loaded, and what its witnesses are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from mdnn_verify.engines.kernel.contents import WITNESS, Contents

__all__ = ["WHITE_LIST", "Report", "Stated", "ask", "ask_which_are_proofs", "parse", "without_proofs"]

# the axioms of the standard library's reals, of classical logic and of description; nothing else
WHITE_LIST = (
    "Coq.Reals.ClassicalDedekindReals.sig_forall_dec",
    "Coq.Reals.ClassicalDedekindReals.sig_not_dec",
    "Coq.Logic.FunctionalExtensionality.functional_extensionality_dep",
    "Coq.Logic.Classical_Prop.classic",
    "Coq.Logic.ClassicalEpsilon.constructive_indefinite_description",
    "Coq.Logic.IndefiniteDescription.constructive_indefinite_description",
)
ALLOWED_LIBRARIES = ("Coq.", "mathcomp.ssreflect.", "mathcomp.algebra.", "mathcomp.fingroup.", "Coquelicot.")
_APPLIED, _OTHER, _CLOSED, _OPEN = "applied", "not-applied", "no-product", "product"
_EMPTY, _SAYS, _PROPOSITION, _DATA = "only-True", "says-something", "proposition", "data"

_HEAD = """Ltac mdnn_head e := lazymatch e with ?f _ => mdnn_head f | _ => e end."""
# always fails, so that a name that cannot stand alone (an abbreviation with arguments) does not end the questions
_PROOF = """Fail Definition mdnn_never := ltac:(let T := type of ({at}{name}) in let S := type of T in
lazymatch S with Prop => idtac "{mark} proof {name}"; fail 99 | _ => fail 99 end)."""
_SHAPE = """Goal True.
tryif (let w := eval cbv delta [{witness}] in (@{witness}) in let h := mdnn_head w in constr_eq h (@{theorem}))
then idtac "{applied}" else idtac "{other}".
tryif (let w := eval cbv delta [{witness}] in (@{witness}) in let T := type of w in let T := eval cbv beta zeta in T in
       lazymatch T with forall x : ?A, @?B x => fail | _ => idtac end)
then idtac "{closed}" else idtac "{open}".
tryif (let w := eval cbv delta [{witness}] in (@{witness}) in let T := type of w in let T := eval hnf in T in
       constr_eq T True)
then idtac "{empty}" else idtac "{says}".
tryif (let T := type of (@{theorem}) in let S := type of T in let S := eval hnf in S in constr_eq S Prop)
then idtac "{proposition}" else idtac "{data}".
Abort."""
# what every reader knows, whether or not a file loads it: its names may not be given another meaning
_KNOWN_TO_ALL = "Coq.Reals.Reals"


@dataclass(frozen=True)
class Stated:
    """A theorem as Coq prints it, its axioms by full name, and its witness (empty if it has none)."""

    name: str
    statement: str
    axioms: tuple[str, ...]
    witness: str = ""
    witness_applies: bool = False
    witness_closed: bool = False
    witness_says: bool = False
    is_proposition: bool = False


@dataclass(frozen=True)
class Report:
    """All answers: the theorems, all witnesses' axioms, every library that was loaded, names that had a meaning."""

    theorems: tuple[Stated, ...]
    witness_axioms: tuple[str, ...]
    libraries: tuple[str, ...]
    shadowed: dict[str, str]


def ask(contents: Contents, shared: Sequence[Contents], mark: str) -> str:
    """A Coq file whose output ``parse`` understands. ``shared`` are our own files that the theorem's file rests on.

    ``mark`` begins each answer: something that a statement, which Coq prints, cannot contain.
    """

    def title(text: str) -> str:
        return f'Goal True. idtac "{mark} {text}". Abort.'

    lines = [*_libraries(contents, shared), "Set Printing Width 1000."]
    lines += [f"Require {_KNOWN_TO_ALL}.", "Section mdnn_before.", f"Import {_KNOWN_TO_ALL}."]
    for name in _names((*shared, contents)):
        lines += [title(f"before {name}"), f"Locate Term {name}."]
    lines += ["End mdnn_before.", *contents.header, f"Require Import {contents.module}.", _HEAD]
    for suffix in _suffixes():
        lines += [title(f"resolves {suffix}"), f"Locate Term {suffix}."]
    lines += [title("libraries"), "Print Libraries."]
    for theorem in contents.theorems:
        name = f"{contents.module}.{theorem.name}"
        lines += [title(f"theorem {theorem.name}"), *_check(name)]
        lines += [title(f"axioms {theorem.name}"), *_assumptions(name)]
        if theorem.name + WITNESS in contents.witnesses:
            lines += [title(f"witness {theorem.name}"), *_check(name + WITNESS)]
            lines += [title(f"shape {theorem.name}"), _shape(name)]
    # all witnesses in one question: each takes Coq half a second, most of it for the theory of the real numbers
    witnesses = ", ".join(f"@{contents.module}.{name}" for name in sorted(contents.witnesses))
    lines += [f"Definition mdnn_witnesses := ({witnesses or 'I'}).", title("axioms"), *_assumptions("mdnn_witnesses")]
    return "\n".join([*lines, ""])


def parse(output: str, contents: Contents, mark: str) -> Report:
    """What Coq answered to ``ask``. Raises ValueError or KeyError if an answer is missing."""
    pieces = re.split(rf"^{re.escape(mark)} (.*)\n", output, flags=re.M)
    parts = dict(zip(pieces[1::2], pieces[2::2], strict=True))
    resolved = {suffix: full for suffix in _suffixes() if (full := _visible(parts[f"resolves {suffix}"]))}
    shadowed = {
        title.split(" ", 1)[1]: other
        for title, text in parts.items()
        if title.startswith("before ") and (other := _visible(text))
    }
    theorems = tuple(_stated(theorem.name, parts, resolved) for theorem in contents.theorems)
    libraries = tuple(re.findall(r"^\s+(\S+)$", parts["libraries"], flags=re.M))
    if not libraries:
        raise ValueError("Coq named no loaded library")
    return Report(theorems, _axioms(parts["axioms"], resolved), libraries, shadowed)


def ask_which_are_proofs(contents: Contents, shared: Sequence[Contents], shadowed: Mapping[str, str], mark: str) -> str:
    """A second file of questions: which of the names with a meaning of their own are proofs."""
    asked = [_PROOF.format(at=at, name=full, mark=mark) for full in shadowed.values() for at in ("@", "")]
    return "\n".join([*_libraries(contents, shared), f"Require {_KNOWN_TO_ALL}.", *asked, ""])


def without_proofs(report: Report, output: str, mark: str) -> Report:
    """No statement mentions a lemma by name, so a definition may have a lemma's name."""
    proofs = set(re.findall(rf"^{re.escape(mark)} proof (\S+)$", output, flags=re.M))
    return replace(report, shadowed={name: it for name, it in report.shadowed.items() if it not in proofs})


def _libraries(contents: Contents, shared: Sequence[Contents]) -> list[str]:
    """The sentences of all these files that load libraries."""
    return list(dict.fromkeys(code for file in (*shared, contents) for code in file.library_header))


def _names(files: Iterable[Contents]) -> list[str]:
    """Everything that our files define, by short name."""
    names = [name for file in files for item in file.definitions for name in item.names]
    return [name for name in dict.fromkeys(names) if re.fullmatch(r"[^\W\d][\w']*", name)]


def _suffixes() -> list[str]:
    """Every way in which Coq may print a name of the white list."""
    parts = [name.split(".") for name in WHITE_LIST]
    return list(dict.fromkeys(".".join(part[i:]) for part in parts for i in range(len(part))))


def _check(name: str) -> list[str]:
    return ["Set Printing Width 110.", f"Check @{name}."]


def _assumptions(name: str) -> list[str]:
    return ["Set Printing Width 1000.", f"Print Assumptions {name}."]


def _shape(name: str) -> str:
    return _SHAPE.format(
        theorem=name, witness=name + WITNESS, applied=_APPLIED, other=_OTHER, closed=_CLOSED, open=_OPEN,
        empty=_EMPTY, says=_SAYS, proposition=_PROPOSITION, data=_DATA,
    )  # fmt: skip


def _visible(located: str) -> str:
    """The full name that a short one stands for, by the answer of Locate; empty if it does not stand for any."""
    found = re.match(r"(?:Constant|Inductive|Constructor|Notation|Variable)\s+(\S+)(.*)", located, flags=re.S)
    if not found or re.match(r"[^\n]*\n?\s*\(shorter name", found[2]):
        return ""
    return found[1]


def _stated(name: str, parts: dict[str, str], resolved: dict[str, str]) -> Stated:
    if f"theorem {name}" not in parts:
        raise ValueError(f"Coq did not answer about {name}")
    statement, axioms = _statement(parts[f"theorem {name}"]), _axioms(parts[f"axioms {name}"], resolved)
    if f"witness {name}" not in parts:
        return Stated(name, statement, axioms)
    shape = parts[f"shape {name}"].split()
    found = [answer in shape for answer in (_APPLIED, _CLOSED, _SAYS, _PROPOSITION)]
    return Stated(name, statement, axioms, _statement(parts[f"witness {name}"]), *found)


def _statement(checked: str) -> str:
    """The type that Check printed, without the name before it and the indentation that goes with that."""
    lines = checked.rstrip().split("\n")
    text = "\n".join(lines)
    text = text.partition(" : " if " : " in lines[0] else "\n     : ")[2]
    return "\n".join(line[7:] if line.startswith(" " * 7) else line for line in text.split("\n")).strip()


def _axioms(printed: str, resolved: dict[str, str]) -> tuple[str, ...]:
    """The names that Print Assumptions lists, in full where they are on the white list.

    Whatever does not look as expected is kept as it is, and so is found to be on no list.
    """
    if printed.strip() == "Closed under the global context":
        return ()
    lines = printed.rstrip().split("\n")
    found = [] if lines[0] == "Axioms:" else [lines[0]]
    for line in lines[1:]:
        if line and not line[0].isspace():
            entry = re.match(r"(\S+)(?: :|$)", line)
            found.append(resolved.get(entry[1], entry[1]) if entry else line)
    return tuple(sorted(found))
