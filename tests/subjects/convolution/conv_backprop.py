"""Implementations of backpropagation through 1-D convolutions: right ones in different styles, and wrong ones."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional


def correlate(y, w):
    return functional.conv1d(y.reshape(1, 1, -1), w.reshape(1, 1, -1)).reshape(-1)


def pull(v, w):
    return functional.conv_transpose1d(v.reshape(1, 1, -1), w.reshape(1, 1, -1)).reshape(-1)


def outward(v, w, a, slope):
    return pull(v, w) * slope(a)


def tracked(weights, biases):
    ws = [w.detach().clone().requires_grad_() for w in weights]
    return ws, [w.new_tensor(b).requires_grad_() for w, b in zip(ws, biases, strict=True)]


def forward(x, ws, bs, sigma):
    for w, b in zip(ws[:-1], bs[:-1], strict=True):
        x = sigma(correlate(x, w) + b)
    return (correlate(x, ws[-1]) + bs[-1]).reshape(())


def backprop(x, weights, biases, sigma, dsigma, *, conv=correlate, back=outward, bias=torch.sum, filt=correlate):
    """By hand; the parts can be replaced: forward and filter products, the step back, the bias gradient."""
    inputs, arguments = [x], []
    for w, b in zip(weights, biases, strict=True):
        arguments.append(conv(inputs[-1], w) + b)
        inputs.append(sigma(arguments[-1]))
    v, dw, db = torch.ones(1, dtype=x.dtype, device=x.device), [], []
    for layer in reversed(range(len(weights))):
        if layer + 1 < len(weights):
            v = back(v, weights[layer + 1], arguments[layer], dsigma)
        dw.insert(0, filt(inputs[layer], v))
        db.insert(0, bias(v))
    return dw, db


def right_by_hand(x, weights, biases, sigma, dsigma):
    return backprop(x, weights, biases, sigma, dsigma)


def right_tuples_and_floats(x, weights, biases, sigma, dsigma):
    with torch.no_grad():
        dw, db = backprop(x, weights, biases, sigma, dsigma)
    return tuple(dw), tuple(float(b) for b in db)


def right_autograd(x, weights, biases, sigma, dsigma):
    """dsigma is not used."""
    ws, bs = tracked(weights, biases)
    grads = torch.autograd.grad(forward(x, ws, bs, sigma), [*ws, *bs])
    return list(grads[: len(ws)]), list(grads[len(ws) :])


def right_backward(x, weights, biases, sigma, dsigma):
    ws, bs = tracked(weights, biases)
    forward(x, ws, bs, sigma).backward()
    return [w.grad for w in ws], [b.grad.item() for b in bs]


def right_requires_grad_in_place(x, weights, biases, sigma, dsigma):
    """Sets a flag of its arguments, not their values."""
    weights = [w.requires_grad_() for w in weights]
    bs = [torch.tensor(b, dtype=x.dtype, device=x.device, requires_grad=True) for b in biases]
    grads = torch.autograd.grad(forward(x.detach(), weights, bs, sigma), [*weights, *bs])
    return grads[: len(bs)], grads[len(bs) :]


def right_func(x, weights, biases, sigma, dsigma):
    bs = [x.new_tensor(b) for b in biases]
    return torch.func.grad(lambda w, b: forward(x, w, b, sigma), argnums=(0, 1))(weights, bs)


def right_modules(x, weights, biases, sigma, dsigma):
    layers = []
    for w, b in zip(weights, biases, strict=True):
        layer = torch.nn.Conv1d(1, 1, len(w), dtype=x.dtype, device=x.device)
        layer.weight.data, layer.bias.data = w[None, None].clone(), w.new_tensor([b])
        layers.append(layer)
    y = x[None, None]
    for layer in layers[:-1]:
        y = sigma(layer(y))
    layers[-1](y).sum().backward()
    return [layer.weight.grad[0, 0] for layer in layers], [layer.bias.grad[0] for layer in layers]


def right_numpy(x, weights, biases, sigma, dsigma):
    ys, slopes = [x.detach().cpu().numpy()], []
    ws = [w.detach().cpu().numpy() for w in weights]
    for w, b in zip(ws, biases, strict=True):
        a = torch.from_numpy(np.correlate(ys[-1], w, "valid") + ys[0].dtype.type(b))
        ys.append(sigma(a).numpy())
        slopes.append(dsigma(a).numpy())
    v, dw, db = np.ones(1, ys[0].dtype), [], []
    for layer in range(len(ws) - 1, -1, -1):
        if layer < len(ws) - 1:
            v = np.convolve(v, ws[layer + 1]) * slopes[layer]
        dw.append(torch.from_numpy(np.correlate(ys[layer], v, "valid")).to(x))
        db.append(v.sum().item())
    return dw[::-1], db[::-1]


def right_loops(x, weights, biases, sigma, dsigma):
    """Plain Python; sigma is asked entry by entry."""
    last, ys, slopes = len(weights) - 1, [x.tolist()], []
    ws = [w.tolist() for w in weights]
    for layer, (w, b) in enumerate(zip(ws, biases, strict=True)):
        y = ys[-1]
        a = [sum(w[k] * y[i + k] for k in range(len(w))) + b for i in range(len(y) - len(w) + 1)]
        if layer < last:
            ys.append([float(sigma(x.new_tensor(entry))) for entry in a])
            slopes.append([float(dsigma(x.new_tensor(entry))) for entry in a])
    v, dw, db = [1.0], [], []
    for layer in range(last, -1, -1):
        if layer < last:
            w = ws[layer + 1]
            back = [0.0] * (len(v) + len(w) - 1)
            for i, entry in enumerate(v):
                for k, weight in enumerate(w):
                    back[i + k] += entry * weight
            v = [entry * slope for entry, slope in zip(back, slopes[layer], strict=True)]
        y, f = ys[layer], len(ws[layer])
        dw.insert(0, x.new_tensor([sum(v[i] * y[i + k] for i in range(len(v))) for k in range(f)]))
        db.insert(0, sum(v))
    return dw, db


def right_toeplitz(x, weights, biases, sigma, dsigma):
    """With the matrices that the theorem avoids, and full Jacobians."""
    ys, arguments, matrices = [x], [], []
    for w, b in zip(weights, biases, strict=True):
        rows = len(ys[-1]) - len(w) + 1
        A = torch.zeros(rows, len(ys[-1]), dtype=x.dtype, device=x.device)
        for i in range(rows):
            A[i, i : i + len(w)] = w
        matrices.append(A)
        arguments.append(A @ ys[-1] + b)
        ys.append(sigma(arguments[-1]))
    v, dw, db = torch.ones(1, 1, dtype=x.dtype, device=x.device), [], []
    for layer in range(len(weights) - 1, -1, -1):
        windows = ys[layer].unfold(0, len(weights[layer]), 1)
        dw.append((v @ windows)[0])
        db.append((v @ torch.ones_like(v[0])).reshape(()))
        if layer:
            v = v @ matrices[layer] @ torch.diag(dsigma(arguments[layer - 1]))
    return dw[::-1], db[::-1]


def right_fourier(x, weights, biases, sigma, dsigma):
    def convolve(left, right):
        n = len(left) + len(right) - 1
        return torch.fft.irfft(torch.fft.rfft(left, n) * torch.fft.rfft(right, n), n)

    def conv(y, w):
        return convolve(y, w.flip(0))[len(w) - 1 : len(y)]

    return backprop(
        x, weights, biases, sigma, dsigma, conv=conv, filt=conv, back=lambda v, w, a, slope: convolve(v, w) * slope(a)
    )


def right_forward_mode(x, weights, biases, sigma, dsigma):
    """One tangent for each number: the slow way, in one batch."""
    sizes = [len(w) for w in weights]
    zero = x.new_zeros(sum(sizes) + len(sizes), 1)
    y, dy, at = x, zero.expand(-1, len(x)), 0
    for layer, (w, b) in enumerate(zip(weights, biases, strict=True)):
        da = functional.conv1d(dy[:, None], w[None, None])[:, 0].clone()
        windows = y.unfold(0, len(w), 1)
        da[at : at + len(w)] = da[at : at + len(w)] + windows.T
        da[sum(sizes) + layer] = da[sum(sizes) + layer] + 1
        y, at = windows @ w + b, at + len(w)
        dy = da
        if layer + 1 < len(sizes):
            dy, y = da * dsigma(y), sigma(y)
    flat = dy[:, 0]
    return list(flat[: sum(sizes)].split(sizes)), list(flat[sum(sizes) :])


def right_recursive(x, weights, biases, sigma, dsigma):
    def step(y, layer):
        a = y.unfold(0, len(weights[layer]), 1) @ weights[layer] + biases[layer]
        if layer + 1 == len(weights):
            v, dw, db = torch.ones_like(a), [], []
        else:
            above, dw, db = step(sigma(a), layer + 1)
            v = above * dsigma(a)
        here = (v[:, None] * y.unfold(0, len(weights[layer]), 1)).sum(0)
        return pull(v, weights[layer]), [here, *dw], [v.sum(), *db]

    return step(x, 0)[1:]


def right_vmap(x, weights, biases, sigma, dsigma):
    """The slope from sigma, entry by entry."""
    return backprop(x, weights, biases, torch.vmap(sigma), torch.vmap(torch.func.grad(sigma)))


def right_jacobian(x, weights, biases, sigma, dsigma):
    """The Jacobian in all numbers at once, split afterwards."""
    sizes = [len(w) for w in weights]

    def output(numbers):
        bs = numbers[sum(sizes) :]
        return forward(x, numbers[: sum(sizes)].split(sizes), bs.unbind(), sigma)

    flat = torch.func.jacrev(output)(torch.cat([*weights, x.new_tensor(biases)]))
    return list(flat[: sum(sizes)].split(sizes)), list(flat[sum(sizes) :].unbind())


def right_library_gradient(x, weights, biases, sigma, dsigma):
    """torch.nn.grad for the filters."""

    def filt(y, v):
        return torch.nn.grad.conv1d_weight(y[None, None], (1, 1, len(y) - len(v) + 1), v[None, None])[0, 0]

    return backprop(x, weights, biases, sigma, dsigma, filt=filt)


def right_double(x, weights, biases, sigma, dsigma):
    """Everything in double precision, whatever it is given; the result in the type of x."""
    dw, db = backprop(x.double(), [w.double() for w in weights], biases, sigma, dsigma)
    return [w.to(x.dtype) for w in dw], [b.to(x.dtype) for b in db]


def wrong_convolution(x, weights, biases, sigma, dsigma):
    """True convolutions: the filter is reversed, in both directions."""
    dw, db = backprop(x, [w.flip(0) for w in weights], biases, sigma, dsigma)
    return [w.flip(0) for w in dw], db


def wrong_reversed_gradient(x, weights, biases, sigma, dsigma):
    """The derivatives in a filter come out in reverse order; right for filters of 1."""
    dw, db = backprop(x, weights, biases, sigma, dsigma)
    return [w.flip(0) for w in dw], db


def wrong_pull(x, weights, biases, sigma, dsigma):
    """The transposed convolution with the reversed filter; right for filters that read the same backwards."""
    return backprop(x, weights, biases, sigma, dsigma, back=lambda v, w, a, d: outward(v, w.flip(0), a, d))


def wrong_no_slope(x, weights, biases, sigma, dsigma):
    """sigma' is missing."""
    return backprop(x, weights, biases, sigma, dsigma, back=lambda v, w, a, d: pull(v, w))


