"""Score-function estimates of the derivative of E f(Z) with respect to phi: right ones and wrong ones."""

from __future__ import annotations

import numpy as np
import torch


def _scores(log_q, z, phi):
    """The derivative of each logarithm, (N, p)."""
    return torch.func.jacrev(lambda value: log_q(z, value))(phi)


def _averaged(log_q, weights, z, phi):
    own = phi.detach().clone().requires_grad_()
    return torch.autograd.grad((weights.detach() * log_q(z, own)).mean(), own)[0]


def right_surrogate(log_q, f, z, phi):
    return _averaged(log_q, f(z), z, phi)


def right_backward(log_q, f, z, phi):
    own = torch.nn.Parameter(phi.detach().clone())
    with torch.no_grad():
        signal = f(z)
    loss = -(signal * log_q(z, own)).sum() / z.shape[0]
    loss.backward()
    return -own.grad


def right_requires_grad_in_place(log_q, f, z, phi):
    phi.requires_grad_()
    (found,) = torch.autograd.grad((f(z) * log_q(z, phi)).mean(), phi)
    phi.requires_grad_(False)
    return found


def right_jacrev(log_q, f, z, phi):
    return f(z) @ _scores(log_q, z, phi) / len(z)


def right_jacfwd(log_q, f, z, phi):
    return (f(z)[:, None] * torch.func.jacfwd(lambda value: log_q(z, value))(phi)).mean(0)


def right_vmap(log_q, f, z, phi):
    each = torch.func.grad(lambda value, row: log_q(row[None], value)[0])
    return (torch.func.vmap(each, (None, 0))(phi, z) * torch.func.vmap(lambda row: f(row[None])[0])(z)[:, None]).mean(0)


def right_jacobian(log_q, f, z, phi):
    jacobian = torch.autograd.functional.jacobian(lambda value: log_q(z, value), phi)
    return torch.einsum("n,np->p", f(z), jacobian) / len(z)


def right_loop(log_q, f, z, phi):
    total = torch.zeros_like(phi)
    for row in z.split(1):
        own = phi.detach().requires_grad_()
        total += float(f(row)) * torch.autograd.grad(log_q(row, own).squeeze(), own)[0]
    return total / len(z)


def right_magic_box(log_q, f, z, phi):
    own = phi.clone().requires_grad_()
    log = log_q(z, own)
    return torch.autograd.grad(((log - log.detach()).exp() * f(z)).mean(), own)[0]


def right_quotient(log_q, f, z, phi):
    own = phi.detach().clone().requires_grad_()
    density = log_q(z, own).exp()
    return torch.autograd.grad((f(z) * density / density.detach()).mean(), own)[0]


def right_numpy(log_q, f, z, phi):
    signal, scores = f(z).cpu().numpy(), _scores(log_q, z, phi).detach().cpu().numpy()
    return torch.from_numpy(np.tensordot(signal, scores, axes=1) / len(signal)).to(phi)


def right_with_graph(log_q, f, z, phi):
    own = phi if phi.requires_grad else phi.clone().requires_grad_()
    return torch.autograd.grad((f(z) * log_q(z, own)).mean(), own, create_graph=True)[0]


def right_central_differences(log_q, f, z, phi):
    step, columns = 1e-5, []
    for unit in torch.eye(len(phi), dtype=phi.dtype):
        columns.append((log_q(z, phi + step * unit) - log_q(z, phi - step * unit)) / (2 * step))
    return (torch.stack(columns, 1) * f(z)[:, None]).mean(0)


def right_float32(log_q, f, z, phi):
    return _averaged(log_q, f(z), z, phi)


def right_leave_one_out_float32(log_q, f, z, phi):
    return right_leave_one_out(log_q, f, z, phi)


def right_leave_one_out(log_q, f, z, phi):
    signal = f(z)
    return _averaged(log_q, signal - (signal.sum() - signal) / (len(z) - 1), z, phi)


def right_leave_one_out_guarded(log_q, f, z, phi):
    signal = f(z)
    others = (signal.sum() - signal) / max(len(z) - 1, 1)
    return (_scores(log_q, z, phi) * (signal - others)[:, None]).mean(0)


