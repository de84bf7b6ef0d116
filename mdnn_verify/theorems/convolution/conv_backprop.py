r"""Backpropagation through convolutions is made of convolutions, and never needs their matrices.

The network $y_\ell = \sigma(A_{w_\ell} y_{\ell-1} + b_\ell 1)$ for $\ell < L$, $y_L = A_{w_L} y_{L-1} + b_L 1$,
$y_0 = x$, has filters $w_\ell$ of length $f_\ell$, $n_\ell = n_{\ell-1} - f_\ell + 1$ and $n_L = 1$. What networks
call a convolution does not reverse the filter: $(A_w y)_i = \sum_k w_k y_{i+k}$. With the row vectors $v_L = 1$ and
$v_\ell = (\partial y_L / \partial y_\ell)\, \mathrm{diag}\, \sigma'(a_\ell)$, where $a_\ell$ is the argument of
$\sigma$, and with $C_v$ the convolution that has $v$ as its filter,

$$\frac{\partial y_L}{\partial y_{L-1}} = A_{w_L}, \quad \frac{\partial y_\ell}{\partial y_{\ell-1}} = \mathrm{diag}\,
\sigma'(a_\ell)\, A_{w_\ell}, \quad \frac{\partial y_L}{\partial w_\ell} = (C_{v_\ell^\top} y_{\ell-1})^\top, \quad
\frac{\partial y_L}{\partial b_\ell} = v_\ell 1.$$

Why: $\partial a_{\ell,i} / \partial w_{\ell,k} = y_{\ell-1,i+k}$, so $\partial y_L / \partial w_{\ell,k} = \sum_i
v_{\ell,i}\, y_{\ell-1,i+k}$, in which $i$ and $k$ play symmetric parts: it is a convolution with $v_\ell$. Going back
one layer, $v_\ell = (A_{w_{\ell+1}}^\top v_{\ell+1}^\top)^\top \mathrm{diag}\, \sigma'(a_\ell)$.

So part (b): the forward pass is $L$ convolutions; the backward pass $L - 1$ transposed convolutions $A_w^\top u$ and
$L$ convolutions $C_v y$; each costs $O(n f)$ operations and $O(n)$ numbers (some routines unfold to $O(n f)$). The
matrix has $n_\ell n_{\ell-1}$ entries: 80 GB for $n = 10^5$. The benchmark ``bench/conv_memory`` measures both ways.
$\sigma$ has to be differentiable at the arguments met; with a ReLU, not at 0.

Source: seed 004, Problem 6.
"""

import sympy as sp
import torch
import z3

from mdnn_verify.engines.montecarlo import BoundedMean, NeverViolated
from mdnn_verify.engines.pathwise import Residual, gamma
from mdnn_verify.engines.smt import Valid
from mdnn_verify.engines.symbolic import Equal
from mdnn_verify.maths.convolution import ConvNet, correlate, correlate_adjoint, dense_matrix
from mdnn_verify.pictures import Curve, Curves
from mdnn_verify.theorem import Theorem


def filter_tap(k, i, n, f):
    """Which entry of y meets v_i in the k-th of the f entries of C_v y; v has length n."""
    return k + i


def adjoint_tap(j, i, f):
    """Which weight takes u_i to entry j of A_w' u, if it is one of 0 .. f-1."""
    return j - i


def times_slope(pulled, slope):
    """v_l from A' v_{l+1} and sigma'(a_l), entry by entry."""
    return pulled * slope


def total(v):
    """v 1, for tensors (N, n) to (N, 1), and for lists."""
    return v.sum(-1, keepdim=True) if isinstance(v, torch.Tensor) else sum(v)


# filter sizes of the networks that are differentiated in full; n_0 is chosen such that n_L = 1
ARCHITECTURES = ((3,), (2, 2), (1, 3), (2, 1, 2), (2, 2, 2))