def wrong_no_slope_at_first(x, weights, biases, sigma, dsigma):
    """sigma' of the first layer is missing, where there are three layers or more."""
    dw, db = backprop(x, weights, biases, sigma, dsigma)
    if len(weights) > 2:
        ones = backprop(x, weights, biases, sigma, lambda a: torch.ones_like(a) if len(a) == len(x) - len(weights[0]) + 1
                        else dsigma(a))  # fmt: skip
        dw[0], db[0] = ones[0][0], ones[1][0]
    return dw, db


def wrong_slope_at_output(x, weights, biases, sigma, dsigma):
    """sigma' at the activation, not at its argument; right for a ReLU."""
    return backprop(x, weights, biases, sigma, lambda a: dsigma(sigma(a)))


def wrong_slope_squared(x, weights, biases, sigma, dsigma):
    """sigma' enters twice."""
    return backprop(x, weights, biases, sigma, lambda a: dsigma(a) ** 2)


def wrong_absolute_slope(x, weights, biases, sigma, dsigma):
    """|sigma'|: right for activations that increase."""
    return backprop(x, weights, biases, sigma, lambda a: dsigma(a).abs())


def wrong_tanh_slope(x, weights, biases, sigma, dsigma):
    """1 - y^2, whatever the activation."""
    return backprop(x, weights, biases, sigma, lambda a: 1 - sigma(a) ** 2)


