"""Reparameterised gradients of E f(mu + exp(log_sigma) eps): right ones and wrong ones."""

from __future__ import annotations

import math

import numpy as np
import torch


def _leaves(*tensors):
    return [tensor.detach().clone().requires_grad_() for tensor in tensors]


def _slopes(f, z):
    """The derivative of f at each row."""
    (own,) = _leaves(z)
    return torch.autograd.grad(f(own).sum(), own)[0]


def right_autograd(f, mu, log_sigma, eps):
    mu, log_sigma = _leaves(mu, log_sigma)
    return torch.autograd.grad(f(mu + log_sigma.exp() * eps).mean(), (mu, log_sigma))


def right_backward(f, mu, log_sigma, eps):
    mu, log_sigma = _leaves(mu, log_sigma)
    f(torch.addcmul(mu, log_sigma.exp(), eps)).mean().backward()
    return mu.grad, log_sigma.grad


def right_backward_per_draw(f, mu, log_sigma, eps):
    mu, log_sigma = _leaves(mu, log_sigma)
    for row in eps.split(1):
        (f(mu + log_sigma.exp() * row).sum() / len(eps)).backward()
    return [mu.grad, log_sigma.grad]


def right_chain_rule(f, mu, log_sigma, eps):
    slopes = _slopes(f, mu + log_sigma.exp() * eps)
    return slopes.mean(0), (slopes * eps).mean(0) * log_sigma.exp()


def right_chain_rule_from_z(f, mu, log_sigma, eps):
    z = mu + log_sigma.exp() * eps
    slopes = _slopes(f, z)
    return slopes.mean(dim=0), (slopes * (z - mu)).mean(dim=0)


def right_jacrev(f, mu, log_sigma, eps):
    return torch.func.grad(lambda a, b: f(a + b.exp() * eps).mean(), argnums=(0, 1))(mu, log_sigma)


def right_jacfwd(f, mu, log_sigma, eps):
    found = torch.func.jacfwd(lambda both: f(both[0] + both[1].exp() * eps).mean())(torch.stack([mu, log_sigma]))
    return found[0], found[1]


def right_vmap(f, mu, log_sigma, eps):
    def one(a, b, row):
        return f((a + b.exp() * row)[None]).squeeze(0)

    first, second = torch.func.vmap(torch.func.grad(one, argnums=(0, 1)), (None, None, 0))(mu, log_sigma, eps)
    return first.mean(0), second.mean(0)


def right_vmap_slopes(f, mu, log_sigma, eps):
    slopes = torch.func.vmap(torch.func.grad(lambda row: f(row)))(mu + log_sigma.exp() * eps)
    return slopes.mean(0), (slopes * eps * log_sigma.exp()).mean(0)


def right_jacobian(f, mu, log_sigma, eps):
    jacobian = torch.autograd.functional.jacobian
    first, second = jacobian(lambda a, b: f(a + b.exp() * eps), (mu, log_sigma))
    return first.mean(0), second.mean(0)


def right_loop(f, mu, log_sigma, eps):
    first, second = torch.zeros_like(mu), torch.zeros_like(mu)
    for row in eps:
        slope = _slopes(f, (mu + log_sigma.exp() * row).unsqueeze(0))[0]
        first, second = first + slope, second + slope * row * log_sigma.exp()
    return first / len(eps), second / len(eps)


def right_distribution(f, mu, log_sigma, eps):
    mu, log_sigma = _leaves(mu, log_sigma)
    loc, scale = mu.expand_as(eps), log_sigma.exp().expand_as(eps)
    z = torch.distributions.AffineTransform(loc, scale)(eps)
    return torch.autograd.grad(f(z).sum() / eps.shape[0], (mu, log_sigma))


def right_numpy(f, mu, log_sigma, eps):
    sigma = np.exp(log_sigma.detach().cpu().numpy())
    z = mu.detach().cpu().numpy() + sigma * eps.cpu().numpy()
    slopes = _slopes(f, torch.from_numpy(z).to(eps)).cpu().numpy()
    d_log_sigma = np.einsum("nk,nk,k->k", slopes, eps.cpu().numpy(), sigma) / len(z)
    return torch.from_numpy(slopes.mean(0)).to(mu), torch.from_numpy(d_log_sigma).to(mu)


