"""What can be typed behind ``mdnn-verify fidelity``: a reader's word on what a statement says."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["fidelity"]

Reports = Annotated[Path, typer.Option("--reports", metavar="DIR", help="Where the run is that was read.")]
Faithful = Annotated[
    bool | None, typer.Option("--faithful/--unfaithful", help="It says what the source says, or it does not.")
]


def fidelity(
    name: Annotated[
        str | None, typer.Argument(metavar="ID", help="The theorem; without it, list what is known.")
    ] = None,
    faithful: Faithful = None,
    by: Annotated[str, typer.Option(metavar="NAME", help="Who judges.")] = "",
    note: Annotated[str, typer.Option(metavar="TEXT", help="In what it differs, or what was compared.")] = "",
    reports: Reports = Path("reports"),
) -> None:
    """Record that a person has compared a statement of the last run, LaTeX and Coq, with its source.

    Kept in DIR/fidelity.json and shown on the page. A judgement lapses when the text it was made of changes; it moves
    no verdict.
    """
    from mdnn_verify.catalogue import resolve
    from mdnn_verify.cli.page import refreshed
    from mdnn_verify.cli.running import RUN
    from mdnn_verify.errors import UsageError
    from mdnn_verify.reporting import fidelity as kept
    from mdnn_verify.reporting.json import read as read_run
    from mdnn_verify.reporting.table import print_fidelity

    theorems = {theorem["id"]: theorem for theorem in read_run(reports / RUN)["theorems"]}
    judgements = kept.read(reports)
    if name is None:
        if faithful is not None or by or note:
            raise UsageError("a judgement needs the id of its theorem")
    else:
        identifier = resolve(name, theorems, "theorem of this run")
        if faithful is None:
            raise UsageError(f"{identifier}: is it --faithful or --unfaithful?")
        today = datetime.now(UTC).date().isoformat()
        judgements[identifier] = kept.judged(theorems[identifier], faithful=faithful, by=by, date=today, note=note)
        kept.write(reports, judgements)
        theorems = {identifier: theorems[identifier]}
    print_fidelity({key: kept.standing(theorem, judgements) for key, theorem in theorems.items()})
    if name is not None:
        typer.echo(f"report: {refreshed(reports)}")
