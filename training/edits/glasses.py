"""Add glasses or sunglasses: a frame in three dimensions that turns with the head."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.faces.facemesh import Points
from training.edits.draw import fill, over, step, stroke
from training.edits.subject import EditedFace, Mask, Pixels

_OUTER, _INNER = (33, 263), (133, 362)
_TEMPLES = (127, 356)
_FRAMES = ((22, 20, 20), (48, 34, 26), (70, 44, 30), (96, 92, 90), (150, 118, 60), (36, 40, 62))
_TINTS = ((26, 24, 24), (38, 28, 20), (24, 32, 30), (20, 24, 38))


class Style(NamedTuple):
    """How a pair of glasses looks; lengths in eye distances."""

    width: float  # half of a lens
    height: float  # half of a lens
    square: float  # exponent of a superellipse: 2 is an ellipse, more is squarer
    drop: float  # part of its width that a lens loses towards its bottom
    rim: float  # width of the rim
    colour: NDArray[np.float64]  # (3,) RGB 0..255


class Frame(NamedTuple):
    """The outlines of a pair of glasses, each (N, 2) in pixels of the picture."""

    lenses: list[Points]
    bridge: Points
    arms: list[Points]


def glasses(subject: EditedFace, random: np.random.Generator) -> Pixels:
    """Add clear glasses: frame, soft shadow and reflection."""
    style = _style(random, sun=False)
    frame = _fit(subject, style)
    pixels = _shadow(subject, subject.pixels, frame, style, 0.3)
    lenses = _lenses(subject, frame)
    pixels = over(pixels, pixels * 0.96 + 6, lenses * 0.8)
    pixels = _reflection(subject, pixels, frame, random, random.uniform(0.04, 0.14))
    return _rims(subject, pixels, frame, style)


def sunglasses(subject: EditedFace, random: np.random.Generator) -> Pixels:
    """Add sunglasses: translucent dark lenses, darkest at the top, with a reflection."""
    style = _style(random, sun=True)
    frame = _fit(subject, style)
    pixels = _shadow(subject, subject.pixels, frame, style, 0.5)
    tint = np.array(_TINTS[random.integers(len(_TINTS))], np.float32)
    y = subject.grid[..., 1]
    dense = random.uniform(0.86, 0.97) - random.uniform(0.0, 0.25) * step(y, 0.1, 0.7)
    pixels = over(pixels, tint + 0.08 * pixels, _lenses(subject, frame) * dense)
    pixels = _reflection(subject, pixels, frame, random, random.uniform(0.05, 0.16))
    return _rims(subject, pixels, frame, style)


def _style(random: np.random.Generator, *, sun: bool) -> Style:
    grow = 1.08 if sun else 1.0
    return Style(
        width=grow * random.uniform(0.36, 0.42),
        height=grow * random.uniform(0.25, 0.33),
        square=random.choice([2.0, 2.4, 3.2, 4.0]),
        drop=random.uniform(0.0, 0.15),
        rim=random.uniform(0.02, 0.05),
        colour=np.array(_FRAMES[random.integers(len(_FRAMES))], np.float64),
    )


def _fit(subject: EditedFace, style: Style) -> Frame:
    """Place a pair on the nose, along axes that the eyes, the forehead and the chin give."""
    mesh = subject.mesh
    left, right = (mesh[list(corners)].mean(axis=0) for corners in zip(_OUTER, _INNER, strict=True))
    across = (right - left) / np.linalg.norm(right - left)
    upright = mesh[10] - mesh[152]
    upright -= across * (upright @ across)
    upright /= np.linalg.norm(upright)
    ahead = np.cross(across, upright)
    ahead *= -np.sign(ahead[2])  # towards the camera, where z is small
    length = np.linalg.norm(right - left)
    middle = mesh[168]  # where glasses rest
    centre = (left + right) / 2
    # The lenses are as far in front of the eyes as the bridge of the nose.
    depth = max(0.05 * length, float((middle - centre) @ ahead))
    around = np.linspace(0, 2 * np.pi, 49)[:-1]
    c, s = np.cos(around), np.sin(around)
    power = 2 / style.square
    lenses = []
    for eye, sign in ((left, -1.0), (right, 1.0)):
        x = np.sign(c) * np.abs(c) ** power * style.width
        y = np.sign(s) * np.abs(s) ** power * style.height
        x = x * (1 - style.drop * (0.5 - 0.5 * y / style.height))
        place = eye + ahead * depth + across * (sign * 0.03 * length)
        # Lenses bend back towards the temples a little.
        back = -0.12 * np.maximum(0, sign * x) * length
        outline = place + length * (
            x[:, None] * across + (y - 0.04)[:, None] * upright
        ) + back[:, None] * ahead  # fmt: skip
        lenses.append(outline[:, :2])
    return Frame(lenses, _bridge(lenses, upright[:2] * length), _arms(subject, lenses))


def _bridge(lenses: list[Points], upright: Points) -> Points:
    a = lenses[0][lenses[0][:, 0].argmax()] + 0.08 * upright
    b = lenses[1][lenses[1][:, 0].argmin()] + 0.08 * upright
    t = np.linspace(0, 1, 9)[:, None]
    return a + t * (b - a) + 0.05 * upright * np.sin(np.pi * t)


def _arms(subject: EditedFace, lenses: list[Points]) -> list[Points]:
    """Lines from the hinges to the ears, on the visible sides."""
    arms = []
    for lens, temple, sign in zip(lenses, _TEMPLES, (-1, 1), strict=True):
        hinge = lens[(sign * lens[:, 0]).argmax()] - subject.down * 0.08 * subject.unit
        ear = subject.at(temple)[0] + sign * 0.02 * subject.unit * subject.right
        if sign * (ear - hinge) @ subject.right > 0.02 * subject.unit:
            arms.append(np.stack([hinge, ear]))
    return arms


def _lenses(subject: EditedFace, frame: Frame) -> Mask:
    return np.maximum(*(fill(lens, subject.size) for lens in frame.lenses))


def _shadow(
    subject: EditedFace, pixels: Pixels, frame: Frame, style: Style, strength: float
) -> Pixels:
    fall = subject.down * 0.06 * subject.unit
    rims = [lens + fall for lens in frame.lenses]
    soft = 0.035 * subject.unit
    dark = stroke(rims, subject.size, (style.rim + 0.03) * subject.unit, soft, closed=True)
    return over(pixels, pixels * 0.45, np.where(dark > 0.01, dark * strength, 0))


def _reflection(
    subject: EditedFace, pixels: Pixels, frame: Frame, random: np.random.Generator, strength: float
) -> Pixels:
    """Draw a slanted band of light over each lens, and a fainter light in its upper part."""
    slant, width = random.uniform(0.4, 0.9), random.uniform(0.08, 0.2)
    x, y = subject.grid[..., 0], subject.grid[..., 1]
    for lens in frame.lenses:
        middle = subject.inside(lens.mean(axis=0)[None])[0]
        along = (x - middle[0]) + slant * (y - middle[1]) + random.uniform(-0.1, 0.1)
        band = np.exp(-((along / width) ** 4)) + 0.5 * step(y - middle[1], 0.1, -0.3)
        cover = fill(lens, subject.size) * band * strength
        pixels = over(pixels, np.array([236, 242, 250]), cover.astype(np.float32))
    return pixels


def _rims(subject: EditedFace, pixels: Pixels, frame: Frame, style: Style) -> Pixels:
    width = style.rim * subject.unit
    light = (0.55 + 0.45 * subject.shading.clip(0.3, 1.4))[..., None]
    arms = [arm for arm in frame.arms]
    lines = [(frame.lenses, True), ([frame.bridge], False), (arms, False)]
    for shapes, closed in lines:
        if shapes:
            cover = stroke(shapes, subject.size, width, closed=closed)
            pixels = over(pixels, style.colour * light, cover)
    # A thin highlight along the upper edge makes the rim look round.
    lifted = [lens - subject.down * width * 0.25 for lens in frame.lenses]
    shine = stroke(lifted, subject.size, max(0.4, width * 0.25), 0.4, closed=True)
    return over(pixels, style.colour + 90, np.where(shine > 0.02, shine * 0.35, 0))
