"""Seed 001, Problem 6: maximising a lower bound that is tight."""

from __future__ import annotations

from mdnn_verify.audit import Derivation
from mdnn_verify.derivations._tables import (
    Naturals,
    argmax,
    argmax_pairs,
    at,
    infimum,
    supremum,
    supremum_of_pairs,
    tables,
    without_maximum,
)

derivation = Derivation(
    title="Maximising a lower bound that is tight",
    source="seed 001, Problem 6",
    statement=r"\operatorname{argmax}f=\{\theta\mid(\theta,\phi)\in\operatorname{argmax}g\}",
    worlds=(*tables(), *without_maximum()),
)


def some(Theta):
    """The members of a finite set; of the naturals, the first twenty."""
    return range(1, 21) if isinstance(Theta, Naturals) else Theta


@derivation.claim(
    r"\text{for each }\theta,\ \phi_\theta\in\Phi\text{ is the value of }\phi\text{ that makes }h(\theta,\phi)=0",
    note=r"There may be several such $\phi$; $\phi_\theta$ is read as one of them.",
)
def phi_theta_exists(Theta, Phi, h):
    return all(any(at(h, theta, phi) == 0 for phi in Phi) for theta in some(Theta))


@derivation.line(r"\sup_{\theta,\phi}g(\theta,\phi)")
def supremum_over_pairs(Theta, Phi, g):
    return supremum_of_pairs(g, Theta, Phi)


@derivation.line(r"=\sup_\theta\left(\sup_\phi g(\theta,\phi)\right)", "=")
def iterated_supremum(Theta, Phi, g):
    return supremum(lambda theta: supremum(lambda phi: at(g, theta, phi), Phi), Theta)


@derivation.line(r"=\sup_\theta\left(\sup_\phi\left(f(\theta)-h(\theta,\phi)\right)\right)", "=")
def decomposition_inserted(Theta, Phi, f, h):
    return supremum(lambda theta: supremum(lambda phi: at(f, theta) - at(h, theta, phi), Phi), Theta)


@derivation.line(r"=\sup_\theta\left(f(\theta)-\inf_\phi h(\theta,\phi)\right)", "=")
def infimum_of_the_gap(Theta, Phi, f, h):
    return supremum(lambda theta: at(f, theta) - infimum(lambda phi: at(h, theta, phi), Phi), Theta)


@derivation.line(r"=\sup_\theta f(\theta)", "=", reason=r"$\inf_\phi h(\theta,\phi)=0$")
def supremum_of_f(Theta, f):
    return supremum(lambda theta: at(f, theta), Theta)


@derivation.claim(
    r"\inf_\phi h(\theta,\phi)=0,\text{ more precisely }\min_\phi h(\theta,\phi)=0\text{ when }\phi=\phi_\theta"
)
def minimum_is_zero(Theta, Phi, h):
    rows = [[at(h, theta, phi) for phi in Phi] for theta in some(Theta)]
    return all(min(row) == 0 and 0 in row for row in rows)


@derivation.line(r"\operatorname{argmax}f")
def argmax_of_f(Theta, f):
    return argmax(lambda theta: at(f, theta), Theta)


@derivation.line(
    r"=\{\theta\mid(\theta,\phi)\in\operatorname{argmax}g\}",
    "=",
    reason="therefore",
    note=r"Equal suprema alone would not carry this; with $f=g+h$, $h\ge 0$ and $h(\theta,\phi_\theta)=0$, which are "
    r"at hand, it follows: $g(\theta,\phi)=\sup g$ gives $f(\theta)\ge\sup f$, and $f(\theta)=\sup f$ gives "
    r"$g(\theta,\phi_\theta)=\sup g$. It also holds where there is no maximiser: then both sets are empty.",
)
def projection_of_argmax_g(Theta, Phi, g):
    return frozenset(theta for theta, _ in argmax_pairs(g, Theta, Phi))
