"""Implementations of the divergence between Gaussian distributions: right ones in different styles, and wrong ones."""

from __future__ import annotations

import functools
import math

import mpmath
import numpy as np
import scipy.linalg
import torch


def right_inverse(mu0, cov0, mu1, cov1, invert=torch.linalg.inv):
    inverse, shift = invert(cov1), mu1 - mu0
    logs = torch.logdet(cov1) - torch.logdet(cov0)
    return 0.5 * (torch.trace(inverse @ cov0) + shift @ inverse @ shift - len(shift) + logs)


def right_distributions(mu0, cov0, mu1, cov1):
    normal = torch.distributions.MultivariateNormal
    return torch.distributions.kl_divergence(normal(mu0, cov0), normal(mu1, cov1))


def right_cholesky(mu0, cov0, mu1, cov1):
    left, right = torch.linalg.cholesky(cov0), torch.linalg.cholesky(cov1)
    whitened = torch.linalg.solve_triangular(right, torch.column_stack([left, mu1 - mu0]), upper=False)
    logs = right.diagonal().log().sum() - left.diagonal().log().sum()
    return 0.5 * ((whitened**2).sum() - len(mu0)) + logs


def right_solve(mu0, cov0, mu1, cov1):
    shift = mu1 - mu0
    trace = torch.linalg.solve(cov1, cov0).diagonal().sum()
    logs = torch.slogdet(cov1).logabsdet - torch.slogdet(cov0).logabsdet
    return (trace + torch.dot(shift, torch.linalg.solve(cov1, shift)) - mu0.numel() + logs) / 2


def right_determinants(mu0, cov0, mu1, cov1):
    inverse = torch.linalg.inv(cov1)
    shift = (mu1 - mu0).unsqueeze(1)
    terms = torch.trace(inverse @ cov0) + (shift.T @ inverse @ shift).squeeze() - len(mu0)
    return 0.5 * (terms + torch.log(torch.det(cov1) / torch.det(cov0)))


def right_numpy(mu0, cov0, mu1, cov1):
    m0, s0, m1, s1 = (x.detach().cpu().double().numpy() for x in (mu0, cov0, mu1, cov1))
    terms = np.trace(np.linalg.solve(s1, s0)) + (m1 - m0) @ np.linalg.solve(s1, m1 - m0) - len(m0)
    return float(0.5 * (terms + np.linalg.slogdet(s1)[1] - np.linalg.slogdet(s0)[1]))


def right_scipy(mu0, cov0, mu1, cov1):
    m0, s0, m1, s1 = (x.detach().cpu().double().numpy() for x in (mu0, cov0, mu1, cov1))
    factor = scipy.linalg.cho_factor(s1)
    terms = np.trace(scipy.linalg.cho_solve(factor, s0)) + (m1 - m0) @ scipy.linalg.cho_solve(factor, m1 - m0)
    logs = 2 * np.log(np.diag(factor[0])).sum() - np.linalg.slogdet(s0).logabsdet
    return 0.5 * (terms - len(m0) + logs)


def right_eigenvalues(mu0, cov0, mu1, cov1):
    values, vectors = torch.linalg.eigh(cov1)
    inside = vectors.T @ cov0 @ vectors
    shift = vectors.T @ (mu1 - mu0)
    logs = values.log().sum() - torch.linalg.eigvalsh(cov0).log().sum()
    return 0.5 * ((inside.diagonal() / values).sum() + (shift**2 / values).sum() - len(mu0) + logs)


def right_eigenvectors_of_both(mu0, cov0, mu1, cov1):
    (own, axes), (values, vectors) = torch.linalg.eigh(cov0), torch.linalg.eigh(cov1)
    overlap, shift = (vectors.T @ axes) ** 2, vectors.T @ (mu1 - mu0)
    total = (overlap * (own / values[:, None])).sum() + (shift**2 / values).sum()
    return (total - len(mu0) + values.log().sum() - own.log().sum()) / 2


