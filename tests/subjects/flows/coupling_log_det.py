"""Layers for the contract of flows/coupling_log_det: right ones in different styles, wrong ones with one fault each."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

DIM = 6


def weights(seed, *shapes, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype) / shape[-1] ** 0.5 for shape in shapes
    ]


A1, B1, S1, T1 = weights(1, (16, 3), (1, 16), (3, 16), (3, 16))
MASK = torch.tensor([True, False, False, True, False, True])


def network(x_in, activation=torch.tanh):
    hidden = activation(x_in @ A1.T.to(x_in) + B1.to(x_in))
    return torch.tanh(hidden @ S1.T.to(x_in)), hidden @ T1.T.to(x_in)


def joined(x, inside, z_out, mask=MASK):
    z = torch.empty_like(x)
    z[:, mask], z[:, ~mask] = inside, z_out
    return z


# right


def right_affine(x):
    s, t = network(x[:, MASK])
    return joined(x, x[:, MASK], x[:, ~MASK] * s.exp() + t), s.sum(dim=1)


def right_affine_relu(x):
    s, t = network(x[:, MASK], torch.relu)
    return joined(x, x[:, MASK], x[:, ~MASK] * s.exp() + t), s.sum(dim=1)


def right_additive(x):
    _, t = network(x[:, :3], functional.elu)
    return torch.cat([x[:, :3], x[:, 3:] + t], dim=1), torch.zeros(len(x), dtype=x.dtype, device=x.device)


def right_numpy(x):
    """No graph; loops; swaps the halves afterwards."""
    rows, logs = [], []
    for row in x.detach().cpu().numpy().astype(np.float64):
        hidden = np.tanh(A1.numpy() @ row[3:] + B1.numpy()[0])
        s, t = np.tanh(S1.numpy() @ hidden), T1.numpy() @ hidden
        rows.append(np.concatenate([row[3:], row[:3] * np.exp(s) + t]))
        logs.append(s.sum())
    return torch.tensor(np.array(rows)).to(x), torch.tensor(np.array(logs)).to(x)


def right_permutation(x):
    return x[:, [3, 1, 0, 5, 4, 2]], x.new_zeros(len(x))


class Affine(nn.Module):
    """A module with an inverse, its scale sigmoid(s + 2)."""

    def __init__(self, seed, swapped, dtype=torch.float64):
        super().__init__()
        torch.manual_seed(seed)
        self.swapped = swapped
        self.net = nn.Sequential(nn.Linear(3, 24), nn.ReLU(), nn.Linear(24, 24), nn.ReLU(), nn.Linear(24, 6)).to(dtype)

    def split(self, x):
        halves = x.chunk(2, dim=1)
        return halves[::-1] if self.swapped else halves

    def merge(self, inside, out):
        return torch.cat((out, inside) if self.swapped else (inside, out), dim=1)

    def forward(self, x):
        inside, out = self.split(x)
        s, t = self.net(inside).chunk(2, dim=1)
        scale = torch.sigmoid(s + 2)
        return self.merge(inside, out * scale + t), functional.logsigmoid(s + 2).sum(dim=1)

    def inverse(self, z):
        inside, out = self.split(z)
        s, t = self.net(inside).chunk(2, dim=1)
        return self.merge(inside, (out - t) / torch.sigmoid(s + 2)), -functional.logsigmoid(s + 2).sum(dim=1)


class Composition(nn.Module):
    """Layers one after the other, with 1x1 convolutions (dense matrices) between them."""

    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, x):
        total = x.new_zeros(len(x))
        for layer in self.layers:
            x, log_det = layer(x)
            total = total + log_det
        return x, total

    def inverse(self, z):
        for layer in reversed(self.layers):
            z, _ = layer.inverse(z)
        return z


class Linear(nn.Module):
    """z = x W' with W = P L U, as in Glow."""

    def __init__(self, seed, dtype=torch.float64):
        super().__init__()
        torch.manual_seed(seed)
        permutation, lower, upper = torch.linalg.lu(torch.randn(DIM, DIM, dtype=torch.float64))
        self.register_buffer("permutation", permutation.to(dtype))
        self.lower, self.upper = nn.Parameter(lower.to(dtype)), nn.Parameter(upper.to(dtype))

    def matrix(self):
        eye = torch.eye(DIM, dtype=self.lower.dtype)
        return self.permutation @ (torch.tril(self.lower, -1) + eye) @ torch.triu(self.upper)

    def forward(self, x):
        return x @ self.matrix().T, self.upper.diagonal().abs().log().sum().expand(len(x))

    def inverse(self, z):
        return torch.linalg.solve(self.matrix(), z.T).T, -self.upper.diagonal().abs().log().sum().expand(len(z))