theorem = Theorem(
    statement=r"\frac{\partial y_L}{\partial y_{L-1}}=A_{w_L},\quad\frac{\partial y_\ell}{\partial y_{\ell-1}}="
    r"\operatorname{diag}\sigma'(A_{w_\ell}y_{\ell-1}+b_\ell\mathbf 1)\,A_{w_\ell},\qquad\frac{\partial y_L}{\partial "
    r"w_\ell}=\left(C_{v_\ell^\top}\,y_{\ell-1}\right)^\top,\qquad\frac{\partial y_L}{\partial b_\ell}="
    r"v_\ell\mathbf 1",
    given={
        "tap": filter_tap,
        "back_tap": adjoint_tap,
        "convolved": correlate,
        "pulled_back": correlate_adjoint,
        "with_slope": times_slope,
        "bias_gradient": total,
        "sizes": ARCHITECTURES,
    },
)

i, j, k, m, n, f = z3.Ints("i j k m n f")


@theorem.hypothesis
def the_output_is_a_number(sizes):
    """The sizes shrink to $n_L = 1$, and every filter has at least one weight."""
    ends = [lengths(filters)[-1] for filters in sizes]
    return sp.And(*(sp.Eq(end, 1) for end in ends), *(sp.Ge(size, 1) for filters in sizes for size in filters))


@theorem.proof(scope="one layer, every f and every output i, any differentiable sigma, in any direction")
def derivative_of_one_layer(with_slope):
    r"""Along $h$, $g$ and 1 the derivatives of $\sigma(\sum_k w_k y_{i+k} + b)$ are $\sigma'$ times a convolution."""
    position, size, tap_ = (sp.Symbol(name, integer=True, positive=True) for name in ("i", "f", "k"))
    t, b, a = sp.symbols("t b a", real=True)
    w, h, y, g = (sp.IndexedBase(name, real=True) for name in "whyg")
    sigma = sp.Function("sigma")

    def layer(weights, inputs, bias):
        return sp.Sum(weights(tap_) * inputs(position + tap_), (tap_, 1, size)) + bias

    def along(argument, inner):
        slope = sp.diff(sigma(a), a).subs(a, argument)
        return Equal(sp.diff(sigma(argument), t), with_slope(inner, slope))

    def directional(start, step):
        return lambda index: start[index] + t * step[index]

    plain = [lambda index, base=base: base[index] for base in (w, h, y, g)]
    return {
        "w": along(layer(directional(w, h), plain[2], b), layer(plain[1], plain[2], 0)),
        "y": along(layer(plain[0], directional(y, g), b), layer(plain[0], plain[3], 0)),
        "b": along(layer(plain[0], plain[2], b + t), sp.Integer(1)),
    }


@theorem.proof(scope="all n and f, any v, y and direction h, by induction over both sums")
def the_filter_gradient_is_a_convolution(tap):
    r"""$\sum_i v_i \sum_k h_k y_{i+k} = \sum_k h_k (C_v y)_k$: so $C_v y$ is the derivative in the filter."""
    v, h, y, G = (z3.Function(name, z3.IntSort(), z3.RealSort()) for name in "vhyG")
    A, B, D = (z3.Function(name, z3.IntSort(), z3.RealSort()) for name in "ABD")  # sums over the k before their index
    # with m terms of the outer sum done, G_k holds sum_{i < m} v_i y_tap(k, i); one more term is added to it
    grown = G(k) + v(m) * y(tap(k, m, n, f))
    inner = [A(k + 1) == A(k) + h(k) * G(k), B(k + 1) == B(k) + h(k) * y(m + k), D(k + 1) == D(k) + h(k) * grown]
    given = [n >= 1, f >= 1, m >= 0, m < n, k >= 0, k < f]
    yield Valid(D(0) == A(0) + v(m) * B(0), given=[A(0) == 0, B(0) == 0, D(0) == 0])
    before = D(k) == A(k) + v(m) * B(k)
    yield Valid(D(k + 1) == A(k + 1) + v(m) * B(k + 1), given=[*given, *inner, before])
    left, right = (z3.Function(name, z3.IntSort(), z3.RealSort()) for name in ("left", "right"))
    step = [left(m + 1) == left(m) + v(m) * B(f), right(m) == A(f), right(m + 1) == D(f), D(f) == A(f) + v(m) * B(f)]
    yield Valid(left(m + 1) == right(m + 1), given=[*given[:4], *step, left(m) == right(m)])


