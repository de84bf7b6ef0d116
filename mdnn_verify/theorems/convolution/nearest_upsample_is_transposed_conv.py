r"""Nearest-neighbour upsampling by r is a transposed convolution with kernel r, stride r and weights one.

For images $X$ with $C$ channels and any $r \ge 1$, nearest-neighbour upsampling $U(X)_{c,i,j} = X_{c, i \div r, j \div
r}$ (indices from 0, integer division) is what

    layer = nn.ConvTranspose2d(C, C, kernel_size=r, stride=r, padding=0, output_padding=0, groups=C, bias=False)
    layer.weight.data = torch.ones(C, 1, r, r)

computes; with ``groups=1`` the weights are 1 where input and output channel agree and 0 elsewhere, shape (C, C, r, r).
A transposed convolution with stride $s$ and padding $p$ adds $X_{c,a,b} W_{c,d,k,l}$ to the output pixel
$(sa + k - p, sb + l - p)$ of channel $d$. For $s = r$, $p = 0$ and $0 \le k < r$ the equation $ra + k = i$ is division
with remainder: exactly one pair solves it, $a = i \div r$ and $k = i \bmod r$. So every output pixel receives one term
from each input channel, and the weights keep that of its own. Products with 1 and sums with 0 round nothing: finite
outputs are equal bit for bit. (With ``groups=1`` an infinite entry would meet a weight 0 and give NaN.)

Note on torch: ``nn.Upsample(scale_factor=r, mode="nearest")`` multiplies the index by a rounded $1/r$, which is one
pixel off for some r: in torch 2.13 on a CPU for 41, 47, 55, 61, 82, ... with float32 images and for 41 with float64
ones. Below 41 it is right; the transposed convolution is right for all r.

Source: seed 004, Problem 2.
"""

import sympy as sp
import torch
import z3

from mdnn_verify.engines.montecarlo import BoundedMean, NeverViolated
from mdnn_verify.engines.pathwise import Residual
from mdnn_verify.engines.smt import Valid, rational
from mdnn_verify.pictures import Curve, Curves
from mdnn_verify.theorem import Theorem

r, h, C, c, d, i, a, k, l, q, m = z3.Ints("r h C c d i a k l q m")
X = z3.Function("X", z3.IntSort(), z3.RealSort())  # the one input pixel that matters, by channel


def kernel_and_stride_r(r):
    """Kernel size, stride, padding and output padding."""
    return r, r, 0, 0


def own_channel(c, d, k, l, r):
    """The weight from channel c to channel d at offset (k, l), 0 <= k, l < kernel size."""
    return choose(c == d, 1, 0)


def choose(condition, yes, no):
    """``yes`` if the condition holds; for Python's numbers, and as a real for Z3's terms."""
    if z3.is_expr(condition):
        return z3.If(condition, real(yes), real(no))
    return yes if condition else no


def real(number):
    """A Z3 real from a Z3 term or a Python integer."""
    if z3.is_expr(number):
        return z3.ToReal(number) if number.is_int() else number
    return z3.RealVal(number)


theorem = Theorem(
    statement=r"U(X)_{d,i,j}=X_{d,\lfloor i/r\rfloor,\lfloor j/r\rfloor}=\sum_{c}\ \sum_{ra+k=i,\ rb+l=j}"
    r"X_{c,a,b}\,W_{c,d,k,l},\qquad W_{c,d,k,l}=\delta_{cd},\quad 0\le k,l<r",
    given={"arguments": kernel_and_stride_r, "entry": own_channel, "bias": sp.Integer(0)},
)


@theorem.hypothesis
def arguments_are_legal(arguments):
    """For some r, torch accepts them: a positive kernel and stride, paddings not negative, output padding < stride."""
    kernel, stride, padding, output_padding = map(as_integer, arguments(r))
    legal = [kernel >= 1, stride >= 1, padding >= 0, output_padding >= 0, output_padding < stride]
    return Valid(z3.And(legal), given=[r >= 1])


