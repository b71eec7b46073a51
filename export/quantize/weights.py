"""Weights in 8 bits, as every format here stores them: symmetric, one scale per output channel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def per_channel(weights: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Round weights.

    Args:
        weights: (O, ...), of a layer with O output channels.

    Returns:
        int8 of the same shape, in -127..127, and the scale of each channel, (O,).
    """
    flat = weights.reshape(len(weights), -1)
    scale = np.maximum(np.abs(flat).max(axis=1), 1e-12) / 127
    stored = np.rint(flat / scale[:, None]).clip(-127, 127).astype(np.int8)
    return stored.reshape(weights.shape), scale.astype(np.float32)