def right_both_diagonal(mu0, cov0, mu1, cov1):
    """In the coordinates in which one covariance is the identity and the other is diagonal."""
    root = torch.linalg.cholesky(cov1)
    half = torch.linalg.solve_triangular(root, cov0, upper=False)
    values, axes = torch.linalg.eigh(torch.linalg.solve_triangular(root, half.T, upper=False))
    shift = axes.T @ torch.linalg.solve_triangular(root, (mu1 - mu0)[:, None], upper=False)
    return ((values - values.log() - 1).sum() + shift.square().sum()) / 2


def right_product(mu0, cov0, mu1, cov1):
    """The logarithm of one determinant, that of the product."""
    product = torch.linalg.solve(cov1, cov0)
    shift = mu1 - mu0
    quadratic = shift @ torch.linalg.solve(cov1, shift)
    return 0.5 * (product.trace() - torch.logdet(product) + quadratic - len(shift))


def right_entrywise(mu0, cov0, mu1, cov1):
    inverse, shift = torch.linalg.pinv(cov1, hermitian=True), mu1 - mu0
    total = (inverse * cov0).sum() + torch.einsum("i,ij,j->", shift, inverse, shift)
    return 0.5 * (total - cov0.shape[0] + cov1.logdet() - cov0.logdet())


def right_elimination(mu0, cov0, mu1, cov1):
    """Python's floats: Cholesky factors by hand."""

    def factor(s):
        n = len(s)
        low = [[0.0] * n for _ in range(n)]
        for i in range(n):
            for j in range(i + 1):
                rest = s[i][j] - math.fsum(low[i][k] * low[j][k] for k in range(j))
                low[i][j] = math.sqrt(rest) if i == j else rest / low[j][j]
        return low

    def solved(low, column):
        out = []
        for i, row in enumerate(low):
            out.append((column[i] - math.fsum(row[k] * out[k] for k in range(i))) / row[i])
        return out

    left, right = factor(cov0.tolist()), factor(cov1.tolist())
    n = len(left)
    columns = [[left[i][j] for i in range(n)] for j in range(n)] + [(mu1.double() - mu0.double()).tolist()]
    squares = math.fsum(x * x for column in columns for x in solved(right, column))
    return 0.5 * (squares - n) + sum(math.log(right[i][i] / left[i][i]) for i in range(n))


def right_cross_entropy(mu0, cov0, mu1, cov1):
    """Cross entropy minus entropy."""
    d, shift = len(mu0), mu1 - mu0
    second = cov0 + shift[:, None] * shift[None, :]
    cross = 0.5 * (d * math.log(2 * math.pi) + cov1.logdet() + torch.linalg.solve(cov1, second).trace())
    return cross - 0.5 * (d * math.log(2 * math.pi) + d + cov0.logdet())


def wrong_diagonal(mu0, cov0, mu1, cov1):
    """Off-diagonal entries are ignored."""
    return right_inverse(mu0, cov0.diagonal().diag(), mu1, cov1.diagonal().diag())


def wrong_diagonal_trace(mu0, cov0, mu1, cov1):
    """The trace of the product of the diagonals."""
    inverse, shift = torch.linalg.inv(cov1), mu1 - mu0
    trace = (inverse.diagonal() * cov0.diagonal()).sum()
    return 0.5 * (trace + shift @ inverse @ shift - len(shift) + cov1.logdet() - cov0.logdet())


def wrong_swapped(mu0, cov0, mu1, cov1):
    """The arguments are swapped."""
    return right_inverse(mu1, cov1, mu0, cov0)


def wrong_no_half(mu0, cov0, mu1, cov1):
    """Twice the divergence."""
    return 2 * right_inverse(mu0, cov0, mu1, cov1)


def wrong_no_dimension(mu0, cov0, mu1, cov1):
    """1 instead of d."""
    return right_inverse(mu0, cov0, mu1, cov1) + (len(mu0) - 1) / 2


def wrong_log_ratio(mu0, cov0, mu1, cov1):
    """The logarithm has the wrong sign."""
    return right_inverse(mu0, cov0, mu1, cov1) + cov0.logdet() - cov1.logdet()


