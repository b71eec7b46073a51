"""How near two pictures, or two embeddings, are."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

PSNR_CAP_DB = 200.0  # identical pictures; JSON has no infinity, and float32 ends near 150 dB
LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # of R, G and B, BT.601


def psnr_db(a: NDArray[np.floating[Any]], b: NDArray[np.floating[Any]], peak: float) -> float:
    """Peak signal-to-noise ratio of two arrays of one shape, in dB.

    Args:
        a: any shape, in units where the largest possible value is `peak`.
        b: as `a`.
        peak: size of the value range, 1 for [0, 1] and 2 for [-1, 1].

    Returns:
        At most `PSNR_CAP_DB`; NaN when a value is not finite.
    """
    mse = float(np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2))
    if not math.isfinite(mse):
        return math.nan  # min() below would turn it into the best figure there is
    if mse == 0:
        return PSNR_CAP_DB
    return min(PSNR_CAP_DB, 10 * math.log10(peak**2 / mse))


def ssim(a: NDArray[np.floating[Any]], b: NDArray[np.floating[Any]]) -> float:
    """Structural similarity of two RGB pictures, (H, W, 3) float in [0, 1] (scikit-image)."""
    from skimage.metrics import structural_similarity

    return float(structural_similarity(a, b, channel_axis=2, data_range=1.0))


def cosine(a: NDArray[np.floating[Any]], b: NDArray[np.floating[Any]]) -> float:
    """Cosine of the angle between two embeddings of any norm, flattened."""
    a64, b64 = a.astype(np.float64).ravel(), b.astype(np.float64).ravel()
    return float(a64 @ b64 / (np.linalg.norm(a64) * np.linalg.norm(b64)))
