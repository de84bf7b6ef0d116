"""Seed 002, Problem 1(c): the bound is tight at the true posterior; one posterior is not yet one for all data."""

from __future__ import annotations

import sympy as sp

from mdnn_verify.audit import Derivation, World
from mdnn_verify.derivations._importance import (
    average,
    best_bound,
    best_likelihood,
    evidence,
    expect_of_draws,
    families,
    log,
    one_for_all,
    posterior,
    ratio,
    trios,
)


def exact_posteriors() -> tuple[World, ...]:
    """q is the true posterior; one generic world has any prior and likelihood on two values of z."""
    worlds = [World({"p_z": p, "p_x": x, "q": posterior(p, x), "K": K}) for K in (1, 2, 3) for p, x, _ in trios()]
    a, b, u, v = sp.symbols("a b u v", positive=True)
    p, x = {0: a / (a + b), 1: b / (a + b)}, {0: u, 1: v}
    label = "two values of z, two draws, all positive priors and likelihoods"
    return (*worlds, World({"p_z": p, "p_x": x, "q": posterior(p, x), "K": 2}, generic=True, label=label))


part_c = Derivation(
    title="With the true posterior the bound is the log-likelihood",
    source="seed 002, Problem 1(c)",
    statement=r"\mathrm{VLB}_{\theta,\phi^\star}^{(K)}(x)=\log p_\theta(x)",
    worlds=exact_posteriors(),
)
STAR = r"\mathbb E_{Z_1,\dots,Z_K\sim q_{\phi^\star}(z\mid x)}"


@part_c.claim(
    r"q_{\phi^\star}(Z_k\mid x)=p_\theta(Z_k\mid x)\quad\text{for }k=1,\dots,K",
    reason="the approximate posterior can exactly represent the true posterior",
    note=r"the equality at the draws is read as one that holds almost surely when the $Z_k$ are drawn from "
    r"$q_{\phi^\star}$; then it holds for all z, as both sides sum to 1. $\phi^\star$ depends on x and on $\theta$",
)
def equal_at_the_draws(p_z, p_x, q):
    true = posterior(p_z, p_x)
    return all(sp.simplify(q[z] - true[z]) == 0 for z in q if q[z] != 0)


@part_c.line(
    r"\mathrm{VLB}_{\theta,\phi^\star}^{(K)}(x)"
    rf"={STAR}\left[\log\frac1K\sum_{{k=1}}^K"
    rf"\frac{{p_\theta(x\mid Z_k)\,p_Z(Z_k)}}{{q_{{\phi^\star}}(Z_k\mid x)}}\right]"
)
def bound_at_the_posterior(p_z, p_x, q, K):
    return expect_of_draws(q, K, lambda zs: log(average(ratio(p_z, p_x, q), zs)))


@part_c.line(
    rf"={STAR}\left[\log\frac1K\sum_{{k=1}}^K\frac{{p_\theta(x\mid Z_k)\,p_Z(Z_k)}}{{p_\theta(Z_k\mid x)}}\right]", "="
)
def true_posterior_inserted(p_z, p_x, q, K):
    return expect_of_draws(q, K, lambda zs: log(average(ratio(p_z, p_x, posterior(p_z, p_x)), zs)))


@part_c.line(rf"={STAR}\left[\log\frac1K\sum_{{k=1}}^K p_\theta(x)\right]", "=")
def bayes(p_z, p_x, q, K):
    return expect_of_draws(q, K, lambda zs: log(average(lambda _: evidence(p_z, p_x), zs)))


@part_c.line(r"=\log p_\theta(x)", "=")
def log_likelihood(p_z, p_x):
    return log(evidence(p_z, p_x))


# what was to be shown: a sum over data, one phi for all of them


part_c_for_data = Derivation(
    title="Maximising the bound instead of the likelihood of all data",
    source="seed 002, Problem 1(c)",
    statement=r"\max_{\theta}\sum_i\log p_\theta(X_i)=\max_{\theta,\phi}\sum_i\mathrm{VLB}_{\theta,\phi}^{(K)}(X_i)",
    worlds=families(),
)


@part_c_for_data.line(r"\underset{\theta\in\Theta}{\text{maximize}}\ \sum_{i=1}^N\log p_\theta(X_i)")
def greatest_likelihood(models):
    return best_likelihood(models)


@part_c_for_data.line(
    r"=\underset{\theta\in\Theta,\phi\in\Phi}{\text{maximize}}\ \sum_{i=1}^N\mathrm{VLB}_{\theta,\phi}^{(K)}(X_i)",
    "=",
    reason=r"there exists a $\phi^\star$ such that $q_{\phi^\star}(Z_k\mid x)=p_\theta(Z_k\mid x)$",
    needs=("one phi gives the true posteriors of all X_i at once, for a maximising theta", one_for_all),
    note=r"this is what was to be shown; the printed solution ends at one x, on which its $\phi^\star$ depends",
)
def greatest_bound(models, encoders, K):
    return best_bound(models, encoders, K)


@part_c_for_data.correct(
    "greatest_bound",
    r"\ge\underset{\theta\in\Theta,\phi\in\Phi}{\text{maximize}}\ "
    r"\sum_{i=1}^N\mathrm{VLB}_{\theta,\phi}^{(K)}(X_i),"
    r"\quad\text{with equality if some }\phi\text{ gives }q_\phi(z\mid X_i)=p_\theta(z\mid X_i)"
    r"\text{ for all }i=1,\dots,N\text{ and a maximising }\theta",
    ">=",
)
def at_most_the_likelihood(models, encoders, K):
    return best_bound(models, encoders, K)
