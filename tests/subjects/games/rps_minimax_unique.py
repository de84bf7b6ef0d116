"""Solvers of zero-sum games, the points of the column player B: right ones and wrong ones."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np
import torch
from scipy.optimize import linprog


def _row(payoff, method="highs"):
    """The row strategy that concedes least, and the programme's solution."""
    m, n = payoff.shape
    found = linprog(
        [*np.zeros(m), 1.0], A_ub=np.c_[payoff.T, -np.ones(n)], b_ub=np.zeros(n),
        A_eq=[[*np.ones(m), 0.0]], b_eq=[1.0], bounds=[(0, None)] * m + [(None, None)], method=method,
    )  # fmt: skip
    return found.x[:m], found


def right_two_programmes(payoff):
    return _row(payoff)[0], _row(-payoff.T)[0]


def right_simplex_method(payoff):
    return _row(payoff, "highs-ds")[0], _row(-payoff.T, "highs-ds")[0]


def right_interior_points(payoff):
    return _row(payoff, "highs-ipm")[0], _row(-payoff.T, "highs-ipm")[0]


def right_dual(payoff):
    p, found = _row(payoff)
    return p, -found.ineqlin.marginals


def right_positive_game(payoff):
    shifted = payoff - payoff.min() + 1.0
    m, n = shifted.shape
    column = linprog(-np.ones(m), A_ub=shifted.T, b_ub=np.ones(n)).x
    row = linprog(np.ones(n), A_ub=-shifted, b_ub=-np.ones(m)).x
    return column / column.sum(), row / row.sum()


def right_supports(payoff):
    """Tries all pairs of supports of equal size."""
    m, n = payoff.shape
    scale = 1e-9 * max(1.0, np.abs(payoff).max())
    for k in range(1, min(m, n) + 1):
        for rows in combinations(range(m), k):
            for columns in combinations(range(n), k):
                p, q = _indifferent(payoff, rows, columns), _indifferent(payoff.T, columns, rows)
                if p is None or q is None:
                    continue
                if (p @ payoff).max() - (payoff @ q).min() <= scale:
                    return p, q
    raise AssertionError


def _indifferent(payoff, rows, columns):
    k = len(rows)
    system = np.zeros((k + 1, k + 1))
    system[:k, :k], system[:k, k], system[k, :k] = payoff[np.ix_(rows, columns)].T, -1, 1
    try:
        found = np.linalg.solve(system, [*np.zeros(k), 1])
    except np.linalg.LinAlgError:
        return None
    if found[:k].min() < -1e-12:
        return None
    p = np.zeros(payoff.shape[0])
    p[list(rows)] = found[:k].clip(0)
    return p / p.sum()


def right_exact_simplex(payoff):
    """The simplex method of the positive game in rational numbers, Bland's rule."""
    n, m = payoff.shape
    low = Fraction(float(payoff.min())) - 1
    table = [[Fraction(float(x)) - low for x in row] + [Fraction(int(i == j)) for j in range(m)] + [Fraction(1)]
             for i, row in enumerate(payoff.T)]  # fmt: skip
    table.append([Fraction(-1)] * n + [Fraction(0)] * (m + 1))
    basis = [n + i for i in range(m)]
    while (enter := next((j for j in range(n + m) if table[-1][j] < 0), None)) is not None:
        ratios = [(table[i][-1] / table[i][enter], basis[i], i) for i in range(m) if table[i][enter] > 0]
        leave = min(ratios)[2]
        pivot = table[leave][enter]
        table[leave] = [x / pivot for x in table[leave]]
        for i in range(m + 1):
            if i != leave and table[i][enter]:
                factor = table[i][enter]
                table[i] = [x - factor * y for x, y in zip(table[i], table[leave], strict=True)]
        basis[leave] = enter
    total, q = table[-1][-1], [Fraction(0)] * n
    for i, j in enumerate(basis):
        if j < n:
            q[j] = table[i][-1]
    p = table[-1][n : n + m]
    return [float(x / total) for x in q], [float(x / total) for x in p]


