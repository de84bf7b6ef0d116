"""Seed 001, Problem 3: the Jacobian of an affine coupling layer."""

from __future__ import annotations

import sympy as sp

from mdnn_verify.audit import Derivation
from mdnn_verify.derivations._couplings import layers

derivation = Derivation(
    title="The Jacobian of an affine coupling layer",
    source="seed 001, Problem 3",
    statement=r"\log\left|\frac{\partial z}{\partial x}\right|=\mathbf 1_{n-|\Omega|}^\top s_\theta(x_\Omega)",
    worlds=layers(),
)
READ = r"$g(i)$ is read as the place of $i$ in $\Omega^\complement$, as corrected above."


def place(i, indices):
    """At which place (from 1) i stands in a sorted set; None if it is not there."""
    return indices.index(i) + 1 if i in indices else None


def outside(layer):
    """The pairs i in Omega^c, j in Omega."""
    return [(i, j) for i in layer.complement for j in layer.Omega]


def sigma_inverse(layer, i):
    k = len(layer.Omega)
    return layer.Omega[i - 1] if i <= k else layer.complement[i - k - 1]


def P(sigma):
    """The permutation matrix with P e_j = e_sigma(j); ``sigma`` is given by its values at 1, ..., n."""
    n = len(sigma)
    return sp.Matrix(n, n, lambda row, column: int(row == sigma[column] - 1))


def P_sigma(layer):
    inverse = [sigma_inverse(layer, i) for i in range(1, layer.n + 1)]
    return P([inverse.index(j) + 1 for j in range(1, layer.n + 1)])


def P_sigma_inverse(layer):
    """P of sigma^-1."""
    return P([sigma_inverse(layer, i) for i in range(1, layer.n + 1)])


def s_at(layer, k):
    """The k-th component (from 1) of s at the layer's point."""
    return layer.here(layer.of_x(layer.s)[k - 1])


@derivation.claim(r"f(x)=i|_{x\text{ is the }i\text{th element of }\Omega}\quad\text{for }x\in\Omega")
def f_is_defined(layer):
    return all(place(x, layer.Omega) is not None for x in layer.Omega)


@derivation.claim(
    r"g(y)=j|_{y\text{ is the }j\text{th element of }\Omega}\quad\text{for }y\in\Omega^\complement",
    note=r"No element of $\Omega^\complement$ is an element of $\Omega$, so $g$ has no value: $\Omega^\complement$ is "
    r"meant.",
)
def g_is_defined(layer):
    return all(place(y, layer.Omega) is not None for y in layer.complement)


@derivation.correct(
    "g_is_defined",
    r"g(y)=j|_{y\text{ is the }j\text{th element of }\Omega^\complement}\quad\text{for }y\in\Omega^\complement",
)
def g_counts_the_complement(layer):
    return all(place(y, layer.complement) is not None for y in layer.complement)


@derivation.line(r"\frac{\partial z_i}{\partial x_j}\quad(i\in\Omega,\ i=j)")
def case_inside(layer):
    return tuple(layer.slope(i, i) for i in layer.Omega)


@derivation.line(r"=1", "=")
def case_inside_is_one(layer):
    return tuple(sp.Integer(1) for _ in layer.Omega)


@derivation.line(r"\frac{\partial z_i}{\partial x_j}\quad(i\in\Omega^\complement,\ j\in\Omega)")
def case_below(layer):
    return tuple(layer.slope(i, j) for i, j in outside(layer))


@derivation.line(
    r"=\frac{\partial[s_\theta(x_\Omega)]_{g(i)}}{\partial x_j}e^{[s_\theta(x_\Omega)]_{g(i)}}x_i"
    r"+\frac{\partial[t_\theta(x_\Omega)]_{g(i)}}{\partial x_j}",
    "=",
    note=READ,
)
def case_below_by_the_product_rule(layer):
    s, t = layer.of_x(layer.s), layer.of_x(layer.t)
    entries = []
    for i, j in outside(layer):
        k, xj = place(i, layer.complement) - 1, layer.x(j)
        entries.append(layer.here(sp.diff(s[k], xj) * sp.exp(s[k]) * layer.x(i) + sp.diff(t[k], xj)))
    return tuple(entries)


@derivation.line(r"\frac{\partial z_i}{\partial x_j}\quad(i\in\Omega^\complement,\ j\in\Omega^\complement,\ i=j)")
def case_diagonal(layer):
    return tuple(layer.slope(i, i) for i in layer.complement)


@derivation.line(r"=e^{[s_\theta(x_\Omega)]_{g(i)}}", "=", note=READ)
def case_diagonal_is_the_scale(layer):
    return tuple(sp.exp(s_at(layer, place(i, layer.complement))) for i in layer.complement)


