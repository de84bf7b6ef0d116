"""Which statement uses which, laid out in layers: a statement stands right of all that it rests on.

Its colour is that of the weakest evidence on the way: green only if all that it rests on is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from mdnn_verify.verdicts import FORMAL

__all__ = ["MACHINE_CHECKED", "Edge", "Graph", "Node", "layout"]

MACHINE_CHECKED = "machine-checked"
BOX_WIDTH, BOX_HEIGHT, COLUMN_GAP, ROW_GAP, MARGIN = 206, 46, 54, 18, 4


# from the weakest to the strongest; a statement that is not part of the run is as good as undecided
STRENGTHS = ("refuted", "inconclusive", "", "verified", MACHINE_CHECKED)


@dataclass(frozen=True)
class Node:
    """A statement's box. ``evidence`` is its own: its verdict, or that a machine-checked proof stands behind it; empty
    if it is not part of this run. ``weakest`` is the weakest among it and all that it rests on, found at ``where``.
    """

    id: str
    evidence: str
    weakest: str
    where: str
    x: float
    y: float

    @property
    def words(self) -> str:
        """What the box says under its name."""
        if self.weakest == self.evidence:
            return self.evidence or "not in this run"
        return f"rests on {self.weakest or 'what is not here'}"


@dataclass(frozen=True)
class Edge:
    """``user`` rests on ``used``; ``path`` is an SVG path from the one box to the other."""

    used: str
    user: str
    path: str


@dataclass(frozen=True)
class Graph:
    """Boxes and arrows, the picture's size, and the statements that neither use nor are used."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    alone: tuple[str, ...]
    width: float
    height: float


def layout(theorems: Sequence[Mapping[str, Any]]) -> Graph:
    """Place every statement that uses another or is used; a circle of uses is cut where it closes."""
    uses = {theorem["id"]: list(theorem.get("uses", ())) for theorem in theorems}
    evidence = {theorem["id"]: _evidence(theorem) for theorem in theorems}
    linked = {name for user, used in uses.items() if used for name in (user, *used)}
    depth = _depths([name for name in [*uses, *sorted(linked - uses.keys())] if name in linked], uses)
    chains = {(used, user): _chain(used, user, depth) for user in uses for used in uses[user]}
    places = _places(_layers(depth, chains))
    nodes = tuple(Node(name, evidence.get(name, ""), *_weakest(name, uses, evidence), *places[name]) for name in depth)
    edges = tuple(Edge(used, user, _path([places[stop] for stop in chain])) for (used, user), chain in chains.items())
    width = max((x for x, _ in places.values()), default=0) + BOX_WIDTH + 2 * MARGIN
    height = max((y for _, y in places.values()), default=0) + BOX_HEIGHT + MARGIN
    return Graph(nodes, edges, tuple(name for name in uses if name not in linked), width, height)


def _evidence(theorem: Mapping[str, Any]) -> str:
    checked = any(check["kind"] == FORMAL and check["verdict"] == "PROVED" for check in theorem.get("checks", ()))
    return MACHINE_CHECKED if checked and theorem["verdict"] == "verified" else str(theorem["verdict"])


def _weakest(name: str, uses: Mapping[str, Sequence[str]], evidence: Mapping[str, str]) -> tuple[str, str]:
    """The weakest evidence among a statement and all below it, and whose it is."""
    below, waiting = [name], [name]
    while waiting:
        new = [used for used in uses.get(waiting.pop(), ()) if used not in below]
        below += new
        waiting += new
    where = min(below, key=lambda other: STRENGTHS.index(evidence.get(other, "")))
    return evidence.get(where, ""), where


def _depths(names: Sequence[str], uses: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """The longest chain of uses below each statement."""
    depth: dict[str, int] = {}

    def deep(name: str, above: frozenset[str]) -> int:
        if name not in depth:
            below = [deep(used, above | {name}) for used in uses.get(name, ()) if used not in above | {name}]
            depth[name] = 1 + max(below, default=-1)
        return depth[name]

    for name in names:
        deep(name, frozenset())
    return {name: depth[name] for name in names}


def _chain(used: str, user: str, depth: Mapping[str, int]) -> list[str]:
    """The stops of an arrow: its ends and, in each layer between them, a free place of its own."""
    between = range(depth[used] + 1, depth[user])
    return [used, *(f"{used}>{user}>{layer}" for layer in between), user]


def _layers(depth: Mapping[str, int], chains: Mapping[tuple[str, str], Sequence[str]]) -> list[list[str]]:
    """Statements and stops by layer; within a layer, each next to where its arrows come from."""
    layers: list[list[str]] = [[] for _ in range(1 + max(depth.values(), default=-1))]
    for name, level in depth.items():
        layers[level].append(name)
    for (used, _), chain in chains.items():
        for i, stop in enumerate(chain[1:-1], start=depth[used] + 1):
            layers[i].append(stop)
    before: dict[str, list[str]] = {}
    for chain in chains.values():
        for first, second in pairwise(chain):
            before.setdefault(second, []).append(first)
    row: dict[str, float] = {}
    for layer in layers:
        layer.sort(key=lambda name: _mean([row[first] for first in before.get(name, ()) if first in row]))
        row |= {name: float(i) for i, name in enumerate(layer)}
    return layers


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _places(layers: Sequence[Sequence[str]]) -> dict[str, tuple[float, float]]:
    tallest = max((len(layer) for layer in layers), default=0)
    step = BOX_HEIGHT + ROW_GAP
    return {
        name: (MARGIN + column * (BOX_WIDTH + COLUMN_GAP), MARGIN + (tallest - len(layer)) * step / 2 + row * step)
        for column, layer in enumerate(layers)
        for row, name in enumerate(layer)
    }


def _path(stops: Sequence[tuple[float, float]]) -> str:
    """From the right side of the first box to the left side of the last, straight across the stops between."""
    path = ""
    for i, (one, other) in enumerate(pairwise(stops)):
        start, end = one[0] + BOX_WIDTH, other[0] - (2 if i == len(stops) - 2 else 0)
        y0, y1 = one[1] + BOX_HEIGHT / 2, other[1] + BOX_HEIGHT / 2
        bend = max((end - start) / 2, 30)
        path += f"{'L' if path else 'M'}{start:g} {y0:g}C{start + bend:g} {y0:g} {end - bend:g} {y1:g} {end:g} {y1:g}"
    return path