@theorem.proof(scope="all n and f, every entry of the matrix")
def the_transposed_convolution_has_the_transposed_matrix(back_tap):
    r"""Entry $(i, j)$ of $A_w$ is $w_k$ for the $k$ with $i + k = j$; it is what takes $u_i$ to entry $j$ of $A_w^\top
    u$."""
    w, p = z3.Function("w", z3.IntSort(), z3.RealSort()), back_tap(j, i, f)
    entry = z3.If(z3.And(k >= 0, k < f), w(k), 0)
    claimed = z3.If(z3.And(p >= 0, p < f), w(p), 0)
    return Valid(entry == claimed, given=[f >= 1, n >= f, i >= 0, i < n - f + 1, j >= 0, j < n, i + k == j])


@theorem.proof(scope="L <= 3, filters of at most 3 weights (five architectures), sigma undefined, all entries symbols")
def whole_networks(tap, back_tap, with_slope, bias_gradient, sizes):
    """The recursion unrolled: SymPy's derivatives of the whole network against the formulas."""
    for filters in sizes:
        x, w, b, y, a = symbolic_network(filters)
        v = [sp.Integer(1)]
        for layer in reversed(range(len(filters))):
            if layer + 1 < len(filters):
                pulled = back_by_taps(w[layer + 1], v, back_tap)
                v = [with_slope(p, slope_at(argument)) for p, argument in zip(pulled, a[layer], strict=True)]
            inputs = y[layer - 1] if layer else x
            yield Equal([sp.diff(y[-1][0], weight) for weight in w[layer]], by_taps(v, inputs, filters[layer], tap))
            yield Equal(sp.diff(y[-1][0], b[layer]), bias_gradient(v))


@theorem.pathwise(scope="30 random pairs, n up to 200 and f up to 20, against the matrix")
def products_without_the_matrix(convolved, pulled_back, rng):
    """Convolution and transposed convolution compute A_w y and A_w' u; f or fewer terms are added in each entry."""
    for index in range(30):
        taps, size = 1 + index % 20, 1 + index % 20 + int(rng.integers(0, 180, 1))
        w, y, u = rng.normal(taps), rng.normal(size), rng.normal(size - taps + 1)
        matrix, at = dense_matrix(w, size), {"n": size, "f": taps}
        # both sides round at most f products and f sums in each entry (terms that are 0 add nothing)
        bounds = 2 * gamma(taps + 1) * (matrix.abs() @ y.abs()), 2 * gamma(taps + 1) * (matrix.abs().T @ u.abs())
        yield Residual(convolved(w, y), matrix @ y, bounds[0], at)
        yield Residual(pulled_back(w, u), matrix.T @ u, bounds[1], at)


@theorem.pathwise(scope="30 random pairs of integers, n up to 14 and f up to 5, exactly")
def proof_and_implementation_speak_of_the_same(tap, back_tap, convolved, pulled_back, rng):
    """The index forms of the proofs, summed in integers, are what the implementations compute."""
    for index in range(30):
        taps, rows = 1 + index % 5, 1 + index % 10
        w, y, v = (rng.integers(-9, 10, size) for size in (taps, rows + taps - 1, rows))
        listed = {"v": v.tolist(), "y": y.tolist(), "w": w.tolist()}
        forward = by_taps(listed["v"], listed["y"], taps, tap)
        backward = back_by_taps(listed["w"], listed["v"], back_tap)
        yield Residual(convolved(v.double(), y.double()), forward, 0.0, listed)
        yield Residual(pulled_back(w.double(), v.double()), backward, 0.0, listed)


