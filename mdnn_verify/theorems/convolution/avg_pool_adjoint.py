r"""The transpose of the 2 x 2 average pool is a quarter of nearest-neighbour upsampling.

$T : R^{m \times n} \to R^{m/2 \times n/2}$ is the average pool with a $2 \times 2$ kernel and stride 2, for even $m$
and $n$. For every $Y$, with indices from 0,

$$T^*(Y)_{ij} = \tfrac14\, Y_{\lfloor i/2 \rfloor, \lfloor j/2 \rfloor}$$

under both definitions of the adjoint: the transposed matrix $A^\top$ between row-major reshapes, and
$\langle Y, T(X) \rangle = \langle T^*(Y), X \rangle$ for all $X$ and $Y$. Why: pixel $(i, j)$ takes part in the pooled
cell $(a, b)$ exactly if $a = \lfloor i/2 \rfloor$ and $b = \lfloor j/2 \rfloor$, always with weight $1/4$; so the
column of $A$ that belongs to $(i, j)$ has a single entry, and row $(i, j)$ of $A^\top$ copies that one cell. $T$ is
linear because each entry of $T(X)$ is a fixed linear form in $X$.

Source: seed 004, Problem 1.
"""

import sympy as sp
import torch
import z3

from mdnn_verify.engines.montecarlo import BoundedMean, NeverViolated
from mdnn_verify.engines.pathwise import Residual, gamma
from mdnn_verify.engines.smt import Valid
from mdnn_verify.maths.pooling import average_pool, average_pool_adjoint
from mdnn_verify.pictures import Curve, Curves
from mdnn_verify.theorem import Theorem

m, n, h, w, i, j, a, b = z3.Ints("m n h w i j a b")  # m = 2 h and n = 2 w; pixels (i, j), pooled cells (a, b)
QUARTER = z3.Q(1, 4)
Image = (z3.IntSort(), z3.IntSort(), z3.RealSort())
X, Y, Z = z3.Function("X", *Image), z3.Function("Y", *Image), z3.Function("Z", *Image)


def nearest(Y, i, j, h, w):
    """The claim: T'(Y)_ij for an h x w matrix Y, as a Z3 term; ``Y`` is anything callable with two indices."""
    return QUARTER * Y(i / 2, j / 2)


theorem = Theorem(
    statement=r"\mathcal{T}^\top(Y)_{ij}=\tfrac14\,Y_{\lfloor i/2\rfloor,\lfloor j/2\rfloor},\qquad"
    r"\sum_{a,b}Y_{ab}\,\mathcal{T}(X)_{ab}=\sum_{i,j}\mathcal{T}^\top(Y)_{ij}\,X_{ij}",
    given={"entry": nearest, "adjoint": average_pool_adjoint},
)


@theorem.proof(scope="all even m and n, every pixel and every pooled cell")
def pixel_belongs_to_one_cell(entry):
    """Pixel (i, j) is averaged into cell (a, b) exactly if a = i div 2 and b = j div 2, and that cell exists."""
    window = z3.And(z3.Or(i == 2 * a, i == 2 * a + 1), z3.Or(j == 2 * b, j == 2 * b + 1))
    exists = z3.And(i / 2 >= 0, i / 2 < h, j / 2 >= 0, j / 2 < w)
    return {
        "window": Valid(window == z3.And(a == i / 2, b == j / 2), given=in_range()),
        "existence": Valid(exists, given=in_range()),
        "claim reads existing cells only": Valid(
            entry(Y, i, j, h, w) == entry(inside(Y), i, j, h, w), given=in_range()
        ),
    }


@theorem.proof(scope="all even m and n, every entry of the matrix")
def entries_are_transposed(entry):
    """T(E_ij)_ab, entry ((a, b), (i, j)) of A, equals the claimed T'(E_ab)_ij: the claim has the matrix A'."""
    return Valid(pooled(unit(i, j), a, b) == entry(unit(a, b), i, j, h, w), given=in_range())


@theorem.proof(scope="all even m and n, all matrices Y and Z and numbers c")
def claim_is_linear(entry):
    """The claimed map is linear, so its entries determine it: the first definition holds for every Y."""
    c = z3.Real("c")

    def combination(a, b):
        return Y(a, b) + c * Z(a, b)

    return Valid(entry(combination, i, j, h, w) == entry(Y, i, j, h, w) + c * entry(Z, i, j, h, w), given=in_range())


