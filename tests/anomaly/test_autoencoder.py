"""The seeds' autoencoder: its steps are those of plain torch, its scores are what they are called, its files are data."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import nn

from mdnn_verify.anomaly import autoencoder, dense
from mdnn_verify.anomaly.autoencoder import (
    AutoencoderTrainer,
    FittedAutoencoder,
    Recipe,
)
from mdnn_verify.bench.notebook import APART, Notebook, steps_apart
from mdnn_verify.engines.montecarlo.stream import Stream

WIDTHS = [784, 256, 128, 32, 128, 256, 784]
U32, U64 = 2.0**-24, 2.0**-53  # unit roundoffs


def pictures(n: int, seed: int = 0, pixels: int = 784) -> torch.Tensor:
    """Random images, half of whose pixels are black."""
    draws = Stream("tests/autoencoder", seed).numpy.integers(-255, 256, (n, pixels))
    return torch.from_numpy(draws.clip(0).astype("uint8"))


def trainer(recipe: Recipe | None = None, steps: int = 10, widths: list[int] = WIDTHS) -> AutoencoderTrainer:
    made = AutoencoderTrainer(widths, 256, recipe or Recipe(), steps)
    dense.initialise(made.layers, "tests", 0)
    return made


@pytest.fixture
def double() -> Iterator[None]:
    """All new floating-point tensors are float64: what remains between two ways is not rounding."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture(params=[True, False], ids=["oneDNN", "torch.mm"])
