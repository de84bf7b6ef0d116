"""What a file of proofs must not contain: every way to make Coq accept something without a proof, or read it otherwise.

The lists name what is allowed; whatever is not on them is refused. That a name, an axiom or a library is what it seems
to be is asked of Coq itself afterwards (``query``); these rules come first because some commands could deceive it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from mdnn_verify.engines.kernel.lexer import Sentence, Source

__all__ = ["Fault", "faults", "required_modules"]

SHARED = "MDNN.shared"
LIBRARY_ROOTS = ("Coq", "mathcomp", "Coquelicot")

_STATED = {"Lemma", "Definition", "Fixpoint", "CoFixpoint", "Inductive", "CoInductive", "Variant", "Record",
           "Structure", "Class", "Instance", "Let"}  # fmt: skip
_PROOF = {"Proof", "Qed", "Defined", "Ltac", "Hint", "Create", "Opaque", "Transparent", "Scheme", "Combined"}
_SECTION = {"Section", "End", "Implicit", "Generalizable"}
_ASSUMED = {"Variable", "Variables", "Hypothesis", "Hypotheses", "Context"}
_LOADED = {"From", "Require", "Import", "Export", "Open", "Close", "Set", "Unset"}
_READING = {"Notation", "Infix", "Reserved", "Coercion", "Canonical", "Arguments", "Existing", "Identity"}
ALLOWED_ANYWHERE = _STATED | _PROOF | _SECTION | _ASSUMED | _LOADED
OPTIONS = {"Implicit Arguments", "Strict Implicit", "Contextual Implicit", "Maximal Implicit Insertion",
           "Printing Implicit Defensive", "Bullet Behavior", "Warnings", "Default Goal Selector"}  # fmt: skip
ATTRIBUTES = {"local", "global", "export"}
FORBIDDEN_WORDS = {"Admitted", "Admit", "admit", "give_up", "Axiom", "Axioms", "Parameter", "Parameters",
                   "Conjecture", "Conjectures", "bypass_check"}  # fmt: skip

_ANY_WORD = re.compile(r"(?<![\w'.])[^\W\d][\w']*")
_FROM = re.compile(r"From\s+([\w.']+)\s+Require\b\s*(?:Import\b|Export\b)?\s*(.*)", re.S)
_REQUIRE = re.compile(r"Require\b\s*(?:Import\b|Export\b)?\s*(.*)", re.S)
# a field of a record that is a coercion, too: read in places where it is not written
_COERCED = re.compile(r"(?:[{;]|:=)(?:\([^()]*\)|\{[^{}]*\}|[^;{}():=])*:>")
_WITH_FIELDS = {"Record", "Structure", "Class", "Inductive", "Variant"}
_PROVED = {"Lemma", "Theorem"}
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
# symbols that already mean something to a reader: a notation made of these only would change what is read
_USUAL = set(
    "= <> < > <= >= + - * / ^ ~ -> <-> /\\ \\/ && || == != :: ++ | , ; : ( ) [ ] { } . ! & => := <-".split()  # noqa: SIM905
)
_USUAL |= {"exists", "forall", "fun", "in", "\\in", "\\notin", "let", "if", "then", "else", "not", "mod"}
_SYMBOLS = re.compile(r"\\?[^\W\d_]\w*|[^\s\w]+|\w+")


@dataclass(frozen=True)
class Fault:
    """A line and what is wrong with it, as the end of a sentence."""

    line: int
    what: str


def faults(source: Source, *, shared: bool) -> Iterator[Fault]:
    """Every broken rule of a theorem's file or, with ``shared``, of a file of helpers, which may declare notations."""
    if source.fault:
        yield Fault(*source.fault)
        return
    for line, text in enumerate(source.code.splitlines(), 1):
        for word in _ANY_WORD.findall(text):
            if word in FORBIDDEN_WORDS:
                yield Fault(line, f"{word}, which leaves something unproved")
        for letter in filter(_looks_like_another, text):
            yield Fault(line, f"the letter U+{ord(letter):04X}, which looks like another one or like none")
    yield from _transparent_lemmas(source)
    sections: list[str] = []
    for sentence in source.sentences:
        yield from _faults_of(sentence, source, sections, shared)
        if sentence.command == "Section":
            sections.append(sentence.rest)
        elif sentence.command == "End" and sections:
            sections.pop()


def _looks_like_another(letter: str) -> bool:
    """Letters and invisible characters outside ASCII; signs such as the square of the standard library may stay."""
    return not letter.isascii() and unicodedata.category(letter)[0] in "LC"


def _transparent_lemmas(source: Source) -> Iterator[Fault]:
    """What ``Defined`` ends is a definition; it must be called one, so that it is shown to the reader."""
    stating = [s for s in source.sentences if s.command in _STATED | _PROVED or s.command == "Defined"]
    for before, sentence in pairwise(stating):
        if sentence.command == "Defined" and before.command in _PROVED:
            yield Fault(sentence.line, f"Defined after a {before.command}, which makes it a definition in disguise")