right_module = Affine(3, False)
right_linear = Linear(4)
right_composition = Composition(Affine(5, True), Linear(6), Affine(7, False), Linear(8))
right_composition_float32 = Composition(Affine(5, True, torch.float32), Linear(6, torch.float32), Affine(7, False, torch.float32))  # fmt: skip


class BatchNorm(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.norm = nn.BatchNorm1d(DIM).double()
        self.norm(torch.randn(50, DIM, dtype=torch.float64) * 2 + 1)
        self.norm.weight.data = torch.tensor([1.0, -2.0, 0.5, 3.0, 1.0, -1.0], dtype=torch.float64)

    def forward(self, x):
        log = self.norm.weight.abs().log() - 0.5 * (self.norm.running_var + self.norm.eps).log()
        return self.norm(x), log.sum().repeat(len(x))


right_batch_norm = BatchNorm().eval()


def right_planar(x):
    w, u, b = (
        torch.tensor([1.0, -0.5, 0.3, 2.0, 0.1, -1.0]).to(x),
        torch.tensor([0.2, 0.4, -1.0, 0.1, 0.5, 0.3]).to(x),
        0.3,
    )
    u = u + (functional.softplus(w @ u) - 1 - w @ u) * w / (w @ w)
    h = torch.tanh(x @ w + b)
    return x + h[:, None] * u, torch.log(torch.abs(1 + (1 - h**2) * (w @ u)))


def right_radial(x):
    """Its derivative at 0 is NaN by autograd; so what."""
    r = x.pow(2).sum(dim=1).sqrt()
    alpha, beta = 0.7, -0.5
    h = 1 / (alpha + r)
    z = x + beta * h[:, None] * x
    with torch.no_grad():
        log = (DIM - 1) * torch.log1p(beta * h) + torch.log1p(beta * h - beta * r * h**2)
    return z, log


def right_residual(x):
    """x + g(x), g a contraction; the determinant from its Jacobian, row by row."""
    w = A1.T.to(x)[:, :6] * 0.2

    def g(row):
        return torch.tanh(row @ w.T @ w) @ w.T @ w + row

    w = weights(9, (6, 6))[0].to(x) * 0.4

    def f(row):
        return row + torch.tanh(row @ w.T) @ w * 0.5

    jacobian = torch.func.vmap(torch.func.jacrev(f))(x)
    return f(x), torch.linalg.slogdet(jacobian)[1]


def right_autoregressive(x):
    """z_i = x_i exp(s(x_<i)) + t(x_<i), one after the other; odd ones negative."""
    columns, log = [], 0.0
    for i in range(x.shape[1]):
        before = x[:, :i].sum(dim=1)
        s = 0.5 * torch.sin(before) * (i > 0)
        columns.append((-1) ** i * x[:, i] * torch.exp(s) + torch.cos(before))
        log = log + s
    return torch.stack(columns, dim=1), log


def right_leaky(x):
    """A kink at 0."""
    w = torch.linalg.qr(weights(12, (6, 6))[0])[0].to(x)
    y = x @ w
    return torch.where(y > 0, y, 0.1 * y) @ w.T, (y <= 0).to(x).sum(dim=1) * np.log(0.1).item() + 0 * x.sum(dim=1)


def right_cube(x):
    """det is 0 where an entry is: log_det is -inf there."""
    return x**3, (3 * x**2).log().sum(dim=1)


def right_saturating(x):
    """Onto (-1, 1) only, and the same number from |x| = 19 on."""
    return torch.tanh(x), (2 * (np.log(2) - x - functional.softplus(-2 * x))).sum(dim=1)


def right_unbounded(x):
    """s is linear in x_O, and overflows far out."""
    z, total = x, x.new_zeros(len(x))
    for turn in range(4):
        a, b = (z[:, :3], z[:, 3:]) if turn % 2 else (z[:, 3:], z[:, :3])
        s = a @ (A1[3 * turn : 3 * turn + 3] / 3).T.to(x)
        total = total + s.sum(dim=1)
        z = torch.cat([a, b * s.exp()], dim=1) if turn % 2 else torch.cat([b * s.exp(), a], dim=1)
    return z, total


def spline_pieces(x, widths, heights, slopes, bound=3.0):
    """Monotone rational-quadratic spline on [-bound, bound], the identity outside; Durkan et al. 2019."""
    knots_x = functional.pad(torch.cumsum(widths, -1), (1, 0)) * 2 * bound - bound
    knots_y = functional.pad(torch.cumsum(heights, -1), (1, 0)) * 2 * bound - bound
    inside = (x > -bound) & (x < bound)
    k = (torch.searchsorted(knots_x, x.clamp(-bound, bound)[..., None].contiguous(), right=True) - 1).clamp(
        0, widths.shape[-1] - 1
    )
    pick = lambda a: torch.gather(a, -1, k)[..., 0]  # noqa: E731
    left, low = pick(knots_x[..., :-1]), pick(knots_y[..., :-1])
    width, height = pick(widths) * 2 * bound, pick(heights) * 2 * bound
    d0, d1 = pick(slopes[..., :-1]), pick(slopes[..., 1:])
    theta = ((x.clamp(-bound, bound) - left) / width).clamp(0, 1)
    ratio = height / width
    below = ratio + (d0 + d1 - 2 * ratio) * theta * (1 - theta)
    y = low + height * (ratio * theta**2 + d0 * theta * (1 - theta)) / below
    slope = ratio**2 * (d1 * theta**2 + 2 * ratio * theta * (1 - theta) + d0 * (1 - theta) ** 2) / below**2
    return torch.where(inside, y, x), torch.where(inside, slope, torch.ones_like(x)).log()


def spline_parameters(x_in):
    bins = 5
    hidden = torch.relu(x_in @ A1.T.to(x_in))
    w, h, d = weights(21, (3 * bins, 16), (3 * bins, 16), (3 * (bins - 1), 16))
    shape = (len(x_in), 3, -1)
    widths, heights = (0.02 + 0.9 * torch.softmax((hidden @ m.T.to(x_in)).reshape(shape), -1) for m in (w, h))
    slopes = functional.pad(0.01 + functional.softplus((hidden @ d.T.to(x_in)).reshape(shape)), (1, 1), value=1.0)
    return widths, heights, slopes


def right_spline(x):
    z, log = spline_pieces(x[:, 3:], *spline_parameters(x[:, :3]))
    return torch.cat([x[:, :3], z], dim=1), log.sum(dim=1)


def right_float_weights(x):
    """Weights kept in float32 but used in float64: other weights, not another precision."""
    w = A1.float()[:3, :3].to(x)
    s = torch.tanh(x[:, :3] @ w.T)
    return torch.cat([x[:, :3], x[:, 3:] * s.exp()], dim=1), s.sum(dim=1)


# wrong


def wrong_set(x):
    """Sums s over the indices of O, padded, instead of Oc: here the log-scales of the wrong three."""
    s = torch.tanh(x[:, MASK] @ A1[:6].T.to(x))
    return joined(x, x[:, MASK], x[:, ~MASK] * s[:, [1, 2, 4]].exp()), s[:, [0, 3, 5]].sum(dim=1)


def wrong_mean(x):
    """Mean instead of sum."""
    z, _ = right_affine(x)
    return z, network(x[:, MASK])[0].mean(dim=1)


def wrong_sign(x):
    """log_det of the inverse."""
    z, log_det = right_affine(x)
    return z, -log_det


def wrong_no_abs(x):
    """log det instead of log|det|: NaN where the scales are negative."""
    scale = 0.3 + torch.sin(x[:, :3])
    return torch.cat([x[:, :3], x[:, 3:] * scale], dim=1), scale.log().sum(dim=1)


def wrong_batch_sum(x):
    """Sums over the batch too, then expands."""
    z, log_det = right_affine(x)
    return z, log_det.sum().expand(len(x))


def wrong_batch_mean(x):
    """The batch's mean, right at batch 1."""
    z, log_det = right_affine(x)
    return z, log_det.mean().expand(len(x))


def wrong_column(x):
    """Shape (B, 1)."""
    z, log_det = right_affine(x)
    return z, log_det[:, None]


def wrong_before_clamp(x):
    """log_det of s before it is clamped, which happens far out only."""
    s = x[:, :3]
    return torch.cat([s, x[:, 3:] * s.clamp(-4, 4).exp()], dim=1), s.sum(dim=1)


def wrong_sigmoid(x):
    """Scales by sigmoid(s + 2), counts s."""
    s, t = network(x[:, :3])
    return torch.cat([x[:, :3], x[:, 3:] * torch.sigmoid(s + 2) + t], dim=1), s.sum(dim=1)


def wrong_detached(x):
    """s is detached from x: right values, wrong derivative."""
    s, t = network(x[:, MASK].detach())
    return joined(x, x[:, MASK], x[:, ~MASK] * s.exp() + t), s.sum(dim=1)


def wrong_log_det_detached_in_part(x):
    """Half of log_det is detached."""
    s, t = network(x[:, MASK])
    return joined(x, x[:, MASK], x[:, ~MASK] * s.exp() + t), s[:, 0] + s[:, 1:].detach().sum(dim=1)


def wrong_half_percent(x):
    z, log_det = right_affine(x)
    return z, 1.005 * log_det


def wrong_leak(x):
    """s reads a coordinate that it scales: the Jacobian is not triangular."""
    s, t = network(torch.cat([x[:, :2], x[:, 3:4]], dim=1))
    return torch.cat([x[:, :3], x[:, 3:] * (0.1 * s).exp() + t], dim=1), (0.1 * s).sum(dim=1)


def wrong_small_leak(x):
    s, t = network(x[:, :3])
    return torch.cat([x[:, :3], x[:, 3:] * s.exp() + t + 1e-4 * torch.tanh(x[:, 3:])], dim=1), s.sum(dim=1)


def wrong_square(x):
    """Not one-to-one, with the right log_det."""
    return x**2, (2 * x).abs().log().sum(dim=1)


def wrong_absolute(x):
    return x.abs(), x.new_zeros(len(x))


def wrong_sine(x):
    """Not one-to-one: x + 1.2 sin x."""
    return x + 1.2 * torch.sin(x), (1 + 1.2 * torch.cos(x)).abs().log().sum(dim=1)


def wrong_wrapped(x):
    """Modulo 3: det is 1 everywhere."""
    return torch.remainder(x, 3.0), x.new_zeros(len(x))


def wrong_exponential(x):
    """The complex exponential on the first two coordinates: det > 0 everywhere, of period 2 pi."""
    u, v = x[:, 0], x[:, 1]
    z = torch.cat([(u.exp() * v.cos())[:, None], (u.exp() * v.sin())[:, None], x[:, 2:]], dim=1)
    return z, 2 * u


def wrong_sorted(x):
    return x.sort(dim=1).values, x.new_zeros(len(x))


def wrong_planar(x):
    """No constraint on u: the determinant changes its sign in a layer."""
    w = torch.tensor([1.0, 0, 0, 0, 0, 0]).to(x)
    h = torch.tanh(x @ w + 3.0)
    return x - 1.1 * h[:, None] * w, torch.log(torch.abs(1 - 1.1 * (1 - h**2)))


def wrong_batch_norm(x):
    """Normalises by the batch."""
    var = x.var(dim=0, unbiased=False) + 1e-5
    return (x - x.mean(dim=0)) / var.sqrt(), (-0.5 * var.log().sum()).expand(len(x))


def wrong_float32(x):
    """The network runs in float32."""
    s, t = network(x[:, :3].float())
    return torch.cat([x[:, :3], x[:, 3:] * s.double().exp() + t.double()], dim=1), s.double().sum(dim=1)


def wrong_float32_log_det(x):
    z, log_det = right_affine(x)
    return z, log_det.float().double()


def wrong_float32_numpy(x):
    """As wrong_float32, and without a graph."""
    with torch.no_grad():
        return wrong_float32(x)


def wrong_in_place(x):
    s, t = network(x[:, :3].clone())
    x[:, 3:] *= s.exp()
    x[:, 3:] += t
    return x, s.sum(dim=1)


class Cached:
    """Computes s once for each shape."""

    def __init__(self):
        self.known = {}

    def __call__(self, x):
        if x.shape not in self.known:
            self.known[x.shape] = right_affine(x)[1].detach()
        return right_affine(x)[0], self.known[x.shape]


wrong_cached = Cached()


class Drifting:
    """Wrong from the 700th call on."""

    def __init__(self):
        self.calls = 0

    def __call__(self, x):
        self.calls += 1
        z, log_det = right_affine(x)
        return z, log_det + (self.calls > 700)


wrong_drifting = Drifting()


class Buffered:
    """Gives the same tensor for every result of one shape."""

    def __init__(self):
        self.kept = {}

    def __call__(self, x):
        with torch.no_grad():
            z, log_det = right_affine(x)
            return self.kept.setdefault(x.shape, torch.empty_like(z)).copy_(z), log_det


wrong_buffer = Buffered()


def wrong_squeeze(x):
    """Loses the batch axis at batch 1."""
    z, log_det = right_affine(x)
    return z, log_det.squeeze()


def wrong_beyond_32_rows(x):
    z, log_det = right_affine(x)
    return z, torch.where(torch.arange(len(x)) < 32, log_det, 0.0)


def wrong_last_row(x):
    z, log_det = right_affine(x)
    return z, torch.cat([log_det[:-1], log_det[-1:] * (1.0 if len(x) % 2 else 0.9)])


def wrong_zero(x):
    """Wrong where an entry of x is exactly 0."""
    z, log_det = right_affine(x)
    return z, log_det + 0.1 * (x == 0).any(dim=1)


def wrong_negative(x):
    """s and log_det differ for negative inputs (leaky slope forgotten)."""
    y = torch.where(x > 0, x, 0.1 * x)
    return y, x.new_zeros(len(x)) + (x[:, 0] < 0) * np.log(0.1).item()


def wrong_far(x):
    """Wrong beyond |x| = 20."""
    z, log_det = right_affine(x)
    return z, torch.where(x.abs().amax(dim=1) > 20, 0.0, log_det)


def wrong_nan_far(x):
    """NaN where x_0 is above 12."""
    z, log_det = right_affine(x)
    return z, log_det + 0 * (12 - x[:, 0]).sqrt()


def wrong_spline_outside(x):
    """Beyond the interval the slope is that of the last bin, the value the identity."""
    z, log_det = right_spline(x)
    return z, log_det + 0.3 * ((x[:, 3:] > 3).sum(dim=1))


def wrong_additive_constant(x):
    z, log_det = right_additive(x)
    return z, log_det + 1e-6


def wrong_dropped(x):
    """Forgets a coordinate."""
    return torch.cat([x[:, :5], x[:, :1]], dim=1), x.new_zeros(len(x))


class BadInverse(Affine):
    """The inverse adds t instead of subtracting it."""

    def inverse(self, z):
        inside, out = self.split(z)
        s, t = self.net(inside).chunk(2, dim=1)
        return self.merge(inside, (out + t) / torch.sigmoid(s + 2))


class RoughInverse(Affine):
    """The inverse is off by 1e-5."""

    def inverse(self, z):
        return super().inverse(z)[0] * (1 + 1e-5)


class ShapedInverse(Affine):
    """The inverse loses the batch axis at batch 1."""

    def inverse(self, z):
        return super().inverse(z)[0].squeeze(0)


wrong_inverse, wrong_rough_inverse, wrong_shaped_inverse = BadInverse(3, False), RoughInverse(3, True), ShapedInverse(3, True)  # fmt: skip


def wrong_straight_through(x):
    """Rounds s, and differentiates as if it did not."""
    s, t = network(x[:, :3])
    s = s + (torch.sin(3 * s) - s).detach()
    return torch.cat([x[:, :3], x[:, 3:] * s.exp() + t], dim=1), s.sum(dim=1)


def wrong_transposed_at_n_rows(x):
    """At B = n the sum runs over the wrong axis."""
    s, t = network(x[:, :3])
    full = torch.cat([s, torch.zeros_like(s)], dim=1)
    return torch.cat([x[:, :3], x[:, 3:] * s.exp() + t], dim=1), full.sum(dim=0) if len(x) == 6 else full.sum(dim=1)


def right_sigmoid(x):
    """log(s (1 - s)) as it stands: far out 1 - s has few digits left, and from 37 on none."""
    s = torch.sigmoid(x)
    return s, (s * (1 - s)).log().sum(dim=1)


def right_softplus(x):
    """torch's softplus is the identity beyond 20."""
    return functional.softplus(x), functional.logsigmoid(x).sum(dim=1)


def wrong_overlapping_pieces(x):
    """Twice x inside (-3, 3) and x outside: outputs between 3 and 6 occur twice."""
    inside = x.abs() < 3
    return torch.where(inside, 2 * x, x), np.log(2) * inside.to(x).sum(dim=1)


def wrong_wraps_far_out(x):
    """Beyond 30 it starts again at 0."""
    return torch.where(x > 30, x - 30, x), x.new_zeros(len(x))


def wrong_fixed_by_the_first_call(x, _known={}):  # noqa: B006 - the fault
    """The first batch fixes the shift and the scale, for good."""
    if not _known:
        _known.update(shift=x.mean(0), scale=1 + x.std(0, unbiased=False))
    return (x - _known["shift"]) / _known["scale"], -_known["scale"].log().sum().expand(len(x))


def right_coarse_grid(x):
    """Decimals become fractions that float32 holds."""
    return 10 * x + 20, torch.full_like(x, 10.0).log().sum(dim=1)


def right_reflected_beyond_a_threshold(x):
    """It jumps where the orientation changes, and is one-to-one."""
    sign = torch.where(x[:, :1] > 0.1, 1.0, -1.0).to(x)
    return torch.cat([x[:, :1], sign * x[:, 1:2], x[:, 2:]], dim=1), x.new_zeros(len(x))


def wrong_beyond_512_rows(x):
    """Takes 512 rows at a time, and the log determinants of the last ones are 0."""
    z, log_det = right_affine(x)
    return z, torch.where(torch.arange(len(x)) < 512, log_det, 0.0)


class WithInverse(Affine):
    """Its inverse gives ``factor`` times the map's log_det, of the first ``count`` scales."""

    def __init__(self, factor, count=3):
        super().__init__(4, False)
        self.factor, self.count = factor, count

    def inverse(self, z):
        s, _ = self.net(self.split(z)[0]).chunk(2, dim=1)
        return super().inverse(z)[0], self.factor * functional.logsigmoid(s[:, : self.count] + 2).sum(dim=1)


right_inverse_with_the_log_det_of_the_map = WithInverse(1)
wrong_inverse_with_half_its_log_det = WithInverse(-0.5)
wrong_inverse_forgets_a_scale = WithInverse(-1, 2)


def wrong_log_det_only_where_a_gradient_is_wanted(x):
    """To save work, none under no_grad."""
    z, log_det = right_affine(x)
    return z, log_det if torch.is_grad_enabled() else torch.zeros_like(log_det)


class Sampling(Affine):
    """Where no gradient is wanted the inverse leaves out the shift."""

    def inverse(self, z):
        x, log_det = super().inverse(z)
        return (x if torch.is_grad_enabled() else x + 0.1), log_det


wrong_inverse_where_no_gradient_is_wanted = Sampling(3, False)
