"""What can be typed behind ``mdnn-verify check``. No import of torch before one runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["check"]

Json = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the results there, as they come.")]
Page = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write a page of the results.")]
Trainable = Annotated[bool, typer.Option("--trainable", help="Refute a result that carries no graph for autograd.")]
Dtype = Annotated[str, typer.Option(metavar="float64|float32", help="Precision of the inputs and of what comes back.")]
Timeout = Annotated[float, typer.Option(metavar="SECONDS", help="For one input; what takes longer is refuted.")]


def check(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="The theorem; a bare name if it is unique.")],
    subjects: Annotated[
        list[str],
        typer.Argument(metavar="FILE.py:CALLABLE...", help="Or package.module:callable; a file may hold * and ?."),
    ],
    json_file: Json = None,
    html: Page = None,
    seed: Annotated[int, typer.Option(metavar="S", help="Root of all random inputs.")] = 0,
    dtype: Dtype = "float64",
    dim: Annotated[int | None, typer.Option(metavar="N", help="Dimension, where the contract has one.")] = None,
    device: Annotated[str, typer.Option(metavar="cpu|cuda", help="Where the inputs are.")] = "cpu",
    alpha: Annotated[float, typer.Option(metavar="A", help="Error probability, where a contract simulates.")] = 1e-6,
    trainable: Trainable = False,
    timeout: Timeout = 10.0,
    jobs: Annotated[int | None, typer.Option(metavar="N", help="Implementations at a time; one for each core.")] = None,
) -> None:
    """Hold your own implementation against a theorem's contract.

    It runs in a process of its own: one that hangs, crashes or eats memory is refuted with that reason. A refutation
    prints the smallest counterexample, to be pasted into Python. Exit status: 0 verified, 1 refuted, 2 usage, 3
    inconclusive, 4 error; of several the first that applies of 1, 2, 3, 0.
    """
    from mdnn_verify.checking.assessment import Request
    from mdnn_verify.cli.checks import Files, execute

    terms = Request(
        identifier,
        "",
        seed=seed,
        dtype=dtype,
        device=device,
        dim=dim,
        alpha=alpha,
        trainable=trainable,
        timeout=timeout,
    )  # fmt: skip
    raise typer.Exit(execute(terms, tuple(subjects), Files(json_file, html), jobs))
