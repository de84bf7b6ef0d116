"""Implementations of log(sum exp(beta x)) / beta: right ones in different styles, and wrong ones."""

from __future__ import annotations

import functools
import math

import numpy as np
import scipy.special
import torch


def right_logsumexp(x, beta):
    return torch.logsumexp(beta * x, dim=0) / beta


def right_shifted(x, beta):
    largest = x.max()
    return largest + torch.log(torch.exp(beta * (x - largest)).sum()) / beta


def right_scaled_and_shifted(x, beta):
    z = beta * x
    return (z.max() + (z - z.max()).exp().sum().log()) / beta


def right_detached_shift(x, beta):
    largest = x.max().detach()
    return largest + (beta * (x - largest)).exp().sum().log().div(beta)


def right_python(x, beta):
    entries = x.tolist()
    largest = max(entries)
    return largest + math.log(math.fsum(math.exp(beta * (entry - largest)) for entry in entries)) / beta


def right_log1p(x, beta):
    order = x.sort(descending=True).values
    return order[0] + torch.log1p(torch.exp(beta * (order[1:] - order[0])).sum()) / beta


def right_scipy(x, beta):
    return float(scipy.special.logsumexp(beta * x.detach().cpu().double().numpy())) / beta


def right_numpy_reduce(x, beta):
    return np.logaddexp.reduce(beta * x.detach().cpu().double().numpy()).item() / beta


def right_fold(x, beta):
    return functools.reduce(torch.logaddexp, (beta * x).unbind()) / beta


def right_cumulative(x, beta):
    return torch.logcumsumexp(beta * x, 0)[-1] / beta


def right_base_two(x, beta):
    z = (x - x.max()) * (beta / math.log(2))
    return x.max() + torch.exp2(z).sum().log2() * (math.log(2) / beta)


def right_entropy_form(x, beta):
    """The maximum over p of <p, x> + H(p)/beta; H has no derivative where a p underflows."""
    p = torch.softmax(beta * x, 0)
    return (p * x).sum() + torch.special.entr(p).sum() / beta


def right_log_softmax(x, beta):
    """The normalising constant of log_softmax at the maximum."""
    return x.max() - torch.log_softmax(beta * x, 0).max() / beta


def wrong_naive(x, beta):
    """Overflows, and log 0."""
    return torch.exp(beta * x).sum().log() / beta


def wrong_not_divided(x, beta):
    """The division by beta is missing."""
    return torch.logsumexp(beta * x, 0)


def wrong_beta_ignored(x, beta):
    """beta = 1 throughout."""
    return torch.logsumexp(x, 0)


def wrong_mean(x, beta):
    """The mean of the exponentials."""
    return (torch.logsumexp(beta * x, 0) - math.log(len(x))) / beta


def wrong_maximum(x, beta):
    """The limit, not the value."""
    return x.max()


def wrong_shift_by_mean(x, beta):
    """Shifted by the mean: overflows where one entry is far above the others."""
    return x.mean() + torch.exp(beta * (x - x.mean())).sum().log() / beta


def wrong_shift_by_first(x, beta):
    """Shifted by the first entry."""
    return x[0] + torch.exp(beta * (x - x[0])).sum().log() / beta


def wrong_shift_not_scaled(x, beta):
    """The shift is added back as beta times the maximum."""
    z = beta * x
    return z.max() + (z - z.max()).exp().sum().log() / beta


def wrong_clamped(x, beta):
    """Exponents are clamped at -50: too large where many entries are far below."""
    z = (beta * (x - x.max())).clamp_min(-20)
    return x.max() + z.exp().sum().log() / beta


def wrong_clamped_argument(x, beta):
    """beta x is clamped to +-700."""
    return torch.logsumexp((beta * x).clamp(-700, 700), 0) / beta


def wrong_epsilon(x, beta):
    """1e-8 is added before the logarithm."""
    return x.max() + torch.log(torch.exp(beta * (x - x.max())).sum() + 1e-8) / beta


def wrong_ties(x, beta):
    """Equal entries count once."""
    return torch.logsumexp(beta * torch.unique(x), 0) / beta


def wrong_largest_only_once(x, beta):
    """log1p over the entries below the maximum: ties of the maximum are lost."""
    rest = x[x < x.max()]
    return x.max() + torch.log1p(torch.exp(beta * (rest - x.max())).sum()) / beta


