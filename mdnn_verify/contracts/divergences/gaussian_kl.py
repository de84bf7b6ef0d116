r"""D(N0 || N1) between Gaussian distributions on $\mathbb R^d$, in nats, any d >= 1.

The value is compared with the formula of the theorem, evaluated in balls of 200 bits at exactly the floats that are
handed over. What rounding may explain: an implementation that inverts $\Sigma_1$ by a backward stable method has
$X = (I + E)\Sigma_1^{-1}$ with $\|E\| \le \gamma_k \kappa(\Sigma_1)$, and a determinant by factorisation or by
eigenvalues is right to $\gamma_k \kappa$ in each of d factors (Higham, *Accuracy and Stability*, chapters 9, 10 and
14); k = 100 + 10 d^2 covers the constants of these methods.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping

import flint
import torch

from mdnn_verify.contract import Comparison, Contract, Instance, Terms
from mdnn_verify.engines.montecarlo import Stream
from mdnn_verify.maths.gaussian import ball_pair

BITS = 200
Arguments = Mapping[str, torch.Tensor]


def directions(arguments: Arguments, rng: Stream) -> Arguments:
    """Any change of the means, symmetric changes of the covariances small enough to keep them positive definite.

    Diagonal ones stay diagonal: these may well be computed in a way of their own, right for all of them. What has
    equal eigenvalues is held fixed, one covariance or, for those of inv(cov1) cov0, both: eigenvectors have no
    derivative there, and an implementation may use them.
    """
    result, held = {}, _held(arguments)
    for name, value in arguments.items():
        noise = rng.normal(tuple(value.shape)).to(value)
        if name in held:
            continue
        if name.startswith("cov"):
            root = torch.linalg.cholesky(value)
            noise = root @ (noise + noise.T) @ root.T / (4 * len(value))
            noise = noise if value.count_nonzero() > len(value) else torch.diag(noise.diagonal())
        result[name] = noise
    return result


contract = Contract(
    call="kl(mu0 (d,), cov0 (d, d), mu1 (d,), cov1 (d, d)) -> scalar",
    returns=lambda arguments: (),
    scope="d = 1 to 65, covariances of condition number up to 1e8, means and scales from 1e-6 to 1e6; "
    "derivatives by a covariance where its eigenvalues differ, and those of inv(cov1) cov0",
    tangents=directions,
)


@contract.small
def small(terms: Terms) -> Iterable[Instance]:
    """Integer means and covariances, d = 1 and 2, for each d first a pair that differs in all; then every d."""
    yield _instance([0], [[1]], [1], [[2]], terms)
    numbers = sorted(itertools.product((0, 1, -1), (1, 2, 3), (0, 1, -1, 2), (1, 2, 3)), key=_weight)
    for mu0, var0, mu1, var1 in numbers[:76]:
        yield _instance([mu0], [[var0]], [mu1], [[var1]], terms)
    for little in (1e-2, 1e-3, 1e-4, 1e-5):  # a small divergence is none of rounding
        yield _instance([0], [[1]], [little], [[1]], terms)
    yield _instance([0, 0], _matrix((1, 0, 2)), [1, 0], _matrix((2, 1, 3)), terms)
    matrices = [(a, b, c) for a, b, c in itertools.product((1, 2, 3), (-1, 0, 1), (1, 2, 3)) if a * c > b * b]
    shifts = ((0, 0), (1, 0), (0, 1), (1, -1))
    choices = sorted(itertools.product(matrices, shifts, matrices), key=_weight)
    for left, shift, right in [*choices[:70], *choices[70:600:8]]:
        yield _instance([0, 0], _matrix(left), shift, _matrix(right), terms)
    for d in (*range(3, 13), 16, 20, 33):
        unit, tied = torch.eye(d), torch.eye(d) + torch.ones(d, d)
        zero, first = [0] * d, [1] + [0] * (d - 1)
        uneven = tied + torch.diag(torch.arange(d) % 3)
        differing = (
            (tied, first, uneven), (unit, first, unit), (unit, zero, 2 * unit), (unit, zero, tied), (tied, first, unit)
        )  # fmt: skip
        for cov0, mu1, cov1 in differing[: 5 if d <= 20 else 1]:
            yield _instance(zero, cov0, mu1, cov1, terms)


@contract.instances(sizes=(33, 65), times=1)
def many_coordinates(rng: Stream, size: int, terms: Terms) -> Arguments:
    """A size that an implementation in exact arithmetic may not get as far as."""
    return _random(rng, size, terms, 1.0)


@contract.instances(sizes=(1, 2, 3, 5, 8, 12, 20), times=3)
def dense(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Random covariances of moderate condition."""
    return _random(rng, size, terms, 1.0)


