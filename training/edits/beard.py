"""Add a beard: a dark layer on the jaw and strands over it, in the colour of the person's hair."""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np

from pipeline.faces.facemesh import Points
from training.edits.draw import curves, fill, noise, over, step, strands
from training.edits.subject import EditedFace, EditFailed, Mask, Pixels
from training.edits.warp import field, moved

_MOST_TURN = 0.55  # sine of the head's turn

# The jaw from one ear over the chin to the other, and the beard's upper edge back again.
_JAW = (234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152,
        377, 400, 378, 379, 365, 397, 288, 361, 323, 454)  # fmt: skip
_CHEEK_LINE = (447, 411, 427, 410, 2, 186, 207, 187, 227)
_CHEEK_LOW = (366, 416, 434, 287, 2, 57, 214, 192, 137)
_LIPS = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)


class Style(NamedTuple):
    """How a beard looks; lengths in eye distances."""

    length: float
    dense: float  # number of strands, in units of 3,600
    shadow: float  # 0..1, opacity of the dark layer below the strands
    high: float  # 0..1, where on the cheek the beard ends; 1 is highest
    narrow: (
        float  # half of its width, above 0.3: around the mouth and chin only; 0: from ear to ear
    )


def beard(subject: EditedFace, random: np.random.Generator) -> Pixels:
    """Stubble, a full beard or a beard around the mouth.

    Raises:
        EditFailed: the lower face is not in the picture, or seen from the side.
    """
    if abs(subject.turn) > _MOST_TURN:
        raise EditFailed("the head is turned too far")
    style = _style(random)
    subject = _fuller(subject, style)
    cover = _cover(subject, style)
    if cover.mean() < 0.01:
        raise EditFailed("the jaw is not in the picture")
    # Beards are darker than the hair. One of the skin's brightness would not be visible.
    darker = min(0.85, 0.55 * float(subject.skin.mean()) / max(1.0, float(subject.hair.mean())))
    colour = subject.hair * darker * random.uniform(0.85, 1.15)
    patchy = (0.85 + 0.15 * noise(random, subject.size, 0.15 * subject.unit)).clip(0.5, 1.1)
    light = (0.35 + 0.65 * subject.shading).clip(0.25, 1.35)
    under = colour * light[..., None]
    pixels = over(subject.pixels, under, (cover * patchy * style.shadow).clip(0, 0.95))
    roots = _roots(cover, random, round(3600 * style.dense))
    grown = _grow(subject, roots, style, random)
    fade: Any = cv2.GaussianBlur(cover, (0, 0), (0.02 + 0.3 * style.length) * subject.unit)
    lips = fill(subject.at(*_LIPS), subject.size, 0.015 * subject.unit)
    return strands(
        pixels, grown, colour, light, random,
        width=0.010 * subject.unit + 0.2, opacity=0.5, spread=0.35,
        fade=(2.2 * fade).clip(0, 1) * (1 - 0.8 * lips),
    )  # fmt: skip


def _fuller(subject: EditedFace, style: Style) -> EditedFace:
    """The face with a wider jaw and longer chin, as a beard makes them; its landmarks move, too."""
    places = subject.inside(subject.mesh[:, :2])
    x, y = places[:, 0], places[:, 1]
    jaw = step(y, 0.9, 1.5) * step(np.abs(x), 0.15, 0.6)
    moves = np.zeros((len(places), 2))
    moves[:, 0] = 0.8 * style.length * np.sign(x) * jaw
    moves[:, 1] = 1.1 * style.length * step(y, 1.45, 1.9)
    if style.narrow:
        moves[:, 0] = 0
    moves = subject.unit * (moves[:, :1] * subject.right + moves[:, 1:] * subject.down)
    pixels = moved(subject.pixels, field(subject, moves, 0.6))
    mesh = subject.mesh.copy()
    mesh[:, :2] += moves
    return EditedFace(np.rint(pixels).astype(np.uint8), mesh)