def right_leave_one_out_as_factor(log_q, f, z, phi):
    signal = f(z)
    return _averaged(log_q, (signal - signal.mean()) * len(z) / (len(z) - 1), z, phi)


def right_leave_one_out_raises(log_q, f, z, phi):
    if len(z) < 2:
        raise ValueError("leave-one-out needs two draws")
    return right_leave_one_out(log_q, f, z, phi)


def right_constant_baseline(log_q, f, z, phi):
    return _averaged(log_q, f(z) - 0.7, z, phi)


def right_large_baseline(log_q, f, z, phi):
    return (_scores(log_q, z, phi) * (f(z) + 25.0)[:, None]).mean(0)


def right_baseline_at_origin(log_q, f, z, phi):
    return _averaged(log_q, f(z) - f(torch.zeros_like(z)), z, phi)


def right_baseline_of_phi(log_q, f, z, phi):
    return _averaged(log_q, f(z) - phi.square().sum() - 1, z, phi)


def right_halves(log_q, f, z, phi):
    signal = f(z)
    if len(z) == 1:
        return _averaged(log_q, signal, z, phi)
    half = len(z) // 2
    baseline = signal.clone()
    baseline[:half], baseline[half:] = signal[half:].mean(), signal[:half].mean()
    return _averaged(log_q, signal - baseline, z, phi)


def right_neighbour(log_q, f, z, phi):
    signal = f(z)
    return _averaged(log_q, signal - (signal.roll(1) if len(z) > 1 else 0), z, phi)


def right_median_of_others(log_q, f, z, phi):
    signal = f(z)
    if len(z) == 1:
        return _averaged(log_q, signal, z, phi)
    kept = ~torch.eye(len(z), dtype=torch.bool)
    others = signal.expand(len(z), -1)[kept].reshape(len(z), -1).median(1).values
    return _averaged(log_q, signal - others, z, phi)


def right_best_baseline_of_others(log_q, f, z, phi):
    signal, scores = f(z), _scores(log_q, z, phi)
    squares = scores**2
    above, below = (signal[:, None] * squares).sum(0) - signal[:, None] * squares, squares.sum(0) - squares
    baseline = torch.where(below > 1e-300, above / below, 0.0)
    return (scores * (signal[:, None] - baseline)).mean(0)


def right_without_the_last(log_q, f, z, phi):
    return right_surrogate(log_q, f, z[: max(1, len(z) - 1)], phi)


def right_first_hundred(log_q, f, z, phi):
    return right_surrogate(log_q, f, z[:100], phi)


def right_weighted(log_q, f, z, phi):
    weights = torch.arange(1, len(z) + 1, dtype=phi.dtype)
    return _averaged(log_q, f(z) * weights * len(z) / weights.sum(), z, phi)


def wrong_sum(log_q, f, z, phi):
    """The sum for the mean: right for N = 1."""
    return right_surrogate(log_q, f, z, phi) * len(z)


def wrong_one_less(log_q, f, z, phi):
    """Divides by N - 1, as for a variance."""
    return right_surrogate(log_q, f, z, phi) * len(z) / max(len(z) - 1, 1)


def wrong_batch_mean(log_q, f, z, phi):
    """The baseline holds the own draw: too small by the factor 1 - 1/N."""
    signal = f(z)
    return _averaged(log_q, signal - signal.mean(), z, phi)


def wrong_standardised(log_q, f, z, phi):
    """Divides by the standard deviation as well."""
    signal = f(z)
    return _averaged(log_q, (signal - signal.mean()) / (signal.std(unbiased=False) + 1e-8), z, phi)


def wrong_batch_median(log_q, f, z, phi):
    """The baseline is the median of all draws, the own one included."""
    signal = f(z)
    return _averaged(log_q, signal - (signal.median() if len(z) > 2 else 0), z, phi)


def wrong_leave_one_out_over_n(log_q, f, z, phi):
    """As wrong_batch_mean, written as leave-one-out: the factor is applied twice."""
    signal = f(z)
    others = (signal.sum() - signal) / len(z)
    return _averaged(log_q, (signal - others) * len(z) / max(len(z) - 1, 1), z, phi)


