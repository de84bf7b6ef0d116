from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import rankdata

from mdnn_verify.bench import history, machine, rule
from mdnn_verify.bench.machine import Machine
from mdnn_verify.errors import UsageError
from mdnn_verify.reporting import benchmarks, html

EXTRA = {
    "images_per_second": 1e5,
    "times_our_seconds": {"median": 2.5, "low": 2.25, "high": 3.0},
    "share_of_operations_ceiling": 0.7,
    "share_of_torch.mm": {"median": 0.65},
    "type_i": [0.009, 0.0104],
}


def run_document(where: Machine, day: int, seconds: float, *, skipped: Sequence[str] = ()) -> dict[str, Any]:
    stats = {"median": seconds, "iqr": seconds / 10, "rounds": 5}
    return {
        "schema": 1,
        "kind": "run",
        "started": f"2026-01-{day:02d}T12:00:00+00:00",
        "commit": f"c{day:02d}",
        "machine": where.description(),
        "conditions": {"threads": 2, "data": "default"},
        "ceilings": {"cpu": {"float32_operations_per_second": 1e11, "bytes_per_second": 2e10}},
        "gpu": {},
        "benchmarks": [{"name": "anything/step[cpu]", "device": "cpu", "stats": stats, "extra": EXTRA}],
        "skipped": [{"name": name, "reason": "no <CUDA> device"} for name in skipped],
        "failed": [],
    }


def comparison(where: Machine, day: int, canary: Sequence[float], effects: Sequence[float]) -> dict[str, Any]:
    found = {"step": rule.judge(effects)}
    outcome = rule.overall(list(found.values()), [rule.judge(canary)])
    side = {"label": "HEAD (abc)", "digest": "0" * 64}
    return {
        "schema": 1,
        "kind": "compare",
        "started": f"2026-02-{day:02d}T12:00:00+00:00",
        "machine": where.description(),
        "baseline": side,
        "head": {**side, "digest": "1" * 64},
        "sessions": 7,
        "inject": 0.1,
        "outcome": outcome.value,
        "verdicts": {name: judgement.as_json() for name, judgement in found.items()},
        "canary": {"step": rule.judge(canary).as_json()},
        "accuracy": [{"workload": "step", "name": "type II", "worse": False, "baseline": {}, "head": {}}],
        "not_comparable": {"flow": "ImportError: no flow"},
        "measured": [],
    }


def test_round_trip_in_the_machines_own_folder(tmp_path: Path, machine: Machine) -> None:
    documents = [run_document(machine, day, 0.001) for day in (2, 1)]
    paths = [history.save(tmp_path, document) for document in documents]
    assert {path.parent for path in paths} == {tmp_path / machine.key}
    assert history.read(tmp_path, machine.key, "run") == documents[::-1], "oldest first"
    assert history.read(tmp_path, machine.key, "compare") == []
    assert list(history.machines(tmp_path)) == [machine.key]


@pytest.mark.parametrize(
    "change",
    [{"cores": 4}, {"gpu": "NVIDIA H200"}, {"driver": "1"}, {"torch": "2.11"}, {"python": "3.12"}, {"cpu": "x"}],
)
def test_figures_of_different_machines_are_refused(tmp_path: Path, machine: Machine, change: dict[str, Any]) -> None:
    other = replace(machine, **change)
    assert other.key != machine.key
    with pytest.raises(UsageError, match="never compared"):
        history.series([run_document(other, 1, 0.001), run_document(machine, 2, 0.001)])
    stray = history.save(tmp_path, run_document(other, 1, 0.001))
    (tmp_path / machine.key).mkdir()
    stray.rename(tmp_path / machine.key / stray.name)
    with pytest.raises(UsageError, match="never compared"):
        history.read(tmp_path, machine.key, "run")


def test_a_document_without_a_machine_is_compared_with_nothing(machine: Machine) -> None:
    with pytest.raises(UsageError, match="does not say which machine"):
        history.series([{**run_document(machine, 1, 0.001), "machine": None}, run_document(machine, 2, 0.001)])


@pytest.mark.parametrize("content", ["{", "[]", '{"kind": "recipe"}'])
def test_a_damaged_document_is_named(tmp_path: Path, machine: Machine, content: str) -> None:
    (tmp_path / machine.key).mkdir()
    (tmp_path / machine.key / "a.json").write_text(content)
    with pytest.raises(UsageError, match=r"a\.json"):
        history.read(tmp_path, machine.key, "run")


def test_keys_are_readable_and_tell_this_machine() -> None:
    here = machine.this_machine()
    assert here == machine.this_machine()
    assert here.description()["key"] == here.key
    assert f"-{here.cores}c-" in here.key
    assert here.key == machine.key_of(json.loads(json.dumps(here.description())))
    assert Path(here.key).name == here.key