def _faults_of(sentence: Sentence, source: Source, sections: list[str], shared: bool) -> Iterator[Fault]:
    line, command = sentence.line, sentence.command
    if not sentence.is_command:
        return
    if strange := [name for name in sentence.attributes if name not in ATTRIBUTES]:
        yield Fault(line, f"the attribute {strange[0]}")
    if strange := [name for name in sentence.modifiers if name not in ("Local", "Global")]:
        yield Fault(line, f"{strange[0]} {command}, which is not on the list of allowed commands")
    if command in FORBIDDEN_WORDS:
        return
    if command in _ASSUMED and not sections:
        yield Fault(line, f"{command} outside a Section, which is an axiom")
    elif command in ("Set", "Unset"):
        yield from _faults_of_option(sentence)
    elif command in ("From", "Require"):
        yield from _faults_of_require(sentence)
    elif command == "Theorem":
        if shared:
            yield Fault(line, "a Theorem among the shared helpers; expected a Lemma, or a file of its own")
    elif command in _READING:
        yield from _faults_of_reading(sentence, source, shared)
    elif not shared and re.search(r'\bwhere\s+"', sentence.code):
        yield Fault(
            line, f"{_shown(sentence)} with a notation, in a theorem's file, whose statement must read as it is"
        )
    elif not shared and command in _WITH_FIELDS and _COERCED.search(sentence.code):
        yield Fault(
            line, f"{_shown(sentence)} with a coercion, in a theorem's file, whose statement must read as it is"
        )
    elif command not in ALLOWED_ANYWHERE:
        yield Fault(line, f"{_shown(sentence)}, which is not on the list of allowed commands")


def _faults_of_option(sentence: Sentence) -> Iterator[Fault]:
    option = " ".join(re.split(r'[".]', sentence.rest)[0].split())
    if option not in OPTIONS:
        yield Fault(sentence.line, f"{sentence.command} {option}, which is not on the list of allowed options")
    elif sentence.modifiers or {"global", "export"} & set(sentence.attributes):
        yield Fault(sentence.line, f"an option ({option}) that reaches other files")


def _faults_of_reading(sentence: Sentence, source: Source, shared: bool) -> Iterator[Fault]:
    """Commands that change how a text is read: for shared files only, and not for symbols that a reader knows."""
    if not shared:
        yield Fault(
            sentence.line, f"{_shown(sentence)} in a theorem's file, whose statement must read as it is (only shared/)"
        )
    elif sentence.command in ("Notation", "Infix", "Reserved"):
        written = _QUOTED.search(source.text[sentence.start : sentence.end])
        if written and _is_usual(written[1], infix="Infix" in sentence.code[:30]):
            yield Fault(sentence.line, f'a notation for "{written[1]}", whose symbols already have a meaning')


def _is_usual(notation: str, *, infix: bool) -> bool:
    """Whether every symbol of ``notation`` is one that mathematics or the standard library uses already."""
    words = [word.strip("'") for word in notation.split()]
    symbols = words if infix else [word for word in words if not re.fullmatch(r"[^\W\d]\w*", word) or word in _USUAL]
    symbols = [token for word in symbols for token in _tokens(word)]
    return all(token in _USUAL for token in symbols)


def _tokens(word: str) -> list[str]:
    return [word] if word in _USUAL else _SYMBOLS.findall(word)


def _faults_of_require(sentence: Sentence) -> Iterator[Fault]:
    try:
        names = required_modules(sentence)
    except ValueError as error:
        yield Fault(sentence.line, str(error))
        return
    for name in names:
        root = name.split(".")[0]
        if root == "MDNN" and not re.fullmatch(re.escape(SHARED) + r"\.\w+", name):
            yield Fault(sentence.line, f"Require of {name}; of our own files only those in {SHARED} may be used")
        elif root not in ("MDNN", *LIBRARY_ROOTS) and (sentence.command == "From" or "." in name):
            yield Fault(sentence.line, f"Require of {name}, which is outside the allowed libraries")


def required_modules(sentence: Sentence) -> list[str]:
    """The modules that a Require names, with the prefix that From gives. Raises ValueError if that is not clear."""
    found = _FROM.fullmatch(sentence.body.rstrip(".").strip()) if sentence.command == "From" else None
    plain = _REQUIRE.fullmatch(sentence.body.rstrip(".").strip()) if sentence.command == "Require" else None
    match = found or plain
    if match is None:
        raise ValueError(f"{_shown(sentence)}, which is not on the list of allowed commands")
    prefix = f"{found[1]}." if found else ""
    names = match[match.lastindex or 1].split()
    if not names or any(not re.fullmatch(r"[\w']+(\.[\w']+)*", name) for name in names):
        raise ValueError("a Require that is more than a list of modules")
    return [prefix + name for name in names]


def _shown(sentence: Sentence, limit: int = 40) -> str:
    text = " ".join(sentence.body.split())
    return text if len(text) <= limit else f"{text[:limit].rsplit(' ', 1)[0]} ..."
