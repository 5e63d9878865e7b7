"""Convolution of images in plain NumPy, one image at a time: no buffer is larger than what one image needs.

The copy of all patches of an image, "im2col", takes kh kw times its size. Here only the kw shifts to the side are copied, to
columns(x) of shape (C kw, H W'); the kh shifts up and down are made after the product, by adding rows of it in other places:

    out[o, i] = sum over dy of y[dy, o, i + dy],    y = W (kh O, C kw) @ columns(x)
    dW        = sum over images of  y' @ columns(x)^T,    y' having g in the place of y
    dx        = the convolution of g with W turned by 180 degrees

``weight_gradient_at`` needs only the pixels of some positions: it gathers for each of them the places of g that the pixel
contributed to.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def out_size(size: int, kernel: int, stride: int, padding: int) -> int:
    """How many places a kernel takes along an axis."""
    return (size + 2 * padding - kernel) // stride + 1


class Columns:
    """The columns of one image after another, in one buffer; ``shifts`` says for each dy which rows of the output get which
    rows of the product (rows of zeros above and below the image are left out)."""

    def __init__(self, x: Array, kernel: tuple[int, int], stride: int, padding: int) -> None:
        _, channels, self.height, width = x.shape
        self.x = x
        self.out = tuple(out_size(n, k, stride, padding) for n, k in zip((self.height, width), kernel))
        padded = np.zeros((channels, self.height, width + 2 * padding), x.dtype)
        self.inside = padded[:, :, padding : padding + width]
        a, b, c = padded.strides
        shape = (channels, kernel[1], self.height, self.out[1])
        self.windows = np.lib.stride_tricks.as_strided(padded, shape, (a, c, b, stride * c), writeable=False)
        self.buffer = np.empty(shape, x.dtype)
        self.matrix = self.buffer.reshape(channels * kernel[1], -1)
        self.shifts = []
        for dy in range(kernel[0]):
            first = max(0, -((dy - padding) // stride))
            last = min(self.out[0], (self.height - 1 + padding - dy) // stride + 1)
            start = first * stride + dy - padding
            rows = slice(start, start + stride * (last - first - 1) + 1, stride) if last > first else slice(0)
            self.shifts.append((dy, slice(first, max(first, last)), rows))

    def of(self, i: int) -> Array:
        """Those of image i, shape (C kw, H W'); overwritten by the next."""
        self.inside[...] = self.x[i]
        self.buffer[...] = self.windows
        return self.matrix


def convolve(x: Array, weight: Array, bias: Any, stride: int = 1, padding: int = 0) -> Array:
    """x (B, C, H, W) with weight (O, C, kh, kw): (B, O, H', W')."""
    outputs, channels, kh, kw = weight.shape
    columns = Columns(x, (kh, kw), stride, padding)
    matrix = weight.transpose(2, 0, 1, 3).reshape(kh * outputs, channels * kw)
    product = np.empty((kh, outputs, columns.height, columns.out[1]), x.dtype)
    flat = product.reshape(kh * outputs, -1)
    out = np.empty((len(x), outputs, *columns.out), x.dtype)
    for i, image in enumerate(out):
        np.matmul(matrix, columns.of(i), out=flat)
        image[...] = bias[:, None, None]
        for dy, to, rows in columns.shifts:
            target = image[:, to]
            target += product[dy, :, rows]
    return out


def weight_gradient(g: Array, x: Array, shape: tuple[int, ...], stride: int, padding: int) -> Array:
    """The gradient of the weight, of this shape, from all pixels of x."""
    outputs, channels, kh, kw = shape
    columns = Columns(x, (kh, kw), stride, padding)
    product = np.zeros((kh, outputs, columns.height, columns.out[1]), g.dtype)
    flat = product.reshape(kh * outputs, -1)
    total = np.zeros((kh * outputs, channels * kw), g.dtype)
    part = np.empty_like(total)
    for i, image in enumerate(g):
        for dy, to, rows in columns.shifts:
            product[dy, :, rows] = image[:, to]
        np.matmul(flat, columns.of(i).T, out=part)
        total += part
    return np.ascontiguousarray(total.reshape(kh, outputs, channels, kw).transpose(1, 2, 0, 3))


def input_gradient(g: Array, weight: Array, shape: tuple[int, ...], stride: int, padding: int) -> Array:
    """The gradient of x, of this shape."""
    kernel = weight.shape[2:]
    turned = np.ascontiguousarray(weight[:, :, ::-1, ::-1].swapaxes(0, 1))
    none = np.zeros(len(turned), g.dtype)
    if stride == 1 and kernel[0] == kernel[1] > padding:
        return convolve(g, turned, none, padding=kernel[0] - 1 - padding)
    return convolve(_spread(g, shape, kernel, stride, padding), turned, none)


def _spread(g: Array, shape: tuple[int, ...], kernel: tuple[int, ...], stride: int, padding: int) -> Array:
    """g with zeros between its places where the stride left some out, and around, so that a window meets each x once."""
    sizes = [n + k - 1 for n, k in zip(shape[2:], kernel)]
    out = np.zeros((*g.shape[:2], *sizes), g.dtype)
    rows, columns = (_places(n, k, stride, padding, s) for n, k, s in zip(g.shape[2:], kernel, sizes))
    out[:, :, rows[1], columns[1]] = g[:, :, rows[0], columns[0]]
    return out


def _places(n: int, k: int, stride: int, padding: int, size: int) -> tuple[slice, slice]:
    """Which places of g fall inside an axis of the spread array, and where."""
    first = k - 1 - padding
    skip = -(first // stride) if first < 0 else 0
    last = min(n, (size - 1 - first) // stride + 1)
    return slice(skip, last), slice(first + skip * stride, first + (last - 1) * stride + 1, stride)


def weight_gradient_at(
    g: Array, pixels: Array, index: Array, size: tuple[int, ...], shape: tuple[int, ...], stride: int, padding: int
) -> Array:
    """The gradient of the weight, of this shape, from some pixels of x alone.

    ``pixels``: (B, C, K), those at the flat positions ``index`` of images of this size; ``index``: (K,), or (B, K) with
    positions of its own for each image. Cost and memory: K / (H W) of ``weight_gradient``.
    """
    out_channels, _, kh, kw = shape
    spread = _spread(g, (0, 0, *size), (kh, kw), stride, padding)
    height, width = spread.shape[2:]
    # window (dy, dx) of x at (r, c) sits at (r + kh - 1 - dy, c + kw - 1 - dx) of the spread array
    corner = (index // size[1]) * width + index % size[1]
    offsets = ((kh - 1 - np.arange(kh))[:, None] * width + (kw - 1 - np.arange(kw))).ravel()
    total = np.zeros((shape[1], kh * kw * out_channels), g.dtype)
    part = np.empty_like(total)
    for i in range(len(g)):
        places = np.ascontiguousarray(spread[i].reshape(out_channels, height * width).T)
        at = corner if index.ndim == 1 else corner[i]
        gathered = places.take((at[:, None] + offsets).ravel(), axis=0).reshape(at.size, -1)
        np.matmul(pixels[i], gathered, out=part)
        total += part
    return np.ascontiguousarray(total.reshape(shape[1], kh, kw, out_channels).transpose(3, 0, 1, 2))
