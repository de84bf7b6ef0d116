"""The report: one self-contained HTML page for a run's JSON document; no network, readable without scripts."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from mdnn_verify.errors import UsageError
from mdnn_verify.files import write_text
from mdnn_verify.reporting import figures, formulas, graph, views
from mdnn_verify.reporting.diff import compare

__all__ = ["render", "write_report"]

HERE = Path(__file__).parent
FONT = HERE / "fonts" / "report-math.woff2"
PICTURES_BUDGET = 1_300_000  # characters; with font, text and formulas the page stays under 2 MB


def write_report(document: Mapping[str, Any], path: Path, previous: Mapping[str, Any] | None = None) -> None:
    """Write the page for ``document``, all or nothing; ``previous`` is an earlier run to compare with.

    Raises UsageError if ``path`` cannot be written.
    """
    page = render(document, previous)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, page)
    except OSError as error:
        raise UsageError(f"cannot write the report to {path}: {error.strerror or error}") from None


def render(document: Mapping[str, Any], previous: Mapping[str, Any] | None = None) -> str:
    """The page as text."""
    script = (HERE / "templates" / "script.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return _environment().get_template("report.html").render(
        document=document,
        run=document["run"],
        theorems=document["theorems"],
        ids={theorem["id"] for theorem in document["theorems"]},
        graph=graph.layout(document["theorems"]),
        difference=compare(previous, document) if previous is not None else None,
        previous=previous,
        gallery=Gallery(),
        script=Markup(script),
        digest=digest,
        style=Markup((HERE / "templates" / "style.css").read_text(encoding="utf-8")),
        font=base64.b64encode(FONT.read_bytes()).decode(),
    )  # fmt: skip


class Gallery:
    """Draws pictures one after the other, numbers them and keeps the page within its size."""

    def __init__(self, budget: int = PICTURES_BUDGET) -> None:
        self.count = 0
        self.left = budget

    def draw(self, picture: Mapping[str, Any]) -> figures.Drawing | str:
        """The drawing, or why there is none."""
        if self.left <= 0:
            return "left out to keep this page small; its numbers are in the JSON document"
        self.count += 1
        try:
            drawing = figures.draw(picture, self.count)
        except (ValueError, KeyError, TypeError, IndexError) as error:  # a picture must not cost the report
            return f"could not be drawn: {error}"
        self.left -= len(drawing.svg)
        return drawing


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "anchor": views.anchor,
        "display": formulas.display,
        "exact": views.exact,
        "moment": views.moment,
        "prose": formulas.prose,
        "seconds": views.seconds,
        "signs": formulas.signs,
    }
    environment.globals |= {"views": views, "body_of": body_of, "is_text": lambda value: isinstance(value, str)}
    return environment


def body_of(doc: str, title: str, source: str) -> str:
    """A theorem's docstring without what the page shows elsewhere: its first line, the title, and the bare source."""
    first, _, rest = doc.partition("\n")
    body = rest if first.strip().rstrip(".") == title.strip().rstrip(".") else doc
    paragraphs = re.split(r"\n\s*\n", body.strip("\n"))
    kept = [paragraph for paragraph in paragraphs if " ".join(paragraph.split()).rstrip(".") != f"Source: {source}"]
    return "\n\n".join(kept)
