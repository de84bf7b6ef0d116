"""The errata of derivations: what does not follow, what leaves a gap, what cannot be read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["LABELS", "Erratum", "errata", "markdown", "one_formula", "prosaic"]

TEXTTT = re.compile(r"\\texttt\{([^}]*)\}")
# finding, heading, what the section is
SECTIONS = (
    ("DOES NOT FOLLOW", "Errors", "Each line fails for the numbers given; the corrected line was shown to follow."),
    (
        "GAP",
        "Gaps",
        "These lines are true, or true under a hypothesis that is not stated; the reason given does not carry them.",
    ),
    ("ILLEGIBLE", "Illegible places", "The text is garbled there. Nothing is held against it."),
)

LABELS = {"Errors": "What is wrong", "Gaps": "What is missing", "Illegible places": "Note"}


@dataclass(frozen=True)
class Erratum:
    """One line that is not as it should be; ``number`` counts the lines of its derivation from 1, ``anchor`` is where
    the page of audits shows it."""

    document: str
    problem: str
    title: str
    number: int
    anchor: str
    printed: str
    wrong: str
    counterexample: str
    corrected: str
    code: str

    @property
    def where(self) -> str:
        """Document, problem, line and derivation in words."""
        line = f'line {self.number} of "{self.title}"'
        return _capital(", ".join(filter(None, (self.document, self.problem, line))))


def errata(found: Mapping[str, Any]) -> dict[str, tuple[str, list[Erratum]]]:
    """By heading: what the section is, and its entries by document and problem."""
    by_finding: dict[str, list[Erratum]] = {finding: [] for finding, _, _ in SECTIONS}
    for place, record in enumerate(found["derivations"], start=1):
        for number, line in enumerate(record["lines"], start=1):
            if line["finding"] in by_finding:
                by_finding[line["finding"]].append(_erratum(record, line, place, number))
    for entries in by_finding.values():
        entries.sort(key=lambda entry: (entry.document, entry.problem))
    return {heading: (what, by_finding[finding]) for finding, heading, what in SECTIONS}


def markdown(found: Mapping[str, Any]) -> str:
    """The same as a page in Markdown; nothing in it depends on when or where the derivations were read."""
    parts = [
        "# Errata",
        "What `mdnn-verify audit` finds in the derivations of the documents. This page is written by the command "
        "`mdnn-verify audit --markdown docs/errata.md`; a test holds it against what the command writes now. "
        "[auditing.md](auditing.md) says how lines are judged.",
    ]
    for heading, (what, entries) in errata(found).items():
        parts += [f"## {heading}", what if entries else "None."]
        for entry in entries:
            parts += [f"### {entry.where}", "\n".join(_rows(entry, LABELS[heading]))]
    return "\n\n".join(parts) + "\n"


def _erratum(record: Mapping[str, Any], line: Mapping[str, Any], place: int, number: int) -> Erratum:
    document, _, problem = record["source"].partition(",")
    garbled = line["finding"] == "ILLEGIBLE"
    wrong = " ".join(_sentence(prosaic(text)) for text in (line["note"], "" if garbled else line["detail"]) if text)
    return Erratum(
        document=document.strip() or record["file"],
        problem=problem.strip(),
        title=record["title"],
        number=number,
        anchor=f"d{place}-{number}",
        printed=line["latex"],
        wrong=wrong or "It is not what the line before says.",
        counterexample=line["counterexample"],
        corrected=line["correction"],
        code=line["code"],
    )


def _rows(entry: Erratum, what: str) -> Sequence[str]:
    rows = [f"- Printed: {_math(entry.printed)}", f"- {what}: {_prose(entry.wrong)}"]
    if entry.counterexample:
        rows.append(f"- Counterexample: `{entry.counterexample}`")
    if entry.corrected:
        rows.append(f"- Corrected: {_math(entry.corrected)}")
    return rows


def one_formula(latex: str) -> str:
    r"""LaTeX without ``$``: what stands between them within ``\\text`` is taken out of it."""
    made, start = "", 0
    for match in re.finditer(r"\\text\{", latex):
        if match.start() < start:
            continue
        end = _closing(latex, match.end())
        pieces = latex[match.end() : end].split("$")
        told = (piece if i % 2 else rf"\text{{{piece}}}" for i, piece in enumerate(pieces) if piece)
        made += latex[start : match.start()] + "".join(told)
        start = end + 1
    return made + latex[start:]


def _closing(latex: str, start: int) -> int:
    """Where the brace that was opened before ``start`` is closed."""
    depth = 1
    for match in re.finditer(r"\\.|[{}]", latex[start:]):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if depth == 0:
            return start + match.start()
    return len(latex)


def _math(latex: str) -> str:
    return f"${_portable(one_formula(latex))}$"


def _prose(text: str) -> str:
    pieces = re.split(r"(\$[^$]+\$)", text)
    return "".join(f"${_portable(piece[1:-1])}$" if piece.startswith("$") else piece for piece in pieces)


def prosaic(text: str) -> str:
    r"""``\\texttt`` between formulas as what prose knows for it: backticks."""
    pieces = re.split(r"(\$[^$]+\$)", text)
    return "".join(piece if piece.startswith("$") else TEXTTT.sub(_code, piece) for piece in pieces)


def _code(match: re.Match[str]) -> str:
    return f"`{match[1].replace(chr(92), '')}`"


def _portable(latex: str) -> str:
    r"""Markdown takes ``\|``, ``\,`` and ``\\`` for escapes of its own, and a bare ``|`` for the border of a table."""
    latex = latex.strip().replace("\\\\", r"\cr ")
    latex = re.sub(r"\\\|", r"\\Vert ", latex)
    latex = re.sub(r"\\([,;!])", lambda match: {",": r"\thinspace ", ";": r"\thickspace ", "!": ""}[match[1]], latex)
    latex = latex.replace(r"\{", r"\lbrace ").replace(r"\}", r"\rbrace ").replace("|", r"\vert ")
    return " ".join(latex.split())


def _sentence(text: str) -> str:
    text = _capital(text.strip())
    return text if text.endswith((".", "!", "?", ".)")) else f"{text}."


def _capital(text: str) -> str:
    """A word that begins a sentence, but not a letter that stands for something."""
    if not text[:2].isalpha():
        return text
    return text[:1].upper() + text[1:]
