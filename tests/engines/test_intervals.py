"""Enclosures: what they show, and integrands that would make them wrong."""

import flint
import pytest

from mdnn_verify.engines import Context, decide
from mdnn_verify.engines.intervals import EnclosureAtLeast, EnclosureEquals, gaussian_tail, integral, precision
from mdnn_verify.verdicts import Status

CONTEXT = Context("test", scope="d = 1")
arb = flint.arb


def test_equal_within_the_radius():
    verdict = decide(EnclosureEquals(integral(lambda z, _: z.exp(), 0, 1), arb(1).exp() - 1, "e - 1"), CONTEXT)
    assert verdict.status is Status.VERIFIED_WITHIN
    assert 0 < verdict.delta < 1e-13


def test_disjoint_is_refuted():
    verdict = decide(EnclosureEquals(arb("1.5", "0.1"), arb(2), "mean"), CONTEXT)
    assert verdict.status is Status.REFUTED
    assert verdict.counterexample.startswith("mean: ")


@pytest.mark.parametrize(
    "claim",
    [
        EnclosureEquals(arb(0, 1), arb(0)),
        EnclosureEquals(arb(1, 1e-5), arb(1), within=1e-6),
        EnclosureEquals(arb("nan"), arb(1)),
        EnclosureEquals(arb(0, "inf"), arb(1)),
        EnclosureAtLeast(arb(0, 1), 0),
        EnclosureAtLeast(arb("nan"), 0),
    ],
    ids=repr,
)
def test_wide_enclosures_say_nothing(claim):
    assert decide(claim, CONTEXT).status is Status.INCONCLUSIVE


def test_at_least():
    assert decide(EnclosureAtLeast(arb(2, "0.5"), 1, "x"), CONTEXT).status is Status.PROVED
    assert decide(EnclosureAtLeast(arb(0, "0.5"), 1, "x"), CONTEXT).status is Status.REFUTED
    assert decide(EnclosureAtLeast(arb(0), 0), CONTEXT).status is Status.PROVED


@pytest.mark.parametrize(
    ("f", "a", "b"),
    [
        (lambda z, _: z.sqrt(), 0, 1),
        (lambda z, _: z.sqrt(), 1, 2),
        (lambda z, _: flint.acb(abs(z)), -1, 1),
        (lambda z, _: z.real_abs(), -1, 1),
        (lambda z, _: (1 - z * z).sqrt(), -1, 1),
        (lambda z, _: flint.acb(z.real) ** 2, 0, 1),
    ],
)
def test_an_integrand_that_ignores_the_flag_is_refused(f, a, b):
    with pytest.raises(ValueError, match="analytic"):
        integral(f, arb(a), arb(b))


@pytest.mark.parametrize(
    ("f", "a", "b", "value"),
    [
        (lambda z, flag: z.sqrt(analytic=flag), 0, 1, arb(2) / 3),
        (lambda z, flag: z.log(analytic=flag), 1, 2, 2 * arb(2).log() - 1),
        (lambda z, flag: z.real_abs(analytic=flag), -1, 1, arb(1)),
        (lambda z, flag: (1 - z * z).sqrt(analytic=flag), -1, 1, arb.pi() / 2),
        (lambda z, _: 1 / (1 + 25 * z * z), -1, 1, 2 * arb(5).atan() / 5),
    ],
)
def test_integrals(f, a, b, value):
    assert decide(EnclosureEquals(integral(f, a, b), value), CONTEXT).agrees


def test_why_the_flag_matters():
    """Unwatched, FLINT returns an enclosure that misses the true value."""
    wrong = flint.acb.integral(lambda z, _: flint.acb(abs(z)), -1, 1).real
    assert not wrong.contains(1) or wrong.rad() > 1e-3


def test_an_integral_that_is_not_real_is_refused():
    with pytest.raises(ValueError, match="not real"):
        integral(lambda z, _: z * 1j, 0, 1)


def test_a_pole_gives_no_finite_enclosure():
    claim = EnclosureEquals(integral(lambda z, _: 1 / z, -1, 1), arb(0))
    assert decide(claim, CONTEXT).status is Status.INCONCLUSIVE


def test_gaussian_tail():
    half = integral(lambda z, _: (-z * z / 2).exp(), 0, 2) / (2 * arb.pi()).sqrt()
    assert gaussian_tail(2).overlaps(arb("0.5") - half)
    assert gaussian_tail(0).overlaps(arb("0.5"))


def test_precision_is_restored():
    before = flint.ctx.prec
    with precision(300):
        assert flint.ctx.prec == 300
    with pytest.raises(RuntimeError), precision(300):
        raise RuntimeError
    assert flint.ctx.prec == before


@pytest.mark.parametrize("wrong", [True, False])
def test_truth_values_are_refused(wrong):
    with pytest.raises(ValueError, match="expected a real ball"):
        decide(EnclosureAtLeast(wrong, 0), CONTEXT)
