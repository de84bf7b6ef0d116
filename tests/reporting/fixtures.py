"""A run's document with every feature that a report shows: all kinds, all verdicts, all pictures, hostile strings."""

from __future__ import annotations

import copy
import math
from typing import Any

__all__ = ["HOSTILE", "document", "hostile_document", "large_document"]

HOSTILE = '<script>window.hacked = 1</script><img src=x onerror="window.hacked = 1">"\'&'


def check(name: str, kind: str, verdict: str, scope: str, doc: str, **more: Any) -> dict[str, Any]:
    empty = {"detail": "", "counterexample": "", "delta": None, "engine": "symbolic", "evidence": {}, "pictures": []}
    return {
        "name": name,
        "kind": kind,
        "verdict": verdict,
        "scope": scope,
        "seconds": 0.34,
        "doc": doc,
        **empty,
        **more,
    }


def curve(
    label: str, x: list[float], y: list[float], style: str = "line", y_high: list[float] | None = None
) -> dict[str, Any]:
    return {"label": label, "x": x, "y": y, "y_high": y_high or [], "style": style}


def sequence(mean: float = 0.5) -> dict[str, Any]:
    n = [4096 * 1.12**i for i in range(60)]
    wave = [mean + 0.5 / math.sqrt(a) * math.sin(i / 3) for i, a in enumerate(n)]
    curves = [
        curve(
            "confidence sequence, alpha = 1e-08",
            n,
            [m - 3 / math.sqrt(a) for m, a in zip(wave, n, strict=True)],
            "band",
            [m + 3 / math.sqrt(a) for m, a in zip(wave, n, strict=True)],
        ),
        curve("running mean", n, wave),
        *(
            curve(label, [n[0], n[-1]], [0.5 + shift] * 2)
            for label, shift in (("claimed", 0.0), ("claimed - delta", -0.005), ("claimed + delta", 0.005))
        ),
    ]
    return {
        "kind": "curves",
        "caption": "Running mean with its confidence sequence",
        "x_label": "draws",
        "y_label": "mean",
        "curves": curves,
        "log_x": True,
        "log_y": False,
    }


def steps() -> dict[str, Any]:
    x = [float(i) for i in range(10)]
    y = [i / 9 for i in range(10)]
    curves = [
        curve(
            "sampled, band at alpha = 1e-08", x, [max(v - 0.05, 0) for v in y], "band", [min(v + 0.05, 1) for v in y]
        ),
        curve("sampled", x, [min(v + 0.01, 1) for v in y], "step"),
        curve("claimed", x, y, "step"),
    ]
    return {
        "kind": "curves",
        "caption": "Sampled distribution function with its band",
        "x_label": "x",
        "y_label": "F(x)",
        "curves": curves,
        "log_x": False,
        "log_y": False,
    }


def surface() -> dict[str, Any]:
    axis = [i / 15 - 2 for i in range(61)]
    z = [[a * a / 2 + (math.exp(2 * b) - 1) / 2 - b for a in axis] for b in axis]
    return {
        "kind": "surface",
        "caption": "KL divergence of N(m, s²) from N(0, 1)",
        "x_label": "m",
        "y_label": "log s",
        "z_label": "KL",
        "x": axis,
        "y": axis,
        "z": z,
    }


def triangle() -> dict[str, Any]:
    points = [(i / 20, j / 20, (20 - i - j) / 20) for i in range(21) for j in range(21 - i)]
    values = [max(a - b, b - c, c - a) for a, b, c in points]
    return {
        "kind": "ternary",
        "caption": "What the best reply earns against each mixed strategy",
        "corners": ["rock", "paper", "scissors"],
        "value_label": "exploitability",
        "points": points,
        "values": values,
        "mark": [1 / 3, 1 / 3, 1 / 3],
    }


def control(name: str, *checks: dict[str, Any], verdict: str = "REFUTED", reason: str = "") -> dict[str, Any]:
    refuted_by = [each["name"] for each in checks if each["verdict"] == "REFUTED"]
    return {"name": name, "verdict": verdict, "refuted_by": refuted_by, "reason": reason, "checks": list(checks)}


EVIDENCE = {
    "draws": 188416,
    "mean": 0.50021,
    "half_width": 0.0031,
    "delta": 0.005,
    "alpha": 1e-08,
    "e_value_against": -1.2,
    "e_values_of_shifted_claims": {"minus_delta": 8.3, "plus_delta": 8.1},
    "assumption": "draws lie in [0, 1]",
    "device": "cpu",
    "draws_per_second": 9.1e6,
}


