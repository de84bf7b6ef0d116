"""Seed 004, Problems 4 and 5: inverses of distribution functions, and f-divergences."""

from __future__ import annotations

import sympy as sp

from mdnn_verify.audit import Derivation, World
from mdnn_verify.derivations._cdfs import increasing_worlds, mixed_worlds
from mdnn_verify.derivations._densities import integral, log_ratio, pairs

# --- Problem 4 --------------------------------------------------------------------------------------------------------

invertible = Derivation(
    title="The inverse of a strictly increasing distribution function",
    source="seed 004, Problem 4",
    worlds=increasing_worlds(),
)


@invertible.claim(
    r"F:\mathbb R\to[0,1]\text{ is strictly increasing and therefore invertible: }F^{-1}(u)\text{ exists for }0<u<1",
    needs=("F is continuous", lambda continuous: continuous),
    note="a strictly increasing F may jump, and does not take the values within the jump",
)
def inverse_exists(F, u):
    return F.inverse(u) is not None and F(F.inverse(u)) == u


@invertible.correct(
    "inverse_exists",
    r"F\text{ is continuous and strictly increasing and therefore invertible: }F^{-1}(u)\text{ exists for }0<u<1",
)
def inverse_of_continuous_exists(F, u, continuous):
    return not continuous or F(F.inverse(u)) == u


T, U = sp.symbols("t u", real=True)


def logistic_worlds() -> tuple[World, ...]:
    """Logistic laws with mean m and scale s, continuous and strictly increasing; t."""
    every = {"m": sp.Symbol("m", real=True), "s": sp.Symbol("s", positive=True), "t": T}
    numbers = [World({"m": sp.Integer(m), "s": sp.Rational(s), "t": sp.Rational(t)}) for m, s, t in LOGISTIC]
    return (*numbers, World(every, True, "all logistic laws and all t"))


LOGISTIC = [(0, 1, 0), (0, 1, 1), (1, 2, -1), (-1, "1/2", "1/3")]
inverse_transform = Derivation(
    title="Sampling by the inverse of the distribution function",
    source="seed 004, Problem 4",
    statement=r"F^{-1}(U)\text{ is a random variable with CDF }F",
    worlds=logistic_worlds(),
)


def F(x, m, s):
    """The logistic distribution function."""
    return 1 / (1 + sp.exp(-(x - m) / s))


@inverse_transform.line(r"\mathbb P(F^{-1}(U)\le t)")
def chance_of_the_inverse(m, s, t):
    # F^-1(u) = m + s log(u/(1 - u)) increases from -oo to oo: the chance is the one u at which it is t
    odds = sp.Symbol("odds", positive=True)
    (reached,) = sp.solve(sp.log(odds) - (t - m) / s, odds)
    return reached / (1 + reached)


@inverse_transform.line(r"=\mathbb P(U\le F(t))", "=")
def chance_of_the_uniform(m, s, t):
    return sp.integrate(1, (U, 0, F(t, m, s)))


@inverse_transform.line(r"=F(t)", "=")
def distribution_function(m, s, t):
    return F(t, m, s)


generalised = Derivation(
    title="Sampling by the generalised inverse",
    source="seed 004, Problem 4",
    worlds=mixed_worlds(),
)


@generalised.line(
    r"\mathbb P(G(U)\le t),\quad G(u)=\inf\{x\in\mathbb R\mid u<F(x)\}",
    note="U is in (0, 1), where G is defined, with probability 1",
)
def chance_of_the_generalised_inverse(F, t):
    return F.chance_of_inverse(t)


@generalised.line(r"=F(t)", "=")
def value_of_f(F, t):
    return F(t)


@generalised.line(r"\left(\lim_{h\to0^+}F(x+h),\ \lim_{x\to-\infty}F(x)\right)")
def limits_of_f(F, t):
    return (F.after(t), F(F.knots[0] - 100))


@generalised.line(r"=(F(x),0)", "=", reason="Use the fact that F is right-continuous")
def right_continuous(F, t):
    return (F(t), sp.Integer(0))


# --- Problem 5 --------------------------------------------------------------------------------------------------------

R = sp.Symbol("t", nonnegative=True)
CONVEX = {  # with the limit of f(t)/t as t goes to oo
    "t - 1": (R - 1, 1),
    "-log t": (-sp.log(R), 0),
    "t log t": (R * sp.log(R), sp.oo),
    "(t - 1)^2": ((R - 1) ** 2, sp.oo),
    "|t - 1|": (sp.Abs(R - 1), 1),
    "1 - sqrt t": (1 - sp.sqrt(R), 0),
}