@theorem.proof(scope="all even m and n: (i, j) -> i n + j is one-to-one onto 0 .. mn - 1")
def reshape_is_a_bijection():
    """Row-major order numbers the pixels (and likewise the cells), so A and A' act on all of R^mn and R^(mn/4)."""
    i2, j2, k, q, r = z3.Ints("i2 j2 k q r")
    pixels = [n >= 1, m >= 1, *between(0, i, m), *between(0, j, n)]
    # d >= 1 and n >= 1 give d n >= n: the only product of unknowns that the order argument needs
    yield Valid((i2 - i) * n >= n, given=[i2 - i >= 1, n >= 1])
    later = z3.Implies(i2 > i, (i2 - i) * n >= n)
    earlier = z3.Implies(i > i2, (i - i2) * n >= n)
    same = i * n + j == i2 * n + j2
    yield Valid(z3.And(i == i2, j == j2), given=[*pixels, *between(0, i2, m), *between(0, j2, n), later, earlier, same])
    yield Valid(z3.And(i * n + j >= 0, i * n + j < m * n), given=[*pixels, (m - 1 - i) * n >= 0, i * n >= 0])
    # onto: with k = q n + r, 0 <= r < n, the row q lies in range, since q < 0 or q >= m would put k outside 0 .. mn - 1
    division = [n >= 1, m >= 1, *between(0, k, m * n), k == q * n + r, *between(0, r, n)]
    bounds = [z3.Implies(q >= m, (q - m) * n >= 0), z3.Implies(q <= -1, (-1 - q) * n >= 0)]
    yield Valid(z3.And(q >= 0, q < m), given=[*division, *bounds])


@theorem.proof(scope="all widths n = 2w, by induction over the columns of a pair of rows; all X and Y")
def inner_products_agree_along_two_rows(entry):
    """Along two rows, for all c: sum_{b < c} Y_ab T(X)_ab = sum_{j < 2c, d < 2} T'(Y)_{2a+d,j} X_{2a+d,j}."""
    left, right = (z3.Function(name, z3.IntSort(), z3.RealSort()) for name in ("left", "right"))
    c = z3.Int("c")
    pixels = [entry(Y, 2 * a + d, 2 * c + e, h, w) * X(2 * a + d, 2 * c + e) for d in (0, 1) for e in (0, 1)]
    step = [left(c + 1) == left(c) + Y(a, c) * pooled(X, a, c), right(c + 1) == right(c) + z3.Sum(pixels)]
    yield Valid(left(0) == right(0), given=[left(0) == 0, right(0) == 0])
    given = [h >= 1, w >= 1, *between(0, a, h), *between(0, c, w), *step, left(c) == right(c)]
    yield Valid(left(c + 1) == right(c + 1), given=given)


@theorem.proof(scope="all even m and n, by induction over the pairs of rows; all X and Y")
def inner_products_agree():
    """Adding one pair of rows adds to both inner products what the columns gave, so <Y, T(X)> = <T'(Y), X>."""
    pooled_side, image_side, of_cells, of_row = (
        z3.Function(name, z3.IntSort(), z3.RealSort()) for name in ("pooled_side", "image_side", "of_cells", "of_row")
    )
    two_rows = of_cells(a) == of_row(2 * a) + of_row(2 * a + 1)  # the step before, for c = w
    step = [
        pooled_side(a + 1) == pooled_side(a) + of_cells(a),
        image_side(a + 1) == image_side(a) + of_row(2 * a) + of_row(2 * a + 1),
    ]
    yield Valid(pooled_side(0) == image_side(0), given=[pooled_side(0) == 0, image_side(0) == 0])
    equal = pooled_side(a) == image_side(a)
    yield Valid(pooled_side(a + 1) == image_side(a + 1), given=[a >= 0, two_rows, *step, equal])


@theorem.proof(scope="all even m and n")
def adjoint_is_unique():
    """If <D, X> = 0 for all X, then X = D gives a sum of squares that is 0, so D = 0: no other map has this."""
    total, square = z3.Reals("total square")
    rest = z3.Real("rest")  # the sum of the other squares
    given = [total == square * square + rest, rest >= 0, total == 0]
    return Valid(square == 0, given=given)


@theorem.pathwise(scope="all even sizes up to 16 x 16, the whole matrix, bit for bit")
def matrix_of_adjoint_is_the_transposed_matrix(adjoint):
    """Columns are images of the basis in row-major order; all entries are 0 or powers of 2, so nothing is rounded."""
    for rows, columns in sizes(8):
        A = matrix_of(average_pool, 2 * rows, 2 * columns)
        yield Residual(matrix_of(adjoint, rows, columns), A.T, 0.0, {"m": 2 * rows, "n": 2 * columns})


