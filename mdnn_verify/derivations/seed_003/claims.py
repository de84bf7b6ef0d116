"""Seed 003: what the report says about errors of type I and II, and about its figures."""

from __future__ import annotations

import sympy as sp

from mdnn_verify.audit import Derivation, World, over

SOURCE = "seed 003, Problem 1 (report)"

errors = Derivation(
    title="Errors of type I and II",
    source=SOURCE,
    worlds=over(score=[sp.Integer(1), sp.Integer(0), sp.Integer(2)], threshold=[sp.Integer(1), sp.Rational(3, 2)]),
)
rates = Derivation(title="The rates reported", source=SOURCE, worlds=[World({"images": 10000})])


def error(null_is_true, rejected):
    """What a test does wrong: it rejects a null hypothesis that is true, or keeps one that is false."""
    if null_is_true and rejected:
        return "type I"
    return "type II" if not null_is_true and not rejected else "no error"


@errors.line(
    r"\text{an MNIST image, under the null hypothesis that an image is not an anomaly}",
    note=r"An image is classified as an anomaly if its score exceeds the threshold.",
)
def mnist_image(score, threshold):
    return error(null_is_true=True, rejected=score > threshold)


@errors.line(
    r"\text{the examples whose score function exceeding the threshold are included in type I error}",
    "=",
    reason="For MNIST test dataset, the null hypothesis is that the classifier correctly identifies all MNIST images "
    "within the test set as non-anomalies",
    note="A null hypothesis is about the image, not about the classifier; so read, this one is that the image is not "
    "an anomaly.",
    by=lambda score, threshold: error(null_is_true=True, rejected=score > threshold),
)
def exceeding_is_type_one(score, threshold):
    return "type I" if score > threshold else "no error"


@errors.line(
    r"\text{a KMNIST image, under the null hypothesis that an image is not an anomaly}",
    note="Step 7 counts the KMNIST images that are classified as non-anomalies: those that do not exceed the "
    "threshold.",
)
def kmnist_image(score, threshold):
    return error(null_is_true=False, rejected=score > threshold)


@errors.line(
    r"\text{the examples whose score function lower than the threshold become instances of type II error}",
    "=",
    needs=("no score equals the threshold", lambda score, threshold: bool(score != threshold)),
    note="An image whose score is the threshold does not exceed it, so it is no anomaly either.",
)
def lower_is_type_two(score, threshold):
    return "type II" if score < threshold else "no error"


@errors.correct(
    "lower_is_type_two",
    r"\text{the examples whose score does not exceed the threshold become instances of type II error}",
)
def not_exceeding_is_type_two(score, threshold):
    return "no error" if score > threshold else "type II"


@errors.line(r"\text{a KMNIST image that is not classified as an anomaly}")
def kmnist_image_missed():
    return error(null_is_true=False, rejected=False)


@errors.line(
    r"\text{the examples}\dots\text{become instances of type II error}",
    "=",
    reason="For KMNIST test dataset, the null hypothesis is that the classifier correctly identifies all KMNIST images "
    "as anomalies",
    by=lambda: error(null_is_true=True, rejected=True),
    note="Were the null hypothesis that the image is an anomaly, it would be true of a KMNIST image, and to call the "
    "image a non-anomaly would reject it: an error of type I. One null hypothesis serves both data sets: the image is "
    "not an anomaly.",
)
def missed_is_type_two():
    return "type II"


@errors.correct(
    "missed_is_type_two",
    r"\text{the examples}\dots\text{become instances of type II error}"
    r"\quad(\text{the null hypothesis, that the image is not an anomaly, is false and kept})",
)
def missed_keeps_a_false_null():
    return error(null_is_true=False, rejected=False)


rates.illegible(
    "figure_1",
    r"\text{As the figure 1 depicts, the training of autoencoder was success.}",
    "The figures are not part of the text; what is said of them cannot be judged.",
)


@rates.claim(
    r"\text{the type I error is }0.009\text{, while type II error is }0.0286",
    note="Rates of 10000 images each: 90 and 286 of them. The threshold, 23.6706, is on the scale of the problem's "
    "score.",
)
def rates_are_whole_numbers_of_images(images):
    return all((sp.Rational(rate) * images).is_integer for rate in ("0.009", "0.0286"))


rates.illegible(
    "figure_2",
    r"\text{the empirical distribution of }z\text{ resembled to the target distribution, }\mathcal N(0,1)",
    "The figures are not part of the text; what is said of them cannot be judged.",
)