@theorem.proof(scope="all r >= 1 and all heights (likewise widths) h >= 1")
def output_has_r_times_the_size(arguments):
    """The size of a transposed convolution's output, $(h-1)s - 2p + (K-1) + o + 1$, is $rh$."""
    kernel, stride, padding, output_padding = arguments(r)
    return Valid((h - 1) * stride - 2 * padding + (kernel - 1) + output_padding + 1 == r * h, given=[r >= 1, h >= 1])


@theorem.proof(scope="all r >= 1, all sizes, every output pixel; rows and, likewise, columns")
def one_input_pixel_contributes(arguments):
    r"""Of all $a$ and $0 \le k < K$ with $sa + k - p = i$ one is left: $a = i \div r$, $k = i \bmod r$."""
    kernel, stride, padding, _ = arguments(r)
    # i = q r + m is the division with remainder; d >= 1 and r >= 1 give d r >= r, all that is needed of products
    pixel = [r >= 1, h >= 1, i == q * r + m, m >= 0, m < r]
    yield Valid(d * r >= r, given=[d >= 1, r >= 1])
    later, earlier = z3.Implies(a > q, (a - q) * r >= r), z3.Implies(q > a, (q - a) * r >= r)
    meets = [k >= 0, k < kernel, stride * a + k - padding == i]
    yield Valid(z3.And(a == q, k == m), given=[*pixel, *meets, later, earlier])
    yield Valid(z3.And(m >= 0, m < kernel, stride * q + m - padding == i), given=pixel)
    inside = [i >= 0, i < r * h, z3.Implies(q >= h, (q - h) * r >= 0), z3.Implies(q <= -1, (-1 - q) * r >= r)]
    yield Valid(z3.And(q >= 0, q < h), given=[*pixel, *inside])


@theorem.proof(scope="all C >= 1 by induction over the input channels, all r >= 1, all offsets and all values")
def weights_keep_the_own_channel(entry, bias):
    """Summed over the channels with the weights at that offset, the contributions are the own channel's pixel."""
    S = z3.Function("S", z3.IntSort(), z3.RealSort())  # S(c): the sum over the channels before c
    given = [r >= 1, k >= 0, k < r, l >= 0, l < r, d >= 0, d < C]
    partial = S(c) == z3.If(d < c, X(d), 0)
    step = S(c + 1) == S(c) + X(c) * entry(c, d, k, l, r)
    yield Valid(S(0) == z3.If(d < 0, X(d), 0), given=[*given, S(0) == 0])
    yield Valid(S(c + 1) == z3.If(d < c + 1, X(d), 0), given=[*given, c >= 0, c < C, partial, step])
    total = S(C) == z3.If(d < C, X(d), 0)
    yield Valid(S(C) + rational(bias) == X(d), given=[*given, total])
    yield Valid(entry(d, d, k, l, r) == 1, given=given)  # all that is left with groups = C


@theorem.pathwise(scope="r = 1, ..., 7 and 41, 1 to 3 channels, five sizes, one group and C groups, bit for bit")
def outputs_are_bit_equal(arguments, entry, bias, rng):
    """The layer of torch against copied pixels, in float64 and float32, entries from 1e-300 to 1e300 among them."""
    for ratio in (1, 2, 3, 4, 5, 6, 7, 41):
        for index, (rows, columns) in enumerate(((1, 1), (1, 3), (2, 2), (3, 1), (4, 5))):
            channels, dtype = 1 + index % 3, (torch.float64, torch.float32)[index % 2]
            images = rng.normal((2, channels, rows, columns))
            if dtype is torch.float64:
                images = images * torch.pow(10.0, 100 * rng.integers(-3, 4, images.shape).double())
            for groups in {1, channels}:
                convolution = layer(arguments, entry, bias, ratio, channels, groups, dtype)
                at = {"r": ratio, "C": channels, "groups": groups, "h, w": (rows, columns), "dtype": dtype}
                expected = copied(images.to(dtype), ratio)
                yield Residual(computed(convolution, images.to(dtype), expected.shape), expected, 0.0, at)


