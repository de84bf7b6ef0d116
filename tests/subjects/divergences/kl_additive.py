"""Implementations of D(p || q) on joint tables: right ones in different styles, and wrong ones."""

from __future__ import annotations

import math

import numpy as np
import scipy.special
import torch


def right_all_cells(p, q):
    return (torch.xlogy(p, p) - torch.xlogy(p, q)).sum()


def right_flat(p, q):
    p, q = p.view(-1), q.view(-1)
    support = p > 0
    return (p[support] * torch.log(p[support] / q[support])).sum()


def right_loops(p, q):
    total = 0.0
    for row, other in zip(p.tolist(), q.tolist(), strict=True):
        for a, b in zip(row, other, strict=True):
            if a > 0:
                total += math.inf if b == 0 else a * math.log(a / b)
    return total


def right_scipy(p, q):
    return scipy.special.rel_entr(p.detach().cpu().numpy(), q.detach().cpu().numpy()).sum().item()


def right_chain_rule(p, q):
    """Rows first, then columns given the row."""

    def kl(a, b):
        return (torch.xlogy(a, a) - torch.xlogy(a, b)).sum()

    total = kl(p.sum(1), q.sum(1))
    if torch.isinf(total):
        return total
    for a, b in zip(p, q, strict=True):
        if a.sum() > 0:
            total = total + a.sum() * kl(a / a.sum(), b / b.sum())
    return total


def right_entropies(p, q):
    return torch.special.entr(p).sum().neg() - torch.xlogy(p, q).sum()


def right_float128(p, q):
    a, b = (x.detach().cpu().numpy().astype(np.longdouble).ravel() for x in (p, q))
    if (b[a > 0] == 0).any():
        return float("inf")
    return float((a[a > 0] * np.log(a[a > 0] / b[a > 0])).sum())


def right_rows_then_columns(p, q):
    terms = torch.where(p > 0, p * (torch.where(p > 0, p, 1.0).log() - torch.where(p > 0, q, 1.0).log()), 0.0)
    return terms.sum(dim=1).sum(dim=0)


def wrong_marginals(p, q):
    """The sum of the marginals' divergences: right for independent components only."""
    return right_all_cells(p.sum(0), q.sum(0)) + right_all_cells(p.sum(1), q.sum(1))


def wrong_rows_only(p, q):
    """Independent components assumed on the side of q only."""
    return right_all_cells(p, q.sum(1, keepdim=True) * q.sum(0, keepdim=True))


def wrong_transposed_q(p, q):
    """q is read by columns."""
    return right_all_cells(p, q.T.reshape(p.shape))


def wrong_transposed_square(p, q):
    """Square tables are transposed on one side."""
    return right_all_cells(p, q.T if p.shape[0] == p.shape[1] else q)


def wrong_square_only(p, q):
    """Loops over rows as if there were as many columns."""
    n = p.shape[0]
    return sum(right_all_cells(p[i, j], q[i, j]) for i in range(n) for j in range(min(n, p.shape[1])))


def wrong_diagonal(p, q):
    """Only the diagonal."""
    return right_all_cells(p.diagonal(), q.diagonal())


def wrong_single_row(p, q):
    """A table of one row is taken for a batch of distributions of one point."""
    return p.new_zeros(()) if p.shape[0] == 1 else right_all_cells(p, q)


def wrong_single_column(p, q):
    """squeeze() turns a column into a row, and its length into the number of columns."""
    p, q = p.squeeze(), q.squeeze()
    if p.ndim == 0:
        return 0.0
    return right_all_cells(p[: p.shape[-1]], q[: p.shape[-1]])


def wrong_mean_over_rows(p, q):
    """The rows' terms are averaged."""
    return (torch.xlogy(p, p) - torch.xlogy(p, q)).sum(1).mean()


def wrong_conditional(p, q):
    """Rows are normalised first."""
    a, b = (x / x.sum(1, keepdim=True).clamp_min(1e-300) for x in (p, q))
    return (p.sum(1) * (torch.xlogy(a, a) - torch.xlogy(a, b)).sum(1)).sum()


def wrong_mutual_information(p, q):
    """Mutual information of p instead, plus the marginals."""
    product = p.sum(1, keepdim=True) * p.sum(0, keepdim=True)
    return right_all_cells(p, product) + wrong_marginals(p, q)


def wrong_batchmean(p, q):
    """torch's default reduction divides by the number of rows."""
    support = p > 0
    return torch.nn.functional.kl_div(q[support].log(), p[support], reduction="sum") / p.shape[0]


def wrong_swapped(p, q):
    """D(q || p)."""
    return right_all_cells(q, p)


def wrong_finite(p, q):
    """Cells with q = 0 are left out."""
    keep = (p > 0) & (q > 0)
    return right_all_cells(p[keep], q[keep])


def wrong_single_precision(p, q):
    """Single precision inside for more than one row."""
    return right_all_cells(p.float(), q.float()).to(p.dtype) if len(p) > 1 else right_all_cells(p, q)


def wrong_many_columns(p, q):
    """Columns beyond the eighth are lost."""
    return right_all_cells(p[:, :8], q[:, :8])


def wrong_more_rows_than_columns(p, q):
    """0.5 % off for tall tables."""
    return right_all_cells(p, q) * (1.005 if p.shape[0] > p.shape[1] > 1 else 1)


def wrong_cached_by_shape(p, q, _known={}):  # noqa: B006 - the fault
    """One value for each shape."""
    return _known.setdefault(tuple(p.shape), right_all_cells(p.detach(), q.detach()))


def wrong_detached(p, q):
    """Autograd sees only q."""
    return right_flat(p.detach(), q)


def wrong_in_place(p, q):
    """Divides p by its sum in place."""
    p /= p.sum()
    return right_all_cells(p, q)


def wrong_shape(p, q):
    """One number for each column."""
    return (torch.xlogy(p, p) - torch.xlogy(p, q)).sum(0)


def wrong_nan(p, q):
    """0 log 0 is NaN."""
    return (p * (p.log() - q.log())).sum()


def wrong_independent_if_nearly(p, q):
    """Takes the short cut where p is nearly a product table."""
    product = p.sum(1, keepdim=True) * p.sum(0, keepdim=True)
    return wrong_marginals(p, q) if torch.allclose(product, p, atol=1e-2) else right_all_cells(p, q)


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


def wrong_little_mass(p, q):
    """p below 1e-12 in all where q = 0 counts as nothing."""
    if float(p[q == 0].sum()) > 1e-12:
        return math.inf
    both = (p > 0) & (q > 0)
    return right_all_cells(p[both], q[both])


def wrong_clamped_at_1e290(p, q):
    """Cells of q below 1e-290 are clamped, except 0."""
    if ((p > 0) & (q == 0)).any():
        return math.inf
    return right_all_cells(p, q.clamp_min(1e-290))


def wrong_first_call(p, q, _calls=[0]):  # noqa: B006 - the fault
    """1 % too large at the first call only."""
    _calls[0] += 1
    return right_all_cells(p, q) * (1.01 if _calls[0] == 1 else 1)
