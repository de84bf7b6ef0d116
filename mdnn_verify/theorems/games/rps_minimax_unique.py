r"""The minimax solution of rock-paper-scissors is uniform, it is the only one, and the value is 0.

A and B play mixed strategies $a, b$ in the simplex; B's points average $L(a, b) = a^\top M b$, A minimises, B
maximises. Then, the first for all $a$ and $b$,

$$L(a^*, b) \le L(a^*, b^*) \le L(a, b^*) \iff a^* = b^* = \left( \tfrac13, \tfrac13, \tfrac13 \right), \qquad
\min_a \max_b a^\top M b = \max_b \min_a a^\top M b = 0.$$

The inequalities are weak. The seed prints them strict, and with strict ones no game has a solution at all (take
$b = b^*$). The matrix that the seed's solution prints holds A's points; B's points, which the problem asks for, are its
negative. $M$ is indexed by A's play (row) and B's play (column) in the order rock, paper, scissors.

Source: seed 002, Problem 4(a).
"""

from __future__ import annotations

import operator

import sympy as sp
import torch
import z3

from mdnn_verify.engines.montecarlo import BoundedMean, NeverViolated
from mdnn_verify.engines.pathwise import AtLeast, Residual, gamma
from mdnn_verify.engines.smt import Valid, matrix, rational
from mdnn_verify.engines.symbolic import Equal
from mdnn_verify.maths.games import exploitability, points_by_rules, simplex_grid, solve
from mdnn_verify.theorem import Theorem

ROCK, PAPER, SCISSORS = range(3)

theorem = Theorem(
    statement=r"\left(\forall a,b:\; L(a^\star,b)\le L(a^\star,b^\star)\le L(a,b^\star)\right)"
    r"\iff a^\star=b^\star=\left(\tfrac13,\tfrac13,\tfrac13\right),\qquad"
    r"\min_a\max_b a^\top M b=\max_b\min_a a^\top M b=0",
    given={
        "beats": ((PAPER, ROCK), (SCISSORS, PAPER), (ROCK, SCISSORS)),
        "M": sp.Matrix([[0, 1, -1], [-1, 0, 1], [1, -1, 0]]),
        "pA": sp.ones(3, 1) / 3,
        "pB": sp.ones(3, 1) / 3,
        "value": sp.Integer(0),
        "order": operator.le,
    },
)


@theorem.hypothesis
def both_play_mixed_strategies(pA, pB):
    """Probabilities are non-negative and sum to 1."""
    return [sp.And(sp.Eq(sum(p), 1), *(x >= 0 for x in p)) for p in (pA, pB)]


@theorem.proof(scope="the rules of the game: paper beats rock, scissors beat paper, rock beats scissors")
def M_follows_from_the_rules(beats, M):
    """M[i, j] is 1 where B's play j beats A's play i, -1 where i beats j, and 0 for a draw."""
    return Equal(M, sp.Matrix(points_by_rules(M.rows, beats)))


@theorem.proof(scope="this game")
def the_players_change_places(M):
    """M = -M', so A's problem is B's, and the value is its own negative."""
    return Equal(M, -M.T)


@theorem.proof(scope="all mixed strategies of both players")
def the_claimed_pair_is_a_solution(M, pA, pB, order):
    """Neither player gains by deviating alone: L(pA, b) <= L(pA, pB) <= L(a, pB), linear in a and in b."""
    a, b = strategy("a", M.rows), strategy("b", M.cols)
    level = rational((pA.T * M * pB)[0])
    return {
        "B deviates": Valid(order(dot(b, pure_replies(M, weights(pA))), level), given=simplex(b)),
        "A deviates": Valid(order(level, dot(a, pure_plays(M, weights(pB)))), given=simplex(a)),
    }


@theorem.proof(scope="this game")
def its_value(M, pA, pB, value):
    """At this pair B earns the claimed value."""
    return Equal((pA.T * M * pB)[0], value)


