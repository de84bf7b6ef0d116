"""Seed 002, Problem 1(b): more draws give a greater lower bound."""

from __future__ import annotations

import itertools

import sympy as sp

from mdnn_verify.audit import Derivation
from mdnn_verify.derivations._importance import (
    average,
    bound,
    expect_of_draws,
    log,
    ratio,
    worlds_of_draws,
)

WEIGHT = r"\frac{p_\theta(x\mid Z_k)\,p_Z(Z_k)}{q_\phi(Z_k\mid x)}"
CHOSEN = r"\frac{p_\theta(x\mid Z_{i_m})\,p_Z(Z_{i_m})}{q_\phi(Z_{i_m}\mid x)}"
DRAWS = r"\mathbb E_{Z_1,\dots,Z_K\sim q_\phi(z\mid x)}"
SUBSET = r"\mathbb E_{I=\{i_1,\dots,i_M\}}"
BOUND = r"\mathrm{VLB}_{\theta,\phi}^{(K)}(x)"


derivation = Derivation(
    title="The bound grows with the number of draws",
    source="seed 002, Problem 1(b)",
    statement=r"\mathrm{VLB}_{\theta,\phi}^{(K)}(x)\ge\mathrm{VLB}_{\theta,\phi}^{(M)}(x)\quad\text{for }K\ge M",
    worlds=worlds_of_draws(),
)


def over_subsets(K, M, function):
    """The expectation of a function of a uniformly distributed subset I of M out of K indices."""
    subsets = list(itertools.combinations(range(K), M))
    return sum((function(I) for I in subsets), sp.Integer(0)) / len(subsets)


def log_of_chosen(p_z, p_x, q, zs, I):
    """log of the mean weight of the draws whose indices are in I."""
    return log(average(ratio(p_z, p_x, q), tuple(zs[i] for i in I)))


@derivation.line(rf"{BOUND}={DRAWS}\left[\log\frac1K\sum_{{k=1}}^K{WEIGHT}\right]")
def bound_to_be_compared(p_z, p_x, q, K):
    return expect_of_draws(q, K, lambda zs: log(average(ratio(p_z, p_x, q), zs)))


@derivation.line(
    rf"\ge{DRAWS}\left[{SUBSET}\left[\log\frac1M\sum_{{m=1}}^M{CHOSEN}\right]\right]",
    ">=",
    note="by the hint and Jensen's inequality for the concave logarithm",
)
def subset_within(p_z, p_x, q, K, M):
    return expect_of_draws(q, K, lambda zs: over_subsets(K, M, lambda I: log_of_chosen(p_z, p_x, q, zs, I)))


@derivation.line(rf"={SUBSET}\left[{DRAWS}\left[\log\frac1M\sum_{{m=1}}^M{CHOSEN}\right]\right]", "=")
def expectations_exchanged(p_z, p_x, q, K, M):
    return over_subsets(K, M, lambda I: expect_of_draws(q, K, lambda zs: log_of_chosen(p_z, p_x, q, zs, I)))


@derivation.line(rf"={SUBSET}\left[\mathrm{{VLB}}_{{\theta,\phi}}^{{(M)}}(x)\right]", "=")
def expected_bound_with_m_draws(p_z, p_x, q, K, M):
    return over_subsets(K, M, lambda I: bound(p_z, p_x, q, len(I)))


@derivation.line(r"=\mathrm{VLB}_{\theta,\phi}^{(M)}(x)", "=")
def bound_with_m_draws(p_z, p_x, q, M):
    return bound(p_z, p_x, q, M)
