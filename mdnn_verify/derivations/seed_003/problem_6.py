"""Seed 003, Problem 6: maximising a lower bound that is tight."""

from __future__ import annotations

from mdnn_verify.audit import Derivation
from mdnn_verify.derivations._tables import (
    argmax,
    argmax_pairs,
    at,
    maximum,
    maximum_of_pairs,
    supremum,
    supremum_of_pairs,
    tables,
    without_maximum,
)

exchange = Derivation(
    title="A maximum over pairs, one after the other",
    source="seed 003, Problem 6",
    statement=r"\max_{\theta,\phi}g(\theta,\phi)=\max_\theta\bigl(\max_\phi g(\theta,\phi)\bigr)",
    worlds=tables(),
)
derivation = Derivation(
    title="Maximising a lower bound that is tight",
    source="seed 003, Problem 6",
    statement=r"\operatorname{argmax}f=\{\theta\mid(\theta,\phi)\in\operatorname{argmax}g\}",
    worlds=tables(),
)
MEMBERS = r"$\phi$ is read as: for some $\phi\in\Phi$."


def iterated(Theta, Phi, g):
    """max over theta of max over phi."""
    return maximum(lambda theta: maximum(lambda phi: at(g, theta, phi), Phi), Theta)


def star(Theta, Phi, g):
    """One pair (theta*, phi*) at which g is largest."""
    return min(argmax_pairs(g, Theta, Phi))


def best_reply(theta, Phi, g):
    """One maximiser of g(theta, .)."""
    return min(argmax(lambda phi: at(g, theta, phi), Phi))


@exchange.claim(
    r"\max_{\theta,\phi}g(\theta,\phi)=\max_\theta(\max_\phi g(\theta,\phi))",
    needs=("g has a maximum", lambda Theta, Phi, g: maximum_of_pairs(g, Theta, Phi) is not None),
    worlds=without_maximum(),
    note="The problem does not say that a maximum exists, and the hint's suprema do not need it; without one, both "
    "sides of the statement are empty sets. The lines below are read with this hypothesis.",
)
def the_property(Theta, Phi, g):
    together, apart = maximum_of_pairs(g, Theta, Phi), iterated(Theta, Phi, g)
    return together is not None and apart is not None and bool(together == apart)


@exchange.correct("the_property", r"\sup_{\theta,\phi}g(\theta,\phi)=\sup_\theta(\sup_\phi g(\theta,\phi))")
def the_property_of_suprema(Theta, Phi, g):
    apart = supremum(lambda theta: supremum(lambda phi: at(g, theta, phi), Phi), Theta)
    return bool(supremum_of_pairs(g, Theta, Phi) == apart)


@exchange.claim(r"M_1=g(\theta^*,\phi^*)\text{ where }\theta^*\in\Theta,\ \phi^*\in\Phi")
def a_maximiser_exists(Theta, Phi, g):
    largest = maximum_of_pairs(g, Theta, Phi)
    return any(at(g, theta, phi) == largest for theta in Theta for phi in Phi)


@exchange.claim(r"\text{for fixed }\theta\in\Theta,\ g(\theta,\phi^*)\le\max_\phi g(\theta,\phi)")
def at_most_the_row(Theta, Phi, g):
    phi_star = star(Theta, Phi, g)[1]
    return all(at(g, theta, phi_star) <= maximum(lambda phi, a=theta: at(g, a, phi), Phi) for theta in Theta)


@exchange.line(r"M_1")
def m_1(Theta, Phi, g):
    return maximum_of_pairs(g, Theta, Phi)


@exchange.line(r"=g(\theta^*,\phi^*)", "=")
def value_at_the_maximiser(Theta, Phi, g):
    return at(g, *star(Theta, Phi, g))


@exchange.line(r"\le\max_\phi g(\theta^*,\phi)", "<=")
def largest_of_its_row(Theta, Phi, g):
    theta_star = star(Theta, Phi, g)[0]
    return maximum(lambda phi: at(g, theta_star, phi), Phi)


@exchange.line(r"\le\max_\theta(\max_\phi g(\theta,\phi))", "<=")
def largest_of_all_rows(Theta, Phi, g):
    return iterated(Theta, Phi, g)


@exchange.line(r"=M_2", "=")
def m_2(Theta, Phi, g):
    return iterated(Theta, Phi, g)


@exchange.line(r"M_1=\max_{\theta,\phi}g(\theta,\phi)")
def m_1_again(Theta, Phi, g):
    return maximum_of_pairs(g, Theta, Phi)


