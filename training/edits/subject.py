"""The face that is edited: its pixels and landmarks, its axes, and the colours of skin and hair."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.faces.facemesh import OVAL, Points, five_points
from pipeline.faces.pyramid import Image8

Pixels = NDArray[np.float32]
Mask = NDArray[np.float32]

# Landmarks of both brows, from the outer end inwards; left as seen in the picture first.
BROWS = ((70, 63, 105, 66, 107), (300, 293, 334, 296, 336))
_BROW_RINGS = (
    (70, 63, 105, 66, 107, 55, 65, 52, 53, 46),
    (300, 293, 334, 296, 336, 285, 295, 282, 283, 276),
)
_TEMPLES = (127, 356)
_CHEEKS = (50, 101, 118, 205, 280, 330, 347, 425)
_FOREHEAD = (151, 108, 337, 69, 299, 9)
_HAIR_REACH = (32, 10, 14)  # in L, a and b: hair differs from the brows in lightness more than hue
_LEAST_HAIR = 0.06  # of the area around the forehead; less is taken for background


class EditFailed(Exception):
    """This edit cannot be applied to this face. The caller leaves the edit out for this photo."""


class EditedFace:
    """A face to edit.

    The head's axes point right and down along the face as seen. Their origin is between the brows,
    their unit is the distance between the eyes.

    Attributes:
        face: (S, S, 3) uint8 RGB, as given.
        pixels: (S, S, 3) float32 RGB, 0..255.
        mesh: (468, 3) landmarks in pixels.
        unit: distance between the eyes in pixels.
        right: (2,) unit vector from the left to the right eye as seen.
        down: (2,) unit vector at a right angle to `right`.
    """

    def __init__(self, face: Image8, mesh: Points) -> None:
        """Hold an aligned face and its landmarks. Neither is changed.

        Args:
            face: (S, S, 3) uint8 RGB.
            mesh: (468, 3) landmarks in pixels.

        Raises:
            EditFailed: the face is seen from the side.
        """
        self.face = face
        self.pixels: Pixels = face.astype(np.float32)
        self.mesh = mesh
        eyes = five_points(mesh[:, :2])[:2]
        self.unit = float(np.linalg.norm(eyes[1] - eyes[0]))
        if self.unit < len(face) / 16:
            raise EditFailed("the face is seen from the side")
        self.right = (eyes[1] - eyes[0]) / self.unit
        self.down = np.array([-self.right[1], self.right[0]])

    @property
    def size(self) -> int:
        """Edge of the picture in pixels."""
        return len(self.pixels)

    def at(self, *indices: int) -> Points:
        """Landmarks by number, (N, 2) x and y in pixels."""
        return self.mesh[list(indices), :2]

    def inside(self, points: Points) -> Points:
        """Convert (..., 2) points in pixels to the head's axes."""
        away = (points - self.mesh[9, :2]) / self.unit
        return np.stack([away @ self.right, away @ self.down], axis=-1)

    def outside(self, points: Points) -> Points:
        """Convert (..., 2) points in the head's axes to pixels."""
        return self.mesh[9, :2] + self.unit * (
            points[..., :1] * self.right + points[..., 1:] * self.down
        )

    @cached_property
    def grid(self) -> Points:
        """Every pixel in the head's axes, (S, S, 2)."""
        y, x = np.mgrid[: self.size, : self.size]
        return self.inside(np.stack([x, y], axis=-1).astype(np.float64))

    @cached_property
    def outline(self) -> Points:
        """The outline of the face from the middle of the forehead clockwise, (36, 2) pixels."""
        return self.at(*OVAL)

    @cached_property
    def turn(self) -> float:
        """Sine of the head's turn to the side, -1..1, from the depth of the temples.

        It is positive where the right side of the head, as seen, is nearer to the camera.
        """
        left, right = self.mesh[list(_TEMPLES)]
        return float((left - right)[2] / max(1e-6, float(np.linalg.norm(left - right))))

    @cached_property
    def skin(self) -> NDArray[np.float32]:
        """Colour of the skin, (3,) float32 RGB 0..255: the median on cheeks and forehead.

        Raises:
            EditFailed: the cheeks are not in the picture.
        """
        return self._colour_around(self.at(*_CHEEKS, *_FOREHEAD), 0.06)

    @cached_property
    def hair(self) -> NDArray[np.float32]:
        """Colour of the hair, (3,) float32 RGB 0..255.

        It is the colour around the forehead where it resembles the brows. Where nothing resembles
        them, as on bald heads and under hats, it is the colour of the brows.

        Raises:
            EditFailed: the brows are not in the picture.
        """
        rings = [_polygon(self.at(*ring), self.size) > 0 for ring in _BROW_RINGS]
        brows = np.concatenate([self.pixels[ring] for ring in rings])
        if len(brows) < 8:
            raise EditFailed("the brows are not in the picture")
        brow = _darkest(brows, 0.25)
        # Skin shows through thin brows and is redder than hair: halve the saturation.
        brow = np.asarray(brow.mean() + 0.5 * (brow - brow.mean()), np.float32)
        x, y = self.grid[..., 0], self.grid[..., 1]
        around = (
            (np.abs(x) < 1.15) & (y < 0) & (y > -1.3) & (_polygon(self.outline, self.size) == 0)
        )
        likely = alike(self.pixels, brow, _HAIR_REACH, 1.5, 1.0) > 0
        likely &= alike(self.pixels, self.skin, (24, 12, 14), 1.0, 0.5) == 0
        found = self.pixels[around & likely]
        if len(found) < _LEAST_HAIR * max(1, int(around.sum())):
            return brow
        return np.asarray(0.8 * _darkest(found, 0.6) + 0.2 * brow, np.float32)

    @cached_property
    def skin_mask(self) -> Mask:
        """Where skin is visible, (S, S) float32 0..1, soft, by its colour."""
        near = alike(self.pixels, self.skin, (28, 14, 16), 1.5, 0.5)
        soft: Any = cv2.GaussianBlur(near, (0, 0), self.unit * 0.02)
        return np.asarray(soft, np.float32)

    @cached_property
    def shading(self) -> Mask:
        """The light on the face, (S, S) float32 about 1: blurred brightness over the skin's."""
        grey = self.pixels.mean(axis=-1)
        weight = self.skin_mask + 1e-3
        sigma = self.unit * 0.22
        light: Any = cv2.GaussianBlur(grey * weight, (0, 0), sigma)
        total: Any = cv2.GaussianBlur(weight, (0, 0), sigma)
        return np.asarray(light / total / max(1.0, float(self.skin.mean())), np.float32)

    def _colour_around(self, points: Points, reach: float) -> NDArray[np.float32]:
        radius = max(1, round(reach * self.unit))
        mask = np.zeros((self.size, self.size), np.uint8)
        for x, y in np.rint(points).astype(int):
            cv2.circle(mask, (int(x), int(y)), radius, (1,), -1)
        if not mask.any():
            raise EditFailed("the cheeks are not in the picture")
        return np.asarray(np.median(self.pixels[mask > 0], axis=0), np.float32)


