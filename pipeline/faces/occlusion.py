"""Find what covers a face, such as hair, a microphone or a cup, by its colour.

No network is used. A hand before the face has the colour of skin and is not found.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.faces.pyramid import Image8

# Distances from the skin's colour, in robust standard deviations: up to the first a pixel is skin,
# from the second on it is not, and in between it is in part.
_NEAR, _FAR = 4.0, 6.0
_LEAST_SPREAD = np.array([6.0, 3.0, 3.0], np.float32)  # of luma, Cr and Cb, in levels of 255
_SMOOTHING = 0.012  # of the aligned face's edge
_FEATURES = 0.06  # of the edge: lips, eyes and brows are narrower, and belong to the face


def visible_skin(aligned: Image8, mask: NDArray[np.float32]) -> NDArray[np.float32]:
    """Where the skin of a face is visible.

    Args:
        aligned: (S, S, 3) uint8 RGB.
        mask: (S, S) float32 in [0, 1], where the face is if nothing covers it.

    Returns:
        (S, S) float32 in [0, 1]: 0 on what covers the face.
    """
    size = len(aligned)
    blurred = cv2.GaussianBlur(aligned, (0, 0), _SMOOTHING * size)
    colour = np.asarray(cv2.cvtColor(blurred, cv2.COLOR_RGB2YCrCb), np.float32)
    inside = colour[mask > 0.5]
    if not len(inside):
        return np.ones_like(mask)
    skin = np.median(inside, axis=0)
    spread = np.maximum(1.5 * np.median(np.abs(inside - skin), axis=0), _LEAST_SPREAD)
    # Luma counts half: a shadow on the cheek is still skin.
    away = np.sqrt((((colour - skin) / spread) ** 2 * (0.25, 1, 1)).sum(axis=2))
    seen = ((_FAR - away) / (_FAR - _NEAR)).clip(0, 1).astype(np.float32)
    # Morphological closing fills small holes: eyes, brows and lips.
    reach = int(_FEATURES * size) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return np.asarray(cv2.morphologyEx(seen, cv2.MORPH_CLOSE, kernel), np.float32)
