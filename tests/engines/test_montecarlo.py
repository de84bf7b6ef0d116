"""The six Monte Carlo claims: each can verify, refute, stay undecided, and refuses what it cannot judge."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch

from mdnn_verify.engines import Context, decide
from mdnn_verify.engines.montecarlo import (
    BoundedMean,
    CatoniMean,
    CdfEqual,
    DrawError,
    KnownCGFMean,
    NeverViolated,
    PairedInequality,
    Stream,
    sequential,
)
from mdnn_verify.engines.montecarlo.report import band
from mdnn_verify.errors import MdnnVerifyError
from mdnn_verify.verdicts import Status, Verdict

CONTEXT = Context("a theorem/a check", seed=1, alpha=1e-8, scope="the stated law")


def uniform(rng: Stream, n: int) -> torch.Tensor:
    return rng.uniform(n)


def normal(rng: Stream, n: int) -> torch.Tensor:
    return rng.normal(n)


def three_atoms(rng: Stream, n: int) -> torch.Tensor:
    return rng.integers(0, 3, n).double()


def atoms_cdf(x: torch.Tensor) -> torch.Tensor:
    return ((x.floor() + 1) / 3).clamp(0, 1)


def atoms_left(x: torch.Tensor) -> torch.Tensor:
    return (x.ceil() / 3).clamp(0, 1)


TRUE = {
    "BoundedMean": BoundedMean(uniform, 0.5, 0, 1, scale=1),
    "BoundedMean, a rare event": BoundedMean(lambda rng, n: rng.uniform(n) < 0.01, 0.01, 0, 1, scale=0.1),
    "CatoniMean": CatoniMean(normal, 0.0, 1.0, "the variance of N(0, 1)", scale=1, within=0.02),
    "CatoniMean, a loose bound": CatoniMean(normal, 0.0, 1.3, "rounded up", scale=1, within=0.02),
    "KnownCGFMean": KnownCGFMean(lambda rng, n: 0.3 + rng.normal(n), 0.3, lambda t: 0.3 * t + t**2 / 2, 1, 0.02),
    "PairedInequality, at 0": PairedInequality(lambda rng, n: rng.uniform(n) - 0.5, scale=1, support=(-0.5, 0.5)),
    "PairedInequality, above": PairedInequality(normal, 1, variance_bound=1.0, because="N(0, 1)", within=0.02),
    "CdfEqual": CdfEqual(uniform, torch.clone, torch.clone),
    "CdfEqual, jumps": CdfEqual(three_atoms, atoms_cdf, atoms_left),
    "NeverViolated": NeverViolated(uniform),
}
FALSE = {
    "BoundedMean, low": BoundedMean(uniform, 0.48, 0, 1, scale=1),
    "BoundedMean, high": BoundedMean(uniform, 0.52, 0, 1, scale=1),
    "BoundedMean, outside": BoundedMean(uniform, 7.0, 0, 1, scale=1),
    "CatoniMean, low": CatoniMean(normal, -0.1, 1.0, "N(0, 1)", scale=1),
    "CatoniMean, far": CatoniMean(normal, 50.0, 1.0, "N(0, 1)", scale=1),
    "KnownCGFMean, built from the claim": KnownCGFMean(normal, 0.05, lambda t: 0.05 * t + t**2 / 2, 1),
    "KnownCGFMean, built from the law": KnownCGFMean(normal, 0.05, lambda t: t**2 / 2, 1),
    "PairedInequality": PairedInequality(lambda rng, n: rng.uniform(n) - 0.52, scale=1, support=(-0.52, 0.48)),
    "PairedInequality, unbounded": PairedInequality(
        lambda rng, n: rng.normal(n) - 0.05, 1, variance_bound=1.0, because="N(0, 1)"
    ),
    "CdfEqual": CdfEqual(uniform, lambda x: x**1.05, lambda x: x**1.05),
    "CdfEqual, jumps": CdfEqual(lambda rng, n: rng.categorical([0.36, 0.3, 0.34], n), atoms_cdf, atoms_left),
    "CdfEqual, only the left limits": CdfEqual(
        lambda rng, n: torch.zeros(n).double(), torch.ones_like, torch.ones_like
    ),
    "NeverViolated": NeverViolated(lambda rng, n: rng.uniform(n) * 1.01),
    "NeverViolated, NaN": NeverViolated(lambda rng, n: torch.full((n,), math.nan).double()),
}


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def true() -> dict[str, Verdict]:
    return {name: claim.decide(CONTEXT) for name, claim in TRUE.items()}


@pytest.fixture(scope="module")
def false() -> dict[str, Verdict]:
    return {name: claim.decide(CONTEXT) for name, claim in FALSE.items()}


@pytest.mark.parametrize("name", TRUE)
def test_true_claims_are_verified(name: str, true: dict[str, Verdict]) -> None:
    verdict = true[name]
    assert verdict.status is Status.VERIFIED_WITHIN, verdict.detail
    assert 0 < verdict.delta <= 0.02
    assert verdict.engine == "montecarlo"
    assert verdict.scope == "the stated law"


@pytest.mark.parametrize("name", FALSE)
def test_false_claims_are_refuted_with_a_counterexample(name: str, false: dict[str, Verdict]) -> None:
    verdict = false[name]
    assert verdict.status is Status.REFUTED, verdict.detail
    assert verdict.counterexample
    assert verdict.delta is None


def test_no_simulation_prints_the_word_equal_and_all_is_json(
    true: dict[str, Verdict], false: dict[str, Verdict]
) -> None:
    for verdict in [*true.values(), *false.values()]:
        text = json.dumps([verdict.evidence, list(verdict.pictures)], allow_nan=False)
        assert "equal" not in (verdict.detail + verdict.counterexample + text).lower()


def test_evidence_of_a_mean_is_complete(true: dict[str, Verdict]) -> None:
    evidence = true["BoundedMean"].evidence
    assert {
        "draws", "mean", "half_width", "half_width_over_scale", "delta", "alpha", "e_value_against",
        "e_values_of_shifted_claims", "assumption", "bound_ratio", "device", "draws_per_second",
    } <= set(evidence)  # fmt: skip
    assert evidence["draws"] % 4096 == 0
    assert abs(evidence["mean"] - 0.5) < evidence["half_width"]
    assert evidence["e_value_against"] < 8 <= min(evidence["e_values_of_shifted_claims"].values())
    assert evidence["half_width_over_scale"] < 0.01
    assert evidence["assumption"].startswith("the draws")


def test_assumption_states_where_the_variance_comes_from(true: dict[str, Verdict]) -> None:
    assert "the variance of N(0, 1)" in true["CatoniMean"].evidence["assumption"]


@pytest.mark.parametrize("name", [name for name in TRUE if name != "NeverViolated"])
def test_pictures_are_small_and_hold_the_claim(name: str, true: dict[str, Verdict]) -> None:
    (picture,) = true[name].pictures
    assert picture["kind"] == "curves"
    confidence = picture["curves"][0]
    assert confidence["style"] == "band"
    assert 1 <= len(confidence["x"]) <= (200 if name.startswith("Cdf") else 60)
    assert all(len(curve["x"]) == len(curve["y"]) for curve in picture["curves"])
    if not name.startswith("Cdf"):
        assert picture["log_x"]
        claimed = next(curve for curve in picture["curves"] if curve["label"] == "claimed")["y"][0]
        assert all(low < claimed < high for low, high in zip(confidence["y"], confidence["y_high"], strict=True))


def test_ends_of_the_confidence_sequence_are_refuted_means() -> None:
    claim = TRUE["CatoniMean"]
    plan = claim.plan(1e-8)
    run = sequential.simulate(plan, CONTEXT, 1e-8)
    looks = np.stack(run.looks[-3:], axis=-1)
    for end in band(run.bets, looks, 1e-8, plan.delta):
        assert (run.bets.log_against(looks, end - plan.equals) >= math.log(1e8) - 1e-6).all()


def test_verdict_is_a_function_of_name_and_seed() -> None:
    def numbers(context: Context) -> dict[str, object]:
        evidence = TRUE["BoundedMean"].decide(context).evidence
        return {key: value for key, value in evidence.items() if key != "draws_per_second"}

    assert numbers(CONTEXT) == numbers(CONTEXT)
    assert numbers(CONTEXT)["mean"] != numbers(replace(CONTEXT, seed=2))["mean"]
    assert numbers(CONTEXT)["mean"] != numbers(replace(CONTEXT, name="another check"))["mean"]


@pytest.mark.parametrize("name", ["BoundedMean", "CatoniMean", "KnownCGFMean", "PairedInequality, at 0", "CdfEqual"])
def test_average_cost_is_at_most_twice_the_sequential_bound(name: str) -> None:
    ratios = [TRUE[name].decide(replace(CONTEXT, seed=seed)).evidence["bound_ratio"] for seed in range(12)]
    assert np.mean(ratios) <= 2, ratios


@pytest.mark.parametrize("name", ["BoundedMean", "CatoniMean", "KnownCGFMean", "PairedInequality, at 0", "CdfEqual"])
def test_used_up_budget_is_inconclusive(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequential, "BUDGET", 0.0)
    monkeypatch.setattr(sequential, "LEAST_BLOCKS", 2)
    verdict = TRUE[name].decide(CONTEXT)
    assert verdict.status is Status.INCONCLUSIVE
    assert "the budget ran out" in verdict.detail
    assert verdict.evidence["draws"] == 2 * 4096
    assert verdict.delta is None


@pytest.mark.parametrize("name", ["BoundedMean", "CdfEqual", "NeverViolated"])
def test_used_up_time_is_inconclusive(name: str) -> None:
    verdict = TRUE[name].decide(replace(CONTEXT, timeout=0.0 if name != "NeverViolated" else -1.0))
    assert verdict.status is Status.INCONCLUSIVE
    assert "the time ran out" in verdict.detail


def test_constant_draws_are_decided() -> None:
    constant = BoundedMean(lambda rng, n: torch.full((n,), 0.25).double(), 0.25, 0, 1, scale=1)
    assert constant.decide(CONTEXT).agrees
    assert replace(constant, equals=0.3).decide(CONTEXT).refuted


def test_never_violated_needs_as_many_instances_as_it_says() -> None:
    """Exactly: with N instances, a violation of probability delta is missed with probability (1 - delta)^N <= alpha."""
    for alpha, rate in [(1e-8, 0.01), (1e-2, 0.3), (0.5, 0.9)]:
        verdict = NeverViolated(uniform, rate).decide(replace(CONTEXT, alpha=alpha))
        assert verdict.delta <= rate
        assert (1 - verdict.delta) ** verdict.evidence["draws"] <= alpha
        assert (1 - rate) ** verdict.evidence["draws"] <= alpha


def test_never_violated_names_the_instance() -> None:
    def draw(rng: Stream, n: int) -> torch.Tensor:
        ratios = torch.zeros(n).double()
        ratios[17] = 1.5
        return ratios

    assert "instance 17 of block 1 (seed 1)" in NeverViolated(draw).decide(CONTEXT).counterexample


def test_what_sets_a_check_up_is_never_drawn_again() -> None:
    """A check's own ``rng`` is block 0 of the same name; what decides begins with block 1."""
    seen: list[float] = []

    def draw(rng: Stream, n: int) -> torch.Tensor:
        draws = rng.uniform(n)
        seen.append(float(draws[0]))
        return draws

    setup = float(Stream(CONTEXT.name, CONTEXT.seed).uniform(1)[0])
    NeverViolated(draw).decide(CONTEXT)
    CdfEqual(draw, torch.clone, torch.clone, within=0.1).decide(CONTEXT)
    assert setup not in seen


