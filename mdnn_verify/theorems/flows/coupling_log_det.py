r"""The log-determinant of an affine coupling layer is the sum of its log-scales, for every index set.

Let $n \ge 2$, $O$ any index set with $0 < |O| < n$, not only the first half, $O^c$ its complement, and
$s, t : R^{|O|} \to R^{n - |O|}$ differentiable. The layer $z_O = x_O$,
$z_{O^c} = e^{s(x_O)} \odot x_{O^c} + t(x_O)$ has

$$\frac{dz}{dx} = P^{-1} \begin{pmatrix} I & 0 \\ * & \operatorname{diag} e^{s(x_O)} \end{pmatrix} P, \qquad
\log \left| \det \frac{dz}{dx} \right| = \sum_i s_i(x_O),$$

where $P$ lists the indices in $O$ first. With $(P x)_p = x_{o(p)}$, $o(1), o(2), \dots$ the indices of $O$ and then
those of $O^c$, this is the seeds' $P_\sigma$ for $\sigma = o^{-1}$ ($P_\sigma e_j = e_{\sigma(j)}$); with the opposite
convention $P$ and $P^{-1}$ change places, which a control shows to be false. Seed 001 prints "g(y) = j-th element of
Omega" where the complement is meant and leaves out the entries that are 0. The general step needs no permutation: in
Leibniz' formula only the identity contributes.

In the code $s$ has a component for every index, and the layer reads those in $O^c$: the formula must pick the same
ones. Indices run from 0.

Source: seed 000, Problem 3; seed 001, Problem 3.
"""

from itertools import combinations
from math import exp

import sympy as sp
import torch
import z3

from mdnn_verify.engines.autograd import jacobian, log_abs_det
from mdnn_verify.engines.montecarlo import BoundedMean, NeverViolated, Stream
from mdnn_verify.engines.pathwise import Residual, gamma, unit_roundoff
from mdnn_verify.engines.smt import Valid
from mdnn_verify.engines.symbolic import Equal
from mdnn_verify.maths.coupling import SmoothNetwork, affine_coupling, complement
from mdnn_verify.pictures import Curve, Curves
from mdnn_verify.theorem import Theorem

LEAK = sp.Rational(1, 4)  # by how much a false layer lets s or t depend on x_Oc
S, T = 0.25, 0.5  # bounds of the random networks s and t in the density check
LIBM = 4 * unit_roundoff()  # relative error of a float64 exp or log: vendors state 1 ulp, 2 are allowed here

theorem = Theorem(
    statement=r"\log\left|\det\frac{\partial z}{\partial x}\right|=\mathbf{1}^\top s_\theta(x_\Omega),\qquad"
    r"\frac{\partial z}{\partial x}=P^{-1}"
    r"\begin{pmatrix}I&0\\ *&\operatorname{diag}e^{s_\theta(x_\Omega)}\end{pmatrix}P",
    given={
        "over": lambda inside, outside: outside,  # which indices the sum runs over
        "term": lambda s: s,  # what is summed
        "conjugated": lambda P, J: P * J * P.T,
        "s_leak": sp.Integer(0),
        "t_leak": sp.Integer(0),
    },
)


@theorem.hypothesis
def s_and_t_read_only_x_O(s_leak, t_leak):
    """No component of s or t changes with a coordinate x_i in Oc: a leak, a multiple of tanh(x_i), shows at 0."""
    own = sp.Symbol("x_i", real=True)
    return [sp.Eq(sp.diff(leak * sp.tanh(own), own).subs(own, 0), 0) for leak in (s_leak, t_leak)]


@theorem.proof(scope="every index set for n = 2, ..., 5, with s and t undefined functions of x_O")
def jacobian_has_the_block_form(conjugated, s_leak, t_leak):
    """Differentiating the layer gives P dz/dx P^-1 = [[I, 0], [*, diag exp s]]; the block * may be anything."""
    for inside, outside in index_sets(5):
        x, z, s = symbolic_layer(inside, outside, s_leak, t_leak)
        k, n = len(inside), len(x)
        P = sp.Matrix([[int(q == i) for q in range(n)] for i in (*inside, *outside)])
        permuted = conjugated(P, sp.Matrix(z).jacobian(x))
        scales = sp.diag(*[sp.exp(s[i]) for i in outside])
        yield Equal([permuted[:k, :], permuted[k:, k:]], [sp.eye(k).row_join(sp.zeros(k, n - k)), scales])


