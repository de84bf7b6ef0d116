"""What can be typed: options, their help, nothing else. No import of torch, sympy or matplotlib before a run."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from mdnn_verify.catalogue import catalogue
from mdnn_verify.cli.anomaly import app as anomaly
from mdnn_verify.cli.audit import audit
from mdnn_verify.cli.bench import app as bench
from mdnn_verify.cli.check import check
from mdnn_verify.cli.fidelity import fidelity

__all__ = ["app"]

MOST_JOBS = 8  # by default; each worker holds torch and sympy in memory

app = typer.Typer(
    name="mdnn-verify",
    help="See that, and how, each theorem of the course holds: proof, simulation with stated error rates, "
    "false neighbours refuted.\n\n"
    "Exit status: 0 verified, 1 refuted, 2 usage, 3 inconclusive or skipped, 4 error, 130 interrupted.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

app.add_typer(anomaly, name="anomaly")
app.add_typer(bench, name="bench")
app.command()(audit)
app.command()(check)
app.command()(fidelity)

Theorems = Annotated[
    list[Path] | None,
    typer.Option("--theorems", metavar="DIR", help="A further folder of <chapter>/<name>.py; repeatable."),
]
Reports = Annotated[Path, typer.Option("--reports", metavar="DIR", help="Where reports and the journal are.")]
REPORTS = Path("reports")


@app.command("list")
def list_theorems(
    theorems: Theorems = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """List the theorems: id, title, source."""
    entries = catalogue(theorems or ()).values()
    if as_json:
        fields = ("id", "title", "chapter", "source")
        typer.echo(json.dumps([{name: getattr(entry, name) for name in fields} for entry in entries], indent=1))
        return
    from mdnn_verify.reporting.table import print_catalogue

    print_catalogue(entries)


@app.command()
def run(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="ID|CHAPTER", help="What to verify; all by default.")
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND", help="symbolic, pathwise, montecarlo, control or formal; repeatable."),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(metavar="N", help=f"Processes; by default one for each core, at most {MOST_JOBS}.")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="S", help="Root of all random numbers.")] = 0,
    alpha: Annotated[float, typer.Option(metavar="A", help="Error probability of the whole suite.")] = 1e-6,
    device: Annotated[str, typer.Option(metavar="cpu|cuda", help="Where simulations run.")] = "cpu",
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="Limit for the decision of one claim.")] = 60.0,
    resume: Annotated[bool, typer.Option("--resume", help="Complete the run that the journal holds.")] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the results there as well.")
    ] = None,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Write JUnit XML.")] = None,
    reports: Reports = REPORTS,
    theorems: Theorems = None,
    backend: Annotated[str, typer.Option(metavar="local|dask", help="Processes here, or a dask cluster.")] = "local",
    scheduler: Annotated[str, typer.Option(metavar="ADDRESS", help="The dask scheduler, e.g. tcp://host:8786.")] = "",
) -> None:
    """Verify theorems: every check, and every false neighbour through the same checks."""
    from mdnn_verify.cli.running import Request, execute
    from mdnn_verify.runner.units import Settings
    from mdnn_verify.verdicts import KINDS

    kinds = tuple(dict.fromkeys(kind)) if kind else KINDS
    request = Request(
        names=tuple(names or ()),
        settings=Settings(seed=seed, alpha=alpha, device=device, kinds=kinds, timeout=timeout),
        jobs=_default_jobs() if jobs is None else jobs,
        backend=backend,
        scheduler=scheduler,
        resume=resume,
        reports=reports,
        json_file=json_file,
        junit=junit,
        folders=tuple(theorems or ()),
    )
    raise typer.Exit(execute(request))


@app.command()
def report(
    source: Annotated[
        Path | None, typer.Option("--from", metavar="JSON", help="The run; DIR/run.json by default.")
    ] = None,
    diff: Annotated[Path | None, typer.Option(metavar="RUN.json", help="An earlier run to compare with.")] = None,
    reports: Reports = REPORTS,
) -> None:
    """Write the page again from a saved run, with what changed since an earlier one."""
    from mdnn_verify.cli.running import rebuild

    rebuild(source or reports / "run.json", diff, reports)


@app.command()
def version() -> None:
    """Print the versions of mdnn-verify and of the libraries that decide."""
    from mdnn_verify.runner.journal import LIBRARIES, version_of

    for name in ("mdnn-verify", *LIBRARIES):
        typer.echo(f"{name} {version_of(name)}")


def _default_jobs() -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MOST_JOBS)