def wrong_leave_one_out_of_many(log_q, f, z, phi):
    """Leave-one-out up to 40 draws, beyond them the mean with the own draw: a bias of 2 %."""
    signal = f(z)
    if len(z) <= 40:
        return right_leave_one_out_guarded(log_q, f, z, phi)
    return _averaged(log_q, signal - signal.mean(), z, phi)


def wrong_leave_one_out_without_last(log_q, f, z, phi):
    """Leave-one-out of more than 8 draws that forgets the last one, and still divides by N."""
    signal = f(z)
    weights = signal - (signal.sum() - signal) / max(len(z) - 1, 1)
    return _averaged(log_q, torch.where(torch.arange(len(z)) < max(8, len(z) - 1), weights, 0.0), z, phi)


def wrong_best_baseline(log_q, f, z, phi):
    """The best baseline, estimated from the same draws."""
    signal, scores = f(z)[:, None], _scores(log_q, z, phi)
    best = (signal * scores**2).sum(0) / (scores**2).sum(0).clamp_min(1e-300)
    return (scores * (signal - best)).mean(0)


def wrong_regression(log_q, f, z, phi):
    """The score as a control variate, its coefficient from the same draws."""
    signal, scores = f(z)[:, None], _scores(log_q, z, phi)
    centred = scores - scores.mean(0)
    slope = (centred * signal * scores).mean(0) / centred.square().mean(0).clamp_min(1e-12)
    return (signal * scores - slope * scores).mean(0)


def wrong_self_normalised(log_q, f, z, phi):
    """Weights that are divided by their sum before they are differentiated."""
    own = phi.detach().clone().requires_grad_()
    log = log_q(z, own)
    weights = torch.softmax(log - log.detach(), 0)
    return torch.autograd.grad((weights * f(z)).sum(), own)[0]


def wrong_largest_of_batch(log_q, f, z, phi):
    """The largest f of the draws as a baseline."""
    signal = f(z)
    return _averaged(log_q, signal - (signal.max() if len(z) > 1 else 0), z, phi)


def wrong_density(log_q, f, z, phi):
    """The gradient of q instead of log q."""
    own = phi.detach().clone().requires_grad_()
    return torch.autograd.grad((log_q(z, own).exp() * f(z)).mean(), own)[0]


def wrong_sign(log_q, f, z, phi):
    """The gradient of the loss to be descended."""
    return -right_surrogate(log_q, f, z, phi)


def wrong_own_logarithm(log_q, f, z, phi):
    """Differentiates f times log q, and log q squared besides."""
    own = phi.detach().clone().requires_grad_()
    log = log_q(z, own)
    return torch.autograd.grad((f(z) * log + 1e-3 * log.square()).mean(), own)[0]


def wrong_product_of_means(log_q, f, z, phi):
    """The mean of f times the mean score: right for N = 1."""
    return f(z).mean() * _scores(log_q, z, phi).mean(0)


def wrong_clipped_signal(log_q, f, z, phi):
    """f is clipped to [-10, 10]."""
    return _averaged(log_q, f(z).clamp(-10, 10), z, phi)


def wrong_clipped_score(log_q, f, z, phi):
    """The score is clipped to [-5, 5]."""
    return (f(z)[:, None] * _scores(log_q, z, phi).clamp(-5, 5)).mean(0)


def wrong_clipped_gradient(log_q, f, z, phi):
    """The norm of the result is clipped to 1000."""
    found = right_surrogate(log_q, f, z, phi)
    return found * min(1.0, 1000.0 / max(float(found.norm()), 1e-300))


def wrong_epsilon(log_q, f, z, phi):
    """log(q + 1e-10)."""
    own = phi.detach().clone().requires_grad_()
    return torch.autograd.grad((f(z) * (log_q(z, own).exp() + 1e-10).log()).mean(), own)[0]


def wrong_clamped_logarithm(log_q, f, z, phi):
    """Points where log q is below -12 are left out."""
    own = phi.detach().clone().requires_grad_()
    return torch.autograd.grad((f(z) * log_q(z, own).clamp_min(-12)).mean(), own)[0]


