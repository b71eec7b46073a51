"""A picture and its halved copies, from which any region is resampled without aliasing."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from model.errors import ImageError
from pipeline.faces.align import Matrix, inverse, scale_of

Image8 = NDArray[np.uint8]
# A smooth cut first enlarges the region by the first factor, or by the second where it shrinks it.
_FINER, _FINER_TO_SHRINK = 3, 2
_TAPS = 3  # pixels; more than a bicubic kernel reaches


class Pyramid:
    """A picture and its copies at 1/2, 1/4, 1/8...; a copy is made when it is first needed."""

    def __init__(self, image: Image8) -> None:
        """Hold `image`, (H, W, 3) uint8 RGB, without a copy.

        Raises:
            ImageError: shape or dtype differ: it is grey, has transparency or is floating-point.
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
        """Resample a region of the picture.

        Args:
            matrix: (2, 3) similarity, pixels of the picture to pixels of the result, centres at the
                integers.
            size: edge of a square result in pixels, or its width and height.
            smooth: interpolate bicubically, for pictures that are shown; detectors need bilinear
                interpolation only.

        Returns:
            (height, width, 3) uint8 RGB; black where the picture ends.
        """
        level = min(max(0, math.floor(-math.log2(scale_of(matrix)))), self._deepest())
        shape = (size, size) if isinstance(size, int) else size
        resample = bicubic if smooth else _warped
        return resample(self._level(level), matrix @ _resized(2.0**level), shape)

    def coarse(self, shape: tuple[int, int]) -> Image8:
        """The whole picture resized to `shape`, a small width and height; it may be distorted."""
        level = max(0, min(int(math.log2(max(1, min(self.size) / min(shape)))), self._deepest()))
        shrunk = cv2.resize(self._level(level), shape, interpolation=cv2.INTER_AREA)
        return np.asarray(shrunk, np.uint8)

    def _deepest(self) -> int:
        # By the longer edge: a strip is halved until what a view needs of it is small, too.
        return max(0, int(math.log2(max(self.size))) - 1)

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


def bicubic(image: Image8, matrix: Matrix, shape: tuple[int, int]) -> Image8:
    """Enlarge the region bicubically, then warp it bilinearly.

    OpenCV's bicubic warp takes two to four times as long. Its quality is a little better: both
    portraits, cut out and put back, keep 36.4 and 48.2 dB with it, 36.0 and 45.9 dB this way.

    Args:
        image: (H, W, C) uint8, up to four channels.
        matrix: (2, 3), pixels of `image` to pixels of the result, centres at the integers. It may
            not shrink the picture much; `Pyramid.cut` may.
        shape: width and height of the result in pixels.

    Returns:
        (height, width, C) uint8; black where the picture ends.
    """
    finer = _FINER if scale_of(matrix) >= 1 else _FINER_TO_SHRINK
    return _warped(image, matrix, shape, finer)


def _warped(image: Image8, matrix: Matrix, shape: tuple[int, int], finer: int = 1) -> Image8:
    """Enlarge the region `finer` times bicubically, then warp it bilinearly.

    The whole picture is not warped: OpenCV refuses one with an edge of 32,767 px or more.
    """
    width, height = shape
    corners = np.array([[0, 0, 1], [width, 0, 1], [width, height, 1], [0, height, 1]])
    seen = corners @ inverse(matrix).T
    left, top = np.maximum(np.floor(seen.min(axis=0)).astype(int) - _TAPS, 0)
    right, bottom = np.maximum(np.ceil(seen.max(axis=0)).astype(int) + _TAPS, 0)
    part = image[top:bottom, left:right]
    if not part.size:
        return np.zeros((height, width, image.shape[2]), np.uint8)
    if finer > 1:
        large = cv2.resize(part, None, fx=finer, fy=finer, interpolation=cv2.INTER_CUBIC)
        part = np.asarray(large, np.uint8)
    matrix = matrix @ _resized(1 / finer, left, top)
    return np.asarray(cv2.warpAffine(part, matrix, shape, flags=cv2.INTER_LINEAR), np.uint8)


def _resized(step: float, left: int = 0, top: int = 0) -> Matrix:
    """(3, 3) matrix: pixels of a resized region to pixels of the picture, centres at integers.

    Args:
        step: width of one pixel of the region, in pixels of the picture.
        left: where the region begins in the picture, in pixels.
        top: likewise.
    """
    half = (step - 1) / 2
    return np.array([[step, 0, left + half], [0, step, top + half], [0, 0, 1]])
