"""One-dimensional flows for the contract of flows/flow1d_density: right ones, and wrong ones with one fault each."""

import math

import numpy as np
import torch
from scipy import stats
from torch import nn
from torch.nn import functional

W = torch.tensor([0.3, -0.5, 0.1, 0.8, -1.0], dtype=torch.float64)
MU = torch.tensor([-2.0, -0.5, 0.3, 1.4, 3.0], dtype=torch.float64)
TAU = torch.tensor([0.1, -0.7, 0.4, -0.3, 0.2], dtype=torch.float64)


def parts(x):
    w, mu, sigma = W.to(x).exp(), MU.to(x), TAU.to(x).exp()
    return w, (x[:, None] - mu) / sigma, sigma


def phi(u):
    return torch.exp(-0.5 * u * u) / math.sqrt(2 * math.pi)


def cdf(u):
    return 0.5 * (1 + torch.erf(u / math.sqrt(2)))


# right


def right_mixture(x):
    """The seeds' flow."""
    w, u, sigma = parts(x)
    return (w * (cdf(u) - 0.5)).sum(dim=1), (w * phi(u) / sigma).sum(dim=1)


class Mixture(nn.Module):
    """By torch.distributions, with an inverse by bisection that holds the root."""

    def __init__(self):
        super().__init__()
        self.w, self.mu, self.tau = nn.Parameter(W.clone()), nn.Parameter(MU.clone()), nn.Parameter(TAU.clone())

    def forward(self, x):
        normal = torch.distributions.Normal(self.mu, self.tau.exp())
        z = self.w.exp() * (normal.cdf(x[:, None]) - 0.5)
        return z.sum(dim=1), (self.w + normal.log_prob(x[:, None])).logsumexp(dim=1).exp()

    def inverse(self, z):
        low, high = torch.full_like(z, -1.0), torch.full_like(z, 1.0)
        while bool((self(low)[0] > z).any()) or bool((self(high)[0] < z).any()):
            low, high = 2 * low, 2 * high
            if float(high[0]) > 1e6:
                raise ValueError("outside the range of the flow")
        for _ in range(100):
            middle = (low + high) / 2
            below = self(middle)[0] < z
            low, high = torch.where(below, middle, low), torch.where(below, high, middle)
        return ((low + high) / 2).detach()


right_module = Mixture()


def right_scipy(x):
    """No graph."""
    u = x.detach().cpu().numpy()[:, None]
    w, mu, sigma = (a.numpy() for a in (W.exp(), MU, TAU.exp()))
    z = (w * (stats.norm.cdf(u, mu, sigma) - 0.5)).sum(axis=1)
    slope = (w * stats.norm.pdf(u, mu, sigma)).sum(axis=1)
    return torch.tensor(z).to(x), torch.tensor(slope).to(x)


def right_loop(x):
    pairs = [(v + math.tanh(v), 2 - math.tanh(v) ** 2) for v in x.tolist()]
    return x.new_tensor([z for z, _ in pairs]), x.new_tensor([d for _, d in pairs])


def right_autograd(x):
    with torch.enable_grad():
        y = x.detach().requires_grad_()
        z = y + 0.5 * torch.sin(y)
        (slope,) = torch.autograd.grad(z.sum(), y)
    return z.detach(), slope


def right_leaky(x):
    """A kink at 0."""
    return functional.leaky_relu(x, 0.2), torch.where(x > 0, torch.ones_like(x), 0.2)


def right_piecewise(x):
    """Linear between integers: kinks where the small inputs are."""
    slopes = torch.tensor([0.5, 2.0, 1.0, 3.0, 0.1, 1.5]).to(x)
    knots = torch.arange(-3, 4).to(x)
    heights = functional.pad(slopes.cumsum(0), (1, 0)) - 3
    k = (torch.searchsorted(knots, x.contiguous(), right=True) - 1).clamp(0, 5)
    return heights[k] + slopes[k] * (x - knots[k]), slopes[k]


def right_cube(x):
    """Slope 0 at 0, and strictly increasing all the same."""
    return x**3, 3 * x**2


def right_logistic(x):
    """Saturates: s (1 - s) is 0 from 37 on."""
    s = torch.sigmoid(2 * x)
    return s, 2 * s * (1 - s)


def right_exponential(x):
    return torch.exp(x), torch.exp(x)


def right_sinh(x):
    """Overflows past 37."""
    y = torch.sinh(x)
    return torch.sinh(y / 10), torch.cosh(y / 10) * torch.cosh(x) / 10


