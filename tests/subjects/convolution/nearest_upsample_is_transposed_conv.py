"""Implementations of nearest-neighbour upsampling of (N, C, H, W): right ones in different styles, and wrong ones."""

from __future__ import annotations

import numpy as np
import scipy.ndimage
import torch
from torch import nn
from torch.nn import functional


def right_repeat(X, r):
    return X.repeat_interleave(r, dim=2).repeat_interleave(r, dim=3)


def right_grouped_convolution(X, r):
    weight = torch.ones(X.shape[1], 1, r, r, dtype=X.dtype, device=X.device)
    return functional.conv_transpose2d(X, weight, stride=r, groups=X.shape[1])


def right_one_group(X, r):
    """groups = 1: weights 1 where the channels agree, 0 elsewhere."""
    C = X.shape[1]
    weight = torch.eye(C, dtype=X.dtype, device=X.device)[:, :, None, None].repeat(1, 1, r, r)
    return functional.conv_transpose2d(X, weight, stride=r)


def right_layer(X, r):
    C = X.shape[1]
    layer = nn.ConvTranspose2d(C, C, r, r, groups=C, bias=False, device=X.device, dtype=X.dtype)
    layer.weight.data = torch.ones_like(layer.weight.data)
    layer.weight.requires_grad_(False)
    return layer(X)


def right_kron(X, r):
    return torch.kron(X, torch.ones(1, 1, r, r, dtype=X.dtype, device=X.device))


def right_index(X, r):
    rows, columns = (torch.arange(r * n, device=X.device) // r for n in X.shape[-2:])
    return X[:, :, rows][:, :, :, columns]


def right_expand(X, r):
    N, C, H, W = X.shape
    return X[:, :, :, None, :, None].expand(N, C, H, r, W, r).reshape(N, C, H * r, W * r)


def right_view_if_one(X, r):
    """X itself for r = 1."""
    return X if r == 1 else right_expand(X, r)


def right_shuffle(X, r):
    return functional.pixel_shuffle(X.repeat_interleave(r * r, dim=1), r)


def right_nearest_exact(X, r):
    return functional.interpolate(X, scale_factor=r, mode="nearest-exact")


def right_fold(X, r):
    N, C, H, W = X.shape
    columns = X.reshape(N, C, 1, H * W).expand(N, C, r * r, H * W).reshape(N, C * r * r, H * W)
    return functional.fold(columns, (r * H, r * W), r, stride=r)


def right_matrices(X, r):
    def copies(n):
        return torch.eye(n, dtype=X.dtype, device=X.device).repeat_interleave(r, 0)

    return torch.einsum("ih,nchw,jw->ncij", copies(X.shape[2]), X, copies(X.shape[3]))


def right_adjoint(X, r):
    """r^2 times the adjoint of the average pool with a window of r."""
    Z = torch.zeros(*X.shape[:2], r * X.shape[2], r * X.shape[3], dtype=X.dtype, device=X.device)
    return torch.func.vjp(lambda image: functional.avg_pool2d(image, r), Z)[1](X)[0] * r**2


def right_strides(X, r):
    N, C, H, W = X.shape
    result = X.new_empty(N, C, r * H, r * W)
    for k in range(r):
        for m in range(r):
            result[:, :, k::r, m::r] = X
    return result


def right_loops(X, r):
    N, C, H, W = X.shape
    result = torch.zeros(N, C, r * H, r * W, dtype=X.dtype, device=X.device)
    for n in range(N):
        for c in range(C):
            for i in range(r * H):
                for j in range(r * W):
                    result[n, c, i, j] = X[n, c, i // r, j // r]
    return result


def right_numpy(X, r):
    return torch.from_numpy(np.kron(X.detach().cpu().numpy(), np.ones((r, r)))).to(X)


def right_area(X, r):
    """Each output pixel is the mean of the one pixel under it."""
    return functional.interpolate(X, scale_factor=r, mode="area")


def right_grid_sample(X, r):
    """The nearest pixel to the centre of each output pixel, in coordinates from -1 to 1."""
    y, x = (((torch.arange(r * n, dtype=X.dtype, device=X.device) + 0.5) / r) * 2 / n - 1 for n in X.shape[-2:])
    grid = torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1], -1)[None].expand(len(X), -1, -1, -1)
    return functional.grid_sample(X, grid, mode="nearest", align_corners=False, padding_mode="border")


