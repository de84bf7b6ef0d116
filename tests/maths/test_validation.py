"""Refusals name the argument; what is suitable passes unchanged."""

import numpy as np
import pytest

from mdnn_verify.maths.validation import (
    even,
    index_set,
    positive_definite,
    positive_integer,
    probability_vector,
    vector,
)


@pytest.mark.parametrize(
    ("refused", "message"),
    [
        (lambda: vector("mean", [[1.0]]), r"mean has shape \(1, 1\), expected \(n,\)"),
        (lambda: vector("mean", [1.0, 2.0], 3), r"mean has shape \(2,\), expected \(3,\)"),
        (lambda: vector("mean", [1.0, np.nan]), "mean has an entry that is NaN"),
        (lambda: vector("mean", ["a"]), "mean is not an array of real numbers"),
        (lambda: vector("mean", None), "mean"),
        (lambda: probability_vector("p", [0.5, 0.4]), "p sums to 0.9"),
        (lambda: probability_vector("p", [0.5, 0.5 + 1e-12]), "p sums to"),
        (lambda: probability_vector("p", [1.5, -0.5]), "p has the negative entry"),
        (lambda: probability_vector("p", []), "p is empty"),
        (lambda: probability_vector("p", [np.inf, 0]), "p has an entry"),
        (
            lambda: positive_definite("S1", [[1.0, 2.0], [2.0, 1.0]]),
            r"S1 is not positive definite \(smallest eigenvalue -1\)",
        ),
        (lambda: positive_definite("S1", [[1.0, 0.5], [0.4, 1.0]]), "S1 is not symmetric"),
        (lambda: positive_definite("S1", np.zeros((2, 2))), "S1 is not positive definite"),
        (lambda: positive_definite("S1", np.ones((2, 3))), "S1 has shape"),
        (lambda: positive_definite("S1", np.zeros((0, 0))), "S1 has shape"),
        (lambda: positive_definite("S1", np.eye(2), 3), r"S1 has shape \(2, 2\), expected \(3, 3\)"),
        (lambda: positive_definite("S1", [[np.nan]]), "S1 has an entry"),
        (lambda: index_set("O", [], 4), "O has 0 of 4 indices"),
        (lambda: index_set("O", range(4), 4), "O has 4 of 4 indices"),
        (lambda: index_set("O", [1, 1], 4), "O = .* repeats an index"),
        (lambda: index_set("O", [-1, 2], 4), "O = .* leaves the range"),
        (lambda: index_set("O", [4], 4), "O = .* leaves the range"),
        (lambda: positive_integer("K", 0), "K = 0, expected a positive integer"),
        (lambda: positive_integer("K", 1.5), "K = 1.5"),
        (lambda: positive_integer("K", True), "K = True"),
        (lambda: positive_integer("K", "three"), "K = 'three'"),
        (lambda: positive_integer("K", None), "K = None"),
        (lambda: positive_integer("K", np.inf), "K = inf"),
        (lambda: positive_integer("K", np.nan), "K = nan"),
        (lambda: index_set("O", [0.5], 4), "O = .* not an integer"),
        (lambda: index_set("O", [True], 4), "O = .* not an integer"),
        (lambda: even("m", 3), "m = 3 is odd"),
        (lambda: even("m", 0), "m = 0"),
    ],
)
def test_unsuitable_values_are_named(refused, message):
    with pytest.raises(ValueError, match=message):
        refused()


def test_suitable_values_pass():
    assert vector("mean", [1, 2], 2).tolist() == [1.0, 2.0]
    assert probability_vector("p", [[0.25, 0.25], [0.5, 0]]).sum() == 1
    assert probability_vector("p", np.full(10, 0.1)).shape == (10,)
    assert positive_definite("S", [[2, 1], [1, 2]]).shape == (2, 2)
    assert index_set("O", {3, 1}, 4) == (1, 3)
    assert positive_integer("K", 5.0) == positive_integer("K", np.int64(5)) == 5
    assert even("m", 4) == 4


def test_probabilities_that_are_rounded_sums_pass():
    generator = np.random.default_rng(0)
    for n in (2, 10, 1000, 100_000):
        weights = generator.random(n)
        assert probability_vector("p", weights / weights.sum()).shape == (n,)


def test_products_that_are_symmetric_up_to_rounding_pass():
    generator = np.random.default_rng(0)
    for d in (1, 2, 8, 50):
        factor = generator.standard_normal((d, d))
        left = np.diag(np.arange(1.0, d + 1))
        assert positive_definite("S", (factor @ left) @ factor.T + np.eye(d)).shape == (d, d)
