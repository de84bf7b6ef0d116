"""The autoencoder: training, scoring, time to the seeds' error rate; the notebook loop and the ceilings beside them.

Accuracy first: what is timed has reached the seeds' error rates, and takes the notebook's own steps where the two are
compared. All ratios are of alternating rounds in one run.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial

import pytest
import torch

from mdnn_verify.anomaly import dense
from mdnn_verify.anomaly.autoencoder import (
    AUTOENCODER,
    FAST,
    Autoencoder,
    AutoencoderTrainer,
    FittedAutoencoder,
    layer_widths,
)
from mdnn_verify.anomaly.base import ImageSets, Settings, Split
from mdnn_verify.anomaly.detector import detect, mean_plus_three_sd
from mdnn_verify.anomaly.training import train
from mdnn_verify.bench.ceilings import training_operations
from mdnn_verify.bench.measure import Measure
from mdnn_verify.bench.notebook import APART, Notebook, steps_apart
from mdnn_verify.bench.timing import interleaved, paired_ratio

BLOCK = 10_000  # images: a fifth of an epoch, so that there are enough pairs of rounds
PAIRS = 8
SEEDS, RACES = 5, 3
TYPE_I, TYPE_II = (0.006, 0.013), (0.02, 0.05)  # what the seeds' recipe must give
SEEDS_TYPE_II = 0.0295  # seed 001
MOST_EPOCHS = 20  # the notebook has reached the rate by then, or the comparison fails
SQUARE = 1024  # of the products that the ceiling is measured with
RECIPE = AUTOENCODER.recipe


def test_training(images: ImageSets, device: str, measure: Measure) -> None:
    """The seeds' ten epochs, under five seeds; every one must reach the seeds' error rates."""
    models: list[tuple[Split, FittedAutoencoder]] = []

    def once() -> None:
        seed = len(models) % SEEDS
        split = AUTOENCODER.split(images, seed)
        models.append((split, fit(AUTOENCODER, images, split, seed, device)))

    trained = RECIPE.epochs * len(AUTOENCODER.split(images, 0).train)
    operations = training_operations(weights(images), trained)
    measure(once, rounds=SEEDS, warmup=int(device == "cuda"), images=trained, operations=operations)
    found = [rates(model, split) for split, model in models[:SEEDS]]
    measure.add(type_i=[i for i, _ in found], type_ii=[ii for _, ii in found], seconds_in_seed_001=26.8)
    if not images.embedded and not all(within(i, TYPE_I) and within(ii, TYPE_II) for i, ii in found):
        pytest.fail(f"type I and II rates {found}, expected within {TYPE_I} and {TYPE_II}")


def test_training_against_the_notebook(images: ImageSets, device: str, measure: Measure) -> None:
    """The same steps in a notebook-style loop, and the machine's matrix products, timed in turns with ours."""
    only_cpu(device)
    expect_identical_steps(images)
    part = AUTOENCODER.split(images, 0).train[:BLOCK]
    notebook, trainer = notebook_for(images), trainer_for(images)
    functions: dict[str, Callable[[], object]] = {
        "notebook": partial(notebook.train, part),
        "own": partial(train_once, trainer, part),
        "torch.mm": square_product(torch.mm),
        "best product": square_product(dense.product),
    }
    seconds = interleaved(functions, rounds=PAIRS)
    floor = training_operations(weights(images), len(part)) / (2 * SQUARE**3)  # in products of that size
    shares = {
        f"share_of_{name}": asdict(paired_ratio([floor * t for t in seconds[name]], seconds["own"]))
        for name in ("torch.mm", "best product")
    }
    ratio = asdict(paired_ratio(seconds["notebook"], seconds["own"]))
    measure(functions["notebook"], rounds=3, warmup=0, images=len(part), of="notebook", times_our_seconds=ratio)
    measure.add(**shares, required={"times_our_seconds": 2.2, "share_of_torch.mm": 0.65})


def test_scoring(images: ImageSets, device: str, measure: Measure) -> None:
    """Scores as the experiment computes them; the images' bytes against the memory's bandwidth."""
    model = fitted(images, device)
    part = images.test.to(device)
    operations = 2.0 * weights(images) * len(part)
    measure(lambda: model.score(part), images=len(part), operations=operations, nbytes=float(part.numel()))


def test_scoring_against_the_notebook(images: ImageSets, device: str, measure: Measure) -> None:
    """One score at a time, timed in turns with ours."""
    only_cpu(device)
    notebook, model, part = notebook_for(images), fitted(images, device), images.test[:1000]
    seconds = interleaved({"notebook": lambda: notebook.score(part), "own": lambda: model.score(part)}, rounds=PAIRS)
    ratio = asdict(paired_ratio(seconds["notebook"], seconds["own"]))
    measure(lambda: notebook.score(part), rounds=3, images=len(part), of="notebook", times_our_seconds=ratio)


def test_time_to_the_seeds_type_ii_rate(images: ImageSets, device: str, measure: Measure) -> None:
    """Seconds of training until the type II rate is seed 001's 2.95 %: the fast recipe, the seeds', the notebook.

    The last two are evaluated after every epoch, the fast recipe at its end; evaluation is not timed.
    """
    only_cpu(device)
    if images.embedded:
        pytest.skip("not measured: the seeds' rate is one of MNIST against KMNIST")
    seconds: dict[str, list[float]] = {"fast": [], "seeds' recipe": [], "notebook": []}
    reached: dict[str, list[tuple[float, float]]] = {name: [] for name in seconds}
    for seed in range(RACES):
        split = AUTOENCODER.split(images, seed)
        for name, race in (("fast", fast_race), ("seeds' recipe", own_race), ("notebook", notebook_race)):
            taken, found = race(images, split, seed)
            seconds[name].append(taken)
            reached[name].append(found)
    ratios = [slow / fast for slow, fast in zip(seconds["notebook"], seconds["fast"], strict=True)]
    split = FAST.split(images, 0)
    trained = FAST.recipe.epochs * len(split.train)
    measure(lambda: fit(FAST, images, split, 0, device), rounds=3, warmup=0, images=trained, of="fast recipe")
    measure.add(seconds=seconds, rates=reached, times_our_seconds={"median": statistics.median(ratios), "all": ratios})
    measure.add(required={"times_our_seconds": 2.5})