@theorem.proof(scope="every index set for n = 2, ..., 5, with s and t undefined functions of x_O")
def determinant_is_the_exponential_of_the_sum(over, term, s_leak, t_leak):
    """The determinant of that Jacobian is exp of the claimed sum; being positive, it equals its absolute value."""
    for inside, outside in index_sets(5):
        x, z, s = symbolic_layer(inside, outside, s_leak, t_leak)
        J = sp.Matrix(z).jacobian(x)
        yield Equal(J.det(method="berkowitz"), sp.exp(sum(term(s[i]) for i in over(inside, outside))))


@theorem.proof(scope="all n, all O: s_i and t_i arbitrary differentiable functions of x_O, whatever its length")
def entries_of_the_jacobian(s_leak, t_leak):
    """Beside the rows of O, which are those of I, an entry with column j in Oc is 0, or exp(s_i) for j = i."""
    own, other, x_O = sp.symbols("x_i x_j x_O", real=True)  # x_i, x_j in Oc; x_O stands for all coordinates in O
    s, t = (sp.Function(name, real=True)(x_O) for name in ("s_i", "t_i"))
    z = sp.exp(s + s_leak * sp.tanh(own)) * own + t + t_leak * sp.tanh(own)
    return {"i = j": Equal(sp.diff(z, own), sp.exp(s + s_leak * sp.tanh(own))), "i != j": Equal(sp.diff(z, other), 0)}


@theorem.proof(scope="all n, all O, by Leibniz' formula: no bound on the size")
def only_the_identity_contributes():
    """A permutation that meets no zero entry fixes O, so none of Oc can go into O: it is the identity, of sign +1."""
    i = z3.Int("i")
    in_O = z3.Function("O", z3.IntSort(), z3.BoolSort())
    pi = z3.Function("pi", z3.IntSort(), z3.IntSort())

    def meets_no_zero(row):
        """Entry (row, pi(row)) may differ from 0: it is on the diagonal, or its row is in Oc and its column in O."""
        return z3.Or(pi(row) == row, z3.And(z3.Not(in_O(row)), in_O(pi(row))))

    one_to_one = z3.Implies(pi(i) == pi(pi(i)), i == pi(i))
    return Valid(pi(i) == i, given=[meets_no_zero(i), meets_no_zero(pi(i)), one_to_one])


@theorem.proof(scope="blocks of symbolic sizes k and m, by the same formula in block coordinates")
def block_determinant():
    """In [[I, 0], [C, D]] with D diagonal, k rows above m, a permutation without zero entries is the identity too."""
    k, m, p, q, r = z3.Ints("k m p q r")  # the permutation takes p to q, and q to r
    sizes = [k >= 1, m >= 1, *(z3.And(index >= 0, index < k + m) for index in (p, q, r))]

    def meets_no_zero(row, column):
        return z3.Or(row == column, z3.And(row >= k, column < k))

    one_to_one = z3.Implies(q == r, p == q)
    return Valid(p == q, given=[*sizes, meets_no_zero(p, q), meets_no_zero(q, r), one_to_one])


@theorem.proof(scope="all n, all O, every real s_i: factor by factor")
def product_of_the_diagonal_is_the_claim(over, term):
    """What remains is the product of the diagonal: 1 for i in O, exp(s_i) else; so exp of the sum over Oc of s_i."""
    s = sp.Symbol("s_i", real=True)
    in_O = z3.Bool("i in O")
    return {
        "each factor": Equal(sp.exp(term(s)), sp.exp(s)),
        "no absolute value": sp.exp(s) > 0,
        "each index": Valid(over(in_O, z3.Not(in_O)) == z3.Not(in_O)),
        "one more factor": Equal(sp.exp(sp.Symbol("sum")) * sp.exp(s), sp.exp(sp.Symbol("sum") + s)),
    }


