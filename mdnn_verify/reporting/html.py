"""The report: one self-contained HTML page of run, experiments and benchmarks; no network, readable without scripts."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from mdnn_verify.errors import UsageError
from mdnn_verify.files import write_text
from mdnn_verify.reporting import experiment_words, experiments, fidelity, figures, formulas, graph, views
from mdnn_verify.reporting.diff import compare
from mdnn_verify.runner.journal import version_of

__all__ = ["Extras", "extras", "render", "write_report"]

HERE = Path(__file__).parent
FONT = HERE / "fonts" / "report-math.woff2"
PICTURES_BUDGET = 900_000  # characters; with font, text and formulas the page stays under 2 MB
ILLUSTRATIONS_BUDGET = 400_000  # the same for the experiments, which come with images
ANOMALY, BENCHMARKS = "anomaly", "benchmarks"  # folders beside the page


@dataclass(frozen=True)
class Extras:
    """What a report folder holds beside the run: its experiments and its benchmarks, None where there are none, and
    what readers have said of the statements."""

    anomaly: experiments.Section | None = None
    benchmarks: Mapping[str, Any] | None = None
    fault: str = ""  # why the benchmarks cannot be shown
    audit: bool = False  # the pages of the derivations are there
    judgements: Mapping[str, fidelity.Judgement] = field(default_factory=dict)
    unread: str = ""  # why the judgements cannot be shown


def extras(folder: Path) -> Extras:
    """What is below a report folder. What cannot be read is named on the page, not raised."""
    found = Extras(experiments.section(folder / ANOMALY), audit=(folder / "audit.html").is_file())
    try:
        found = replace(found, judgements=fidelity.read(folder))
    except UsageError as error:
        found = replace(found, unread=str(error))
    if (folder / BENCHMARKS).is_dir():
        from mdnn_verify.reporting import benchmarks  # scipy, for those who have some

        try:
            found = replace(found, benchmarks=benchmarks.section(folder / BENCHMARKS))
        except UsageError as error:
            found = replace(found, fault=str(error))
    return found


def write_report(document: Mapping[str, Any] | None, path: Path, previous: Mapping[str, Any] | None = None) -> None:
    """Write the page, all or nothing: a run's ``document``, and the experiments and benchmarks beside ``path``.

    ``document`` None leaves out the run; ``previous`` is an earlier run to compare with.
    Raises UsageError if ``path`` cannot be written.
    """
    page = render(document, previous, extras(path.parent))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, page)
    except OSError as error:
        raise UsageError(f"cannot write the report to {path}: {error.strerror or error}") from None


def render(
    document: Mapping[str, Any] | None, previous: Mapping[str, Any] | None = None, beside: Extras | None = None
) -> str:
    """The page as text."""
    script = (HERE / "templates" / "script.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    beside = beside or Extras()
    theorems = document["theorems"] if document is not None else []
    return environment().get_template("report.html").render(
        document=document,
        run=document["run"] if document is not None else None,
        theorems=theorems,
        ids={theorem["id"] for theorem in theorems},
        fidelity={theorem["id"]: fidelity.standing(theorem, beside.judgements) for theorem in theorems},
        graph=graph.layout(theorems),
        difference=compare(previous, document) if previous is not None and document is not None else None,
        previous=previous,
        anomaly=beside.anomaly,
        benchmarks=beside.benchmarks,
        fault=beside.fault,
        audit=beside.audit,
        unread=beside.unread,
        gallery=Gallery(),
        illustrations=Gallery(ILLUSTRATIONS_BUDGET, start=10_000),
        version=_version(document),
        script=Markup(script),
        digest=digest,
        style=Markup((HERE / "templates" / "style.css").read_text(encoding="utf-8")),
        font=base64.b64encode(FONT.read_bytes()).decode(),
    )  # fmt: skip


def _version(document: Mapping[str, Any] | None) -> str:
    """Of what made the run; where there is no run, of what makes the page."""
    if document is None:
        return version_of("mdnn-verify").replace("not installed", "")
    versions = document["run"]["versions"]
    return str(versions.get("mdnn-verify") or versions.get("mdnn_verify") or "")


class Gallery:
    """Draws pictures one after the other, numbers them and keeps the page within its size."""

    def __init__(self, budget: int = PICTURES_BUDGET, start: int = 0) -> None:
        self.count = start
        self.left = budget

    def draw(self, picture: Mapping[str, Any], small: bool = False) -> figures.Drawing | str:
        """The drawing, with fewer points where it is shown small, or why there is none."""
        if self.left <= 0:
            return "left out to keep this page small; its numbers are in the JSON document"
        self.count += 1
        try:
            drawing = figures.draw(figures.thinned(picture) if small else picture, self.count)
        except (ValueError, KeyError, TypeError, IndexError) as error:  # a picture must not cost the report
            return f"could not be drawn: {error}"
        self.left -= len(drawing.svg)
        return drawing


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The templates with their filters."""
    found = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "anchor": views.anchor,
        "display": formulas.display,
        "exact": views.exact,
        "moment": views.moment,
        "prose": formulas.prose,
        "seconds": views.seconds,
        "signs": formulas.signs,
    }
    found.globals |= {
        "views": views,
        "words": experiment_words,
        "body_of": body_of,
        "is_text": lambda value: isinstance(value, str),
    }
    return found


def body_of(doc: str, title: str, source: str) -> str:
    """A theorem's docstring without what the page shows elsewhere: its first line, the title, and the bare source."""
    first, _, rest = doc.partition("\n")
    body = rest if first.strip().rstrip(".") == title.strip().rstrip(".") else doc
    paragraphs = re.split(r"\n\s*\n", body.strip("\n"))
    kept = [paragraph for paragraph in paragraphs if " ".join(paragraph.split()).rstrip(".") != f"Source: {source}"]
    return "\n\n".join(kept)