def right_tensors(payoff):
    return tuple(torch.from_numpy(np.asarray(part)) for part in right_two_programmes(payoff))


def right_lists(payoff):
    return [strategy.tolist() for strategy in right_two_programmes(payoff)]


def right_normalised(payoff):
    p, q = right_two_programmes(payoff)
    return p / p.sum(), q / q.sum()


def right_scaled(payoff):
    unit = max(1e-300, np.abs(payoff).max())
    return right_two_programmes(payoff / unit)


def right_saddle_points_first(payoff):
    worst, best = payoff.max(1), payoff.min(0)
    if worst.min() == best.max():
        return np.eye(len(worst))[worst.argmin()], np.eye(len(best))[best.argmax()]
    return right_two_programmes(payoff)


def right_mixture_of_solutions(payoff):
    first, last = right_two_programmes(payoff), right_two_programmes(payoff[::-1, ::-1])
    return tuple((one + other[::-1]) / 2 for one, other in zip(first, last, strict=True))


def right_float32(payoff):
    return tuple(part.astype(payoff.dtype) for part in right_two_programmes(payoff.astype(np.float64)))


def wrong_uniform(payoff):
    """All plays equally often: right for rock, paper, scissors."""
    m, n = payoff.shape
    return np.full(m, 1 / m), np.full(n, 1 / n)


def wrong_swapped_outputs(payoff):
    """B's strategy first."""
    return right_two_programmes(payoff)[::-1]


def wrong_transposed(payoff):
    """Takes the entries for the row player's plays against columns: right for symmetric ones."""
    if payoff.shape[0] != payoff.shape[1]:
        return right_two_programmes(payoff)
    return right_two_programmes(payoff.T)


def wrong_signs(payoff):
    """A maximises: right for antisymmetric games."""
    return _row(-payoff)[0], _row(payoff.T)[0]


def wrong_sign_of_b(payoff):
    """Both minimise B's points."""
    return _row(payoff)[0], _row(payoff.T)[0]


def wrong_pure(payoff):
    """The best pure plays: right where there is a saddle point."""
    m, n = payoff.shape
    return np.eye(m)[payoff.max(1).argmin()], np.eye(n)[payoff.min(0).argmax()]


def wrong_best_replies_to_uniform(payoff):
    """The best play against uniform play."""
    m, n = payoff.shape
    return np.eye(m)[payoff.mean(1).argmin()], np.eye(n)[payoff.mean(0).argmax()]


def wrong_antisymmetric_only(payoff):
    """Solves for the plays against which all replies earn the same, if there are such."""
    m, n = payoff.shape
    p = np.linalg.lstsq(np.r_[payoff.T - payoff.T.mean(0), np.ones((1, m))], [*np.zeros(n), 1], rcond=None)[0]
    q = np.linalg.lstsq(np.r_[payoff - payoff.mean(0), np.ones((1, n))], [*np.zeros(m), 1], rcond=None)[0]
    p, q = p.clip(0), q.clip(0)
    return p / max(p.sum(), 1e-9), q / max(q.sum(), 1e-9)


def wrong_equal_strategies(payoff):
    """B plays as A does where both have as many plays."""
    p, q = right_two_programmes(payoff)
    return p, p if len(p) == len(q) else q


def wrong_two_by_two(payoff):
    """The formula for two plays each, without a look for a saddle point."""
    if payoff.shape != (2, 2):
        return right_two_programmes(payoff)
    (a, b), (c, d) = payoff
    total = a - b - c + d
    if total == 0:
        return right_two_programmes(payoff)
    return np.clip([(d - c) / total, (a - b) / total], 0, 1), np.clip([(d - b) / total, (a - c) / total], 0, 1)


def wrong_unnormalised(payoff):
    """The programme of the positive game without the division by the sum."""
    shifted = payoff - payoff.min() + 1.0
    m, n = shifted.shape
    return linprog(-np.ones(m), A_ub=shifted.T, b_ub=np.ones(n)).x, linprog(
        np.ones(n), A_ub=-shifted, b_ub=-np.ones(m)
    ).x


