"""Aligned faces for parity and calibration, from two public-domain portraits.

The portraits show Rear Admiral Grace Hopper (U.S. Navy, in matplotlib) and astronaut Eileen Collins
(NASA, in scikit-image). They are read from those packages; the repository holds no portrait.
"""

from __future__ import annotations

import importlib.util
import itertools
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.aligned_face import FACE_SIZE, face_template
from model.errors import BackendUnavailable, install
from pipeline.faces.align import Matrix, similarity, warp


class Portrait(NamedTuple):
    """A portrait inside a package, with its five points in pixels."""

    package: str
    file: str
    points: tuple[tuple[float, float], ...]


ENLARGED = 4  # times, a portrait that is smaller than what a generator paints
_GRAIN = 4.0  # levels, standard deviation

# The five points were computed from MediaPipe's face landmarks, as in pipeline.faces.facemesh, and
# rounded to 0.1 px.
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
    """How a sample differs from the aligned face.

    Attributes:
        flip: mirror the portrait first.
        zoom: factor about the middle of the face.
        angle_deg: turn about the middle of the face.
        shift: x and y, as parts of the aligned face's edge.
    """

    flip: bool
    zoom: float
    angle_deg: float
    shift: tuple[float, float]


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
    image, points = open_portrait(portrait), np.array(portrait.points)
    if variation.flip:
        image, points = _mirror(image, points)
    matrix = similarity(points, np.array(face_template(size)))
    return warp(image, _around_centre(variation, size) @ np.vstack([matrix, [0, 0, 1]]), size)


def _mirror(
    image: NDArray[np.uint8], points: NDArray[np.float64]
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    mirrored = points * (-1, 1) + (image.shape[1] - 1, 0)
    # The left eye is now the right one.
    return np.ascontiguousarray(image[:, ::-1]), mirrored[[1, 0, 2, 4, 3]]


def _around_centre(variation: Variation, size: int) -> Matrix:
    """Zoom and turn about the centre of the face, then shift: (2, 3)."""
    angle, centre = np.deg2rad(variation.angle_deg), (size - 1) / 2
    c, s = variation.zoom * np.cos(angle), variation.zoom * np.sin(angle)
    turn = np.array([[c, -s], [s, c]])
    offset = np.array([centre, centre]) - turn @ [centre, centre] + np.array(variation.shift) * size
    return np.column_stack([turn, offset])


def portrait_path(portrait: Portrait) -> Path:
    """The picture file inside the installed package.

    Raises:
        BackendUnavailable: the package is not installed.
    """
    found = importlib.util.find_spec(portrait.package)
    if found is None or found.origin is None:
        raise BackendUnavailable(
            f"the sample portraits come with {portrait.package}, which is not installed. "
            f"{install('faces')}"
        )
    return Path(found.origin).parent / portrait.file


def open_portrait(portrait: Portrait) -> NDArray[np.uint8]:
    """The whole picture, (H, W, 3) uint8 RGB.

    Raises:
        BackendUnavailable: the package that carries it is not installed.
    """
    with Image.open(portrait_path(portrait)) as image:
        return np.asarray(image.convert("RGB"))


def enlarged(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A portrait of `ENLARGED` times the size, with drawn grain.

    The grain stands for what a larger photo would show.

    Args:
        picture: (H, W, 3) uint8 RGB.
    """
    import cv2

    large = cv2.resize(picture, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(0).normal(0, _GRAIN, large.shape[:2])
    return np.rint(large + grain[..., None]).clip(0, 255).astype(np.uint8)


def varied(count: int, size: int = FACE_SIZE, seed: int = 0) -> list[NDArray[np.uint8]]:
    """Both portraits in turn, each time in another crop, pose, light and colour.

    Args:
        count: how many; any number.
        size: edge of the aligned faces in pixels.
        seed: draws the variations.

    Returns:
        (size, size, 3) uint8 RGB each.

    Raises:
        BackendUnavailable: a package that carries a portrait is not installed.
    """
    rng = np.random.default_rng(seed)
    opened = [(open_portrait(portrait), np.array(portrait.points)) for portrait in PORTRAITS]
    samples = []
    for i in range(count):
        image, points = opened[i % len(opened)]
        if rng.random() < 0.5:
            image, points = _mirror(image, points)
        matrix = np.vstack([similarity(points, np.array(face_template(size))), [0, 0, 1]])
        samples.append(_relight(warp(image, _random_pose(rng, size) @ matrix, size), rng))
    return samples


def _random_pose(rng: np.random.Generator, size: int) -> Matrix:
    """A random pose, (2, 3): rotation, and shear and narrowing in place of turns of the head."""
    plain = Variation(
        False, rng.uniform(0.8, 1.25), rng.uniform(-15, 15), tuple(rng.uniform(-0.05, 0.05, 2))
    )
    centre = (size - 1) / 2
    turned = np.array([[rng.uniform(0.8, 1.1), rng.uniform(-0.1, 0.1), 0], [0, 1, 0], [0, 0, 1]])
    turned[:2, 2] = centre - turned[:2, :2] @ [centre, centre]
    return _around_centre(plain, size) @ turned


def _relight(face: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Change exposure, side light, white balance and saturation at random; (S, S, 3) uint8 RGB."""
    light = (face / 255.0) ** rng.uniform(0.6, 1.6)
    ramp = np.linspace(-1, 1, face.shape[0])
    x, y = rng.uniform(-0.3, 0.3, 2)
    light *= 1 + x * ramp[None, :, None] + y * ramp[:, None, None]
    light *= rng.uniform(0.85, 1.15, 3) * rng.uniform(0.7, 1.3)
    grey = light.mean(axis=2, keepdims=True)
    light = grey + rng.uniform(0.2, 1.4) * (light - grey)
    return np.rint(light.clip(0, 1) * 255).astype(np.uint8)