DRAWS = {
    "above": (
        lambda rng, n: rng.uniform(n) + 0.1,
        r"block 0 of the draws has 1\.0\d+ at index \d+, expected .*\[0, 1\]",
    ),
    "below": (lambda rng, n: rng.uniform(n) - 1e-3, r"expected a finite number in \[0, 1\]"),
    "NaN": (lambda rng, n: rng.uniform(n) * math.nan, "has nan at index"),
    "infinite": (lambda rng, n: torch.full((n,), math.inf).double(), "has inf at index 0"),
    "column": (lambda rng, n: rng.uniform((n, 1)), r"shape \(4096, 1\), expected \(4096,\)"),
    "short": (lambda rng, n: rng.uniform(n - 1), r"shape \(4095,\)"),
    "numpy": (lambda rng, n: rng.uniform(n).numpy(), "type ndarray, expected a torch tensor"),
    "single precision": (lambda rng, n: rng.uniform(n).float(), "dtype torch.float32"),
    "complex": (lambda rng, n: rng.uniform(n) + 0j, "dtype torch.complex128"),
    "another device": (lambda rng, n: torch.empty(n, dtype=torch.float64, device="meta"), "is on meta, expected cpu"),
}


@pytest.mark.parametrize("what", DRAWS)
def test_bad_draws_are_an_error_that_names_them(what: str) -> None:
    draw, words = DRAWS[what]
    with pytest.raises(DrawError, match=words) as caught:
        BoundedMean(draw, 0.5, 0, 1, scale=1).decide(CONTEXT)
    assert "a theorem/a check: block 0" in str(caught.value)


