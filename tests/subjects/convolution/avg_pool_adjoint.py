"""Implementations of the adjoint of the 2 x 2 average pool: right ones in different styles, and wrong ones."""

from __future__ import annotations

import numpy as np
import scipy.signal
import scipy.sparse
import torch
from torch.nn import functional


def pool(X):
    return functional.avg_pool2d(X[None, None], 2)[0, 0]


def right_repeat(Y):
    return Y.repeat_interleave(2, 0).repeat_interleave(2, 1) / 4


def right_kron(Y):
    return torch.kron(Y, torch.full((2, 2), 0.25, dtype=Y.dtype, device=Y.device))


def right_autograd(Y):
    """The vector-Jacobian product of torch's own pooling."""
    X = torch.zeros(2 * Y.shape[0], 2 * Y.shape[1], dtype=Y.dtype, device=Y.device, requires_grad=True)
    return torch.autograd.grad(pool(X), X, Y.detach())[0]


def right_vjp(Y):
    X = torch.zeros(2 * Y.shape[0], 2 * Y.shape[1], dtype=Y.dtype, device=Y.device)
    return torch.func.vjp(pool, X)[1](Y)[0]


def right_transposed_convolution(Y):
    weight = torch.full((1, 1, 2, 2), 0.25, dtype=Y.dtype, device=Y.device)
    return functional.conv_transpose2d(Y[None, None], weight, stride=2)[0, 0]


def right_interpolate(Y):
    return functional.interpolate(Y[None, None], scale_factor=2, mode="nearest")[0, 0] * 0.25


