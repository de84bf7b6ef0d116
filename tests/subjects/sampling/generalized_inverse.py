"""Quantiles of step functions, inf{x : u < F(x)}: right ones and wrong ones."""

from __future__ import annotations

import bisect
from fractions import Fraction
from itertools import accumulate, pairwise

import numpy as np
import scipy.stats
import torch


def _last(probs):
    """The index of the last positive probability."""
    return int(torch.nonzero(probs > 0)[-1])


def right_searchsorted(atoms, probs, u):
    index = torch.searchsorted(probs.cumsum(0), u, right=True)
    return atoms[index.clamp(max=_last(probs))]


def right_other_form(atoms, probs, u):
    index = torch.searchsorted(probs.cumsum(0), u)
    return atoms[index.clamp(max=_last(probs))]


def right_clamped_to_n(atoms, probs, u):
    index = torch.searchsorted(torch.cumsum(probs, dim=0), u, right=True)
    return atoms.gather(0, index.clamp(max=len(atoms) - 1))


def right_last_forced(atoms, probs, u):
    heights = probs.cumsum(0)
    heights[-1] = 1.0
    return atoms[torch.bucketize(u, heights, right=True)]


def right_normalised(atoms, probs, u):
    heights = probs.cumsum(0)
    return right_searchsorted(atoms, probs / heights[-1], u)


def right_without_zeros(atoms, probs, u):
    kept = probs > 0
    atoms, heights = atoms[kept], probs[kept].cumsum(0)
    return atoms[torch.searchsorted(heights[:-1].contiguous(), u, right=True)]


def right_loop(atoms, probs, u):
    result = []
    for level in u.tolist():
        height, quantile = 0.0, None
        for x, p in zip(atoms.tolist(), probs.tolist(), strict=True):
            height += p
            if p > 0:
                quantile = x
            if level < height:
                break
        result.append(quantile)
    return torch.tensor(result, dtype=atoms.dtype)


def right_broadcast(atoms, probs, u):
    index = (u[:, None] >= probs.cumsum(0)).sum(1)
    return atoms[index.clamp(max=_last(probs))]


def right_argmax(atoms, probs, u):
    above = u[:, None] < probs.cumsum(0)
    above[:, _last(probs)] = True
    return atoms[above.int().argmax(1)]


def right_smallest(atoms, probs, u):
    below = (u[:, None] >= probs.cumsum(0)) | (probs == 0)
    smallest = torch.where(below, torch.inf, atoms).amin(1)
    return torch.where(torch.isinf(smallest), atoms[_last(probs)], smallest)


def right_largest(atoms, probs, u):
    kept = probs > 0
    atoms, heights = atoms[kept], probs[kept].cumsum(0)
    before = torch.cat([heights.new_zeros(1), heights[:-1]])
    return torch.where(before <= u[:, None], atoms, -torch.inf).amax(1)


def right_from_above(atoms, probs, u):
    kept = probs > 0
    atoms, probs = atoms[kept], probs[kept]
    rest = probs.flip(0).cumsum(0).flip(0)[1:]  # 1 - F but for the last
    return atoms[(1 - u[:, None] <= rest).sum(1)]


def right_increments(atoms, probs, u):
    kept = probs > 0
    atoms, heights = atoms[kept], probs[kept].cumsum(0)[:-1]
    return atoms[0] + (u[:, None] >= heights).to(atoms.dtype) @ (atoms[1:] - atoms[:-1])


def right_one_hot(atoms, probs, u):
    index = torch.searchsorted(probs.cumsum(0), u, right=True).clamp(max=_last(probs))
    return torch.nn.functional.one_hot(index, len(atoms)).to(atoms.dtype) @ atoms


def right_numpy(atoms, probs, u):
    p, own = probs.cpu().numpy(), u.detach().cpu().numpy()
    index = np.searchsorted(np.cumsum(p), own, side="right").clip(max=np.flatnonzero(p)[-1])
    return atoms[torch.from_numpy(index)]


