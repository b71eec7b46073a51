"""How the pixels of a video are turned, mirrored and stretched when it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pipeline.faces.pyramid import Image8

_ONE = 1 << 16  # 1.0 in the 16.16 fixed point of a display matrix


@dataclass(frozen=True, slots=True)
class Orientation:
    """The display matrix of a video, and the turns and flips nearest to it.

    Attributes:
        matrix: nine integers, as FFmpeg stores them: (a, b, u, c, d, v, x, y, w), where a pixel
            (p, q) is shown at (a p + c q + x, b p + d q + y); None where it is shown as stored.
        swaps: rows become columns.
        mirrors: left and right change places, after `swaps`.
        flips: top and bottom change places, after `swaps`.
    """

    matrix: tuple[int, ...] | None = None
    swaps: bool = False
    mirrors: bool = False
    flips: bool = False

    @classmethod
    def of(cls, frame: Any) -> Self:
        """That of a decoded PyAV frame."""
        for data in frame.side_data:
            if data.type.name == "DISPLAYMATRIX":
                matrix = tuple(int(v) for v in np.frombuffer(bytes(data), np.int32))
                return cls._of_matrix(matrix) if len(matrix) == 9 else cls()
        return cls()

    @classmethod
    def _of_matrix(cls, matrix: tuple[int, ...]) -> Self:
        a, b, _, c, d, *_ = matrix
        if max(abs(a), abs(d)) >= max(abs(b), abs(c)):
            return cls(matrix, False, a < 0, d < 0)
        return cls(matrix, True, c < 0, b < 0)

    @property
    def is_exact(self) -> bool:
        """Whether the matrix is one of the eight turns and flips, without scale or slant."""
        if self.matrix is None:
            return True
        a, b, u, c, d, v, *_ = self.matrix
        zeros, ones = ((a, d), (b, c)) if self.swaps else ((b, c), (a, d))
        return not any((*zeros, u, v)) and all(abs(one) == _ONE for one in ones)

    def upright(self, image: Image8) -> Image8:
        """(H, W, 3) as stored to (H, W, 3), or (W, H, 3) where it swaps, as shown; a view."""
        shown = image.swapaxes(0, 1) if self.swaps else image
        shown = shown[:, ::-1] if self.mirrors else shown
        return shown[::-1] if self.flips else shown

    def stored(self, shown: Image8) -> Image8:
        """The inverse of `upright`; a view."""
        image = shown[::-1] if self.flips else shown
        image = image[:, ::-1] if self.mirrors else image
        return image.swapaxes(0, 1) if self.swaps else image


def square_pixels(width: int, height: int, aspect: Fraction | None) -> tuple[int, int]:
    """Width and height in square pixels, none of them smaller, of a video with other pixels.

    Args:
        width: in stored pixels.
        height: in stored pixels.
        aspect: width of a pixel divided by its height; None where it is not known.
    """
    if not aspect or aspect <= 0:
        return width, height
    if aspect >= 1:
        return round(width * aspect), height
    return width, round(height / aspect)


def plane_views(frame: Any) -> list[NDArray[np.uint8]]:
    """The planes of an 8-bit planar PyAV frame, (H, W) uint8 each; they share its memory."""
    return [
        np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: plane.height, : plane.width]
        for plane in frame.planes
    ]