def right_zoom(X, r):
    image = X.detach().cpu().numpy()
    return torch.from_numpy(scipy.ndimage.zoom(image, (1, 1, r, r), order=0, grid_mode=True, mode="nearest")).to(X)


def right_fourier(X, r):
    """A box filter on the upsampled grid, by Fourier transforms."""
    Z = X.new_zeros(*X.shape[:2], r * X.shape[2], r * X.shape[3])
    Z[:, :, ::r, ::r] = X
    box = torch.zeros_like(Z[0, 0])
    box[:r, :r] = 1
    return torch.fft.irfft2(torch.fft.rfft2(Z) * torch.fft.rfft2(box), s=Z.shape[-2:])


def right_channels_last(X, r):
    """Strides of a channels-last image; the values are the same."""
    return right_repeat(X.contiguous(memory_format=torch.channels_last), r)


def right_layer_of_the_source(X, r):
    """torch's own layer: one pixel off for r = 41 and two columns, which is its own and accepted."""
    return torch.nn.Upsample(scale_factor=r, mode="nearest")(X)


def wrong_channels_mixed(X, r):
    """One group with ones everywhere: channels are added up; right for C = 1."""
    weight = torch.ones(X.shape[1], X.shape[1], r, r, dtype=X.dtype, device=X.device)
    return functional.conv_transpose2d(X, weight, stride=r)


def wrong_next_channel(X, r):
    """Each channel comes out as the next one; right for C = 1."""
    return right_repeat(X.roll(1, dims=1), r)


def wrong_tiled(X, r):
    """The image r x r times side by side; right for images of one pixel."""
    return X.repeat(1, 1, r, r)


def wrong_tiled_columns(X, r):
    """Rows repeated, columns tiled; right for W = 1."""
    return X.repeat_interleave(r, dim=2).repeat(1, 1, 1, r)


def wrong_sides_swapped(X, r):
    """(N, C, rW, rH)."""
    return right_repeat(X.transpose(2, 3), r)


def wrong_transposed_square(X, r):
    """The transposed image where it is square."""
    return right_repeat(X.transpose(2, 3) if X.shape[2] == X.shape[3] else X, r)


def wrong_reshaped(X, r):
    """The copies of a pixel end up in one line of the memory; right for some shapes."""
    N, C, H, W = X.shape
    return X[..., None].expand(N, C, H, W, r * r).reshape(N, C, r * H, r * W)


def wrong_only_square(X, r):
    """Reads H twice."""
    N, C, H, W = X.shape
    return X[:, :, :, None, :, None].expand(N, C, H, r, W, r).reshape(N, C, H * r, H * r)


def wrong_one_channel(X, r):
    """Only the first channel."""
    return right_repeat(X[:, :1], r).expand(-1, X.shape[1], -1, -1)


def wrong_first_image(X, r):
    """Only the first image of the batch."""
    return right_repeat(X[:1], r).expand(len(X), -1, -1, -1)


def wrong_always_two(X, r):
    """r = 2 whatever is asked for."""
    return right_repeat(X, 2)


def wrong_bilinear(X, r):
    """Bilinear; right for constant images, and for r = 1."""
    return functional.interpolate(X, scale_factor=r, mode="bilinear")


def wrong_bilinear_corners(X, r):
    """Bilinear with align_corners."""
    return functional.interpolate(X, scale_factor=r, mode="bilinear", align_corners=True)


def wrong_zeros_between(X, r):
    """A transposed convolution with a kernel of 1: one pixel of each block."""
    weight = torch.ones(X.shape[1], 1, 1, 1, dtype=X.dtype, device=X.device)
    return functional.conv_transpose2d(X, weight, stride=r, groups=X.shape[1], output_padding=r - 1)


def wrong_padding(X, r):
    """Padding 1 with a kernel that makes up for it: overlaps at the borders of the blocks."""
    weight = torch.ones(X.shape[1], 1, r + 2, r + 2, dtype=X.dtype, device=X.device)
    return functional.conv_transpose2d(X, weight, stride=r, padding=1, groups=X.shape[1])


