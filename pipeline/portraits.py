"""The two public-domain portraits that parity is judged on, aligned and varied.

Rear Admiral Grace Hopper (U.S. Navy, from matplotlib) and astronaut Eileen Collins (NASA, from
scikit-image) come with those packages; nobody's picture is stored here.
"""

from __future__ import annotations

import importlib.util
import itertools
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.contract import FACE_SIZE, face_template
from model.errors import BackendUnavailable
from pipeline.align import Matrix, similarity, warp


class Portrait(NamedTuple):
    """A portrait inside a package, with its five points in pixels."""

    package: str
    file: str
    points: tuple[tuple[float, float], ...]


# Points found with MediaPipe's face landmarks (eye: mean of its corners and lids, tip of the nose,
# corners of the mouth), to 0.1 px.
PORTRAITS = (
    Portrait(
        "matplotlib",
        "mpl-data/sample_data/grace_hopper.jpg",
        ((219.7, 191.6), (307.7, 186.3), (269.0, 242.6), (232.7, 279.6), (306.6, 274.8)),
    ),
    Portrait(
        "skimage",
        "data/astronaut.png",
        ((203.0, 100.6), (246.3, 102.7), (222.0, 129.9), (199.2, 139.6), (247.0, 141.4)),
    ),
)


class Variation(NamedTuple):
    """How a sample differs from the plainly aligned face."""

    flip: bool
    zoom: float
    angle_deg: float
    shift: tuple[float, float]  # x and y, as parts of the face's edge


VARIATIONS = (
    Variation(False, 1.0, 0.0, (0.0, 0.0)),
    Variation(True, 1.0, 0.0, (0.0, 0.0)),
    Variation(False, 0.85, 8.0, (0.03, 0.0)),
    Variation(True, 1.15, -8.0, (0.0, 0.04)),
    Variation(False, 1.3, 15.0, (-0.05, 0.03)),
    Variation(True, 0.75, -20.0, (0.04, -0.04)),
)


def faces(count: int, size: int = FACE_SIZE) -> list[NDArray[np.uint8]]:
    """The first `count` samples, both portraits in turn: (size, size, 3) uint8 RGB each.

    Raises:
        BackendUnavailable: a package that carries a portrait is not installed.
        ValueError: there are fewer samples than `count`.
    """
    samples = list(itertools.product(VARIATIONS, PORTRAITS))
    if count > len(samples):
        raise ValueError(f"{count} samples asked for, there are {len(samples)}")
    return [_sample(portrait, variation, size) for variation, portrait in samples[:count]]


def _sample(portrait: Portrait, variation: Variation, size: int) -> NDArray[np.uint8]:
    image, points = _open(portrait), np.array(portrait.points)
    if variation.flip:
        image = np.ascontiguousarray(image[:, ::-1])
        points = points * (-1, 1) + (image.shape[1] - 1, 0)
        points = points[[1, 0, 2, 4, 3]]  # left and right change places
    matrix = similarity(points, np.array(face_template(size)))
    return warp(image, _around_centre(variation, size) @ np.vstack([matrix, [0, 0, 1]]), size)


def _around_centre(variation: Variation, size: int) -> Matrix:
    """Zoom and turn about the centre of the face, then shift: (2, 3)."""
    angle, centre = np.deg2rad(variation.angle_deg), (size - 1) / 2
    c, s = variation.zoom * np.cos(angle), variation.zoom * np.sin(angle)
    turn = np.array([[c, -s], [s, c]])
    offset = np.array([centre, centre]) - turn @ [centre, centre] + np.array(variation.shift) * size
    return np.column_stack([turn, offset])


def _open(portrait: Portrait) -> NDArray[np.uint8]:
    found = importlib.util.find_spec(portrait.package)
    if found is None or found.origin is None:
        raise BackendUnavailable(
            f"the sample portraits come with {portrait.package}, which is not installed. "
            "pip install -e '.[faces]'"
        )
    with Image.open(Path(found.origin).parent / portrait.file) as image:
        return np.asarray(image.convert("RGB"))
