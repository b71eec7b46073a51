"""The two public-domain portraits as small pictures that the vectors are made of."""

from __future__ import annotations

import functools
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.faces.detect import Detector
from pipeline.faces.face import Face
from pipeline.faces.portraits import PORTRAITS, open_portrait

SIZE = 320
# Left, top and edge in pixels of the square that is shown of each portrait.
_SQUARES = ((0, 0, 512), (62, 0, 320))


class Scene(NamedTuple):
    """A portrait and the face that the pipeline finds in it.

    Attributes:
        name: `hopper` or `collins`.
        image: (320, 320, 3) uint8 RGB.
        face: landmarks in its pixels.
    """

    name: str
    image: NDArray[np.uint8]
    face: Face


@functools.cache
def detector() -> Detector:
    """The pipeline's detector with one thread: sums are in one order."""
    return Detector(threads=1)


@functools.cache
def scenes() -> tuple[Scene, ...]:
    """Both portraits.

    Raises:
        BackendUnavailable: the packages that carry the portraits or the detector are missing.
    """
    found = []
    for name, portrait, (left, top, edge) in zip(
        ("hopper", "collins"), PORTRAITS, _SQUARES, strict=True
    ):
        square = open_portrait(portrait)[top : top + edge, left : left + edge]
        image = np.asarray(cv2.resize(square, (SIZE, SIZE), interpolation=cv2.INTER_AREA), np.uint8)
        found.append(Scene(name, image, detector().find(image)[0]))
    return tuple(found)
