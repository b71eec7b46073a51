"""Rounding of weights, as the formats store them, and the comparison of a layer's weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PALETTE_BITS = 6
_LLOYD_STEPS = 12  # k-means on numbers has settled by then
_SAME = 2e-3  # half precision rounds by up to 5e-4 of a value; twice, and relative to the largest


def per_channel(weights: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Round weights to 8 bits, symmetrically, with one scale per output channel.

    Args:
        weights: (O, ...), of a layer with O output channels.

    Returns:
        int8 of the same shape, in -127..127, and the scale of each channel, (O,).
    """
    flat = weights.reshape(len(weights), -1)
    scale = np.maximum(np.abs(flat).max(axis=1), 1e-12) / 127
    stored = np.rint(flat / scale[:, None]).clip(-127, 127).astype(np.int8)
    return stored.reshape(weights.shape), scale.astype(np.float32)


def rounded_per_channel(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """`weights`, (O, ...), after `per_channel` and back."""
    stored, scale = per_channel(weights)
    return stored * scale.reshape(-1, *[1] * (weights.ndim - 1))


def rounded_to_palette(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """`weights` with every value replaced by the nearest of 64, which k-means chooses."""
    values = np.sort(weights.ravel())
    palette = values[np.linspace(0, values.size - 1, 2**PALETTE_BITS).astype(int)]
    for _ in range(_LLOYD_STEPS):
        ends = np.searchsorted(values, (palette[1:] + palette[:-1]) / 2)
        groups = np.split(values, ends)
        means = [g.mean() if g.size else p for g, p in zip(groups, palette, strict=True)]
        palette = np.array(means, np.float32)
    chosen = np.searchsorted((palette[1:] + palette[:-1]) / 2, weights.ravel())
    return palette[chosen].reshape(weights.shape)


def same_layer(stored: NDArray[np.float32], weights: NDArray[np.float32]) -> bool:
    """Whether a file's weights are those of a PyTorch layer, both (O, ...).

    Converters fold a batch norm into the layer before it, so each output channel may have been
    multiplied by a number of its own, zero included; and fp16 files round.
    """
    if stored.shape != weights.shape:
        return False
    a, b = (w.reshape(len(w), -1).astype(np.float64) for w in (stored, weights))
    largest = np.abs(b).argmax(axis=1)[:, None]
    peaks = [np.take_along_axis(w, largest, axis=1) for w in (a, b)]
    live = ((peaks[0] != 0) & (peaks[1] != 0)).ravel()
    if not live.any():
        return not a.any() and not b.any()
    a, b = (w[live] / peak[live] for w, peak in zip((a, b), peaks, strict=True))
    return bool(np.abs(a - b).max() <= _SAME)
