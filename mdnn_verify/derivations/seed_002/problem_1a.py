"""Seed 002, Problem 1(a): the lower bound with K importance-weighted draws."""

from __future__ import annotations

from mdnn_verify.audit import Derivation
from mdnn_verify.derivations._importance import (
    average,
    evidence,
    expect_of_draws,
    log,
    overlook_nothing,
    ratio,
    worlds_of_draws,
)

WEIGHT = r"\frac{p_\theta(x\mid Z_k)\,p_Z(Z_k)}{q_\phi(Z_k\mid x)}"
DRAWS = r"\mathbb E_{Z_1,\dots,Z_K\sim q_\phi(z\mid x)}"
BOUND = r"\mathrm{VLB}_{\theta,\phi}^{(K)}(x)"


derivation = Derivation(
    title="The bound with K draws lies below the log-likelihood",
    source="seed 002, Problem 1(a)",
    statement=r"\log p_\theta(x)\ge\mathrm{VLB}_{\theta,\phi}^{(K)}(x)",
    worlds=worlds_of_draws(),
)


@derivation.line(rf"{BOUND}={DRAWS}\left[\log\frac1K\sum_{{k=1}}^K{WEIGHT}\right]")
def bound_with_k_draws(p_z, p_x, q, K):
    return expect_of_draws(q, K, lambda zs: log(average(ratio(p_z, p_x, q), zs)))


@derivation.line(rf"\le\log{DRAWS}\left[\frac1K\sum_{{k=1}}^K{WEIGHT}\right]", "<=", reason="Jensen's inequality")
def jensen(p_z, p_x, q, K):
    return log(expect_of_draws(q, K, lambda zs: average(ratio(p_z, p_x, q), zs)))


@derivation.line(
    r"=\log p_\theta(x)",
    "=",
    needs=("q(z | x) > 0 wherever p(x | z) p(z) > 0", overlook_nothing),
    note="the expectation under q sums p(x, z) only over those z that q can draw, so in general it is at most p(x); "
    "the inequality (a) that is shown stands",
)
def evidence_reached(p_z, p_x):
    return log(evidence(p_z, p_x))


@derivation.correct(
    "evidence_reached",
    r"\le\log p_\theta(x),\quad\text{with equality if }q_\phi(z\mid x)>0\text{ wherever }p_\theta(x\mid z)p_Z(z)>0",
    "<=",
)
def at_most_the_evidence(p_z, p_x):
    return log(evidence(p_z, p_x))