def wrong_half_a_percent(x, beta):
    """0.5 % of the excess over the maximum."""
    return x.max() + 1.005 * (torch.logsumexp(beta * (x - x.max()), 0) / beta)


def wrong_single_precision(x, beta):
    """Single precision inside."""
    largest = x.max()
    return largest + (torch.logsumexp((beta * (x - largest)).float(), 0) / beta).to(x.dtype)


def wrong_single_beta(x, beta):
    """torch.tensor(beta) is single precision."""
    beta = torch.tensor(beta)
    return (torch.logsumexp(beta * x, 0) / beta).to(x.dtype)


def wrong_minimum(x, beta):
    """The sign of beta is wrong."""
    return -torch.logsumexp(-beta * x, 0) / beta


def wrong_large_beta(x, beta):
    """The maximum once beta exceeds 50."""
    return x.max() if beta > 50 else torch.logsumexp(beta * x, 0) / beta


def wrong_small_beta(x, beta):
    """The first-order expansion once beta is below 1e-3."""
    return x.mean() + math.log(len(x)) / beta if beta < 1e-3 else torch.logsumexp(beta * x, 0) / beta


def wrong_beyond_hundred(x, beta):
    """Entries beyond the hundredth are left out."""
    return torch.logsumexp(beta * x[:100], 0) / beta


def wrong_even_only(x, beta):
    """Pairs; the last of an odd number is lost."""
    n = len(x)
    return torch.logsumexp(beta * (x if n == 1 else x[: n // 2 * 2]), 0) / beta


def wrong_detached(x, beta):
    """Autograd sees the maximum only."""
    return x.max() + (torch.logsumexp(beta * (x - x.max()), 0) / beta).detach()


def wrong_in_place(x, beta):
    """Multiplies x by beta in place."""
    return torch.logsumexp(x.mul_(beta), 0) / beta


def wrong_cached_by_x(x, beta, _known={}):  # noqa: B006 - the fault
    """Remembers one value for each x, rounded."""
    key = (beta, *(round(entry, 6) for entry in x.tolist()))
    return _known.setdefault(key, float(torch.logsumexp(beta * x, 0) / beta))


def wrong_cached_without_beta(x, beta, _known={}):  # noqa: B006 - the fault
    """Remembers one value for each x, whatever beta."""
    return _known.setdefault(tuple(x.tolist()), float(torch.logsumexp(beta * x, 0) / beta))


def wrong_integer_beta(x, beta):
    """beta is made an integer."""
    beta = max(int(beta), 1)
    return torch.logsumexp(beta * x, 0) / beta


def wrong_shape(x, beta):
    """One entry instead of a scalar."""
    return torch.logsumexp(beta * x, 0, keepdim=True) / beta


def wrong_size_one(x, beta):
    """log1p of nothing is divided by what is not there."""
    order = x.sort(descending=True).values
    return order[0] + torch.log1p(torch.exp(beta * (order[1:] - order[0])).mean() * (len(x) - 1)) / beta


def wrong_drops_below_30(x, beta):
    """Terms below exp(-30) of the largest are left out, however many there are."""
    z = beta * (x - x.max())
    return x.max() + z[z > -30].exp().sum().log() / beta


def wrong_no_gradient_of_equal_entries(x, beta):
    """The root of a variance has none at 0; times 0 it is NaN."""
    bounded = x.tanh()
    spread = (bounded - bounded.mean()).square().sum().sqrt() if len(x) > 1 else 0
    return torch.logsumexp(beta * x, 0) / beta + 0 * spread


def wrong_gradient_of_equal_entries(x, beta):
    """A case of its own where all entries are equal: the value is right, all of the gradient goes to the first."""
    return x[0] + math.log(len(x)) / beta if bool((x == x[0]).all()) else torch.logsumexp(beta * x, 0) / beta


def wrong_cached_for_beta_of_two_digits(x, beta, _known={}):  # noqa: B006 - the fault
    """Remembers values by x and two digits of beta."""
    return _known.setdefault((tuple(x.tolist()), f"{beta:.2g}"), torch.logsumexp(beta * x, 0) / beta)