def wrong_quadratic(mu0, cov0, mu1, cov1):
    """The quadratic form is that of cov0."""
    shift = mu1 - mu0
    forms = shift @ torch.linalg.solve(cov0, shift) - shift @ torch.linalg.solve(cov1, shift)
    return right_inverse(mu0, cov0, mu1, cov1) + 0.5 * forms


def wrong_trace(mu0, cov0, mu1, cov1):
    """tr(cov0^-1 cov1)."""
    traces = torch.linalg.solve(cov0, cov1).trace() - torch.linalg.solve(cov1, cov0).trace()
    return right_inverse(mu0, cov0, mu1, cov1) + 0.5 * traces


def wrong_half_quadratic(mu0, cov0, mu1, cov1):
    """0.5 % off in the quadratic form, along the last coordinate only, d >= 3."""
    value = right_inverse(mu0, cov0, mu1, cov1)
    if len(mu0) < 3:
        return value
    shift = mu1 - mu0
    return value + 0.0025 * shift[-1] ** 2 * torch.linalg.inv(cov1)[-1, -1]


def wrong_small_jitter(mu0, cov0, mu1, cov1):
    """1e-10 is added to the diagonals, which counts in small units."""
    eye = 1e-10 * torch.eye(len(mu0), dtype=mu0.dtype)
    return right_cholesky(mu0, cov0 + eye, mu1, cov1 + eye)


def wrong_clamped_variance(mu0, cov0, mu1, cov1):
    """Eigenvalues are clamped at 1e-3."""
    values, vectors = torch.linalg.eigh(cov1)
    return right_inverse(mu0, cov0, mu1, (vectors * values.clamp_min(1e-3)) @ vectors.T)


def wrong_large_dimension(mu0, cov0, mu1, cov1):
    """1 % off beyond six dimensions."""
    return right_inverse(mu0, cov0, mu1, cov1) * (1.01 if len(mu0) > 6 else 1)


def wrong_odd_dimension(mu0, cov0, mu1, cov1):
    """The sign of the determinant is lost for odd d beyond 1: the log of -det is 0."""
    value = right_inverse(mu0, cov0, mu1, cov1)
    return value if len(mu0) % 2 == 0 or len(mu0) == 1 else value - 0.5 * (cov1.logdet() - cov0.logdet())


def wrong_blocks(mu0, cov0, mu1, cov1):
    """2 x 2 blocks are assumed independent."""
    n = len(mu0)
    mask = torch.arange(n)[:, None] // 2 == torch.arange(n)[None, :] // 2
    return right_inverse(mu0, cov0 * mask, mu1, cov1 * mask)


def wrong_sign_of_correlation(mu0, cov0, mu1, cov1):
    """Correlations are taken without their sign."""
    return right_inverse(mu0, cov0.abs(), mu1, cov1.abs()) if len(mu0) == 2 else right_inverse(mu0, cov0, mu1, cov1)


def wrong_ill_conditioned(mu0, cov0, mu1, cov1):
    """1 % off where the condition number exceeds 1e6."""
    bad = torch.linalg.cond(cov1) > 1e6
    return right_cholesky(mu0, cov0, mu1, cov1) * (1.01 if bad else 1)


def wrong_pinv(mu0, cov0, mu1, cov1):
    """A pseudo-inverse that drops directions below 1e-6."""
    return right_inverse(mu0, cov0, mu1, cov1, lambda cov: torch.linalg.pinv(cov, rtol=1e-6))


def wrong_single_precision(mu0, cov0, mu1, cov1):
    """Single precision inside."""
    return right_inverse(*(x.float() for x in (mu0, cov0, mu1, cov1))).to(mu0.dtype)


def wrong_single_logarithm(mu0, cov0, mu1, cov1):
    """The determinants in single precision."""
    logs = cov1.logdet() - cov0.logdet()
    return right_inverse(mu0, cov0, mu1, cov1) + 0.5 * ((cov1.float().logdet() - cov0.float().logdet()).double() - logs)


