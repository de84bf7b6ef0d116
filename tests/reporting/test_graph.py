"""The graph of uses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mdnn_verify.reporting.graph import BOX_HEIGHT, BOX_WIDTH, layout


def theorems(**uses: Sequence[str]) -> list[dict[str, Any]]:
    return [{"id": name, "uses": list(used), "verdict": "verified"} for name, used in uses.items()]


def test_users_stand_right_of_what_they_use() -> None:
    graph = layout(theorems(a=(), b=("a",), c=("a", "b"), d=()))
    x = {node.id: node.x for node in graph.nodes}
    assert x["a"] < x["b"] < x["c"]
    assert {(edge.used, edge.user) for edge in graph.edges} == {("a", "b"), ("a", "c"), ("b", "c")}
    assert graph.alone == ("d",)


def test_boxes_do_not_overlap_and_fit() -> None:
    graph = layout(theorems(a=(), b=(), c=("a", "b"), d=("c", "a"), e=("b",)))
    for one in graph.nodes:
        assert 0 <= one.x <= graph.width - BOX_WIDTH
        assert 0 <= one.y <= graph.height - BOX_HEIGHT
        for other in graph.nodes:
            apart = abs(one.x - other.x) >= BOX_WIDTH or abs(one.y - other.y) >= BOX_HEIGHT
            assert one is other or apart


def test_what_is_not_in_the_run_is_shown_without_a_verdict() -> None:
    graph = layout(theorems(a=("elsewhere/b",)))
    assert {node.id: node.evidence for node in graph.nodes} == {"elsewhere/b": "", "a": "verified"}


def statement(name: str, uses: Sequence[str] = (), verdict: str = "verified", kernel: str = "") -> dict[str, Any]:
    checks = [{"kind": "formal", "verdict": kernel}] if kernel else []
    return {"id": name, "uses": list(uses), "verdict": verdict, "checks": checks}


def test_green_only_if_all_that_it_rests_on_is() -> None:
    """Each box has the weakest evidence on the way, however far down."""
    graph = layout(
        [
            statement("a", kernel="PROVED"),
            statement("b", ["a"], kernel="PROVED"),
            statement("c", ["b"], kernel="SKIPPED"),
            statement("d", ["c"], "inconclusive", kernel="PROVED"),
            statement("e", ["d", "a"], kernel="PROVED"),
            statement("f", ["e", "g"]),
            statement("g", (), "refuted"),
            statement("h", ["elsewhere"], kernel="PROVED"),
        ]
    )
    nodes = {node.id: node for node in graph.nodes}
    assert {name: (node.weakest, node.where) for name, node in nodes.items() if name != "elsewhere"} == {
        "a": ("machine-checked", "a"),
        "b": ("machine-checked", "b"),
        "c": ("verified", "c"),
        "d": ("inconclusive", "d"),
        "e": ("inconclusive", "d"),
        "f": ("refuted", "g"),
        "g": ("refuted", "g"),
        "h": ("", "elsewhere"),
    }
    assert nodes["b"].words == "machine-checked"
    assert nodes["e"].words == "rests on inconclusive"


def test_a_circle_of_uses_ends() -> None:
    assert len(layout(theorems(a=("b",), b=("a",), c=("c",))).nodes) == 3


def test_no_uses_no_graph() -> None:
    graph = layout(theorems(a=(), b=()))
    assert (graph.nodes, graph.edges, graph.alone) == ((), (), ("a", "b"))
    assert layout([]).nodes == ()