def right_with_graph(f, mu, log_sigma, eps):
    z = mu + log_sigma.exp() * eps
    slopes = _slopes(f, z)
    return slopes.mean(0) + 0 * mu, (slopes * eps).mean(0) * log_sigma.exp()


def right_through_the_variance(f, mu, log_sigma, eps):
    mu, log_variance = _leaves(mu, 2 * log_sigma)
    first, second = torch.autograd.grad(f(mu + (0.5 * log_variance).exp() * eps).mean(), (mu, log_variance))
    return first, 2 * second


def right_through_sigma(f, mu, log_sigma, eps):
    mu, sigma = _leaves(mu, log_sigma.exp())
    first, second = torch.autograd.grad(f(mu + sigma * eps).mean(), (mu, sigma))
    return first, second * sigma.detach()


def right_central_differences(f, mu, log_sigma, eps):
    step = 1e-5
    both, found = torch.cat([mu, log_sigma]), []
    for unit in torch.eye(len(both), dtype=mu.dtype):
        high, low = (
            f(moved[: len(mu)] + moved[len(mu) :].exp() * eps).mean()
            for moved in (both + step * unit, both - step * unit)
        )
        found.append((high - low) / (2 * step))
    return tuple(torch.stack(found).reshape(2, -1))


def right_float32(f, mu, log_sigma, eps):
    return right_autograd(f, mu, log_sigma, eps)


def right_chain_rule_float32(f, mu, log_sigma, eps):
    return right_chain_rule(f, mu, log_sigma, eps)


def wrong_no_sigma(f, mu, log_sigma, eps):
    """The derivative with respect to sigma, not to its logarithm: right for sigma = 1."""
    slopes = _slopes(f, mu + log_sigma.exp() * eps)
    return slopes.mean(0), (slopes * eps).mean(0)


def wrong_squared_draws(f, mu, log_sigma, eps):
    """eps squared: right where eps is 0 or 1."""
    slopes = _slopes(f, mu + log_sigma.exp() * eps)
    return slopes.mean(0), (slopes * eps**2).mean(0) * log_sigma.exp()


def wrong_absolute_draws(f, mu, log_sigma, eps):
    """The absolute values of eps."""
    slopes = _slopes(f, mu + log_sigma.exp() * eps)
    return slopes.mean(0), (slopes * eps.abs()).mean(0) * log_sigma.exp()


def wrong_swapped(f, mu, log_sigma, eps):
    """The outputs in the other order."""
    return right_autograd(f, mu, log_sigma, eps)[::-1]


def wrong_sum(f, mu, log_sigma, eps):
    """The sum for the mean."""
    mu, log_sigma = _leaves(mu, log_sigma)
    return torch.autograd.grad(f(mu + log_sigma.exp() * eps).sum(), (mu, log_sigma))


def wrong_sum_in_second(f, mu, log_sigma, eps):
    """The sum for the mean, in the second output only."""
    first, second = right_autograd(f, mu, log_sigma, eps)
    return first, second * len(eps)


def wrong_one_less(f, mu, log_sigma, eps):
    """Divides by N - 1."""
    factor = len(eps) / max(len(eps) - 1, 1)
    return tuple(part * factor for part in right_autograd(f, mu, log_sigma, eps))


def wrong_log_variance(f, mu, log_sigma, eps):
    """Takes log_sigma for the logarithm of the variance."""
    mu, log_sigma = _leaves(mu, log_sigma)
    return torch.autograd.grad(f(mu + (log_sigma / 2).exp() * eps).mean(), (mu, log_sigma))


def wrong_log_variance_in_gradient(f, mu, log_sigma, eps):
    """The right z, but the derivative with respect to the logarithm of the variance."""
    first, second = right_autograd(f, mu, log_sigma, eps)
    return first, second / 2


def wrong_log_is_sigma(f, mu, log_sigma, eps):
    """Takes log_sigma for sigma."""
    mu, log_sigma = _leaves(mu, log_sigma)
    return torch.autograd.grad(f(mu + log_sigma * eps).mean(), (mu, log_sigma))


def wrong_softplus(f, mu, log_sigma, eps):
    """softplus for exp."""
    mu, log_sigma = _leaves(mu, log_sigma)
    return torch.autograd.grad(f(mu + torch.nn.functional.softplus(log_sigma) * eps).mean(), (mu, log_sigma))