@theorem.pathwise(scope="r = 1, ..., 12, torch.nn.Upsample(mode='nearest'), 2 channels, 3 x 4 images, bit for bit")
def outputs_are_those_of_upsample(arguments, entry, bias, rng):
    """The layer that the source names computes the same for these r (for r = 41 it does not, as said above)."""
    for ratio in range(1, 13):
        images = rng.normal((1, 2, 3, 4))
        named = torch.nn.Upsample(scale_factor=ratio, mode="nearest")
        expected, convolution = named(images), layer(arguments, entry, bias, ratio, 2, 2, torch.float64)
        yield Residual(computed(convolution, images, expected.shape), expected, 0.0, {"r": ratio, "X": images})


@theorem.monte_carlo(scope="r from 1 to 4, C from 1 to 3, sizes up to 3 x 3, all uniform; normal entries; one group")
def never_one_bit_off(arguments, entry, bias):
    """A violation is any entry of any output that differs in a bit."""
    menu = [(ratio, n, u, w) for ratio in range(1, 5) for n in range(1, 4) for u in range(1, 4) for w in range(1, 4)]
    layers = {(ratio, n): layer(arguments, entry, bias, ratio, n, 1, torch.float64) for ratio, n, *_ in menu}

    def draw(rng, size):
        which, ratios = rng.integers(0, len(menu), size), torch.zeros(size, dtype=torch.float64, device=rng.device)
        for index, (ratio, channels, rows, columns) in enumerate(menu):
            chosen = which == index
            images = rng.normal((int(chosen.sum()), channels, rows, columns))
            expected = copied(images, ratio)
            found = computed(layers[ratio, channels].to(rng.device), images, expected.shape)
            ratios[chosen] = torch.where((found == expected).flatten(1).all(1), 0.0, 2.0).double()
        return ratios

    return NeverViolated(draw)


@theorem.monte_carlo(scope="r = 2, C = 2, 1 x 2 images; X and Y uniform over all signs")
def random_probes_give_the_squared_norm(arguments, entry, bias):
    r"""$E[\langle Y, LX \rangle \langle Y, UX \rangle] = \|U\|^2 = E[\langle Y, LX \rangle^2]$ for L = U only, by
    Cauchy-Schwarz; $\|U\|^2$ counts the output pixels, one weight 1 each."""
    convolution, basis = layer(arguments, entry, bias, 2, 2, 1, torch.float64), torch.eye(4, dtype=torch.float64)
    images = torch.cat([torch.zeros(1, 4, dtype=torch.float64), basis]).reshape(5, 2, 1, 2)
    offset, *columns = computed(convolution, images, (5, 2, 2, 4)).nan_to_num(0.0).flatten(1)
    matrix, truth = torch.stack(columns) - offset, copied(images[1:], 2).flatten(1)  # one row an input pixel
    pixels = truth.shape[1]
    support = max(float(matrix.abs().sum() + offset.abs().sum()), pixels) ** 2 + 2.0**-20

    def probes(rng, n):
        signs = 2 * rng.integers(0, 2, (n, 4 + pixels)).double() - 1
        X, Y = signs[:, :4], signs[:, 4:]
        found = X @ matrix.to(rng.device) + offset.to(rng.device)
        return (Y * found).sum(1), (Y * (X @ truth.to(rng.device))).sum(1)

    return {
        "trace": BoundedMean(lambda rng, n: torch.mul(*probes(rng, n)), pixels, -support, support, pixels, within=0.02),
        "norm": BoundedMean(lambda rng, n: probes(rng, n)[0].square(), pixels, -support, support, pixels, within=0.02),
    }


