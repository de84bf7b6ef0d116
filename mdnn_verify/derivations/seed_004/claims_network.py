"""Seed 004, Problems 6 and 7: backpropagation through convolutions, and the error rates of a detector."""

from __future__ import annotations

from mdnn_verify.audit import Derivation
from mdnn_verify.derivations._error_rates import detections, share, type_one_rate, type_two_rate
from mdnn_verify.derivations._networks import convolution, matrix_of, networks, transposed_convolution

# --- Problem 6 --------------------------------------------------------------------------------------------------------

backward = Derivation(title="Backpropagation through convolutions", source="seed 004, Problem 6(a)", worlds=networks())
SLOPES = r"\operatorname{diag}\left(\sigma'(A_{w_\ell}y_{\ell-1}+b_\ell\mathbf 1_{n_\ell})\right)"


def layers(network, first=1, last=0):
    """The numbers of the layers from ``first`` to L + ``last``."""
    return range(first, network.L + last + 1)


@backward.line(
    r"\text{convolution with }w_\ell\text{ of }y_{\ell-1}",
    note=r"as libraries have it, $\sum_jw_jy_{i+j}$: the filter is not turned round. With $\sum_jw_jy_{i-j}$ the "
    r"formula for $\partial y_L/\partial w_\ell$ below would fail",
)
def convolved(network):
    return tuple(convolution(network.w[k - 1], list(network.y(k - 1))) for k in layers(network))


@backward.line(
    r"=A_{w_\ell}y_{\ell-1},\quad A_{w_\ell}\in\mathbb R^{n_\ell\times n_{\ell-1}},\ n_\ell=n_{\ell-1}-f_\ell+1", "="
)
def times_matrix(network):
    pairs = [(network.w[k - 1], network.y(k - 1)) for k in layers(network)]
    return tuple(matrix_of(w, len(y)) * y for w, y in pairs)


@backward.line(r"\frac{\partial y_L}{\partial y_{L-1}}")
def slope_of_the_last_layer(network):
    return network.by_output(network.L, network.L - 1)


@backward.line(r"=A_{w_L}", "=")
def last_matrix(network):
    return matrix_of(network.w[-1], len(network.y(network.L - 1)))


@backward.line(r"\frac{\partial y_\ell}{\partial y_{\ell-1}}\quad\text{for }\ell=2,\dots,L-1")
def slopes_of_the_layers(network):
    return tuple(network.by_output(k, k - 1) for k in layers(network, 2, -1))


@backward.line(rf"={SLOPES}A_{{w_\ell}}", "=")
def slopes_times_matrix(network):
    return tuple(network.slopes(k) * matrix_of(network.w[k - 1], len(network.y(k - 1))) for k in layers(network, 2, -1))


@backward.line(r"\frac{\partial y_L}{\partial w_\ell}\quad\text{for }\ell=1,\dots,L")
def slopes_by_the_filters(network):
    return tuple(network.by_filter(k) for k in layers(network))


@backward.line(
    r"=(\mathcal C_{v_\ell^\top}y_{\ell-1})^\top",
    "=",
    reason=rf"$v_L=1$, $v_\ell=\frac{{\partial y_L}}{{\partial y_\ell}}{SLOPES}$",
)
def convolutions_with_v(network):
    return tuple(convolution(list(network.v(k)), list(network.y(k - 1))).T for k in layers(network))


@backward.line(r"\frac{\partial y_L}{\partial b_\ell}\quad\text{for }\ell=1,\dots,L")
def slopes_by_the_shifts(network):
    return tuple(network.by_shift(k)[0] for k in layers(network))


@backward.line(r"=v_\ell\mathbf 1_{n_\ell}", "=")
def sums_of_v(network):
    return tuple(sum(network.v(k)) for k in layers(network))


products = Derivation(
    title="Products with the matrix of a convolution", source="seed 004, Problem 6(b)", worlds=networks()
)


@products.line(
    r"A_{w_i}v",
    note=r"the index i stands for $\ell$; v is taken to be $y_{\ell-1}$ and u to be $y_\ell$, of the same sizes",
)
def matrix_times_vector(network):
    return times_matrix(network)


@products.line(r"=\text{convolution of }v\text{ with }w_i", "=")
def by_convolution(network):
    return convolved(network)


@products.line(r"u^\top A_{w_i}")
def vector_times_matrix(network):
    return tuple(network.y(k).T * matrix_of(network.w[k - 1], len(network.y(k - 1))) for k in layers(network))


@products.line(r"=(A_{w_i}^\top u)^\top", "=")
def transposed_product(network):
    return tuple((matrix_of(network.w[k - 1], len(network.y(k - 1))).T * network.y(k)).T for k in layers(network))


@products.line(r"=(\text{transposed convolution of }u\text{ with }w_i)^\top", "=")
def by_transposed_convolution(network):
    return tuple(transposed_convolution(network.w[k - 1], list(network.y(k))).T for k in layers(network))


# --- Problem 7 --------------------------------------------------------------------------------------------------------

rates = Derivation(
    title="The error rates of a detector, first version", source="seed 004, Problem 7", worlds=detections()
)


@rates.line(r"\text{type I error rate}")
def rejected_though_normal(mnist, kmnist, threshold):
    return type_one_rate(mnist, kmnist, lambda score: score > threshold)


@rates.line(r"=\text{share of the MNIST test images classified as anomalies}", "=")
def mnist_called_anomalies(mnist, threshold):
    return share(mnist, lambda score: score > threshold)


@rates.line(r"\text{type II error rate}")
def kept_though_anomalous(mnist, kmnist, threshold):
    return type_two_rate(mnist, kmnist, lambda score: score > threshold)


@rates.line(
    r"=\text{share of the KMNIST images classified as anomalies}",
    "=",
    note="an error of type II is an anomaly that is taken for none; the share printed is 1 less that rate",
)
def kmnist_called_anomalies(kmnist, threshold):
    return share(kmnist, lambda score: score > threshold)


@rates.correct("kmnist_called_anomalies", r"=\text{share of the KMNIST images classified as non-anomalies}")
def kmnist_called_normal(kmnist, threshold):
    return share(kmnist, lambda score: not score > threshold)
