"""The same callable as for iwae_lower_bound: right ones, and ones that break what more samples must not break."""

from __future__ import annotations

import functools
import math

import numpy as np
import torch


def right_logsumexp(log_w):
    return torch.logsumexp(log_w, dim=-1) - math.log(log_w.shape[-1])


def right_log_mean(log_w):
    largest = log_w.max(dim=-1, keepdim=True).values
    return torch.squeeze(largest, -1) + torch.log(torch.exp(log_w - largest).mean(-1))


def right_fold(log_w):
    return functools.reduce(torch.logaddexp, log_w.unbind(-1)) - np.log(log_w.size(-1))


def right_numpy(log_w):
    values = log_w.detach().cpu().numpy()
    total = np.logaddexp.reduce(values, axis=-1) - np.log(values.shape[-1])
    return torch.from_numpy(np.asarray(total)).to(log_w)


def right_unfold(log_w):
    """All leading axes as one."""
    rows = log_w.reshape(-1, log_w.shape[-1])
    shift = rows.amax(1)
    means = torch.stack([(row - top).exp().mean() for row, top in zip(rows, shift, strict=True)])
    return (means.log() + shift).reshape(log_w.shape[:-1])


def wrong_mean_of_logs(log_w):
    """The mean of the logarithms, which more samples do not improve."""
    return log_w.mean(-1)


def wrong_leave_one_out(log_w):
    """The first weight is left out once K exceeds 2."""
    return right_logsumexp(log_w[..., 1:] if log_w.shape[-1] > 2 else log_w)


def wrong_single_precision(log_w):
    """Single precision for batches."""
    return right_logsumexp(log_w.float()).to(log_w.dtype) if log_w.ndim > 1 else right_logsumexp(log_w)


def wrong_maximum_only(log_w):
    """The maximum, minus log K."""
    return log_w.amax(-1) - math.log(log_w.shape[-1])


def wrong_detached_weights(log_w):
    """Autograd takes the weights for equal."""
    value = right_logsumexp(log_w)
    return value.detach() + (log_w - log_w.detach()).mean(-1)


def wrong_decreasing(log_w):
    """log(1/K) twice: looser with every sample."""
    return right_logsumexp(log_w) - math.log(log_w.shape[-1])


def wrong_renyi(log_w):
    """The Renyi bound of order 1/2."""
    return 2 * right_logsumexp(log_w / 2)


def wrong_jackknife(log_w):
    """The jackknife-corrected bound, which is not monotone."""
    k = log_w.shape[-1]
    if k == 1:
        return right_logsumexp(log_w)
    left_out = torch.stack([torch.cat([log_w[..., :i], log_w[..., i + 1 :]], -1) for i in range(k)], -2)
    return k * right_logsumexp(log_w) - (k - 1) * right_logsumexp(left_out).mean(-1)


def wrong_median(log_w):
    """The median of the logarithms for K of at least 3."""
    return log_w.median(-1).values if log_w.shape[-1] > 2 else right_logsumexp(log_w)


def wrong_self_normalised(log_w):
    """The weights' own average of the logarithms."""
    return (torch.softmax(log_w, -1) * log_w).sum(-1)


def wrong_large_batches(log_w):
    """Rows beyond the 32nd repeat the first."""
    values = right_logsumexp(log_w)
    if log_w.ndim == 2 and len(log_w) > 32:
        return torch.cat([values[:32], values[:1].expand(len(values) - 32)])
    return values


def wrong_where_a_gradient_is_wanted(log_w):
    """log K is left out where a gradient is wanted, since it has none."""
    return torch.logsumexp(log_w, -1) - (0 if log_w.requires_grad else math.log(log_w.shape[-1]))


def wrong_beyond_a_thousand(log_w):
    """Weights beyond the 1024th are left out."""
    return torch.logsumexp(log_w[..., :1024], -1) - math.log(min(log_w.shape[-1], 1024))
