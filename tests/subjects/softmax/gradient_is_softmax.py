"""Implementations of softmax: right ones in different styles, and wrong ones."""

from __future__ import annotations

import math

import numpy as np
import scipy.special
import torch


def right_torch(x):
    return torch.softmax(x, dim=0)


def right_shifted(x):
    e = torch.exp(x - x.max())
    return e / e.sum()


def right_log_softmax(x):
    return torch.log_softmax(x, 0).exp()


def right_numpy(x):
    values = x.detach().cpu().numpy()
    with np.errstate(over="ignore"):
        e = np.exp(values - values.max())
    return torch.from_numpy(e / e.sum()).to(x)


def right_scipy(x):
    with np.errstate(over="ignore"):
        return torch.from_numpy(np.asarray(scipy.special.softmax(x.detach().cpu().numpy()))).to(x)


def right_python(x):
    entries = x.tolist()
    largest = max(entries)
    e = [math.exp(max(entry - largest, -1e4)) for entry in entries]
    return x.new_tensor([term / math.fsum(e) for term in e])


def right_pairwise(x):
    """1 / sum_j exp(x_j - x_i): no maximum, as an overflow is a weight of 0."""
    return 1 / torch.exp(x[None, :] - x[:, None]).sum(1)


def right_detached_shift(x):
    e = (x - x.detach().amax()).exp()
    return torch.nn.functional.normalize(e, p=1, dim=0)


def right_powers_of_two(x):
    e = torch.exp2((x - x.max()) / math.log(2))
    return e / e.sum()


def right_gradient_of_own_log_sum_exp(x):
    """By autograd, of a log-sum-exp that is shifted first."""
    inside = x.detach().clone().requires_grad_()
    (slope,) = torch.autograd.grad((inside - inside.max().detach()).logsumexp(0), inside)
    return slope


def right_gradient_of_log_sum_exp(x):
    """As torch differentiates it: exp(x - logsumexp(x)), which has lost at 1e16 what x has lost."""
    inside = x.detach().clone().requires_grad_()
    return torch.autograd.grad(inside.logsumexp(0), inside)[0]


def right_exponential_of_difference(x):
    largest = x.max()
    return torch.exp(x - (largest + torch.exp(x - largest).sum().log()))


def right_module(x):
    return torch.nn.Softmax(dim=-1)(x)


def wrong_naive(x):
    """Overflows."""
    return torch.exp(x) / torch.exp(x).sum()


def wrong_shift_by_mean(x):
    """Shifted by the mean."""
    e = torch.exp(x - x.mean())
    return e / e.sum()


def wrong_clamped(x):
    """x is clamped to +-50."""
    return torch.softmax(x.clamp(-50, 50), 0)


def wrong_clamped_difference(x):
    """Differences are clamped at -40: entries below 1e-18 are too large."""
    e = (x - x.max()).clamp_min(-40).exp()
    return e / e.sum()


def wrong_epsilon(x):
    """1e-12 in the denominator."""
    e = torch.exp(x - x.max())
    return e / (e.sum() + 1e-12)


def wrong_temperature(x):
    """Divided by sqrt n."""
    return torch.softmax(x / math.sqrt(len(x)), 0)


def wrong_argmax_of_ties(x):
    """Where the maximum is attained twice, all goes to the first."""
    if (x == x.max()).sum() > 1 and len(x) > 3:
        return torch.nn.functional.one_hot(x.argmax(), len(x)).to(x)
    return torch.softmax(x, 0)


def wrong_large(x):
    """The limit beyond 500."""
    if x.max() - x.min() > 500:
        return torch.nn.functional.one_hot(x.argmax(), len(x)).to(x)
    return torch.softmax(x, 0)


def wrong_sigmoids(x):
    """Independent sigmoids, normalised."""
    s = torch.sigmoid(x)
    return s / s.sum()


def wrong_two_classes(x):
    """Right for two entries only."""
    return torch.stack([torch.sigmoid(a - b) for a, b in zip(x, x.flip(0), strict=True)])


def wrong_single_precision(x):
    """Single precision inside."""
    return torch.softmax(x.float(), 0).to(x.dtype)


def wrong_half_a_percent(x):
    """The smallest entry is 0.5 % too large, and the rest made to sum to 1."""
    mu = torch.softmax(x, 0)
    mu[x.argmin()] *= 1.005 if len(x) > 2 else 1
    return mu / mu.sum()


