"""How far two faces differ in pose and in expression, from their landmarks in three dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.faces.facemesh import Points

if TYPE_CHECKING:
    from skimage.transform import SimilarityTransform

# Points that the skull holds in place whatever the face does: bridge of the nose, corners of the
# eyes, temples, forehead.
RIGID = (
    *(168, 6, 197, 195, 5, 4, 98, 327, 33, 133, 362, 263),
    *(10, 67, 297, 103, 332, 54, 284, 109, 338, 9, 8, 151, 127, 356, 162, 389, 21, 251),
)
# Points that make an expression: lips, lids, brows.
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
    """How far lips, lids and brows lie apart once the heads coincide, in percent of eye distance.

    The root of the mean square over the points. A swap that puts another person's mouth into the
    face is off by its shape too, so that 0 is not what a good swap reaches.

    Args:
        face: (468, 3) landmarks, see `training.data.landmarks`.
        other: likewise; its outer eye corners give the distance.
    """
    moved = fit(face[list(RIGID)], other[list(RIGID)])(face[list(EXPRESSIVE)])
    apart = ((moved - other[list(EXPRESSIVE)]) ** 2).sum(axis=1).mean()
    left, right = other[list(_OUTER_EYES)]
    return float(100 * np.sqrt(apart) / np.linalg.norm(right - left))
