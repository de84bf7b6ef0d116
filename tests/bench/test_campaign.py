from __future__ import annotations

import json
from collections.abc import Callable
from math import comb
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mdnn_verify.bench import campaign
from mdnn_verify.bench.trees import Tree


def rows(spread: float, sessions: int = 42, shift: float = 0.0) -> list[dict[str, Any]]:
    generator = np.random.default_rng(3)
    return [
        {
            "workload": name,
            "inject": share,
            "session": i,
            "effect": np.log1p(share) + shift + generator.normal(0, spread),
        }
        for name in ("a", "b")
        for share in campaign.INJECTED
        for i in range(sessions)
    ]


def test_a_quiet_machine_keeps_the_promises(monkeypatch: pytest.MonkeyPatch) -> None:
    _fewer(monkeypatch)
    found = campaign.rates(rows(0.01))
    assert found["kept"]
    assert found["alarms"]["rate"] <= 0.01
    assert found["detected_10"]["rate"] >= 0.8
    assert found["detected_20"]["rate"] >= 0.99
    assert found["disjoint"] == {"alarms": 0, "comparisons": 12}
    assert found["spread"]["a"] == pytest.approx(0.01, rel=0.3)


def test_intervals_rest_on_unanimity(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven sessions alarm exactly if all exceed +2 %: the drawn share is the hypergeometric probability of that."""
    monkeypatch.setattr(campaign, "COMPARISONS", 4000)
    pool = np.array([0.1] * 36 + [0.0] * 4)
    found = campaign._rate({"a": pool}, np.random.default_rng(0))
    exact = comb(36, 7) / comb(40, 7)
    assert abs(found["rate"] - exact) < 5 * (exact * (1 - exact) / 4000) ** 0.5
    assert found["low"] < 0.9**7 < found["high"]
    quiet = campaign._rate({"a": np.zeros(40)}, np.random.default_rng(0), flip=True)
    assert quiet["rate"] == quiet["low"] == 0
    assert quiet["high"] > 0, "nothing seen is not a probability of zero"


def test_a_noisy_machine_does_not_detect(monkeypatch: pytest.MonkeyPatch) -> None:
    _fewer(monkeypatch)
    found = campaign.rates(rows(0.2))
    assert not found["kept"]
    assert found["detected_10"]["rate"] < 0.5


def test_a_bias_between_identical_sides_shows_in_the_comparisons_as_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random signs hide a bias; the comparisons that share no session and flip no sign do not."""
    _fewer(monkeypatch)
    found = campaign.rates(rows(0.01, shift=0.08))
    assert found["disjoint"]["alarms"] > 0
    assert not found["kept"]


def test_a_small_campaign_resumes_and_writes_its_table(
    tmp_path: Path, tree: Callable[..., Tree], workloads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fewer(monkeypatch)
    fake = tree("a", 3000)
    monkeypatch.setattr(campaign, "installed_tree", lambda: fake)
    monkeypatch.setattr(campaign, "_tell", lambda words: None)
    document = tmp_path / "benchmarks.md"
    document.write_text(f"before\n{campaign.MARKERS[0]}\nold\n{campaign.MARKERS[1]}\nafter\n")
    command = ["--sessions", "7", "--pairs", "4", "--workload", "loop", "--file", str(workloads)]
    command += ["--reports", str(tmp_path), "--journal", str(tmp_path / "j"), "--document", str(document)]
    campaign.main(command)
    whole = (tmp_path / "j").read_text().splitlines()
    assert len(whole) == 1 + 3 * 7
    (tmp_path / "j").write_text("\n".join(whole[:-2]) + "\n" + whole[-2][:20])
    campaign.main([*command, "--resume"])
    text = document.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "+10 % injected" in text
    (kept,) = tmp_path.glob("*/campaign.json")
    measured = json.loads(kept.read_text())["measured"]
    assert len(measured) == 21
    assert {row["extra_calls"] / row["calls"] for row in measured} == {0.0, 0.1, 0.2}


def _fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign, "COMPARISONS", 200)