def wrong_not_shifted(payoff):
    """The programme of the positive game, whatever the signs; uniform where it fails."""
    m, n = payoff.shape
    p, q = linprog(-np.ones(m), A_ub=payoff.T, b_ub=np.ones(n)), linprog(np.ones(n), A_ub=-payoff, b_ub=-np.ones(m))
    if p.status or q.status or p.x.sum() <= 0 or q.x.sum() <= 0:
        return wrong_uniform(payoff)
    return p.x / p.x.sum(), q.x / q.x.sum()


def wrong_value_not_negative(payoff):
    """The game's value is a variable that is not negative."""
    m, n = payoff.shape
    p = linprog(
        [*np.zeros(m), 1.0], A_ub=np.c_[payoff.T, -np.ones(n)], b_ub=np.zeros(n), A_eq=[[*np.ones(m), 0.0]], b_eq=[1.0]
    ).x
    return p[:m], _row(-payoff.T)[0]


def wrong_fictitious_play(payoff):
    """Fictitious play, 400 rounds."""
    m, n = payoff.shape
    p, q = np.zeros(m), np.zeros(n)
    p[0] = q[0] = 1
    for _ in range(400):
        reply = (p @ payoff).argmax()
        p[(payoff @ q).argmin()] += 1
        q[reply] += 1
    return p / p.sum(), q / q.sum()


def wrong_multiplicative_weights(payoff):
    """Averages of multiplicative weights, 500 rounds."""
    m, n = payoff.shape
    unit = np.ptp(payoff) or 1.0
    p, q, ps, qs = np.ones(m) / m, np.ones(n) / n, np.zeros(m), np.zeros(n)
    for _ in range(500):
        ps, qs = ps + p, qs + q
        p, q = (
            p * np.exp(-0.05 * (payoff - payoff.min()) @ q / unit),
            q * np.exp(0.05 * p @ (payoff - payoff.min()) / unit),
        )
        p, q = p / p.sum(), q / q.sum()
    return ps / ps.sum(), qs / qs.sum()


def wrong_smoothed(payoff):
    """A little of the uniform strategy is mixed in: a gap of 1e-5 of the range."""
    p, q = right_two_programmes(payoff)
    return 0.99999 * p + 1e-5 / len(p), 0.99999 * q + 1e-5 / len(q)


def wrong_b_half_a_percent(payoff):
    """B's strategy is off by half a percent."""
    p, q = right_two_programmes(payoff)
    return p, 0.995 * q + 0.005 / len(q)


def wrong_rounded(payoff):
    """Rounded to four digits."""
    p, q = (strategy.round(4) for strategy in right_two_programmes(payoff))
    return p / p.sum(), q / q.sum()


def wrong_any_row_of_the_support(payoff):
    """Uniform on the right support."""
    p, q = (strategy > 1e-9 for strategy in right_two_programmes(payoff))
    return p / p.sum(), q / q.sum()


def wrong_b_best_reply(payoff):
    """B plays a best reply to A's minimax strategy: it earns the value, but can be exploited."""
    p = _row(payoff)[0]
    return p, np.eye(payoff.shape[1])[(p @ payoff).argmax()]


def wrong_square_only(payoff):
    """Cuts to a square game."""
    k = min(payoff.shape)
    p, q = right_two_programmes(payoff[:k, :k])
    return np.r_[p, np.zeros(payoff.shape[0] - k)], np.r_[q, np.zeros(payoff.shape[1] - k)]


def wrong_without_dominated(payoff):
    """Removes weakly dominated rows, ties included, until none is left of two equal ones."""
    kept = [
        i for i, row in enumerate(payoff) if not any((other <= row).all() for k, other in enumerate(payoff) if k != i)
    ]
    kept = kept or [0]
    p, q = right_two_programmes(payoff[kept])
    full = np.zeros(len(payoff))
    full[kept] = p
    return full, q


def wrong_supports_without_check(payoff):
    """The first pair of supports with positive solutions, whether or not other plays are better."""
    m, n = payoff.shape
    for k in range(min(m, n), 0, -1):
        for rows in combinations(range(m), k):
            for columns in combinations(range(n), k):
                p, q = _indifferent(payoff, rows, columns), _indifferent(payoff.T, columns, rows)
                if p is not None and q is not None:
                    return p, q
    return wrong_uniform(payoff)