@derivation.line(r"\left(=e^{[s_\theta(x_\Omega)]_{g(j)}}\right)", "=", note=READ)
def case_diagonal_by_the_column(layer):
    return tuple(sp.exp(s_at(layer, place(j, layer.complement))) for j in layer.complement)


derivation.illegible(
    "case_otherwise",
    r"\left\{\begin{array}{c}0\\0\\0\\0\end{array}\right.\ \left(\begin{array}{c}0\\0\\0\end{array}\right)\ "
    r"\left(\begin{array}{c}0\end{array}\right.",
    "The fourth case of the Jacobian: zeros, and no condition that could be read.",
)


@derivation.claim(
    r"\sigma^{-1}(i)=\begin{cases}f^{-1}(i)&(i\le|\Omega|)\\g^{-1}(i-|\Omega|)&(i>|\Omega|)\end{cases}"
    r"\quad\text{is the inverse of a permutation }\sigma",
    note=r"$g$ is read as corrected above.",
)
def sigma_is_a_permutation(layer):
    values = [sigma_inverse(layer, i) for i in range(1, layer.n + 1)]
    return sorted(values) == list(range(1, layer.n + 1))


@derivation.line(
    r"P_\sigma\frac{\partial z}{\partial x}P_{\sigma^{-1}}",
    note=r"The text does not define $P_\sigma$; it is read as $P_\sigma e_j=e_{\sigma(j)}$, with which these lines "
    r"hold. With $(P_\sigma x)_i=x_{\sigma(i)}$ instead, $\sigma$ and $\sigma^{-1}$ would change places.",
)
def permuted(layer):
    return P_sigma(layer) * layer.jacobian * P_sigma_inverse(layer)


@derivation.line(
    r"=\begin{bmatrix}\partial z_{\sigma^{-1}(1)}/\partial x_{\sigma^{-1}(1)}&\cdots&\partial "
    r"z_{\sigma^{-1}(1)}/\partial x_{\sigma^{-1}(n)}\\"
    r"\vdots&\ddots&\vdots\\"
    r"\partial z_{\sigma^{-1}(n)}/\partial x_{\sigma^{-1}(1)}&\cdots&\partial z_{\sigma^{-1}(n)}/\partial "
    r"x_{\sigma^{-1}(n)}\end{bmatrix}",
    "=",
)
def entries_sorted(layer):
    return sp.Matrix(
        layer.n, layer.n, lambda i, j: layer.slope(sigma_inverse(layer, i + 1), sigma_inverse(layer, j + 1))
    )


@derivation.line(
    r"=\begin{bmatrix}I&0\\ *&\operatorname{diag}(e^{s_\theta(x_\Omega)})\end{bmatrix}",
    "=",
    note=r"$*$ stands for $\partial z_{\Omega^\complement}/\partial x_\Omega$.",
)
def block_form(layer):
    return layer.block_form


@derivation.line(r"\frac{\partial z}{\partial x}")
def jacobian(layer):
    return layer.jacobian


@derivation.line(
    r"=P_{\sigma^{-1}}\begin{bmatrix}I&0\\ *&\operatorname{diag}(e^{s_\theta(x_\Omega)})\end{bmatrix}P_\sigma",
    "=",
    reason="therefore",
)
def decomposed(layer):
    return P_sigma_inverse(layer) * layer.block_form * P_sigma(layer)


@derivation.line(
    r"\log\left|\frac{\partial z}{\partial x}\right|",
    note=r"$|\cdot|$ is read as the absolute value of the determinant.",
)
def log_determinant(layer):
    return sp.log(sp.Abs(layer.jacobian.det(method="berkowitz")))


@derivation.line(
    r"=\log\left|\begin{matrix}I&0\\ *&\operatorname{diag}(e^{s_\theta(x_\Omega)})\end{matrix}\right|", "="
)
def log_determinant_of_the_blocks(layer):
    return sp.log(sp.Abs(layer.block_form.det(method="berkowitz")))


@derivation.line(r"=\log\prod_{i\in\Omega^\complement}e^{[s_\theta(x_\Omega)]_{g(i)}}", "=", note=READ)
def log_of_the_product(layer):
    return sp.log(sp.prod([sp.exp(s_at(layer, place(i, layer.complement))) for i in layer.complement]))


@derivation.line(r"=\sum_{i\in\Omega^\complement}[s_\theta(x_\Omega)]_{g(i)}", "=", note=READ)
def sum_over_the_complement(layer):
    return sum(s_at(layer, place(i, layer.complement)) for i in layer.complement)


@derivation.line(r"=\mathbf 1_{n-|\Omega|}^\top s_\theta(x_\Omega)", "=")
def sum_of_s(layer):
    s = sp.Matrix([layer.here(value) for value in layer.of_x(layer.s)])
    return (sp.ones(1, layer.n - len(layer.Omega)) * s)[0]
