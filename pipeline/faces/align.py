"""Align a face: map its five points onto the contract's template."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.aligned_face import FACE_SIZE, face_template

Matrix = NDArray[np.float64]


def similarity(points: NDArray[np.floating[Any]], template: NDArray[np.floating[Any]]) -> Matrix:
    """The rotation, uniform scale and shift that best map `points` onto `template`.

    Least squares in the four unknowns of a similarity transform; it never mirrors.

    Args:
        points: (N, 2) float, x and y in pixels, N >= 2.
        template: (N, 2) float, x and y in pixels of the aligned face.

    Returns:
        (2, 3) float64: template ≈ matrix @ (x, y, 1).
    """
    given, wanted = np.asarray(points, np.float64), np.asarray(template, np.float64)
    middle, goal = given.mean(axis=0), wanted.mean(axis=0)
    (x, y), (u, v) = (given - middle).T, (wanted - goal).T
    # About the middles u = a x - b y and v = b x + a y. The normal equations separate a and b.
    a, b = np.array([x @ u + y @ v, x @ v - y @ u]) / max(x @ x + y @ y, 1e-12)
    turn = np.array([[a, -b], [b, a]])
    return np.column_stack([turn, goal - turn @ middle])


def inverse(matrix: Matrix) -> Matrix:
    """The inverse of an affine (2, 3) `matrix`, (2, 3) float64."""
    return np.asarray(cv2.invertAffineTransform(matrix), np.float64)


def scale_of(matrix: Matrix) -> float:
    """How many times as long a (2, 3) similarity makes things."""
    (a, b, _), (c, d, _) = matrix.tolist()
    return math.sqrt(abs(a * d - b * c))  # NumPy's determinant takes ten times as long


def align(
    image: NDArray[np.uint8], points: NDArray[np.floating[Any]], size: int = FACE_SIZE
) -> NDArray[np.uint8]:
    """Cut out a face so that its five points lie on the template.

    Args:
        image: (H, W, 3) uint8 RGB.
        points: (5, 2) float: eyes, nose, mouth corners, left as seen in the picture first.
        size: edge of the aligned face in pixels.

    Returns:
        (size, size, 3) uint8 RGB; black where the picture ends.
    """
    return warp(image, similarity(points, np.array(face_template(size))), size)


def warp(image: NDArray[np.uint8], matrix: Matrix, size: int) -> NDArray[np.uint8]:
    """Resample a picture bicubically.

    Args:
        image: (H, W, 3) uint8 RGB.
        matrix: (2, 3), pixels of `image` to pixels of the result, centres at the integers.
        size: edge of the result in pixels.

    Returns:
        (size, size, 3) uint8 RGB; black where the picture ends.
    """
    # PIL has pixel corners at the integers, we have pixel centres there. Half a pixel on each side
    # of the matrix converts between the two.
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    coefficients: Any = tuple(
        (half @ np.vstack([inverse(matrix), [0, 0, 1]]) @ np.linalg.inv(half))[:2].ravel()
    )
    warped = Image.fromarray(image).transform(
        (size, size), Image.Transform.AFFINE, coefficients, Image.Resampling.BICUBIC
    )
    return np.asarray(warped)