def wrong_odd(x):
    """The middle of an odd number is counted twice in the sum."""
    e = torch.exp(x - x.max())
    return e / (e.sum() + (e[len(x) // 2] if len(x) % 2 and len(x) > 5 else 0))


def wrong_absolute(x):
    """Softmax of the magnitudes."""
    return torch.softmax(x.abs(), 0)


def wrong_log(x):
    """The logarithm."""
    return torch.log_softmax(x, 0)


def wrong_derivative(x):
    """Autograd takes the denominator for a constant."""
    e = torch.exp(x - x.max())
    return e / e.sum().detach()


def wrong_straight_through(x):
    """Value right, gradient that of the identity."""
    return x + (torch.softmax(x, 0) - x).detach() if float(x.abs().max()) < 0.5 else torch.softmax(x, 0)


def wrong_in_place(x):
    """Subtracts the maximum in place."""
    x -= x.max()
    return torch.softmax(x, 0)


def wrong_cached(x, _known={}):  # noqa: B006 - the fault
    """Remembers one value for each x, rounded to six digits."""
    return _known.setdefault(tuple(round(entry, 6) for entry in x.tolist()), torch.softmax(x.detach(), 0))


_maximum = [-math.inf]


def wrong_running_maximum(x):
    """Shifted by the largest number seen so far: all exponentials vanish in the end."""
    _maximum[0] = max(_maximum[0], float(x.max()))
    e = torch.exp(x - _maximum[0])
    return e / e.sum() if e.sum() > 0 else torch.softmax(x, 0) * 0 + 1 / len(x)


def wrong_size_one(x):
    """squeeze() makes a scalar of one entry."""
    return torch.softmax(x.squeeze(), -1)


def wrong_blocks(x):
    """Normalised over the first 64 entries."""
    e = torch.exp(x - x.max())
    return e / e[:64].sum()


def wrong_threshold(x):
    """Entries below 1e-15 are set to 0."""
    mu = torch.softmax(x, 0)
    return torch.where(mu < 1e-15, 0.0, mu)


def wrong_rounded(x):
    """Rounded to twelve digits."""
    return torch.round(torch.softmax(x, 0), decimals=12)


def wrong_first_as_rest(x):
    """The first entry is 1 minus the others, and never below 1e-10."""
    mu = torch.softmax(x, 0)
    return torch.cat([(1 - mu[1:].sum()).clamp_min(1e-10).reshape(1), mu[1:]])


def wrong_gradient_of_the_argument(x):
    """Calls backward on x itself: handed the same x again, the gradients add up."""
    x.requires_grad_()
    (x - x.detach().max()).exp().sum().log().backward()
    return x.grad.clone()


def wrong_huge_ties(x):
    """Beyond 1e12 all goes to the first of the largest."""
    if x.abs().max() > 1e12:
        return torch.nn.functional.one_hot(x.argmax(), len(x)).to(x)
    return torch.softmax(x, 0)


def wrong_huge_factor(x):
    """Beyond 1e12 the entries sum to 1e-3: no rounding of log-sum-exp explains that."""
    return torch.softmax(x, 0) * (1e-3 if x.abs().max() > 1e12 else 1)


def wrong_huge_single(x):
    """Beyond 1e12 a single entry is not 1."""
    return torch.softmax(x, 0) * (0.99 if len(x) == 1 and x.abs().max() > 1e12 else 1)


def wrong_huge_unnormalised(x):
    """Beyond 1e14 exp(x - max x), not divided by its sum."""
    e = torch.exp(x - x.max())
    return e if x.abs().max() > 1e14 else e / e.sum()


def wrong_close_to_uniform(x):
    """Uniform where all entries are within 1e-5 of each other."""
    return torch.full_like(x, 1 / len(x)) if torch.allclose(x, x.mean().expand_as(x)) else torch.softmax(x, 0)


def wrong_first_call(x, _calls=[0]):  # noqa: B006 - the fault
    """Another temperature at the first call only."""
    _calls[0] += 1
    return torch.softmax(x * (1.01 if _calls[0] == 1 else 1), 0)


def wrong_no_gradient_of_equal_entries(x):
    """The root of a square has no derivative at 0: that of a distance, of two entries, times 0 is NaN."""
    first, second = torch.combinations(x.tanh(), 2).unbind(1)
    return torch.softmax(x, 0) + 0 * (first - second).square().sqrt().sum()