def checks() -> list[dict[str, Any]]:
    return [
        check(
            "O_is_proper", "hypothesis", "PROVED", "the given data", "The index set O is neither empty nor everything."
        ),
        check(
            "block_triangular",
            "symbolic",
            "PROVED",
            "all O with n <= 5, s and t undefined functions",
            "Listing O first makes the Jacobian block triangular: `P J P'` has a zero block."
            "\n\n    P J P' = [[I, 0], [*, D]]",
            detail="130 claims, all hold; simplified to true and true at 12 exact rational points",
        ),
        check(
            "determinant_of_blocks", "symbolic", "PROVED", "all block sizes", "So $\\det J = \\prod_i e^{s_i(x_O)}$."
        ),
        check(
            "jacobian_of_a_network",
            "pathwise",
            "VERIFIED_WITHIN",
            "64 random layers, n <= 64",
            "Automatic differentiation gives the same number.",
            engine="pathwise",
            delta=3.1e-12,
            detail="64 claims, all hold; largest residual 2.1e-13 of an allowed 3.1e-12",
            evidence={"parts": [{"n": n, "residual": 1e-13 * n, "bound": 2e-12 * n} for n in range(2, 20)]},
        ),
        check(
            "density_integrates_to_one",
            "montecarlo",
            "VERIFIED_WITHIN",
            "one layer, n = 8",
            "The pulled-back density has total mass 1, by importance sampling with bounded weights.",
            engine="montecarlo",
            delta=0.005,
            seconds=1.61,
            evidence=copy.deepcopy(EVIDENCE),
            pictures=[sequence()],
            detail="the mean of 188,416 draws is 0.50021 +- 0.0031; the claimed 0.5 holds within 0.005",
        ),
    ]


def controls() -> list[dict[str, Any]]:
    wrong = check(
        "determinant_of_blocks",
        "symbolic",
        "REFUTED",
        "all block sizes",
        "So the determinant is a product.",
        counterexample="n = 2, O = {0}: log|det J| = s(x0) but the claim is s(x1) [with total = sum_over_O]",
    )
    off = check(
        "density_integrates_to_one",
        "montecarlo",
        "REFUTED",
        "one layer, n = 8",
        "Mass 1.",
        engine="montecarlo",
        pictures=[sequence(0.53)],
        counterexample="mean 0.53 +- 0.003 over 90,112 draws, claimed 0.5",
    )
    holds = check("O_is_proper", "hypothesis", "PROVED", "the given data", "The index set O is proper.")
    return [
        control("the sum runs over O instead of its complement", holds, wrong, off),
        control("exp(s) is summed instead of s", wrong),
    ]


def theorem(identifier: str, title: str, statement: str, **more: Any) -> dict[str, Any]:
    doc = (
        f"{title}.\n\nFor any n >= 2 and any index set O with 0 < |O| < n,\n\n"
        "    z_O  = x_O,\n    z_Oc = exp(s(x_O)) * x_Oc + t(x_O).\n\n"
        "Both $s$ and \\(t : \\mathbb{R}^{|O|} \\to \\mathbb{R}^{n-|O|}\\) are differentiable."
        "\n\nSource: seed 000, Problem 3."
    )
    base = {
        "id": identifier,
        "title": title,
        "chapter": identifier.split("/")[0],
        "source": "seed 000, Problem 3",
        "statement": statement,
        "doc": doc,
        "uses": [],
        "verdict": "verified",
        "reason": "",
        "seconds": 4.2,
        "pictures": [],
        "checks": checks(),
        "controls": controls(),
    }
    return {**base, **more}


COUPLING = (
    r"\log\left|\det\frac{\partial z}{\partial x}\right|=\sum_{i=1}^{n-|O|}s_i(x_O),"
    r"\qquad z_{O^c}=e^{s(x_O)}\odot x_{O^c}+t(x_O)"
)
GAUSSIAN = (
    r"\operatorname{KL}=\tfrac12\left(\operatorname{tr}(\Sigma_1^{-1}\Sigma_0)"
    r"+(\mu_1-\mu_0)^\top\Sigma_1^{-1}(\mu_1-\mu_0)-d+\log\frac{\det\Sigma_1}{\det\Sigma_0}\right)"
)
MINIMAX = (
    r"\min_a\max_b a^\top\!Mb=\max_b\min_a a^\top\!Mb=0"
    r"\quad\text{only at }a=b=\left(\tfrac13,\tfrac13,\tfrac13\right)"
)
NONNEGATIVE = r"\operatorname{KL}(X\,\|\,Y)=\int_{\mathbb{R}^d}\log\frac{f(x)}{g(x)}\,f(x)\,dx\;\ge\;0"
RUN = {
    "seed": 0,
    "alpha": 1e-06,
    "device": "cpu",
    "kinds": ["symbolic", "pathwise", "montecarlo", "control"],
    "complete": True,
    "versions": {"mdnn_verify": "0.1.0", "python": "3.11.2", "torch": "2.13.0", "sympy": "1.14.0", "z3": "5.4.0"},
    "started": "2026-11-21T05:00:00+00:00",
    "seconds": 47.3,
    "command": "mdnn-verify run --seed 0 --alpha 1e-06",
    "platform": "Linux x86_64, 2 cores",
}