@theorem.pathwise(
    scope="all even sizes up to 16 x 16, torch.nn.AvgPool2d differentiated by torch.autograd, bit for bit"
)
def adjoint_is_what_backpropagation_computes(adjoint, rng):
    """The vector-Jacobian product of torch's own average pool at Y is T'(Y); a division by 4 is exact."""
    layer = torch.nn.AvgPool2d(kernel_size=2, stride=2)
    for rows, columns in sizes(8):
        image = torch.zeros(1, 2 * rows, 2 * columns, dtype=torch.float64, requires_grad=True)
        Y = rng.normal((rows, columns))
        (gradient,) = torch.autograd.grad(layer(image), image, Y[None])
        yield Residual(adjoint(Y), gradient[0], 0.0, {"m": 2 * rows, "n": 2 * columns, "Y": Y})


@theorem.pathwise(scope="the Z3 term of the proof against the implementation, every entry for every size up to 6 x 8")
def proof_and_implementation_speak_of_the_same_map(entry, adjoint):
    """The claimed term, evaluated at concrete indices, gives the entries of the implemented adjoint exactly."""
    for rows, columns in ((1, 1), (1, 2), (3, 1), (2, 3), (3, 4)):
        entries = [
            [value_of(entry(unit(a, b), i, j, z3.IntVal(rows), z3.IntVal(columns))) for a, b in cells(rows, columns)]
            for i, j in cells(2 * rows, 2 * columns)
        ]
        at = {"m": 2 * rows, "n": 2 * columns}
        yield Residual(matrix_of(adjoint, rows, columns), torch.tensor(entries, dtype=torch.float64), 0.0, at)


