"""nashpy's solvers of a game. Translated: its players both maximise, the contract's A minimises: Game(-M, M).

Of the equilibria that are enumerated the first is taken. Where nashpy fails at games of one row or one column, there is
a second subject that doubles this row or column and adds the probabilities of the two, to see what else there is.
"""

import nashpy
import numpy as np


def linear_program(payoff):
    return nashpy.Game(-payoff, payoff).linear_program()


def support_enumeration(payoff):
    return next(iter(nashpy.Game(-payoff, payoff).support_enumeration()))


def vertex_enumeration(payoff):
    return next(iter(nashpy.Game(-payoff, payoff).vertex_enumeration()))


def lemke_howson(payoff):
    return nashpy.Game(-payoff, payoff).lemke_howson(initial_dropped_label=0)


def lemke_howson_doubled(payoff):
    m, n = payoff.shape
    doubled = np.tile(payoff, (2 if m == 1 else 1, 2 if n == 1 else 1))
    return [
        p if len(p) == count else p.sum(keepdims=True) for p, count in zip(lemke_howson(doubled), (m, n), strict=True)
    ]
