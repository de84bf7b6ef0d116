"""Which statement uses which, laid out in layers: a statement stands right of all that it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Edge", "Graph", "Node", "layout"]

BOX_WIDTH, BOX_HEIGHT, COLUMN_GAP, ROW_GAP, MARGIN = 190, 46, 70, 18, 4


@dataclass(frozen=True)
class Node:
    """A statement's box; ``verdict`` is empty if it is not part of this run."""

    id: str
    verdict: str
    x: float
    y: float


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
    verdicts = {theorem["id"]: theorem["verdict"] for theorem in theorems}
    linked = {name for user, used in uses.items() if used for name in (user, *used)}
    layers = _layers(sorted(linked, key=list({**uses, **dict.fromkeys(linked)}).index), uses)
    places = _places(layers)
    nodes = tuple(Node(name, verdicts.get(name, ""), x, y) for name, (x, y) in places.items())
    edges = tuple(
        Edge(used, user, _path(places[used], places[user])) for user in uses for used in uses[user] if user in places
    )
    width = max((x for x, _ in places.values()), default=0) + BOX_WIDTH + 2 * MARGIN
    height = max((y for _, y in places.values()), default=0) + BOX_HEIGHT + MARGIN
    return Graph(nodes, edges, tuple(name for name in uses if name not in linked), width, height)


def _layers(names: Sequence[str], uses: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Longest chain of uses below a statement gives its layer; within a layer, next to what it uses."""
    depth: dict[str, int] = {}

    def deep(name: str, above: frozenset[str]) -> int:
        if name not in depth:
            below = [deep(used, above | {name}) for used in uses.get(name, ()) if used not in above | {name}]
            depth[name] = 1 + max(below, default=-1)
        return depth[name]

    layers: list[list[str]] = [[] for _ in range(1 + max((deep(name, frozenset()) for name in names), default=-1))]
    for name in names:
        layers[depth[name]].append(name)
    row: dict[str, float] = {}
    for layer in layers:
        layer.sort(key=lambda name: _mean([row[used] for used in uses.get(name, ()) if used in row]))
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


def _path(used: tuple[float, float], user: tuple[float, float]) -> str:
    start, end = used[0] + BOX_WIDTH, user[0] - 5
    y0, y1 = used[1] + BOX_HEIGHT / 2, user[1] + BOX_HEIGHT / 2
    bend = max((end - start) / 2, 30)
    return f"M{start:g} {y0:g}C{start + bend:g} {y0:g} {end - bend:g} {y1:g} {end:g} {y1:g}"
