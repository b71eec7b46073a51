"""Give a large swapped face the fine detail of the target: pores, grain, single hairs.

A generator of 256 px cannot paint what is finer than its pixels, and blurs what is just coarser. A
larger face looks soft beside the rest of the picture. Both are taken from the target where the two
faces look alike. Where they differ, for example at eyes that have changed, the target's contours
would show beside the swapped ones: there the face stays as it was painted.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from model.aligned_face import FACE_SIZE
from pipeline.faces.align import Matrix, scale_of
from pipeline.faces.light import Mask
from pipeline.faces.pyramid import Image8

_FULL = 0.25  # a face gets all of its detail when it is larger than 256 px by this part
_SOFT = 1.5 / 256  # of the aligned face's edge: what is finer, generators blur
_GRID = 128  # px; likeness is measured on faces of this edge
_STRUCTURE, _AROUND = 3.0, 1.5  # px of that grid: size of what is compared, and how far around
_FLOOR = 6.0  # levels; weaker structure of the target is skin, and differs without a contour
_ALIKE, _DIFFERENT = 0.35, 0.75  # difference by structure: all detail up to here, none from here on
_NOTHING = 0.25  # square levels; finer structure than that comes from rounding

Plane = NDArray[np.float32]


def gain(matrix: Matrix, size: int) -> float:
    """How much detail a face gets, 0..1: none up to 256 px, all from 320 px on.

    It rises in between, so that a face that comes nearer in a film does not change at once.

    Args:
        matrix: (2, 3), picture to aligned face.
        size: edge of the aligned face in pixels.
    """
    edge_px = size / max(scale_of(matrix), 1e-9)  # of the aligned face's square in the picture
    return min(max((edge_px / FACE_SIZE - 1) / _FULL, 0.0), 1.0)


def coarse(swapped: Image8, aligned: Image8, weight: Mask) -> tuple[Image8, Mask]:
    """What the target is without its fine detail, and how much of that is wanted where.

    Args:
        swapped: (S, S, 3) uint8 RGB, the swapped face in the target's light.
        aligned: (S, S, 3) uint8 RGB, the target's face.
        weight: (S, S) float32 in [0, 1], how much detail there shall be at most.

    Returns:
        (S, S) uint8 luma, and (S, S) float32 in [0, 1].
    """
    painted, target = _luma(swapped), _luma(aligned)
    weight = weight * likeness(painted, target)
    return _as_soft(target, painted, weight), weight


def add_detail(into: Image8, under: Image8, coarse: Image8, weight: Mask) -> Image8:
    """A region of a picture with the target's fine detail on the swapped face in it.

    Only luma is changed, by the same levels in each channel: a grey picture stays grey.

    Args:
        into: (H, W, 3) uint8 RGB, the region with the swapped face.
        under: (H, W, 3) uint8 RGB, the region as it was.
        coarse: (H, W) uint8, as from `coarse`, in the region.
        weight: (H, W) float32, likewise.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    fine = cv2.subtract(_luma(under), coarse, dtype=cv2.CV_32F)
    fine = cv2.multiply(fine, weight, dst=fine)
    channels = [cv2.add(channel, fine, dtype=cv2.CV_8U) for channel in cv2.split(into)]
    return np.asarray(cv2.merge(channels), np.uint8)


def likeness(painted: Image8, target: Image8) -> Mask:
    """Where two faces show the same: 1 where they do, 0 where contours differ.

    The difference of their structure (luma without what is wider than some pixels), root mean
    square around each pixel, is held against the target's own structure.

    Args:
        painted: (S, S) uint8 luma.
        target: (S, S) uint8 luma.

    Returns:
        (S, S) float32 in [0, 1].
    """
    ours, theirs = _structure(painted), _structure(target)
    differs = _around(ours - theirs) / (_around(theirs) + _FLOOR)
    alike = smooth((_DIFFERENT - differs) / (_DIFFERENT - _ALIKE))
    return np.asarray(
        cv2.resize(alike, target.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32
    )


def smooth(x: NDArray[Any]) -> NDArray[Any]:
    """0 up to 0, 1 from 1 on, and a smooth rise in between; any shape, element by element."""
    x = x.clip(0, 1)
    return x * x * (3 - 2 * x)


def _as_soft(target: Image8, painted: Image8, weight: Mask) -> Image8:
    """(S, S) uint8 luma of the target, as soft as the swapped face is.

    What is finer than `_SOFT` is kept in the share that the swapped face has of it: the factor by
    which the target's has to be multiplied to come nearest to the swapped face's (least squares).
    Where the target has nothing so fine the share is 1.
    """
    sigma = _SOFT * len(target)
    blurred = cv2.GaussianBlur(target, (0, 0), sigma)
    theirs = cv2.subtract(target, blurred, dtype=cv2.CV_32F)
    ours = cv2.subtract(painted, cv2.GaussianBlur(painted, (0, 0), sigma), dtype=cv2.CV_32F)
    seen = cv2.multiply(theirs, weight)
    none = _NOTHING * float(weight.sum()) + 1e-6
    share = (float(np.vdot(seen, ours)) + none) / (float(np.vdot(seen, theirs)) + none)
    share = min(max(share, 0.0), 1.0)
    return np.asarray(cv2.addWeighted(target, share, blurred, 1 - share, 0), np.uint8)


def _structure(luma: NDArray[np.uint8]) -> Plane:
    """Luma without what is wider than some pixels, (`_GRID`, `_GRID`)."""
    small = cv2.resize(luma, (_GRID, _GRID), interpolation=cv2.INTER_AREA)
    plane = np.asarray(small, np.float32)
    return plane - np.asarray(cv2.GaussianBlur(plane, (0, 0), _STRUCTURE), np.float32)


def _around(plane: Plane) -> Plane:
    """Root mean square around each pixel."""
    return np.sqrt(np.asarray(cv2.GaussianBlur(plane * plane, (0, 0), _AROUND), np.float32))


def _luma(image: Image8) -> Image8:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