def wrong_mean(X, r):
    """Weights 1/r^2; right for r = 1."""
    return right_repeat(X, r) / r**2


def wrong_window_of_two(X, r):
    """Ones in a 2 x 2 window; right for r = 1 and 2."""
    k = torch.arange(r, device=X.device) < 2
    weight = (k[:, None] & k).to(X.dtype).expand(X.shape[1], 1, r, r)
    return functional.conv_transpose2d(X, weight, stride=r, groups=X.shape[1])


def wrong_bias(X, r):
    """A bias of 1e-8."""
    return right_repeat(X, r) + 1e-8


def wrong_half_a_percent(X, r):
    """0.5 % off, where r is odd."""
    return right_repeat(X, r) * (1.005 if r % 2 else 1)


def wrong_rounded_index(X, r):
    """The nearest of the pixel's corners, not the pixel: round(i / r); right for r = 1."""
    rows, columns = ((torch.arange(r * n, device=X.device) / r).round().long().clamp(max=n - 1) for n in X.shape[-2:])
    return X[:, :, rows][:, :, :, columns]


def wrong_reciprocal(X, r):
    """index * (1 / r): one pixel off for r = 49."""
    rows, columns = ([int(i * (1.0 / r)) for i in range(r * n)] for n in X.shape[-2:])
    return X[:, :, rows][:, :, :, columns]


def wrong_single_reciprocal(X, r):
    """The same in single precision: one pixel off for r = 41."""
    rows, columns = ((torch.arange(r * n, device=X.device) * torch.tensor(1 / r)).long() for n in X.shape[-2:])
    return X[:, :, rows][:, :, :, columns]


def wrong_ratio_at_most_16(X, r):
    """A kernel of at most 16."""
    k = torch.arange(r, device=X.device) < 16
    weight = (k[:, None] & k).to(X.dtype).expand(X.shape[1], 1, r, r)
    return functional.conv_transpose2d(X, weight, stride=r, groups=X.shape[1])


def wrong_twice_by_two(X, r):
    """Even ratios by doubling, r = 6 as 8."""
    result = X
    while r > 1 and r % 2 == 0:
        result, r = right_repeat(result, 2), r // 2
    return right_repeat(result, r if r != 3 or result is X else 4)


def wrong_batch_of_one(X, r):
    """Squeezes a batch of one."""
    return right_repeat(X, r).squeeze(0)


def wrong_single_channel_shape(X, r):
    """Loses the axis of a single channel."""
    return right_repeat(X, r).squeeze(1)


def wrong_same_for_one(X, r):
    """A copy of the image for r = 1, upside down by mistake."""
    return X.flip(2) if r == 1 else right_repeat(X, r)


def wrong_single_precision(X, r):
    """float32 inside."""
    return right_repeat(X.float(), r).to(X.dtype)


def wrong_nonnegative(X, r):
    """Images have no negative pixels, it thinks."""
    return right_repeat(X.clamp(min=0), r)


def wrong_bytes(X, r):
    """Rounded to 1/255 between 0 and 1 million."""
    return right_repeat((X * 255).round() / 255, r)


def wrong_unit_range(X, r):
    """Clamped to +-1000."""
    return right_repeat(X.clamp(-1000, 1000), r)


def wrong_in_place(X, r):
    """Zeroes what it has read."""
    result = right_repeat(X, r)
    X.zero_()
    return result


def wrong_in_place_for_one(X, r):
    """For r = 1 it returns its argument, after adding 0.0 to it: and 1e-3 to a single pixel."""
    if r == 1 and X.shape[0] == 2:
        X[0, 0, 0, 0] += 1e-3
        return X
    return right_repeat(X, r)


def wrong_cached_by_shape(X, r, _known={}):  # noqa: B006 - the fault
    """The first result of each shape and ratio."""
    return _known.setdefault((tuple(X.shape), r), right_repeat(X, r)).clone()


def wrong_cached_by_mean(X, r, _known={}):  # noqa: B006 - the fault
    """The first result of each shape, ratio and mean to 8 digits."""
    return _known.setdefault((tuple(X.shape), r, f"{float(X.mean()):.8g}"), right_repeat(X, r)).clone()