@theorem.proof(scope="all mixed strategies of both players")
def it_is_the_only_solution(M, pA, pB, value):
    """Put v = L(a*, b*) for any solution; pure replies are mixed ones, so (a*' M)_j <= v <= (M b*)_i for all i, j.
    These linear inequalities leave one point, the claimed pair, and v = 0."""
    a, b, v = strategy("a", M.rows), strategy("b", M.cols), z3.Real("v")
    solution = [*(earned <= v for earned in pure_replies(M, a)), *(v <= earned for earned in pure_plays(M, b))]
    claimed = [x == p for x, p in zip([*a, *b], [*weights(pA), *weights(pB)], strict=True)]
    return Valid(z3.And(*claimed, v == rational(value)), given=[*simplex(a), *simplex(b), *solution])


@theorem.proof(scope="all mixed strategies of both players")
def min_max_and_max_min_are_the_value(M, pA, pB, value):
    """Whatever A plays, some reply earns at least the value, and more unless A plays pA; and the same for B.
    With the pair's own bounds this is min max = max min = value, each attained at one point only."""
    a, b, v = strategy("a", M.rows), strategy("b", M.cols), rational(value)
    uniform_a = z3.And(*(x == p for x, p in zip(a, weights(pA), strict=True)))
    uniform_b = z3.And(*(x == p for x, p in zip(b, weights(pB), strict=True)))
    concedes = z3.Or(*(earned > v for earned in pure_replies(M, a)))
    forfeits = z3.Or(*(earned < v for earned in pure_plays(M, b)))
    return {
        "A": Valid(concedes == z3.Not(uniform_a), given=simplex(a)),
        "B": Valid(forfeits == z3.Not(uniform_b), given=simplex(b)),
    }


@theorem.proof(scope="every game: any sets of strategies, any L")
def strict_inequalities_leave_no_solution():
    """Read with strict inequalities for ALL deviations, as printed, the definition asks for L(a*, b*) < L(a*, b*)."""
    strategies_a, strategies_b = z3.DeclareSort("StrategyA"), z3.DeclareSort("StrategyB")
    points = z3.Function("L", strategies_a, strategies_b, z3.RealSort())
    a, a_star = z3.Consts("a a_star", strategies_a)
    b, b_star = z3.Consts("b b_star", strategies_b)
    level = points(a_star, b_star)
    strict = [z3.ForAll([b], points(a_star, b) < level), z3.ForAll([a], level < points(a, b_star))]
    return {"B's half": Valid(z3.Not(strict[0])), "A's half": Valid(z3.Not(strict[1]))}


@theorem.pathwise(scope="A's 496 strategies with denominator 30, each against every pure reply")
def every_strategy_on_a_grid_concedes(M, pA, value):
    """The best reply to a earns at least value + max_i |a_i - pA_i|: nothing at pA, something everywhere else.
    Rounding: entries of a, the products with 0 and +-1, their sum and the difference are each off by at most u."""
    grid = list(simplex_grid(30))
    concedes = [exploitability(sp.matrix2numpy(M, dtype=float), [*a, *[0] * (M.rows - 3)]) for a in grid]
    target = weights_as_floats(pA)
    floor = [float(value) + max(abs(float(x) - t) for x, t in zip(a, target, strict=False)) for a in grid]
    return AtLeast(concedes, floor, gamma(8), at={"M": M.tolist(), "pA": list(pA)})


@theorem.pathwise(scope="this game, both players, by HiGHS")
def linear_programming_agrees(M, pA, pB, value):
    """A linear-programming solver finds the same pair and value. Its two strategies enclose the value by weak duality,
    [lower, upper], whatever the solver did; a strategy that concedes at most upper - lower lies within as much of the
    only one that concedes nothing."""
    found = solve(sp.matrix2numpy(M, dtype=float))
    gap = found.upper - found.lower
    return {
        "value": Residual((found.lower + found.upper) / 2, float(value), gap + gamma(4)),
        "A": Residual(found.row, weights_as_floats(pA), gap + gamma(4)),
        "B": Residual(found.column, weights_as_floats(pB), gap + gamma(4)),
    }


