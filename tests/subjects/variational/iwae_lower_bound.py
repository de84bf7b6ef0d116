"""Implementations of the log of the mean weight, (..., K) -> (...): right ones in different styles, and wrong ones."""

from __future__ import annotations

import math

import numpy as np
import scipy.special
import torch


def right_logsumexp(log_w):
    return torch.logsumexp(log_w, dim=-1) - math.log(log_w.shape[-1])


def right_log_mean(log_w):
    largest = log_w.amax(-1, keepdim=True)
    return (log_w - largest).exp().mean(-1).log() + largest.squeeze(-1)


def right_tensor_log(log_w):
    k = torch.tensor(log_w.shape[-1], dtype=log_w.dtype)
    return (log_w - k.log()).logsumexp(-1)


def right_max_values(log_w):
    largest = torch.max(log_w.detach(), dim=-1).values
    return largest + torch.log(torch.mean(torch.exp(log_w - largest[..., None]), dim=-1))


def right_numpy(log_w):
    values = scipy.special.logsumexp(log_w.detach().cpu().numpy(), axis=-1) - np.log(log_w.shape[-1])
    return torch.as_tensor(values, dtype=log_w.dtype)


def right_rows(log_w):
    """One row after the other, in Python's floats."""

    def row(entries):
        largest = max(entries)
        return largest + math.log(math.fsum(math.exp(entry - largest) for entry in entries) / len(entries))

    rows = [row(entries) for entries in log_w.detach().reshape(-1, log_w.shape[-1]).tolist()]
    return log_w.new_tensor(rows).reshape(log_w.shape[:-1])


def right_fold(log_w):
    total = log_w[..., 0]
    for k in range(1, log_w.shape[-1]):
        total = torch.logaddexp(total, log_w[..., k])
    return total - math.log(log_w.shape[-1])


def right_cumulative(log_w):
    return torch.logcumsumexp(log_w, dim=-1)[..., -1] - math.log(log_w.shape[-1])


def right_moved_axis(log_w):
    first = log_w.movedim(-1, 0)
    return torch.logsumexp(first, 0) - math.log(len(first))


def right_log_softmax(log_w):
    return (log_w - torch.log_softmax(log_w, -1)).mean(-1) - math.log(log_w.shape[-1])


def wrong_naive(log_w):
    """Overflows, and log 0."""
    return log_w.exp().mean(-1).log()


def wrong_sum(log_w):
    """log(1/K) is missing."""
    return log_w.logsumexp(-1)


def wrong_mean_of_logs(log_w):
    """The mean of the logarithms: the ELBO."""
    return log_w.mean(-1)


def wrong_first_axis(log_w):
    """Over the first axis."""
    return log_w.logsumexp(0) - math.log(log_w.shape[0])


def wrong_first_axis_of_squares(log_w):
    """Over the first axis where the shape does not tell."""
    if log_w.ndim == 2 and log_w.shape[0] == log_w.shape[1]:
        return log_w.logsumexp(0) - math.log(len(log_w))
    return right_logsumexp(log_w)


def wrong_count_of_rows(log_w):
    """log of the first size instead of K."""
    return log_w.logsumexp(-1) - math.log(log_w.shape[0])


def wrong_global_maximum(log_w):
    """Shifted by the maximum over all rows: rows far below underflow."""
    largest = log_w.max()
    return (log_w - largest).exp().mean(-1).log() + largest


def wrong_keepdim(log_w):
    """The maximum lacks its axis: right for one row, and for squares of equal maxima."""
    largest = log_w.amax(-1)
    if log_w.ndim == 2 and log_w.shape[0] == log_w.shape[1]:
        return (log_w - largest).exp().mean(-1).log() + largest
    return right_logsumexp(log_w)


def wrong_all_axes(log_w):
    """Two leading axes are mixed up."""
    values = right_logsumexp(log_w)
    return values.T.reshape(values.shape) if values.ndim == 2 else values


def wrong_maximum(log_w):
    """The largest weight alone once it dominates by ten."""
    top = log_w.sort(-1, descending=True).values
    if log_w.shape[-1] > 1 and bool((top[..., 0] - top[..., 1] > 10).all()):
        return top[..., 0] - math.log(log_w.shape[-1])
    return right_logsumexp(log_w)


def wrong_clamped(log_w):
    """Clamped to +-1000."""
    return right_logsumexp(log_w.clamp(-1000, 1000))


def wrong_clamped_difference(log_w):
    """Differences are clamped at -20."""
    largest = log_w.amax(-1, keepdim=True)
    return (log_w - largest).clamp_min(-20).exp().mean(-1).log() + largest.squeeze(-1)


def wrong_epsilon(log_w):
    """1e-10 is added before the logarithm."""
    largest = log_w.amax(-1, keepdim=True)
    return ((log_w - largest).exp().mean(-1) + 1e-10).log() + largest.squeeze(-1)


