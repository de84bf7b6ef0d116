r"""Against the uniform strategy every play earns 0, yet only the uniform strategy is not exploited.

If B plays uniformly, B's average points are 0 whatever A plays. That does not make every strategy $a$ of A optimal: B
may change the reply, and the best reply to $a$ (rock, paper or scissors, in this order) earns exactly

$$E(a) = \max(a_s - a_p,\; a_r - a_s,\; a_p - a_r), \qquad
\max_i \left| a_i - \tfrac13 \right| \le E(a) \le \min\left(1,\; 2 \max_i \left| a_i - \tfrac13 \right| \right).$$

So $E(a) = 0$ only at the uniform strategy; a strategy that is off by $x$ in some play is exploited by at least $x$. The
factors 1 and 2 cannot be improved, a pure strategy is exploited by 1, and a strategy drawn uniformly from the simplex
by $4/9$ on average.

Source: seed 002, Problem 4(b).
"""

from __future__ import annotations

import sympy as sp
import torch
import z3

from mdnn_verify.engines.montecarlo import BoundedMean, NeverViolated
from mdnn_verify.engines.pathwise import Residual, gamma
from mdnn_verify.engines.smt import Valid, matrix, rational
from mdnn_verify.engines.symbolic import Equal
from mdnn_verify.maths.games import exploitability, simplex_grid
from mdnn_verify.pictures import Ternary
from mdnn_verify.theorem import Theorem


def points_of_replies(rock, paper, scissors):
    """What B's replies rock, paper and scissors earn against a = (rock, paper, scissors)."""
    return [scissors - paper, rock - scissors, paper - rock]


def points_of_A(rock, paper, scissors):
    """The same with the sides confused."""
    return [paper - scissors, scissors - rock, rock - paper]


def spread(rock, paper, scissors):
    """All six differences: their maximum is max a - min a."""
    return points_of_replies(rock, paper, scissors) + points_of_A(rock, paper, scissors)


theorem = Theorem(
    statement=r"\forall a:\;a^\top M p=0,\qquad E(a)=\max_b a^\top M b=\max(a_s-a_p,\,a_r-a_s,\,a_p-a_r),\qquad"
    r"\max_i\left|a_i-\tfrac13\right|\le E(a)\le 2\max_i\left|a_i-\tfrac13\right|",
    given={
        "M": sp.Matrix([[0, 1, -1], [-1, 0, 1], [1, -1, 0]]),
        "optimal": sp.ones(3, 1) / 3,
        "uniform": sp.ones(3, 1) / 3,
        "value": sp.Integer(0),
        "replies": points_of_replies,
        "least": sp.Integer(1),
        "most": sp.Integer(2),
        "average": sp.Rational(4, 9),
    },
    uses=("games/rps_minimax_unique",),
)


@theorem.hypothesis
def both_are_mixed_strategies(optimal, uniform):
    """Probabilities are non-negative and sum to 1."""
    return [sp.And(sp.Eq(sum(p), 1), *(x >= 0 for x in p)) for p in (optimal, uniform)]


@theorem.proof(scope="all mixed strategies of A")
def A_is_indifferent(M, uniform, value):
    """Against B's uniform strategy every strategy of A earns B the same, the value: linear in a."""
    a = strategy("a")
    earned = sum(x * rational(points) for x, points in zip(a, M * uniform, strict=True))
    return Valid(earned == rational(value), given=simplex(a))


@theorem.proof(scope="all mixed strategies of A")
def what_each_reply_earns(M, replies):
    """Now B changes the reply: the pure ones earn the entries of a' M."""
    a = sp.symbols("a_r a_p a_s", real=True)
    earned = M.T * sp.Matrix(a)
    claimed = replies(*a)
    return {f"reply {j}": Equal(claimed[j], earned[j % 3]) for j in range(len(claimed))}


@theorem.proof(scope="any points of three replies, all mixed replies")
def mixing_replies_earns_no_more():
    """A mixed reply earns an average of what the pure ones earn, so E(a) is the largest of the three."""
    b, earned, best = strategy("b"), z3.Reals("earned_r earned_p earned_s"), z3.Real("best")
    mixed = sum(x * points for x, points in zip(b, earned, strict=True))
    return Valid(mixed <= best, given=[*simplex(b), *(points <= best for points in earned)])


@theorem.proof(scope="all mixed strategies of A")
def only_the_optimal_strategy_concedes_nothing(M, optimal, value):
    """No reply earns more than the value if and only if A plays the optimal strategy."""
    a = strategy("a")
    concedes_nothing = z3.And(*(earned <= rational(value) for earned in against(M, a)))
    return Valid(
        concedes_nothing == z3.And(*(x == rational(p) for x, p in zip(a, optimal, strict=True))), given=simplex(a)
    )


