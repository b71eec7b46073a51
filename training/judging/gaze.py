"""Where two faces look: the iris against the corners of the eye.

The mesh has no point on the iris. Iris and pupil are what is dark between the lids, so their
place is the centroid of darkness there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.faces.facemesh import Points
from pipeline.faces.pyramid import Image8
from pipeline.metrics import LUMA

# The line of the lids, and the outer and inner corner, of each eye.
_RIGHT = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
_LEFT = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
_EYES = ((_RIGHT, 33, 133), (_LEFT, 263, 362))
_LEAST_AREA = 0.1  # of the eye's width squared; between closed lids there is nothing to see
_LEAST_CONTRAST = 12.0  # levels
_WHITE = 95  # percentile of luma that counts as the white of the eye


def gaze_error(face: Image8, mesh: Points, other: Image8, other_mesh: Points) -> float | None:
    """Mean distance of the irises' places, in percent of the eye's width.

    Args:
        face: (S, S, 3) HWC uint8 RGB, aligned.
        mesh: (468, 3) landmarks of it, see `training.data.landmarks`.
        other: likewise.
        other_mesh: likewise.

    Returns:
        None where no eye can be seen in both faces.
    """
    apart = [
        float(np.linalg.norm(a - b))
        for a, b in zip(iris_places(face, mesh), iris_places(other, other_mesh), strict=True)
        if a is not None and b is not None
    ]
    return 100 * float(np.mean(apart)) if apart else None


def iris_places(face: Image8, mesh: Points) -> tuple[NDArray[np.float64] | None, ...]:
    """Place of the iris in each eye, right eye of the person first.

    Args:
        face: (S, S, 3) HWC uint8 RGB, aligned.
        mesh: (468, 3) landmarks of it.

    Returns:
        (x, y) from the middle of the corners, in widths of the eye, x from the outer to the inner
        corner; None where the eye is closed or shows no contrast.
    """
    luma = face.astype(np.float32) @ LUMA
    return tuple(
        _place(luma, mesh[list(lids), :2], mesh[outer, :2], mesh[inner, :2])
        for lids, outer, inner in _EYES
    )


def _place(
    luma: NDArray[np.float32],
    lids: NDArray[np.float64],
    outer: NDArray[np.float64],
    inner: NDArray[np.float64],
) -> NDArray[np.float64] | None:
    import cv2

    opened = np.zeros(luma.shape, np.uint8)
    along = inner - outer
    bits = 4  # fixed point of fillPoly
    cv2.fillPoly(opened, [np.rint(lids * 2**bits).astype(np.int32)], (1,), shift=bits)
    rows, columns = np.nonzero(opened)
    if len(rows) < _LEAST_AREA * float(along @ along):
        return None
    seen = luma[rows, columns]
    white = float(np.percentile(seen, _WHITE))
    if white - float(seen.min()) < _LEAST_CONTRAST:
        return None
    dark = np.clip(white - seen, 0, None) ** 2  # squared: lashes and shade count little
    middle = np.array([(columns * dark).sum(), (rows * dark).sum()]) / dark.sum()
    across = np.array([-along[1], along[0]])
    offset = middle - (outer + inner) / 2
    return np.array([offset @ along, offset @ across]) / float(along @ along)