def alike(
    pixels: Pixels,
    colour: NDArray[np.float32],
    reach: tuple[int, int, int],
    far: float,
    near: float,
) -> Mask:
    """Where the colour of a picture resembles a given colour.

    Args:
        pixels: (S, S, 3) float32 RGB 0..255.
        colour: (3,) likewise.
        reach: unit of the distance between colours, in L, a and b.
        far: distance from which on the result is 0.
        near: distance up to which the result is 1.

    Returns:
        (S, S) float32 in [0, 1].
    """
    steps = (_lab(pixels) - _lab(colour[None, None])) / np.array(reach, np.float32)
    away = np.sqrt((steps**2).sum(axis=-1))
    return np.asarray(((far - away) / (far - near)).clip(0, 1), np.float32)


def _lab(pixels: Pixels) -> Pixels:
    return np.asarray(cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)


def _darkest(pixels: Pixels, share: float) -> NDArray[np.float32]:
    """Median colour, (3,), of the darkest `share` of (N, 3) pixels."""
    grey = pixels.mean(axis=1)
    return np.asarray(np.median(pixels[grey <= np.quantile(grey, share)], axis=0), np.float32)


def _polygon(points: Points, size: int) -> NDArray[np.uint8]:
    mask = np.zeros((size, size), np.uint8)
    cv2.fillPoly(mask, [np.rint(points).astype(np.int32)], (1,))
    return mask
