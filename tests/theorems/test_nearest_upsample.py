"""Upsampling as transposed convolution: wrong arguments and weights, right for some r only, are caught."""

from __future__ import annotations

import pytest
import torch

from mdnn_verify.catalogue import catalogue, load
from mdnn_verify.engines import Context, decide
from mdnn_verify.engines.montecarlo import Stream

THEOREM = load(catalogue()["convolution/nearest_upsample_is_transposed_conv"])
MODULE = THEOREM.check("outputs_are_bit_equal").function.__globals__
choose, copied = MODULE["choose"], MODULE["copied"]


def verdict(name: str, seed: int = 0, **changes):
    data = {**THEOREM.given, **changes}
    check = THEOREM.check(name)
    arguments = {p: Stream(name, seed) if p == "rng" else data[p] for p in check.parameters}
    return decide(check.function(**arguments), Context(name, seed=seed, alpha=1e-8))


@pytest.mark.parametrize("name", [check.name for check in THEOREM.checks])
def test_each_check_accepts_the_theorem(name: str) -> None:
    assert verdict(name).agrees


ARGUMENTS = {
    "stride r - 1": lambda r: (r, r - 1, 0, 0),
    "kernel r + 1": lambda r: (r + 1, r, 0, 0),
    "kernel r - 1, output padding 1": lambda r: (r - 1, r, 0, 1),
    "kernel 3 and stride 3": lambda r: (3, 3, 0, 0),
}


@pytest.mark.parametrize("wrong", ARGUMENTS.values(), ids=ARGUMENTS)
def test_other_arguments_are_refuted_by_the_proof(wrong) -> None:
    names = ["output_has_r_times_the_size", "one_input_pixel_contributes"]
    assert any(verdict(name, arguments=wrong).refuted for name in names)


ENTRIES = {
    "a millionth more": lambda c, d, k, l, r: (
        choose(c == d, 1, 0) * MODULE["real"](1) * 1000001 / 1000000 if MODULE["z3"].is_expr(r) else 1.000001 * (c == d)
    ),
    "only for r <= 100": lambda c, d, k, l, r: choose(
        MODULE["z3"].And(c == d, r <= 100) if MODULE["z3"].is_expr(r) else c == d and r <= 100, 1, 0
    ),
    "not at the last offset": lambda c, d, k, l, r: choose(
        MODULE["z3"].And(c == d, k < r - 1) if MODULE["z3"].is_expr(r) else c == d and k < r - 1, 1, 0
    ),
    "channel 5 is lost": lambda c, d, k, l, r: choose(
        MODULE["z3"].And(c == d, c != 5) if MODULE["z3"].is_expr(r) else c == d and c != 5, 1, 0
    ),
}


@pytest.mark.parametrize("wrong", ENTRIES.values(), ids=ENTRIES)
def test_other_weights_are_refuted_by_the_proof_though_no_small_instance_shows_some(wrong) -> None:
    assert verdict("weights_keep_the_own_channel", entry=wrong).refuted


def test_what_instances_can_show_they_show() -> None:
    for name in ("a millionth more", "not at the last offset"):
        for check in ("outputs_are_bit_equal", "outputs_are_those_of_upsample", "never_one_bit_off"):
            assert verdict(check, entry=ENTRIES[name]).refuted, (name, check)


def test_the_code_that_the_page_prints() -> None:
    images = torch.randn(2, 3, 4, 5, dtype=torch.float64)
    for r in (1, 2, 5):
        layer = torch.nn.ConvTranspose2d(
            3, 3, kernel_size=r, stride=r, padding=0, output_padding=0, groups=3, bias=False, dtype=torch.float64
        )
        layer.weight.data = torch.ones(3, 1, r, r, dtype=torch.float64)
        assert torch.equal(layer(images), torch.nn.Upsample(scale_factor=r, mode="nearest")(images))


def test_copied_is_the_definition() -> None:
    images = torch.arange(24.0).reshape(2, 3, 4)
    found = copied(images, 3)
    assert all(found[c, i, j] == images[c, i // 3, j // 3] for c in range(2) for i in range(9) for j in range(12))


@pytest.mark.parametrize("r", [41, 47, 55])
def test_the_transposed_convolution_is_right_where_torchs_own_upsample_may_be_off(r: int) -> None:
    """Where 1/r is rounded down in float32, torch 2.13 takes the pixel before; other versions may not."""
    images = torch.arange(3.0).reshape(1, 1, 1, 3)
    weight = torch.ones(1, 1, r, r)
    assert torch.equal(torch.nn.functional.conv_transpose2d(images, weight, stride=r), copied(images, r))
    named = torch.nn.functional.interpolate(images, scale_factor=r, mode="nearest")
    off = (named != copied(images, r)).any(-2).nonzero()[:, -1]
    assert all(column % r == 0 for column in off.tolist())


def test_an_infinite_entry_spoils_other_channels_with_one_group_only() -> None:
    images = torch.tensor([float("inf"), 1.0]).reshape(1, 2, 1, 1)
    full = MODULE["layer"](THEOREM.given["arguments"], THEOREM.given["entry"], 0, 2, 2, 1, torch.float32)
    own = MODULE["layer"](THEOREM.given["arguments"], THEOREM.given["entry"], 0, 2, 2, 2, torch.float32)
    assert torch.isnan(full(images)).any()
    assert torch.equal(own(images), copied(images, 2))