@exchange.line(
    r"\ge\max_\theta g(\theta,\phi^*)\quad\text{with }\phi^*=\arg\max_\phi g(\theta,\phi)",
    ">=",
    note=r"$\phi^*$ depends on $\theta$ here and is another than above: read as $\phi^*(\theta)$, one of the "
    r"maximisers.",
)
def largest_with_the_best_reply(Theta, Phi, g):
    return maximum(lambda theta: at(g, theta, best_reply(theta, Phi, g)), Theta)


@exchange.line(r"=\max_\theta(\max_\phi g(\theta,\phi))", "=")
def iterated_maximum(Theta, Phi, g):
    return iterated(Theta, Phi, g)


@exchange.line(r"M_1")
def m_1_to_conclude(Theta, Phi, g):
    return maximum_of_pairs(g, Theta, Phi)


@exchange.line(r"=M_2", "=", reason="both inequalities")
def m_2_concluded(Theta, Phi, g):
    return iterated(Theta, Phi, g)


@derivation.line(
    r"\max_{\theta,\phi}g(\theta,\phi)", note="The maxima are taken to exist; see the property that is used."
)
def maximum_over_pairs(Theta, Phi, g):
    return maximum_of_pairs(g, Theta, Phi)


@derivation.line(r"=\max_\theta(\max_\phi g(\theta,\phi))", "=", reason="the property proved above")
def property_used(Theta, Phi, g):
    return iterated(Theta, Phi, g)


@derivation.line(
    r"=\max_\theta(\max_\phi f(\theta)-h(\theta,\phi))",
    "=",
    note=r"Read as $\max_\phi\bigl(f(\theta)-h(\theta,\phi)\bigr)$.",
)
def decomposition_inserted(Theta, Phi, f, h):
    return maximum(lambda theta: maximum(lambda phi: at(f, theta) - at(h, theta, phi), Phi), Theta)


@derivation.line(r"=\max_\theta(f(\theta)-\min_\phi h(\theta,\phi))", "=")
def minimum_of_the_gap(Theta, Phi, f, h):
    return maximum(lambda theta: at(f, theta) - min(at(h, theta, phi) for phi in Phi), Theta)


@derivation.line(r"=\max_\theta f(\theta)", "=")
def maximum_of_f(Theta, f):
    return maximum(lambda theta: at(f, theta), Theta)


@derivation.line(r"\left\{\theta\mid(\theta,\phi)\in\arg\max_{\theta,\phi}g(\theta,\phi)\right\}", note=MEMBERS)
def projection(Theta, Phi, g):
    return frozenset(theta for theta, _ in argmax_pairs(g, Theta, Phi))


@derivation.line(r"=\left\{\theta\mid g(\theta,\phi)=\max_{\theta,\phi}g(\theta,\phi)\right\}", "=", note=MEMBERS)
def where_g_is_largest(Theta, Phi, g):
    largest = maximum_of_pairs(g, Theta, Phi)
    return frozenset(theta for theta in Theta if any(at(g, theta, phi) == largest for phi in Phi))


@derivation.line(
    r"=\left\{\theta\mid g(\theta,\phi)=\max_\theta f(\theta)\text{ with }h(\theta,\phi)=0\right\}", "=", note=MEMBERS
)
def where_g_reaches_f(Theta, Phi, f, g, h):
    largest = maximum(lambda theta: at(f, theta), Theta)
    return frozenset(a for a in Theta if any(at(g, a, b) == largest and at(h, a, b) == 0 for b in Phi))


@derivation.line(
    r"=\left\{\theta\mid f(\theta,\phi)=\max_\theta f(\theta)\right\}",
    "=",
    note=r"$f(\theta,\phi)$ is read as $f(\theta)$ here; that $f$ has one argument is held against the line below.",
)
def where_f_is_largest(Theta, f):
    largest = maximum(lambda theta: at(f, theta), Theta)
    return frozenset(theta for theta in Theta if at(f, theta) == largest)


@derivation.line(r"=\arg\max_\theta f", "=")
def argmax_of_f(Theta, f):
    return argmax(lambda theta: at(f, theta), Theta)


@derivation.claim(
    r"f(\theta,\phi)=\max_\theta f(\theta):\quad f\text{ has a value at }(\theta,\phi)",
    note=r"$f$ is a function of $\theta$ alone: $f(\theta)$ is meant.",
)
def f_takes_two_arguments(Theta, Phi, f):
    return all((theta, phi) in f for theta in Theta for phi in Phi)


@derivation.correct("f_takes_two_arguments", r"f(\theta)=\max_\theta f(\theta):\quad f\text{ has a value at }\theta")
def f_takes_one_argument(Theta, f):
    return all(theta in f for theta in Theta)