Race = tuple[float, tuple[float, float]]


def fast_race(images: ImageSets, split: Split, seed: int) -> Race:
    """Seconds and rates of the fast recipe, which must reach the rate."""
    start = time.perf_counter()
    model = fit(FAST, images, split, seed, "cpu")
    seconds, found = time.perf_counter() - start, rates(model, split)
    if found[1] > SEEDS_TYPE_II or not within(found[0], TYPE_I):
        pytest.fail(f"the fast recipe has type I and II rates {found} with seed {seed}")
    return seconds, found


def own_race(images: ImageSets, split: Split, seed: int) -> Race:
    """The seeds' recipe in this package's code."""
    trainer = trainer_for(images, seed)
    model = FittedAutoencoder(trainer.layers, images.levels, RECIPE)
    orders = itertools.count()
    return epochs_until_reached(lambda: train_once(trainer, split.train, next(orders)), model, split)


def notebook_race(images: ImageSets, split: Split, seed: int) -> Race:
    """The seeds' recipe in the notebook's."""
    notebook = notebook_for(images, seed)
    model = FittedAutoencoder(notebook.layers(), images.levels, RECIPE)
    return epochs_until_reached(partial(notebook.train, split.train), model, split)


def epochs_until_reached(epoch: Callable[[], None], model: FittedAutoencoder, split: Split) -> Race:
    """Train until the rate is reached; ``model`` sees the weights change. Fails after MOST_EPOCHS."""
    seconds = 0.0
    for number in range(MOST_EPOCHS):
        torch.manual_seed(number)  # the DataLoader's shuffling
        start = time.perf_counter()
        epoch()
        seconds += time.perf_counter() - start
        found = rates(model, split)
        if found[1] <= SEEDS_TYPE_II:
            return seconds, found
    return pytest.fail(f"the rate is {found[1]} after {MOST_EPOCHS} epochs")


def only_cpu(device: str) -> None:
    """Skip the other rows."""
    if device != "cpu":
        pytest.skip("the notebook is compared with on the CPU")


def weights(images: ImageSets) -> int:
    """Entries of the matrices: what costs operations."""
    return sum(a * b for a, b in itertools.pairwise(layer_widths(images)))


def within(rate: float, limits: tuple[float, float]) -> bool:
    """Whether a rate lies between two."""
    return limits[0] <= rate <= limits[1]


def rates(model: FittedAutoencoder, split: Split) -> tuple[float, float]:
    """Type I and type II at mean + 3 standard deviations."""
    threshold = mean_plus_three_sd(model.score(split.validation))
    detection = detect(threshold, model.score(split.test), model.score(split.anomalous))
    return detection.type_i.estimate, detection.type_ii.estimate


def fit(method: Autoencoder, images: ImageSets, split: Split, seed: int, device: str) -> FittedAutoencoder:
    """Train as the experiment does."""
    return method.fit(images, split, Settings(seed=seed, device=device), lambda progress: None)


def trainer_for(images: ImageSets, seed: int = 0) -> AutoencoderTrainer:
    """The seeds' recipe, before the first step."""
    trainer = AutoencoderTrainer(layer_widths(images), images.levels, RECIPE, steps=10**6)
    dense.initialise(trainer.layers, "bench/autoencoder", seed)
    return trainer


def notebook_for(images: ImageSets, seed: int = 0) -> Notebook:
    """The notebook, with the same initial weights."""
    notebook = Notebook(layer_widths(images), images.height, images.width, images.levels)
    notebook.load(trainer_for(images, seed).layers)
    return notebook


def fitted(images: ImageSets, device: str) -> FittedAutoencoder:
    """A model to score with; its weights do not matter to the time."""
    trainer = AutoencoderTrainer(layer_widths(images), images.levels, RECIPE, 1, device)
    dense.initialise(trainer.layers, "bench/autoencoder", 0)
    return FittedAutoencoder(trainer.layers, images.levels, RECIPE)


def train_once(trainer: AutoencoderTrainer, part: torch.Tensor, order: int = 0) -> None:
    """One epoch over the images through the experiment's own loop; ``order`` decides theirs."""
    train(
        trainer,
        part,
        name="bench/autoencoder",
        settings=Settings(seed=order),
        epochs=1,
        batch_size=RECIPE.batch_size,
        report=lambda progress: None,
    )


def square_product(multiply: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> Callable[[], torch.Tensor]:
    """A product of two square matrices."""
    a, b = torch.ones(SQUARE, SQUARE), torch.ones(SQUARE, SQUARE)
    return lambda: multiply(a, b)


def expect_identical_steps(images: ImageSets) -> None:
    """Fail unless a few steps in float64 give the notebook's weights."""
    with float64():
        part = images.train[:250]
        apart = steps_apart(trainer_for(images), notebook_for(images), part, range(len(part)), RECIPE.batch_size)
    if not apart <= APART:
        pytest.fail(f"after three steps a weight differs from the notebook's by {apart:.3g}, expected {APART:.3g}")


@contextmanager
def float64() -> Iterator[None]:
    """New tensors are float64."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)
