"""What torch has of the theorems. Translated: the order and the names of arguments; each function says what else."""

import math

import torch
from torch.distributions import Categorical, MultivariateNormal, kl_divergence
from torch.nn import functional


def gaussian_kl(mu0, cov0, mu1, cov1):
    return kl_divergence(MultivariateNormal(mu0, cov0), MultivariateNormal(mu1, cov1))


def categorical_kl(p, q):
    """A table is flattened."""
    return kl_divergence(Categorical(probs=p.reshape(-1)), Categorical(probs=q.reshape(-1)))


def categorical_kl_of_logits(p, q):
    """The distributions given by the logarithms of p and q."""
    left, right = (Categorical(logits=table.reshape(-1).log()) for table in (p, q))
    return kl_divergence(left, right)


def kl_div(p, q):
    """kl_div takes log q first, then p."""
    return functional.kl_div(q.log(), p, reduction="sum")


def kl_div_log_target(p, q):
    return functional.kl_div(q.log(), p.log(), reduction="sum", log_target=True)


def logsumexp(x, beta):
    return torch.logsumexp(beta * x, dim=0) / beta


def softmax(x):
    return torch.softmax(x, dim=0)


def gradient_of_logsumexp(x):
    inside = x.detach().clone().requires_grad_()
    return torch.autograd.grad(torch.logsumexp(inside, dim=0), inside)[0]


def log_mean_exp(log_w):
    return torch.logsumexp(log_w, dim=-1) - math.log(log_w.shape[-1])


def upsample(X, r):
    return torch.nn.Upsample(scale_factor=r, mode="nearest")(X)


def upsample_exact(X, r):
    return torch.nn.Upsample(scale_factor=r, mode="nearest-exact")(X)


def upsample_size(X, r):
    return torch.nn.Upsample(size=(r * X.shape[2], r * X.shape[3]), mode="nearest")(X)


def upsample_recomputed(X, r):
    return functional.interpolate(X, scale_factor=r, mode="nearest", recompute_scale_factor=True)


def average_pool_transposed(Y):
    """AvgPool2d transposed by autograd; the image has a batch and a channel of one."""
    X = Y.new_zeros((1, 1, 2 * Y.shape[0], 2 * Y.shape[1]), requires_grad=True)
    pooled = torch.nn.AvgPool2d(2)(X)
    return torch.autograd.grad(pooled, X, Y[None, None], create_graph=True)[0][0, 0]


def conv_gradients(x, weights, biases, sigma, dsigma):
    """conv1d and autograd, which differentiates sigma by itself: dsigma is not used."""
    weights = [w.detach().clone().requires_grad_() for w in weights]
    biases = [torch.tensor(b, dtype=x.dtype, requires_grad=True) for b in biases]
    y = x[None, None]
    for layer, (w, b) in enumerate(zip(weights, biases, strict=True)):
        y = functional.conv1d(y, w[None, None], b[None])
        y = sigma(y) if layer + 1 < len(weights) else y
    found = torch.autograd.grad(y.sum(), weights + biases)
    return list(found[: len(weights)]), list(found[len(weights) :])