@theorem.proof(scope="all mixed strategies of A")
def exploited_by_at_least_its_distance(M, optimal, value, least):
    """E(a) >= value + least * |a_i - p_i| for each play i: every other strategy is exploited, and by how much."""
    a = strategy("a")
    best = z3.Or(*(earned - rational(value) >= rational(least) * distance(a, optimal) for earned in against(M, a)))
    return Valid(best, given=simplex(a))


@theorem.proof(scope="all mixed strategies of A")
def exploited_by_at_most(M, optimal, value, most):
    """E(a) <= value + most * max_i |a_i - p_i|, and never more than one point."""
    a = strategy("a")
    limits = [earned - rational(value) <= rational(most) * distance(a, optimal) for earned in against(M, a)]
    return Valid(z3.And(*limits, *(earned <= 1 for earned in against(M, a))), given=simplex(a))


@theorem.proof(scope="three strategies of A")
def the_factors_are_attained(M, optimal, value, least, most):
    """(0, 1/3, 2/3) attains the lower factor, (2/3, 1/3, 0) the upper one, and a pure strategy concedes a whole
    point."""
    third = sp.Rational(1, 3)
    low, high, rock = sp.Matrix([0, third, 2 * third]), sp.Matrix([2 * third, third, 0]), sp.Matrix([1, 0, 0])
    return {
        "least": Equal(sp.Max(*(M.T * low)) - value, least * sp.Max(*(sp.Abs(x) for x in low - optimal))),
        "most": Equal(sp.Max(*(M.T * high)) - value, most * sp.Max(*(sp.Abs(x) for x in high - optimal))),
        "a pure strategy": Equal(sp.Max(*(M.T * rock)), 1),
    }


@theorem.proof(scope="a uniform on the simplex")
def exploited_on_average(M, average):
    """By symmetry, 3 times the part of the simplex where paper is B's best reply: a_r >= 1/3 >= a_s, two triangles.
    There E is linear, so its mean over a triangle is that of the corners; Z3 confirms where paper is best."""
    third, a = sp.Rational(1, 3), strategy("a")
    rock, centre = [1, 0, 0], [third] * 3
    triangles = [[rock, [third, 2 * third, 0], centre], [rock, centre, [2 * third, 0, third]]]
    paper = M.T.row(1)
    mean = sum(area(t) * sum((paper * sp.Matrix(corner))[0] for corner in t) / 3 for t in triangles)
    earned = against(M, a)
    best = z3.And(earned[1] >= earned[0], earned[1] >= earned[2])
    inside = z3.Or(*(in_triangle(a, t) for t in triangles))
    return {"mean": Equal(3 * mean, average), "region": Valid(best == inside, given=simplex(a))}


@theorem.pathwise(scope="A's 1,891 strategies with denominator 60, each against every pure reply")
def best_replies_on_a_grid(M, replies, optimal, value):
    """The formula gives what the best reply earns at every strategy of the grid, and the value only at the optimum.
    Rounding: entries, differences of two of them (exact products with 0, +-1) and their sum, each off by at most u."""
    grid = list(simplex_grid(60))
    payoff = sp.matrix2numpy(M, dtype=float)
    formula = [float(max(replies(*a))) for a in grid]
    unexploited = [max(replies(*a)) <= value for a in grid]
    claimed = [tuple(a) == tuple(optimal) for a in grid]
    return {
        "formula": Residual([exploitability(payoff, a) for a in grid], formula, gamma(6), at={"M": M.tolist()}),
        "unexploited at the optimum only": Residual(unexploited, claimed, 0, at={"optimal": list(optimal)}),
    }


@theorem.monte_carlo(scope="B plays uniformly against A's three pure strategies and one mixed strategy")
def games_against_a_uniform_B(M, uniform, value):
    """Played out, B's uniform strategy earns the value against rock, paper, scissors and a mixture of them."""
    points = torch.tensor(M.tolist(), dtype=torch.float64)

    def against_mixture(rng, n, mixture):
        mine, theirs = rng.categorical(mixture, n), rng.categorical([float(x) for x in uniform], n)
        return points.to(rng.device)[mine, theirs]

    strategies = {"rock": (1, 0, 0), "paper": (0, 1, 0), "scissors": (0, 0, 1), "mostly rock": (0.75, 0.125, 0.125)}
    return {
        name: BoundedMean(lambda rng, n, m=m: against_mixture(rng, n, m), equals=float(value), lo=-1, hi=1, scale=1)
        for name, m in strategies.items()
    }