@theorem.pathwise(scope="random index sets for n = 2, 3, 5, 8, 16, 32, 64; random smooth networks s and t")
def autograd_jacobian_has_the_claimed_determinant(over, term, s_leak, t_leak, rng):
    """The LU determinant of torch's Jacobian of the library's layer is the claimed sum, and the layer's own log_det."""
    for n in (2, 3, 5, 8, 16, 32, 64):
        inside = random_index_set(rng, n)
        outside = complement(inside, n)
        s, t = (network(rng, len(inside), n, 1.0) for _ in range(2))
        x = rng.normal(n)
        J = jacobian(lambda x, inside=inside, s=s, t=t: layer(x, inside, s, t, s_leak, t_leak)[0], x)
        value, bound = log_abs_det(J)
        _, scales, own = layer(x, inside, s, t, s_leak, t_leak)
        # each exp(s_i) on the diagonal is off by LIBM, each sum by gamma(n) of its terms
        bound += (n + 1) * LIBM + gamma(n) * float(scales.abs().sum())
        at = {"n": n, "O": inside}
        yield Residual(value, float(claimed(scales, inside, outside, over, term)), bound, at)
        if s_leak == 0:
            yield Residual(value, float(own), bound, at)


@theorem.pathwise(scope="random index sets for n = 2, 3, 5, 8, 16, 32, 64; random smooth networks s and t")
def library_computes_the_stated_layer(s_leak, t_leak, rng):
    """Coordinate by coordinate, z_i = x_i in O and exp(s_i) x_i + t_i outside: proofs and simulations share a layer."""
    for n in (2, 3, 5, 8, 16, 32, 64):
        inside = random_index_set(rng, n)
        s, t = (network(rng, len(inside), n, 1.0) for _ in range(2))
        x = rng.normal(n)
        z, scales, _ = layer(x, inside, s, t, s_leak, t_leak)
        shifts = t(x[list(inside)]) + float(t_leak) * torch.tanh(x)
        expected = torch.stack([x[i] if i in inside else scales[i].exp() * x[i] + shifts[i] for i in range(n)])
        bound = 2 * (LIBM + gamma(4)) * (scales.exp() * x.abs() + shifts.abs())
        yield Residual(z, expected, bound, {"n": n, "O": inside})


@theorem.monte_carlo(scope="n = 3 and O = {1}; s and t smooth networks bounded by 1/4 and 1/2; importance sampling")
def pulled_back_density_integrates_to_one(over, term, s_leak, t_leak):
    r"""N(f(x)) exp(sum of s) is a density: its integral, an average of bounded weights, is 1.

    x_O is drawn from N(0, 1) and each x_i, i in Oc, from N(0, tau^2) with tau = 2. With a = exp(s_i), the factor of the
    weight is tau exp(-(a x_i + t_i)^2 / 2 + x_i^2 / (2 tau^2)) times exp of the claimed terms; for a tau > 1 the
    exponent, a concave parabola in x_i, is largest at its vertex: t_i^2 / (2 (a^2 tau^2 - 1)). So |s| <= S and |t| <= T
    bound every weight.
    """
    n, inside, tau = 3, (1,), 2.0
    outside = complement(inside, n)
    leak_s, leak_t = float(s_leak), float(t_leak)
    fixed = Stream("coupling_log_det: the networks of the density check", 11)  # any will do; here sum s is far from 0
    s, t = network(fixed, 1, n, S), network(fixed, 1, n, T)
    vertex = (T + leak_t) ** 2 / (2 * (exp(-2 * (S + leak_s)) * tau**2 - 1))
    largest_term = max(abs(float(term(torch.tensor(c, dtype=torch.float64)))) for c in (S + leak_s, -S - leak_s))
    hi = (tau * exp(vertex)) ** len(outside) * exp(largest_term * len(over(inside, outside))) * (1 + 2.0**-20)

    def draw(rng, size):
        spread = torch.tensor([1.0 if i in inside else tau for i in range(n)], dtype=torch.float64, device=rng.device)
        x = rng.normal((size, n)) * spread
        z, scales, _ = layer(x, inside, on(s, rng), on(t, rng), s_leak, t_leak)
        exponent = ((x / spread).square() - z.square()).sum(1) / 2
        return tau ** len(outside) * torch.exp(exponent + claimed(scales, inside, outside, over, term))

    return BoundedMean(draw, equals=1.0, lo=0.0, hi=hi, scale=1.0)


