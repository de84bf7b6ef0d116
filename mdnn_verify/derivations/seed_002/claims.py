"""Seed 002, Problems 1 and 2: what the statements, the hint, the remark and the words between the formulas claim."""

from __future__ import annotations

import itertools

import sympy as sp

from mdnn_verify.audit import Derivation, Normal, World
from mdnn_verify.derivations._importance import bound, evidence, log, masses, ratio, worlds_of_draws

VLB = r"\mathrm{VLB}_{\theta,\phi}"

bounds = Derivation(title="The bounds as they are stated", source="seed 002, Problem 1", worlds=worlds_of_draws())


@bounds.line(r"\log(p_\theta(x))")
def log_evidence(p_z, p_x):
    return log(evidence(p_z, p_x))


@bounds.line(
    rf"\ge{VLB}(x)=\mathbb E_{{Z\sim q(z\mid x)}}"
    r"\left[\log\left(\frac{p_\theta(x\mid Z)\,p_Z(Z)}{q_\phi(Z\mid x)}\right)\right]",
    ">=",
    note=r"$q$ under the expectation is read as $q_\phi$. $p_\theta(z\mid x)$, which is explained, does not occur",
)
def standard_bound(p_z, p_x, q):
    return sum((mass * log(ratio(p_z, p_x, q)(z)) for z, mass in q.items() if mass != 0), sp.Integer(0))


@bounds.line(rf"{VLB}^{{(1)}}={VLB}", "=", reason="IWAE with $K=1$ coincides with the standard VAE")
def one_draw(p_z, p_x, q):
    return bound(p_z, p_x, q, 1)


@bounds.line(rf"\log p_\theta(x)\ge{VLB}^{{(K)}}(x)", ">=", against="log_evidence")
def statement_a(p_z, p_x, q, K):
    return bound(p_z, p_x, q, K)


@bounds.line(rf"K\ge M\Rightarrow{VLB}^{{(K)}}(x)\ge{VLB}^{{(M)}}(x)", ">=")
def statement_b(p_z, p_x, q, M):
    return bound(p_z, p_x, q, M)


@bounds.line(
    rf"{VLB}^{{(K)}}(x)\ge{VLB}(x)",
    ">=",
    against="statement_a",
    reason=rf"${VLB}^{{(K)}}$ provides a tighter approximation of the log likelihood than ${VLB}$",
    note="tighter or, for instance where q is the true posterior, equally tight",
)
def tighter(p_z, p_x, q):
    return bound(p_z, p_x, q, 1)


# --- the hint ---------------------------------------------------------------------------------------------------------


def sequences() -> tuple[World, ...]:
    """a: a sequence of K numbers, or of symbols; M <= K."""
    counts = [(K, M) for K in range(1, 5) for M in range(1, K + 1)]
    numbers = sp.sympify((3, -1, "1/2", 7))
    symbols = sp.symbols("a1:5", real=True)
    concrete = [World({"a": numbers[:K], "M": M}) for K, M in counts]
    return (*concrete, *(World({"a": symbols[:K], "M": M}, True, f"all a for K = {K}, M = {M}") for K, M in counts))


hint = Derivation(title="The mean over a random subset", source="seed 002, Problem 1, hint", worlds=sequences())


@hint.line(r"\mathbb E_{I=\{i_1,\dots,i_M\}}\left[\frac{a_{i_1}+\dots+a_{i_M}}M\right]")
def mean_over_subsets(a, M):
    subsets = list(itertools.combinations(a, M))
    return sum(sum(chosen) / sp.Integer(M) for chosen in subsets) / len(subsets)


@hint.line(r"=\frac{a_1+\dots+a_K}K", "=")
def mean_of_all(a):
    return sum(a) / sp.Integer(len(a))


# --- Problem 2: the model ---------------------------------------------------------------------------------------------

HALF = sp.Rational(1, 2)
prior = Derivation(
    title="The law of an observation under a trainable prior",
    source="seed 002, Problem 2",
    worlds=[
        World({"r": masses("1/2", "1/2"), "r_changed": masses("1/2", "1/2"), "p_x": masses("1/2", "1/4")}),
        World({"r": masses("1", "0"), "r_changed": masses("0", "1"), "p_x": masses("1/2", "1/4")}),
    ],
)


@prior.line(r"p_\theta(X_i)\quad\text{if }Z\sim r_\lambda(z)")
def evidence_under_one_prior(r, p_x):
    return evidence(r, p_x)


@prior.line(
    r"=p_\theta(X_i)\quad\text{if }Z\sim r_{\lambda'}(z)",
    "=",
    reason=r"written $p_\theta(X_i)$",
    needs=("lambda' is lambda", lambda r, r_changed: r == r_changed),
    note=r"the notation says that the law of $X_i$ depends on $\theta$ only; $\lambda$, which is trained, matters, too",
)
def evidence_under_another_prior(r_changed, p_x):
    return evidence(r_changed, p_x)


