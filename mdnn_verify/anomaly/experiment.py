"""One experiment from images to a document: fit or restore, score, calibrate, measure, illustrate."""

from __future__ import annotations

import dataclasses
import hashlib
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from mdnn_verify.anomaly import illustrations, store
from mdnn_verify.anomaly.base import Fitted, ImageSets, Method, Progress, Settings, Split
from mdnn_verify.anomaly.detector import Detection, auroc, conformal, detect, mean_plus_three_sd
from mdnn_verify.anomaly.measures import measures
from mdnn_verify.anomaly.methods import Entry, entry, method
from mdnn_verify.errors import MdnnVerifyError
from mdnn_verify.pictures import Picture, describe
from mdnn_verify.runner.journal import fingerprint, plain, version_of
from mdnn_verify.runner.machine import cpu, device_name

__all__ = ["LEVEL", "SCHEMA", "Experiment", "file_stem", "run_info"]

SCHEMA = 1
LEVEL = 0.01  # of the conformal threshold
LIBRARIES = ("torch", "numpy", "scipy", "scikit-learn")
Report = Callable[[Progress], None]


@dataclass
class _Work:
    """What a fit or a restoration left behind, and how long it took; None is what was not measured."""

    model: Fitted
    train_seconds: float | None
    epochs: int | None
    images_per_second: float | None
    resumed: bool = False


class Experiment:
    """One method on one data set; ``run`` gives the document of one seed.

    Raises UnknownName for a method that does not exist.
    """

    def __init__(self, name: str, images: ImageSets) -> None:
        self.entry: Entry = entry(name)
        self.method: Method = method(name)
        self.images = images
        self.data = _data(images)

    def run(
        self,
        settings: Settings,
        report: Report,
        *,
        stored: store.Stored | None = None,
        save: Path | None = None,
        command: str = "",
    ) -> dict[str, Any]:
        """Train, or restore ``stored`` (whose seed then is the settings'), and measure; the model is saved to ``save``.

        Raises UsageError for what cannot be done, MdnnVerifyError for a training that diverged.
        """
        info = run_info(settings.device, command)
        split = self.method.split(self.images, settings.seed)
        work = self._restored(stored) if stored else self._fitted(split, settings, report)
        if save:
            store.save(save, self.entry.name, work.model, self.images, settings.seed)
        document = {
            "schema": SCHEMA,
            "method": self.entry.name,
            "title": self.entry.title,
            "source": self.entry.source,
            "data": {**self.data, "counts": _counts(split)},
            "device": settings.device,
            "seed": settings.seed,
            "trained": stored is None,
            "resumed": work.resumed,
            "epochs": work.epochs,
            "own_epochs": settings.epochs is None,
            **self._measured(work, split, settings),
            "losses": [dataclasses.asdict(point) for point in getattr(work.model, "losses", ())],
            "published": [] if self.images.embedded else [dataclasses.asdict(seed) for seed in self.entry.published],
            **info,
        }
        return plain(document)  # type: ignore[no-any-return]

    def _fitted(self, split: Split, settings: Settings, report: Report) -> _Work:
        seen: list[Progress] = []

        def note(progress: Progress) -> None:
            seen[:] = [progress]
            report(progress)

        resumed = settings.checkpoint is not None and settings.checkpoint.exists()
        start = time.perf_counter()
        model = self.method.fit(self.images, split, settings, note)
        seconds = time.perf_counter() - start
        epochs = seen[0].epochs if seen and self.entry.by_epochs else None
        if resumed:  # a part of the training was not timed
            return _Work(model, None, epochs, None, resumed=True)
        return _Work(model, seconds, epochs, len(split.train) * (epochs or 1) / seconds)

    def _restored(self, stored: store.Stored) -> _Work:
        stored.expect_images(self.images)
        return _Work(self.method.restore(stored.configuration, stored.tensors, self.images), None, None, None)

    def _measured(self, work: _Work, split: Split, settings: Settings) -> dict[str, Any]:
        """Scores, thresholds, rates, pictures."""
        start = time.perf_counter()
        validation, test, anomalous = (
            self._scores(work.model, images, kind)
            for images, kind in ((split.validation, "validation"), (split.test, "test"), (split.anomalous, "anomalous"))
        )
        seconds = time.perf_counter() - start
        scored = len(validation) + len(test) + len(anomalous)
        rules = [
            detect(rule, test, anomalous) for rule in (mean_plus_three_sd(validation), conformal(validation, LEVEL))
        ]
        scores = illustrations.Scores(test, anomalous, self.method.score_name, self.method.flagged)
        headline, guaranteed = rules
        area = dataclasses.asdict(auroc(test, anomalous))
        return {
            "score": {"name": self.method.score_name, "flagged": self.method.flagged},
            "threshold": scores.sign * headline.threshold.value,
            "thresholds": self._conventions(headline.threshold.value),
            "results": {**_rates(headline), "auroc": area},
            "conformal": {
                "level": LEVEL,
                "threshold": scores.sign * guaranteed.threshold.value,
                **_rates(guaranteed),
            },
            "seconds": {"train": work.train_seconds, "score": seconds},
            "images_per_second": {"train": work.images_per_second, "score": scored / seconds},
            "measures": [dataclasses.asdict(found) for found in measures(work.model, split, settings.seed)],
            "pictures": self._pictures(work.model, split, scores, rules, settings.seed),
        }

    def _scores(self, model: Fitted, images: torch.Tensor, kind: str) -> torch.Tensor:
        scores = model.score(images)
        if scores.shape != (len(images),):
            raise MdnnVerifyError(
                f"{self.entry.name} gave {kind} scores of shape {tuple(scores.shape)} for {len(images)} images"
            )
        return scores

    def _conventions(self, threshold: float) -> dict[str, float]:
        """The threshold by both conventions in use, where the score is a sum over pixels."""
        if not self.entry.summed:
            return {}
        return {"sum over pixels": threshold, "mean over pixels": threshold / (self.images.height * self.images.width)}

    def _pictures(
        self,
        model: Fitted,
        split: Split,
        scores: illustrations.Scores,
        rules: Sequence[Detection],
        seed: int,
    ) -> list[dict[str, Any]]:
        found: list[Picture] = [illustrations.histogram(scores, rules), illustrations.roc_curve(scores, rules)]
        found += [
            illustrations.worst(self.images, split, scores, rules[0], model, kind) for kind in ("normal", "anomalous")
        ]
        if isinstance(model, illustrations.Sampling):
            found.append(illustrations.samples(self.images, model, seed))
        if losses := getattr(model, "losses", ()):
            found.append(illustrations.loss_curve(losses, self.entry.loss))
        return [describe(picture) for picture in found]


