"""Seed 003, Problem 3: the Jacobian of an affine coupling layer."""

from __future__ import annotations

import sympy as sp

from mdnn_verify.audit import Derivation
from mdnn_verify.derivations._couplings import layers

derivation = Derivation(
    title="The Jacobian of an affine coupling layer",
    source="seed 003, Problem 3",
    statement=r"\log\left|\frac{\partial z}{\partial x}\right|=\mathbf 1_{n-|\Omega|}^\top s_\theta(x_\Omega)",
    worlds=layers(),
)
BLOCKS = (
    r"\begin{pmatrix}\frac{\partial z_\Omega}{\partial x_\Omega}&\frac{\partial z_\Omega}{\partial x_{\Omega^c}}\\"
    r"\frac{\partial z_{\Omega^c}}{\partial x_\Omega}&\frac{\partial z_{\Omega^c}}{\partial x_{\Omega^c}}\end{pmatrix}"
)


def P_sigma(layer):
    """The matrix that takes (x_Omega; x_Omega^c) to x: its p-th column is e_i for the p-th index i in that order."""
    return sp.Matrix([[int(i == row) for i in layer.order] for row in range(1, layer.n + 1)])


def sorted_vector(layer, of):
    return sp.Matrix([of(i) for i in layer.order])


def vector(layer, of):
    return sp.Matrix([of(i) for i in range(1, layer.n + 1)])


def blocks(layer):
    """The derivatives of (z_Omega; z_Omega^c) by (x_Omega; x_Omega^c)."""
    return layer.block(layer.order, layer.order)


def s_at(layer, i):
    return layer.here(layer.of_x(layer.s)[i - 1])


@derivation.line(r"x")
def x_itself(layer):
    return layer.here(vector(layer, layer.x))


@derivation.line(
    r"x=P_\sigma\begin{pmatrix}x_\Omega\\x_{\Omega^c}\end{pmatrix}\quad\text{for a permutation matrix }P_\sigma",
    "=",
    note=r"This defines $P_\sigma$.",
)
def x_permuted(layer):
    return layer.here(P_sigma(layer) * sorted_vector(layer, layer.x))


@derivation.line(r"z")
def z_itself(layer):
    return layer.here(vector(layer, layer.z))


@derivation.line(r"z=P_\sigma\begin{pmatrix}z_\Omega\\z_{\Omega^c}\end{pmatrix}", "=", reason="by definition")
def z_permuted(layer):
    return layer.here(P_sigma(layer) * sorted_vector(layer, layer.z))


@derivation.line(
    r"\frac{\partial z}{\partial x}=\begin{pmatrix}\frac{\partial z^{(1)}}{\partial "
    r"x^{(1)}}&\cdots&\frac{\partial z^{(1)}}{\partial x^{(n)}}\\"
    r"\vdots&\ddots&\vdots\\"
    r"\frac{\partial z^{(n)}}{\partial x^{(1)}}&\cdots&\frac{\partial z^{(n)}}{\partial x^{(n)}}\end{pmatrix}"
)
def jacobian(layer):
    return layer.jacobian


@derivation.line(
    rf"=P_\sigma^{{-1}}{BLOCKS}P_\sigma",
    "=",
    note=r"From $x=P_\sigma(x_\Omega;x_{\Omega^c})$ and $z=P_\sigma(z_\Omega;z_{\Omega^c})$ the chain rule gives "
    r"$P_\sigma[\cdots]P_\sigma^{-1}$. The two differ as soon as $P_\sigma$ is not its own inverse, first for $n=3$.",
)
def by_blocks(layer):
    return P_sigma(layer).inv() * blocks(layer) * P_sigma(layer)


@derivation.correct("by_blocks", rf"=P_\sigma{BLOCKS}P_\sigma^{{-1}}")
def by_blocks_the_other_way(layer):
    return P_sigma(layer) * blocks(layer) * P_sigma(layer).inv()


@derivation.line(
    r"=P_\sigma^{-1}\begin{pmatrix}I&0\\ \star&\operatorname{diag}(e^{s_\theta(x_\Omega)})\end{pmatrix}P_\sigma",
    "=",
    note=r"$\star$ stands for $\partial z_{\Omega^c}/\partial x_\Omega$. The slip of the line before is carried on: "
    r"$P_\sigma[\cdots]P_\sigma^{-1}$ is meant here, too.",
)
def blocks_inserted(layer):
    return P_sigma(layer).inv() * layer.block_form * P_sigma(layer)


def blocks_inserted_the_other_way(layer):
    """What the line that carries the slip on should say."""
    return P_sigma(layer) * layer.block_form * P_sigma(layer).inv()


@derivation.claim(
    r"\text{the upper triangular matrix}\ \begin{pmatrix}I&0\\ "
    r"\star&\operatorname{diag}(e^{s_\theta(x_\Omega)})\end{pmatrix}",
    note="The zeros stand above the diagonal: it is lower triangular. The determinant is the same.",
)
def upper_triangular(layer):
    return bool(layer.block_form.is_upper)


@derivation.correct(
    "upper_triangular",
    r"\text{the lower triangular matrix}\ \begin{pmatrix}I&0\\ "
    r"\star&\operatorname{diag}(e^{s_\theta(x_\Omega)})\end{pmatrix}",
)
def lower_triangular(layer):
    return bool(layer.block_form.is_lower)


@derivation.line(
    r"\log\left(\det\frac{\partial z}{\partial x}\right)",
    note="The determinant is positive: the absolute value may go.",
)
def log_determinant(layer):
    return sp.log(layer.jacobian.det(method="berkowitz"))


@derivation.line(
    r"=\log\left(\det(\operatorname{diag}(e^{s_\theta(x_\Omega)}))\right)",
    "=",
    reason="the properties of determinant",
)
def log_determinant_of_the_scales(layer):
    return sp.log(layer.scales.det(method="berkowitz"))


@derivation.line(r"=\log\left(\prod_{i=1}^{n-|\Omega|}e^{s_\theta(x_\Omega)^{(i)}}\right)", "=")
def log_of_the_product(layer):
    return sp.log(sp.prod([sp.exp(s_at(layer, i)) for i in range(1, layer.n - len(layer.Omega) + 1)]))


@derivation.line(r"=\sum_{i=1}^{n-|\Omega|}s_\theta(x_\Omega)^{(i)}", "=")
def sum_of_components(layer):
    return sum(s_at(layer, i) for i in range(1, layer.n - len(layer.Omega) + 1))


@derivation.line(r"=\mathbf 1_{n-|\Omega|}^T s_\theta(x_\Omega)", "=")
def sum_of_s(layer):
    s = sp.Matrix([layer.here(value) for value in layer.of_x(layer.s)])
    return (sp.ones(1, layer.n - len(layer.Omega)) * s)[0]