@contract.instances(sizes=(1, 2, 3, 4, 7), times=3)
def equal_up_to_a_little(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Two distributions that nearly agree: the divergence is small, from 1e-4 to 1e-10."""
    first = _random(rng, size, terms, 1.0)
    little = 10.0 ** -float(rng.uniform(1, 2, 5 if terms.dtype == torch.float64 else 3))
    near = {"mu1": first["mu0"] + little * rng.normal(size).to(first["mu0"]), "cov1": first["cov0"] * (1 + little)}
    return {**first, **near}


@contract.instances(sizes=(2, 3, 5, 8), times=3)
def ill_conditioned(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Condition numbers up to 1e8 and 1e6, of either: that of the product inv(cov1) cov0 stays below 1/u."""
    large = (1e4, 1e2) if terms.dtype == torch.float32 else (1e8, 1e6)
    return _random(rng, size, terms, *(large if float(rng.uniform(1)) < 0.5 else large[::-1]))


@contract.instances(sizes=(2, 3, 6), times=2)
def alike_and_ill_conditioned(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Condition numbers up to 1e8 of both, on the same axes."""
    plain = _random(rng, size, terms, 1e4 if terms.dtype == torch.float32 else 1e8)
    return {**plain, "cov1": (1.5 + float(rng.uniform(1))) * plain["cov0"]}


@contract.instances(sizes=(1, 2, 3, 6), times=3)
def scaled(rng: Stream, size: int, terms: Terms) -> Arguments:
    """All of it in other units, from 1e-6 to 1e6: the divergence does not change."""
    decades = 6 if terms.dtype == torch.float64 else 2
    unit = 10.0 ** float(rng.uniform(1, -decades, decades))
    plain = _random(rng, size, terms, 10.0)
    return {name: value * (unit if name.startswith("mu") else unit * unit) for name, value in plain.items()}


@contract.instances(sizes=(1, 2, 3, 6), times=2)
def narrow_in_wide(rng: Stream, size: int, terms: Terms) -> Arguments:
    """N0 far narrower than N1, up to a million times: the ratio of the determinants counts most."""
    unit = 10.0 ** -float(rng.uniform(1, 0, 6 if terms.dtype == torch.float64 else 2))
    plain = _random(rng, size, terms, 10.0)
    return {**plain, "cov0": unit * unit * plain["cov0"]}


@contract.instances(sizes=(2, 3, 6), times=2)
def uneven_units(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Every coordinate in a unit of its own, from 1/60 to 60, and means far from 0."""
    plain = _random(rng, size, terms, 1.0)
    units = (60.0 ** rng.uniform(size, -1, 1)).to(plain["mu0"])
    far = {name: (plain[name] + 30) * units for name in ("mu0", "mu1")}
    return {**plain, **far} | {name: plain[name] * units * units[:, None] for name in ("cov0", "cov1")}


@contract.instances(sizes=(1, 2, 3, 6), times=3)
def close_means(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Means closer to each other than tolerances of 1e-5 and 1e-8 tell apart, which count by the covariances."""
    plain = _random(rng, size, terms, 1.0)
    decades = 6 if terms.dtype == torch.float64 else 2
    unit = 10.0 ** (decades * int(rng.integers(-1, 2, 1)))
    shift = 10.0 ** -float(rng.uniform(1, 2, 4)) * rng.normal(size).to(plain["mu0"])
    means = {"mu0": 300 * unit * plain["mu0"], "mu1": unit * (300 * plain["mu0"] + shift)}
    return {**plain, **means} | {name: unit * unit * plain[name] for name in ("cov0", "cov1")}


@contract.instances(sizes=(2, 3, 6), times=3)
def nearly_diagonal(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Correlations from 1e-2 to 1e-5."""
    plain, small = _random(rng, size, terms, 1.0), 10.0 ** -float(rng.uniform(1, 2, 5))
    share = small + (1 - small) * torch.eye(size).to(plain["mu0"])
    return {name: value * share if value.ndim == 2 else value for name, value in plain.items()}


@contract.instances(sizes=(1, 2, 3, 9), times=2)
def diagonal(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Diagonal covariances, the case most often implemented."""
    plain = _random(rng, size, terms, 10.0)
    return {name: torch.diag(torch.diag(value)) if value.ndim == 2 else value for name, value in plain.items()}


@contract.law
def value(subject, instance: Instance, terms: Terms) -> Iterator[Comparison]:  # type: ignore[no-untyped-def]
    """The value is the integral of f0 log(f0/f1)."""
    arguments = instance.arguments
    expected = exact(**arguments)
    yield Comparison(
        subject(*arguments.values()), expected, rounding(terms=terms, **arguments), "the divergence is wrong",
        f"observed = float(subject(mu0, cov0, mu1, cov1))\nexpected = {expected!r}",
    )  # fmt: skip


@contract.law
def nearby(subject, instance: Instance, terms: Terms) -> Iterator[Comparison]:  # type: ignore[no-untyped-def]
    """An input that changed a little gets its own value."""
    mu0, cov0, mu1, cov1 = instance.arguments.values()
    change = 2.0 ** round(0.6 * math.log2(terms.unit))
    near = mu1 + change * cov1.diagonal().sqrt()
    lines = f"subject(mu0, cov0, mu1, cov1)\nnear = torch.tensor({near.tolist()}, dtype={near.dtype})\n"
    value = exact(mu0, cov0, near, cov1)
    with subject.showing(
        f"{lines}observed = subject(mu0, cov0, near, cov1), near\nexpected = 'a number', near.clone()"
    ):
        observed = subject(mu0, cov0, near, cov1)
    yield Comparison(
        observed, value, rounding(mu0, cov0, near, cov1, terms),
        "the divergence is wrong where an input changed a little",
        f"{lines}observed = float(subject(mu0, cov0, near, cov1))\nexpected = {value!r}",
    )  # fmt: skip


@contract.law
def zero_for_equal_distributions(subject, instance: Instance, terms: Terms) -> Iterator[Comparison]:  # type: ignore[no-untyped-def]
    """The divergence of a distribution from itself is 0, of either one."""
    which = "01"[instance.size % 2]
    mu, cov = instance.arguments[f"mu{which}"], instance.arguments[f"cov{which}"]
    same = f"same = mu{which}.clone(), cov{which}.clone()\n"
    call = f"subject(mu{which}, cov{which}, *same)"
    with subject.showing(f"{same}observed = {call}, *same\nexpected = 'a number', mu{which}, cov{which}"):
        observed = subject(mu, cov, mu.clone(), cov.clone())
    yield Comparison(
        observed, 0.0, rounding(mu, cov, mu, cov, terms), "the divergence of a distribution from itself is not 0",
        f"{same}observed = float({call})\nexpected = 0.0",
    )  # fmt: skip


@contract.law
def one_tensor_for_both(subject, instance: Instance, terms: Terms) -> Iterator[Comparison]:  # type: ignore[no-untyped-def]
    """A mean or covariance that both distributions share may be handed over as one tensor."""
    handed = [value.clone() for value in instance.arguments.values()]
    shared = [i for i in (0, 1) if torch.equal(handed[i], handed[i + 2])]
    if instance.size > 3 or not shared:
        return
    for i in shared:
        handed[i + 2] = handed[i]
    value = exact(**instance.arguments)
    same = "".join(f"{('mu1 = mu0', 'cov1 = cov0')[i]}\n" for i in shared)
    lines = f"{same}observed = float(subject(mu0, cov0, mu1, cov1))\nexpected = {value!r}"
    with subject.showing(lines):
        observed = subject.on(handed, handed)
    bound = rounding(terms=terms, **instance.arguments)
    yield Comparison(observed, value, bound, "it is wrong where both share a tensor", lines)


@contract.law
def reordered(subject, instance: Instance, terms: Terms) -> Iterator[Comparison]:  # type: ignore[no-untyped-def]
    """The divergence does not depend on the order of the coordinates."""
    if not 2 <= instance.size <= 6:
        return
    flipped = [value.flip(tuple(range(value.ndim))) for value in instance.arguments.values()]
    lines = (
        "observed = subject(mu0.flip(0), cov0.flip(0, 1), mu1.flip(0), cov1.flip(0, 1))\n"
        "expected = subject(mu0, cov0, mu1, cov1)"
    )
    with subject.showing(lines):
        observed = subject(*flipped)
    bound = rounding(terms=terms, **instance.arguments)
    yield Comparison(observed, exact(**instance.arguments), bound, "it depends on the order of the coordinates", lines)


def exact(mu0: torch.Tensor, cov0: torch.Tensor, mu1: torch.Tensor, cov1: torch.Tensor) -> float:
    """The divergence at these very floats, to float64's precision."""
    with flint.ctx.workprec(BITS):
        pair = ball_pair(*(value.double().cpu().tolist() for value in (mu0, cov0, mu1, cov1)))
        value = pair.trace(1, 0) + pair.quadratic(1) - pair.d + pair.log_det(1) - pair.log_det(0)
        return float(value / 2)


def rounding(mu0: torch.Tensor, cov0: torch.Tensor, mu1: torch.Tensor, cov1: torch.Tensor, terms: Terms) -> float:
    """What rounding may explain; see the module's docstring."""
    shift, cov0, cov1 = (value.double().cpu() for value in (mu1 - mu0, cov0, cov1))
    d, inverse = len(shift), torch.linalg.inv(cov1)
    kappa0, kappa1 = (float(torch.linalg.cond(cov)) for cov in (cov0, cov1))
    size = torch.cat([mu0, mu1]).double().abs().max()  # the difference of the means was rounded
    product = d**0.5 * torch.linalg.matrix_norm(inverse @ cov0) + shift.norm() * (inverse @ shift).norm()
    entries = (inverse.abs() * cov0.abs()).sum() + shift.abs() @ inverse.abs() @ (shift.abs() + 2 * size)
    logs = sum(torch.linalg.eigvalsh(cov).clamp(min=1e-300).log().abs().sum() for cov in (cov0, cov1))
    k = 100 + 10 * d * d
    return float(k * terms.unit * (kappa1 * product + entries + d * (kappa0 + kappa1) + logs + d))


def _random(rng: Stream, d: int, terms: Terms, condition: float, another: float | None = None) -> Arguments:
    """Covariances of at most these condition numbers, or of at most 3."""

    def covariance(condition: float) -> torch.Tensor:
        root, base = torch.linalg.qr(rng.normal((d, d)))[0], max(condition / 3, 1.0)
        spectrum = torch.logspace(0, 1, d, base=base, dtype=torch.float64) / base**0.5
        own = (root * spectrum * (0.5 + rng.uniform(d))) @ root.T
        return terms.tensor((own + own.T) / 2)

    return {
        "mu0": terms.tensor(rng.normal(d)),
        "cov0": covariance(condition),
        "mu1": terms.tensor(rng.normal(d)),
        "cov1": covariance(another or condition),
    }


def _held(arguments: Arguments) -> set[str]:
    """The covariances with eigenvectors in doubt, by their own eigenvalues or those of one relative to the other."""
    cov0, cov1 = arguments["cov0"], arguments["cov1"]
    root = torch.linalg.cholesky(cov1)
    half = torch.linalg.solve_triangular(root, cov0, upper=False)
    relative = torch.linalg.solve_triangular(root, half.T, upper=False)
    held = {name for name in ("cov0", "cov1") if _eigenvalues_coincide(arguments[name])}
    return {"cov0", "cov1"} if _eigenvalues_coincide(relative) else held


def _eigenvalues_coincide(symmetric: torch.Tensor) -> bool:
    """Whether two of them agree in half of their digits."""
    values = torch.linalg.eigvalsh(symmetric)
    return bool((values.diff() <= torch.finfo(values.dtype).eps ** 0.5 * values[1:]).any())


def _instance(mu0, cov0, mu1, cov1, terms: Terms) -> Instance:  # type: ignore[no-untyped-def]
    values = {"mu0": mu0, "cov0": cov0, "mu1": mu1, "cov1": cov1}
    return Instance(
        {name: terms.tensor(value) for name, value in values.items()}, len(mu0), f"d = {len(mu0)}, simple numbers"
    )


def _matrix(entries: tuple[int, int, int]) -> list[list[int]]:
    a, b, c = entries
    return [[a, b], [b, c]]


def _weight(choice) -> tuple[int, int]:  # type: ignore[no-untyped-def]
    flat = [abs(number) for part in choice for number in (part if isinstance(part, tuple) else (part,))]
    return max(flat), sum(flat)
