"""The finite autoencoder in balls against torch's automatic differentiation."""

from __future__ import annotations

import pytest
import torch

from mdnn_verify.maths.finite_vae import FiniteVAE

ROWS = [[3, -4, 1, 0], [5, 2, -3, -1], [2, -1, 4, -6], [-4, 5, 3, 1], [1, 3, -2, 0], [4, -5, 2, 3]]


def logs(parameters: torch.Tensor):
    a, da, u, du, d, dd = torch.tensor(ROWS, dtype=torch.float64) / 4
    phi, theta, lam = parameters
    return (
        torch.nn.functional.logsigmoid(u + theta * du),
        torch.log_softmax(d + lam * dd, 0),
        torch.log_softmax(a + phi * da, 0),
    )


def test_laws_and_slopes_are_those_of_torch() -> None:
    vae, zero = FiniteVAE(ROWS), torch.zeros(3, dtype=torch.float64)
    for found, expected in zip(vae.log_laws(), logs(zero), strict=True):
        assert [float(x) for x in found] == pytest.approx(expected.tolist(), rel=1e-13)
    jacobians = torch.func.jacrev(logs)(zero)
    for found, jacobian, column in zip(vae.slopes(), jacobians, (1, 2, 0), strict=True):
        assert [float(x) for x in found] == pytest.approx(jacobian[:, column].tolist(), rel=1e-12)


def test_derivatives_of_the_bound_are_those_of_torch() -> None:
    def bound(parameters):
        p, r, q = logs(parameters)
        return (q.exp() * (p + r - q)).sum()

    gradient = torch.func.grad(bound)(torch.zeros(3, dtype=torch.float64))
    found = [float(FiniteVAE(ROWS).derivative(name)) for name in ("phi", "theta", "lambda")]
    assert found == pytest.approx(gradient.tolist(), rel=1e-12)


def test_malformed_rows_and_names_are_refused() -> None:
    with pytest.raises(ValueError, match="six equal ones"):
        FiniteVAE([[1, 2]] * 5)
    with pytest.raises(ValueError, match="six equal ones"):
        FiniteVAE([[1, 2]] * 5 + [[1]])
    with pytest.raises(ValueError, match="parameter = 'mu'"):
        FiniteVAE(ROWS).derivative("mu")