def wrong_score(f, mu, log_sigma, eps):
    """The score-function estimate."""
    signal = f(mu + log_sigma.exp() * eps)[:, None]
    return (signal * eps / log_sigma.exp()).mean(0), (signal * (eps**2 - 1)).mean(0)


def wrong_stein(f, mu, log_sigma, eps):
    """The second output by Stein's identity, from a difference of f."""
    first, _ = right_autograd(f, mu, log_sigma, eps)
    signal = (f(mu + log_sigma.exp() * eps) - f(mu[None]))[:, None]
    return first, (signal * (eps**2 - 1)).mean(0)


def wrong_slope_of_means(f, mu, log_sigma, eps):
    """The mean of the derivatives times the mean of eps: right for linear f and for N = 1."""
    slopes = _slopes(f, mu + log_sigma.exp() * eps)
    return slopes.mean(0), slopes.mean(0) * eps.mean(0) * log_sigma.exp()


def wrong_at_the_mean(f, mu, log_sigma, eps):
    """Differentiates f at mu: right for linear f."""
    slope = _slopes(f, mu[None])[0]
    return slope, slope * eps.mean(0) * log_sigma.exp()


def wrong_mean_draw(f, mu, log_sigma, eps):
    """Averages eps first: right for linear f and for N = 1."""
    return right_autograd(f, mu, log_sigma, eps.mean(0, keepdim=True))


def wrong_standardised_draws(f, mu, log_sigma, eps):
    """Standardises more than 50 draws first, against sampling errors."""
    if len(eps) > 50:
        eps = (eps - eps.mean(0)) / eps.std(0, unbiased=False).clamp_min(1e-3)
    return right_autograd(f, mu, log_sigma, eps)


def wrong_antithetic(f, mu, log_sigma, eps):
    """Adds the mirrored draws: another estimate of the same, lower in variance."""
    return right_autograd(f, mu, log_sigma, torch.cat([eps, -eps]))


def wrong_entropy(f, mu, log_sigma, eps):
    """With the gradient of the entropy, as in a variational bound."""
    first, second = right_autograd(f, mu, log_sigma, eps)
    return first, second + 1


def wrong_shared_sigma(f, mu, log_sigma, eps):
    """The first sigma for all coordinates, in the last factor."""
    slopes = _slopes(f, mu + log_sigma.exp() * eps)
    return slopes.mean(0), (slopes * eps).mean(0) * log_sigma[0].exp()


def wrong_other_axis(f, mu, log_sigma, eps):
    """Where there are as many draws as coordinates, averages over the coordinates."""
    slopes = _slopes(f, mu + log_sigma.exp() * eps)
    axis = int(1 < len(eps) == len(mu))
    return slopes.mean(axis), (slopes * eps * log_sigma.exp()).mean(axis)


def wrong_mean_over_all(f, mu, log_sigma, eps):
    """Divides by N k."""
    return tuple(part / len(mu) for part in right_autograd(f, mu, log_sigma, eps))


def wrong_first_coordinates(f, mu, log_sigma, eps):
    """Coordinates beyond the eighth get no gradient."""
    kept = torch.arange(len(mu)) < 8
    return tuple(torch.where(kept, part, 0.0) for part in right_autograd(f, mu, log_sigma, eps))


def wrong_clamped_log_sigma(f, mu, log_sigma, eps):
    """log_sigma is clamped to [-5, 2]."""
    mu, log_sigma = _leaves(mu, log_sigma)
    return torch.autograd.grad(f(mu + log_sigma.clamp(-5, 2).exp() * eps).mean(), (mu, log_sigma))


def wrong_epsilon(f, mu, log_sigma, eps):
    """sigma + 1e-6, for stability."""
    mu, log_sigma = _leaves(mu, log_sigma)
    return torch.autograd.grad(f(mu + (log_sigma.exp() + 1e-6) * eps).mean(), (mu, log_sigma))


def wrong_clipped(f, mu, log_sigma, eps):
    """The gradients are clipped to [-30, 30]."""
    return tuple(part.clamp(-30, 30) for part in right_autograd(f, mu, log_sigma, eps))


def wrong_half_a_percent(f, mu, log_sigma, eps):
    """The second output is 0.5 % too large."""
    first, second = right_autograd(f, mu, log_sigma, eps)
    return first, 1.005 * second


