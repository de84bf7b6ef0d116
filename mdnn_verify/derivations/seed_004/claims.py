"""Seed 004, Problems 1 to 3: down- and upsampling of images, and the softmax."""

from __future__ import annotations

import itertools

import sympy as sp

from mdnn_verify.audit import Derivation, World

# --- Problem 1 --------------------------------------------------------------------------------------------------------


def letters(name, rows, columns):
    """A matrix of real symbols."""
    return sp.Matrix(rows, columns, lambda i, j: sp.Symbol(f"{name}{i}{j}", real=True))


def numbers(rows, columns, seed):
    """A matrix of small numbers without a pattern."""
    return sp.Matrix(rows, columns, lambda i, j: (seed * (3 * i + 7 * j + i * j + 1)) % 11 - 5)


def images() -> tuple[World, ...]:
    """X, W: (m, n), m and n even; Y: (m/2, n/2); numbers a, b. Concrete, then all of a size."""
    sizes = [(2, 2), (2, 4), (4, 2), (4, 4), (4, 6)]
    concrete = [
        World({"X": numbers(m, n, 2), "W": numbers(m, n, 5), "Y": numbers(m // 2, n // 2, 3), "a": 2, "b": -3})
        for m, n in sizes
    ]
    a, b = sp.symbols("a b", real=True)
    every = [
        World(
            {"X": letters("x", m, n), "W": letters("w", m, n), "Y": letters("y", m // 2, n // 2), "a": a, "b": b},
            generic=True,
            label=f"all {m} x {n} images",
        )
        for m, n in sizes[:4]
    ]
    return (*concrete, *every)


pooling = Derivation(title="Average pooling and its transpose", source="seed 004, Problem 1", worlds=images())


def T(X):
    """The average pool with a 2 x 2 kernel and stride 2."""
    window = list(itertools.product((0, 1), repeat=2))
    return sp.Matrix(
        X.rows // 2, X.cols // 2, lambda i, j: sum(X[2 * i + p, 2 * j + q] for p, q in window) / sp.Integer(4)
    )


def matrix_of_pooling(m, n):
    """A: one row for each output, one column for each input, both counted row by row."""
    A = sp.zeros(m * n // 4, m * n)
    for r, c in itertools.product(range(m), range(n)):
        A[(r // 2) * (n // 2) + c // 2, r * n + c] = sp.Rational(1, 4)
    return A


def flat(X):
    """X.reshape(mn): the entries row by row, as a column."""
    return sp.Matrix(list(X))


def T_transposed(Y):
    """(A' (Y.reshape(mn/4))).reshape(m, n)."""
    m, n = 2 * Y.rows, 2 * Y.cols
    return (matrix_of_pooling(m, n).T * flat(Y)).reshape(m, n)


def upsampled(X, r):
    """Nearest neighbour upsampling: each entry becomes an r x r block."""
    return sp.Matrix(r * X.rows, r * X.cols, lambda i, j: X[i // r, j // r])


@pooling.line(r"\mathcal T(aX+bX')")
def of_a_combination(X, W, a, b):
    return T(a * X + b * W)


@pooling.line(r"=a\mathcal T(X)+b\mathcal T(X')", "=", reason="The downsampling operator is a linear operator (why?)")
def combination_of_images(X, W, a, b):
    return a * T(X) + b * T(W)


@pooling.line(r"\mathcal T(X)")
def pooled(X):
    return T(X)


@pooling.line(r"=(A(X.\text{reshape}(mn))).\text{reshape}(m/2,n/2),\quad A\in\mathbb R^{(mn/4)\times(mn)}", "=")
def by_a_matrix(X):
    return (matrix_of_pooling(*X.shape) * flat(X)).reshape(X.rows // 2, X.cols // 2)


@pooling.line(r"\sum_{i=1}^{m/2}\sum_{j=1}^{n/2}Y_{ij}(\mathcal T(X))_{ij}")
def product_below(X, Y):
    return sum(y * t for y, t in zip(Y, T(X), strict=True))


@pooling.line(
    r"=\sum_{i=1}^m\sum_{j=1}^n(\mathcal T^\top(Y))_{ij}(X)_{ij}",
    "=",
    reason="The adjoint has two equivalent definitions.",
)
def product_above(X, Y):
    return sum(t * x for t, x in zip(T_transposed(Y), X, strict=True))


@pooling.line(r"\mathcal T^\top(Y)=(A^\top(Y.\text{reshape}(mn/4))).\text{reshape}(m,n)")
def transposed(Y):
    return T_transposed(Y)


@pooling.line(
    r"=c\cdot\text{nearest neighbor upsampling of }Y", "=", reason="a constant times", note=r"the constant is $c=1/4$"
)
def quarter_of_upsampling(Y):
    return upsampled(Y, 2) / 4


# --- Problem 2 --------------------------------------------------------------------------------------------------------


def small_images() -> tuple[World, ...]:
    """X and a positive integer r."""
    sizes = [(1, 1, 2), (2, 2, 1), (2, 2, 2), (2, 3, 2), (2, 2, 3), (1, 3, 4)]
    concrete = [World({"X": numbers(m, n, 2), "r": r}) for m, n, r in sizes]
    every = (World({"X": letters("x", m, n), "r": r}, True, f"all {m} x {n} images, r = {r}") for m, n, r in sizes)
    return (*concrete, *every)


upsampling = Derivation(
    title="Upsampling as a transposed convolution", source="seed 004, Problem 2", worlds=small_images()
)


def transposed_convolution(X, weight, stride):
    """Each entry of X adds a copy of the weight, moved by the stride; one channel, no padding, no bias."""
    result = sp.zeros((X.rows - 1) * stride + weight.rows, (X.cols - 1) * stride + weight.cols)
    for i, j, p, q in itertools.product(*map(range, (*X.shape, *weight.shape))):
        result[i * stride + p, j * stride + q] += X[i, j] * weight[p, q]
    return result


@upsampling.line(
    r"\texttt{layer = nn.Upsample(scale\_factor=r, mode='nearest')}",
    note="r is a positive integer",
)
def upsampling_layer(X, r):
    return upsampled(X, r)


@upsampling.line(
    r"=\texttt{layer = nn.ConvTranspose2d(...);\ layer.weight.data = ...}",
    "=",
    note="with kernel size r, stride r, no bias and a weight of ones; for several channels one such weight each, with "
    "groups",
)
def transposed_convolution_layer(X, r):
    return transposed_convolution(X, sp.ones(r, r), r)


# --- Problem 3 --------------------------------------------------------------------------------------------------------

B = sp.Symbol("beta", positive=True)
POINTS = [(0, 1), (1, 1), (2, -1), (0, 0, 0), (1, 3, 2), (-1, -1, -2), (sp.Rational(1, 2), 0, 1)]

soft_maximum = Derivation(
    title="The soft maximum",
    source="seed 004, Problem 3",
    worlds=[World({"x": x, "beta": sp.Rational(b)}) for x in POINTS for b in (1, 0, -2, "1/2")],
)


def nu(x, beta):
    """(1/beta) log sum exp(beta x_i); no value at beta = 0."""
    if beta == 0:
        raise ZeroDivisionError
    return sp.log(sum(sp.exp(beta * entry) for entry in x)) / beta


def gradient(x, beta):
    """The partial derivatives of nu_beta at x, as a column."""
    y = sp.symbols(f"y:{len(x)}", real=True)
    value = nu(y, beta)
    return sp.Matrix([sp.diff(value, entry) for entry in y]).subs(dict(zip(y, x, strict=True)), simultaneous=True)


@soft_maximum.claim(
    r"\nu_\beta:\mathbb R^n\to\mathbb R\text{ is differentiable}",
    reason="Clearly",
    needs=("beta is not 0", lambda beta: bool(beta != 0)),
    note=r"$\beta$ is not introduced; $\nu_0$ has no value",
)
def differentiable(x, beta):
    return all(entry.is_finite is not False for entry in gradient(x, beta))


@soft_maximum.correct("differentiable", r"\nu_\beta:\mathbb R^n\to\mathbb R\text{ is differentiable for }\beta\ne0")
def differentiable_elsewhere(x, beta):
    return beta == 0 or all(entry.is_finite is not False for entry in gradient(x, beta))


def all_points(n):
    """A world with all x in R^n."""
    return World({"x": sp.symbols(f"x1:{n + 1}", real=True)}, True, f"all x in R^{n}")


limits = Derivation(
    title="The soft maximum for large beta, and its gradient",
    source="seed 004, Problem 3",
    worlds=[World({"x": x}) for x in POINTS],
)


def limit(expr):
    """As beta goes to oo."""
    return sp.limit(expr, B, sp.oo)


@limits.line(r"\lim_{\beta\to\infty}\nu_\beta(x)")
def limit_of_soft_maximum(x):
    return limit(nu(x, B))


@limits.line(r"=\max\{x_1,\dots,x_n\}", "=")
def maximum(x):
    return sp.Max(*x)


@limits.line(r"\nabla\nu_1(x)", worlds=[all_points(2), all_points(3)])
def gradient_at_one(x):
    return gradient(x, 1)


@limits.line(r"=\mu(x)", "=", worlds=[all_points(2), all_points(3)], note=r"$\mu$ is the softmax function")
def softmax(x):
    total = sum(sp.exp(entry) for entry in x)
    return sp.Matrix([sp.exp(entry) / total for entry in x])


unique = Derivation(
    title="The gradient for large beta",
    source="seed 004, Problem 3(c)",
    worlds=[World({"x": x}) for x in POINTS if x.count(max(x)) == 1],
)


@unique.line(r"\lim_{\beta\to\infty}\nabla\nu_\beta(x)")
def limit_of_gradient(x):
    return gradient(x, B).applyfunc(lambda entry: limit(sp.simplify(entry)))


@unique.line(r"=e_{i_{\max}}", "=", reason=r"$i_{\max}=\operatorname{argmax}_ix_i$ is uniquely defined")
def unit_vector(x):
    return sp.Matrix([int(entry == max(x)) for entry in x])


temperature = Derivation(
    title="Large beta is low temperature",
    source="seed 004, Problem 3, remark",
    worlds=[World({"k": sp.Integer(1)}), World({"k": sp.Symbol("k_B", positive=True)}, True, "all k_B > 0")],
)


@temperature.line(r"\lim_{\beta\to\infty}T,\quad\beta=\frac1{k_BT}", note="with the energies $-x_i$")
def limit_of_temperature(k):
    return limit(1 / (k * B))


@temperature.line(r"=0", "=", reason="low-temperature regime")
def no_temperature():
    return sp.Integer(0)
