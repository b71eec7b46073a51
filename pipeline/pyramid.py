"""A picture at halved sizes, so that any cut-out of it is sampled without aliasing."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from model.errors import ImageError
from pipeline.align import Matrix

Image8 = NDArray[np.uint8]


class Pyramid:
    """A picture and, made when first needed, its half, quarter, eighth..."""

    def __init__(self, image: Image8) -> None:
        """Keep `image`, (H, W, 3) uint8 RGB, as it is: nothing is copied.

        Raises:
            ImageError: it is something else, grey or with transparency or floating-point for one.
        """
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
            raise ImageError(
                f"the picture is {image.shape} {image.dtype}; expected (height, width, 3) uint8 "
                "RGB. pipeline.photo.read() makes it of any photo"
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
        # Pixel x of the picture is (x + 0.5) / 2**level - 0.5 of the level.
        up = 2.0**level
        grown = np.array([[up, 0, (up - 1) / 2], [0, up, (up - 1) / 2], [0, 0, 1]])
        flags = cv2.INTER_CUBIC if smooth else cv2.INTER_LINEAR
        shape = (size, size) if isinstance(size, int) else size
        cut: Any = cv2.warpAffine(self._level(level), matrix @ grown, shape, flags=flags)
        return cut

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