@theorem.pathwise(scope="40 random tanh networks, L = 1, ..., 5, n_0 up to 30, against torch.autograd")
def gradients_are_those_of_autograd(convolved, pulled_back, with_slope, bias_gradient, rng):
    """All derivatives in filters and biases; autograd differentiates the network as it stands."""
    for index in range(40):
        filters = rng.integers(1, 7, 1 + index % 5).tolist()
        worst, bound = gap_and_bound(rng, 1, filters, convolved, pulled_back, with_slope, bias_gradient)
        yield Residual(float(worst), 0.0, float(bound), {"filter sizes": filters})


@theorem.monte_carlo(scope="tanh networks, L = 3, filters of 3, 4 and 2 weights, all entries standard normal")
def autograd_never_disagrees(convolved, pulled_back, with_slope, bias_gradient):
    """The largest difference over all derivatives of a random network, over its rounding bound."""

    def ratio(rng, size):
        worst, bound = gap_and_bound(rng, size, (3, 4, 2), convolved, pulled_back, with_slope, bias_gradient)
        return worst / bound

    return NeverViolated(ratio)


@theorem.monte_carlo(scope="w = (1, 2, -1/2), n = 5; y and u uniform over all signs")
def random_probes_give_the_squared_norm(convolved, pulled_back):
    r"""$E[\langle u, A y \rangle \langle A^\top u, y \rangle] = \|A\|^2 = E[\langle A^\top u, y \rangle^2]$; by
    Cauchy-Schwarz only the transpose has both."""
    w, size = torch.tensor([1.0, 2.0, -0.5], dtype=torch.float64), 5
    rows = size - len(w) + 1
    norm, support = rows * float(w.square().sum()), (rows * float(w.abs().sum())) ** 2 + 2.0**-20

    def probes(rng, count):
        signs = 2 * rng.integers(0, 2, (count, size + rows)).double() - 1
        y, u = signs[:, :size].contiguous(), signs[:, size:].contiguous()
        # one filter for all draws, so that the draws are the batch of one convolution
        forward, back = (f(w.to(rng.device), part) for f, part in ((by_rows(convolved), y), (by_rows(pulled_back), u)))
        return (u * forward).sum(1), (back * y).sum(1)

    return {
        "trace": BoundedMean(lambda rng, count: torch.mul(*probes(rng, count)), norm, -support, support, norm, 0.02),
        "norm": BoundedMean(lambda rng, count: probes(rng, count)[1].square(), norm, -support, support, norm, 0.02),
    }


@theorem.picture
def numbers_to_store(sizes):
    """What a product with a filter of 9 weights has to hold, in float64: the matrix, or filter, input and output."""
    grid = [10.0 ** (e / 4) for e in range(8, 21)]
    dense = Curve("with the matrix", grid, [8 * (n * (n - 8) + 2 * n) for n in grid])
    free = Curve("by convolution", grid, [8 * (2 * n + 1) for n in grid])
    return Curves("Bytes of a matrix-vector product, f = 9", "n", "bytes", [dense, free], log_x=True, log_y=True)


def lengths(filters):
    """n_0, ..., n_L, where n_0 is 1 + sum of (f - 1)."""
    found = [1 + sum(size - 1 for size in filters)]
    for size in filters:
        found.append(found[-1] - size + 1)
    return [sp.Integer(length) for length in found]


def by_taps(v, y, taps, tap):
    """C_v y from the index form, for lists; an index outside y is a mistake of the claim and counts as 0."""
    n = len(v)
    reach = [[tap(k, i, n, taps) for i in range(n)] for k in range(taps)]
    return [sum(v[i] * y[p] for i, p in enumerate(row) if 0 <= p < len(y)) for row in reach]


def back_by_taps(w, u, back_tap):
    """A_w' u from the index form, for lists."""
    f, pairs = len(w), range(len(u))
    taps = [[(i, back_tap(j, i, f)) for i in pairs] for j in range(len(u) + f - 1)]
    return [sum(u[i] * w[p] for i, p in row if 0 <= p < f) for row in taps]


