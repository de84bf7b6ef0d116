"""What can be typed behind ``mdnn-verify audit``. No import of sympy before it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["audit"]

Json = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the readings there, as they come.")]
Reports = Annotated[
    Path | None,
    typer.Option("--reports", metavar="DIR", help="Write audit.json and the pages there; 'reports' for the seeds'."),
]
Markdown = Annotated[Path | None, typer.Option("--markdown", metavar="FILE", help="Write the errata as Markdown.")]
Timeout = Annotated[float, typer.Option(metavar="SECONDS", help="For one line; what takes longer is undecided.")]


def audit(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE...", help="Python files or folders; by default the derivations of the seeds."),
    ] = None,
    json_file: Json = None,
    reports: Reports = None,
    markdown: Markdown = None,
    timeout: Timeout = 60.0,
    jobs: Annotated[int | None, typer.Option(metavar="N", help="Derivations at a time; one for each core.")] = None,
) -> None:
    """Read derivations line by line: which lines follow, which do not, which leave a gap.

    A line that does not follow comes with a counterexample and two lines of Python that show it. Exit status: 0 all
    lines follow, 1 some line does not, 3 a gap, an illegible or an undecided line and nothing worse, 2 usage or a file
    that cannot be judged, 130 interrupted.
    """
    from mdnn_verify.cli.audits import Request, execute

    folder = reports if reports is not None or files else Path("reports")
    raise typer.Exit(execute(Request(tuple(files or ()), json_file, folder, markdown, timeout, jobs)))