def convex_worlds() -> tuple[World, ...]:
    """``pX`` and ``pY``, constant on boxes, and a convex function by its name."""
    return tuple(
        World(
            {"pX": w.data["f"], "pY": w.data["g"], "f": f}, label=f"f(t) = {f}, pX = {w.data['f']}, pY = {w.data['g']}"
        )
        for f in CONVEX
        for w in pairs()
        if not w.generic
    )


def within(pX, pY):
    """Whether pX vanishes wherever pY does."""
    return integral(lambda x: pX(x) if pY(x) == 0 else sp.Integer(0), pX, pY) == 0


def f_divergence(pX, pY, f):
    """The integral of f(pX/pY) pY over the points where pY > 0."""

    def summand(x):
        if pY(x) == 0:
            return sp.Integer(0)
        ratio = pX(x) / pY(x)
        return pY(x) * (sp.limit(CONVEX[f][0], R, 0, "+") if ratio == 0 else CONVEX[f][0].subs(R, ratio))

    return integral(summand, pX, pY)


def divergence(p, q):
    """The Kullback-Leibler divergence of p from q."""
    return integral(lambda x: p(x) * log_ratio(p(x), q(x)) if p(x) != 0 else sp.Integer(0), p, q)


def outside(pX, pY):
    """The mass that pX has where pY vanishes."""
    return integral(lambda x: pX(x) if pY(x) == 0 else sp.Integer(0), pX, pY)


sign = Derivation(title="The sign of an f-divergence", source="seed 004, Problem 5(a)", worlds=convex_worlds())
DEFINITION = r"D_f(X\|Y)=\int f\left(\frac{p_X(x)}{p_Y(x)}\right)p_Y(x)\,dx"
VANISHES = ("p_X vanishes wherever p_Y does", within)


@sign.line(
    DEFINITION, note=r"the integral is over the x with $p_Y(x)>0$, where the ratio has a value; $f(0)$ is the limit"
)
def divergence_by_f(pX, pY, f):
    return f_divergence(pX, pY, f)


@sign.line(r"\ge0", ">=", needs=VANISHES, note=r"f is convex and $f(1)=0$")
def not_negative():
    return sp.Integer(0)


@sign.correct(
    "not_negative",
    r"\ge-f'(\infty)\,\mathbb P(p_Y(X)=0),\quad f'(\infty)=\lim_{t\to\infty}f(t)/t,"
    r"\quad\text{which is }0\text{ if }p_X\text{ vanishes wherever }p_Y\text{ does}",
)
def not_below_the_mass_outside(pX, pY, f):
    mass = outside(pX, pY)
    return -CONVEX[f][1] * mass if mass != 0 else sp.Integer(0)


def relabelled(world):
    """The densities by the names that they have here."""
    return f"pX = {world.data['f']}, pY = {world.data['g']}"


WHERE_NOT = "the divergence is infinite if X has mass where p_Y vanishes; the integral of the definition is not"
named = Derivation(
    title="Two f-divergences by their names",
    source="seed 004, Problem 5(b)",
    worlds=[World({"pX": w.data["f"], "pY": w.data["g"]}, label=relabelled(w)) for w in pairs() if not w.generic],
)


@named.line(r"D_f(X\|Y),\quad f=-\log t")
def with_minus_log(pX, pY):
    return f_divergence(pX, pY, "-log t")


@named.line(
    r"=D_{\mathrm{KL}}(Y\|X)",
    "=",
    reason="correspond to KL divergence",
    note="the order is turned round: the text does not say in which order",
)
def reverse_divergence(pX, pY):
    return divergence(pY, pX)


@named.line(r"D_f(X\|Y),\quad f=t\log t")
def with_t_log_t(pX, pY):
    return f_divergence(pX, pY, "t log t")


@named.line(r"=D_{\mathrm{KL}}(X\|Y)", "=", reason="correspond to KL divergence", needs=VANISHES, note=WHERE_NOT)
def forward_divergence(pX, pY):
    return divergence(pX, pY)


@named.correct(
    "forward_divergence",
    r"\le D_{\mathrm{KL}}(X\|Y),\quad\text{with equality if }p_X\text{ vanishes wherever }p_Y\text{ does}",
    "<=",
)
def at_most_the_forward_divergence(pX, pY):
    return divergence(pX, pY)