def file_stem(name: str, seed: int, *, embedded: bool, device: str, epochs: int | None, loaded: bool) -> str:
    """The name of a document's file, which tells apart what must not be mixed: data, device, epochs, loaded models."""
    words = [name, *(["embedded"] if embedded else []), *(["loaded"] if loaded else [])]
    words += [device] if device != "cpu" else []
    words += [f"epochs{epochs}"] if epochs is not None else []
    return "-".join([*words, f"seed{seed}"])


def run_info(device: str, command: str) -> dict[str, Any]:
    """When, where, with what."""
    return {
        "device_name": device_name(device),
        "cpu": cpu(),
        "threads": torch.get_num_threads(),
        "platform": platform.platform(),
        "versions": {"python": platform.python_version()}
        | {name: version_of(name) for name in ("mdnn-verify", *LIBRARIES)},
        "sources": fingerprint(),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command,
    }


def _data(images: ImageSets) -> dict[str, Any]:
    words = "".join(store.digest(part) for part in (images.train, images.test, images.anomalous))
    return {
        "name": images.name,
        "embedded": images.embedded,
        "source": images.source,
        "height": images.height,
        "width": images.width,
        "levels": images.levels,
        "sha256": hashlib.sha256(words.encode()).hexdigest(),
    }


def _counts(split: Split) -> dict[str, int]:
    parts = (field.name for field in dataclasses.fields(split))
    return {name: len(getattr(split, name)) for name in parts}


def _rates(detection: Detection) -> dict[str, Any]:
    return {"type_i": dataclasses.asdict(detection.type_i), "type_ii": dataclasses.asdict(detection.type_ii)}