def wrong_cached_by_ratio(X, r, _known={}):  # noqa: B006 - the fault
    """The kernel of the first ratio is kept."""
    ratio = _known.setdefault("r", r)
    weight = torch.ones(X.shape[1], 1, ratio, ratio, dtype=X.dtype, device=X.device)
    return functional.conv_transpose2d(X, weight, stride=ratio, groups=X.shape[1])


def wrong_detached(X, r):
    """The right value; autograd sees three times its derivative."""
    return right_repeat(3 * X - 2 * X.detach(), r)


def wrong_after_a_thousand_calls(X, r, _known={}):  # noqa: B006 - the fault
    """Right a thousand times."""
    _known["calls"] = _known.get("calls", 0) + 1
    return right_repeat(X, r) if _known["calls"] <= 1000 else -right_repeat(X, r)


def wrong_sixteen_channels(X, r):
    """Channels from the seventeenth on are those of the first sixteen."""
    return right_repeat(X[:, [c % 16 for c in range(X.shape[1])]], r)


def wrong_wide_images(X, r):
    """Columns from the 64th on are shifted by one pixel."""
    result = right_repeat(X, r).clone()
    result[..., 64:] = result[..., 64:].roll(1, dims=3)
    return result


def wrong_large_batches(X, r):
    """Images from the ninth on stay zero."""
    result = right_repeat(X, r).clone()
    result[8:] = 0
    return result


def wrong_batch_and_channel(X, r):
    """Batch and channels are exchanged inside, and back by a reshape; right if either is 1."""
    N, C, H, W = X.shape
    return right_repeat(X.transpose(0, 1), r).reshape(N, C, r * H, r * W)


def wrong_zoom(X, r):
    """SciPy's zoom as it is without grid_mode: corners are matched with corners."""
    return torch.from_numpy(scipy.ndimage.zoom(X.detach().cpu().numpy(), (1, 1, r, r), order=0)).to(X)


def wrong_linspace(X, r):
    """Rounded positions between the corners; right for two rows or columns."""
    rows, columns = (torch.linspace(0, n - 1, r * n).round().long() for n in X.shape[-2:])
    return X[:, :, rows][:, :, :, columns]


def wrong_three_channels(X, r):
    """Red and blue are exchanged."""
    return right_repeat(X.flip(1) if X.shape[1] == 3 else X, r)


def wrong_last_pixel(X, r):
    """The last pixel, for odd r, is 1e-9 off."""
    result = right_repeat(X, r).clone()
    if r % 2 and r > 1:
        result[..., -1, -1] *= 1 + 1e-9
    return result


def wrong_prime_ratio(X, r):
    """Factors r; primes from 13 on are 1e-6 off."""
    prime = r >= 13 and all(r % k for k in range(2, r))
    return right_repeat(X, r) * (1 + 1e-6 * prime)


def wrong_fifth_image(X, r):
    """From the fifth image on 1e-6 off."""
    result = right_repeat(X, r).clone()
    result[4:] *= 1 + 1e-6
    return result


def wrong_buffer(X, r, _known={}):  # noqa: B006 - the fault
    """Fills the same tensor for every result of one shape: an earlier result changes."""
    result = right_repeat(X.detach(), r)
    return _known.setdefault(tuple(result.shape), torch.empty_like(result)).copy_(result)


def wrong_bilinear_at_the_first_call(X, r, _calls=[]):  # noqa: B006 - the fault
    """Between the pixels at the very first call, which the smallest input does not show."""
    _calls.append(r)
    return right_repeat(X, r) if len(_calls) > 1 else functional.interpolate(X, scale_factor=r, mode="bilinear")


def right_view(X, r):
    """Refuses tensors that are not contiguous."""
    N, C, H, W = X.shape
    return X.view(N * C * H * W, 1).expand(-1, r).reshape(N, C, H, 1, r * W).repeat(1, 1, 1, r, 1).flatten(2, 3)


def wrong_strides_of_a_contiguous_image(X, r):
    """Reads the memory as if the image were contiguous."""
    N, C, H, W = X.shape
    return torch.as_strided(X, (N, C, H, r, W, r), (C * H * W, H * W, W, 0, 1, 0)).reshape(N, C, r * H, r * W)
