"""Seed 002, Problem 2(a): the lower bound with a trainable prior (p_z: masses of r_lambda, p_x: p_theta(X_i | z))."""

from __future__ import annotations

from mdnn_verify.audit import Derivation, Finite
from mdnn_verify.derivations._importance import evidence, log, overlook_nothing, ratio, worlds_of_draws

RATIO = r"\frac{p_\theta(X_i\mid Z)\,r_\lambda(Z)}{q_\phi(Z\mid X_i)}"
Q = r"\mathbb E_{Z\sim q_\phi(z\mid X_i)}"
BOUND = r"\mathrm{VLB}_{\theta,\phi,\lambda}(X_i)"


derivation = Derivation(
    title="The bound with a trainable prior",
    source="seed 002, Problem 2(a)",
    statement=r"\log p_\theta(X_i)\ge\mathrm{VLB}_{\theta,\phi,\lambda}(X_i)",
    worlds=worlds_of_draws(most=1),
)


@derivation.line(
    rf"{BOUND}={Q}\left[\log\left({RATIO}\right)\right]",
    note=r"$p_\theta(X_i)$ depends on $\lambda$, too: the law of $X_i$ is that of the pair $(\theta,\lambda)$",
)
def bound_with_prior(p_z, p_x, q):
    return Finite(q).expect(lambda z: log(ratio(p_z, p_x, q)(z)))


@derivation.line(rf"\le\log\left({Q}\left[{RATIO}\right]\right)", "<=", reason="Jensen's inequality")
def jensen_with_prior(p_z, p_x, q):
    return log(Finite(q).expect(ratio(p_z, p_x, q)))


@derivation.line(
    r"=\log p_\theta(X_i)",
    "=",
    needs=("q(z | X_i) > 0 wherever p(X_i | z) r(z) > 0", overlook_nothing),
    note="the expectation under q sums p(X_i, z) only over those z that q can draw; the inequality (a) "
    "that is shown stands",
)
def evidence_with_prior(p_z, p_x):
    return log(evidence(p_z, p_x))


@derivation.correct("evidence_with_prior", r"\le\log p_{\theta,\lambda}(X_i)", "<=")
def at_most_the_evidence_with_prior(p_z, p_x):
    return log(evidence(p_z, p_x))