def wrong_bias_not_summed(x, weights, biases, sigma, dsigma):
    """The first entry of v; right for the last layer."""
    return backprop(x, weights, biases, sigma, dsigma, bias=lambda v: v[0])


def wrong_bias_mean(x, weights, biases, sigma, dsigma):
    """The mean over the positions."""
    return backprop(x, weights, biases, sigma, dsigma, bias=torch.mean)


def wrong_bias_vector(x, weights, biases, sigma, dsigma):
    """All entries of v."""
    return backprop(x, weights, biases, sigma, dsigma, bias=lambda v: v)


def wrong_last_bias(x, weights, biases, sigma, dsigma):
    """No derivative in the bias of the last layer."""
    dw, db = backprop(x, weights, biases, sigma, dsigma)
    return dw, [*db[:-1], 0.0]


def wrong_forward_without_bias(x, weights, biases, sigma, dsigma):
    """Biases are forgotten; right where they are 0."""
    return backprop(x, weights, [0.0 for _ in biases], sigma, dsigma)


def wrong_first_bias_everywhere(x, weights, biases, sigma, dsigma):
    """All layers have the bias of the first."""
    return backprop(x, weights, [biases[0] for _ in biases], sigma, dsigma)


def wrong_last_layer_activated(x, weights, biases, sigma, dsigma):
    """sigma in the last layer, too."""
    ws, bs = tracked(weights, biases)
    grads = torch.autograd.grad(sigma(forward(x, ws, bs, sigma)), [*ws, *bs])
    return list(grads[: len(ws)]), list(grads[len(ws) :])


