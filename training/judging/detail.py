"""Fine detail and colour noise of a swapped face, against those of the two real faces.

A generator that blurs has too little detail at eyes, mouth and cheeks; one that paints patches of
colour has too much chroma. Both are the mean absolute high pass (the picture minus its Gaussian of
2 px) of an aligned face of 256 px, divided by the mean of the source's and the target's. 1 is as in
photos.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.aligned_face import face_template
from pipeline.faces.pyramid import Image8
from pipeline.metrics import LUMA

SIZE = 256  # px; the measures below are of a face of this edge
_SIGMA = 2.0  # px
_EYE, _MOUTH, _CHEEK = (24, 16), (38, 20), (18, 18)  # half width and half height of a region, px
_CROP = 75  # px, half the edge of the region of chroma
_FLAT = 0.05  # levels; a face with less detail is a drawing, and its ratio means nothing

Float = NDArray[np.float32]


class Detail(NamedTuple):
    """Ratios to real faces; 1 is as in photos, None where the real faces are flat."""

    eyes: float | None
    mouth: float | None
    cheeks: float | None
    chroma: float | None


def detail(swapped: Image8, source: Image8, target: Image8) -> Detail:
    """Detail and chroma of a swapped face.

    Args:
        swapped: (256, 256, 3) HWC uint8 RGB, aligned.
        source: likewise.
        target: likewise.
    """
    found, *real = (_measures(picture) for picture in (swapped, source, target))
    wanted = np.mean(real, axis=0)
    ratios = [float(a / b) if b > _FLAT else None for a, b in zip(found, wanted, strict=True)]
    return Detail(*ratios)


def _measures(picture: Image8) -> list[float]:
    """Mean absolute high pass at eyes, mouth and cheeks, of luma; and of chroma, in levels."""
    rgb = picture.astype(np.float32)
    luma = rgb @ LUMA
    fine, red, blue = (high_pass(plane) for plane in (luma, rgb[..., 0] - luma, rgb[..., 2] - luma))
    template = np.array(face_template(SIZE))
    eyes, corners = template[:2], template[3:]
    crop = box(template.mean(axis=0), (_CROP, _CROP))
    return [
        _mean(fine, [box(eye, _EYE) for eye in eyes]),
        _mean(fine, [box(corners.mean(axis=0), _MOUTH)]),
        _mean(fine, cheeks()),
        (_mean(red, [crop]) + _mean(blue, [crop])) / 2,
    ]


def cheeks() -> list[tuple[slice, slice]]:
    """Rows and columns of both cheeks in an aligned face of `SIZE`."""
    left, right, _, *corners = np.array(face_template(SIZE))
    eyes = (left, right)
    return [box(0.5 * (eye + corner), _CHEEK) for eye, corner in zip(eyes, corners, strict=True)]


def high_pass(plane: Float) -> Float:
    """The absolute of a plane without what is coarser than 2 px, (S, S)."""
    import cv2

    return np.abs(plane - cv2.GaussianBlur(plane, (0, 0), _SIGMA))


def box(middle: NDArray[Any], half: tuple[int, int]) -> tuple[slice, slice]:
    """Rows and columns of a region; `middle` is x and y, `half` its half width and half height."""
    x, y = (round(float(value)) for value in middle)
    return slice(y - half[1], y + half[1]), slice(x - half[0], x + half[0])


def _mean(plane: Float, boxes: list[tuple[slice, slice]]) -> float:
    return float(np.mean([plane[box].mean() for box in boxes]))