def product(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to multiply, where torch has both."""
    if request.param and not dense.HAS_ONEDNN:
        pytest.skip("this torch has no oneDNN linear operation")
    monkeypatch.setattr(dense, "HAS_ONEDNN", request.param)


@pytest.mark.usefixtures("double")
def test_the_steps_are_those_of_torch_nn_autograd_and_adam_with_an_incomplete_last_batch() -> None:
    images = pictures(70)
    order = Stream("tests/order", 0).numpy.permutation(70).tolist()
    assert steps_apart(trainer(), Notebook(WIDTHS, 28, 28), images, order, 20) < APART


def wrong_rate(ours: AutoencoderTrainer) -> None:
    ours.recipe = Recipe(learning_rate=1.001e-3)


def wrong_loss(ours: AutoencoderTrainer) -> None:
    """Adam sees the scale of the loss through its epsilon only; even that shows."""
    adam = ours._adam

    def scaled() -> None:
        ours.gradients.div_(784)
        adam()

    ours._adam = scaled  # type: ignore[method-assign]


def wrong_batch(ours: AutoencoderTrainer) -> None:
    eager = ours._eager
    ours._advance = lambda batch: eager(batch[1:])


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("fault", [wrong_rate, wrong_loss, wrong_batch])
def test_a_difference_of_the_steps_would_show(fault: Callable[[AutoencoderTrainer], None]) -> None:
    ours = trainer()
    fault(ours)
    assert steps_apart(ours, Notebook(WIDTHS, 28, 28), pictures(60), range(60), 20) > APART


def gamma(n: int) -> float:
    """Higham's bound of the relative error of a sum of n products in float32, in any order."""
    return n * U32 / (1 - n * U32)


def exact_layers(flat: torch.Tensor, widths: list[int] = WIDTHS) -> list[dense.Layer]:
    """Fill ``flat`` with eight weights of 1/4 or -1/4 a neuron: for pixels 0 and 1 nothing is rounded up to the sigmoid.

    After layer l all numbers are multiples of 4^-l below 2^(l + 1), hence floats of at most 3 * 6 + 1 < 24 bits.
    """
    layers = dense.layers_of(flat, widths)
    for number, layer in enumerate(layers):
        stream = Stream("tests/exact", 0, number)
        places = stream.uniform(tuple(layer.weight.shape)).argsort(1)[:, :8]
        layer.weight.zero_().scatter_(1, places, (stream.integers(0, 2, tuple(places.shape)) * 0.5 - 0.25).to(flat))
        layer.bias.fill_(0.25)
    return layers


def exact_model(pixels: int = 784) -> FittedAutoencoder:
    widths = [pixels, *WIDTHS[1:-1], pixels]
    return FittedAutoencoder(exact_layers(torch.zeros(dense.size_of(widths)), widths), 2, Recipe())


def black_and_white(n: int, pixels: int = 784) -> torch.Tensor:
    return (pictures(n, 1, pixels) > 0).to(torch.uint8)


def reconstructed(layers: list[dense.Layer], x: torch.Tensor) -> list[torch.Tensor]:
    """x and what follows it, in float64."""
    ys = [x]
    for layer in layers:
        z = ys[-1] @ layer.weight.double().T + layer.bias.double()
        ys.append(z.relu() if layer.activation == "relu" else z.sigmoid())
    return ys


SIGMOID = 8 * U32  # relative error granted to a float32 sigmoid: four units in the last place


def gradients_with_bounds(layers: list[dense.Layer], x: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Biases' and weights' gradients of the batch's loss, and bounds of the errors of a float32 evaluation.

    For ``exact_layers``: only sigmoid and backward pass round. Entry by entry, to first order: a product of inner length
    k adds gamma(k) times the product of the absolute values to what its rounded factor brings along.
    """
    ys = reconstructed(layers, x)
    y, slope = ys[-1], ys[-1] * (1 - ys[-1])
    d = 2 * (y - x) / len(x)
    # difference, scale, two products and 1 - y round once each; y brings SIGMOID into the difference and the slope
    e = slope * (2 / len(x) * SIGMOID * y + 6 * U32 * d.abs()) + d.abs() * SIGMOID * y
    d = d * slope
    found = []
    for i in reversed(range(len(layers))):
        if i < len(layers) - 1:
            d, e = d * (ys[i + 1] > 0), e * (ys[i + 1] > 0)
        magnitude = d.abs() + e
        found.append((d.T @ ys[i], e.T @ ys[i] + gamma(len(x)) * magnitude.T @ ys[i]))
        found.append((d.sum(0), e.sum(0) + gamma(len(x)) * magnitude.sum(0)))
        W = layers[i].weight.double()
        d, e = d @ W, e @ W.abs() + gamma(len(W)) * magnitude @ W.abs()
    return found


@pytest.mark.usefixtures("product")
@pytest.mark.parametrize("batch", [1, 80])
def test_float32_gradients_are_autograd_s_up_to_rounding(batch: int) -> None:
    ours, images = trainer(), black_and_white(batch)
    ours.levels = 2
    exact_layers(ours.parameters)
    leaf = ours.parameters.double().requires_grad_()
    x = images.double()
    torch.autograd.backward(((reconstructed(dense.layers_of(leaf, WIDTHS), x)[-1] - x) ** 2).sum() / batch)
    assert leaf.grad is not None
    bounds = gradients_with_bounds(ours.layers, x)
    ours.step(images, 0)
    wanted = [t for layer in reversed(dense.layers_of(leaf.grad, WIDTHS)) for t in (layer.weight, layer.bias)]
    found = [t for layer in reversed(ours._into) for t in (layer.weight, layer.bias)]
    for ours_, theirs, (reference, bound) in zip(found, wanted, bounds, strict=True):
        torch.testing.assert_close(theirs, reference, rtol=1e-10, atol=1e-12)  # two ways in float64
        assert bool(((ours_.double() - theirs).abs() <= 1.01 * bound + 1e-12).all())
        assert bool(((1.02 * ours_.double() - theirs).abs() > 1.01 * bound + 1e-12).any())  # the bound is one


def test_adam_is_torch_s_with_its_defaults() -> None:
    ours, stream = trainer(widths=[6, 5, 6]), Stream("tests/adam", 0)
    parameter = nn.Parameter(ours.parameters.clone())
    theirs = torch.optim.Adam([parameter])
    for _ in range(3):
        gradient = stream.normal(len(ours.parameters)).float()
        ours.gradients.copy_(gradient)
        parameter.grad = gradient
        ours._rate.fill_(1e-3)
        ours._adam()
        theirs.step()
    # a step of at most sqrt(3) lr, of about ten roundings on either side, and the rounding of the weight itself
    bound = 3 * (2 * 10 * U32 * 3**0.5 * 1e-3 + 2 * U32 * parameter.detach().abs())
    assert bool(((ours.parameters - parameter.detach()).abs() <= bound).all())


def score_bound(d: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """What rounding does to a score of ``exact_model``: sigmoid, difference and square; the sum is one of float64."""
    return (2 * d.abs() * (SIGMOID * y + U32 * d.abs()) + U32 * d**2).sum(1) * 1.01


@pytest.mark.usefixtures("product")
def test_scores_are_squared_errors_summed_over_pixels_of_0_to_1() -> None:
    model, images = exact_model(), black_and_white(50)
    y = reconstructed(model.layers, images.double())[-1]
    d = y - images.double()
    assert bool(((model.score(images) - (d**2).sum(1)).abs() <= score_bound(d, y)).all())
    assert bool(((model.reconstruct(images).double() - y).abs() <= SIGMOID * y).all())
    assert model.score(images).dtype == torch.float64


def test_pixels_are_divided_by_the_largest_level() -> None:
    model, images = exact_model(), black_and_white(5)
    model.levels = 5
    assert torch.equal(model.score(4 * images), exact_model().score(images))


def test_scores_of_many_images_are_those_of_each_and_of_the_notebook() -> None:
    model, n = exact_model(64), autoencoder.SCORED_AT_ONCE
    images = black_and_white(n + 3, 64)
    y = reconstructed(model.layers, images.double())[-1]
    bound = 2 * score_bound(y - images, y)
    many, each = model.score(images), torch.cat([model.score(image[None]) for image in images])
    assert bool(((many - each).abs() <= bound).all())
    notebook = Notebook([64, *WIDTHS[1:-1], 64], 8, 8, 2)
    notebook.load(model.layers)
    # the notebook sums 64 squares in float32, and keeps the sum in float32
    assert bool(((many - notebook.score(images, batch_size=7)).abs() <= bound + gamma(65) * many).all())
