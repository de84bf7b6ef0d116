"""What ``mdnn-verify anomaly METHOD`` was asked for, and what of it cannot be done."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from mdnn_verify.anomaly.experiment import file_stem
from mdnn_verify.anomaly.methods import FLOW1D, METHODS
from mdnn_verify.cli.running import probe, writable_file
from mdnn_verify.errors import UsageError
from mdnn_verify.runner.campaign import validated
from mdnn_verify.runner.units import Settings

__all__ = ["Request", "refuse"]

FOLDER = "anomaly"


@dataclass(frozen=True)
class Request:
    """A parsed ``mdnn-verify anomaly METHOD``; ``seed`` None is 0, or the loaded model's."""

    method: str
    data: Path | None = None
    device: str = "cpu"
    seed: int | None = None
    seeds: int = 1
    epochs: int | None = None
    json_file: Path | None = None
    save: Path | None = None
    load: Path | None = None
    reports: Path = Path("reports")
    resume: bool = False

    @property
    def folder(self) -> Path:
        """Where the documents go."""
        return self.reports / FOLDER

    @property
    def is_1d(self) -> bool:
        """Whether it is the one-dimensional flow, which has data of its own."""
        return self.method == FLOW1D.name

    def path(self, seed: int, *, embedded: bool) -> Path:
        """Of the document of a seed."""
        loaded = self.load is not None
        stem = file_stem(self.method, seed, embedded=embedded, device=self.device, epochs=self.epochs, loaded=loaded)
        return self.folder / f"{stem}.json"

    def reproduce(self, seed: int) -> str:
        """The command line that gives the same numbers again."""
        words = ["mdnn-verify", "anomaly", self.method]
        words += ["--load", str(self.load)] if self.load else ["--seed", str(seed)]
        words += ["--data", str(self.data)] if self.data and not self.is_1d else []
        words += ["--device", self.device] if self.device != "cpu" else []
        words += ["--epochs", str(self.epochs)] if self.epochs is not None else []
        return shlex.join(words)


def refuse(request: Request) -> None:
    """Raise UsageError for whatever would fail after the work."""
    if request.seeds < 1:
        raise UsageError(f"--seeds is {request.seeds}, expected at least 1")
    if request.epochs is not None and request.epochs < 1:
        raise UsageError(f"--epochs is {request.epochs}, expected at least 1")
    if request.epochs is not None and not {**METHODS, FLOW1D.name: FLOW1D}[request.method].by_epochs:
        raise UsageError(f"--epochs is {request.epochs}, but {request.method} is fitted in closed form")
    if request.seeds > 1 and (request.save or request.load):
        option = "--save" if request.save else "--load"
        raise UsageError(f"{option} is for one model, expected it without --seeds {request.seeds}")
    if request.is_1d and request.device == "cuda":
        raise UsageError(f"--device is cuda, but {request.method} runs on the CPU only")
    if request.load:
        for option, given in (("--epochs", request.epochs), ("--save", request.save), ("--resume", request.resume)):
            if given:
                raise UsageError(f"--load measures a model and trains none, expected it without {option}")
        if request.device != "cpu":
            raise UsageError(f"a model from --load scores on the CPU, expected it without --device {request.device}")
    validated(Settings(seed=request.seed or 0, device=request.device))
    _writable_folders(request)
    for option, path in (("--json", request.json_file), ("--save", request.save)):
        if path is not None:
            writable_file(option, path)


def _writable_folders(request: Request) -> None:
    try:
        request.folder.mkdir(parents=True, exist_ok=True)
        for folder in (request.reports, request.folder):
            probe(folder)
    except OSError as error:
        raise UsageError(f"cannot write to the report folder {request.reports}: {error.strerror or error}") from None
