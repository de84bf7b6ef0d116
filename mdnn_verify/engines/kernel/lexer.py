"""Coq source text, cut into sentences, with comments and strings taken out.

Comments nest, and a string inside a comment hides a comment's end, as Coq has it. Where the two readings of a full stop
could differ (``Qed.(* ... *)``) a sentence is cut too often rather than too rarely: what reads as one command too many
is refused, and nothing is hidden inside another command.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Comment", "Sentence", "Source", "read"]

_DOTS = re.compile(r"\.+")
_PREFIX = re.compile(r"(?:[-+*{}]|(?:\d+|all|par|!|\[[^\]]*\])\s*:(?!=))\s*")
_ATTRIBUTES = re.compile(r"#\[([^\]]*)\]\s*")
_MODIFIER = re.compile(r"(Local|Global|Polymorphic|Monomorphic|Cumulative|NonCumulative|Private|Program)\b\s*")
_WORD = re.compile(r"[^\W\d][\w']*")


@dataclass(frozen=True)
class Comment:
    """One outermost comment with its offsets in the text."""

    text: str
    start: int
    end: int

    @property
    def is_doc(self) -> bool:
        return self.text.startswith("(**") and not self.text.startswith("(***")

    @property
    def words(self) -> str:
        """The comment without its brackets, in one line to a paragraph."""
        inner = re.sub(r"^\(\*+|\*+\)$", "", self.text)
        return "\n\n".join(" ".join(part.split()) for part in re.split(r"\n\s*\n", inner) if part.strip())


@dataclass(frozen=True)
class Sentence:
    """One sentence: its code (comments blank, strings masked), where it begins, and its first word."""

    code: str
    start: int
    end: int
    line: int
    attributes: tuple[str, ...]
    modifiers: tuple[str, ...]
    body: str

    @property
    def command(self) -> str:
        """The first word after bullets, attributes and modifiers; empty where there is none."""
        found = _WORD.match(self.body)
        return found[0] if found else ""

    @property
    def rest(self) -> str:
        return self.body[len(self.command) :].strip()

    @property
    def is_command(self) -> bool:
        """Commands begin with a capital letter, tactics do not."""
        return self.command[:1].isupper() or bool(self.attributes or self.modifiers)


@dataclass(frozen=True)
class Source:
    """A file's text, its comments and its sentences; ``fault`` (line, what) where it cannot be read."""

    text: str
    code: str
    comments: tuple[Comment, ...]
    sentences: tuple[Sentence, ...]
    fault: tuple[int, str] | None = None

    def line_of(self, offset: int) -> int:
        return self.text.count("\n", 0, offset) + 1

    def comment_before(self, offset: int) -> Comment | None:
        """The comment that ends right before ``offset``, with white space only in between."""
        for comment in reversed(self.comments):
            if comment.end <= offset:
                return comment if not self.text[comment.end : offset].strip() else None
        return None


def read(text: str) -> Source:
    """Cut ``text`` into comments and sentences. An unfinished comment or string becomes the ``fault``."""
    code = list(text)
    comments: list[Comment] = []
    fault = None
    position = 0
    while position < len(text):
        start = position
        if text.startswith("(*", position):
            position, closed = _after_comment(text, position)
            comments.append(Comment(text[start:position], start, position))
            _blank(code, start, position, " ")
        elif text[position] == '"':
            position, closed = _after_string(text, position)
            _blank(code, start + 1, position - 1, "_")
        else:
            position, closed = position + 1, True
        if not closed:
            fault = fault or (text.count("\n", 0, start) + 1, "a comment or string that does not end")
    masked = "".join(code)
    return Source(text, masked, tuple(comments), tuple(_sentences(masked)), fault)


def _after_string(text: str, position: int) -> tuple[int, bool]:
    """The offset after the string that begins here; two quotes in a row are one quote inside it."""
    position += 1
    while position < len(text):
        if text[position] == '"':
            if not text.startswith('""', position):
                return position + 1, True
            position += 1
        position += 1
    return len(text), False


def _after_comment(text: str, position: int) -> tuple[int, bool]:
    depth = 0
    while position < len(text):
        if text.startswith("(*", position):
            depth, position = depth + 1, position + 2
        elif text.startswith("*)", position):
            depth, position = depth - 1, position + 2
            if not depth:
                return position, True
        elif text[position] == '"':
            position, closed = _after_string(text, position)
            if not closed:
                return position, False
        else:
            position += 1
    return len(text), False


def _blank(code: list[str], start: int, end: int, mask: str) -> None:
    for i in range(start, end):
        if code[i] != "\n":
            code[i] = mask


def _sentences(code: str) -> Iterator[Sentence]:
    """A sentence ends at one full stop, or three, before white space or the end; two are the dots of a notation."""
    start = line = 0
    counted = 0
    for dots in _DOTS.finditer(code):
        end = dots.end()
        if len(dots[0]) == 2 or (end < len(code) and not code[end].isspace()):
            continue
        line, counted = line + code.count("\n", counted, start), start
        yield from _sentence(code, start, end, line)
        start = end
    line += code.count("\n", counted, start)
    yield from _sentence(code, start, len(code), line)


def _sentence(code: str, start: int, end: int, newlines: int) -> Iterator[Sentence]:
    piece = code[start:end]
    body = piece.strip()
    if not body:
        return
    begin = start + len(piece) - len(piece.lstrip())
    line = newlines + code.count("\n", start, begin) + 1
    attributes: list[str] = []
    modifiers: list[str] = []
    rest = body
    while True:
        if found := _PREFIX.match(rest):
            pass
        elif found := _ATTRIBUTES.match(rest):
            attributes += [part.strip() for part in found[1].split(",") if part.strip()]
        elif found := _MODIFIER.match(rest):
            modifiers.append(found[1])
        else:
            break
        rest = rest[found.end() :]
    yield Sentence(body, begin, end, line, tuple(attributes), tuple(modifiers), rest)