def wrong_detached(mu0, cov0, mu1, cov1):
    """Autograd does not see the inverse."""
    return right_inverse(mu0, cov0, mu1, cov1, lambda cov: torch.linalg.inv(cov).detach())


def wrong_half_graph(mu0, cov0, mu1, cov1):
    """Autograd does not see cov0."""
    return right_cholesky(mu0, cov0.detach(), mu1, cov1)


def wrong_in_place(mu0, cov0, mu1, cov1):
    """The difference is formed in place."""
    mu1 -= mu0
    return right_inverse(torch.zeros_like(mu0), cov0, mu1, cov1)


def wrong_in_place_triangle(mu0, cov0, mu1, cov1):
    """Clears the upper triangle in place, which Cholesky factors do not need."""
    return right_cholesky(mu0, cov0, mu1, cov1.tril_())


def wrong_cached_factor(mu0, cov0, mu1, cov1, _known={}):  # noqa: B006 - the fault
    """One factor for each d."""
    inverse = _known.setdefault(len(mu0), torch.linalg.inv(cov1.detach()))
    return float(right_inverse(mu0, cov0, mu1, cov1, lambda cov: inverse))


def wrong_cached(mu0, cov0, mu1, cov1, _known={}):  # noqa: B006 - the fault
    """Remembers values by rounded arguments."""
    key = tuple(tuple(x.double().round(decimals=6).flatten().tolist()) for x in (mu0, cov0, mu1, cov1))
    return _known.setdefault(key, float(right_inverse(mu0, cov0, mu1, cov1)))


_calls = [0]


def wrong_late(mu0, cov0, mu1, cov1):
    """Wrong from the 990th call on."""
    _calls[0] += 1
    return float(right_inverse(mu0, cov0, mu1, cov1)) + (_calls[0] > 990)


def wrong_shape(mu0, cov0, mu1, cov1):
    """A matrix of one entry."""
    return right_inverse(mu0, cov0, mu1, cov1).reshape(1, 1)


def wrong_standard_normal(mu0, cov0, mu1, cov1):
    """The variational autoencoder's formula: N1 is taken for the standard normal."""
    return 0.5 * (cov0.trace() + mu0 @ mu0 - len(mu0) - cov0.logdet())


def wrong_one_dimension(mu0, cov0, mu1, cov1):
    """squeeze() leaves nothing to invert where d = 1."""
    return right_inverse(mu0.squeeze(), cov0.squeeze(), mu1.squeeze(), cov1.squeeze())


def wrong_condition_guard(mu0, cov0, mu1, cov1):
    """Refuses condition numbers above 1e5."""
    if torch.linalg.cond(cov1) > 1e5:
        raise ValueError("cov1 is singular")
    return right_inverse(mu0, cov0, mu1, cov1)


def wrong_means_equal_to_eight_digits(mu0, cov0, mu1, cov1):
    """Means that agree to 1e-8 are taken for equal, in whatever units."""
    return right_cholesky(mu0, cov0, mu0 if torch.allclose(mu0, mu1, rtol=0, atol=1e-8) else mu1, cov1)


def wrong_nearly_diagonal(mu0, cov0, mu1, cov1):
    """Off-diagonal entries of cov1 below 1e-3 of the variances are ignored."""
    variances = torch.diag(cov1.diagonal())
    nearly = (cov1 - variances).abs().max() < 1e-3 * cov1.diagonal().min()
    return right_cholesky(mu0, cov0, mu1, variances if nearly else cov1)


def wrong_beyond_twenty(mu0, cov0, mu1, cov1):
    """Coordinates beyond the twentieth are left out."""
    return right_cholesky(mu0[:20], cov0[:20, :20], mu1[:20], cov1[:20, :20])


def wrong_small_is_zero(mu0, cov0, mu1, cov1):
    """Divergences below 1e-8 are taken for rounding errors."""
    value = right_cholesky(mu0, cov0, mu1, cov1)
    return torch.where(value < 1e-8, 0 * value, value)