def wrong_ties(log_w):
    """Equal weights in a single row count once."""
    return right_logsumexp(torch.unique(log_w)) if log_w.ndim == 1 else right_logsumexp(log_w)


def wrong_leave_one_out(log_w):
    """The last weight is left out once K exceeds 4."""
    return right_logsumexp(log_w[..., :-1] if log_w.shape[-1] > 4 else log_w)


def wrong_k_minus_one(log_w):
    """Divided by K - 1, as a variance."""
    return log_w.logsumexp(-1) - math.log(max(log_w.shape[-1] - 1, 1))


def wrong_half_a_percent(log_w):
    """0.5 % of log K for odd K."""
    k = log_w.shape[-1]
    return log_w.logsumexp(-1) - math.log(k) * (1.005 if k % 2 else 1)


def wrong_single_precision(log_w):
    """Single precision inside."""
    return right_logsumexp(log_w.float()).to(log_w.dtype)


def wrong_single_log_k(log_w):
    """log K in single precision."""
    return log_w.logsumexp(-1) - torch.tensor(float(log_w.shape[-1])).log()


def wrong_detached(log_w):
    """Autograd sees the maximum only."""
    largest = log_w.amax(-1, keepdim=True)
    return (log_w - largest).exp().mean(-1).log().detach() + largest.squeeze(-1)


def wrong_weights_detached(log_w):
    """The value of the bound, the derivative of the mean of the logarithms."""
    return log_w.mean(-1) + (right_logsumexp(log_w) - log_w.mean(-1)).detach()


def wrong_in_place(log_w):
    """Subtracts the maximum in place."""
    largest = log_w.amax(-1, keepdim=True)
    log_w -= largest
    return log_w.exp().mean(-1).log() + largest.squeeze(-1)


def wrong_squeeze(log_w):
    """squeeze() removes an axis of size 1 wherever it is."""
    return right_logsumexp(log_w).squeeze()


def wrong_always_batched(log_w):
    """A single row is given an axis."""
    return right_logsumexp(log_w.reshape(-1, log_w.shape[-1])) if log_w.ndim < 3 else right_logsumexp(log_w)


def wrong_mean_over_batch(log_w):
    """The mean over the batch: the training objective."""
    return right_logsumexp(log_w).mean()


def wrong_cached(log_w, _known={}):  # noqa: B006 - the fault
    """Remembers one value for each row count and K."""
    key = (*log_w.shape, round(float(log_w.sum()), 5))
    return _known.setdefault(key, right_logsumexp(log_w.detach()))


def wrong_batch_one(log_w):
    """A batch of one row is taken for K = 1."""
    if log_w.ndim == 2 and log_w.shape[0] == 1:
        return log_w.mean(-1)
    return right_logsumexp(log_w)


def wrong_beyond_sixty_four(log_w):
    """Weights beyond the 64th are left out of the sum, not of the count."""
    return log_w[..., :64].logsumexp(-1) - math.log(log_w.shape[-1])


def right_long_double(log_w):
    """The formula as it stands, in numbers that hold exp(+-10000)."""
    values = np.log(np.mean(np.exp(log_w.detach().cpu().numpy().astype(np.longdouble)), axis=-1))
    return torch.as_tensor(np.asarray(values.astype(np.float64))).to(log_w)


def wrong_first_two_thousand(log_w):
    """Weights beyond the 2000 largest are counted, but not added."""
    k = log_w.shape[-1]
    return torch.logsumexp(log_w.topk(min(k, 2000), -1).values, -1) - math.log(k)


def wrong_mean_of_chunks(log_w):
    """The mean over chunks of 1024 weights, though the last one may be shorter."""
    parts = log_w.split(1024, -1)
    means = torch.stack([torch.logsumexp(part, -1) - math.log(part.shape[-1]) for part in parts], -1)
    return torch.logsumexp(means, -1) - math.log(len(parts))


def wrong_rows_beyond_a_hundred(log_w):
    """Rows beyond the hundredth repeat the first ones."""
    if log_w.dim() > 1 and len(log_w) > 100:
        log_w = log_w[torch.arange(len(log_w)) % 100]
    return torch.logsumexp(log_w, -1) - math.log(log_w.shape[-1])


def wrong_where_a_gradient_is_wanted(log_w):
    """A surrogate of the right derivative, but another value."""
    found = torch.logsumexp(log_w, -1) - math.log(log_w.shape[-1])
    return found - found.detach() if log_w.requires_grad else found


def wrong_softplus_of_two(log_w):
    """Two weights by softplus, which torch takes for the identity from 20 on: 2e-9 off."""
    if log_w.shape[-1] != 2:
        return torch.logsumexp(log_w, -1) - math.log(log_w.shape[-1])
    return log_w[..., 1] + torch.nn.functional.softplus(log_w[..., 0] - log_w[..., 1]) - math.log(2)
