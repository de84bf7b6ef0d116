"""Implementations of D(p || q) on finite distributions: right ones in different styles, and wrong ones."""

from __future__ import annotations

import math

import numpy as np
import scipy.special
import scipy.stats
import torch


def right_xlogy(p, q):
    return (torch.xlogy(p, p) - torch.xlogy(p, q)).sum()


def right_masked(p, q):
    if ((p > 0) & (q == 0)).any():
        return p.new_tensor(math.inf)
    support = p > 0
    return (p[support] * (p[support] / q[support]).log()).sum()


def right_loop(p, q):
    total = 0.0
    for a, b in zip(p.tolist(), q.tolist(), strict=True):
        if a > 0:
            total += math.inf if b == 0 else a * (math.log(a) - math.log(b))
    return total


def right_two_sums(p, q):
    cross = -torch.special.xlogy(p, q).sum()
    return cross - torch.special.entr(p).sum()


def right_scipy(p, q):
    return float(scipy.special.rel_entr(p.detach().cpu().numpy(), q.detach().cpu().numpy()).sum())


def right_scipy_entropy(p, q):
    return scipy.stats.entropy(p.detach().cpu().numpy().astype(np.float64), q.detach().cpu().numpy().astype(np.float64))


def right_normalises_and_clamps(p, q):
    p, q = p / p.sum(), q / q.sum()
    terms = torch.where(p > 0, p * (p.clamp_min(1e-320 if p.dtype == torch.float64 else 1e-40).log() - q.log()), 0.0)
    return terms.sum().clamp_min(0)


def right_where(p, q):
    one = torch.ones_like(p)
    ratio = torch.where(p > 0, p, one) / torch.where(p > 0, q, one)
    return (p * torch.log(ratio)).sum()


def right_kl_div(p, q):
    support = p > 0
    return torch.nn.functional.kl_div(q[support].log(), p[support], reduction="sum")


def right_kl_div_of_logs(p, q):
    support = p > 0
    return torch.nn.functional.kl_div(q[support].log(), p[support].log(), reduction="sum", log_target=True)


def right_generalised(p, q):
    return (torch.xlogy(p, p) - torch.xlogy(p, q) - p + q).sum()


def right_other_ratio(p, q):
    support = p > 0
    return -(p[support] * (q[support] / p[support]).log()).sum()


def right_binary_logarithm(p, q):
    support = p > 0
    return math.log(2) * torch.dot(p[support], p[support].log2() - q[support].log2())


def right_numpy_nansum(p, q):
    a, b = p.detach().cpu().double().numpy(), q.detach().cpu().double().numpy()
    with np.errstate(all="ignore"):
        terms = a * np.log(a / b)
    return float(np.where(a == 0, 0.0, terms).sum())


def right_einsum_with_memory(p, q, _known={}):  # noqa: B006 - the memory is the point: by value, so it does no harm
    key = (tuple(p.tolist()), tuple(q.tolist()))
    if key not in _known:
        _known[key] = right_loop(p, q)
    return _known[key]


def wrong_nan_for_common_zeros(p, q):
    """0 times infinity where p = q = 0."""
    return torch.nn.functional.kl_div(q.log(), p, reduction="sum")


def wrong_nan_for_zeros(p, q):
    """0 log 0 is NaN."""
    return (p * (p / q).log()).sum()


def wrong_nansum(p, q):
    """Right but for p > 0 = q, where the infinity is dropped."""
    terms = p * (p / q).log()
    return torch.where(torch.isfinite(terms), terms, 0.0).sum()


def wrong_epsilon(p, q):
    """Regularised by 1e-12."""
    return (p * ((p + 1e-12) / (q + 1e-12)).log()).sum()


def wrong_small_epsilon(p, q):
    """Infinity is handled, but q below 1e-16 is not."""
    support = p > 0
    if (q[support] == 0).any():
        return math.inf
    return (p[support] * (p[support].log() - q[support].clamp_min(1e-16).log())).sum()


def wrong_categorical(p, q):
    """torch.distributions clamps probabilities to the machine epsilon before it takes logarithms."""
    categorical = torch.distributions.Categorical
    return torch.distributions.kl_divergence(categorical(probs=p), categorical(probs=q))


def wrong_swapped(p, q):
    """D(q || p)."""
    return right_xlogy(q, p)


def wrong_bits(p, q):
    """Binary logarithms."""
    return right_xlogy(p, q) / math.log(2)


def wrong_mean(p, q):
    """The mean instead of the sum."""
    return right_xlogy(p, q) / len(p)


def wrong_symmetric(p, q):
    """Jeffreys' average of both orders: right where the two agree."""
    return (right_xlogy(p, q) + right_xlogy(q, p)) / 2


def wrong_absolute(p, q):
    """The terms are made non-negative one by one."""
    return (torch.xlogy(p, p) - torch.xlogy(p, q)).abs().sum()


def wrong_half_a_percent(p, q):
    """0.5 % too large."""
    return 1.005 * right_xlogy(p, q)


def wrong_beyond_hundred(p, q):
    """Entries beyond the hundredth are left out."""
    return right_xlogy(p[:100], q[:100])


