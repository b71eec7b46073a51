"""A picture at halved sizes, so that any cut-out of it is sampled without aliasing."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from model.errors import ImageError
from pipeline.faces.align import Matrix, inverse

Image8 = NDArray[np.uint8]
_FINER, _FINER_TO_SHRINK = 3, 2  # how much a smooth cut enlarges first
_TAPS = 3  # a bicubic kernel reaches less far than that many pixels


class Pyramid:
    """A picture and, made when first needed, its half, quarter, eighth..."""

    def __init__(self, image: Image8) -> None:
        """Hold `image`, (H, W, 3) uint8 RGB, without a copy.

        Raises:
            ImageError: it is something else, grey or with transparency or floating-point for one.
        """
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
            raise ImageError(
                f"the picture is {image.shape} {image.dtype}; expected (height, width, 3) uint8 "
                "RGB. pipeline.media.photo.read() makes it of any photo"
            )
        self._levels = [image]

    @property
    def image(self) -> Image8:
        """The picture itself."""
        return self._levels[0]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        height, width = self.image.shape[:2]
        return width, height

    def cut(self, matrix: Matrix, size: int | tuple[int, int], *, smooth: bool = False) -> Image8:
        """Resample by `matrix`.

        Args:
            matrix: (2, 3), picture to cut-out, pixel centres at the integers; a similarity.
            size: edge of a square cut-out in pixels, or its width and height.
            smooth: bicubic where a picture is wanted; bilinear does for detectors.

        Returns:
            (height, width, 3) uint8 RGB; black where the picture ends.
        """
        scale = math.sqrt(abs(np.linalg.det(matrix[:, :2])))
        level = min(max(0, math.floor(-math.log2(scale))), self._deepest())
        shape = (size, size) if isinstance(size, int) else size
        resample = bicubic if smooth else _bilinear
        return resample(self._level(level), matrix @ _resized(2.0**level), shape)

    def coarse(self, shape: tuple[int, int]) -> Image8:
        """All of the picture at `shape`, a small width and height, whatever its proportions."""
        level = max(0, min(int(math.log2(max(1, min(self.size) / min(shape)))), self._deepest()))
        shrunk = cv2.resize(self._level(level), shape, interpolation=cv2.INTER_AREA)
        return np.asarray(shrunk, np.uint8)

    def _deepest(self) -> int:
        return max(0, int(math.log2(max(1, min(self.size)))) - 1)

    def _level(self, level: int) -> Image8:
        while len(self._levels) <= level:
            last = self._levels[-1]
            height, width = last.shape[:2]
            if height % 2 or width % 2:
                last = np.asarray(
                    cv2.copyMakeBorder(last, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE),
                    np.uint8,
                )
            half = cv2.resize(
                last, ((width + 1) // 2, (height + 1) // 2), interpolation=cv2.INTER_AREA
            )
            self._levels.append(np.asarray(half, np.uint8))
        return self._levels[level]


def _bilinear(image: Image8, matrix: Matrix, shape: tuple[int, int]) -> Image8:
    return np.asarray(cv2.warpAffine(image, matrix, shape, flags=cv2.INTER_LINEAR), np.uint8)


def bicubic(image: Image8, matrix: Matrix, shape: tuple[int, int]) -> Image8:
    """Enlarge what is seen by cubic curves, then go between its pixels in straight lines.

    OpenCV's own bicubic warp takes two to four times as long. A portrait that is cut out and put
    back comes out at 36.0 and 45.9 dB this way, at 36.4 and 48.2 that way.

    Args:
        image: (H, W) or (H, W, 3) uint8.
        matrix: (2, 3), picture to cut-out, pixel centres at the integers; no strong reduction,
            which needs a `Pyramid`.
        shape: width and height of the cut-out in pixels.

    Returns:
        (height, width) or (height, width, 3) uint8; black where the picture ends.
    """
    width, height = shape
    corners = np.array([[0, 0, 1], [width, 0, 1], [width, height, 1], [0, height, 1]])
    seen = corners @ inverse(matrix).T
    left, top = np.maximum(np.floor(seen.min(axis=0)).astype(int) - _TAPS, 0)
    right, bottom = np.maximum(np.ceil(seen.max(axis=0)).astype(int) + _TAPS, 0)
    part = image[top:bottom, left:right]
    if not part.size:
        return np.zeros((height, width, *image.shape[2:]), np.uint8)
    finer = _FINER if np.linalg.det(matrix[:, :2]) >= 1 else _FINER_TO_SHRINK
    large = cv2.resize(part, None, fx=finer, fy=finer, interpolation=cv2.INTER_CUBIC)
    return _bilinear(np.asarray(large, np.uint8), matrix @ _resized(1 / finer, left, top), shape)


def _resized(step: float, left: int = 0, top: int = 0) -> Matrix:
    """(3, 3): pixels of a resized part to the picture's, centres at the integers in both.

    Args:
        step: how many pixels of the picture one of the part is wide.
        left: where the part begins in the picture, in pixels.
        top: likewise.
    """
    half = (step - 1) / 2
    return np.array([[step, 0, left + half], [0, step, top + half], [0, 0, 1]])
