"""Make a face older: wrinkles along the landmarks, sagging and duller skin, greyer hair."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from pipeline.faces.facemesh import Points
from training.edits.draw import fill, noise, over, smooth, step, stroke
from training.edits.subject import BROWS, EditedFace, Mask, Pixels, alike
from training.edits.warp import field, moved

# Two rows of landmarks from temple to temple, the lower and the upper end of the forehead. Its
# wrinkles run between them.
_LOW = (70, 63, 105, 66, 107, 9, 336, 296, 334, 293, 300)
_HIGH = (54, 103, 67, 109, 109, 10, 338, 338, 297, 332, 284)
_NOSE_FOLDS = ((129, 203, 206, 216), (358, 423, 426, 436))
_MOUTH_FOLDS = ((61, 202, 210), (291, 422, 430))
_BAGS = ((226, 31, 228, 229, 230, 231, 232), (446, 261, 448, 449, 450, 451, 452))
_CORNERS = (33, 263)


def older(subject: EditedFace, random: np.random.Generator) -> Pixels:
    """Add wrinkles, sagging cheeks and lids, rougher and duller skin, grey in hair and brows."""
    moves = _sag(subject, random)
    pixels = moved(subject.pixels, field(subject, moves, 0.55))
    mesh = subject.mesh[:, :2] + moves
    skin = subject.skin_mask * _face(subject)
    pixels = _dull(subject, pixels, skin, random)
    pixels = _rough(subject, pixels, skin, random)
    pixels = _wrinkle(subject, pixels, mesh, skin, random)
    return _grey_hair(subject, pixels, mesh, random)


def _face(subject: EditedFace) -> Mask:
    """Soft mask, (S, S) 0..1, of the face with some neck and ears, without eyes and lips."""
    x, y = subject.grid[..., 0], subject.grid[..., 1]
    head = step(np.hypot(x / 1.15, (y - 0.75) / 1.6), 1.05, 0.85)
    eyes = [subject.at(*ring) for ring in (
        (33, 160, 158, 133, 153, 144), (362, 385, 387, 263, 373, 380)
    )]  # fmt: skip
    lips = subject.at(61, 39, 0, 269, 291, 405, 17, 181)
    soft = 0.04 * subject.unit
    for ring in (*eyes, lips):
        head = head * (1 - fill(ring, subject.size, soft))
    return head


def _sag(subject: EditedFace, random: np.random.Generator) -> Points:
    """What to add to each landmark, (468, 2) pixels: jowls and lids lower, lips thinner."""
    places = subject.inside(subject.mesh[:, :2])
    x, y = places[:, 0], places[:, 1]
    strength = random.uniform(1.0, 1.7)
    moves = np.zeros((len(places), 2))
    for side in (-1, 1):
        for middle, reach, (dx, dy) in (
            ((0.55, 1.45), 0.32, (0.05, 0.09)),  # jowls
            ((0.40, 1.32), 0.16, (0.0, 0.05)),  # corners of the mouth
            ((0.70, 0.25), 0.22, (0.0, 0.05)),  # outer lids
            ((0.48, 0.02), 0.20, (0.0, 0.05)),  # brows and upper lids
        ):
            near = np.exp(-((x - side * middle[0]) ** 2 + (y - middle[1]) ** 2) / reach**2)
            moves += strength * near[:, None] * (side * dx, dy)
    lip = np.exp(-(x**2) / 0.12 - ((y - 1.33) / 0.14) ** 2)
    moves[:, 1] -= strength * 0.25 * lip * (y - 1.33)
    tip = np.exp(-(x**2) / 0.04 - ((y - 0.85) / 0.2) ** 2)
    moves[:, 1] += strength * 0.05 * tip  # noses grow longer
    return subject.unit * (moves[:, :1] * subject.right + moves[:, 1:] * subject.down)


def _dull(subject: EditedFace, pixels: Pixels, skin: Mask, random: np.random.Generator) -> Pixels:
    """Make the skin less saturated, a little darker and yellower."""
    grey = pixels.mean(axis=-1, keepdims=True)
    faded = grey + random.uniform(0.65, 0.85) * (pixels - grey)
    tone = np.array([0.985, 0.97, 0.925]) * random.uniform(0.94, 1.0)
    return over(pixels, faded * tone, skin * 0.85)


def _rough(subject: EditedFace, pixels: Pixels, skin: Mask, random: np.random.Generator) -> Pixels:
    """Add pores, blotches and spots, and amplify the skin's own detail."""
    size, unit = subject.size, subject.unit
    base: Any = cv2.GaussianBlur(pixels, (0, 0), 0.06 * unit)
    detail = (pixels - base).clip(-22, 22)
    crisp = pixels + random.uniform(0.3, 0.6) * detail
    pores = noise(random, size, 0.03 * unit) * 0.012 + noise(random, size, 0.06 * unit) * 0.010
    blotches = noise(random, size, 0.3 * unit) * 0.015
    textured = crisp * (1 + pores + blotches)[..., None]
    pixels = over(pixels, textured.clip(0, 255), skin)
    spots = step(noise(random, size, 0.09 * unit), 2.2, 3.2)
    return over(pixels, pixels * np.array([0.84, 0.75, 0.66]), skin * spots * 0.5)