@theorem.monte_carlo(scope="plays drawn from pA against each pure reply, and from pB against each pure play")
def simulated_games(M, pA, pB, value):
    """Played out, every pure reply to pA earns the value on average, and pB earns it against every pure play of A."""
    points = torch.tensor(M.tolist(), dtype=torch.float64)
    games = {f"reply {j}": (points[:, j], pA) for j in range(M.cols)} | {
        f"play {i}": (points[i], pB) for i in range(M.rows)
    }
    return {name: played(column, p, value) for name, (column, p) in games.items()}


@theorem.monte_carlo(scope="strategies of A uniform on the simplex", weight=0.5)
def random_strategies_concede(M, pA, value):
    """A random strategy a of A concedes at least value + max_i |a_i - pA_i| to the best pure reply.
    Bound: normalising leaves a sum within 3u of 1, and the products, the sum and the difference err as on the grid."""
    points = torch.tensor(M.tolist(), dtype=torch.float64)
    target = torch.tensor(weights_as_floats(pA), dtype=torch.float64)

    def ratio(rng, n):
        a = rng.exponential((n, len(target)))
        a = a / a.sum(1, keepdim=True)
        conceded = (a @ points.to(a.device)).max(1).values
        return (float(value) + (a - target.to(a.device)).abs().max(1).values - conceded) / gamma(12)

    return NeverViolated(ratio)


def strategy(name, plays):
    """Real unknowns, one for each play."""
    return list(z3.Reals([f"{name}_{i}" for i in range(plays)]))


def simplex(p):
    """p is a mixed strategy."""
    return [sum(p) == 1, *(x >= 0 for x in p)]


def weights(p):
    """A given strategy as Z3 numbers."""
    return [rational(x) for x in p]


def weights_as_floats(p):
    """A given strategy in float64."""
    return [float(x) for x in p]


def dot(p, q):
    """The scalar product of Z3 terms."""
    return sum(x * y for x, y in zip(p, q, strict=True))


def pure_replies(M, a):
    """What each pure reply of B earns against a: a' M."""
    return [dot(a, column) for column in matrix(M.T)]


def pure_plays(M, b):
    """What b earns against each pure play of A: M b."""
    return [dot(row, b) for row in matrix(M)]


def played(points, p, value):
    """Claim: plays drawn from p earn the value on average; ``points`` holds what each play earns."""

    def draw(rng, n):
        return points.to(rng.device)[rng.categorical(weights_as_floats(p), n)]

    return BoundedMean(draw, equals=float(value), lo=-1, hi=1, scale=1)


def circle(plays):
    """Every play beats the one before it, and nothing else."""
    beats = tuple(((i + 1) % plays, i) for i in range(plays))
    uniform = sp.ones(plays, 1) / plays
    return {"beats": beats, "M": sp.Matrix(points_by_rules(plays, beats)), "pA": uniform, "pB": uniform}


paper_draws_with_rock = ((SCISSORS, PAPER), (ROCK, SCISSORS))
half = sp.Rational(1, 2)

theorem.false_if("A plays rock half the time", pA=sp.Matrix([2, 1, 1]) / 4)
theorem.false_if("B plays scissors almost a third of the time", pB=sp.Matrix([334, 334, 332]) / 1000)
theorem.false_if("the value is claimed to be -1/10", value=-sp.Rational(1, 10))
theorem.false_if("the inequalities are strict, as printed", order=operator.lt)
theorem.false_if("M as printed in the seed's solution holds B's points", M=-theorem.given["M"])
theorem.false_if(
    "paper does not beat rock", beats=paper_draws_with_rock, M=sp.Matrix(points_by_rules(3, paper_draws_with_rock))
)
theorem.false_if("a win with paper counts half", M=sp.Matrix([[0, half, -1], [-half, 0, 1], [1, -1, 0]]))
theorem.false_if("every game is a draw, and the solution is still unique", beats=(), M=sp.zeros(3, 3))
theorem.false_if("four plays in a circle have one solution", **circle(4))
