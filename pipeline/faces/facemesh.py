"""Fit 468 landmarks to a face (arXiv:1907.06724); compute the five points of alignment."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from pipeline.faces.align import Matrix, inverse
from pipeline.faces.facemodels import DETECTOR_FILES, FaceModel
from pipeline.faces.pyramid import Pyramid

Points = NDArray[np.float64]

COUNT = 468
# Outline of the face, in order, from the middle of the forehead clockwise as seen.
OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
# Inner edge of the lips, in order.
MOUTH = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95)
# Left as seen in the picture first: mean of an eye's corners and lids, tip of the nose, corners of
# the mouth. The points of the portraits in pipeline.faces.portraits were found the same way.
_FIVE = ((33, 133, 159, 145), (362, 263, 386, 374), (1,), (61,), (291,))
_OF_FIVE = np.concatenate(_FIVE)
_MEANS = np.stack([np.isin(_OF_FIVE, landmarks) / len(landmarks) for landmarks in _FIVE])
_LEFT_CHEEK, _RIGHT_CHEEK, _NOSE = 234, 454, 1
_MARGIN = 1.5  # the crop is that many times the face, as the mesh was trained


class FaceMesh:
    """The landmark model."""

    def __init__(self, threads: int = 1) -> None:
        """Load it."""
        self._model = FaceModel(DETECTOR_FILES["mesh"], 0.0, threads)

    def fit(self, pyramid: Pyramid, crop: Matrix) -> tuple[Points, float]:
        """Landmarks of the face inside a crop.

        Args:
            pyramid: the picture.
            crop: (2, 3), picture to a unit square with the upright face in its middle.

        Returns:
            (468, 2) float64 x and y in pixels of the picture, and how sure it is that there is a
            face, 0..1.
        """
        mesh, score = self.fit_deep(pyramid, crop)
        return mesh[:, :2], score

    def fit_deep(self, pyramid: Pyramid, crop: Matrix) -> tuple[Points, float]:
        """As `fit`, but (468, 3): z in pixels as well, smaller is nearer, about 0 in the middle."""
        # Unit coordinates have their integers at the corners of pixels, ours at the centres.
        pixels = crop * self._model.size - [[0, 0, 0.5], [0, 0, 0.5]]
        mesh, logit = self._model.run(pyramid.cut(pixels, self._model.size))
        found = mesh.reshape(COUNT, 3).T.astype(np.float64)  # by coordinate: reductions are faster
        back = inverse(pixels)
        flat = back[:, :2] @ (found[:2] - 0.5) + back[:, 2:]
        depth = found[2] * math.sqrt(abs(np.linalg.det(back[:, :2])))
        return np.vstack([flat, depth]).T, 1 / (1 + math.exp(-float(logit.ravel()[0])))


def five_points(mesh: Points) -> Points:
    """The five points of the contract's template, (5, 2), from a (468, 2) mesh."""
    return _MEANS @ mesh[_OF_FIVE]


def turned_aside(mesh: Points) -> float:
    """How far the head is turned to one side: 0 is frontal, about 1 at 55 degrees; never negative.

    It is the distance from the tip of the nose to the middle between both cheeks' outer edges,
    along the line between these, in halves of its length. For both portraits, drawn anew at an
    angle from the mesh's depth, the mesh answers 0.5 to 0.6 at 30 degrees, 0.8 at 45, 1.0 at 55,
    1.1 to 1.3 at 65 and 1.6 at 75.
    """
    left, right, nose = mesh[_LEFT_CHEEK], mesh[_RIGHT_CHEEK], mesh[_NOSE]
    across = right - left
    length = max(float(across @ across), 1e-9)
    return abs(float((nose - (left + right) / 2) @ across)) * 2 / length


def crop_of_mesh(mesh: Points) -> Matrix:
    """The crop, (2, 3) picture to unit square, that a face with these landmarks belongs in."""
    eyes = five_points(mesh)[:2]
    axis = (eyes[1] - eyes[0]) / max(1e-9, float(np.linalg.norm(eyes[1] - eyes[0])))
    upright = np.array([axis, [-axis[1], axis[0]]])
    turned = upright @ mesh.T
    low, high = turned.min(axis=1), turned.max(axis=1)
    return _crop(upright, (low + high) / 2, float((high - low).max()))


def crop_of_box(centre: Points, side: float, eyes: Points) -> Matrix:
    """As `crop_of_mesh`, from a detector's box and eyes."""
    axis = (eyes[1] - eyes[0]) / max(1e-9, float(np.linalg.norm(eyes[1] - eyes[0])))
    upright = np.array([axis, [-axis[1], axis[0]]])
    return _crop(upright, upright @ centre, side)


def turned(crop: Matrix, angle_deg: float, zoom: float) -> Matrix:
    """`crop`, a (2, 3) matrix to a unit square, turned and enlarged about the square's middle."""
    angle = math.radians(angle_deg)
    c, s = zoom * math.cos(angle), zoom * math.sin(angle)
    middle = np.array([[0, 0, 0.5], [0, 0, 0.5]])
    return np.array([[c, -s], [s, c]]) @ (crop - middle) + middle


def _crop(upright: Points, middle: Points, side: float) -> Matrix:
    """Turn by `upright`, put the turned point `middle` at (0.5, 0.5), `side` at 1 / _MARGIN."""
    scale = 1 / (_MARGIN * max(side, 1.0))
    return np.column_stack([upright * scale, 0.5 - middle * scale])