def right_exact(atoms, probs, u):
    heights = list(accumulate(Fraction(p) for p in probs.tolist()))
    places = [min(bisect.bisect_right(heights, Fraction(level)), _last(probs)) for level in u.tolist()]
    return torch.stack([atoms[i] for i in places])


def right_vmap(atoms, probs, u):
    heights, last = probs.cumsum(0), _last(probs)
    index = torch.vmap(lambda level: (heights <= level).sum())(u)
    return atoms[index.clamp(max=last)]


def right_sorted_levels(atoms, probs, u):
    ordered, back = u.sort()
    result = torch.empty_like(u)
    result[back] = right_searchsorted(atoms, probs, ordered)
    return result


def right_bisection(atoms, probs, u):
    heights, last = probs.cumsum(0), _last(probs)
    low, high = torch.zeros(len(u), dtype=torch.long), torch.full((len(u),), last)
    while bool((low < high).any()):
        middle = (low + high) // 2
        above = u < heights[middle]
        high, low = torch.where(above, middle, high), torch.where(above | (low == high), low, middle + 1)
    return atoms[low.clamp(max=last)]


def right_float32(atoms, probs, u):
    return right_searchsorted(atoms, probs, u)


def wrong_no_clamp(atoms, probs, u):
    """Where the probabilities add up to less than 1, there is no index for u close to 1."""
    return atoms[torch.searchsorted(probs.cumsum(0), u, right=True)]


def wrong_first_beyond_the_last(atoms, probs, u):
    """For u above the summed F, argmax of nothing is the first atom."""
    return atoms[(u[:, None] < probs.cumsum(0)).int().argmax(1)]


def wrong_scipy(atoms, probs, u):
    """scipy does just that."""
    law = scipy.stats.rv_discrete(values=(atoms.detach().cpu().numpy(), probs.cpu().numpy()))
    return torch.as_tensor(law.ppf(u.detach().cpu().numpy()), dtype=atoms.dtype)


def wrong_shifted(atoms, probs, u):
    """The atom after the right one."""
    return atoms[(torch.searchsorted(probs.cumsum(0), u, right=True) + 1).clamp(max=_last(probs))]


def wrong_before(atoms, probs, u):
    """The atom before the right one: sup{x : F(x) <= u}, with the first for want of such."""
    return atoms[(torch.searchsorted(probs.cumsum(0), u, right=True) - 1).clamp(min=0)]


def wrong_wraps_at_zero(atoms, probs, u):
    """Heights before the jumps, and at u = 0 the index -1."""
    before = torch.cat([torch.zeros(1, dtype=probs.dtype), probs.cumsum(0)[:-1]])
    kept = torch.nonzero(probs > 0).reshape(-1)
    return atoms[kept[torch.searchsorted(before[kept].contiguous(), u) - 1]]


def wrong_zero_probability(atoms, probs, u):
    """Sums in steps of 1e-9 at least, so that atoms of probability 0 are returned."""
    heights = probs.clamp_min(1e-9).cumsum(0)
    return atoms[torch.searchsorted(heights, u, right=True).clamp(max=_last(probs))]


def wrong_trailing_zeros(atoms, probs, u):
    """Counts from above: u in the last jump finds the last atom, whatever its probability."""
    return torch.where(u >= 1 - probs[_last(probs)], atoms[-1], right_searchsorted(atoms, probs, u))


def wrong_leading_zero(atoms, probs, u):
    """u below the first positive height gives the first atom, whatever its probability."""
    positive = probs[probs > 0][0]
    return torch.where(u < positive, atoms[0], right_searchsorted(atoms, probs, u))


def wrong_index(atoms, probs, u):
    """The index instead of the atom."""
    return torch.searchsorted(probs.cumsum(0), u, right=True).clamp(max=_last(probs)).to(atoms.dtype)