def wrong_last_of_odd(p, q):
    """Sums in pairs, and forgets the last of an odd number."""
    terms = torch.xlogy(p, p) - torch.xlogy(p, q)
    return terms.sum() if len(p) < 3 else (terms[0 : len(p) // 2 * 2 : 2] + terms[1 : len(p) // 2 * 2 : 2]).sum()


def wrong_single_precision(p, q):
    """Single precision inside."""
    return right_xlogy(p.float(), q.float()).to(p.dtype)


def wrong_single_logarithm(p, q):
    """Single precision for large n only."""
    return wrong_single_precision(p, q) if len(p) > 50 else right_xlogy(p, q)


def wrong_detached(p, q):
    """Autograd takes p for a constant."""
    return right_masked(p.detach(), q)


def wrong_in_place(p, q):
    """Clamps its argument."""
    p.clamp_(min=1e-15)
    return right_masked(p, q)


def wrong_normalises_in_place(p, q):
    """Divides its argument by its sum, which is nearly always 1."""
    q /= q.sum()
    return right_masked(p, q)


def wrong_cached_by_size(p, q, _known={}):  # noqa: B006 - the fault
    """Remembers one value for each n."""
    return _known.setdefault(len(p), right_loop(p, q))


def wrong_cached_by_p(p, q, _known={}):  # noqa: B006 - the fault
    """Remembers one value for each p, rounded."""
    key = tuple(round(entry, 6) for entry in p.tolist()), tuple(q.tolist())
    return _known.setdefault(key, right_loop(p, q))


_calls = [0]


def wrong_thousandth(p, q):
    """One in a thousand calls is wrong."""
    _calls[0] += 1
    return right_loop(p, q) + (_calls[0] % 1000 == 0)


def wrong_drops_tiny(p, q):
    """p below 1e-12 counts as 0."""
    return right_xlogy(torch.where(p < 1e-12, 0.0, p), q)


def wrong_drops_ties(p, q):
    """Works on the set of distinct pairs."""
    pairs = torch.unique(torch.stack([p, q], dim=1), dim=0)
    return right_xlogy(pairs[:, 0], pairs[:, 1])


def wrong_sorted(p, q):
    """Sorts both by themselves."""
    return right_xlogy(p.sort().values, q.sort().values)


def wrong_for_two(p, q):
    """The Bernoulli formula on the first entries, whatever n."""
    if len(p) == 1:
        return 0.0
    return right_loop(torch.stack([p[0], 1 - p[0]]), torch.stack([q[0], 1 - q[0]]))


def wrong_nearly_equal(p, q):
    """0 where p and q agree to five digits."""
    return 0.0 if torch.allclose(p, q) else right_loop(p, q)


def wrong_infinity_in_first(p, q):
    """Only looks at the first entry of q for a zero."""
    if p[0] > 0 and q[0] == 0:
        return math.inf
    support = (p > 0) & (q > 0)
    return right_xlogy(p[support], q[support])


def wrong_capped(p, q):
    """Infinity is replaced by a large number."""
    return min(right_loop(p, q), 1e6)


def wrong_shape(p, q):
    """One entry instead of a scalar."""
    return (torch.xlogy(p, p) - torch.xlogy(p, q)).sum(0, keepdim=True)


def wrong_size_one(p, q):
    """squeeze() makes a scalar of one entry, which cannot be iterated."""
    return sum(right_loop(a.reshape(1), b.reshape(1)) for a, b in zip(p.squeeze(), q.squeeze(), strict=True))


def wrong_chi_square(p, q):
    """Pearson's approximation, good for nearly equal distributions."""
    support = q > 0
    return math.inf if (p[~support] > 0).any() else ((p - q)[support] ** 2 / q[support]).sum() / 2


def right_logarithms_from_the_smallest_normal_number(p, q):
    """The clamp changes only terms whose p is subnormal, too; p > 0 = q is seen to."""
    tiny = torch.finfo(p.dtype).tiny
    value = (p * (p.clamp_min(tiny).log() - q.clamp_min(tiny).log())).sum()
    return torch.where(((p > 0) & (q == 0)).any(), torch.full_like(value, math.inf), value)


def wrong_subnormal_is_zero(p, q):
    """Subnormal p count as 0, where q = 0 as well."""
    support = p > torch.finfo(p.dtype).tiny
    return (torch.xlogy(p, p) - torch.xlogy(p, q))[support].sum()


def wrong_log1p(p, q):
    """log1p of p/q - 1, which is -1 and -inf once p/q is below the machine epsilon."""
    support = p > 0
    p, q = p[support], q[support]
    return (p * torch.log1p((p - q) / q)).sum()


def wrong_gradient_of_equal_terms(p, q):
    """Leaves out the terms where p = q: they are 0, their derivatives are not."""
    chosen = (p > 0) & (p != q)
    return (p[chosen] * (p[chosen] / q[chosen]).log()).sum()


def wrong_first_call(p, q, _calls=[0]):  # noqa: B006 - the fault
    """1 % too large at the first call only."""
    _calls[0] += 1
    return (torch.xlogy(p, p) - torch.xlogy(p, q)).sum() * (1.01 if _calls[0] == 1 else 1)


def wrong_one_tensor(p, q):
    """Not a number where both distributions are the same tensor."""
    return math.nan if p is q else (torch.xlogy(p, p) - torch.xlogy(p, q)).sum()


def wrong_first_three_calls(p, q, _calls=[0]):  # noqa: B006 - the fault
    """1 % too large at the first three calls only."""
    _calls[0] += 1
    return (torch.xlogy(p, p) - torch.xlogy(p, q)).sum() * (1.01 if _calls[0] <= 3 else 1)


def wrong_logarithms_of_the_latest(p, q, _latest={}):  # noqa: B006 - the fault
    """Keeps log q as long as q is the same tensor, whatever is in it by now."""
    if _latest.get("q") is not q:
        _latest.update(q=q, logs=q.clamp_min(1e-320).log())
    infinite = bool(((p > 0) & (q == 0)).any())
    return math.inf if infinite else (torch.xlogy(p, p) - p * _latest["logs"]).sum()