def right_tanh_approximation(x):
    """Phi by a tanh, and the derivative of just that."""
    a, b = math.sqrt(2 / math.pi), 0.044715
    t = torch.tanh(a * (x + b * x**3))
    return 0.5 * (1 + t), 0.5 * (1 - t**2) * a * (1 + 3 * b * x**2)


class Affine:
    def __call__(self, x):
        return 3 * x - 1, torch.full_like(x, 3.0)

    def inverse(self, z):
        return (z + 1) / 3, torch.full_like(z, 1 / 3)


right_affine = Affine()
right_affine_float32 = Affine()


def right_mixture_float32(x):
    return right_mixture(x)


def right_cubic_root(x):
    """Slope infinite at 0."""
    root = torch.sign(x) * x.abs() ** (1 / 3)
    return root, x.abs() ** (-2 / 3) / 3


def right_softplus(x):
    return functional.softplus(x, threshold=50), torch.sigmoid(x)


def right_elu(x):
    """The second derivative jumps at 0."""
    return functional.elu(x), torch.where(x > 0, 1.0, torch.exp(x.clamp(max=0)))


# wrong


def wrong_without_weights(x):
    """f' without the weights."""
    w, u, sigma = parts(x)
    return (w * (cdf(u) - 0.5)).sum(dim=1), (phi(u) / sigma).sum(dim=1)


def wrong_without_sigma(x):
    w, u, _ = parts(x)
    return (w * (cdf(u) - 0.5)).sum(dim=1), (w * phi(u)).sum(dim=1)


def wrong_log_weights(x):
    """Weights w where exp(w) is meant: not increasing."""
    _, u, sigma = parts(x)
    return (W.to(x) * (cdf(u) - 0.5)).sum(dim=1), (W.to(x) * phi(u) / sigma).sum(dim=1)


def wrong_mean(x):
    w, u, sigma = parts(x)
    return (w * (cdf(u) - 0.5)).sum(dim=1), (w * phi(u) / sigma).mean(dim=1)


def wrong_logarithm(x):
    z, slope = right_mixture(x)
    return z, slope.log()


def wrong_decreasing(x):
    return -x, -torch.ones_like(x)


def wrong_decreasing_absolute(x):
    return -x, torch.ones_like(x)


def wrong_flat(x):
    """Constant below 0."""
    return functional.relu(x), (x > 0).to(x)


def wrong_clamped(x):
    """Constant beyond 6."""
    return x.clamp(-6, 6), (x.abs() < 6).to(x)


def wrong_flat_square(x):
    """Flat on [-1, 1], and smoothly so."""
    y = (x.abs() - 1).clamp(min=0)
    return torch.sign(x) * y**2, 2 * y


def wrong_flat_with_floor(x):
    """Flat below 0, its slope kept from 0 by 1e-8."""
    return functional.relu(x), (x > 0).to(x).clamp(min=1e-8)


def wrong_absolute(x):
    """Even."""
    return x.abs(), torch.ones_like(x)


def wrong_square(x):
    return x**2, 2 * x


def wrong_wrapped(x):
    """Falls back every 5."""
    return torch.remainder(x, 5.0), torch.ones_like(x)


def wrong_sine(x):
    """Not monotone in narrow ranges."""
    return x + 1.02 * torch.sin(x), 1 + 1.02 * torch.cos(x)


def wrong_tails(x):
    """The slope is kept above 1e-6."""
    z, slope = right_mixture(x)
    return z, slope.clamp(min=1e-6)


def wrong_upper_tail(x):
    """Beyond 5 the slope of another component."""
    z, slope = right_mixture(x)
    return z, torch.where(x > 5, 0.9 * slope, slope)


def wrong_half_percent(x):
    z, slope = right_mixture(x)
    return z, 1.005 * slope


def wrong_tanh_mismatch(x):
    """Phi by a tanh, phi exact: off by 1e-3."""
    z, _ = right_tanh_approximation(x)
    return z, phi(x)


def wrong_narrow(x):
    """Wrong between 2 and 2.1."""
    z, slope = right_mixture(x)
    return z, torch.where((x > 2) & (x < 2.1), 0.5 * slope, slope)


def wrong_float32(x):
    z, slope = right_mixture(x.float())
    return z.double(), slope.double()


def wrong_float32_slope(x):
    z, slope = right_mixture(x)
    return z, slope.float().double()