@theorem.picture
def number_of_contributions(arguments):
    """Terms that reach each output pixel of a row of 4 for r = 3: one each, but not for kernels of 2 or 4."""
    curves = []
    for kernel in sorted({2, arguments(3)[0], 4}):
        reached = torch.nn.functional.conv_transpose1d(torch.ones(1, 1, 4), torch.ones(1, 1, kernel), stride=3)[0, 0]
        curves.append(Curve(f"kernel {kernel}", list(range(len(reached))), reached.tolist(), style="step"))
    return Curves("Input pixels that reach each output pixel, stride 3", "output pixel", "number of terms", curves)


def as_integer(number):
    """A Z3 integer from a Python one; terms stay."""
    return number if z3.is_expr(number) else z3.IntVal(number)


def layer(arguments, entry, bias, ratio, channels, groups, dtype):
    """The layer as torch has it, weights by ``entry``: (C, C, K, K) for one group, (C, 1, K, K) for C of them."""
    kernel, stride, padding, output_padding = arguments(ratio)
    built = torch.nn.ConvTranspose2d(
        channels, channels, kernel, stride, padding, output_padding, groups, bias=bool(bias), dtype=dtype
    )
    per_group, offsets = range(channels) if groups == 1 else [None], range(kernel)
    weights = [
        [[[entry(u, u if v is None else v, x, y, ratio) for y in offsets] for x in offsets] for v in per_group]
        for u in range(channels)
    ]
    built.weight.data = torch.tensor(weights, dtype=dtype)
    if bias:
        built.bias.data.fill_(float(bias))
    return built


def copied(images, ratio):
    """Nearest-neighbour upsampling by its definition, (..., h, w) -> (..., r h, r w)."""
    return images.repeat_interleave(ratio, dim=-2).repeat_interleave(ratio, dim=-1)


def computed(convolution, images, shape):
    """The layer's output if it has this shape, else NaN (a false neighbour's may be of another size, or of none)."""
    sizes = zip(images.shape[-2:], convolution.stride, convolution.padding, convolution.kernel_size, strict=True)
    extra = convolution.output_padding
    rows, columns = ((n - 1) * s - 2 * p + k + o for (n, s, p, k), o in zip(sizes, extra, strict=True))
    if (rows, columns) != tuple(shape[-2:]):
        return images.new_full(tuple(shape), float("nan"))
    with torch.no_grad():
        return convolution(images)


def mean_weights(c, d, k, l, r):
    """1 / r^2 within the channel, the weights of an average."""
    share = 1 / real(r * r) if z3.is_expr(r) else 1 / (r * r)
    return choose(c == d, share, 0)


def within_two(c, d, k, l, r):
    """Ones in a window of 2 x 2 only: right for r <= 2."""
    inside = z3.And(k < 2, l < 2, c == d) if z3.is_expr(k) else (k < 2 and l < 2 and c == d)
    return choose(inside, 1, 0)


theorem.false_if("padding 1", arguments=lambda r: (r, r, 1, 0))
theorem.false_if("padding 1, made up for by a kernel of r + 2", arguments=lambda r: (r + 2, r, 1, 0))
theorem.false_if("a kernel of 1 and output padding r - 1", arguments=lambda r: (1, r, 0, r - 1))
theorem.false_if("a kernel and stride of 2 for every r", arguments=lambda r: (2, 2, 0, 0))
theorem.false_if("weights 1/r^2", entry=mean_weights)
theorem.false_if("channels mixed: all weights 1 in one group", entry=lambda c, d, k, l, r: choose(c == c, 1, 0))
theorem.false_if("ones in a 2 x 2 window, right for r = 2", entry=within_two)
theorem.false_if("the channels are passed on to the next one", entry=lambda c, d, k, l, r: choose(d == c + 1, 1, 0))
theorem.false_if("the bias is not switched off", bias=sp.Rational(1, 8))