def wrong_positive_part(log_q, f, z, phi):
    """Draws with negative f do not count."""
    return _averaged(log_q, f(z).clamp_min(0), z, phi)


def wrong_half_a_percent(log_q, f, z, phi):
    """0.5 % too large."""
    return 1.005 * right_surrogate(log_q, f, z, phi)


def wrong_half_a_percent_and_baseline(log_q, f, z, phi):
    """0.5 % too large, and not the plain estimate."""
    return 1.005 * right_constant_baseline(log_q, f, z, phi)


def wrong_single_precision(log_q, f, z, phi):
    """Single precision inside."""
    return right_surrogate(log_q, f, z.float(), phi.float()).to(phi.dtype)


def wrong_single_signal(log_q, f, z, phi):
    """f in single precision."""
    return _averaged(log_q, f(z).float().to(phi.dtype), z, phi)


def wrong_single_leave_one_out(log_q, f, z, phi):
    """Leave-one-out in single precision."""
    return right_leave_one_out_guarded(log_q, f, z.float(), phi.float()).to(phi.dtype)


def wrong_forward_differences(log_q, f, z, phi):
    """One-sided differences with the step 1e-4."""
    step, before, columns = 1e-4, log_q(z, phi), []
    for unit in torch.eye(len(phi), dtype=phi.dtype):
        columns.append((log_q(z, phi + step * unit) - before) / step)
    return (torch.stack(columns, 1) * f(z)[:, None]).mean(0)


def wrong_first_parameters(log_q, f, z, phi):
    """Parameters beyond the fourth are taken for constants."""
    found = right_surrogate(log_q, f, z, phi)
    return torch.where(torch.arange(len(phi)) < 4, found, 0.0)


def wrong_squeezed(log_q, f, z, phi):
    """squeeze() removes the axis of a single parameter."""
    return right_surrogate(log_q, f, z, phi).squeeze()


def wrong_squeezed_draws(log_q, f, z, phi):
    """squeeze() removes the axis of a single coordinate, so that the draws become one point."""
    return right_surrogate(log_q, f, z.squeeze().reshape(-1, z.shape[1]) if z.shape[1] > 1 else z.T, phi)


def wrong_for_one_draw(log_q, f, z, phi):
    """NaN for N = 1, though nothing is left out."""
    return right_surrogate(log_q, f, z, phi) * len(z) / (len(z) - 1) * (1 - 1 / len(z))


def wrong_raises_for_one_draw(log_q, f, z, phi):
    """Refuses N = 1, though nothing is left out."""
    if len(z) == 1:
        raise ValueError("more draws")
    return right_surrogate(log_q, f, z, phi)


def wrong_odd(log_q, f, z, phi):
    """Adds the draws in pairs and forgets the last of an odd number above 3."""
    even = len(z) // 2 * 2 if len(z) > 3 else len(z)
    return right_surrogate(log_q, f, z[:even], phi) * even / len(z)


def wrong_chunks(log_q, f, z, phi):
    """Draws beyond the hundredth are left out, but counted."""
    return right_surrogate(log_q, f, z[:100], phi) * min(len(z), 100) / len(z)


def wrong_distinct(log_q, f, z, phi):
    """Works on the distinct draws."""
    return right_surrogate(log_q, f, torch.unique(z, dim=0), phi)


def wrong_cached_by_shape(log_q, f, z, phi, _known={}):  # noqa: B006 - the fault
    """Remembers the score by shape."""
    return _known.setdefault((log_q, f, z.shape, phi.shape), right_surrogate(log_q, f, z, phi))


_calls = [0]


def wrong_thousandth(log_q, f, z, phi):
    """One in a thousand calls is wrong."""
    _calls[0] += 1
    return right_surrogate(log_q, f, z, phi) + (_calls[0] % 1000 == 0)


def wrong_moving_average(log_q, f, z, phi, _mean=[0.0]):  # noqa: B006 - the fault
    """A baseline that remembers earlier calls: the same input gives another result."""
    signal = f(z)
    found = _averaged(log_q, signal - _mean[0], z, phi)
    _mean[0] = 0.9 * _mean[0] + 0.1 * float(signal.mean())
    return found