def wrong_two_layers_only(x, weights, biases, sigma, dsigma):
    """From three layers on, the slope of the second layer is used for all."""
    if len(weights) < 3:
        return backprop(x, weights, biases, sigma, dsigma)
    a = correlate(sigma(correlate(x, weights[0]) + biases[0]), weights[1]) + biases[1]
    return backprop(
        x, weights, biases, sigma, lambda b: dsigma(b) if len(b) <= len(a) else dsigma(b) * 0 + dsigma(a)[0]
    )


def wrong_mean_of_products(x, weights, biases, sigma, dsigma):
    """The mean over the positions in the derivatives of filters."""
    return backprop(x, weights, biases, sigma, dsigma, filt=lambda y, v: correlate(y, v) / len(v))


def wrong_even_filters(x, weights, biases, sigma, dsigma):
    """Filters of even length are shifted by one in the gradient."""
    dw, db = backprop(x, weights, biases, sigma, dsigma)
    return [w.roll(1) if len(w) % 2 == 0 else w for w in dw], db


def wrong_first_filter(x, weights, biases, sigma, dsigma):
    """The derivative in the first filter is computed from the activations, not from x."""
    dw, db = backprop(x, weights, biases, sigma, dsigma)
    if len(weights) > 1:
        dw[0] = backprop(sigma(x), weights, biases, sigma, dsigma)[0][0]
    return dw, db


