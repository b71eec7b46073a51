"""How far two faces differ in pose and in expression, from their landmarks in three dimensions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.faces.facemesh import Points

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


class Fit(NamedTuple):
    """The similarity that takes one set of points onto another: scale * rotation @ p + shift."""

    scale: float
    rotation: NDArray[np.float64]  # (3, 3), determinant 1
    shift: NDArray[np.float64]  # (3,)


def fit(points: Points, onto: Points) -> Fit:
    """Rotation, uniform scale and shift by least squares (Umeyama, PAMI 1991); it never mirrors.

    Args:
        points: (N, 3) float64, N >= 3 and not on one line.
        onto: (N, 3) float64, likewise.
    """
    middle, wanted = points.mean(axis=0), onto.mean(axis=0)
    a, b = points - middle, onto - wanted
    u, strength, vt = np.linalg.svd(b.T @ a)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    rotation = u @ np.diag(sign) @ vt
    scale = float((strength * sign).sum() / max(1e-12, (a**2).sum()))
    return Fit(scale, rotation, wanted - scale * rotation @ middle)


def pose_error_deg(face: Points, other: Points) -> float:
    """The angle between two heads, in degrees, 0..180.

    Args:
        face: (468, 3) landmarks, see `training.data.landmarks`.
        other: likewise.
    """
    rotation = fit(face[list(RIGID)], other[list(RIGID)]).rotation
    return float(np.degrees(np.arccos(np.clip((np.trace(rotation) - 1) / 2, -1, 1))))


def expression_error(face: Points, other: Points) -> float:
    """How far lips, lids and brows lie apart once the heads coincide, in percent of eye distance.

    The root of the mean square over the points. A swap that puts another person's mouth into the
    face is off by its shape too, so that 0 is not what a good swap reaches.

    Args:
        face: (468, 3) landmarks, see `training.data.landmarks`.
        other: likewise; its outer eye corners give the distance.
    """
    scale, rotation, shift = fit(face[list(RIGID)], other[list(RIGID)])
    moved = scale * face[list(EXPRESSIVE)] @ rotation.T + shift
    apart = ((moved - other[list(EXPRESSIVE)]) ** 2).sum(axis=1).mean()
    left, right = other[list(_OUTER_EYES)]
    return float(100 * np.sqrt(apart) / np.linalg.norm(right - left))