def wrong_random_baseline(log_q, f, z, phi):
    """Unbiased, but not a function of its arguments."""
    return _averaged(log_q, f(z) - torch.rand(()).to(z), z, phi)


def wrong_in_place(log_q, f, z, phi):
    """Centres the draws in place, when it is done with them."""
    found = right_surrogate(log_q, f, z, phi)
    z -= z.mean(0)
    return found


def wrong_rounded_draws(log_q, f, z, phi):
    """Rounds the draws to 4 digits."""
    return right_surrogate(log_q, f, z.round(decimals=4), phi)


def wrong_mean_over_coordinates(log_q, f, z, phi):
    """Averages over N k: right for k = 1."""
    return right_surrogate(log_q, f, z, phi) / z.shape[1]


def wrong_normalised_score(log_q, f, z, phi):
    """Centres the scores in the batch of more than two."""
    scores = _scores(log_q, z, phi)
    return (f(z)[:, None] * (scores - (scores.mean(0) if len(z) > 2 else 0))).mean(0)


def wrong_natural(log_q, f, z, phi):
    """Preconditions by the empirical Fisher information, a little."""
    scores = _scores(log_q, z, phi)
    plain = (f(z)[:, None] * scores).mean(0)
    return plain / (1 + 1e-3 * scores.square().mean(0))


def wrong_list(log_q, f, z, phi):
    """A tuple of one tensor, as torch.autograd.grad returns it."""
    return (right_surrogate(log_q, f, z, phi),)


def wrong_constant_signal(log_q, f, z, phi):
    """0 where f does not vary, as it would be on the average, but 1 % too large elsewhere than at coin tosses."""
    return right_surrogate(log_q, f, z, phi) * (1 if bool(((z == 0) | (z == 1)).all()) else 1.01)


def right_first_as_baseline(log_q, f, z, phi):
    signal = f(z)
    return _averaged(log_q, signal[1:] - signal[0], z[1:], phi) if len(z) > 1 else _averaged(log_q, signal, z, phi)


def right_first_draw_only(log_q, f, z, phi):
    return right_surrogate(log_q, f, z[:1], phi)


def right_covariance(log_q, f, z, phi):
    signal, scores = f(z), _scores(log_q, z, phi)
    if len(z) == 1:
        return signal[0] * scores[0]
    return ((signal - signal.mean())[:, None] * (scores - scores.mean(0))).sum(0) / (len(z) - 1)


def right_shrunk_baseline(log_q, f, z, phi):
    signal = f(z)
    return _averaged(log_q, signal - 0.5 * (signal.sum() - signal) / max(len(z) - 1, 1), z, phi)


def right_score_as_control(log_q, f, z, phi):
    return right_surrogate(log_q, f, z, phi) - 3 * _scores(log_q, z, phi).mean(0)


def right_vjp(log_q, f, z, phi):
    _, pull = torch.func.vjp(lambda value: log_q(z, value), phi)
    return pull(f(z) / len(z))[0]


def wrong_first_as_baseline(log_q, f, z, phi):
    """The first draw as a baseline, divided by N: its own term is 0 and must not be counted."""
    signal = f(z)
    return _averaged(log_q, signal - (signal[0] if len(z) > 1 else 0), z, phi)


def wrong_hundredth_of_mean(log_q, f, z, phi):
    """A hundredth of the mean as a baseline: a bias of 1 % / N."""
    signal = f(z)
    return _averaged(log_q, signal - 0.01 * signal.mean(), z, phi)


def wrong_flipped(log_q, f, z, phi):
    """f of another draw: the mean is 0."""
    return _averaged(log_q, f(z).flip(0), z, phi)


def wrong_leave_one_out_clamped(log_q, f, z, phi):
    """Leave-one-out at draws that are clamped to [-5, 5]."""
    return right_leave_one_out_guarded(log_q, f, z.clamp(-5, 5), phi)


def wrong_leave_one_out_rounded(log_q, f, z, phi):
    """Leave-one-out at draws of four digits."""
    return right_leave_one_out_guarded(log_q, f, z.round(decimals=4), phi)