def document() -> dict[str, Any]:
    """Five theorems: three verified, one refuted, one inconclusive."""
    undecided = check("tail", "symbolic", "INCONCLUSIVE", "all d", "The tail vanishes.", detail="not decided in 60 s")
    skipped = check("formal_step", "symbolic", "SKIPPED", "all d", "A kernel checks it.", detail="Coq is not installed")
    broken = check(
        "quotient",
        "pathwise",
        "ERROR",
        "d = 1",
        "A quotient.",
        detail="ZeroDivisionError: division by zero",
        engine="",
        evidence={"traceback": "Traceback (most recent call last):\n  1 / 0\nZeroDivisionError"},
    )
    false = check(
        "symmetry", "symbolic", "REFUTED", "all f, g", "KL is symmetric.", counterexample="f = N(0, 1), g = N(0, 4)"
    )
    accepted = control(
        "the value is claimed to be 0",
        checks()[2],
        verdict="VERIFIED_WITHIN",
        reason="every check accepted this false neighbour",
    )
    theorems = [
        theorem(
            "flows/coupling_log_det", "The log determinant of a coupling layer is the sum of its log scales", COUPLING
        ),
        theorem(
            "divergences/kl_nonnegative",
            "The Kullback-Leibler divergence is nonnegative",
            NONNEGATIVE,
            checks=[*checks(), false],
            verdict="refuted",
            reason="refuted: symmetry",
            controls=[*controls(), accepted],
        ),
        theorem(
            "divergences/gaussian_kl",
            "The divergence of two Gaussians has a closed form",
            GAUSSIAN,
            uses=["divergences/kl_nonnegative"],
            pictures=[surface()],
        ),
        theorem(
            "games/rps_minimax_unique",
            "Rock-paper-scissors has one minimax solution, the uniform one",
            MINIMAX,
            pictures=[triangle()],
        ),
        theorem(
            "sampling/generalized_inverse",
            "The generalized inverse of any CDF samples from it",
            r"G(u)=\inf\{x\in\mathbb{R}\mid u<F(x)\}\implies P(G(U)\le t)=F(t)",
            uses=["divergences/gaussian_kl", "games/rps_minimax_unique", "flows/not_in_this_run"],
            pictures=[steps()],
            checks=[*checks(), undecided, skipped, broken],
            verdict="inconclusive",
            reason="undecided: tail, formal_step, quotient",
        ),
    ]
    return copy.deepcopy({"schema": 1, "run": RUN, "theorems": theorems})


def hostile_document() -> dict[str, Any]:
    """Every string that a user controls tries to inject markup."""
    made = document()
    first = made["theorems"][0]
    for key in ("title", "source", "doc", "reason"):
        first[key] = HOSTILE
    first["statement"] = r"\text{" + "<script>window.hacked = 1</script>" + "}"
    for key in ("name", "doc", "scope", "detail", "counterexample", "engine"):
        first["checks"][1][key] = HOSTILE
    first["checks"][1]["evidence"] = {HOSTILE: HOSTILE, "parts": [{HOSTILE: HOSTILE}]}
    first["checks"][4]["pictures"][0]["caption"] = HOSTILE
    first["checks"][4]["pictures"][0]["x_label"] = HOSTILE
    first["checks"][4]["pictures"][0]["curves"][0]["label"] = HOSTILE
    first["controls"][0]["name"] = HOSTILE
    made["run"]["command"] = HOSTILE
    made["run"]["versions"][HOSTILE] = HOSTILE
    return made


def large_document() -> dict[str, Any]:
    """Twelve theorems with 60 checks, 60 controls and 72 pictures or more."""
    made = document()
    green = [made["theorems"][i] for i in (0, 2, 3)]
    theorems = []
    for i in range(12):
        one = copy.deepcopy(green[i % 3])
        one["id"] = f"{one['chapter']}/statement_{i}"
        one["controls"] = [copy.deepcopy(control(f"false neighbour {k}", controls()[0]["checks"][2])) for k in range(5)]
        one["pictures"] = [(surface, triangle, steps)[i % 3]()]
        theorems.append(one)
    made["theorems"] = theorems
    return made
