"""Other people's implementations: the verdicts of docs/peers.md, and its counterexamples computed once more by hand."""

from __future__ import annotations

import contextlib
import io
import math
import re
from dataclasses import dataclass
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import torch

import mdnn_verify

pytestmark = pytest.mark.campaign

PAGE = Path(__file__).parents[2] / "docs" / "peers.md"
SUBJECTS = Path(__file__).parent / "subjects"
REASONS = {
    "nflows_layers.py:piecewise_linear": "the log_det of the inverse is neither",
    "torch_functions.py:categorical_kl": "the divergence is wrong",
    "torch_functions.py:kl_div": "the result holds NaN",
    "torch_functions.py:kl_div_log_target": "the result holds NaN",
    "scipy_functions.py:discrete_quantile": "the quantile is wrong",
    "nashpy_games.py:support_enumeration": "it raises StopIteration",
    "nashpy_games.py:vertex_enumeration": "it raises",
    "nashpy_games.py:lemke_howson": "it does not come back",
    "nashpy_games.py:lemke_howson_doubled": "the strategies are not optimal",
}


@dataclass(frozen=True)
class Row:
    written: str
    contract: str
    subject: str
    verdict: str

    def __str__(self) -> str:
        return f"{self.contract}:{self.subject}"

    @property
    def package(self) -> str:
        return self.written.split()[0]


def rows() -> list[Row]:
    table = [line.split("|")[2:6] for line in PAGE.read_text().splitlines() if ".py:" in line and line.startswith("|")]
    return [Row(*(cell.strip(" `") for cell in cells)) for cells in table]


def blocks() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), flags=re.M | re.S)


def needed(package: str) -> None:
    pytest.importorskip(package, reason=f"{package} is not installed: it is in the extra 'peers'")


@pytest.mark.parametrize("row", rows(), ids=str)
def test_the_verdict_is_that_of_the_page(row: Row) -> None:
    needed(row.package)
    if row.subject.startswith("univariate_flows"):
        needed("zuko")
    found = mdnn_verify.check(row.contract, f"{SUBJECTS}/{row.subject}")
    here = f"{row.package} {version(row.package)} here, {row.written} on the page: {found.reason}\n{found.printed}"
    assert found.verdict == row.verdict, here
    if row.verdict == "refuted":
        assert found.reason.startswith(REASONS[row.subject]), here


def test_every_subject_is_on_the_page() -> None:
    assert set(REASONS) == {row.subject for row in rows() if row.verdict == "refuted"}
    assert {row.subject.split(":")[0] for row in rows()} == {path.name for path in SUBJECTS.glob("*.py")}


@pytest.mark.parametrize("block", blocks(), ids=lambda block: re.findall(r"nashpy|nflows|scipy|torch", block)[0])
def test_the_lines_of_the_page_print_what_it_says(block: str) -> None:
    for package in re.findall(r"\b(nashpy|nflows)\b", block):
        needed(package)
    (said,) = re.findall(r"# (.*) instead of ", block)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(block, {})
    assert printed.getvalue().strip() == said
    assert len(block.splitlines()) == 3


def is_an_equilibrium(payoff, p, q) -> bool:
    """Of the game in which the column player earns what the row player pays; exact for fractions."""
    m, n = len(payoff), len(payoff[0])
    earned = max(sum(p[i] * payoff[i][j] for i in range(m)) for j in range(n))
    held = min(sum(payoff[i][j] * q[j] for j in range(n)) for i in range(m))
    return sum(p) == sum(q) == 1 and min(*p, *q) >= 0 and earned == held


@pytest.mark.parametrize("shape", [(5, 4), (6, 3), (7, 2)])
def test_lemke_howson_gives_the_entries_in_another_order(shape: tuple[int, int]) -> None:
    needed("nashpy")
    import nashpy

    payoff = np.arange(shape[0])[:, None] - np.arange(shape[1])  # the first row and column dominate strictly
    p, q = nashpy.Game(-payoff, payoff).lemke_howson(initial_dropped_label=0)
    assert not is_an_equilibrium(payoff.tolist(), p.tolist(), q.tolist())
    first = [[1] + [0] * (count - 1) for count in shape]
    assert is_an_equilibrium(payoff.tolist(), *first)
    rotated = np.random.default_rng(0).normal(size=(5, 4))
    p, q = nashpy.Game(-rotated, rotated).lemke_howson(initial_dropped_label=0)
    gaps = [(p @ rotated).max() - (rotated @ y).min() for y in (q, np.roll(q, -1))]
    assert gaps[0] > 0.01
    assert abs(gaps[1]) < 1e-12


def test_one_row_or_one_column_is_too_small_for_lemke_howson_and_for_vertices() -> None:
    needed("nashpy")
    import nashpy
    from scipy.spatial import QhullError

    game = nashpy.Game([[1, 2]], [[-1, -2]])
    with pytest.raises(KeyError):
        game.lemke_howson(initial_dropped_label=0)
    with pytest.raises(QhullError):
        list(game.vertex_enumeration())


@pytest.mark.filterwarnings("ignore:(?s).*An even number")
def test_support_enumeration_misses_the_only_equilibrium() -> None:
    needed("nashpy")
    import nashpy

    payoff = [[-2, 2, -1], [-1, -2, 4]]
    p, q = [Fraction(2, 3), Fraction(1, 3)], [Fraction(0), Fraction(5, 9), Fraction(4, 9)]
    assert is_an_equilibrium(payoff, p, q)
    earned = [p[0] * payoff[0][j] + p[1] * payoff[1][j] for j in range(3)]
    assert earned[0] < earned[1] == earned[2]  # as many best responses as there are plays in p: not degenerate
    game = nashpy.Game(-np.array(payoff), np.array(payoff))
    assert [len(list(game.support_enumeration(tol=tol))) for tol in (1e-16, 1e-9)] == [0, 0]
    assert len(list(game.vertex_enumeration())) == 1


