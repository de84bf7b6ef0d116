"""What can be typed after ``mdnn-verify bench``. Nothing heavy is imported before a command runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

__all__ = ["app"]

NOTHING = 4
BENCHMARKS, JOURNAL = "benchmarks", "compare.jsonl"
FIGURES = "Exit status: 0 ok, 1 slower or less accurate, 2 usage, 3 undecided or machine unfit, 4 nothing measured."

app = typer.Typer(
    name="bench",
    help="Time the package on this machine, compare two versions in lock-step, look at this machine's history.\n\n"
    + FIGURES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
Reports = Annotated[Path, typer.Option("--reports", metavar="DIR", help="Figures are kept in DIR/benchmarks.")]
JsonFile = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the document there as well.")]
REPORTS = Path("reports")


@app.command()
def run(
    select: Annotated[str, typer.Option(metavar="EXPR", help="Only these benchmarks, as pytest's -k.")] = "",
    device: Annotated[str, typer.Option(metavar="cpu|cuda", help="Only this device; both by default.")] = "",
    data: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder with MNIST and KMNIST.")] = None,
    json_file: JsonFile = None,
    reports: Reports = REPORTS,
) -> None:
    """Run the benchmark suite; keep its figures in the machine's history."""
    from mdnn_verify.bench import history, suite_run
    from mdnn_verify.bench.machine import this_machine
    from mdnn_verify.cli.page import refreshed
    from mdnn_verify.errors import UsageError
    from mdnn_verify.reporting.benchmarks import print_run

    if device not in ("", "cpu", "cuda"):
        raise UsageError(f"--device is {device!r}, expected cpu or cuda")
    if data is not None and not data.is_dir():
        raise UsageError(f"--data {data} is not a folder")
    document = suite_run.run_suite(this_machine(), select=select, device=device, data=data)
    _keep(document, json_file)
    print_run(document)
    if document["benchmarks"]:
        typer.echo(f"kept: {history.save(reports / BENCHMARKS, document)}")
        typer.echo(f"report: {refreshed(reports)}")
    raise typer.Exit(suite_run.exit_status(document))


@app.command()
def compare(
    baseline: Annotated[
        str, typer.Option(metavar="REF|DIR", help="A git revision, or a folder that holds mdnn_verify/.")
    ] = "HEAD",
    head: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A folder that holds mdnn_verify/; the running package if none.")
    ] = None,
    workload: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="What to time; repeatable, all by default.")
    ] = None,
    sessions: Annotated[
        int | None, typer.Option(metavar="N", help="Pairs of fresh processes; by default as many as the rule needs.")
    ] = None,
    pairs: Annotated[int, typer.Option(metavar="N", help="Pairs of blocks in a session.")] = 80,
    inject: Annotated[
        float, typer.Option(metavar="PERCENT", help="Slow the head by this much real work, to see the rule at work.")
    ] = 0.0,
    resume: Annotated[bool, typer.Option("--resume", help="Complete the comparison that was interrupted.")] = False,
    json_file: JsonFile = None,
    reports: Reports = REPORTS,
) -> None:
    """Is this version slower than another? Fresh processes in lock-step, a canary, an exact test."""
    from mdnn_verify.bench import history
    from mdnn_verify.bench.compare import Plan
    from mdnn_verify.bench.compare import compare as compared
    from mdnn_verify.bench.machine import this_machine
    from mdnn_verify.bench.trees import baseline_tree, frozen, installed_tree, tree_at
    from mdnn_verify.cli.counting import counted
    from mdnn_verify.reporting.benchmarks import print_compare

    plan = Plan(_workloads(workload), sessions, pairs, inject / 100)
    machine, kept = this_machine(), reports / BENCHMARKS
    running = tree_at(head) if head else installed_tree()
    with baseline_tree(baseline) as earlier, frozen(running) as current, counted("comparing") as on_session:
        document = compared(
            earlier, current, plan, machine, journal=reports / JOURNAL, resume=resume, on_session=on_session
        )
    _keep(document, json_file)
    path = history.save(kept, document) if document["exit_status"] != NOTHING else None
    print_compare(document, history.canary_rate(history.read(kept, machine.key, "compare")))
    if path:
        typer.echo(f"kept: {path}")
    raise typer.Exit(document["exit_status"])


@app.command("history")
def show_history(
    machine: Annotated[str, typer.Option(metavar="KEY", help="Another machine's history; this one's if none.")] = "",
    select: Annotated[str, typer.Option(metavar="TEXT", help="Only benchmarks whose name contains it.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    reports: Reports = REPORTS,
) -> None:
    """The runs of one machine, with change points as annotation; never a gate."""
    from dataclasses import asdict

    from mdnn_verify.bench import history
    from mdnn_verify.bench.machine import this_machine
    from mdnn_verify.errors import UnknownName
    from mdnn_verify.reporting.benchmarks import print_history

    known = history.machines(reports / BENCHMARKS)
    if machine and machine not in known:
        raise UnknownName("machine", machine, known)
    key = machine or this_machine().key
    found = [one for one in history.series(history.read(reports / BENCHMARKS, key, "run")) if select in one.name]
    if as_json:
        typer.echo(json.dumps({"machine": key, "series": [asdict(one) for one in found]}, indent=1))
    elif found:
        print_history(found, key)
    else:
        others = [name for name in known if name != key]
        aside = f"; others have: {', '.join(others)}" if others else ""
        typer.echo(f"no runs of {key} in {reports / BENCHMARKS}{aside}", err=True)
    raise typer.Exit(0 if found else 4)


def _workloads(names: list[str] | None) -> list[str]:
    from mdnn_verify.bench.workloads import WORKLOADS
    from mdnn_verify.errors import UnknownName

    for name in names or ():
        if name not in WORKLOADS:
            raise UnknownName("workload", name, WORKLOADS)
    return list(dict.fromkeys(names or WORKLOADS))


def _keep(document: dict[str, Any], file: Path | None) -> None:
    from mdnn_verify.files import write_text

    if file is not None:
        write_text(file, json.dumps(document, indent=1, allow_nan=False) + "\n")