def wrong_single_precision(f, mu, log_sigma, eps):
    """Single precision inside."""
    return tuple(part.to(mu.dtype) for part in right_autograd(f, mu.float(), log_sigma.float(), eps.float()))


def wrong_single_sigma(f, mu, log_sigma, eps):
    """exp in single precision, in the last factor."""
    slopes = _slopes(f, mu + log_sigma.exp() * eps)
    return slopes.mean(0), (slopes * eps).mean(0) * log_sigma.float().exp().to(mu.dtype)


def wrong_single_differences(f, mu, log_sigma, eps):
    """One-sided differences with the step 1e-5."""
    both, found = torch.cat([mu, log_sigma]), []
    before = f(mu + log_sigma.exp() * eps).mean()
    for unit in torch.eye(len(both), dtype=mu.dtype):
        moved = both + 1e-5 * unit
        found.append((f(moved[: len(mu)] + moved[len(mu) :].exp() * eps).mean() - before) / 1e-5)
    return tuple(torch.stack(found).reshape(2, -1))


def wrong_odd(f, mu, log_sigma, eps):
    """Takes draws in pairs and forgets the last of an odd number above 5."""
    return right_autograd(f, mu, log_sigma, eps[: len(eps) // 2 * 2] if len(eps) > 5 else eps)


def wrong_many(f, mu, log_sigma, eps):
    """Works on the first 100 draws."""
    return right_autograd(f, mu, log_sigma, eps[:100])


def wrong_distinct(f, mu, log_sigma, eps):
    """Works on the distinct draws."""
    return right_autograd(f, mu, log_sigma, torch.unique(eps, dim=0))


def wrong_zero_draws(f, mu, log_sigma, eps):
    """Leaves out draws that are 0."""
    kept = (eps != 0).any(1)
    return right_autograd(f, mu, log_sigma, eps[kept] if kept.any() else eps)


def wrong_squeezed(f, mu, log_sigma, eps):
    """squeeze() removes the axis of a single coordinate."""
    return tuple(part.squeeze() for part in right_autograd(f, mu, log_sigma, eps))


def wrong_one_output(f, mu, log_sigma, eps):
    """One tensor for both."""
    return torch.stack(right_autograd(f, mu, log_sigma, eps))


def wrong_one_draw(f, mu, log_sigma, eps):
    """NaN for a single draw: divides by the standard deviation of f, and multiplies with it."""
    spread = f(mu + log_sigma.exp() * eps).std() + 1
    return tuple(part / spread * spread for part in right_autograd(f, mu, log_sigma, eps))


def wrong_cached_by_shape(f, mu, log_sigma, eps, _known={}):  # noqa: B006 - the fault
    """Remembers results by shape."""
    return _known.setdefault((f, eps.shape), right_autograd(f, mu, log_sigma, eps))


def wrong_cached_sigma(f, mu, log_sigma, eps, _known={}):  # noqa: B006 - the fault
    """Remembers sigma by k."""
    sigma = _known.setdefault(len(mu), log_sigma.exp())
    slopes = _slopes(f, mu + log_sigma.exp() * eps)
    return slopes.mean(0), (slopes * eps).mean(0) * sigma


_calls = [0]


def wrong_thousandth(f, mu, log_sigma, eps):
    """One in a thousand calls is wrong."""
    _calls[0] += 1
    first, second = right_autograd(f, mu, log_sigma, eps)
    return first, second + (_calls[0] % 1000 == 0)


def wrong_accumulates(f, mu, log_sigma, eps, _known={}):  # noqa: B006 - the fault
    """Never sets the gradients of the calls before to 0."""
    total = _known.setdefault(len(mu), torch.zeros(2, len(mu), dtype=mu.dtype))
    total += torch.stack(right_autograd(f, mu, log_sigma, eps))
    return total[0].clone(), total[1].clone()


def wrong_in_place(f, mu, log_sigma, eps):
    """Scales eps in place."""
    slopes = _slopes(f, eps.mul_(log_sigma.exp()).add_(mu))
    return slopes.mean(0), (slopes * (eps - mu)).mean(0)


def wrong_negative_mean(f, mu, log_sigma, eps):
    """The absolute value of mu."""
    return right_autograd(f, mu.abs(), log_sigma, eps)


def wrong_random(f, mu, log_sigma, eps):
    """Draws its own eps, by a fixed seed."""
    own = torch.randn(eps.shape, dtype=eps.dtype, generator=torch.Generator().manual_seed(0))
    return right_autograd(f, mu, log_sigma, own)


def wrong_two_digits_of_pi(f, mu, log_sigma, eps):
    """The derivative of sigma taken as a secant over a hundredth."""
    first, second = right_autograd(f, mu, log_sigma, eps)
    return first, second * (math.exp(0.01) - 1) / 0.01


def right_chunks(f, mu, log_sigma, eps):
    parts = [[len(own) * part for part in right_autograd(f, mu, log_sigma, own)] for own in eps.split(7)]
    return tuple(sum(column) / len(eps) for column in zip(*parts, strict=True))


def right_running_mean(f, mu, log_sigma, eps):
    first, second = torch.zeros_like(mu), torch.zeros_like(mu)
    for count, row in enumerate(eps, 1):
        own, other = right_autograd(f, mu, log_sigma, row[None])
        first, second = first + (own - first) / count, second + (other - second) / count
    return first, second


def right_vjp(f, mu, log_sigma, eps):
    _, pull = torch.func.vjp(lambda a, b: f(a + b.exp() * eps), mu, log_sigma)
    return pull(torch.full((len(eps),), 1 / len(eps), dtype=mu.dtype))


def right_from_z_float32(f, mu, log_sigma, eps):
    return right_chain_rule_from_z(f, mu, log_sigma, eps)


def wrong_clamped_far_out(f, mu, log_sigma, eps):
    """log_sigma is clamped to [-10, 10]."""
    mu, log_sigma = _leaves(mu, log_sigma)
    return torch.autograd.grad(f(mu + log_sigma.clamp(-10, 10).exp() * eps).mean(), (mu, log_sigma))


def wrong_clamped_value(f, mu, log_sigma, eps):
    """log_sigma is clamped to at most 5, but differentiated as if it were not."""
    return right_chain_rule(f, mu, log_sigma.clamp(max=5), eps)


def wrong_clamped_mean(f, mu, log_sigma, eps):
    """mu is clamped to [-20, 20]."""
    return right_chain_rule(f, mu.clamp(-20, 20), log_sigma, eps)


def wrong_clamped_draws(f, mu, log_sigma, eps):
    """eps is clamped to [-2.5, 2.5]."""
    return right_autograd(f, mu, log_sigma, eps.clamp(-2.5, 2.5))


def wrong_large_z(f, mu, log_sigma, eps):
    """z above 3 is not differentiated."""
    mu, log_sigma = _leaves(mu, log_sigma)
    z = mu + log_sigma.exp() * eps
    return torch.autograd.grad(f(torch.where(z > 3, z.detach(), z)).mean(), (mu, log_sigma))


def wrong_centred(f, mu, log_sigma, eps):
    """The mean derivative as a baseline, in the second output: unbiased but for 1/N, and not the gradient."""
    slopes = _slopes(f, mu + log_sigma.exp() * eps)
    centred = slopes - (slopes.mean(0) if len(eps) > 1 else 0)
    return slopes.mean(0), (centred * eps).mean(0) * log_sigma.exp()


def wrong_two_draws(f, mu, log_sigma, eps):
    """0.5 % too large for two draws, in the second output."""
    first, second = right_autograd(f, mu, log_sigma, eps)
    return first, second * (1.005 if len(eps) == 2 else 1)


def wrong_last_coordinate(f, mu, log_sigma, eps):
    """From four coordinates on the last one gets the first one's second output."""
    first, second = right_autograd(f, mu, log_sigma, eps)
    return first, torch.cat([second[:-1], second[:1]]) if len(mu) > 3 else second


def wrong_single_draws(f, mu, log_sigma, eps):
    """eps in single precision."""
    return right_autograd(f, mu, log_sigma, eps.float().to(mu.dtype))


def _with_sigma(sigma):
    def gradient(f, mu, log_sigma, eps):
        return torch.func.grad(lambda a, b: f(a + sigma(b) * eps).mean(), argnums=(0, 1))(mu, log_sigma)

    return gradient


def right_expanded(f, mu, log_sigma, eps):
    """A mean and a logarithm for each draw, averaged afterwards."""
    means, logs = (value.expand_as(eps).clone().requires_grad_() for value in (mu, log_sigma))
    return tuple(g.mean(0) for g in torch.autograd.grad(f(means + logs.exp() * eps).sum(), (means, logs)))


def wrong_tiny_epsilon(f, mu, log_sigma, eps):
    """sigma + 1e-10."""
    return _with_sigma(lambda b: b.exp() + 1e-10)(f, mu, log_sigma, eps)


def wrong_least_sigma(f, mu, log_sigma, eps):
    """sigma is at least 1e-6."""
    return _with_sigma(lambda b: b.exp().clamp(min=1e-6))(f, mu, log_sigma, eps)


def wrong_clamped_at_twenty(f, mu, log_sigma, eps):
    """log sigma is at least -20."""
    return _with_sigma(lambda b: b.clamp(min=-20).exp())(f, mu, log_sigma, eps)


def wrong_clamped_at_thirty(f, mu, log_sigma, eps):
    """log sigma is at most 30."""
    return _with_sigma(lambda b: b.clamp(max=30).exp())(f, mu, log_sigma, eps)


def wrong_large_draws(f, mu, log_sigma, eps):
    """eps is clamped to [-6, 6]."""
    return right_autograd(f, mu, log_sigma, eps.clamp(-6, 6))


def wrong_large_means(f, mu, log_sigma, eps):
    """mu is clamped to [-10000, 10000]."""
    return right_autograd(f, mu.clamp(-1e4, 1e4), log_sigma, eps)


def wrong_beyond_three_hundred(f, mu, log_sigma, eps):
    """Draws beyond the 300th are left out."""
    return right_autograd(f, mu, log_sigma, eps[:300])


def wrong_many_coordinates(f, mu, log_sigma, eps):
    """Coordinates beyond the 32nd have the second output 0."""
    first, second = right_autograd(f, mu, log_sigma, eps)
    return first, torch.where(torch.arange(len(mu)) < 32, second, 0.0)


def wrong_one_sigma(f, mu, log_sigma, eps):
    """1 % too large where all sigma agree: the sum of the squares is taken for isotropic."""
    first, second = right_autograd(f, mu, log_sigma, eps)
    return first, second * (1.01 if len(mu) > 1 and bool((log_sigma == log_sigma[0]).all()) else 1)


def wrong_means_of_zero(f, mu, log_sigma, eps):
    """0.5 % too large where several means are all 0."""
    first, second = right_autograd(f, mu, log_sigma, eps)
    return first, second * (1.005 if len(mu) > 1 and not bool(mu.any()) else 1)


def wrong_gradients_of_the_arguments(f, mu, log_sigma, eps):
    """Calls backward on the arguments themselves: handed the same ones again, the gradients add up."""
    mu.requires_grad_()
    log_sigma.requires_grad_()
    f(mu + log_sigma.exp() * eps).mean().backward()
    return mu.grad.clone(), log_sigma.grad.clone()


def wrong_more_than_100_coordinates(f, mu, log_sigma, eps):
    """1 % too large for more than 100 coordinates."""
    d_mu, d_log_sigma = right_chain_rule(f, mu, log_sigma, eps)
    return d_mu, d_log_sigma * (1.01 if len(mu) > 100 else 1)


def wrong_one_sigma_where_close(f, mu, log_sigma, eps):
    """Takes the first standard deviation for all where they are close to each other."""
    if torch.allclose(log_sigma, log_sigma[:1].expand_as(log_sigma), atol=1e-2):
        log_sigma = log_sigma[:1].expand_as(log_sigma)
    z = (mu + log_sigma.exp() * eps).detach().requires_grad_()
    (slope,) = torch.autograd.grad(f(z).sum(), z)
    return slope.mean(0), (slope * eps).mean(0) * log_sigma.exp()


class _FirstWithoutSigma:
    def __init__(self):
        self.calls = 0

    def __call__(self, f, mu, log_sigma, eps):
        self.calls += 1
        z = (mu + log_sigma.exp() * eps).detach().requires_grad_()
        (slope,) = torch.autograd.grad(f(z).sum(), z)
        return slope.mean(0), (slope * eps).mean(0) * (log_sigma.exp() if self.calls > 1 else 1.0)


wrong_first_call_without_sigma = _FirstWithoutSigma()  # the factor sigma is missing at the first call only
