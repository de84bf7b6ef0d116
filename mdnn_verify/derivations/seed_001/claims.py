"""Seed 001: what the notebooks of Problems 1 and 2 say in comments, names and sizes, held against their code.

The flow itself, and sampling from it, are in ``claims_flow``.
"""

from __future__ import annotations

from itertools import pairwise

import sympy as sp

from mdnn_verify.audit import REALS, Derivation, World, over
from mdnn_verify.derivations._detector import detector_worlds, mean, mean_square, squared_norm, threshold

SOURCE_1, SOURCE_2 = "seed 001, Problem 1 (code)", "seed 001, Problem 2 (code)"

sizes = Derivation(
    title="Sizes, batches and rates of the anomaly detector",
    source=SOURCE_1,
    worlds=[World({"total": 60000, "train": 50000, "validation": 10000, "test": 10000, "batch_size": 100})],
)
pixels = Derivation(title="The range of the decoder", source=SOURCE_1, worlds=over(v=REALS))
detector = Derivation(
    title="Loss, score and threshold of the anomaly detector", source=SOURCE_1, worlds=detector_worlds()
)
mixture = Derivation(
    title="The sizes of the mixture's parts", source=SOURCE_2, worlds=over(num=[*range(61), 1000, 5000])
)
losses = Derivation(
    title="Sums and means of the loss",
    source=SOURCE_2,
    worlds=[
        World({"log_likelihoods": tuple(map(sp.Rational, values)), "batch_size": size})
        for values, size in (
            ((1,), 1),
            ((0, 1), 1),
            ((0, 1), 2),
            ((0, 0, 1), 2),
            ((1, -2, 3, 0), 2),
            ((1, 2, 3, 4, 5, 6), 4),
        )
    ],
)

sizes.illegible("step_1", r"\texttt{Step 1: 111}", "Quotation marks that open and close a text were read as digits.")
sizes.illegible("split", r"\texttt{random\_split(dataset, [50000, 100001)}", "The closing bracket was read as a digit.")
sizes.illegible(
    "step_7",
    r"\texttt{print(}\dots\texttt{)},\ \texttt{type\_II\_error += 1}",
    "The last lines of step 7 stand in another order, in part below Problem 2.",
)


@sizes.claim(r"\texttt{\# print(len(train\_dataset)) \# 50000},\ \dots\texttt{validation\_dataset}\dots\texttt{10000}")
def split_is_complete(total, train, validation):
    return train + validation == total


@sizes.claim(r"\texttt{Processing batch \#499}", note="The last batch of an epoch, counted from 0.")
def last_batch(train, batch_size):
    return train % batch_size == 0 and train // batch_size - 1 == 499


@sizes.claim(
    r"\texttt{.view(batch\_size, -1)}", note="All batches must be full; with 10000 images and batches of 100 they are."
)
def every_batch_is_full(validation, test, batch_size):
    return validation % batch_size == 0 and test % batch_size == 0