def wrong_integers(payoff):
    """Rounds payoffs to integers."""
    return right_two_programmes(payoff.round())


def wrong_clipped(payoff):
    """Clips payoffs to [-100, 100]."""
    return right_two_programmes(payoff.clip(-100, 100))


def wrong_tiny_payoffs(payoff):
    """Payoffs below 0.01 count as 0."""
    return right_two_programmes(np.where(np.abs(payoff) < 0.01, 0.0, payoff))


def wrong_single_precision(payoff):
    """Solves in single precision."""
    return tuple(part.astype(np.float32) for part in right_supports(payoff.astype(np.float32).astype(np.float64)))


def wrong_beyond_six(payoff):
    """Right for up to six plays, uniform beyond."""
    return right_two_programmes(payoff) if max(payoff.shape) <= 6 else wrong_uniform(payoff)


def wrong_beyond_twenty(payoff):
    """Right for up to twenty plays."""
    return right_two_programmes(payoff) if max(payoff.shape) <= 20 else wrong_uniform(payoff)


def wrong_one_row(payoff):
    """Fails for a single row."""
    if len(payoff) == 1:
        return np.ones(1), np.full(payoff.shape[1], 1 / payoff.shape[1])
    return right_two_programmes(payoff)


def wrong_one_column(payoff):
    """squeeze() makes a vector of a single column."""
    return right_two_programmes(np.atleast_2d(payoff.squeeze()))


def wrong_ties(payoff):
    """Shares between all best pure plays: right if any mixture of these is."""
    worst, best = payoff.max(1), payoff.min(0)
    if worst.min() == best.max():
        p, q = worst == worst.min(), best == best.max()
        return p / p.sum(), (q / q.sum())[::-1].copy()
    return right_two_programmes(payoff)


def wrong_negative_game(payoff):
    """Takes absolute values if all payoffs are negative."""
    return right_two_programmes(np.abs(payoff) if (payoff < 0).all() else payoff)


def wrong_in_place(payoff):
    """Shifts the payoffs in place."""
    payoff -= payoff.min()
    return right_two_programmes(payoff)


def wrong_cached_by_shape(payoff, _known={}):  # noqa: B006 - the fault
    """Remembers results by shape."""
    return _known.setdefault(payoff.shape, right_two_programmes(payoff))


_calls = [0]


def wrong_thousandth(payoff):
    """One in a thousand calls gives uniform strategies."""
    _calls[0] += 1
    return wrong_uniform(payoff) if _calls[0] % 1000 == 0 else right_two_programmes(payoff)


def wrong_random_start(payoff):
    """Mixes two solutions at random, where there are two."""
    share = np.random.default_rng().uniform()
    first, last = right_two_programmes(payoff), right_two_programmes(payoff[::-1, ::-1])
    return tuple(share * one + (1 - share) * other[::-1] for one, other in zip(first, last, strict=True))


def wrong_value_too(payoff):
    """Returns the value as a third part."""
    p, found = _row(payoff)
    return p, _row(-payoff.T)[0], found.fun


def right_without_dominated(payoff):
    """Removes weakly dominated rows one by one."""
    rows = list(range(len(payoff)))
    while True:
        worse = [i for i in rows if any(k != i and (payoff[k] <= payoff[i]).all() for k in rows)]
        if not worse:
            break
        rows.remove(worse[0])
    p, q = right_two_programmes(payoff[rows])
    full = np.zeros(len(payoff))
    full[rows] = p
    return full, q


def right_antisymmetric_game(payoff):
    """One programme, for the antisymmetric game of all plays and the value."""
    m, n = payoff.shape
    game = np.zeros((m + n + 1, m + n + 1))
    game[:m, m:-1], game[:m, -1], game[m:-1, -1] = payoff - payoff.min() + 1, -1, 1
    p = _row(game - game.T)[0]
    return p[:m] / p[:m].sum(), p[m:-1] / p[m:-1].sum()