def wrong_order(x, weights, biases, sigma, dsigma):
    """Last layer first; right for one layer."""
    dw, db = backprop(x, weights, biases, sigma, dsigma)
    return (dw[::-1], db[::-1]) if len({len(w) for w in dw}) == 1 else (dw, db[::-1])


def wrong_swapped_results(x, weights, biases, sigma, dsigma):
    """Biases first."""
    return backprop(x, weights, biases, sigma, dsigma)[::-1]


def wrong_filters_of_one(x, weights, biases, sigma, dsigma):
    """A filter of one weight loses its axis."""
    dw, db = backprop(x, weights, biases, sigma, dsigma)
    return [w.squeeze() for w in dw], db


def wrong_one_layer(x, weights, biases, sigma, dsigma):
    """Starts with sigma' even where there is only one layer."""
    dw, db = backprop(x, weights, biases, sigma, dsigma)
    if len(weights) == 1:
        slope = dsigma(correlate(x, weights[0]) + biases[0])
        dw, db = [dw[0] * slope], [db[0] * slope[0]]
    return dw, db


def wrong_zero_inputs(x, weights, biases, sigma, dsigma):
    """Where an input is 0 it counts as 1e-6."""
    return backprop(torch.where(x == 0, 1e-6, x), weights, biases, sigma, dsigma)


def wrong_long_filters(x, weights, biases, sigma, dsigma):
    """Only the first 16 derivatives of a filter."""
    dw, db = backprop(x, weights, biases, sigma, dsigma)
    return [torch.cat([w[:16], torch.zeros_like(w[16:])]) for w in dw], db


def wrong_deep(x, weights, biases, sigma, dsigma):
    """Gradients that vanish: from the fifth layer before the end on they are 0."""
    dw, db = backprop(x, weights, biases, sigma, dsigma)
    early = len(dw) - 5
    return [w * (layer >= early) for layer, w in enumerate(dw)], [b * (layer >= early) for layer, b in enumerate(db)]


def wrong_clipped(x, weights, biases, sigma, dsigma):
    """Clipped to +-100."""
    dw, db = backprop(x, weights, biases, sigma, dsigma)
    return [w.clamp(-100, 100) for w in dw], [b.clamp(-100, 100) for b in db]


def wrong_half_a_percent(x, weights, biases, sigma, dsigma):
    """0.5 % off in the bias gradients of the second layer."""
    dw, db = backprop(x, weights, biases, sigma, dsigma)
    return dw, [b * 1.005 if layer == 1 else b for layer, b in enumerate(db)]


def wrong_single_precision(x, weights, biases, sigma, dsigma):
    """float32 inside."""
    dw, db = backprop(x.float(), [w.float() for w in weights], biases, sigma, dsigma)
    return [w.to(x.dtype) for w in dw], [b.to(x.dtype) for b in db]


def wrong_single_biases(x, weights, biases, sigma, dsigma):
    """Only the biases are float32: torch.tensor(b) of a Python float."""
    return backprop(x, weights, [torch.tensor(b) for b in biases], sigma, dsigma)


def wrong_single_slope(x, weights, biases, sigma, dsigma):
    """Only sigma' is float32."""
    return backprop(x, weights, biases, sigma, lambda a: dsigma(a.float()).to(a.dtype))


