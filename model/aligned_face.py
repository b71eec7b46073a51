"""Where a face lies in an aligned picture, and which part of it the identity encoder sees.

Part of the contract: a manifest carries these numbers, and apps type none of them.
Floor 0: standard library only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

FACE_SIZE = 256

# Five points (left eye, right eye, nose, mouth corners; left as seen in the picture) of the ArcFace
# template for a 112 px crop, x and y in pixels.
TEMPLATE_112 = (
    (38.2946, 51.6963),
    (73.5318, 51.5014),
    (56.0252, 71.7366),
    (41.5493, 92.3655),
    (70.7299, 92.2041),
)
IDENTITY_INPUT_SIZE = 112


def face_template(size: int = FACE_SIZE) -> tuple[tuple[float, float], ...]:
    """Where the five points lie in an aligned face of `size` px: ((x, y), ...) in pixels."""
    crop = identity_crop(FACE_SIZE)
    scale = (crop.stop - crop.start) / IDENTITY_INPUT_SIZE
    return tuple(
        ((x * scale + crop.start) * size / FACE_SIZE, (y * scale + crop.start) * size / FACE_SIZE)
        for x, y in TEMPLATE_112
    )


@dataclass(frozen=True, slots=True)
class IdentityCrop:
    """Rows and columns `start:stop` of an aligned face, resized to `size` for the identity encoder.

    The resize is bilinear with corners aligned.
    """

    start: int
    stop: int
    size: int = IDENTITY_INPUT_SIZE


def identity_crop(face_size: int = FACE_SIZE) -> IdentityCrop:
    """The crop of an aligned face of `face_size` px: 26:230 of 256, 13:115 of 128, 7:57 of 64."""
    start = math.ceil(26 * face_size / 256)
    return IdentityCrop(start, face_size - start)