def _wrinkle(
    subject: EditedFace, pixels: Pixels, mesh: Points, skin: Mask, random: np.random.Generator
) -> Pixels:
    """Draw each wrinkle as a dark groove with a lighter ridge below, as under light from above."""
    size, unit = subject.size, subject.unit
    strength = random.uniform(0.8, 1.25)
    groups = (
        (_forehead(mesh, random), 0.018, 0.16),
        (_crows_feet(subject, mesh, random), 0.015, 0.22),
        ([smooth(mesh[list(path)]) for path in _NOSE_FOLDS], 0.045, 0.36),
        ([smooth(mesh[list(path)]) for path in _MOUTH_FOLDS], 0.03, 0.26),
        (_bags(subject, mesh), 0.035, 0.30),
        (_frown(subject, mesh, random), 0.02, 0.26),
    )
    skin = np.maximum(skin, 0.35 * _face(subject))  # shadowed folds are not of the skin's colour
    for lines, width, depth in groups:
        lines = [_shaky(line, random, 0.012 * unit) for line in lines]
        groove = _tapered(lines, size, width * unit)
        ridge = _tapered([line + subject.down * 1.5 * width * unit for line in lines], size,
                         1.3 * width * unit)  # fmt: skip
        relief = strength * depth * (1.25 * groove - 0.45 * ridge) * skin
        pixels = np.where(
            np.abs(relief[..., None]) > 2e-3,
            (pixels * (1 - relief[..., None] * np.array([0.92, 1.0, 1.0]))).clip(0, 255),
            pixels,
        ).astype(np.float32)
    return pixels


def _tapered(lines: list[Points], size: int, width: float) -> Mask:
    """Mask, (S, S) 0..1, of lines that are strongest in the middle and fade at both ends."""
    whole = stroke(lines, size, width, 0.45 * width)
    cores = [line[len(line) // 5 : -(len(line) // 5)] for line in lines]
    return 0.45 * whole + 0.55 * stroke(cores, size, width, 0.6 * width)


def _shaky(line: Points, random: np.random.Generator, by: float) -> Points:
    """A line with random deviations of up to `by` pixels; its ends do not move."""
    wander = np.cumsum(random.normal(size=line.shape), axis=0)
    wander -= np.linspace(wander[0], wander[-1], len(line))
    return line + by * wander / max(1.0, float(np.abs(wander).max()))


def _forehead(mesh: Points, random: np.random.Generator) -> list[Points]:
    low, high = mesh[list(_LOW)], mesh[list(_HIGH)]
    lines = []
    for at in np.linspace(0.36, 0.80, random.integers(3, 5)):
        row = smooth(low + (at + random.uniform(-0.03, 0.03)) * (high - low))
        start, end = random.integers(2, 6), random.integers(18, 23)
        lines.append(row[start:end])
        if random.random() < 0.5:  # a shorter one beside it
            cut = random.integers(4, 10)
            lines.append(row[cut : cut + 9] + 0.08 * (high - low).mean(axis=0))
    return lines


def _crows_feet(subject: EditedFace, mesh: Points, random: np.random.Generator) -> list[Points]:
    lines = []
    for corner, side in zip(_CORNERS, (-1, 1), strict=True):
        for angle in np.radians([-32, -10, 12, 34]) + random.uniform(-0.1, 0.1, 4):
            ahead = side * np.cos(angle) * subject.right + np.sin(angle) * subject.down
            far = random.uniform(0.20, 0.34) * subject.unit
            t = np.linspace(0, 1, 12)[:, None]
            start = mesh[corner] + 0.10 * subject.unit * ahead
            lines.append(start + far * (t * ahead + 0.12 * t**2 * subject.down))
    return lines


def _bags(subject: EditedFace, mesh: Points) -> list[Points]:
    return [smooth(mesh[list(path)] + 0.02 * subject.unit * subject.down) for path in _BAGS]


def _frown(subject: EditedFace, mesh: Points, random: np.random.Generator) -> list[Points]:
    lines = []
    for inner in (BROWS[0][-1], BROWS[1][-1]):
        x = 0.45 * (mesh[inner] - mesh[9])
        start, tall = mesh[9] + x + 0.06 * subject.unit * subject.down, random.uniform(0.2, 0.34)
        t = np.linspace(0, 1, 10)[:, None]
        lines.append(start - t * tall * subject.unit * subject.down + 0.1 * t * x)
    return lines


def _grey_hair(
    subject: EditedFace, pixels: Pixels, mesh: Points, random: np.random.Generator
) -> Pixels:
    """Make the hair above the eyes, and the brows, partly grey."""
    near = alike(pixels, subject.hair, (26, 14, 16), 1.8, 0.9)
    x, y = subject.grid[..., 0], subject.grid[..., 1]
    face = fill(subject.outline, subject.size, 0.06 * subject.unit)
    above = step(y, 0.9, 0.3) * (1 - face)
    above = above * step(np.hypot(x / 1.3, (y - 0.2) / 1.9), 1.25, 0.95)
    brows = np.maximum(*(
        stroke([smooth(mesh[list(brow)])], subject.size, 0.12 * subject.unit, 0.03 * subject.unit)
        for brow in BROWS
    ))  # fmt: skip
    hair = cv2.GaussianBlur(near, (0, 0), 1.0) * np.maximum(above, brows)
    grey = pixels.mean(axis=-1, keepdims=True)
    lighter = (grey * 0.85 + random.uniform(25, 60)) * np.array([1.0, 0.99, 0.97])
    return over(pixels, lighter.clip(0, 255), hair * random.uniform(0.6, 0.9))