def right_but_for_solver_tolerance(payoff):
    """Off by 1e-9, as the result of an interior point method may be."""
    p, q = right_two_programmes(payoff)
    return p - 1e-9, q * (1 + 1e-9)


def right_supports_float32(payoff):
    return tuple(part.astype(payoff.dtype) for part in right_supports(payoff.astype(np.float64)))


def wrong_indifferent(payoff):
    """Square games as if all plays were used, whatever the signs."""
    m, n = payoff.shape
    shifted = payoff - payoff.min() + 1
    if m != n or abs(np.linalg.det(shifted)) < 1e-9:
        return right_two_programmes(payoff)
    inverse = np.linalg.inv(shifted)
    return inverse.sum(0) / inverse.sum(), inverse.sum(1) / inverse.sum()


def wrong_constant(payoff):
    """Fails for constant payoffs, which it divides by their range."""
    if np.ptp(payoff) == 0:
        return np.zeros(payoff.shape[0]), np.zeros(payoff.shape[1])
    return right_two_programmes(payoff / np.ptp(payoff))


def wrong_three_millionths(payoff):
    """3e-6 of the uniform strategy is mixed in for A."""
    p, q = right_two_programmes(payoff)
    return (1 - 3e-6) * p + 3e-6 / len(p), q


def wrong_right_value_only(payoff):
    """B's pure play that earns the value against A's strategy."""
    p, q = right_two_programmes(payoff)
    return p, np.eye(len(q))[np.abs(p @ payoff - p @ payoff @ q).argmin()]


def wrong_bent(payoff):
    """Solves another game, whose payoffs are bent by a percent: right for payoffs 0, 1, -1."""
    return right_two_programmes(np.sign(payoff) * np.abs(payoff) ** 1.01)


def wrong_six_digits_of_a(payoff):
    """A's strategy is rounded to six digits."""
    p, q = right_two_programmes(payoff)
    return p.round(6) / p.round(6).sum(), q


def wrong_wide_games(payoff):
    """From five columns on, if there are fewer rows, B's strategy is one play off."""
    p, q = right_two_programmes(payoff)
    return p, np.roll(q, 1) if max(len(p), 4) < len(q) else q


def wrong_four_by_four(payoff):
    """Swapped for four plays each."""
    p, q = right_two_programmes(payoff)
    return (q, p) if payoff.shape == (4, 4) else (p, q)


def wrong_buffer(payoff, _known={}):  # noqa: B006 - the fault
    """Fills the same array for every p_A of one length: an earlier result changes."""
    p, q = right_two_programmes(payoff)
    kept = _known.setdefault(len(p), np.empty(len(p)))
    kept[:] = p
    return kept, q


def wrong_nearly_a_saddle_point(payoff):
    """Pure strategies if minimax and maximin agree to five digits."""
    highest, lowest = payoff.max(axis=1), payoff.min(axis=0)
    if np.isclose(highest.min(), lowest.max()):
        return np.eye(len(payoff))[highest.argmin()], np.eye(payoff.shape[1])[lowest.argmax()]
    return right_two_programmes(payoff)


def wrong_every_antisymmetric_game_is_a_cycle(payoff):
    """The closed form of rock, paper, scissors also where one play beats both others."""
    if payoff.shape != (3, 3) or not np.allclose(payoff, -payoff.T) or not payoff.any():
        return right_two_programmes(payoff)
    p = np.abs([payoff[1, 2], payoff[0, 2], payoff[0, 1]])
    return p / p.sum(), p / p.sum()


def wrong_uniform_below_a_thousandth(payoff):
    """Takes payoffs up to 1e-3 for nothing."""
    if np.abs(payoff).max() > 1e-3:
        return right_two_programmes(payoff)
    return tuple(np.full(count, 1 / count) for count in payoff.shape)


def wrong_at_the_first_call(payoff, _calls=[]):  # noqa: B006 - the fault
    """Plays uniformly when it is called for the first time, and right from then on."""
    _calls.append(None)
    if len(_calls) > 1:
        return right_two_programmes(payoff)
    return tuple(np.full(count, 1 / count) for count in payoff.shape)
