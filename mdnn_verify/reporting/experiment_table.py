"""What ``anomaly`` prints on stdout: the data, one row a seed, the seeds' own numbers, and where the page is."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mdnn_verify.reporting.experiment_words import area, bracketed, facts, hundredfold
from mdnn_verify.reporting.table import plain_console
from mdnn_verify.reporting.views import exact

__all__ = ["print_experiments"]

Document = Mapping[str, Any]
WIDTH = 140  # of the table with all its intervals, where stdout is no terminal
COLUMNS = ("threshold", "type I %", "type II %", "AUROC", "conformal\ntype I %", "\ntype II %", "train s")


def print_experiments(documents: Sequence[Document], page: Path, console: Console | None = None) -> None:
    """The table of one method's documents, which are of the same data."""
    console = console or plain_console()
    if not console.is_terminal:
        console.width = max(console.width, WIDTH)
    first = documents[0]
    data, score = first["data"], first["score"]
    style = "bold yellow" if data["embedded"] else ""
    console.print(Text(f"data: {data['name']}", style=style), soft_wrap=True)
    if score:
        console.print(Text(f"score: {score['name']}, flagged {score['flagged']} the threshold"), soft_wrap=True)
        console.print(_table(documents))
    for document in documents if not score else documents[:1]:
        if not score:
            console.print(Text(f"seed {document['seed']}"), soft_wrap=True)
        for name, value in facts(document):
            console.print(Text(f"{name}: {value}"), soft_wrap=True)
    console.print(Text(f"report: {page}"), soft_wrap=True)


def _table(documents: Sequence[Document]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("seed", no_wrap=True)
    for name in COLUMNS:
        table.add_column(name, justify="right", no_wrap=True)
    for document in documents:
        table.add_row(*_row(document))
    if len(documents) > 1:
        table.add_row(*_medians(documents))
    for seed in documents[0]["published"]:
        seconds = "-" if seed["train_seconds"] is None else f"{seed['train_seconds']:.1f}"
        rates = (exact(seed["threshold"], 4), hundredfold(seed["type_i"]), hundredfold(seed["type_ii"]))
        table.add_row(f"printed in {seed['source']}", *rates, "", "", "", seconds)
    return table


def _row(document: Document) -> tuple[str, ...]:
    results, conformal = document["results"], document["conformal"]
    seconds = document["seconds"]["train"]
    return (
        str(document["seed"]),
        exact(document["threshold"], 4),
        _interval(results["type_i"], hundredfold),
        _interval(results["type_ii"], hundredfold),
        _interval(results["auroc"], area),
        hundredfold(conformal["type_i"]["estimate"]),
        hundredfold(conformal["type_ii"]["estimate"]),
        "-" if seconds is None else f"{seconds:.1f}",
    )


def _medians(documents: Sequence[Document]) -> tuple[str, ...]:
    def median(part: str, name: str, show: Callable[..., str]) -> str:
        return show(statistics.median(document[part][name]["estimate"] for document in documents))

    return (
        "median",
        "",
        median("results", "type_i", hundredfold),
        median("results", "type_ii", hundredfold),
        median("results", "auroc", area),
        median("conformal", "type_i", hundredfold),
        median("conformal", "type_ii", hundredfold),
        "",
    )


def _interval(value: Mapping[str, float], show: Callable[..., str]) -> str:
    return f"{show(value['estimate'])} {bracketed(value, show)}"