@sizes.claim(
    r"\texttt{type\_I\_error / (len(test\_loader) * batch\_size)}", note="The divisor is the number of images."
)
def divisor_is_the_number_of_images(test, batch_size):
    return -(-test // batch_size) * batch_size == test


@sizes.claim(
    r"\texttt{nn.Linear(784, 256)},\ \dots,\ \texttt{x.view(x.size(0), 1, 28, 28)}", note="Each layer fits the next."
)
def layers_fit():
    layers = [(784, 256), (256, 128), (128, 32), (32, 128), (128, 256), (256, 784)]
    fit = all(one[1] == two[0] for one, two in pairwise(layers))
    return fit and layers[0][0] == layers[-1][1] == 28 * 28


@sizes.claim(
    r"\texttt{type 1 error rate : 1.04 \%},\quad\texttt{type 2 error rate : 2.94999999999999 \%}",
    note="104 and 295 of 10000 images; the second is rounded as a floating-point number is, less its last digits.",
)
def rates_are_whole_numbers_of_images(test):
    rates = sp.Rational("1.04"), sp.Rational("2.94999999999999")
    counts = [round(rate / 100 * test) for rate in rates]
    return all(
        abs(rate - sp.Rational(100 * k, test)) < sp.Rational(1, 10**13) for rate, k in zip(rates, counts, strict=True)
    )


@pixels.claim(r"\texttt{torch.sigmoid(}\dots\texttt{) \# to make output's pixels are 0\textasciitilde 1}")
def pixels_lie_between_0_and_1(v):
    sigmoid = 1 / (1 + sp.exp(-v))
    return sp.And(sp.Gt(sigmoid, 0), sp.Lt(sigmoid, 1))


@detector.line(r"\ell(\theta,\varphi)\le\ell(\theta',\varphi'),\qquad\ell=\sum_i\|X_i-D_\varphi(E_\theta(X_i))\|^2")
def smaller_loss(images, rebuilt, otherwise):
    one, two = (sum(map(squared_norm, images, made)) for made in (rebuilt, otherwise))
    return one <= two


@detector.line(
    r"\texttt{loss\_function = nn.MSELoss()}",
    "iff",
    note="The mean over images and pixels: the problem's loss over 784 times the number of images of a batch. All "
    "batches are full, so it prefers the same parameters.",
)
def smaller_mean_square(images, rebuilt, otherwise):
    one, two = (mean(tuple(map(mean_square, images, made))) for made in (rebuilt, otherwise))
    return one <= two


@detector.line(
    r"s(X)>\operatorname{mean}\{s(Y_i)\}+3\operatorname{std}\{s(Y_i)\},\qquad s(X)=\|X-D_\varphi(E_\theta(X))\|^2"
)
def anomaly_by_the_sum(images, rebuilt, X, rebuilt_X):
    return sp.Gt(squared_norm(X, rebuilt_X), threshold(tuple(map(squared_norm, images, rebuilt))))


@detector.line(
    r"\texttt{torch.mean(error) > threshold}",
    "iff",
    note="The score is the mean over the 784 pixels, not the sum; the threshold scales with it (0.0329 stands for "
    "25.8), so the decisions and the rates are the same. `torch.std` divides by $M-1$; the problem does not say by "
    "what.",
)
def anomaly_by_the_mean(images, rebuilt, X, rebuilt_X):
    return sp.Gt(mean_square(X, rebuilt_X), threshold(tuple(map(mean_square, images, rebuilt))))


@detector.line(r"\text{not classified as an anomaly}")
def not_an_anomaly(images, rebuilt, X, rebuilt_X):
    return sp.Not(sp.Gt(squared_norm(X, rebuilt_X), threshold(tuple(map(squared_norm, images, rebuilt)))))


@detector.line(r"\texttt{torch.mean(error) <= threshold}", "iff", note="Ties count as non-anomalies, as they should.")
def at_most_the_threshold(images, rebuilt, X, rebuilt_X):
    return sp.Le(mean_square(X, rebuilt_X), threshold(tuple(map(mean_square, images, rebuilt))))


@mixture.line(r"\texttt{num}", note="`mixture_of_gaussians(num)` is called with the number of data that is wanted.")
def number_wanted(num):
    return sp.Integer(num)


@mixture.line(
    r"=n+n+(\texttt{num}-n)\quad\text{with }\texttt{n = num // 3},\ \texttt{size=(n,), (n,), (num-n,)}",
    "=",
    note="The last part gets `num-n` data instead of `num-2*n`: 6666 for 5000 and 1333 for 1000, of which one half, "
    "not a third, belong to the third component. (`mu_var` holds means and standard deviations.)",
)
def number_made(num):
    n = num // 3
    return sp.Integer(n + n + (num - n))


@mixture.correct("number_made", r"=n+n+(\texttt{num}-2n)")
def number_made_with_2n(num):
    n = num // 3
    return sp.Integer(n + n + (num - 2 * n))


@losses.line(r"\texttt{-log\_likelihood.mean()}")
def minus_the_mean(log_likelihoods):
    return -mean(log_likelihoods)


@losses.line(
    r"=-\sum_{i=1}^N\log p(X_i)\qquad\texttt{\#flip sign, and sum of data X\_1,...X\_N}",
    "=",
    note="The code takes the mean over the batch, not the sum; the minimisers of the two are the same.",
)
def minus_the_sum(log_likelihoods):
    return -sum(log_likelihoods)


@losses.correct(
    "minus_the_sum", r"=-\tfrac1N\sum_{i=1}^N\log p(X_i)\qquad\texttt{\#flip sign, and mean over data X\_1,...X\_N}"
)
def minus_the_sum_over_N(log_likelihoods):
    return -sum(log_likelihoods) / len(log_likelihoods)


@losses.line(r"-\tfrac1N\sum_{i=1}^N\log p(X_i)\qquad\texttt{mean\_loss},\ \texttt{label='test\_loss'}")
def mean_over_the_data(log_likelihoods):
    return -mean(log_likelihoods)


@losses.line(
    r"=\texttt{mean\_loss/(i+1)}\quad\text{with }\texttt{mean\_loss += loss.item()}",
    "=",
    needs=(
        "the batch size divides the number of data",
        lambda log_likelihoods, batch_size: len(log_likelihoods) % batch_size == 0,
    ),
    note=r"A mean of the batches' means weighs the data of a smaller last batch more. The batches of 128 do not come "
    r"out even: $5000=39\cdot128+8$ (and $6666=52\cdot128+10$ for the data that are made).",
)
def mean_of_the_batches(log_likelihoods, batch_size):
    return -mean([mean(batch) for batch in batches(log_likelihoods, batch_size)])


@losses.correct(
    "mean_of_the_batches",
    r"=\texttt{mean\_loss/len(data)}\quad\text{with }\texttt{mean\_loss += loss.item() * len(x)}",
)
def weighted_mean_of_the_batches(log_likelihoods, batch_size):
    return -sum(mean(batch) * len(batch) for batch in batches(log_likelihoods, batch_size)) / len(log_likelihoods)


def batches(values, size):
    """Consecutive batches; the last may be smaller."""
    return [values[start : start + size] for start in range(0, len(values), size)]