def _style(random: np.random.Generator) -> Style:
    kind = random.choice(["stubble", "full", "full", "full", "mouth"])
    if kind == "stubble":
        return Style(random.uniform(0.03, 0.05), 1.2, random.uniform(0.40, 0.55),
                     random.uniform(0.2, 0.6), 0.0)  # fmt: skip
    if kind == "full":
        return Style(random.uniform(0.10, 0.28), 1.5, random.uniform(0.78, 0.93),
                     random.uniform(0.45, 1.0), 0.0)  # fmt: skip
    return Style(random.uniform(0.06, 0.12), 0.8, random.uniform(0.65, 0.85), 0.7,
                 random.uniform(0.35, 0.5))  # fmt: skip


def _cover(subject: EditedFace, style: Style) -> Mask:
    """Where the beard grows, (S, S) float32 0..1: below the cheek line, not on the lips."""
    high, low = subject.at(*_CHEEK_LINE), subject.at(*_CHEEK_LOW)
    upper = low + style.high * (high - low)
    ring = np.concatenate([subject.at(*_JAW), upper])
    soft = 0.08 * subject.unit
    cover = np.asarray(step(fill(ring, subject.size, soft), 0.15, 0.9))
    lips = fill(_grown(subject.at(*_LIPS), 1.12), subject.size, 0.02 * subject.unit)
    places = subject.inside(subject.at(17, 152))
    x, y = subject.grid[..., 0], subject.grid[..., 1]
    below = y - places[0, 1]
    # Beside the tuft below the lower lip hair is thin.
    bare = np.exp(-(((np.abs(x - places[0, 0]) - 0.2) / 0.09) ** 2) - ((below - 0.07) / 0.06) ** 2)
    cover = cover * (1 - lips) * (1 - 0.75 * bare)
    # The far cheek of a turned head is not visible: only the moustache reaches beyond the nose.
    far = -np.sign(subject.turn) * (x - places[0, 0])
    mouth = float(subject.inside(subject.at(0))[0, 1])
    hidden = step(far, 0.0, 0.12) * step(y, mouth - 0.12, mouth - 0.24)
    cover = cover * (1 - hidden * step(np.abs(subject.turn), 0.1, 0.3))
    if style.narrow:
        cover = cover * step(np.abs(x - places[0, 0]), style.narrow + 0.12, style.narrow)
    return np.asarray(cover.clip(0, 1), np.float32)


def _grown(ring: Points, by: float) -> Points:
    middle = ring.mean(axis=0)
    return middle + by * (ring - middle)


def _roots(cover: Mask, random: np.random.Generator, count: int) -> Points:
    """Random roots of strands, (count, 2) pixels; their density is `cover` to the power of 1.5."""
    weight = cover.ravel().astype(np.float64) ** 1.5
    picked = random.choice(cover.size, size=count, p=weight / weight.sum())
    y, x = np.divmod(picked, cover.shape[1])
    return np.stack([x, y], axis=1) + random.uniform(-0.5, 0.5, (count, 2))


def _grow(subject: EditedFace, roots: Points, style: Style, random: np.random.Generator) -> Points:
    """Strands, (N, 5, 2) pixels: they grow down, and to the sides on cheeks and upper lip."""
    places = subject.inside(roots)
    mouth = subject.inside(subject.at(13))[0]
    x, y = places[:, 0] - mouth[0], places[:, 1] - mouth[1]
    moustache = step(y, 0.02, -0.08)
    side = np.clip(x / 0.3, -1, 1)
    dx = side * (0.25 + 0.75 * moustache) - 0.45 * np.clip(x, -1, 1) * (1 - moustache)
    dy = 1 - 0.35 * moustache
    ahead = np.stack([dx, dy], axis=1) + random.normal(scale=0.28, size=roots.shape)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    length = style.length * random.uniform(0.6, 1.3, (len(roots), 1))
    end = places + length * ahead
    bend = places + 0.5 * length * ahead + random.normal(scale=0.12, size=roots.shape) * length
    return curves(roots, subject.outside(bend), subject.outside(end), 5)