@theorem.monte_carlo(scope="n = 2, ..., 5 and all index sets alike (52 pairs), random networks, standard normal x")
def determinant_on_random_instances(over, term, s_leak, t_leak):
    """The log|det| of the autograd Jacobian, in product form, is held against the formula, over its rounding bound."""
    pairs = list(index_sets(5))

    def draw(rng, size):
        ratio = torch.empty(size, dtype=torch.float64, device=rng.device)
        pick = rng.integers(0, len(pairs), size)
        for number, (inside, outside) in enumerate(pairs):
            chosen = pick == number
            count, n = int(chosen.sum()), len(inside) + len(outside)
            s, t = (network(rng, len(inside), n, 1.0, (count,)) for _ in range(2))
            ratio[chosen] = residual_over_bound(
                rng.normal((count, n)), inside, outside, s, t, over, term, s_leak, t_leak
            )
        return ratio

    return NeverViolated(draw)


@theorem.picture
def formula_along_a_line():
    """Both sides for n = 8 and O = {1, 2, 5}, as x moves along a line: the determinant by LU, the sum from s alone."""
    rng = Stream("coupling_log_det: the picture", 0)
    inside, n = (1, 2, 5), 8
    s, t = network(rng, 3, n, 1.0), network(rng, 3, n, 1.0)
    start, direction = rng.normal(n), rng.normal(n)
    position = torch.linspace(-4, 4, 81, dtype=torch.float64).tolist()
    by_lu, by_sum = [], []
    for c in position:
        x = start + c * direction
        by_lu.append(log_abs_det(jacobian(lambda x: layer(x, inside, s, t, 0, 0)[0], x))[0])
        by_sum.append(float(layer(x, inside, s, t, 0, 0)[2]))
    curves = [Curve("sum of s", position, by_sum), Curve("log |det dz/dx|", position[::4], by_lu[::4], style="dots")]
    return Curves("Log-determinant along a line", "position on the line", "log-determinant", curves)


def index_sets(largest):
    """All (O, Oc) for n = 2, ..., largest."""
    for n in range(2, largest + 1):
        for k in range(1, n):
            for inside in combinations(range(n), k):
                yield inside, complement(inside, n)


def symbolic_layer(inside, outside, s_leak, t_leak):
    """x, z and the log-scales s_i (for every index i) of a layer whose networks are undefined functions of x_O.

    An arbitrary s_i is written as the logarithm of an arbitrary positive a_i: the Jacobian is then rational in the a_i
    and t_i, and can be compared exactly at random points.
    """
    n = len(inside) + len(outside)
    x = sp.symbols(f"x:{n}", real=True)
    x_O = [x[i] for i in inside]
    leaks = [sp.tanh(x[i]) if i in outside else 0 for i in range(n)]
    s = [sp.log(sp.Function(f"a{i}", positive=True)(*x_O)) + s_leak * leaks[i] for i in range(n)]
    t = [sp.Function(f"t{i}", real=True)(*x_O) + t_leak * leaks[i] for i in range(n)]
    z = [sp.exp(s[i]) * x[i] + t[i] if i in outside else x[i] for i in range(n)]
    return x, z, s


def layer(x, inside, s, t, s_leak, t_leak):
    """The library's layer, with the leaks of x_Oc into s and t: z, all n log-scales, and its own log_det."""
    outside = list(complement(inside, x.shape[-1]))
    leak = torch.tanh(x[..., outside])
    scales = s(x[..., list(inside)]) + float(s_leak) * placed(leak, outside, x.shape[-1])
    z, log_det = affine_coupling(
        x,
        inside,
        lambda x_O: scales[..., outside],
        lambda x_O: t(x_O)[..., outside] + float(t_leak) * leak,
    )
    return z, scales, log_det


