"""Jacobians against closed forms; log-determinants against exact rational arithmetic."""

import flint
import pytest
import torch

from mdnn_verify.engines.autograd import jacobian, log_abs_det
from mdnn_verify.engines.intervals import precision

F64 = torch.float64


def exact_log_abs_det(matrix):
    n = len(matrix)
    entries = [flint.fmpq(*value.as_integer_ratio()) for value in matrix.flatten().tolist()]
    with precision(400):
        return flint.arb(abs(flint.fmpq_mat(n, n, entries).det())).log()


def hilbert(n):
    return 1 / (torch.arange(n, dtype=F64)[:, None] + torch.arange(n, dtype=F64) + 1)


def matrices():
    generator = torch.Generator().manual_seed(0)
    for n in (1, 2, 3, 8, 30, 64):
        yield torch.randn(n, n, dtype=F64, generator=generator)
    yield from (hilbert(5), hilbert(8), 1e150 * hilbert(3), 1e-100 * torch.eye(4, dtype=F64))
    yield torch.diag(torch.tensor([1e-8, 1.0, 1e8], dtype=F64))


@pytest.mark.parametrize("matrix", list(matrices()), ids=lambda m: f"n={len(m)}")
def test_the_bound_holds(matrix):
    value, bound = log_abs_det(matrix)
    with precision(400):
        error = float(abs(exact_log_abs_det(matrix) - flint.arb(value)).upper())
    assert error <= bound
    assert bound < 1e-3 * max(1, abs(value))


def test_the_bound_covers_errors_of_the_entries():
    generator = torch.Generator().manual_seed(1)
    true = torch.randn(6, 6, dtype=F64, generator=generator)
    errors = 1e-9 * true.abs()
    for _ in range(20):
        signs = torch.randint(0, 2, (6, 6), generator=generator) * 2 - 1
        value, bound = log_abs_det(true + 0.99 * signs * errors, errors)
        with precision(400):
            assert abs(exact_log_abs_det(true) - flint.arb(value)) <= flint.arb(bound)


@pytest.mark.parametrize("matrix", [torch.ones(3, 3, dtype=F64), torch.zeros(1, 1, dtype=F64), hilbert(14)])
def test_singular_to_working_precision(matrix):
    with pytest.raises(ArithmeticError, match="no rounding bound"):
        log_abs_det(matrix)


@pytest.mark.parametrize(
    "wrong",
    [torch.ones(2, 3, dtype=F64), torch.ones(3, dtype=F64), torch.eye(2), torch.full((1, 1), torch.nan, dtype=F64)],
)
def test_unsuitable_matrices(wrong):
    with pytest.raises(ValueError, match="matrix has"):
        log_abs_det(wrong)


@pytest.mark.parametrize("forward", [False, True])
def test_jacobian(forward):
    x = torch.tensor([0.5, -1.0, 2.0], dtype=F64)

    def f(z):
        return torch.stack([z[0] * z[1], z[2] ** 2])

    expected = torch.tensor([[-1.0, 0.5, 0.0], [0.0, 0.0, 4.0]], dtype=F64)
    assert torch.equal(jacobian(f, x, forward=forward), expected)


@pytest.mark.parametrize("x", [torch.ones(2), torch.ones(2, 2, dtype=F64)])
def test_jacobian_refuses_other_points(x):
    with pytest.raises(ValueError, match="x has shape"):
        jacobian(lambda z: z, x)


def test_jacobian_refuses_other_values():
    with pytest.raises(ValueError, match="f returns shape"):
        jacobian(lambda z: z.sum(), torch.ones(2, dtype=F64))