@prior.correct(
    "evidence_under_another_prior",
    r"p_{\theta,\lambda}(X_i)\text{ for }p_\theta(X_i)\quad\text{(it may change with }\lambda)",
)
def evidence_with_its_prior(r, p_x):
    return evidence(r, p_x)


variances = Derivation(
    title="The variances of a normal prior",
    source="seed 002, Problem 2(c)",
    worlds=[World({"lambda2": sp.Matrix(v)}) for v in ([1], [-1], [0], [2, HALF], [1, -1], [3, 1, 2])],
)


@variances.claim(
    r"r_\lambda=\mathcal N(\lambda_1,\operatorname{diag}(\lambda_2)),\quad\lambda_1,\lambda_2\in\mathbb R^k",
    needs=("the entries of lambda2 are positive", lambda lambda2: all(entry > 0 for entry in lambda2)),
    note=r"a law with a density is meant: $[\operatorname{diag}(\lambda_2)]^{-1}$ is formed",
)
def variances_in_all_of_space(lambda2):
    return sp.diag(*lambda2).is_positive_definite


@variances.correct(
    "variances_in_all_of_space",
    r"r_\lambda=\mathcal N(\lambda_1,\operatorname{diag}(\lambda_2)),\quad"
    r"\lambda_1\in\mathbb R^k,\ \lambda_2\in(0,\infty)^k",
)
def positive_variances(lambda2):
    return sp.diag(*lambda2).is_positive_definite or not all(entry > 0 for entry in lambda2)


# --- Problem 2(c): which gradients can be taken within the expectation ------------------------------------------------

Z = sp.symbols("z0 z1", real=True)
MEAN = sp.symbols("m0 m1", real=True)
ROOT = sp.symbols("s0 s1", positive=True)


def smooth_losses() -> tuple[World, ...]:
    """X and f, not constant, in k dimensions; mean and standard deviations of q are symbols."""
    x, y = Z
    cases = [
        ([0], [x], 1),
        ([1], [2 * x + 1], 1),
        ([1, 2], [x, x**2], 1),
        ([1], [x * y + y], 2),
        ([0, 1], [x - y, x * y], 2),
    ]
    shown = [f"X = {tuple(X)}, f(z) = {tuple(f)}, all means and standard deviations" for X, f, _ in cases]
    return tuple(
        World({"X": sp.Matrix(X), "f": sp.Matrix(f), "k": k}, generic=True, label=label)
        for (X, f, k), label in zip(cases, shown, strict=True)
    )


gradients = Derivation(
    title="The gradient of the likelihood term in phi", source="seed 002, Problem 2(c)", worlds=smooth_losses()
)
INNER = r"\left\|X_i-f_\theta\left(\mu_\phi(X_i)+\Sigma_\phi^{1/2}(X_i)\varepsilon\right)\right\|^2"


def loss(X, f, z):
    """|X - f(z)|^2."""
    error = X - f.subs(dict(zip(Z, z, strict=False)), simultaneous=True)
    return error.dot(error)


def sample(k, noise):
    """mu + Sigma^(1/2) epsilon."""
    return sp.Matrix(MEAN[:k]) + sp.diag(*ROOT[:k]) * noise


def slopes(expr, k):
    """The derivatives by the means and standard deviations, as a column."""
    return sp.Matrix([sp.expand(sp.diff(expr, parameter)) for parameter in (*MEAN[:k], *ROOT[:k])])


@gradients.claim(
    r"\nabla_\phi\mathbb E_{Z\sim\mathcal N(\mu_\phi,\Sigma_\phi)}\|X_i-f_\theta(Z)\|^2"
    r"\ne\mathbb E_Z\left[\nabla_\phi\|X_i-f_\theta(Z)\|^2\right]",
    reason='"gradient of inside of expectation is not able to calculated directly"',
    note=r"read as the gradient in $\phi$, on which the law of Z depends; the one in $\theta$ goes straight inside",
)
def not_within_the_expectation(X, f, k):
    covariance = sp.diag(*[root**2 for root in ROOT[:k]])
    outside = slopes(Normal(sp.Matrix(MEAN[:k]), covariance).expect(lambda z: loss(X, f, z)), k)
    inside = slopes(loss(X, f, Z[:k]), k)  # the points do not depend on phi
    return outside != inside


@gradients.line(rf"\nabla_\phi\mathbb E_{{\varepsilon\sim\mathcal N(0,I)}}{INNER}")
def gradient_of_reparameterised(X, f, k):
    standard = Normal(sp.zeros(k, 1), sp.eye(k))
    return slopes(standard.expect(lambda noise: loss(X, f, sample(k, noise))), k)


@gradients.line(
    rf"=\mathbb E_{{\varepsilon\sim\mathcal N(0,I)}}\left[\nabla_\phi{INNER}\right]",
    "=",
    reason="after sampling, the gradient can be calculated directly",
)
def gradient_after_sampling(X, f, k):
    standard = Normal(sp.zeros(k, 1), sp.eye(k))
    return standard.expect(lambda noise: slopes(loss(X, f, sample(k, noise)), k)).applyfunc(sp.expand)
