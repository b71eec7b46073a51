"""The views of a picture that are searched for faces: the whole picture, turned copies and tiles.

A view is a (2, 3) float64 matrix from the picture's pixels to the unit square.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from pipeline.faces.align import Matrix
from pipeline.faces.facemesh import turned
from pipeline.faces.pyramid import Pyramid

# Measured with both portraits: the full-range detector finds every face whose landmarks span at
# least 1/12 of a view's edge and whose middle is at least 3/4 of that span away from the edge.
_FACES_PER_VIEW = 10.8  # edge of a tile over the smallest face in it: 12 less a tenth as a margin
_STEP = 0.72  # of a tile's edge: a face that is too small for larger tiles lies within one tile


def whole(pyramid: Pyramid, turn_deg: float) -> Matrix:
    """The view of the whole picture, turned by `turn_deg` about its middle."""
    width, height = pyramid.size
    turn = math.radians(turn_deg)
    c, s = math.cos(turn), math.sin(turn)
    extent = max(width * abs(c) + height * abs(s), width * abs(s) + height * abs(c))
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    upright = np.column_stack([np.eye(2), 0.5 - middle])
    return turned(upright, turn_deg, 1 / extent)


def tiles(pyramid: Pyramid, least_px: float) -> Iterator[list[Matrix]]:
    """Overlapping upright square views, one list per size, the largest size first.

    Each size is half of the one before. With `least_px` 20 there are about 56 views per million
    pixels.

    Args:
        pyramid: the picture.
        least_px: the smallest face to find, in pixels from ear to ear.
    """
    longest, side = max(pyramid.size), _FACES_PER_VIEW * least_px
    if side >= longest:
        return
    for halvings in range(math.ceil(math.log2(longest / side)) - 1, -1, -1):
        yield _grid(pyramid.size, side * 2**halvings)


def _grid(size: tuple[int, int], side: float) -> list[Matrix]:
    """Views of `side` px that cover a picture of `size`, its width and height in pixels.

    No view reaches beyond the picture, unless the picture is smaller than one view.
    """
    columns, rows = (
        np.linspace(0, room := max(0.0, edge - side), math.ceil(room / (_STEP * side)) + 1)
        for edge in size
    )
    return [
        np.column_stack([np.eye(2) / side, (0.5 - np.array([left, top])) / side])
        for top in rows
        for left in columns
    ]
