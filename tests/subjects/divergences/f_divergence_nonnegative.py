"""Implementations of D_f(p || q) = sum q f(p/q): right ones in different styles, and wrong ones."""

from __future__ import annotations

import math

import numpy as np
import torch


def right_sum(f, p, q):
    return (q * f(p / q)).sum()


def right_dot(f, p, q):
    return torch.dot(q, f(p / q))


def right_loop(f, p, q):
    return sum(b * f(a / b) for a, b in zip(p, q, strict=True))


def right_floats(f, p, q):
    return math.fsum(
        b * float(f(torch.tensor(a / b, dtype=p.dtype))) for a, b in zip(p.tolist(), q.tolist(), strict=True)
    )


def right_logarithms(f, p, q):
    return (q * f(torch.exp(p.log() - q.log()))).sum()


def right_column(f, p, q):
    ratio = (p / q)[:, None, None]
    return (q[:, None, None] * f(ratio)).sum()


def right_vmap(f, p, q):
    return (q * torch.vmap(f)(p / q)).sum()


def right_normalises(f, p, q):
    p, q = p / p.sum(), q / q.sum()
    return torch.einsum("i,i->", q, f(p / q))


def right_numpy(f, p, q):
    a, b = p.detach().cpu().numpy(), q.detach().cpu().numpy()
    return float(np.sum(b * f(torch.from_numpy(a / b).to(p)).cpu().numpy()))


def right_at_least_zero(f, p, q):
    return torch.clamp_min((f(p * (1 / q)) * q).sum(), 0.0)


def right_expectation_of_difference(f, p, q):
    """f(1) = 0 may be subtracted."""
    return (q * (f(p / q) - f(torch.ones_like(p)))).sum()


def wrong_swapped(f, p, q):
    """D_f(q || p)."""
    support = p > 0
    return (p[support] * f(q[support] / p[support])).sum()


def wrong_under_p(f, p, q):
    """The expectation under p."""
    return torch.where(p > 0, p * f(p / q), 0.0).sum()


def wrong_inverse_ratio(f, p, q):
    """f(q/p) under q."""
    support = p > 0
    return (q[support] * f(q[support] / p[support])).sum()


def wrong_drops_zeros(f, p, q):
    """Leaves out the points where p = 0, which count q f(0)."""
    support = p > 0
    return (q[support] * f(p[support] / q[support])).sum()


def wrong_epsilon_at_zero(f, p, q):
    """p = 0 is replaced by 1e-12."""
    return (q * f(p.clamp_min(1e-12) / q)).sum()


def wrong_finite(f, p, q):
    """An infinite f(0) is dropped."""
    return torch.nan_to_num(q * f(p / q), posinf=0.0).sum()


def wrong_positive_part(f, p, q):
    """Negative values of f are cut off."""
    return (q * f(p / q).clamp_min(0)).sum()


def wrong_absolute(f, p, q):
    """The absolute value of every term."""
    return (q * f(p / q)).abs().sum()


def wrong_kullback_leibler(f, p, q):
    """Always t log t."""
    return (torch.xlogy(p, p) - torch.xlogy(p, q)).sum()


def wrong_mean(f, p, q):
    """The mean instead of the sum."""
    return (q * f(p / q)).mean() if len(p) != 2 else (q * f(p / q)).sum()


def wrong_total(f, p, q):
    """f of the sum of the ratios."""
    return f((p / q * q).sum())


def wrong_unweighted(f, p, q):
    """All points count the same."""
    return f(p / q).mean()


def wrong_single_precision(f, p, q):
    """Single precision inside."""
    return (q * f((p / q).float()).to(q.dtype)).sum()


def wrong_default_dtype(f, p, q):
    """torch.tensor of a float is single precision."""
    return sum(b * float(f(torch.tensor(a / b))) for a, b in zip(p.tolist(), q.tolist(), strict=True))


def wrong_half_a_percent(f, p, q):
    """0.5 % too small beyond two points."""
    return (q * f(p / q)).sum() * (0.995 if len(p) > 2 else 1)