@theorem.monte_carlo(scope="sizes uniform among the even ones up to 16 x 16, entries of X and Y standard normal")
def inner_products_agree_on_random_images(adjoint):
    """|<Y, T(X)> - <T'(Y), X>| over its rounding bound, for random sizes and images."""

    def draw(rng, n):
        size = rng.integers(0, 64, n)
        ratio = torch.empty(n, dtype=torch.float64, device=rng.device)
        for k in range(64):
            chosen = size == k
            count, (rows, columns) = int(chosen.sum()), (k // 8 + 1, k % 8 + 1)
            X, Y = rng.normal((count, 2 * rows, 2 * columns)), rng.normal((count, rows, columns))
            ratio[chosen] = residual_over_bound(X, Y, adjoint)
        return ratio

    return NeverViolated(draw)


@theorem.monte_carlo(scope="2 x 4 images, X and Y uniform over all signs")
def random_probes_give_the_squared_norm(adjoint):
    """For random signs E[<Y, TX> <T'Y, X>] = |A|^2 = mn/16 = E[<T'Y, X>^2]; by Cauchy-Schwarz only A' has both."""
    rows, columns = 1, 2
    norm = rows * columns / 4
    # an inner product is at most the sum of the |entries|: rows * columns for T; 2^-20 is room for the sums' rounding
    largest = float(matrix_of(adjoint, rows, columns).abs().sum())
    support = largest * max(largest, rows * columns) + 2.0**-20

    def probes(rng, n):
        signs = 2 * rng.integers(0, 2, (n, 10)).double() - 1
        X, Y = signs[:, :8].reshape(n, 2, 4), signs[:, 8:].reshape(n, 1, 2)
        return (Y * average_pool(X)).sum((1, 2)), (adjoint(Y) * X).sum((1, 2))

    return {
        "trace": BoundedMean(lambda rng, n: torch.mul(*probes(rng, n)), norm, -support, support, scale=norm),
        "norm": BoundedMean(lambda rng, n: probes(rng, n)[1].square(), norm, -support, support, scale=norm),
    }


@theorem.picture
def only_a_quarter_works(adjoint):
    """The distance of c times an upsampling from A', relative to A': nearest-neighbour reaches 0, at c = 1/4 only."""
    factors = torch.linspace(0, 0.6, 121, dtype=torch.float64)
    A = matrix_of(average_pool, 8, 8).T
    curves = []
    for mode in ("nearest", "bilinear"):
        B = matrix_of(lambda Y, mode=mode: upsampled(Y, mode), 4, 4)
        y = [float((c * B - A).norm() / A.norm()) for c in factors]
        curves.append(Curve(f"{mode} upsampling", factors.tolist(), y))
    B = matrix_of(adjoint, 4, 4)
    curves.append(Curve("the adjoint", [0.25], [float((B - A).norm() / A.norm())], style="dots"))
    return Curves("How far c times an upsampling is from the adjoint (8 x 8 images)", "c", "relative distance", curves)


def between(low, index, high):
    """low <= index < high, as two assumptions."""
    return [low <= index, index < high]


def in_range():
    """Pixel and cell indices inside an image with m = 2h rows and n = 2w columns, of any size."""
    return [h >= 1, w >= 1, *between(0, i, 2 * h), *between(0, j, 2 * w), *between(0, a, h), *between(0, b, w)]


def pooled(X, a, b):
    """The definition of T(X)_ab."""
    return QUARTER * (X(2 * a, 2 * b) + X(2 * a, 2 * b + 1) + X(2 * a + 1, 2 * b) + X(2 * a + 1, 2 * b + 1))


def unit(i, j):
    """The basis matrix E_ij."""
    return lambda r, c: z3.If(z3.And(r == i, c == j), z3.RealVal(1), z3.RealVal(0))


def inside(Y):
    """Y where it is defined, and something else beyond."""
    return lambda a, b: z3.If(z3.And(a >= 0, a < h, b >= 0, b < w), Y(a, b), z3.Real("beyond"))


def value_of(term):
    """The number that a closed Z3 term stands for."""
    return float(z3.simplify(term).as_fraction())


def cells(rows, columns):
    """All index pairs in row-major order, as Z3 integers."""
    return [(z3.IntVal(r), z3.IntVal(c)) for r in range(rows) for c in range(columns)]


def sizes(largest):
    """All sizes of a pooled image with at most ``largest`` rows and columns."""
    return [(rows, columns) for rows in range(1, largest + 1) for columns in range(1, largest + 1)]


def matrix_of(f, rows, columns):
    """The matrix of a linear map on rows x columns images, for the row-major reshape."""
    basis = torch.eye(rows * columns, dtype=torch.float64).reshape(-1, rows, columns)
    return f(basis).reshape(rows * columns, -1).T


def residual_over_bound(X, Y, adjoint):
    """An inner product of N terms, each a product and at most two additions, is off by gamma(N + 2) sum |terms|.

    Twice that leaves room for the rounding of the bound itself; divisions by 4 are exact.
    """
    left, right = Y * average_pool(X), adjoint(Y) * X
    magnitude = (Y.abs() * average_pool(X.abs())).sum((1, 2)) + right.abs().sum((1, 2))
    return (left.sum((1, 2)) - right.sum((1, 2))).abs() / (2 * gamma(X.shape[1] * X.shape[2] + 2) * magnitude)


def upsampled(Y, mode):
    """torch's upsampling by 2, (..., h, w) -> (..., 2h, 2w)."""
    options = {} if mode == "nearest" else {"align_corners": False}
    h, w = Y.shape[-2:]
    images = torch.nn.functional.interpolate(Y.reshape(-1, 1, h, w), scale_factor=2, mode=mode, **options)
    return images.reshape(*Y.shape[:-2], 2 * h, 2 * w)


def scaled(factor):
    """``factor`` times nearest-neighbour upsampling, as a term and as a function."""
    return {
        "entry": lambda Y, i, j, h, w: z3.RealVal(factor) * Y(i / 2, j / 2),
        "adjoint": lambda Y: float(sp.Rational(factor)) * 4 * average_pool_adjoint(Y),
    }


def bilinear(Y, i, j, h, w):
    """A quarter of bilinear upsampling (half-pixel centres): 3/4 the cell, 1/4 of the next, repeated at the border."""

    def taps(index, size):
        cell = index / 2
        other = cell + z3.If(index % 2 == 0, -1, 1)
        return [(z3.Q(3, 4), cell), (z3.Q(1, 4), z3.If(other < 0, 0, z3.If(other >= size, size - 1, other)))]

    return QUARTER * z3.Sum([p * q * Y(r, c) for p, r in taps(i, h) for q, c in taps(j, w)])


def with_zeros(Y):
    """Max-unpooling's shape of a result: the cell in the window's first pixel, zeros in the other three."""
    result = Y.new_zeros(*Y.shape[:-2], 2 * Y.shape[-2], 2 * Y.shape[-1])
    result[..., ::2, ::2] = Y
    return result


theorem.false_if("the factor is 1", **scaled("1"))
theorem.false_if("the factor is 1/2", **scaled("1/2"))
theorem.false_if(
    "bilinear instead of nearest-neighbour upsampling",
    entry=bilinear,
    adjoint=lambda Y: upsampled(Y, "bilinear") / 4,
)
theorem.false_if(
    "the cell goes to one pixel of its window only",
    entry=lambda Y, i, j, h, w: z3.If(z3.And(i % 2 == 0, j % 2 == 0), Y(i / 2, j / 2), z3.RealVal(0)),
    adjoint=with_zeros,
)
theorem.false_if(
    "Y is tiled (i mod m/2) instead of enlarged (i div 2)",
    entry=lambda Y, i, j, h, w: QUARTER * Y(i % h, j % w),
    adjoint=lambda Y: torch.cat([torch.cat([Y, Y], dim=-1)] * 2, dim=-2) / 4,
)
