"""What can be typed behind ``mdnn-verify anomaly``: one command a method. No import of torch before one runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mdnn_verify.anomaly.methods import FLOW1D, METHODS, Entry

__all__ = ["app"]

app = typer.Typer(
    name="anomaly",
    help="Anomaly detection, MNIST against KMNIST: train or load, calibrate, measure, illustrate.\n\n"
    "Data: --data, else MDNN_DATA, else the user's cache, else a download; with none of them a small embedded stand-in "
    "that is labelled as such everywhere.\n\n"
    "Exit status: 0 done, 1 the flow's code gives no density, 2 usage, 4 error, 130 interrupted.",
    no_args_is_help=True,
)

Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="Folder with MNIST/raw/*.gz and KMNIST/raw/*.gz, as torchvision's."),
]
Device = Annotated[str, typer.Option(metavar="cpu|cuda", help="Where the model is trained and scores.")]
Seed = Annotated[int | None, typer.Option(metavar="S", help="Root of all random numbers; 0, or the loaded model's.")]
Seeds = Annotated[int, typer.Option(metavar="N", help="So many seeds, from S on, for the headline table.")]
Epochs = Annotated[int | None, typer.Option(metavar="E", help="Instead of the method's own number.")]
JsonFile = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the results there as well.")]
Save = Annotated[Path | None, typer.Option(metavar="MODEL", help="Write the trained model there, as safetensors.")]
Load = Annotated[Path | None, typer.Option(metavar="MODEL", help="Measure a saved model instead of training one.")]
Reports = Annotated[Path, typer.Option("--reports", metavar="DIR", help="Where the page and anomaly/*.json are.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint of an interrupted training.")]
REPORTS = Path("reports")


def _register(entry: Entry) -> None:
    def command(
        data: Data = None,
        device: Device = "cpu",
        seed: Seed = None,
        seeds: Seeds = 1,
        epochs: Epochs = None,
        json_file: JsonFile = None,
        save: Save = None,
        load: Load = None,
        reports: Reports = REPORTS,
        resume: Resume = False,
    ) -> None:
        from mdnn_verify.cli.experiment_request import Request
        from mdnn_verify.cli.experiments import execute

        request = Request(entry.name, data, device, seed, seeds, epochs, json_file, save, load, reports, resume)
        raise typer.Exit(execute(request))

    app.command(entry.name, help=f"{entry.title}. {entry.how}", epilog=f"Source: {entry.source}.")(command)


for _entry in (*METHODS.values(), FLOW1D):
    _register(_entry)
