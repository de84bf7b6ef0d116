"""What scipy and numpy have of the theorems. Translated: tensors to arrays and back; each function says what else."""

import numpy as np
import torch
from scipy import special, stats
from scipy.optimize import linprog


def relative_entropy(p, q):
    return special.rel_entr(p.detach().numpy(), q.detach().numpy()).sum()


def kl_div(p, q):
    """kl_div has + q - p in every term, which sums to 0."""
    return special.kl_div(p.detach().numpy(), q.detach().numpy()).sum()


def entropy(p, q):
    """A table is flattened; entropy divides p and q by their sums."""
    return stats.entropy(p.detach().numpy().reshape(-1), q.detach().numpy().reshape(-1))


def logsumexp(x, beta):
    return special.logsumexp(beta * x.detach().numpy()) / beta


def softmax(x):
    return torch.from_numpy(special.softmax(x.detach().numpy()))


def discrete_quantile(atoms, probs, u):
    """rv_discrete wants distinct atoms of positive probability: equal ones are merged, those of probability 0 left out.

    Its quantile is inf{x: u <= F(x)}, which the contract accepts.
    """
    xk, place = np.unique(atoms.detach().numpy(), return_inverse=True)
    pk = np.bincount(place, weights=probs.detach().numpy())
    found = stats.rv_discrete(values=(xk[pk > 0], pk[pk > 0])).ppf(u.detach().numpy())
    return torch.from_numpy(np.asarray(found)).to(atoms)


def numpy_quantile(atoms, probs, u):
    """numpy's weighted quantile by inversion of F, inf{x: u <= F(x)}."""
    found = np.quantile(
        atoms.detach().numpy(), u.detach().numpy(), weights=probs.detach().numpy(), method="inverted_cdf"
    )
    return torch.from_numpy(np.asarray(found)).to(atoms)


def _least_value(payoff, method):
    """p that minimises the largest entry of p' payoff: min v with payoff' p <= v."""
    m, n = payoff.shape
    objective = np.append(np.zeros(m), 1.0)
    above = np.hstack([payoff.T, -np.ones((n, 1))])
    equal = np.append(np.ones(m), 0.0)[None]
    bounds = [(0, None)] * m + [(None, None)]
    return linprog(objective, above, np.zeros(n), equal, [1.0], bounds, method=method).x[:m]


def linear_program(payoff, method="highs"):
    """One program for each player: B maximises, which is to minimise -payoff'."""
    return _least_value(payoff, method), _least_value(-payoff.T, method)


def linear_program_simplex(payoff):
    return linear_program(payoff, "highs-ds")


def linear_program_interior_point(payoff):
    return linear_program(payoff, "highs-ipm")
