"""Time and memory of products with and without the matrix: the record of memory is right, and so are the exponents."""

from __future__ import annotations

import pytest
import torch

from mdnn_verify.bench import conv_memory
from mdnn_verify.bench.conv_memory import dense_bytes, fitted_exponent, measure, peak_bytes
from mdnn_verify.errors import UsageError


def test_peak_memory_of_known_calls() -> None:
    x = torch.zeros(10_000, dtype=torch.float64)
    assert peak_bytes(lambda: None) == 0
    assert peak_bytes(x.neg) == 80_000
    assert peak_bytes(lambda: x.neg() + x.abs()) == 240_000
    assert peak_bytes(lambda: [x.neg().sum() for _ in range(4)]) < 81_000, "what is released does not add up"


def test_fitted_exponent_of_powers() -> None:
    sizes = [10, 20, 50, 100]
    assert fitted_exponent(sizes, [3.0 * n**1.7 for n in sizes]) == pytest.approx((1.7, 0), abs=1e-9)
    with pytest.raises(UsageError, match="two different sizes"):
        fitted_exponent([5, 5], [1.0, 2.0])


@pytest.fixture(scope="module")
def measurement() -> conv_memory.Measurement:
    return measure(free_sizes=(1_000, 10_000, 100_000), dense_sizes=(250, 1_000, 2_000), rounds=3)


def test_memory_grows_linearly_without_and_quadratically_with_the_matrix(measurement) -> None:
    exponents = measurement.exponents
    for product in conv_memory.PRODUCTS:
        assert exponents[f"{product}, convolution, peak_bytes"][0] == pytest.approx(1, abs=0.05)
    for product in conv_memory.PRODUCTS[:2]:
        assert exponents[f"{product}, matrix, peak_bytes"][0] == pytest.approx(2, abs=0.1)


def test_at_a_hundred_thousand_the_matrix_is_not_formed(measurement) -> None:
    rows = [row for row in measurement.rows if row.n == 100_000]
    dense = [row for row in rows if row.way == "matrix"]
    assert dense
    assert all(row.seconds is None and row.needed_bytes == dense_bytes(100_000, 9) > 79e9 for row in dense)
    free = [row for row in rows if row.way == "convolution"]
    assert len(free) == 3
    assert all(row.seconds and row.peak_bytes and row.peak_bytes < row.needed_bytes / 1000 for row in free)


def test_the_formed_matrix_counts_where_it_is_formed_in_the_call(measurement) -> None:
    for row in measurement.rows:
        if row.way == "matrix" and row.peak_bytes:
            assert row.peak_bytes >= row.needed_bytes
        if row.way == "formed matrix":
            assert row.peak_bytes is not None
            assert row.peak_bytes < row.needed_bytes / 10


def test_unfit_sizes_are_refused(monkeypatch) -> None:
    with pytest.raises(UsageError, match="f is 9"):
        measure(free_sizes=(8,), dense_sizes=())
    monkeypatch.setattr(conv_memory, "_available", lambda: 1e6)
    with pytest.raises(UsageError, match="needs"):
        measure(free_sizes=(1_000,), dense_sizes=(1_000,))


def test_the_number_of_threads_is_put_back() -> None:
    before = torch.get_num_threads()
    measure(free_sizes=(100,), dense_sizes=(), rounds=1)
    assert torch.get_num_threads() == before