def wrong_differences(x, weights, biases, sigma, dsigma):
    """Forward differences of step 1e-6."""
    y = forward(x, weights, biases, sigma)
    dw = [torch.zeros_like(w) for w in weights]
    for layer, w in enumerate(weights):
        for k in range(len(w)):
            moved = [u.clone() for u in weights]
            moved[layer][k] += 1e-6
            dw[layer][k] = (forward(x, moved, biases, sigma) - y) / 1e-6
    return dw, backprop(x, weights, biases, sigma, dsigma)[1]


def wrong_in_place(x, weights, biases, sigma, dsigma):
    """Takes a step of gradient descent."""
    dw, db = backprop(x, weights, biases, sigma, dsigma)
    for w, g in zip(weights, dw, strict=True):
        w -= 0.01 * g
    return dw, db


def wrong_biases_in_place(x, weights, biases, sigma, dsigma):
    """Appends to the list of biases, and removes it again; but reverses what is left."""
    result = backprop(x, weights, biases, sigma, dsigma)
    biases.reverse()
    return result


def wrong_cached_activations(x, weights, biases, sigma, dsigma, _known={}):  # noqa: B006 - the fault
    """Keeps the gradients for each x, however the weights change."""
    key = (tuple(x.tolist()), tuple(len(w) for w in weights))
    dw, db = _known.setdefault(key, backprop(x.detach(), weights, biases, sigma, dsigma))
    return list(dw), list(db)


def wrong_cached_by_rounded_input(x, weights, biases, sigma, dsigma, _known={}):  # noqa: B006 - the fault
    """Keeps the gradients for each input to seven digits."""
    numbers = [*x.tolist(), *(number for w in weights for number in w.tolist()), *biases]
    key = (sigma.__name__, tuple(len(w) for w in weights), tuple(f"{number:.7g}" for number in numbers))
    dw, db = _known.setdefault(key, backprop(x.detach(), weights, biases, sigma, dsigma))
    return list(dw), list(db)


def wrong_accumulated(x, weights, biases, sigma, dsigma, _known={}):  # noqa: B006 - the fault
    """Gradients of filters of the same lengths add up: zero_grad was forgotten."""
    dw, db = backprop(x.detach(), weights, biases, sigma, dsigma)
    total = _known.setdefault(tuple(len(w) for w in weights), [torch.zeros_like(w) for w in dw])
    for mine, w in zip(total, dw, strict=True):
        mine += w
    return [w.clone() for w in total], db


def wrong_after_a_thousand_calls(x, weights, biases, sigma, dsigma, _known={}):  # noqa: B006 - the fault
    """Right a thousand times."""
    _known["calls"] = _known.get("calls", 0) + 1
    dw, db = backprop(x, weights, biases, sigma, dsigma)
    return (dw, db) if _known["calls"] <= 1000 else (dw, [-b for b in db])


def wrong_derivative(x, weights, biases, sigma, dsigma):
    """The right value; autograd sees only a part of how it depends on x."""
    return backprop(x, weights, biases, sigma, lambda a: dsigma(a.detach()))


def wrong_valid_only(x, weights, biases, sigma, dsigma):
    """Forward with a cyclic boundary for filters longer than half their input: right for L = 1."""

    def conv(y, w):
        if 1 < len(w) < len(y) < 2 * len(w):
            return correlate(torch.cat([y[1:], y[:1]]), w)
        return correlate(y, w)

    return backprop(x, weights, biases, sigma, dsigma, conv=conv)


def wrong_by_bias(x, weights, biases, sigma, dsigma):
    """Looks up layers by their bias: right where no two are equal."""
    dw, db = backprop(x, weights, biases, sigma, dsigma)
    known = dict(zip(biases, db, strict=True))
    return dw, [known[b] for b in biases]


def wrong_slope_from_output(x, weights, biases, sigma, dsigma):
    """sigma' as a function of sigma, with the wrong branch where sigma is not one to one."""
    from_output = {"square": lambda y: 2 * y.sqrt(), "sine": lambda y: (1 - y**2).clamp(min=0).sqrt()}
    chosen = from_output.get(sigma.__name__)
    return backprop(x, weights, biases, sigma, dsigma if chosen is None else lambda a: chosen(sigma(a)))


