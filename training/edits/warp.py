"""Warp a face so that its landmarks move, and the pixels around them move along smoothly."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.faces.facemesh import Points
from training.edits.subject import EditedFace, Mask, Pixels

_COARSE = 4  # pixels; the field is smooth and is computed at every fourth pixel
_STIFF = 0.35  # weight of no displacement where no landmark is near


def field(subject: EditedFace, moves: Points, reach: float) -> NDArray[np.float32]:
    """The displacement field of a warp: for each pixel of the result, source minus own position.

    It is a weighted mean of the landmarks' displacements. A landmark's weight falls smoothly to 0
    at the distance `reach`, so pixels far from all landmarks do not move.

    Args:
        subject: the face.
        moves: (468, 2) pixels, displacement of each landmark.
        reach: in eye distances.

    Returns:
        (S, S, 2) float32 pixels.
    """
    points = subject.mesh[:, :2] + moves
    places = np.arange(0, subject.size + _COARSE, _COARSE, dtype=np.float32)
    x, y = np.meshgrid(places, places)
    away = (x.ravel()[:, None] - points[:, 0].astype(np.float32)) ** 2
    away += (y.ravel()[:, None] - points[:, 1].astype(np.float32)) ** 2
    weight = np.maximum(0, 1 - away / np.float32((reach * subject.unit) ** 2)) ** 3
    # The fourth power favours the nearest landmark, since landmarks are dense at eyes and mouth.
    near = weight**4
    total = near.sum(axis=1, keepdims=True)
    pulled = near @ moves.astype(np.float32) / (total + _STIFF * np.exp(-8 * total))
    coarse = pulled.reshape(len(places), len(places), 2)
    # Coarse sample i is at pixel 4 i; cv2.resize would put it into the middle of its cell.
    scale = np.array([[1 / _COARSE, 0, 0], [0, 1 / _COARSE, 0]])
    full: Any = cv2.warpAffine(
        coarse, scale, (subject.size, subject.size), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return np.asarray(-full, np.float32)


def moved(pixels: Pixels | Mask, shift: NDArray[np.float32]) -> Any:
    """Warp a picture or mask by a displacement field; pixels that do not move keep their values.

    Args:
        pixels: (S, S, 3) or (S, S) float32, 0..255.
        shift: (S, S, 2) float32 pixels, see `field`.

    Returns:
        As `pixels`.
    """
    size = len(pixels)
    y, x = np.mgrid[:size, :size].astype(np.float32)
    warped = cv2.remap(
        pixels, x + shift[..., 0], y + shift[..., 1], cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REFLECT_101,
    )  # fmt: skip
    still = np.abs(shift).max(axis=-1) < 1 / 64
    result = np.where(still[..., None] if pixels.ndim == 3 else still, pixels, warped)
    return result.clip(0, 255).astype(np.float32)