def test_bad_draw_after_the_pilot_is_caught() -> None:
    def draw(rng: Stream, n: int) -> torch.Tensor:
        draws = rng.uniform(n)
        draws[100] += float(draw.calls == 2)
        draw.calls += 1
        return draws

    draw.calls = 0
    with pytest.raises(DrawError, match=r"block 2 of the draws has 1\.\d+ at index 100"):
        BoundedMean(draw, 0.5, 0, 1, scale=1).decide(CONTEXT)


@pytest.mark.parametrize("name", TRUE)
def test_no_simulation_comes_out_of_a_generator(name: str) -> None:
    def claims() -> Iterator[object]:
        yield TRUE[name]

    with pytest.raises(MdnnVerifyError, match="a simulation cannot come out of a generator"):
        decide(claims(), CONTEXT)


def test_several_claims_share_alpha() -> None:
    verdict = decide({"low": TRUE["BoundedMean"], "high": TRUE["BoundedMean"]}, CONTEXT)
    assert [part["alpha"] for part in verdict.evidence["parts"]] == [5e-9, 5e-9]
    assert verdict.agrees


GOOD = {
    BoundedMean: {"draw": uniform, "equals": 0.5, "lo": 0, "hi": 1, "scale": 1},
    CatoniMean: {"draw": normal, "equals": 0, "variance_bound": 1, "because": "N(0, 1)", "scale": 1},
    KnownCGFMean: {"draw": normal, "equals": 0, "cgf": lambda t: t**2 / 2, "scale": 1},
    PairedInequality: {"draw": normal, "scale": 1, "variance_bound": 1, "because": "N(0, 1)"},
    CdfEqual: {"draw": uniform, "cdf": torch.clone, "cdf_left": torch.clone},
    NeverViolated: {"draw": uniform},
}
NUMBERS = [0, -1, math.nan, math.inf, "many"]
BAD = [
    *[(claim, "scale", value) for claim in GOOD if "scale" in GOOD[claim] for value in NUMBERS],
    *[(claim, "within", value) for claim in GOOD if claim is not NeverViolated for value in NUMBERS],
    *[(claim, "equals", math.nan) for claim in (BoundedMean, CatoniMean, KnownCGFMean)],
    *[(claim, "draw", None) for claim in GOOD],
    *[(claim, "variance_bound", value) for claim in (CatoniMean, PairedInequality) for value in NUMBERS],
    *[(claim, "because", "  ") for claim in (CatoniMean, PairedInequality)],
    (BoundedMean, "lo", 1), (BoundedMean, "lo", -math.inf), (BoundedMean, "hi", math.nan),
    (KnownCGFMean, "cgf", lambda t: 1 + t), (KnownCGFMean, "cgf", 3),
    (PairedInequality, "support", (0, 1)),
    (CdfEqual, "cdf", None), (CdfEqual, "cdf_left", 1.0), (CdfEqual, "within", 1),
    *[(NeverViolated, "rate", value) for value in [*NUMBERS, 1]],
]  # fmt: skip


@pytest.mark.parametrize(("claim", "name", "value"), BAD)
def test_bad_parameters_are_named(claim: Callable[..., object], name: str, value: object) -> None:
    with pytest.raises(ValueError, match=name):
        claim(**{**GOOD[claim], name: value})


@pytest.mark.parametrize("claim", GOOD)
def test_good_parameters_pass(claim: Callable[..., object]) -> None:
    claim(**GOOD[claim])


def test_support_of_a_pair_is_an_interval() -> None:
    with pytest.raises(ValueError, match="support"):
        PairedInequality(uniform, 1, support=(1, 0))
    with pytest.raises(ValueError, match="support and variance_bound"):
        PairedInequality(uniform, 1)


@pytest.mark.parametrize("alpha", [0.0, 1.0, -1e-3, math.nan])
def test_alpha_outside_the_open_interval_is_refused(alpha: float) -> None:
    with pytest.raises(MdnnVerifyError, match="alpha is"):
        TRUE["BoundedMean"].decide(replace(CONTEXT, alpha=alpha))