@pytest.mark.parametrize("method", ["highs", "highs-ds", "highs-ipm"])
def test_linprog_does_not_see_small_payoffs(method: str) -> None:
    from scipy.optimize import linprog

    def value(unit: float) -> float:
        payoff = unit * np.array([[1, -1], [-1, 1]])
        above, equal = np.hstack([payoff.T, -np.ones((2, 1))]), [[1, 1, 0]]
        p = linprog([0, 0, 1], above, [0, 0], equal, [1], [(0, None)] * 2 + [(None, None)], method=method).x[:2]
        return (p @ payoff).max() / unit

    assert abs(value(1.0)) < 1e-9
    assert value(1e-9) > 0.5


def test_the_first_atom_where_the_last_one_is_due() -> None:
    from scipy.stats import rv_discrete

    p, u = 1 / 7, 1 - 2**-53
    assert Fraction(p) < Fraction(1, 2) < Fraction(u)  # F of the first atom is far below u
    assert rv_discrete(values=(range(7), [p] * 7)).ppf(u) == 0
    assert float(np.cumsum([p] * 7)[-1]) < u
    assert rv_discrete(values=([0, 1, 2], [0.333333333] * 3)).ppf(0.9999999995) == 0


def test_small_probabilities_are_clamped() -> None:
    from torch.distributions import Bernoulli, Categorical, kl_divergence

    p, q = (torch.tensor(own, dtype=torch.float64) for own in ([0.5, 0.5], [1e-20, 1.0]))
    right = 0.5 * math.log(0.5 / 1e-20) + 0.5 * math.log(0.5)
    clamped = 0.5 * math.log(0.5 / 2**-52) + 0.5 * math.log(0.5)
    assert float(kl_divergence(Categorical(p), Categorical(q))) == pytest.approx(clamped, rel=1e-12)
    assert float(kl_divergence(Bernoulli(p[0]), Bernoulli(q[0]))) == pytest.approx(clamped, rel=1e-12)
    logits = [Categorical(logits=each.log()) for each in (p, q)]
    assert float(kl_divergence(*logits)) == pytest.approx(right, rel=1e-12)


@pytest.mark.parametrize("log_target", [False, True])
def test_kl_div_is_not_a_number_where_both_are_0(log_target: bool) -> None:
    p, q = torch.tensor([1.0, 0.0]), torch.tensor([0.5, 0.5])
    found = [
        torch.nn.functional.kl_div(other.log(), p.log() if log_target else p, reduction="sum", log_target=log_target)
        for other in (p, q)
    ]
    assert math.isnan(found[0])
    assert log_target or float(found[1]) == pytest.approx(math.log(2))


def test_the_gradient_of_logsumexp_has_lost_a_factor() -> None:
    for size, each in ((1e3, 0.5), (1e16, 1.0)):
        x = torch.full((2,), size, dtype=torch.float64, requires_grad=True)
        found = torch.autograd.grad(torch.logsumexp(x, 0), x)[0]
        assert found.tolist() == pytest.approx([each] * 2, rel=1e-12)
        assert torch.softmax(x, 0).tolist() == [0.5] * 2


def test_upsampling_is_one_pixel_off() -> None:
    def off(mode: str, dtype: torch.dtype) -> list[int]:
        X = torch.tensor([[[[1.0, 2.0]]]], dtype=dtype)
        found = {r: torch.nn.Upsample(scale_factor=r, mode=mode)(X)[0, 0, 0].numpy() for r in range(1, 300)}
        return [r for r, row in found.items() if (row != np.repeat([1.0, 2.0], r)).any()]

    assert off("nearest", torch.float64) == [41]
    assert len(off("nearest", torch.float32)) == 40
    assert off("nearest-exact", torch.float64) == off("nearest-exact", torch.float32) == []


def test_softplus_is_x_beyond_20() -> None:
    softplus = torch.distributions.transforms.SoftplusTransform()
    x = torch.tensor([20.1, 20.2], dtype=torch.float64)
    z = softplus(x)
    assert torch.equal(z, x)
    assert float(softplus.log_abs_det_jacobian(x, z)[0]) == pytest.approx(-math.log1p(math.exp(-20.1)))


def test_the_inverse_of_a_linear_spline_is_off_in_the_last_bin() -> None:
    needed("nflows")
    from nflows.transforms.splines import linear_spline

    x, densities = torch.tensor([0.5, 0.95], dtype=torch.float64), torch.tensor([[0.0, 0, 0, 0, -3.0]] * 2).double()
    y, forth = linear_spline(x, densities)
    again, back = linear_spline(y, densities, inverse=True)
    share = math.exp(-3) / (4 + math.exp(-3))
    assert float(y[1]) == pytest.approx(1 - share * 0.25, rel=1e-12)  # the map is right
    assert 1e-9 < abs(float((again - x)[0])) < 1e-7  # the bins are laid out in float32
    assert abs(float((again - x)[1])) > 1e-5
    assert float((forth + back)[1]) == pytest.approx(-1e-6 / share, rel=0.01)
