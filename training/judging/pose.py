"""Difference of two faces in pose and expression, from 3D landmarks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.faces.facemesh import Points

if TYPE_CHECKING:
    from skimage.transform import SimilarityTransform

# Points that expressions do not move: bridge of the nose, corners of the eyes, temples, forehead.
RIGID = (
    *(168, 6, 197, 195, 5, 4, 98, 327, 33, 133, 362, 263),
    *(10, 67, 297, 103, 332, 54, 284, 109, 338, 9, 8, 151, 127, 356, 162, 389, 21, 251),
)
# Points that expressions move: lips, lids, brows.
_LIPS = (61, 291, 0, 17, 13, 14, 39, 269, 181, 405, 78, 308)
_LIDS = (159, 145, 160, 144, 158, 153, 386, 374, 385, 380, 387, 373)
_BROWS = (70, 63, 105, 66, 107, 300, 293, 334, 296, 336)
EXPRESSIVE = (*_LIPS, *_LIDS, *_BROWS)
_OUTER_EYES = (33, 263)


def fit(points: Points, onto: Points) -> SimilarityTransform:
    """Rotation, uniform scale and shift by least squares (Umeyama, PAMI 1991); it never mirrors.

    Args:
        points: (N, 3) float64, N >= 3 and not on one line.
        onto: (N, 3) float64, likewise.

    Returns:
        The transform that takes `points` onto `onto` when it is called.
    """
    from skimage.transform import SimilarityTransform

    found = SimilarityTransform(dimensionality=3)
    found.estimate(points, onto)
    return found


def pose_error_deg(face: Points, other: Points) -> float:
    """The angle between two heads, in degrees, 0..180.

    Args:
        face: (468, 3) landmarks, see `training.data.landmarks`.
        other: likewise.
    """
    found = fit(face[list(RIGID)], other[list(RIGID)])
    rotation = found.params[:3, :3] / found.scale
    return float(np.degrees(np.arccos(np.clip((np.trace(rotation) - 1) / 2, -1, 1))))


def expression_error(face: Points, other: Points) -> float:
    """Distance of lips, lids and brows after aligning the heads, in percent of the eye distance.

    The root mean square over the points. The shape of the source's features counts too, so a good
    swap is above 0.

    Args:
        face: (468, 3) landmarks, see `training.data.landmarks`.
        other: likewise; its outer eye corners give the distance.
    """
    moved = fit(face[list(RIGID)], other[list(RIGID)])(face[list(EXPRESSIVE)])
    apart = ((moved - other[list(EXPRESSIVE)]) ** 2).sum(axis=1).mean()
    left, right = other[list(_OUTER_EYES)]
    return float(100 * np.sqrt(apart) / np.linalg.norm(right - left))