def symbolic_network(filters):
    """Input, filters, biases, outputs y_1 .. y_L and arguments a_1 .. a_L of a network of symbols."""
    x = y = sp.symbols(f"x:{lengths(filters)[0]}", real=True)
    w = [sp.symbols(f"w{layer}_:{size}", real=True) for layer, size in enumerate(filters)]
    b, outputs, arguments = sp.symbols(f"b:{len(filters)}", real=True), [], []
    for layer, weights in enumerate(w):
        count = len(y) - len(weights) + 1
        arguments.append([sum(c * y[i + k] for k, c in enumerate(weights)) + b[layer] for i in range(count)])
        last = layer == len(w) - 1
        y = arguments[-1] if last else [sp.Function("sigma")(a) for a in arguments[-1]]
        outputs.append(y)
    return x, w, b, outputs, arguments


def slope_at(argument):
    """sigma'(argument) of the undefined sigma."""
    a = sp.Dummy("a", real=True)
    return sp.diff(sp.Function("sigma")(a), a).subs(a, argument)


def gap_and_bound(rng, count, filters, convolved, pulled_back, with_slope, bias_gradient):
    """The largest |claim - autograd| over all derivatives of each of ``count`` random networks, and its bound."""
    w = [rng.normal((count, size)).requires_grad_(True) for size in filters]
    b = [rng.normal((count, 1)).requires_grad_(True) for _ in filters]
    x, net = rng.normal((count, int(lengths(filters)[0]))), ConvNet(w, b, torch.tanh)
    expected = torch.autograd.grad(net.arguments(x)[-1].sum(), [*w, *b])
    with torch.no_grad():
        a = net.arguments(x)
        y = [x, *map(torch.tanh, a[:-1])]
        v, found_w, found_b = torch.ones_like(a[-1]), [], []
        for layer in reversed(range(len(filters))):
            if layer + 1 < len(filters):
                v = with_slope(pulled_back(w[layer + 1], v), 1 - torch.tanh(a[layer]) ** 2)
            found_w.insert(0, convolved(v, y[layer]))
            found_b.insert(0, bias_gradient(v))
        gaps = [(g - e).abs().amax(-1) for g, e in zip([*found_w, *found_b], expected, strict=True)]
        return torch.stack(gaps).amax(0), 2 * gamma(8 * (x.shape[1] + 8)) * net.magnitudes(x)


def by_rows(product):
    """The same product for one filter and a batch of vectors: it is linear, so the images of a basis suffice."""

    def apply(w, batch):
        basis = torch.eye(batch.shape[1], dtype=batch.dtype, device=batch.device)
        return batch @ torch.stack([product(w, vector) for vector in basis])

    return apply


theorem.false_if(
    "C_v reverses its filter, as convolutions outside networks do",
    tap=lambda k, i, n, f: k + n - 1 - i,
    convolved=lambda w, y: correlate(w.flip(-1), y),
)
theorem.false_if(
    "the filter's gradient comes out in reverse order",
    tap=lambda k, i, n, f: f - 1 - k + i,
    convolved=lambda w, y: correlate(w, y).flip(-1),
)
theorem.false_if(
    "A' is applied with the reversed filter",
    back_tap=lambda j, i, f: f - 1 - (j - i),
    pulled_back=lambda w, u: correlate_adjoint(w.flip(-1), u),
)
theorem.false_if("sigma' is missing", with_slope=lambda pulled, slope: pulled)
theorem.false_if("sigma' enters squared", with_slope=lambda pulled, slope: pulled * slope**2)
theorem.false_if("the bias gradient is not summed", bias_gradient=lambda v: v)
theorem.false_if(
    "the bias gradient is averaged",
    bias_gradient=lambda v: v.mean(-1, keepdim=True) if isinstance(v, torch.Tensor) else sum(v) / len(v),
)
