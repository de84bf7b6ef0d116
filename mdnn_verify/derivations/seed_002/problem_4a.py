"""Seed 002, Problem 4(a): rock, paper, scissors as a minimax problem."""

from __future__ import annotations

import itertools

import sympy as sp

from mdnn_verify.audit import Derivation, World
from mdnn_verify.derivations._games import (
    PRINTED,
    RULES,
    antisymmetric,
    max_min_a,
    max_min_b,
    min_max_a,
    optimal_for_b,
    pure,
    simplex_grid,
)

THIRD = sp.Matrix([1, 1, 1]) / 3
MIN_MAX = r"\underset{p_A\in\Delta^3}{\text{minimize}}\ \underset{p_B\in\Delta^3}{\text{maximize}}\ "
MAX_MIN = r"\underset{p_B\in\Delta^3}{\text{maximize}}\ \underset{p_A\in\Delta^3}{\text{minimize}}\ "
POINTS = r"\mathbb E_{p_A,p_B}[\text{points for }B]"
M_LATEX = r"\mathbf M=\begin{bmatrix}0&-1&1\\1&0&-1\\-1&1&0\end{bmatrix}"

# --- (a), first: the payoff as a matrix -------------------------------------------------------------------------------


def pairs_of_strategies() -> tuple[World, ...]:
    """p_A, p_B: pure ones first, then mixed ones, then all."""
    chosen = [
        *itertools.product(pure(3), repeat=2),
        *itertools.product(list(simplex_grid(2)), [THIRD, *simplex_grid(3)]),
    ]
    a, b, c, d = sp.symbols("a b c d", nonnegative=True)
    every = {"pA": sp.Matrix([a, b, 1 - a - b]), "pB": sp.Matrix([c, d, 1 - c - d])}
    worlds = [World({"pA": pA, "pB": pB}) for pA, pB in chosen]
    return (*worlds, World(every, generic=True, label="all probabilities of rock and paper"))


payoff = Derivation(
    title="The points for B as a bilinear form", source="seed 002, Problem 4(a)", worlds=pairs_of_strategies()
)


@payoff.line(POINTS)
def expected_points_for_b(pA, pB):
    return sum(pA[i] * pB[j] * RULES[i, j] for i in range(3) for j in range(3))


@payoff.line(
    rf"=p_A^\top\mathbf Mp_B,\quad {M_LATEX}",
    "=",
    note="the printed entry for (A: rock, B: paper) is -1, and B, who wins with paper, gets 1: M holds the points for "
    "A; the value 0 and the solution are those of the transposed matrix, too",
)
def printed_form(pA, pB):
    return (pA.T * PRINTED * pB)[0]


@payoff.correct("printed_form", r"=-p_A^\top\mathbf Mp_B=p_A^\top\mathbf M^\top p_B")
def with_the_points_for_b(pA, pB):
    return (pA.T * PRINTED.T * pB)[0]


# --- (a), second: the value -------------------------------------------------------------------------------------------


def games() -> list[sp.ImmutableMatrix]:
    """The printed matrix, then other antisymmetric ones, with and without a mixed solution."""
    kernels = [(1, 2, 3), (2, 1, 1), (1, 1, 0), (1, -1, 2), (-1, 2, -3), (0, 0, 1), (0, 0, 0)]
    return [PRINTED, *(antisymmetric(*kernel) for kernel in kernels)]


def played() -> tuple[World, ...]:
    """M, two strategies, and what both players may choose."""
    some = [(pure(3)[0], pure(3)[1]), (THIRD, pure(3)[2]), (sp.Matrix([1, 1, 0]) / 2, sp.Matrix([1, 2, 1]) / 4)]
    return tuple(World({"M": M, "pA": a, "pB": b, "strategies": "mixed"}) for M in games() for a, b in some)


# what is shown (>=) and the antisymmetry hold for pure strategies, too; the conclusion does not
WITHOUT_MIXING = World(
    {"M": PRINTED, "pA": pure(3)[0], "pB": pure(3)[0], "strategies": "pure"},
    label="the printed M and pure strategies in place of mixed ones, where >= and the antisymmetry hold as well, but "
    "min max = 1 and max min = -1",
)


