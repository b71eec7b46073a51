"""Blend a swapped face into the target picture, inside a soft mask of the face."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.faces import detail
from pipeline.faces.align import Matrix, inverse, scale_of
from pipeline.faces.facemesh import MOUTH, OVAL, Points
from pipeline.faces.light import Mask, match_light
from pipeline.faces.occlusion import visible_skin
from pipeline.faces.pyramid import Image8, Pyramid, bicubic

_FEATHER = 0.07  # of the aligned face's edge, from the outline of the face inwards
_MOUTH_FEATHER = 0.015
_EDGE_PX = 4  # of the picture or the aligned face, the larger ones, from the picture's edge


@dataclass(frozen=True, slots=True)
class Blend:
    """How a swapped face is put over the target's.

    Attributes:
        opacity: 0 leaves the target as it is, 1 shows the swapped face alone.
        match_light: match the light and the colours to the target's face, see `light`.
        keep_mouth: keep the target's teeth and tongue.
        keep_occlusions: keep what covers the target's face and differs from its skin in colour.
        detail: give faces that are larger than 256 px the target's fine detail; smaller
            ones come out the same.
    """

    opacity: float = 1.0
    match_light: bool = True
    keep_mouth: bool = False
    keep_occlusions: bool = False
    detail: bool = True


def paste(
    into: Image8,
    swapped: Image8,
    aligned: Image8,
    matrix: Matrix,
    mesh: Points,
    blend: Blend | None = None,
) -> None:
    """Put `swapped` into a picture, in place; pixels outside of the mask keep their bits.

    Args:
        into: (H, W, 3) uint8 RGB, contiguous.
        swapped: (S, S, 3) uint8 RGB, what the generator made of `aligned`.
        aligned: (S, S, 3) uint8 RGB, the target's face.
        matrix: (2, 3), picture to aligned face.
        mesh: (468, 2) landmarks in the picture.
        blend: how; the default where None.
    """
    blend = blend or Blend()
    size = len(swapped)
    mask = face_mask(mesh @ matrix[:, :2].T + matrix[:, 2], size, keep_mouth=blend.keep_mouth)
    _fade_at_edge(mask, mesh, matrix, into.shape)
    if blend.keep_occlusions:
        mask *= visible_skin(aligned, mask)
    if blend.match_light:
        swapped = match_light(swapped, aligned, mask)

    region = _region(mask, matrix, into.shape)
    if region is None:
        return
    left, top, right, bottom = region
    back = inverse(matrix)
    back[:, 2] -= (left, top)
    under = into[top:bottom, left:right]
    weight = mask * np.float32(blend.opacity)
    if blend.detail and (gain := detail.gain(matrix, size)):
        mixed, weight = _mixed_finely(swapped, aligned, under, weight, gain, back)
    else:
        weight = _placed(weight, back, under)
        face = Pyramid(swapped).cut(back, (right - left, bottom - top), smooth=True)
        mixed = _mixed(face, under, weight)
    cv2.copyTo(mixed, (weight > 0).astype(np.uint8), under)


def _mixed_finely(
    swapped: Image8, aligned: Image8, under: Image8, weight: Mask, gain: float, back: Matrix
) -> tuple[Image8, Mask]:
    """A face with the target's fine detail over a region of the picture, and its weight there."""
    coarse, finer = detail.coarse(swapped, aligned, weight * np.float32(gain))
    # Planes that are warped together take little longer than one.
    both: Any = cv2.split(_placed(cv2.merge([weight, finer]), back, under))
    layers: Any = cv2.merge([swapped, coarse])
    layers = bicubic(layers, back, (under.shape[1], under.shape[0]))
    face: Any = cv2.cvtColor(layers, cv2.COLOR_RGBA2RGB)
    coarse = np.asarray(cv2.extractChannel(layers, 3), np.uint8)
    return detail.add_detail(_mixed(face, under, both[0]), under, coarse, both[1]), both[0]