def right_matrix(Y):
    """The pooling written as a matrix between row-major reshapes, transposed."""
    h, w = Y.shape
    matrix = np.zeros((h * w, 4 * h * w))
    for i in range(2 * h):
        for j in range(2 * w):
            matrix[(i // 2) * w + j // 2, i * 2 * w + j] = 0.25
    return torch.from_numpy(matrix.T @ Y.detach().cpu().double().numpy().reshape(-1)).reshape(2 * h, 2 * w).to(Y)


def right_two_matrices(Y):
    """R' Y C with the poolings R of the rows and C of the columns."""

    def halves(n):
        return torch.eye(n, dtype=Y.dtype, device=Y.device).repeat_interleave(2, 1) / 2

    return halves(Y.shape[0]).T @ Y @ halves(Y.shape[1])


def right_loops(Y):
    rows = Y.tolist()
    X = [[rows[i // 2][j // 2] / 4 for j in range(2 * Y.shape[1])] for i in range(2 * Y.shape[0])]
    return torch.tensor(X, dtype=Y.dtype, device=Y.device)


def right_entry_by_entry(Y):
    X = torch.empty(2 * Y.shape[0], 2 * Y.shape[1], dtype=Y.dtype, device=Y.device)
    for i in range(X.shape[0]):
        for j in range(X.shape[1]):
            X[i, j] = Y[i // 2, j // 2] / 4
    return X


def right_strides(Y):
    X = Y.new_zeros(2 * Y.shape[0], 2 * Y.shape[1])
    for di in (0, 1):
        for dj in (0, 1):
            X[di::2, dj::2] = Y / 4
    return X


def right_expand(Y):
    h, w = Y.shape
    return (Y / 4)[:, None, :, None].expand(h, 2, w, 2).reshape(2 * h, 2 * w)


def right_shuffle(Y):
    return functional.pixel_shuffle((0.25 * Y).expand(1, 4, *Y.shape), 2)[0, 0]


def right_pseudoinverse(Y):
    """T T' = I/4, so the adjoint is a quarter of the pseudoinverse."""
    n = 2 * max(Y.shape)
    half = torch.eye(n // 2, dtype=Y.dtype, device=Y.device).repeat_interleave(2, 1) / 2
    rows, columns = half[: Y.shape[0], : 2 * Y.shape[0]], half[: Y.shape[1], : 2 * Y.shape[1]]
    return torch.linalg.pinv(rows) @ Y @ torch.linalg.pinv(columns).T / 4


def right_fourier(Y):
    """A box filter on the upsampled grid, by Fourier transforms."""
    X = Y.new_zeros(2 * Y.shape[0], 2 * Y.shape[1])
    X[::2, ::2] = Y / 4
    box = torch.zeros_like(X)
    box[:2, :2] = 1
    return torch.fft.irfft2(torch.fft.rfft2(X) * torch.fft.rfft2(box), s=X.shape)


def right_numpy(Y):
    return torch.from_numpy(np.repeat(np.repeat(Y.detach().cpu().numpy(), 2, axis=0), 2, axis=1) / 4).to(Y)


def right_inner_products(Y):
    """X_ij = <Y, T(E_ij)>."""
    h, w = Y.shape
    basis = torch.eye(4 * h * w, dtype=Y.dtype, device=Y.device).reshape(-1, 1, 2 * h, 2 * w)
    return (functional.avg_pool2d(basis, 2)[:, 0] * Y).sum((1, 2)).reshape(2 * h, 2 * w)


def right_fftconvolve(Y):
    Z = np.zeros((2 * Y.shape[0], 2 * Y.shape[1]))
    Z[::2, ::2] = Y.detach().cpu().numpy()
    return torch.from_numpy(scipy.signal.fftconvolve(Z, np.full((2, 2), 0.25))[:-1, :-1]).to(Y)


def right_sparse(Y):
    h, w = Y.shape
    pixels = np.arange(4 * h * w)
    cells = pixels // (2 * w) // 2 * w + pixels % (2 * w) // 2
    pooling = scipy.sparse.csr_matrix((np.full(4 * h * w, 0.25), (cells, pixels)))
    return torch.from_numpy(pooling.T @ Y.detach().cpu().numpy().reshape(-1)).reshape(2 * h, 2 * w).to(Y)


def right_least_squares(Y):
    """A quarter of the solution of T(X) = Y with the smallest norm."""
    rows, columns = (np.kron(np.eye(side), np.full((1, 2), 0.5)) for side in Y.shape)
    half = np.linalg.lstsq(rows, Y.detach().cpu().double().numpy(), rcond=None)[0]
    return torch.from_numpy(np.linalg.lstsq(columns, half.T, rcond=None)[0].T / 4).to(Y)


def right_with_memory(Y, _known={}):  # noqa: B006 - the memory is the point: by value, so it does no harm
    key = (tuple(Y.shape), Y.dtype, tuple(Y.reshape(-1).tolist()))
    if key not in _known:
        _known[key] = right_repeat(Y.detach())
    return _known[key].clone()


def wrong_factor_one(Y):
    """Upsampling: the pseudoinverse, not the adjoint."""
    return 4 * right_repeat(Y)


def wrong_factor_half(Y):
    """1/2."""
    return 2 * right_repeat(Y)


def wrong_half_a_percent(Y):
    """0.5 % off."""
    return 1.005 * right_repeat(Y)


def wrong_in_the_ninth_digit(Y):
    """A relative error of 1e-9."""
    return right_repeat(Y) * (1 + 1e-9)


def wrong_bilinear(Y):
    """Bilinear upsampling; right for constant images."""
    return functional.interpolate(Y[None, None], scale_factor=2, mode="bilinear")[0, 0] / 4


def wrong_tiled(Y):
    """The image four times side by side."""
    return Y.repeat(2, 2) / 4


def wrong_tiled_columns(Y):
    """Rows are repeated, columns tiled; right for one column."""
    return Y.repeat_interleave(2, 0).repeat(1, 2) / 4


def wrong_top_left(Y):
    """Only the first pixel of each block."""
    X = Y.new_zeros(2 * Y.shape[0], 2 * Y.shape[1])
    X[::2, ::2] = Y
    return X


def wrong_transposed(Y):
    """The transposed image where it is square."""
    return right_repeat(Y.T if Y.shape[0] == Y.shape[1] else Y)


def wrong_transposed_shape(Y):
    """(n, m) instead of (m, n)."""
    return right_repeat(Y).T


def wrong_reshaped(Y):
    """Rows and columns confused in the reshape; right for square images of one cell, or for ties."""
    h, w = Y.shape
    return (Y / 4)[:, :, None, None].expand(h, w, 2, 2).reshape(2 * h, 2 * w)


def wrong_symmetric(Y):
    """Symmetrised where it is square: right for symmetric images."""
    return right_repeat((Y + Y.T) / 2 if Y.shape[0] == Y.shape[1] else Y)


def wrong_absolute(Y):
    """Negative entries lose their sign."""
    return right_repeat(Y.abs())


def wrong_relu(Y):
    """Negative entries become 0."""
    return right_repeat(Y.clamp(min=0))


def wrong_last_odd_column(Y):
    """The last cell of an odd number of columns, three or more, is left out."""
    X = right_repeat(Y).clone()
    if Y.shape[1] % 2 and Y.shape[1] > 1:
        X[:, -2:] = 0
    return X


def wrong_column_of_cells(Y):
    """One column of cells is taken for a row."""
    return right_repeat(Y).reshape(2, -1).T.contiguous() if Y.shape[1] == 1 else right_repeat(Y)


def wrong_beyond_sixty_four(Y):
    """Works in blocks of 64 rows, and forgets what is left."""
    X = right_repeat(Y).clone()
    X[128:] = 0
    return X


def wrong_beyond_five_hundred_cells(Y):
    """More than 500 cells are averaged once more."""
    return right_repeat(Y) / (4 if Y.numel() > 500 else 1)


def wrong_tiny(Y):
    """What is below 1e-12 counts as 0."""
    return right_repeat(torch.where(Y.abs() < 1e-12, 0.0, Y))


def wrong_huge(Y):
    """Clamped to 1e6."""
    return right_repeat(Y.clamp(-1e6, 1e6))


def wrong_single_precision(Y):
    """float32 inside."""
    return right_repeat(Y.float()).to(Y.dtype)


def wrong_rounded_factor(Y):
    """The factor was rounded to 30 bits."""
    return right_repeat(Y) * (1 + 2.0**-31)


def wrong_in_place(Y):
    """Divides its argument."""
    return Y.div_(4).repeat_interleave(2, 0).repeat_interleave(2, 1)


def wrong_cached_by_shape(Y, _known={}):  # noqa: B006 - the fault
    """The first result of each shape."""
    return _known.setdefault(tuple(Y.shape), right_repeat(Y)).clone()


def wrong_cached_by_rounded_sum(Y, _known={}):  # noqa: B006 - the fault
    """The first result of each shape and sum to six decimals."""
    return _known.setdefault((tuple(Y.shape), round(float(Y.sum()), 6)), right_repeat(Y)).clone()


def wrong_drifting(Y, _known={}):  # noqa: B006 - the fault
    """Every fiftieth call adds to a running offset."""
    _known["calls"] = _known.get("calls", 0) + 1
    return right_repeat(Y) + 1e-3 * (_known["calls"] // 50)


def wrong_on_the_thousandth_call(Y, _known={}):  # noqa: B006 - the fault
    """Right a thousand times."""
    _known["calls"] = _known.get("calls", 0) + 1
    return right_repeat(Y) * (1 if _known["calls"] < 1000 else 2)


def wrong_detached(Y):
    """The right value; autograd sees twice its derivative."""
    return right_repeat(2 * Y - Y.detach())


def wrong_partly_detached(Y):
    """The right value; autograd does not see the first row."""
    return right_repeat(torch.cat([Y[:1].detach(), Y[1:]]))


def wrong_nan_for_zero(Y):
    """0/0 where an entry is 0."""
    return right_repeat(Y * Y / Y)


def wrong_max_pool(Y):
    """The adjoint of a max pool at 0: the first pixel of each block gets all, and of this a quarter."""
    return wrong_top_left(Y) / 4


def wrong_padded(Y):
    """The windows are shifted by one pixel, as with padding 1."""
    return right_repeat(Y).roll((1, 1), (0, 1))


def wrong_flipped_from_five_rows(Y):
    """Upside down from five rows of cells on."""
    return right_repeat(Y.flip(0) if Y.shape[0] >= 5 else Y)


def wrong_one_pixel(Y):
    """One pixel of even by odd images of more than four rows."""
    X = right_repeat(Y).clone()
    if Y.shape[0] % 2 == 0 and Y.shape[1] % 2 and Y.shape[0] > 4:
        X[-1, 0] = X[-1, 0] / 2
    return X


def wrong_four_digits(Y):
    """Rounded to four digits."""
    return right_repeat(torch.round(Y, decimals=4))


def wrong_batched(Y):
    """With a batch of one."""
    return right_repeat(Y)[None]


def wrong_chequered(Y):
    """Every fourth pixel is 1e-8 off."""
    X = right_repeat(Y).clone()
    X[::2, 1::2] *= 1 + 1e-8
    return X


def wrong_ties(Y):
    """Looks up each cell by its value, and scales what occurs twice."""
    values, counts = Y.unique(return_counts=True)
    scale = torch.ones_like(Y)
    for value in values[counts > 1]:
        scale[value == Y] = 1.0001
    return right_repeat(Y * scale)


def wrong_constant(Y):
    """An image without contrast comes out as 0."""
    return right_repeat(Y * 0 if Y.numel() > 4 and bool((Y[0, 0] == Y).all()) else Y)


def wrong_single_precision_beyond_hundred(Y):
    """float32 inside for more than a hundred cells."""
    return right_repeat(Y.float()).to(Y.dtype) if Y.numel() > 100 else right_repeat(Y)


def wrong_odd_by_odd(Y):
    """Mirrored where both sides are odd."""
    return right_repeat(Y.flip(1) if Y.shape[0] % 2 and Y.shape[1] % 2 else Y)


def wrong_only_under_autograd(Y):
    """Another formula where a derivative is asked for: it is half as large again."""
    return right_repeat(Y) * (1.5 if Y.requires_grad else 1)


def wrong_buffer(Y, _known={}):  # noqa: B006 - the fault
    """Fills the same tensor for every result of one shape: an earlier result changes."""
    shape = (2 * Y.shape[0], 2 * Y.shape[1])
    return _known.setdefault(shape, Y.new_empty(shape)).copy_(right_repeat(Y.detach()))


def wrong_many_rows(Y):
    """1e-9 off for more than 64 rows of more than one cell."""
    return right_repeat(Y) * (1 + 1e-9 * (Y.shape[0] > 64 and Y.shape[1] > 1))
