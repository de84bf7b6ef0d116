"""Seed 002, Problem 2(b): the gradient by the log-derivative trick, with masses of q_phi smooth in phi = (u, v)."""

from __future__ import annotations

import sympy as sp

from mdnn_verify.audit import Derivation, Finite, World

RATIO = r"\frac{p_\theta(X_i\mid Z)\,r_\lambda(Z)}{q_\phi(Z\mid X_i)}"
Q = r"\mathbb E_{Z\sim q_\phi(z\mid X_i)}"


PHI = sp.symbols("u v", real=True)


def smooth_families() -> tuple[World, ...]:
    """``family``: the masses of q_phi by z, expressions in u and v; ``joint``: p(X_i | z) r(z); ``phi``: (u, v)."""
    u, v = PHI
    odds = {0: 1, 1: sp.exp(u)}
    three = {0: sp.exp(u), 1: sp.exp(v), 2: sp.exp(2 * u - v)}
    rational = {0: 1 + u**2, 1: 2, 2: 1 + v**4}
    families = [{z: w / sum(f.values()) for z, w in f.items()} for f in (odds, three, rational)]
    joints = [{0: sp.Rational(1, 4), 1: sp.Rational(1, 8), 2: sp.Rational(1, 3)}, {0: sp.Rational(1, 2), 1: 1, 2: 2}]
    points = [(0, 0), (1, 0), (1, -2), (sp.Rational(1, 2), 3)]
    worlds = [World({"family": f, "joint": j, "phi": p}) for f in families for j in joints for p in points]
    symbols = sp.symbols("j0:3", positive=True)
    label = "q with masses 1/(1 + exp u), exp u/(1 + exp u), all u and all positive p(X_i, z)"
    every = {"family": families[0], "joint": dict(enumerate(symbols)), "phi": PHI}
    return (*worlds, World(every, generic=True, label=label))


derivation = Derivation(
    title="The gradient of the bound in phi by the log-derivative trick",
    source="seed 002, Problem 2(b)",
    statement=r"\nabla_\phi\mathrm{VLB}_{\theta,\phi,\lambda}(X_i)=\mathbb E_{Z\sim q_\phi(z\mid X_i)}\left["
    rf"\left(\nabla_\phi\log q_\phi(Z\mid X_i)\right)\log\left({RATIO}\right)\right]",
    worlds=smooth_families(),
)


def at(value, phi):
    """A value in u and v, as a column, at the point phi."""
    return sp.Matrix(value).subs(dict(zip(PHI, phi, strict=True)), simultaneous=True)


def gradient(expr):
    return [sp.diff(expr, parameter) for parameter in PHI]


@derivation.line(rf"\nabla_\phi{Q}\left[\log\left({RATIO}\right)\right]")
def gradient_of_the_expectation(family, joint, phi):
    return at(gradient(Finite(family).expect(lambda z: sp.log(joint[z] / family[z]))), phi)


@derivation.line(
    r"=\nabla_\phi\int\log\left(\frac{p_\theta(X_i\mid z)\,r_\lambda(z)}{q_\phi(z\mid X_i)}\right)"
    r"q_\phi(z\mid X_i)\,dz",
    "=",
)
def gradient_of_the_integral(family, joint, phi):
    return at(gradient(sum(sp.log(joint[z] / mass) * mass for z, mass in family.items())), phi)


@derivation.line(
    rf"={Q}\left[\left(\nabla_\phi\log q_\phi(Z\mid X_i)\right)\log\left({RATIO}\right)\right]",
    "=",
    reason="log-derivative trick (details are in problem 1 of HW 10)",
    note=r"the logarithm depends on $\phi$, too; its part $-\mathbb E[\nabla_\phi\log q_\phi(Z\mid X_i)]$ is 0 and may "
    r"be dropped. That differentiation goes under the integral ($q_\phi$ smooth in $\phi$, on a support that does not "
    r"move) is left to the problem referred to. The gradients in $\theta$ and $\lambda$, which go straight under the "
    "expectation, are not given",
)
def expected_score(family, joint, phi):
    score = {z: sp.Matrix(gradient(sp.log(mass))) for z, mass in family.items()}
    return at(sum((family[z] * score[z] * sp.log(joint[z] / family[z]) for z in family), sp.zeros(2, 1)), phi)