def placed(values, indices, n):
    """A tensor (..., n) of zeros with ``values`` at ``indices``."""
    result = values.new_zeros(*values.shape[:-1], n)
    return result.index_copy(-1, torch.tensor(indices, device=values.device), values)


def claimed(scales, inside, outside, over, term):
    """The formula's right-hand side."""
    return term(scales[..., list(over(inside, outside))]).sum(-1)


def network(rng, inputs, outputs, bound, batch=(), hidden=8):
    """A random smooth network, or a batch of them."""
    W1 = rng.normal((*batch, hidden, inputs)) / inputs**0.5
    return SmoothNetwork(W1, rng.normal((*batch, hidden)), rng.normal((*batch, outputs, hidden)) / hidden**0.5, bound)


def on(network, rng):
    """The same network on the stream's device."""
    return SmoothNetwork(*(w.to(rng.device) for w in (network.W1, network.b, network.W2)), network.bound)


def random_index_set(rng, n):
    """Its size uniform on 1 .. n - 1, then the indices uniform."""
    size = int(rng.integers(1, n, 1))
    return tuple(sorted(torch.argsort(rng.uniform(n))[:size].tolist()))


def residual_over_bound(x, inside, outside, s, t, over, term, s_leak, t_leak):
    """Batched: row i of J from the gradient of z_i; log|det J| by LU, and through the exact block inverse its error.

    J = [[I, 0], [C, D]] after a permutation, so row i of |J^-1| is (|C_i|, e_i) / d_i, with d the diagonal of J. LU
    with partial pivoting factors J + E, |E| <= gamma_n n 2^(n-1) max|J| (Wilkinson), so log|det| is off by at most
    -n log(1 - rho), rho = || |J^-1| |E| ||_inf. The pivots u_i are at most 2^(n-1) max|J| = g, so the sum of their
    logarithms, rounded n times, has sum |log u_i| <= 2 n log g + |log|det J||. The bound is doubled for its own
    rounding.
    """
    x = x.requires_grad_()
    z, scales, _ = layer(x, inside, s, t, s_leak, t_leak)
    n = x.shape[1]
    rows = [torch.autograd.grad(z[:, i].sum(), x, retain_graph=True)[0] for i in range(n)]
    J, scales = torch.stack(rows, 1), scales.detach()
    largest, diagonal = J.abs().amax((1, 2)), J.diagonal(dim1=1, dim2=2).abs()
    inverse = ((J.abs().sum(2) - diagonal + 1) / diagonal).amax(1)
    rho = inverse * n * gamma(n) * n * 2.0 ** (n - 1) * largest
    value, formula = torch.linalg.slogdet(J).logabsdet, claimed(scales, inside, outside, over, term)
    logs = 2 * n * (2.0 ** (n - 1) * largest).log() + value.abs()
    bound = -n * torch.log1p(-rho) + (gamma(n) + LIBM) * logs + n * LIBM + gamma(n) * scales.abs().sum(1)
    return (value - formula).abs() / (2 * bound)


theorem.false_if("the sum runs over O instead of its complement", over=lambda inside, outside: inside)
theorem.false_if(
    "exp(s) is summed instead of s", term=lambda s: torch.exp(s) if isinstance(s, torch.Tensor) else sp.exp(s)
)
theorem.false_if("the sign is wrong", term=lambda s: -s)
theorem.false_if("the layer preserves volume", term=lambda s: 0 * s)
theorem.false_if("P and its inverse change places", conjugated=lambda P, J: P.T * J * P)
theorem.false_if("t depends on x_Oc as well", drops="s_and_t_read_only_x_O", t_leak=LEAK)
theorem.false_if("s depends on x_Oc as well", drops="s_and_t_read_only_x_O", s_leak=LEAK)