def _placed(weights: Any, back: Matrix, under: Image8) -> Mask:
    """(S, S) or (S, S, N) float32 weights of an aligned face, in a region of the picture."""
    warped = cv2.warpAffine(weights, back, under.shape[1::-1], flags=cv2.INTER_LINEAR)
    return np.asarray(warped, np.float32).clip(0, 1)


def _mixed(face: Image8, under: Image8, weight: Mask) -> Image8:
    return np.asarray(cv2.blendLinear(face, under, weight, 1 - weight), np.uint8)


def face_mask(mesh: Points, size: int, *, keep_mouth: bool = False) -> Mask:
    """Where an aligned face is: the hull of its outline, soft on the inside.

    Args:
        mesh: (468, 2) landmarks in pixels of the aligned face.
        size: edge of the aligned face in pixels.
        keep_mouth: leave out what is between the lips.

    Returns:
        (size, size) float32 in [0, 1]; 0 on and outside of the hull and at the square's border.
    """
    outline = cv2.convexHull(mesh[list(OVAL)].astype(np.float32))
    inside = _fill(np.asarray(outline)[:, 0], size)
    inside[[0, -1]] = inside[:, [0, -1]] = 0
    mask = _ramp(inside, _FEATHER * size)
    if keep_mouth:
        mask *= _ramp(np.uint8(1) - _fill(mesh[list(MOUTH)], size), _MOUTH_FEATHER * size)
    return mask


def _fill(polygon: NDArray[Any], size: int) -> Image8:
    filled = np.zeros((size, size), np.uint8)
    cv2.fillPoly(filled, [np.rint(polygon).astype(np.int32)], (1,))
    return filled


def _fade_at_edge(mask: Mask, mesh: Points, matrix: Matrix, shape: tuple[int, ...]) -> None:
    """Let a mask fall to 0 at the picture's edge, in place.

    Beyond the edge the aligned face is black. The generator, and resampling both ways, mix that
    into the pixels beside it; and there is no light and no skin to judge by.

    Args:
        mask: (S, S) float32 of the aligned face.
        mesh: (468, 2) landmarks in the picture.
        matrix: (2, 3), picture to aligned face.
        shape: height and width of the picture in pixels, first.
    """
    reach = _EDGE_PX * max(1.0, 1 / max(scale_of(matrix), 1e-9))  # px of the picture
    if _room(mesh[:, 0], mesh[:, 1], shape).min() >= reach:
        return
    (a, b, c), (d, e, f) = inverse(matrix)
    x = np.arange(len(mask))
    y = x[:, None]
    mask *= detail.smooth(_room(a * x + b * y + c, d * x + e * y + f, shape) / reach)


def _room(x: NDArray[Any], y: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """How far places lie from the edge of a picture, in its pixels; below 0 outside."""
    right, bottom = shape[1] - 1, shape[0] - 1
    return np.minimum(np.minimum(x, right - x), np.minimum(y, bottom - y))


def _ramp(inside: Image8, width: float) -> Mask:
    """0 outside and on the edge, rising smoothly over `width` px from there inwards to 1."""
    away = np.asarray(cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_5), np.float32)
    # Resampling spreads a pixel to its neighbours: the first pixel stays 0.
    return detail.smooth((away - 1) / np.float32(width))


def _region(mask: Mask, matrix: Matrix, shape: tuple[int, ...]) -> tuple[int, int, int, int] | None:
    """Left, top, right and bottom of what `mask` covers in the picture; None where nothing."""
    x, y, width, height = cv2.boundingRect((mask > 0).astype(np.uint8))
    if not width:
        return None
    corners = np.array([[i, j, 1] for i in (x - 1, x + width) for j in (y - 1, y + height)])
    placed = corners @ inverse(matrix).T
    left, top = np.floor(placed.min(axis=0)).astype(int).clip(0)
    right, bottom = np.ceil(placed.max(axis=0)).astype(int) + 1
    right, bottom = min(right, shape[1]), min(bottom, shape[0])
    return (left, top, right, bottom) if left < right and top < bottom else None
