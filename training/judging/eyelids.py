"""How far open the eyes of two faces are, from their landmarks."""

from __future__ import annotations

import numpy as np

from pipeline.faces.facemesh import Points

# Of each eye: upper lid, lower lid, outer and inner corner.
_EYES = ((159, 145, 33, 133), (386, 374, 263, 362))


def openness(face: Points) -> tuple[float, float]:
    """Distance of the lids divided by the distance of the corners, of each eye.

    Args:
        face: (468, 3) landmarks, see `training.data.landmarks`.
    """
    right, left = (
        float(np.linalg.norm(face[up] - face[low]))
        / max(1e-9, float(np.linalg.norm(face[outer] - face[inner])))
        for up, low, outer, inner in _EYES
    )
    return right, left


def blink_error(face: Points, other: Points) -> float:
    """Mean difference of the eyes' openness, in percent of the eye's width.

    Args:
        face: (468, 3) landmarks.
        other: likewise.
    """
    return float(100 * np.abs(np.subtract(openness(face), openness(other))).mean())
