"""The views of a picture in which faces are looked for: all of it, turned, and tiles of it.

A view is a (2, 3) matrix from the picture's pixels to the unit square.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from pipeline.faces.align import Matrix
from pipeline.faces.facemesh import turned
from pipeline.faces.pyramid import Pyramid

# Measured with both portraits: the full-range detector finds every face whose landmarks span a
# twelfth of a view, if three quarters of a face lie between its middle and the view's edge.
_FACES_PER_VIEW = 10.8  # with a tenth to spare
_STEP = 0.72  # of a tile's edge: a face too small for the next larger tiles fits into one of these


def whole(pyramid: Pyramid, turn_deg: float) -> Matrix:
    """All of the picture, turned about its middle."""
    width, height = pyramid.size
    turn = math.radians(turn_deg)
    c, s = math.cos(turn), math.sin(turn)
    extent = max(width * abs(c) + height * abs(s), width * abs(s) + height * abs(c))
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    upright = np.column_stack([np.eye(2), 0.5 - middle])
    return turned(upright, turn_deg, 1 / extent)


def tiles(pyramid: Pyramid, least_px: float) -> Iterator[list[Matrix]]:
    """Overlapping upright squares of halving size, the largest ones first, one list per size.

    There are about 56 per million pixels at 20 px.

    Args:
        pyramid: the picture.
        least_px: the smallest face that is to be found, in pixels from ear to ear.
    """
    longest, side = max(pyramid.size), _FACES_PER_VIEW * least_px
    if side >= longest:
        return
    for halvings in range(math.ceil(math.log2(longest / side)) - 1, -1, -1):
        yield _grid(pyramid.size, side * 2**halvings)


def _grid(size: tuple[int, int], side: float) -> list[Matrix]:
    """Squares of edge `side` that cover a picture of `size` without reaching beyond it."""
    columns, rows = (
        np.linspace(0, room := max(0.0, edge - side), math.ceil(room / (_STEP * side)) + 1)
        for edge in size
    )
    return [
        np.column_stack([np.eye(2) / side, (0.5 - np.array([left, top])) / side])
        for top in rows
        for left in columns
    ]