def wrong_interpolated(atoms, probs, u):
    """Interpolates between the atoms."""
    x = np.interp(u.detach().cpu().numpy(), probs.cumsum(0).cpu().numpy(), atoms.detach().cpu().numpy())
    return torch.from_numpy(x).to(atoms.dtype)


def wrong_uniform(atoms, probs, u):
    """All atoms as likely as each other."""
    return atoms[(u * len(atoms)).long()]


def wrong_mirrored(atoms, probs, u):
    """The quantile at 1 - u: the same distribution."""
    return right_searchsorted(atoms, probs, 1 - u)


def wrong_sorted_result(atoms, probs, u):
    """The quantiles in increasing order: right for sorted u."""
    return right_searchsorted(atoms, probs, u).sort().values


def wrong_sorted_by_probability(atoms, probs, u):
    """The most likely atom first: the same distribution."""
    order = probs.argsort(descending=True, stable=True)
    return right_searchsorted(atoms[order], probs[order], u)


def wrong_distinct_atoms(atoms, probs, u):
    """Repeated atoms keep the probability of the first only."""
    first = torch.cat([torch.ones(1, dtype=torch.bool), atoms[1:] != atoms[:-1]])
    return (
        right_searchsorted(atoms[first], probs[first] / probs[first].sum().clamp_min(1e-300), u)
        if probs[first].any()
        else right_searchsorted(atoms, probs, u)
    )


def wrong_without_last(atoms, probs, u):
    """The last atom of three or more is never returned."""
    return right_searchsorted(atoms, probs, u).clamp(max=atoms[max(_last(probs) - 1, 1 if len(atoms) > 1 else 0)])


def wrong_nearest_height(atoms, probs, u):
    """The atom whose height is nearest to u."""
    return atoms[(u[:, None] - probs.cumsum(0)).abs().argmin(1)]


def wrong_tolerance(atoms, probs, u):
    """u that are within 1e-6 below a height count as at it."""
    return right_searchsorted(atoms, probs, (u + 1e-6).clamp(max=1))


def wrong_tiny_tolerance(atoms, probs, u):
    """The same within 1e-11."""
    return right_searchsorted(atoms, probs, u + 1e-11)


def wrong_strictly_increasing(atoms, probs, u):
    """A little is added to each probability, so that heights differ."""
    return right_searchsorted(atoms, probs + 1e-12, u)


def wrong_drops_rare(atoms, probs, u):
    """Probabilities below 1e-6 count as 0."""
    return right_searchsorted(atoms, torch.where(probs < 1e-6, 0.0, probs), u)


def wrong_four_digits(atoms, probs, u):
    """u is rounded to four digits."""
    return right_searchsorted(atoms, probs, u.round(decimals=4))


def wrong_table(atoms, probs, u):
    """A table of 4096 entries."""
    table = right_searchsorted(atoms, probs, (torch.arange(4096, dtype=probs.dtype) + 0.5) / 4096)
    return table[(u * 4096).long()]


def wrong_single_heights(atoms, probs, u):
    """F in single precision."""
    heights = probs.float().cumsum(0).to(probs.dtype)
    return atoms[torch.searchsorted(heights, u, right=True).clamp(max=_last(probs))]


def wrong_single_levels(atoms, probs, u):
    """u in single precision."""
    return right_searchsorted(atoms, probs, u.float().to(u.dtype))


def wrong_single_atoms(atoms, probs, u):
    """The atoms in single precision."""
    return right_searchsorted(atoms.float().to(atoms.dtype), probs, u)


def wrong_dtype(atoms, probs, u):
    """Returns single precision."""
    return right_searchsorted(atoms, probs, u).float()


def wrong_squeezed(atoms, probs, u):
    """A single u gives a number."""
    return right_searchsorted(atoms, probs, u).squeeze()


def wrong_one_atom(atoms, probs, u):
    """Of a single atom there is one quantile, however many u."""
    return atoms if len(atoms) == 1 else right_searchsorted(atoms, probs, u)


