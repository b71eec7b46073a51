"""Keypoints of aligned faces by BlazeFace, the mean over several crops."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.faces.align import Matrix
from pipeline.faces.blazeface import BlazeFace
from pipeline.faces.facemesh import turned
from pipeline.faces.facemodels import DETECTOR_FILES
from pipeline.faces.pyramid import Image8, Pyramid

_CROPS = 8
_LEAST = 3  # crops in which the face must be found
_SIDE = (1.15, 1.6)  # of the crop, in sides of the face's picture
_TURN_DEG = 8.0
_SHIFT = 0.03
_MIDDLE = (0.5, 0.55)


class KeypointLabels:
    """The loaded detector."""

    def __init__(self, threads: int = 1) -> None:
        """Load it.

        Raises:
            BackendUnavailable: what carries or runs it is not installed.
        """
        self._detector = BlazeFace(DETECTOR_FILES["near"], threads)

    def find(self, face: Image8, random: np.random.Generator) -> NDArray[np.float64] | None:
        """The six keypoints, or None where too few crops show a face.

        Keypoints vary with the crop by about 2 px in a face of 256 px; their mean varies less.

        Args:
            face: (S, S, 3) HWC uint8 RGB, aligned.
            random: draws the crops.

        Returns:
            (6, 2) float64 x and y in pixels of the face, pixel centres at the integers.
        """
        pyramid = Pyramid(face)
        seen = [self._detector.find(pyramid, crop(len(face), random)) for _ in range(_CROPS)]
        found = [candidates[0].keypoints for candidates in seen if candidates]
        return np.mean(found, axis=0) if len(found) >= _LEAST else None


def crop(size: int, random: np.random.Generator) -> Matrix:
    """A turned, shifted crop around a face: (2, 3), pixels of its picture to a unit square."""
    turn_deg = random.uniform(-_TURN_DEG, _TURN_DEG)
    zoom = 1 / random.uniform(*_SIDE)
    x, y = 0.5 - (np.array(_MIDDLE) + random.uniform(-_SHIFT, _SHIFT, 2))
    return turned(np.array([[1 / size, 0, x], [0, 1 / size, y]]), turn_deg, zoom)
