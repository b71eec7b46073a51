"""How much a swap flickers: the face moves a little, and the swap has to move with it.

In film a face is never cut out twice at the same place: it moves, and its landmarks tremble. A
generator that paints something else after a move of half a pixel flickers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.faces.pyramid import Image8
from training.judging.swaps import Painted, SwapPairs, paint

if TYPE_CHECKING:
    from pipeline.backends.base import Backend

# Between two frames of film with landmarks held by the tracker.
_SHIFT_PX, _TURN_DEG, _GROW = 0.5, 0.5, 0.005
_EDGE = 16  # parts of 256 px of the face's edge that are left out: the move brings in new pixels


def flicker(
    generator: Backend,
    encoder: Backend,
    faces: NDArray[np.uint8],
    pairs: SwapPairs,
    swapped: Sequence[Painted],
    seed: int = 0,
) -> Iterator[float]:
    """Distance of the swap of a moved target from the moved swap, of each pair.

    A swap that does nothing has 0.

    Args:
        generator: takes `target` and `embedding`.
        encoder: takes `face`.
        faces: (N, S, S, 3) uint8 RGB, aligned.
        pairs: rows of `faces`.
        swapped: what the generator painted of the first pairs; as many are measured.
        seed: draws the moves.

    Yields:
        Mean absolute difference inside the picture's edge, in levels of 0..255.
    """
    count, size = len(swapped), faces.shape[1]
    moves = [_move(size, np.random.default_rng((seed, i))) for i in range(count)]
    moved = [
        move(faces[row], matrix) for row, matrix in zip(pairs.target[:count], moves, strict=True)
    ]
    both = np.stack([*(faces[row] for row in pairs.source[:count]), *moved])
    again = paint(generator, encoder, both, SwapPairs(np.arange(count), np.arange(count) + count))
    edge = math.ceil(_EDGE * size / 256)
    for painted, first, matrix in zip(again, swapped, moves, strict=True):
        apart = np.abs(painted.image.astype(np.float32) - move(first.image, matrix))
        yield float(apart[edge:-edge, edge:-edge].mean())


def move(picture: Image8, matrix: NDArray[np.float64]) -> Image8:
    """Resample a picture, bicubic; what comes in from outside is mirrored.

    Args:
        picture: (H, W, 3) HWC uint8 RGB.
        matrix: (2, 3), from the picture to the moved one, in pixels.
    """
    import cv2

    height, width = picture.shape[:2]
    moved = cv2.warpAffine(
        picture, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(moved, np.uint8)


def _move(size: int, random: np.random.Generator) -> NDArray[np.float64]:
    """A small shift, turn and change of size about the middle."""
    shift = random.uniform(-_SHIFT_PX, _SHIFT_PX, 2) * size / 256
    angle = math.radians(random.uniform(-_TURN_DEG, _TURN_DEG))
    scale = 1 + random.uniform(-_GROW, _GROW)
    turn = scale * np.array(
        [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    )
    middle = np.full(2, (size - 1) / 2)
    return np.column_stack([turn, middle - turn @ middle + shift])
