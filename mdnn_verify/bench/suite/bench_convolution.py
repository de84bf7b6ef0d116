"""Products with a convolution's matrix by convolution, to n = 10^5, and with the matrix, as far as it is formed."""

from __future__ import annotations

import pytest
import torch

from mdnn_verify.bench import conv_memory
from mdnn_verify.bench.measure import Measure
from mdnn_verify.maths.convolution import correlate, correlate_adjoint, dense_matrix

F = 9


def inputs(n: int, device: str) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A filter, and what A_w and its transpose are applied to."""
    w, y, u = (torch.randn(size, dtype=torch.float64, device=device) for size in (F, n, n - F + 1))
    return w, y, u


@pytest.mark.parametrize("n", [1_000, 10_000, 100_000])
@pytest.mark.parametrize("product", conv_memory.PRODUCTS)
def test_product_by_convolution(product: str, n: int, device: str, measure: Measure) -> None:
    """A multiply and an add for each weight and output."""
    w, y, u = inputs(n, device)
    calls = {"A y": lambda: correlate(w, y), "A' u": lambda: correlate_adjoint(w, u), "C_v y": lambda: correlate(u, y)}
    measure(calls[product], operations=2.0 * F * (n - F + 1), n=n, dense_bytes=conv_memory.dense_bytes(n, F))


@pytest.mark.parametrize("n", [1_000, 4_000])
def test_product_with_the_matrix(n: int, device: str, measure: Measure) -> None:
    """The matrix is formed before; its entries are read once."""
    w, y, _ = inputs(n, device)
    matrix = dense_matrix(w, n)
    measure(lambda: matrix @ y, nbytes=float(conv_memory.dense_bytes(n, F)), n=n)


def test_memory_and_exponents(measure: Measure) -> None:
    """The whole table once, with peak memory and fitted exponents, on the CPU."""
    if measure.device != "cpu":
        pytest.skip("not measured: the record of allocations is that of the CPU")
    found: list[conv_memory.Measurement] = []
    measure(lambda: found.append(conv_memory.measure(rounds=5)), rounds=1, warmup=0)
    measure.add(**found[-1].as_dict())