def wrong_beyond_sixty_four(atoms, probs, u):
    """Atoms beyond the 64th are forgotten."""
    return right_searchsorted(atoms, probs, u).clamp(max=atoms[63] if len(atoms) > 64 else atoms[-1])


def wrong_blocks(atoms, probs, u):
    """Works on blocks of 256 levels and repeats the last one's result for the rest."""
    result = right_searchsorted(atoms, probs, u)
    result[len(u) // 256 * 256 :] = result[len(u) // 256 * 256 :] if len(u) < 256 else result[-1].clone()
    return result


def wrong_integers(atoms, probs, u):
    """Rounds the atoms."""
    return right_searchsorted(atoms.round(), probs, u)


def wrong_negative(atoms, probs, u):
    """Absolute values."""
    return right_searchsorted(atoms, probs, u).abs()


def wrong_half_a_percent(atoms, probs, u):
    """0.5 % too large."""
    return 1.005 * right_searchsorted(atoms, probs, u)


def wrong_half_a_percent_of_p(atoms, probs, u):
    """The first probability is half a percent too large."""
    factor = torch.ones_like(probs)
    factor[0] = 1.005
    return right_searchsorted(atoms, probs * factor, u)


def wrong_straight_through(atoms, probs, u):
    """Autograd takes it for the identity in u."""
    return right_searchsorted(atoms, probs, u) + (u - u.detach())


def wrong_gradient_of_mean(atoms, probs, u):
    """Autograd takes it for the mean of the distribution."""
    mean = (atoms * probs).sum()
    return right_searchsorted(atoms, probs, u).detach() + mean - mean.detach()


def wrong_in_place(atoms, probs, u):
    """Sums the probabilities in place."""
    return atoms[torch.searchsorted(probs.cumsum_(0), u, right=True).clamp(max=len(atoms) - 1)]


def wrong_sorts_in_place(atoms, probs, u):
    """Sorts u in place, where there is more than one."""
    u.copy_(u.sort().values)
    return right_searchsorted(atoms, probs, u)


def wrong_cached_by_size(atoms, probs, u, _known={}):  # noqa: B006 - the fault
    """Remembers F by n."""
    heights = _known.setdefault(len(probs), probs.cumsum(0))
    return atoms[torch.searchsorted(heights, u, right=True).clamp(max=len(atoms) - 1)]


_calls = [0]


def wrong_thousandth(atoms, probs, u):
    """One in a thousand calls is wrong."""
    _calls[0] += 1
    return right_searchsorted(atoms, probs, u) + (_calls[0] % 1000 == 0)


def wrong_jittered(atoms, probs, u):
    """A random offset of u, as in stratified sampling: the same distribution."""
    return right_searchsorted(atoms, probs, (u + torch.rand(()).to(u)) % 1)


def wrong_reuses_levels(atoms, probs, u):
    """For more than 30 u every one is taken from the first 30."""
    return right_searchsorted(atoms, probs, u[torch.arange(len(u)) % 30])


def right_sums_repeated_atoms(atoms, probs, u):
    distinct, place = torch.unique(atoms.detach(), return_inverse=True)
    summed = torch.zeros_like(distinct).index_add(0, place, probs)
    return right_searchsorted(distinct, summed, u)


def right_logarithms(atoms, probs, u):
    kept = probs > 0
    heights = probs[kept].log().logcumsumexp(0)[:-1]
    return atoms[kept][(u.log()[:, None] >= heights).sum(1)]


def right_subtracts(atoms, probs, u):
    rest, result = u.clone(), atoms[_last(probs)].expand(len(u))
    found = torch.zeros(len(u), dtype=torch.bool)
    for x, p in zip(atoms, probs, strict=True):
        result = torch.where((rest < p) & ~found, x, result)
        found, rest = found | (rest < p), rest - p
    return result


def right_triangular_product(atoms, probs, u):
    heights = torch.ones(len(probs), len(probs), dtype=probs.dtype).tril() @ probs
    return atoms[torch.searchsorted(heights, u, right=True).clamp(max=_last(probs))]


def right_triangular_product_float32(atoms, probs, u):
    return right_triangular_product(atoms, probs, u)


def wrong_average_at_heights(atoms, probs, u):
    """At a jump's height the average of both neighbours, as for a median."""
    low, high = right_other_form(atoms, probs, u), right_searchsorted(atoms, probs, u)
    return torch.where(low == high, low, (low + high) / 2)


def wrong_overwrites_repeated_atoms(atoms, probs, u):
    """Of repeated atoms one probability is kept."""
    distinct, place = torch.unique(atoms.detach(), return_inverse=True)
    kept = torch.zeros_like(distinct)
    kept[place] = probs
    return right_searchsorted(distinct, kept, u) if kept.any() else right_searchsorted(atoms, probs, u)


def wrong_point_mass(atoms, probs, u):
    """A point mass is taken to be at the first atom."""
    return right_searchsorted(atoms, probs, u) if probs.max() < 1 else atoms[:1].expand(len(u))


def wrong_clamped_levels(atoms, probs, u):
    """u is clamped to [1e-7, 1 - 1e-7]."""
    return right_searchsorted(atoms, probs, u.clamp(1e-7, 1 - 1e-7))


def wrong_rounded_heights(atoms, probs, u):
    """F is rounded to nine digits."""
    heights = probs.cumsum(0).round(decimals=9)
    return atoms[torch.searchsorted(heights, u, right=True).clamp(max=_last(probs))]


def wrong_regularised_logarithms(atoms, probs, u):
    """Logarithms of p + 1e-10."""
    heights = (probs + 1e-10).log().logcumsumexp(0)
    return atoms[(u.log()[:, None] >= heights).sum(1).clamp(max=_last(probs))]


def wrong_median_of_two(atoms, probs, u):
    """Two atoms are as likely as each other."""
    return atoms[(u > 0.5).long()] if len(atoms) == 2 else right_searchsorted(atoms, probs, u)


def wrong_last_of_odd(atoms, probs, u):
    """Works on pairs of u: the last of an odd number gets the first one's quantile."""
    result = right_searchsorted(atoms, probs, u)
    return torch.cat([result[:-1], result[:1]]) if len(u) % 2 else result


def wrong_buffer(atoms, probs, u, _known={}):  # noqa: B006 - the fault
    """Fills the same tensor for every result of one length: an earlier result changes."""
    return _known.setdefault(len(u), torch.empty_like(u)).copy_(right_searchsorted(atoms, probs, u).detach())


def wrong_merges_close_atoms(atoms, probs, u):
    """Atoms that are nearly equal are taken for one."""
    groups = [0, *accumulate(int(not np.isclose(a, b)) for a, b in pairwise(atoms.tolist()))]
    sums = torch.zeros_like(probs).index_add_(0, torch.tensor(groups), probs)
    first = torch.tensor([groups.index(group) for group in range(groups[-1] + 1)])
    return right_without_zeros(atoms[first], sums[: len(first)], u)


def right_falls_back_on_the_last_atom(atoms, probs, u):
    """Plain numbers but for a u beyond the last sum, where the atom's own graph comes along."""
    result = torch.empty_like(u)
    for index, level in enumerate(u.tolist()):
        below = (x for x, high in zip(atoms.tolist(), accumulate(probs.tolist()), strict=True) if level < high)
        result[index] = next(below, atoms[_last(probs)])
    return result


def wrong_mirrored_at_the_first_call(atoms, probs, u, _calls=[]):  # noqa: B006 - the fault
    """Of 1 - u at the very first call."""
    _calls.append(0)
    return right_searchsorted(atoms, probs, u if len(_calls) > 1 else 1 - u)