def wrong_float32_no_graph(x):
    with torch.no_grad():
        z, slope = right_mixture(x.float())
        return z.double() + 0 * x, slope.double()


def wrong_float64_lost(x):
    z, slope = right_mixture(x)
    return z.float(), slope.float()


def wrong_normalised(x):
    """Slope divided by the batch's sum."""
    z, slope = right_mixture(x)
    return z, slope / slope.sum()


def wrong_sorted(x):
    """Sorts, and forgets to undo it."""
    return right_mixture(x.sort().values)


def wrong_searched(x):
    """Right for x in order only."""
    y = torch.cummax(x, dim=0).values
    return right_mixture(y)


def wrong_repeated(x):
    """Repeated entries are counted once."""
    z, slope = right_mixture(x)
    _, inverse, count = torch.unique(x, return_inverse=True, return_counts=True)
    return z, slope / count[inverse]


def wrong_single(x):
    """One entry loses its axis."""
    z, slope = right_mixture(x)
    return z.squeeze(), slope.squeeze()


def wrong_summed(x):
    """One number for the batch."""
    z, slope = right_mixture(x)
    return z, slope.sum().expand(len(x))


def wrong_in_place(x):
    x -= 1
    return right_mixture(x)


def wrong_negative_numbers(x):
    """Right for x >= 0."""
    z, slope = right_mixture(x)
    return torch.where(x < 0, x, z), slope


def wrong_detached(x):
    """Autograd sees nothing of one component."""
    w, u, sigma = parts(x)
    v = torch.cat([u[:, :1].detach(), u[:, 1:]], dim=1)
    return (w * (cdf(v) - 0.5)).sum(dim=1), (w * phi(u) / sigma).sum(dim=1)


def wrong_at_zero(x):
    """x / x is NaN at 0."""
    z, slope = right_mixture(x)
    return z * x / x, slope


class RoughInverse(Mixture):
    """A fixed bracket from -4 to 4."""

    def inverse(self, z):
        low, high = torch.full_like(z, -4.0), torch.full_like(z, 4.0)
        for _ in range(60):
            middle = (low + high) / 2
            below = self(middle)[0] < z
            low, high = torch.where(below, middle, low), torch.where(below, high, middle)
        return ((low + high) / 2).detach()


class ShortInverse(Mixture):
    """Ten steps of Newton's method are not enough."""

    def inverse(self, z):
        x = torch.zeros_like(z)
        for _ in range(10):
            y, slope = self(x)
            x = x - ((y - z) / slope).clamp(-1, 1)
        return x.detach()


wrong_rough_inverse, wrong_short_inverse = RoughInverse(), ShortInverse()

memory = {}


def wrong_cached(x):
    """Remembers the slope by the number of entries."""
    z, slope = right_mixture(x)
    return z, memory.setdefault(len(x), slope.detach())


def wrong_beyond_64(x):
    """Takes 64 entries at a time, and the last ones are those of the first."""
    z, slope = right_mixture(x)
    return z, torch.where(torch.arange(len(x), device=x.device) < 64, slope, slope[:1])


def wrong_numpy_float32(x):
    """numpy in float32 for the slope."""
    z, _ = right_scipy(x)
    w, mu, sigma = (a.numpy().astype(np.float32) for a in (W.exp(), MU, TAU.exp()))
    u = (x.detach().numpy().astype(np.float32)[:, None] - mu) / sigma
    return z, torch.tensor((w * np.exp(-0.5 * u * u) / sigma).sum(axis=1) / math.sqrt(2 * math.pi)).to(x)


def right_softplus_threshold(x):
    """torch's softplus is x beyond 20, where its slope is still 2e-9 below 1."""
    return functional.softplus(x), torch.sigmoid(x)


def wrong_step_down(x):
    """Falls by 0.02 at 0.37, where two pieces do not meet: between most points it grows."""
    return torch.where(x > 0.37, x - 0.02, x), torch.ones_like(x)


def wrong_step_up(x):
    """Jumps by 0.01 at 0.37: it increases strictly, but what lies between is missing from the density's integral."""
    z, slope = right_mixture(x)
    return torch.where(x > 0.37, z + 0.01, z), slope


def wrong_beyond_512(x):
    """Takes 512 entries at a time, and the slopes of the last ones are those of the first."""
    z, slope = right_mixture(x)
    return z, torch.where(torch.arange(len(x), device=x.device) < 512, slope, slope[:1])