def minimax_theorem(M, strategies):
    return min_max_a(form(M), strategies) == max_min_b(form(M), strategies)


def form(M):
    """p_A' M p_B."""
    return lambda pA, pB: (pA.T * M * pB)[0]


def swapped_form(M):
    """p_B' M p_A, as a function of p_A, p_B."""
    return lambda pA, pB: (pB.T * M * pA)[0]


value = Derivation(
    title="The value of an antisymmetric game", source="seed 002, Problem 4(a)", statement=r"L^\star=0", worlds=played()
)


@value.claim(
    rf"{MIN_MAX}p_A^\top\mathbf Mp_B={MAX_MIN}p_A^\top\mathbf Mp_B",
    reason=r"$p_A^\top\mathbf Mp_B\ge\min_{p_A}p_A^\top\mathbf Mp_B$",
    needs=(
        "the minimax theorem for mixed strategies is called on (only >= is shown)",
        lambda strategies: strategies == "mixed",
    ),
    worlds=(WITHOUT_MIXING,),
    note='announced ("Let us prove"); it is the minimax theorem. What follows shows >=, and the text breaks '
    'off after "Also."',
)
def minimax_equality(M, strategies):
    return min_max_a(form(M), strategies) == max_min_b(form(M), strategies)


@value.correct("minimax_equality", rf"{MIN_MAX}p_A^\top\mathbf Mp_B\ge{MAX_MIN}p_A^\top\mathbf Mp_B\quad"
               r"\text{(equality by the minimax theorem, which mixed strategies need)}")  # fmt: skip
def weak_duality_announced(M, strategies):
    return min_max_a(form(M), strategies) >= max_min_b(form(M), strategies)


@value.claim(r"p_A^\top\mathbf Mp_B\ge\underset{p_A\in\Delta^3}{\text{minimize}}\,p_A^\top\mathbf Mp_B")
def at_least_the_least(M, pA, pB):
    return form(M)(pA, pB) >= min(form(M)(a, pB) for a in pure(3))


@value.claim(rf"{MIN_MAX}p_A^\top\mathbf Mp_B\ \ge\ {MAX_MIN}p_A^\top\mathbf Mp_B", worlds=(WITHOUT_MIXING,))
def weak_duality(M, strategies):
    return min_max_a(form(M), strategies) >= max_min_b(form(M), strategies)


value.illegible("also", r"\text{Also.}", "the sentence breaks off; perhaps the other inequality stood here")


@value.claim(r"\mathbf M=-\mathbf M^\dagger", worlds=(WITHOUT_MIXING,), note="the dagger is read as the transpose")
def antisymmetry(M):
    return M == -M.T


@value.line(rf"L^\star={MIN_MAX}p_A^\top\mathbf Mp_B")
def value_of_the_game(M, strategies):
    return min_max_a(form(M), strategies)


@value.line(rf"={MIN_MAX}(p_A^\top\mathbf Mp_B)^\top", "=", worlds=(WITHOUT_MIXING,))
def transposed_number(M, strategies):
    return min_max_a(lambda pA, pB: (pA.T * M * pB).T[0], strategies)


@value.line(
    rf"={MIN_MAX}-p_B^\top\mathbf Mp_A", "=", reason=r"$\mathbf M=-\mathbf M^\dagger$", worlds=(WITHOUT_MIXING,)
)
def antisymmetry_used(M, strategies):
    return min_max_a(lambda pA, pB: -swapped_form(M)(pA, pB), strategies)


@value.line(
    r"=-\underset{p_A\in\Delta^3}{\text{maximize}}\ \underset{p_B\in\Delta^3}{\text{minimize}}\ p_B^\top\mathbf Mp_A",
    "=",
    worlds=(WITHOUT_MIXING,),
)
def sign_taken_out(M, strategies):
    return -max_min_a(swapped_form(M), strategies)