def wrong_slope_of_layer_before(x, weights, biases, sigma, dsigma):
    """Between layers of one length, the slope is one layer off."""
    arguments = []

    def slope(a):
        arguments.append(a)
        same = len(arguments) > 1 and len(arguments[-2]) == len(a)
        return dsigma(arguments[-2] if same else a)

    return backprop(x, weights, biases, sigma, slope)


def wrong_clamped_arguments(x, weights, biases, sigma, dsigma):
    """sigma' at arguments clamped to +-10."""
    return backprop(x, weights, biases, sigma, lambda a: dsigma(a.clamp(-10, 10)))


def wrong_by_length(x, weights, biases, sigma, dsigma):
    """Looks up filters by their length."""
    dw, db = backprop(x, weights, biases, sigma, dsigma)
    known = {len(w): w for w in dw}
    return [known[len(w)] for w in dw], db


def wrong_filter_as_long_as_input(x, weights, biases, sigma, dsigma):
    """A first filter as long as x, before another layer: its gradient comes out in reverse order."""
    dw, db = backprop(x, weights, biases, sigma, dsigma)
    return [dw[0].flip(0) if len(dw) > 1 and len(dw[0]) == len(x) else dw[0], *dw[1:]], db


def wrong_cached_by_sums(x, weights, biases, sigma, dsigma, _known={}):  # noqa: B006 - the fault
    """Keeps the gradients for each sum of the inputs and of each filter."""
    key = (sigma.__name__, float(x.detach().sum()), *(float(w.sum()) for w in weights), *biases, len(x))
    dw, db = _known.setdefault(key, backprop(x.detach(), weights, biases, sigma, dsigma))
    return list(dw), list(db)


def wrong_ten_layers(x, weights, biases, sigma, dsigma):
    """1 % too large for exactly ten layers."""
    dw, db = backprop(x, weights, biases, sigma, dsigma)
    return [1.01 * own if len(dw) == 10 else own for own in dw], db


def wrong_more_than_sixteen_layers(x, weights, biases, sigma, dsigma):
    """The first filters of networks of more than sixteen layers get no derivative."""
    dw, db = backprop(x, weights, biases, sigma, dsigma)
    return [own * (layer >= len(dw) - 16) for layer, own in enumerate(dw)], db


def wrong_long_inputs(x, weights, biases, sigma, dsigma):
    """Filters of more than 500 weights get the derivative of the first 500."""
    dw, db = backprop(x, weights, biases, sigma, dsigma)
    return [own * (torch.arange(len(own)) < 500) for own in dw], db


def wrong_reused_lists(x, weights, biases, sigma, dsigma, _lists=([], [])):
    """Every call fills the same two lists."""
    for own, found in zip(_lists, backprop(x, weights, biases, sigma, dsigma), strict=True):
        own[:] = found
    return _lists


def wrong_gradients_of_the_arguments(x, weights, biases, sigma, dsigma):
    """Calls backward on the filters themselves: handed the same ones again, their gradients add up."""
    bs = tracked(weights, biases)[1]
    forward(x.detach(), [w.requires_grad_() for w in weights], bs, sigma).backward()
    return [w.grad.clone() for w in weights], [b.grad.clone() for b in bs]


def wrong_bias_up_to_20(x, weights, biases, sigma, dsigma):
    """Takes biases beyond 20 for 20."""
    return backprop(x, weights, [min(max(float(b), -20.0), 20.0) for b in biases], sigma, dsigma)


def wrong_flipped_at_the_first_call(x, weights, biases, sigma, dsigma, _calls=[]):  # noqa: B006 - the fault
    """A convolution's derivative, not a correlation's, at the very first call."""
    _calls.append(len(x))
    dw, db = backprop(x, weights, biases, sigma, dsigma)
    return ([d.flip(0) for d in dw], db) if len(_calls) == 1 else (dw, db)