def wrong_beyond_sixty_four(f, p, q):
    """Points beyond the 64th are left out."""
    return (q * f(p / q))[:64].sum()


def wrong_clipped_ratio(f, p, q):
    """Ratios above 1e4 are clipped."""
    return (q * f((p / q).clamp_max(1e4))).sum()


def wrong_small_ratio(f, p, q):
    """Ratios below 1e-8 are clipped, except 0."""
    ratio = p / q
    return (q * f(torch.where(ratio > 0, ratio.clamp_min(1e-8), ratio))).sum()


def wrong_smooth_only(f, p, q):
    """The second-order expansion, right for (t - 1)^2 only."""
    one = torch.ones((), dtype=p.dtype, requires_grad=True)
    (first,) = torch.autograd.grad(f(one), one, create_graph=True)
    second = torch.autograd.grad(first, one)[0] if first.requires_grad else torch.zeros_like(one)
    return float((q * second * (p / q - 1) ** 2).sum() / 2)


def wrong_detached(f, p, q):
    """Autograd does not see the ratio."""
    return (q * f((p / q).detach())).sum()


def wrong_ratio_detached_q(f, p, q):
    """Autograd does not see q in the ratio."""
    return (q * f(p / q.detach())).sum()


def wrong_in_place(f, p, q):
    """Divides p by q in place."""
    return (q * f(p.div_(q))).sum()


def wrong_cached_by_f(f, p, q, _known={}):  # noqa: B006 - the fault
    """One value for each f and n."""
    return _known.setdefault((f.__name__, len(p)), float((q * f(p / q)).sum()))


def wrong_cached_by_p(f, p, q, _known={}):  # noqa: B006 - the fault
    """One value for each p and q, whatever f."""
    return _known.setdefault((tuple(p.tolist()), tuple(q.tolist())), float((q * f(p / q)).sum()))


def wrong_scalar_f(f, p, q):
    """Calls f with Python floats."""
    return sum(b * float(_strict(f, a / b)) for a, b in zip(p.tolist(), q.tolist(), strict=True))


def _strict(f, ratio):
    return f(torch.tensor([ratio])).squeeze().double()


def wrong_size_one(f, p, q):
    """squeeze() makes a scalar of one entry."""
    return torch.dot(q.squeeze(), f(p / q).squeeze())


def wrong_sorted(f, p, q):
    """Sorts p and q by themselves."""
    return (q.sort().values * f(p.sort().values / q.sort().values)).sum()


def wrong_last_of_odd(f, p, q):
    """The last of an odd number is counted once too often."""
    terms = q * f(p / q)
    return terms.sum() + (terms[-1] if len(p) % 2 and len(p) > 1 else 0)


def wrong_shape(f, p, q):
    """One entry instead of a scalar."""
    return (q * f(p / q)).sum().reshape(1)


def wrong_fifteen_points(f, p, q):
    """1 % off at n = 15 only."""
    return (q * f(p / q)).sum() * (1.01 if len(p) == 15 else 1.0)


def wrong_beyond_a_thousand(f, p, q):
    """Points beyond the thousandth are left out."""
    return (q * f(p / q))[:1000].sum()


def right_tilted(f, p, q):
    """Adds a multiple of t - 1 to f."""
    return (q * (f(p / q) + 0.3 * (p / q - 1))).sum()


def wrong_cached_by_name(f, p, q, _known={}):  # noqa: B006 - the fault
    """Remembers values by the name of f: all lambdas share one."""
    key = (f.__name__, tuple(p.tolist()), tuple(q.tolist()))
    return _known.setdefault(key, (q * f(p / q)).sum())


def wrong_first_call(f, p, q, _calls=[0]):  # noqa: B006 - the fault
    """1 % too large at the first call only."""
    _calls[0] += 1
    return (q * f(p / q)).sum() * (1.01 if _calls[0] == 1 else 1)