def test_a_step_is_found_where_it_is(machine: Machine) -> None:
    noise = np.random.default_rng(1).normal(0, 0.02, 24)
    values = (np.where(np.arange(24) < 10, 0.0, 0.3) + noise).tolist()
    assert history.change_points(values) == [10]
    assert history.change_points(values) == history.change_points(values), "the annotation does not wander"


@pytest.mark.parametrize("seed", range(5))
def test_rank_sums_are_the_sums_of_signs(seed: int) -> None:
    x = np.random.default_rng(seed).integers(0, 6, 12).astype(float)  # with ties
    sums = [abs(np.sign(x[None, t:] - x[:t, None]).sum()) for t in range(4, 9)]
    (largest,), (place,) = history._pettitt(rankdata(x)[None, :])
    assert largest == max(sums) == sums[place - 4]


def test_a_quiet_series_has_change_points_as_rarely_as_the_level_says() -> None:
    series = [np.random.default_rng(seed).normal(size=16).tolist() for seed in range(60)]
    found = sum(bool(history.change_points(one)) for one in series)
    assert found <= 5  # P(Bin(60, 0.01) > 5) < 1e-4


@pytest.mark.parametrize("n", range(8))
def test_few_runs_have_no_change_points(n: int) -> None:
    assert history.change_points([0.0] * (n // 2) + [9.0] * (n - n // 2)) == []


def test_canary_rate_counts_both_directions(machine: Machine) -> None:
    canaries = ([0.1] * 7, [-0.1] * 7, [0.0] * 7, [0.0] * 7)
    rate = history.canary_rate([comparison(machine, 1, canary, [0.0] * 7) for canary in canaries])
    assert (rate.alarms, rate.comparisons) == (2, 4)
    assert rate.low < 0.5 < rate.high
    nothing = history.canary_rate([])
    assert (nothing.low, nothing.high) == (0.0, 1.0)


def test_nothing_measured_is_no_section(tmp_path: Path) -> None:
    assert benchmarks.section(tmp_path) is None
    assert benchmarks.section(tmp_path / "missing") is None


def test_section_shows_the_newest_machine_alone(tmp_path: Path, machine: Machine) -> None:
    other = replace(machine, cores=64)
    history.save(tmp_path, run_document(other, 1, 0.5))
    for day in range(1, 21):
        history.save(
            tmp_path, run_document(machine, day, 0.001 if day < 11 else 0.002, skipped=["anything/step[cuda]"])
        )
    history.save(tmp_path, comparison(machine, 1, [0.1] * 7, [0.2] * 7))
    found = benchmarks.section(tmp_path)
    assert found is not None
    assert (found["machine"]["key"], found["other_machines"]) == (machine.key, [other.key])
    assert found["comparison"]["outcome"] == "machine unfit"
    (picture,) = found["pictures"]
    assert [curve["label"] for curve in picture["curves"]] == ["median", "first run after a change point"]
    assert picture["curves"][1]["x"] == [10.0]
    page = html.environment().get_template("benchmarks.html").render(benchmarks=found, gallery=html.Gallery())
    for words in (
        "2 ms",
        "no &lt;CUDA&gt; device",
        "machine unfit",
        "SLOWER",
        "not comparable",
        "1 of 1",
        "10 % of injected work",
        "<svg",
    ):
        assert words in page
    assert "500 ms" not in page, "the other machine's figure"


def test_tables(capsys: pytest.CaptureFixture[str], machine: Machine) -> None:
    runs = [run_document(machine, day, 0.001 * day, skipped=["anything/step[cuda]"]) for day in (1, 2)]
    benchmarks.print_run(runs[-1])
    benchmarks.print_history(history.series(runs), machine.key)
    document = comparison(machine, 1, [0.0] * 7, [0.1] * 7)
    benchmarks.print_compare(document, history.canary_rate([document]))
    printed = capsys.readouterr().out
    for words in (
        "no <CUDA> device",
        "+100.0 %",
        "SLOWER",
        "not comparable: flow",
        machine.key,
        "+10.5 %",
        "0 of 1",
        "injected",
    ):
        assert words in printed


def test_what_stands_beside_a_figure() -> None:
    assert benchmarks._beside(EXTRA) == (
        "100,000 images/s, 2.50 (2.25 to 3.00) times our time, 70 % of the float32 products ceiling, "
        "65 % of torch.mm, type I 0.90 to 1.04 %"
    )
    assert benchmarks._beside({"embedded": True}) == "embedded stand-in data"
