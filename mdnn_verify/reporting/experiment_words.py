"""The numbers of experiments in words: rates, areas, medians over seeds, facts."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mdnn_verify.reporting.views import exact, moment, rounded, seconds

__all__ = ["NUMBERS", "Cell", "area", "bracketed", "cell", "facts", "hundredfold", "lines", "percent"]

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Cell:
    """One number over the seeds: median, range, and the hull of the seeds' 95 % intervals."""

    median: float
    smallest: float
    largest: float
    low: float
    high: float


def cell(values: Sequence[Any]) -> Cell | None:
    """Numbers, or intervals {estimate, low, high}, over seeds; None if one of them is missing."""
    if not values or any(value is None for value in values):
        return None
    triples = [
        (value["estimate"], value["low"], value["high"]) if isinstance(value, Mapping) else (value,) * 3
        for value in values
    ]
    if not all(isinstance(number, (int, float)) for triple in triples for number in triple):
        return None
    estimates = [triple[0] for triple in triples]
    return Cell(
        statistics.median(estimates),
        min(estimates),
        max(estimates),
        min(triple[1] for triple in triples),
        max(triple[2] for triple in triples),
    )


def lines(found: Cell | None, show: Callable[..., str], hull: bool = True) -> list[str]:
    """A cell in lines: median, range over the seeds if it shows, hull of their intervals in brackets if there are any.

    Everything to the digits that the median asks for.
    """
    if found is None:
        return ["–"]
    same = {"of": found.median} if show is area else {}
    median, smallest, largest = (show(value, **same) for value in (found.median, found.smallest, found.largest))
    told = [median] if smallest == largest else [median, f"{smallest} – {largest}"]
    if hull and found.low != found.high:
        told.append(f"[{show(found.low, **same)}, {show(found.high, **same)}]")
    return told


def percent(value: float) -> str:
    """A rate in per cent, two digits behind the point."""
    return f"{hundredfold(value)}\u202f%"


def hundredfold(value: float) -> str:
    """The same for a column that names its unit."""
    return f"{100 * value:.2f}"


def area(value: float, of: float | None = None) -> str:
    """An AUROC with as many digits as it takes to tell it, or ``of``, from 1."""
    missing = 1 - (value if of is None else of)
    digits = 4 if missing <= 0 else min(max(4, 1 - math.floor(math.log10(missing))), 8)
    return f"{value:.{digits}f}"


def bracketed(value: Mapping[str, float], show: Callable[..., str]) -> str:
    """The interval of an estimate in brackets, to the digits of the estimate."""
    same = {"of": value["estimate"]} if show is area else {}
    return f"[{show(value['low'], **same)}, {show(value['high'], **same)}]"


# the columns of the headline table
NUMBERS: tuple[tuple[tuple[str, str], Callable[..., str]], ...] = (
    (("results", "type_i"), hundredfold),
    (("results", "type_ii"), hundredfold),
    (("results", "auroc"), area),
    (("conformal", "type_i"), hundredfold),
    (("conformal", "type_ii"), hundredfold),
    (("seconds", "train"), seconds),
    (("images_per_second", "score"), rounded),
)


def facts(document: Document) -> list[tuple[str, str]]:
    """What is said of one experiment beside its table, as (name, words)."""
    counts = document["data"]["counts"]
    images = [
        ("Images" if document["score"] else "Draws", ", ".join(f"{exact(n)} {name}" for name, n in counts.items()))
    ]
    rows = [(f"Threshold, {name}", exact(value, 4)) for name, value in document["thresholds"].items()]
    rows = rows or [("Threshold", exact(document["threshold"], 4))] * (document["threshold"] is not None)
    rows += [
        (f"Threshold, {seed['source']}", f"{exact(seed['threshold'])}, {seed['convention']}")
        for seed in document["published"]
    ]
    rows += [(measure["name"], _measure(measure)) for measure in document["measures"]]
    if document["epochs"] is not None:
        rows.append(("Epochs", str(document["epochs"])))
    rows += [
        (f"Images a second, {name}", rounded(value))
        for name, value in (("training", document["images_per_second"]["train"]),)
        if value is not None
    ]
    device = f"{document['device']}, {document['device_name'] or document['cpu']}"
    return [*images, *rows, ("Device", device), ("Date", moment(document["started"]))]


def _measure(measure: Mapping[str, Any]) -> str:
    """The value with its interval, or, if that is narrow, with its half-width."""
    low, high = measure["low"], measure["high"]
    note = f" ({measure['note']})" if measure["note"] else ""
    if low is None or high is None:
        return exact(measure["value"]) + note
    if high - low < 1e-4 * abs(measure["value"]):
        return f"{exact(measure['value'])} ± {exact((high - low) / 2, 2)}{note}"
    return f"{exact(measure['value'], 5)} [{exact(low, 5)}, {exact(high, 5)}]{note}"
