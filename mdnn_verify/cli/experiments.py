"""The order of things in ``anomaly``: refuse first, then train and measure, write after each seed, then print."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mdnn_verify.anomaly import data, store
from mdnn_verify.anomaly.base import Settings
from mdnn_verify.anomaly.detector import spread
from mdnn_verify.anomaly.experiment import SCHEMA, Experiment
from mdnn_verify.anomaly.flow1d_experiment import Flow1dExperiment, StoredFlow1d
from mdnn_verify.cli.experiment_request import Request, refuse
from mdnn_verify.cli.page import refreshed
from mdnn_verify.cli.progress import TrainingProgress, training_progress
from mdnn_verify.errors import MdnnVerifyError, UsageError
from mdnn_verify.files import write_text
from mdnn_verify.reporting import experiments as read
from mdnn_verify.reporting.experiment_table import print_experiments
from mdnn_verify.runner.journal import fingerprint

__all__ = ["Interrupted", "execute"]

REFUTED = 1
AnyExperiment = Experiment | Flow1dExperiment


class Interrupted(MdnnVerifyError):
    """Ctrl-C or SIGTERM; ``resumable`` says whether a checkpoint or a finished seed is there to go on from."""

    exit_status = 130

    def __init__(self, finished: int, total: int, checkpoint: Path | None) -> None:
        kept = [f"{finished} of {total} seeds are finished and kept"] if finished else []
        kept += [f"the training is kept in {checkpoint}"] if checkpoint and checkpoint.exists() else []
        super().__init__(f"interrupted: {', '.join(kept) or 'nothing was kept'}")
        self.resumable = bool(kept)


def execute(request: Request) -> int:
    """Do what is asked for, write every report, print the table; the exit status."""
    refuse(request)
    stored = _stored(request)
    first = _first_seed(request, stored)
    documents = _run_all(request, stored, range(first, first + request.seeds))
    if request.json_file:
        _write(request.json_file, documents[0] if request.seeds == 1 else _summary(documents))
    page = refreshed(request.reports)
    print_experiments(documents, page)
    refuted = any(measure["holds"] is False for document in documents for measure in document["measures"])
    return REFUTED if refuted else 0


def _stored(request: Request) -> Any:
    """The model to load, checked; it has a ``seed``. None if one is to be trained."""
    if request.load is None:
        return None
    return StoredFlow1d.load(request.load) if request.is_1d else store.load(request.load, request.method)


def _experiment(request: Request, stored: Any) -> AnyExperiment:
    if request.is_1d:
        if request.data:
            _say(f"{request.method} draws its own data: --data is not used")
        return Flow1dExperiment()
    images = data.load(request.data, _say)
    if stored:
        stored.expect_images(images)
    return Experiment(request.method, images)


def _run_all(request: Request, stored: Any, seeds: range) -> list[Mapping[str, Any]]:
    """The documents of all seeds, each written as soon as it is there."""
    documents: list[Mapping[str, Any]] = []
    checkpoint: Path | None = None
    try:
        experiment = _experiment(request, stored)
        with training_progress() as report, _sigterm_is_ctrl_c():
            for seed in seeds:
                path = request.path(seed, embedded=bool(experiment.data["embedded"]))
                checkpoint = _checkpoint(path)
                document = _finished(request, experiment, path) or _run(request, experiment, stored, seed, path, report)
                documents.append(document)
    except KeyboardInterrupt:
        raise Interrupted(len(documents), len(seeds), checkpoint) from None
    return documents


def _run(
    request: Request, experiment: AnyExperiment, stored: Any, seed: int, path: Path, report: TrainingProgress
) -> Mapping[str, Any]:
    checkpoint = _checkpoint(path)
    if not request.resume:
        checkpoint.unlink(missing_ok=True)
    elif experiment.entry.by_epochs and not checkpoint.exists():
        _say(f"no checkpoint of {path.stem}: it starts from the beginning")
    settings = Settings(seed, request.epochs, request.device, checkpoint if experiment.entry.by_epochs else None)
    report.begin(f"{experiment.entry.name}, seed {seed}")
    document = experiment.run(settings, report, stored=stored, save=request.save, command=request.reproduce(seed))
    _write(path, document)
    return document


def _finished(request: Request, experiment: AnyExperiment, path: Path) -> Mapping[str, Any] | None:
    """With ``--resume``: the document of a seed that the very same program finished on the same data, if there is one.

    A model that is to be saved is trained again, since the document does not hold it.
    """
    if not request.resume or request.save or not path.exists():
        return None
    try:
        document = read.read(path)
    except UsageError:
        return None  # it is written anew
    same = document["sources"] == fingerprint() and document["data"]["sha256"] == experiment.data["sha256"]
    return document if same else None


def _first_seed(request: Request, stored: store.Stored | None) -> int:
    if stored is None:
        return request.seed or 0
    if request.seed not in (None, stored.seed):
        raise UsageError(
            f"--seed is {request.seed}, but {request.load} was trained with seed {stored.seed}, which decides the split"
        )
    return stored.seed


def _checkpoint(document: Path) -> Path:
    return document.with_suffix(".checkpoint")


def _write(path: Path, document: Mapping[str, Any]) -> None:
    write_text(path, json.dumps(document, indent=1, allow_nan=False) + "\n")


def _summary(documents: list[Mapping[str, Any]]) -> dict[str, Any]:
    """All seeds in one document, with minimum, median, maximum and mean of each number."""
    first = documents[0]
    summary = {
        part: {
            name: vars(spread(document[part][name]["estimate"] for document in documents))
            for name, value in first.get(part, {}).items()
            if isinstance(value, Mapping) and "estimate" in value
        }
        for part in ("results", "conformal")
    }
    common = {name: first[name] for name in ("method", "data", "device")}
    seeds = [document["seed"] for document in documents]
    return {"schema": SCHEMA, **common, "seeds": seeds, "summary": summary, "runs": documents}


def _say(sentence: str) -> None:
    print(f"mdnn-verify: {sentence}", file=sys.stderr)


@contextmanager
def _sigterm_is_ctrl_c() -> Iterator[None]:
    """SIGTERM (a batch system, a shutdown) ends a training as Ctrl-C does: between two steps."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGTERM, lambda _signal, _frame: signal.raise_signal(signal.SIGINT))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