@theorem.monte_carlo(scope="strategies of A uniform on the simplex")
def random_strategies_are_exploited(M, average):
    """The best reply to a strategy drawn uniformly earns 4/9 of a point on average."""
    points = torch.tensor(M.tolist(), dtype=torch.float64)

    def draw(rng, n):
        return best_reply(points, random_strategies(rng, n))

    return BoundedMean(draw, equals=float(average), lo=-1, hi=1, scale=1)


@theorem.monte_carlo(scope="strategies of A uniform on the simplex", weight=0.5)
def exploited_within_the_bounds(M, replies, optimal, value, least, most):
    """At random strategies the best reply earns what the formula says, between least and most times the distance.
    Bound: normalising leaves a sum within 3u of 1; products, sums and differences of numbers up to 2 err by 2u each."""
    points = torch.tensor(M.tolist(), dtype=torch.float64)
    target = torch.tensor([float(x) for x in optimal], dtype=torch.float64)

    def ratio(rng, n):
        a = random_strategies(rng, n)
        earned = best_reply(points, a)
        formula = torch.stack(replies(*a.unbind(1))).max(0).values
        far = (a - target.to(a.device)).abs().max(1).values
        low, high = float(value) + float(least) * far - earned, earned - float(value) - float(most) * far
        return torch.stack([(earned - formula).abs(), low, high]).max(0).values / gamma(24)

    return NeverViolated(ratio)


@theorem.picture
def triangle_of_exploitability(M, optimal):
    """What B's best reply earns against each strategy of A: nothing at the centre, one point at the corners."""
    payoff = sp.matrix2numpy(M, dtype=float)
    grid = [tuple(float(x) for x in a) for a in simplex_grid(30)]
    return Ternary(
        caption="Exploitability of A's strategies",
        corners=("rock", "paper", "scissors"),
        value_label="points of B's best reply",
        points=grid,
        values=[exploitability(payoff, a) for a in grid],
        mark=tuple(float(x) for x in optimal),
    )


def strategy(name):
    """Three real unknowns."""
    return list(z3.Reals(f"{name}_r {name}_p {name}_s"))


def simplex(p):
    """p is a mixed strategy."""
    return [sum(p) == 1, *(x >= 0 for x in p)]


def against(M, a):
    """What B's pure replies earn: a' M."""
    return [sum(x * points for x, points in zip(a, column, strict=True)) for column in matrix(M.T)]


def distance(a, p):
    """max_i |a_i - p_i| as a Z3 term."""
    largest = z3.RealVal(0)
    for x, target in zip(a, p, strict=True):
        off = z3.If(x >= rational(target), x - rational(target), rational(target) - x)
        largest = z3.If(off > largest, off, largest)
    return largest


def area(triangle):
    """As a share of the simplex."""
    return sp.Abs(sp.Matrix(triangle).det())


def in_triangle(a, triangle):
    """Non-negative barycentric coordinates with respect to the triangle's corners."""
    coordinates = matrix(sp.Matrix(triangle).T.inv())
    return z3.And(*(sum(c * x for c, x in zip(row, a, strict=True)) >= 0 for row in coordinates))


def random_strategies(rng, n):
    """Uniform on the simplex: normalised exponentials, shape (n, 3)."""
    a = rng.exponential((n, 3))
    return a / a.sum(1, keepdim=True)


def best_reply(points, a):
    """What B's best pure reply earns, shape (n,)."""
    return (a @ points.to(a.device)).max(1).values


theorem.false_if("rock half the time is optimal too", optimal=sp.Matrix([2, 1, 1]) / 4)
theorem.false_if("a strategy next to the uniform one is optimal", optimal=sp.Matrix([334, 333, 333]) / 1000)
theorem.false_if("the value is 1/10", value=sp.Rational(1, 10))
theorem.false_if("A is indifferent to a B who plays rock half the time", uniform=sp.Matrix([2, 1, 1]) / 4)
theorem.false_if("B's points taken for A's", replies=points_of_A)
theorem.false_if("the best reply earns the whole spread max a - min a", replies=spread)
theorem.false_if("exploited by at least twice the distance", least=sp.Integer(2))
theorem.false_if("exploited by at most the distance", most=sp.Integer(1))
theorem.false_if("a random strategy is exploited by 1/2", average=sp.Rational(1, 2))
theorem.false_if("paper does not beat rock", M=sp.Matrix([[0, 0, -1], [0, 0, 1], [1, -1, 0]]))
