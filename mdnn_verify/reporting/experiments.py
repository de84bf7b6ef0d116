"""The experiments of a report folder, grouped for the page and the table: per data set, per method, over the seeds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mdnn_verify.errors import UsageError
from mdnn_verify.reporting.experiment_words import NUMBERS, Cell, bracketed, cell, facts, lines, percent
from mdnn_verify.reporting.views import anchor

__all__ = ["SCHEMA", "DataSet", "Group", "Section", "grouped", "read", "section"]

SCHEMA = 1
FIELDS = ("method", "data", "device", "seed", "threshold", "results", "seconds", "pictures")
Document = Mapping[str, Any]


@dataclass(frozen=True)
class Group:
    """One method under the same terms, its documents by seed."""

    documents: tuple[Document, ...]

    @property
    def first(self) -> Document:
        return self.documents[0]

    @property
    def title(self) -> str:
        """The method, with every term that is not the usual one."""
        terms = [] if self.first["trained"] else ["loaded model"]
        terms += [self.first["device"]] if self.first["device"] != "cpu" else []
        if self.first["trained"] and not self.first["own_epochs"]:
            terms.append(f"{self.first['epochs']} epochs")
        return f"{self.first['title']} ({', '.join(terms)})" if terms else str(self.first["title"])

    @property
    def slug(self) -> str:
        """For deep links."""
        return anchor(self.title.lower().replace(" ", "-"))

    @property
    def seeds(self) -> str:
        """The seeds in words: "0 to 4" or "0, 3"."""
        seeds = [document["seed"] for document in self.documents]
        if len(seeds) > 2 and seeds == list(range(seeds[0], seeds[0] + len(seeds))):
            return f"{seeds[0]} to {seeds[-1]}"
        return ", ".join(map(str, seeds))

    @property
    def mixed(self) -> bool:
        """Whether the documents come from different versions of the program, or from different machines."""
        terms = ("sources", "versions", "cpu", "threads", "device_name")
        return len({json.dumps([document[name] for name in terms]) for document in self.documents}) > 1

    def cell(self, *path: str) -> Cell | None:
        """A number of the documents, found by its path; None where no document has it."""
        return cell([_at(document, path) for document in self.documents])


@dataclass(frozen=True)
class DataSet:
    """What was run on the same images."""

    name: str
    embedded: bool
    source: str
    groups: tuple[Group, ...]
    anchor: str

    @property
    def data(self) -> Mapping[str, Any]:
        return self.groups[0].first["data"]  # type: ignore[no-any-return]

    @property
    def detects(self) -> bool:
        """False for data that have no anomalies, only a density to learn."""
        return any(group.first["results"].get("auroc") for group in self.groups)


@dataclass(frozen=True)
class Section:
    """Everything the page shows of the experiments; ``faults`` names files that are none."""

    data_sets: tuple[DataSet, ...]
    faults: tuple[str, ...]


def section(folder: Path) -> Section | None:
    """The experiments in ``folder``; None if there are none. Files that cannot be read are named, not raised."""
    documents, faults = [], []
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        try:
            documents.append(read(path))
        except UsageError as error:
            faults.append(str(error))
    return Section(grouped(documents), tuple(faults)) if documents or faults else None


def read(path: Path) -> dict[str, Any]:
    """One document. Raises UsageError for a missing file, other content or another schema."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read the experiment {path.name}: {error.strerror or error}") from None
    except ValueError as error:
        raise UsageError(f"{path.name} is not JSON: {error}") from None
    if not isinstance(found, dict) or not {"schema", *FIELDS} <= found.keys():
        raise UsageError(f"{path.name} is not an experiment; expected the fields schema, {', '.join(FIELDS)}")
    if found["schema"] != SCHEMA:
        raise UsageError(f"{path.name} has schema {found['schema']!r}, this version reads {SCHEMA}")
    try:
        _use(found)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"{path.name} is not a whole experiment: {type(error).__name__} {error}") from None
    return found


def _use(document: Document) -> None:
    """Everything that the page and the table do with a document: what is missing is then missing here."""
    (data_set,) = grouped([document])
    (group,) = data_set.groups
    told: list[object] = [
        facts(document),
        group.title,
        group.seeds,
        group.mixed,
        document["source"],
        document["command"],
    ]
    if data_set.detects:
        told += [lines(group.cell(*path), show) for path, show in NUMBERS]
        told += [bracketed(document["results"][name], percent) for name in ("type_i", "type_ii", "auroc")]
        told += [percent(seed["type_i"]) + percent(seed["type_ii"]) for seed in document["published"]]
        told += [document["score"]["name"], document["score"]["flagged"]]
    told += [document["seconds"]["train"], [picture["kind"] for picture in document["pictures"]]]


def grouped(documents: Iterable[Document]) -> tuple[DataSet, ...]:
    """Documents by data set, real data first, then by method and terms; nothing of unlike terms is put together."""
    found: dict[tuple[Any, ...], dict[tuple[Any, ...], list[Document]]] = {}
    for document in documents:
        data = document["data"]
        detects = bool(document["results"].get("auroc"))
        same = (not detects, data["embedded"], data["name"], data["sha256"])
        terms = [document[name] for name in ("method", "device", "own_epochs", "epochs")]
        key = (_order(document["method"]), not document["trained"], *terms)
        found.setdefault(same, {}).setdefault(key, []).append(document)
    return tuple(
        _data_set(key, [found[key][terms] for terms in sorted(found[key], key=str)]) for key in sorted(found, key=str)
    )


def _data_set(key: tuple[Any, ...], groups: Sequence[Sequence[Document]]) -> DataSet:
    _, embedded, name, digest = key
    ordered = tuple(Group(tuple(sorted(group, key=lambda document: document["seed"]))) for group in groups)
    place = anchor("anomaly", f"{'embedded-' if embedded else ''}{digest[:8]}")
    return DataSet(name, embedded, ordered[0].first["data"]["source"], ordered, place)


def _order(method: str) -> int:
    known = ("autoencoder", "flow", "pca", "mahalanobis", "flow1d")
    return known.index(method) if method in known else len(known)


def _at(document: Document, path: Sequence[str]) -> Any:
    found: Any = document
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found
