"""What a file of proofs says: title and scope, theorems and definitions with their comments, and what it requires."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mdnn_verify.engines.kernel.lexer import Sentence, Source, read
from mdnn_verify.engines.kernel.rules import SHARED, Fault, faults, required_modules

__all__ = ["WITNESS", "Contents", "Item", "definitions_used", "load"]

WITNESS = "_witness"
DEFINING = (
    "Definition",
    "Fixpoint",
    "CoFixpoint",
    "Inductive",
    "CoInductive",
    "Variant",
    "Record",
    "Structure",
    "Class",
    "Instance",
    "Let",
)
_HEADER = ("From", "Require", "Import", "Export", "Open", "Close")
_NAME = re.compile(r"[^\W\d][\w']*")
# the other names that a definition brings along: of constructors, of fields, and of what is defined with it
_CONSTRUCTOR = re.compile(r"(?::=|\|)\s*([^\W\d][\w']*)")
_FIELD = re.compile(r"(?::=|[{;])\s*([^\W\d][\w']*)")
_WITH = re.compile(r"\bwith\s+([^\W\d][\w']*)(?=(?:(?!=>)[^|])*:=)")
_WORDS = re.compile(r"\\?[^\W\d][\w']*")


@dataclass(frozen=True)
class Item:
    """A named thing of a file: its command, its source text and the comment right before it.

    ``names`` are all that it brings: its own, and those of its constructors or fields.
    """

    name: str
    command: str
    line: int
    source: str
    doc: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Contents:
    """One file, read but not compiled. ``module`` is its logical name, such as MDNN.flows.coupling_log_det."""

    path: Path
    module: str
    source: Source

    @property
    def is_shared(self) -> bool:
        return self.module.startswith(f"{SHARED}.")

    @property
    def prefix(self) -> str:
        return self.module.rpartition(".")[0]

    @cached_property
    def faults(self) -> list[Fault]:
        """Every rule that the text breaks, by line."""
        return sorted(faults(self.source, shared=self.is_shared), key=lambda fault: fault.line)

    @cached_property
    def required(self) -> list[str]:
        """Every module that the file names in a Require."""
        loading = [sentence for sentence in self.source.sentences if sentence.command in ("From", "Require")]
        return [name for sentence in loading for name in required_modules(sentence)]

    @property
    def shared(self) -> list[str]:
        """Our own files among them."""
        return [name for name in dict.fromkeys(self.required) if name.startswith(f"{SHARED}.")]

    @cached_property
    def header(self) -> list[str]:
        """The sentences at top level that decide how names are read: with them Coq prints what the author wrote."""
        return [s.code for s in _top_level(self.source.sentences) if s.command in _HEADER]

    @property
    def library_header(self) -> list[str]:
        """Those of them that load libraries only."""
        return [code for code in self.header if re.search(r"\bRequire\b", code) and "MDNN" not in code]

    @cached_property
    def theorems(self) -> list[Item]:
        return [self._item(s) for s in self.source.sentences if s.command == "Theorem"]

    @cached_property
    def definitions(self) -> list[Item]:
        """All that a statement may use, in the file's order; witnesses are not among them."""
        items = [self._item(s) for s in self.source.sentences if s.command in (*DEFINING, "Notation", "Infix")]
        return [item for item in items if not item.name.endswith(WITNESS)]

    @cached_property
    def witnesses(self) -> set[str]:
        """The names of transparent witnesses: Definitions at top level that are given by a term."""
        top = [s for s in _top_level(self.source.sentences) if s.command == "Definition" and ":=" in s.code]
        return {name for s in top if (name := self._item(s).name).endswith(WITNESS)}

    @property
    def title(self) -> str:
        """The first comment's first sentence."""
        words = self.source.comments[0].words if self.source.comments else ""
        return re.split(r"(?<=\.)\s", words)[0].rstrip(".")

    @property
    def scope(self) -> str:
        """What stands after ``Scope:`` in the first comment, up to an empty line or ``Source:``."""
        text = self.source.comments[0].text if self.source.comments else ""
        found = re.search(r"\bScope:\s*(.+?)(?:\n\s*\n|\bSource:|\*\)\Z)", text, flags=re.S)
        return " ".join(found[1].split()) if found else ""

    @property
    def faults_of_form(self) -> list[Fault]:
        """What a theorem's file lacks to be read by a human: a scope, and a comment that reads each theorem aloud."""
        found = [] if self.scope else [Fault(1, "the first comment has no line 'Scope: for what exactly it is proved'")]
        silent = [theorem for theorem in self.theorems if not theorem.doc]
        return found + [
            Fault(theorem.line, f"no comment (** ... *) right before {theorem.name} reads it aloud")
            for theorem in silent
        ]

    def _item(self, sentence: Sentence) -> Item:
        found = _NAME.match(sentence.rest)
        quoted = re.search(r'"([^"]*)"', self.source.text[sentence.start : sentence.end])
        comment = self.source.comment_before(sentence.start)
        own = comment and comment.start > 0 and (comment.is_doc or sentence.command != "Theorem")
        doc = comment.words if comment and own else ""
        name = found[0] if found else quoted[1] if quoted else ""
        text = self.source.text[sentence.start : self._end(sentence)]
        return Item(name, sentence.command, sentence.line, text, doc, (name, *_brought_along(sentence)))

    def _end(self, sentence: Sentence) -> int:
        """What is defined by tactics goes on to its end."""
        if sentence.command not in ("Definition", "Instance", "Let") or ":=" in sentence.code:
            return sentence.end
        closing = (s.end for s in self.source.sentences if s.start > sentence.start and s.command in ("Defined", "Qed"))
        return next(closing, sentence.end)