@value.line(
    rf"=-{MIN_MAX}p_A^\top\mathbf Mp_B",
    "=",
    needs=("min max = max min (only >= is shown)", minimax_theorem),
    worlds=(WITHOUT_MIXING,),
    note="with the names exchanged the line before is - max min, and this line has - min max",
)
def names_exchanged(M, strategies):
    return -min_max_a(form(M), strategies)


@value.correct(
    "names_exchanged",
    rf"\ge-{MIN_MAX}p_A^\top\mathbf Mp_B\quad\text{{as }}\max\min\le\min\max,\text{{ so that }}L^\star\ge0;"
    r"\quad\text{and }L^\star\le0\text{ by }p_A=(\tfrac13,\tfrac13,\tfrac13)",
    ">=",
)
def at_least_minus_the_value(M, strategies):
    return -min_max_a(form(M), strategies)


@value.line(r"=-L^\star", "=", worlds=(WITHOUT_MIXING,))
def minus_the_value(M, strategies):
    return -value_of_the_game(M, strategies)


@value.claim(r"L^\star=0", reason=r"$L^\star=-L^\star$")
def value_zero(M, strategies):
    return value_of_the_game(M, strategies) == 0


# --- (a), third: the solution -----------------------------------------------------------------------------------------


def strategies_of_b() -> tuple[World, ...]:
    """p_B on a grid of the simplex, the solution among them, and all."""
    r, p = sp.symbols("r p", nonnegative=True)
    every = World({"pB": sp.Matrix([r, p, 1 - r - p])}, generic=True, label="all probabilities of rock and paper")
    return (*(World({"pB": pB}) for pB in [THIRD, *simplex_grid(4), *simplex_grid(6)]), every)


def least(pB):
    """The minimum over p_A of p_A' (M p_B), which is that of the entries of M p_B."""
    return min(PRINTED * pB)


def is_solution(pB):
    """Whether p_B maximises the minimum over p_A: the solutions are the hull of the vertices, of which there is one."""
    return sp.ImmutableMatrix(pB) in optimal_for_b(PRINTED)


product = Derivation(title="The entries of M p_B", source="seed 002, Problem 4(a)", worlds=strategies_of_b())


@product.line(r"\mathbf Mp_B^\star")
def matrix_times_strategy(pB):
    return PRINTED * pB


@product.line(r"=\begin{bmatrix}P_{Bs}-P_{Bp}\\P_{Br}-P_{Bs}\\P_{Bp}-P_{Br}\end{bmatrix}", "=")
def entries_of_the_product(pB):
    r, p, s = pB
    return sp.Matrix([s - p, r - s, p - r])


solution = Derivation(title="The solution of the game", source="seed 002, Problem 4(a)", worlds=strategies_of_b()[:-1])


@solution.line(r"\mathbf Mp_B^\star\ne0")
def product_not_zero(pB):
    return not (PRINTED * pB).is_zero_matrix


@solution.line(
    r"\text{at least one of the elements of }\mathbf Mp_B^\star\text{ is negative}",
    "implies",
    reason="there is an order of three probabilities",
)
def one_entry_negative(pB):
    return any(entry < 0 for entry in PRINTED * pB)


@solution.line(r"\min_{p_A}p_A^\top(\mathbf Mp_B^\star)<0", "implies")
def least_is_negative(pB):
    return least(pB) < 0


@solution.line(
    r"\text{contradiction to }L^\star=0",
    "implies",
    note=r"$p_B^\star$ solves the problem, so that $\min_{p_A}p_A^\top\mathbf Mp_B^\star=L^\star$",
)
def not_the_value(pB):
    return least(pB) != min_max_a(form(PRINTED), "mixed")


@solution.claim(r"\mathbf Mp_B^\star=0", note="for a solution")
def product_zero(pB):
    return not is_solution(pB) or (PRINTED * pB).is_zero_matrix


solution.illegible(
    "by_solving",
    r"\text{By solving, }P_{Br}^\star=P_{Br}^\star=P_{Br}^\star=\dots=P_{Ar}^\star=P_{\ }",
    "the equation repeats one symbol and breaks off; it must end with probabilities 1/3 for both players",
)