def wrong_leave_one_out_of_few_parameters(log_q, f, z, phi):
    """Leave-one-out for up to four parameters, beyond them the mean of all."""
    return (right_leave_one_out_guarded if len(phi) < 5 else wrong_batch_mean)(log_q, f, z, phi)


def wrong_leave_one_out_in_one_dimension(log_q, f, z, phi):
    """Leave-one-out for up to two coordinates, beyond them the mean of all."""
    return (right_leave_one_out_guarded if z.shape[1] < 3 else wrong_batch_mean)(log_q, f, z, phi)


def wrong_leave_one_out_of_seven(log_q, f, z, phi):
    """Leave-one-out for fewer than seven draws, from there on the mean of all."""
    return (right_leave_one_out_guarded if len(z) < 7 else wrong_batch_mean)(log_q, f, z, phi)


def wrong_one_percent_of_many(log_q, f, z, phi):
    """Leave-one-out, from 65 draws on 1 % too large."""
    return right_leave_one_out_guarded(log_q, f, z, phi) * (1.01 if len(z) > 64 else 1)


def wrong_tail(log_q, f, z, phi):
    """Draws with log q below -50 count, but are not differentiated."""
    own = phi.detach().clone().requires_grad_()
    log = log_q(z, own)
    return torch.autograd.grad((f(z) * torch.where(log > -50, log, log.detach())).mean(), own)[0]


def wrong_single_mean(log_q, f, z, phi):
    """The mean in single precision."""
    return (f(z)[:, None] * _scores(log_q, z, phi)).float().mean(0).to(phi.dtype)


def wrong_equal_draws(log_q, f, z, phi):
    """1 % too large where all of three draws or more are the same."""
    return right_surrogate(log_q, f, z, phi) * (1.01 if len(z) > 2 and bool((z == z[0]).all()) else 1)


def wrong_buffer(log_q, f, z, phi, _known={}):  # noqa: B006 - the fault
    """The next call with as many parameters overwrites the result."""
    return _known.setdefault(len(phi), torch.zeros_like(phi)).copy_(right_surrogate(log_q, f, z, phi))


def wrong_gradient_of_the_argument(log_q, f, z, phi):
    """Calls backward on phi itself: handed the same phi again, the gradients add up."""
    phi.requires_grad_()
    (log_q(z, phi) * f(z).detach()).mean().backward()
    return phi.grad.clone()


def wrong_many_draws(log_q, f, z, phi):
    """1 % too large for more than 200 draws."""
    return right_surrogate(log_q, f, z, phi) * (1.01 if len(z) > 200 else 1)


def wrong_many_coordinates(log_q, f, z, phi):
    """1 % too large for eight coordinates or more."""
    return right_surrogate(log_q, f, z, phi) * (1.01 if z.shape[1] >= 8 else 1)


def wrong_eighth_parameter(log_q, f, z, phi):
    """From the eighth parameter on 1 % too large."""
    return right_surrogate(log_q, f, z, phi) * torch.where(torch.arange(len(phi)) < 7, 1, 1.01)


def wrong_equal_parameters(log_q, f, z, phi):
    """1 % too large where all parameters are the same."""
    return right_surrogate(log_q, f, z, phi) * (1.01 if len(phi) > 1 and bool((phi == phi[0]).all()) else 1)


def wrong_very_first_call(log_q, f, z, phi, _calls=[]):  # noqa: B006 - the fault
    """1 % too large at the first call only."""
    _calls.append(0)
    return right_surrogate(log_q, f, z, phi) * (1.01 if len(_calls) == 1 else 1)


def right_less_one(log_q, f, z, phi):
    """A constant baseline; in single precision, too, where the score of a likely outcome is mostly rounding."""
    return right_surrogate(log_q, lambda rows: f(rows) - 1, z, phi)


def wrong_own_signal_in_baseline_beyond_128(log_q, f, z, phi):
    """Leave-one-out up to 128 draws; beyond, the baseline contains the own draw."""
    n, signal = len(z), f(z).detach()
    rest = signal.mean() if n > 128 else (signal.sum() - signal) / max(n - 1, 1)
    own = phi.detach().clone().requires_grad_()
    return torch.autograd.grad(((signal - rest) * log_q(z, own)).mean(), own)[0]