def load(path: Path, root: Path) -> Contents:
    """Read ``path``, a file below ``root``. Raises OSError, ValueError (not below root) or UnicodeDecodeError."""
    relative = path.resolve().relative_to(root.resolve()).with_suffix("")
    return Contents(path.resolve(), ".".join(("MDNN", *relative.parts)), read(path.read_text(encoding="utf-8")))


def definitions_used(contents: Contents, shared: Iterable[Contents]) -> list[dict[str, str]]:
    """The file's own definitions, and of the shared ones those that these or the theorems' statements name."""
    own = contents.definitions
    texts = [item.source for item in (*contents.theorems, *own)]
    known = [(file.module, item) for file in shared for item in file.definitions]
    used: set[int] = set()
    words: set[str] = set()
    while texts:
        words |= {word for text in texts for word in _WORDS.findall(text)}
        new = [i for i, (_, item) in enumerate(known) if i not in used and _is_named(item, words)]
        used |= set(new)
        texts = [known[i][1].source for i in new]
    return [_entry(module, item) for i, (module, item) in enumerate(known) if i in used] + [
        _entry(contents.module, item) for item in own
    ]


def _is_named(item: Item, words: set[str]) -> bool:
    """Whether a text of these words uses ``item``: for a notation by its first word with a backslash, or any long one.

    Coq reads ``\\sum_i`` as ``\\sum_`` and ``i``, so there a beginning is enough.
    """
    if item.command not in ("Notation", "Infix"):
        return item.name in words
    own = _WORDS.findall(item.name)
    if marked := [word for word in own if word.startswith("\\")]:
        return any(word.startswith(marked[0]) for word in words)
    return any(word in words for word in own if len(word) > 1)


def _brought_along(sentence: Sentence) -> list[str]:
    """The names of constructors, fields and of what is defined together with a definition."""
    if sentence.command not in DEFINING:
        return []
    body = sentence.code[max(sentence.code.find(":="), 0) :]
    inside = {"Inductive": _CONSTRUCTOR, "CoInductive": _CONSTRUCTOR, "Variant": _CONSTRUCTOR,
              "Record": _FIELD, "Structure": _FIELD, "Class": _FIELD}.get(sentence.command)  # fmt: skip
    return [*(inside.findall(body) if inside else ()), *_WITH.findall(sentence.code)]


def _entry(module: str, item: Item) -> dict[str, str]:
    return {"name": item.name, "module": module, "source": item.source, "doc": item.doc}


def _top_level(sentences: Iterable[Sentence]) -> Iterator[Sentence]:
    depth = 0
    for sentence in sentences:
        if sentence.command == "End":
            depth -= 1
        if depth == 0:
            yield sentence
        if sentence.command == "Section":
            depth += 1