def wrong_clipped_determinants(mu0, cov0, mu1, cov1):
    """The logarithm of the ratio of the determinants is clipped to +-20."""
    log_ratio = torch.logdet(cov1) - torch.logdet(cov0)
    return right_cholesky(mu0, cov0, mu1, cov1) + (log_ratio.clamp(-20, 20) - log_ratio) / 2


@functools.lru_cache(maxsize=64)
def _factor(cov):
    return torch.linalg.cholesky(cov)


def wrong_factor_by_identity(mu0, cov0, mu1, cov1):
    """Remembers factors by the identity of the covariance, which may have changed in place."""
    normal = torch.distributions.MultivariateNormal
    first, second = normal(mu0, scale_tril=_factor(cov0)), normal(mu1, scale_tril=_factor(cov1))
    return torch.distributions.kl_divergence(first, second).detach()


def wrong_shared_covariance(mu0, cov0, mu1, cov1):
    """For one tensor as both covariances the quadratic form is not halved."""
    value = right_cholesky(mu0, cov0, mu1, cov1)
    return 2 * value if cov0 is cov1 else value


def right_diagonal_apart(mu0, cov0, mu1, cov1):
    """Diagonal covariances go coordinate by coordinate."""
    if any(int(cov.count_nonzero()) > len(cov) for cov in (cov0, cov1)):
        return right_cholesky(mu0, cov0, mu1, cov1)
    first, second = (torch.distributions.Normal(mu, cov.diagonal().sqrt()) for mu, cov in ((mu0, cov0), (mu1, cov1)))
    return torch.distributions.kl_divergence(first, second).sum()


def wrong_where_both_are_ill_conditioned(mu0, cov0, mu1, cov1):
    """1 % too large where both condition numbers are above 3e6."""
    value = right_cholesky(mu0, cov0, mu1, cov1)
    return value * (1.01 if min(torch.linalg.cond(cov0), torch.linalg.cond(cov1)) > 3e6 else 1)


def right_mpmath(mu0, cov0, mu1, cov1):
    """With 60 digits, slowly."""
    with mpmath.workdps(60):
        first, second = (mpmath.matrix(cov.tolist()) for cov in (cov0, cov1))
        shift = mpmath.matrix((mu1 - mu0).tolist())
        inverse, d = second**-1, len(mu0)
        product = inverse * first
        trace = sum(product[i, i] for i in range(d))
        ratio = mpmath.log(mpmath.det(second)) - mpmath.log(mpmath.det(first))
        return float((trace + (shift.T * inverse * shift)[0] - d + ratio) / 2)


def right_least_squares(mu0, cov0, mu1, cov1):
    """LAPACK's least squares, whose last bits vary from call to call."""
    solved = torch.linalg.lstsq(cov1, torch.column_stack([cov0, mu1 - mu0])).solution
    logs = torch.linalg.slogdet(cov1)[1] - torch.linalg.slogdet(cov0)[1]
    return 0.5 * (solved[:, :-1].trace() + (mu1 - mu0) @ solved[:, -1] - len(mu0) + logs)


class _Drifting:
    """A billionth larger after every call."""

    def __init__(self):
        self.calls = 0

    def __call__(self, mu0, cov0, mu1, cov1):
        self.calls += 1
        return right_cholesky(mu0, cov0, mu1, cov1) * (1 + 1e-9 * self.calls)


wrong_drifting = _Drifting()


def wrong_diagonal_of_a_contiguous_matrix(mu0, cov0, mu1, cov1):
    """Of diagonal matrices it reads the diagonal as if the memory were contiguous."""
    if any((cov - cov.diagonal().diag()).any() for cov in (cov0, cov1)):
        return right_cholesky(mu0, cov0, mu1, cov1)
    v0, v1 = (torch.as_strided(cov, (len(cov),), (len(cov) + 1,)) for cov in (cov0, cov1))
    return 0.5 * ((v0 + (mu1 - mu0) ** 2) / v1 - 1 + (v1 / v0).log()).sum()
