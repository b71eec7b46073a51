"""Edits of the hair on the head: add a fringe over the forehead, or remove all hair."""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.faces.facemesh import Points
from training.edits.draw import curves, fill, noise, over, step, strands, stroke
from training.edits.subject import EditedFace, EditFailed, Mask, Pixels, alike

_STRANDS = 900
_ABOVE = 0.40  # least height of the picture above the forehead, in eye distances
_MOST_TURN = 0.33  # sine of the head's turn; beyond it half an ellipse does not fit the skull
_SKIN_REACH, _SKIN_BEGINS = (20, 9, 11), 0.5
_FILL_SIGMAS = (4.0, 12.0, 36.0, 90.0)


class Skull(NamedTuple):
    """The top of a head, about half an ellipse from temple to temple, in the head's axes.

    Attributes:
        middle: x of its middle.
        half: half of its width.
        base: y of its base line.
        crown: y of its top.
    """

    middle: float
    half: float
    base: float
    crown: float

    def radius(self, subject: EditedFace) -> NDArray[np.float64]:
        """(S, S): 0 in the middle of the base line, 1 on the edge, more outside."""
        x = (subject.grid[..., 0] - self.middle) / self.half
        up = np.maximum(0, self.base - subject.grid[..., 1]) / (self.base - self.crown)
        # 2.5 instead of 2: a skull is flatter on top and steeper at the sides than an ellipse.
        return np.asarray((np.abs(x) ** 2.5 + up**2.5) ** 0.4)


def fringe(subject: EditedFace, random: np.random.Generator) -> Pixels:
    """Add a fringe: strands from above the hairline down to the brows, straight or to one side.

    Raises:
        EditFailed: there is no hair above the forehead, or the forehead is not visible.
    """
    top, brow = _heights(subject)
    hairline = _hairline(subject, top)
    grown = _locks(subject, hairline, brow, random)
    y = subject.grid[..., 1]
    fade = step(y, hairline - 0.32, hairline - 0.02)
    shadow = _body(subject, grown + 0.03 * subject.unit * subject.down, 0.10) * fade
    pixels = over(subject.pixels, subject.pixels * 0.55, np.where(shadow > 0.01, shadow * 0.35, 0))
    light = _gloss(subject, hairline, random)
    body = np.where(fade > 0, _body(subject, grown, 0.03) * fade, 0)
    pixels = over(pixels, subject.hair * 0.85 * light[..., None], body * 0.85)
    width = random.uniform(0.015, 0.03) * subject.unit
    return strands(pixels, grown, subject.hair, light, random, width=width, opacity=0.7,
                   spread=0.38, fade=fade)  # fmt: skip


def bald(subject: EditedFace, random: np.random.Generator) -> Pixels:
    """Remove the hair: cover the skull with skin, and replace hair above it by the background.

    Raises:
        EditFailed: the top of the head is not in the picture, the head is turned far to the side,
            or it is bald already.
    """
    top, brow = _heights(subject)
    ends = float(subject.inside(np.array([[subject.size / 2, 0.0]]))[0, 1])
    if top - ends < _ABOVE:
        raise EditFailed("the top of the head is not in the picture")
    _hairline(subject, top)
    left, right = (float(subject.inside(subject.at(i))[0, 0]) for i in (127, 356))
    turn = subject.turn
    if abs(turn) > _MOST_TURN:
        raise EditFailed("the head is turned too far")
    half = (right - left) / 2 * random.uniform(1.02, 1.08)
    # Where the head is turned, its back is visible beside the nearer temple.
    middle, half = (left + right) / 2 + 0.4 * turn * half, half * (1 + 0.35 * abs(turn))
    crown = max(ends + 0.05, brow - random.uniform(1.2, 1.35))
    skull = Skull(middle, half, brow + 0.2, crown)
    radius, y = skull.radius(subject), subject.grid[..., 1]
    dome = step(radius, 1.03, 0.97) * step(y, skull.base, skull.base - 0.25)
    pixels = _behind(subject, radius, skull.base, random)
    # Skin of the forehead stays as it is, up to the hairline.
    hair = 1 - subject.skin_mask.clip(0, 0.7) / 0.7
    soft: Any = cv2.GaussianBlur(cv2.dilate(hair, np.ones((5, 5))), (0, 0), 0.05 * subject.unit)
    brows = np.maximum(*(stroke([ring], subject.size, 0.2 * subject.unit, 0.05 * subject.unit)
                         for ring in (subject.at(70, 63, 105, 66, 107),
                                      subject.at(300, 293, 334, 296, 336))))  # fmt: skip
    hidden = np.maximum(step(y, top + 0.25, top + 0.05), (1.6 * soft).clip(0, 1))
    paint = np.asarray(dome * hidden * (1 - brows.clip(0, 1)), np.float32)
    return over(pixels, _scalp(subject, skull, radius, top, random), paint)


def _heights(subject: EditedFace) -> tuple[float, float]:
    """Heights of the top of the forehead and of the top of the brows: y in the head's axes.

    Raises:
        EditFailed: the forehead is not visible.
    """
    top = float(subject.inside(subject.at(10))[0, 1])
    brow = float(subject.inside(subject.at(105, 334))[:, 1].mean())
    if brow - top < 0.2:
        raise EditFailed("the forehead is not seen")
    return top, brow


def _hairline(subject: EditedFace, top: float) -> float:
    """Height of the hairline: y in the head's axes. The mesh has no landmark there.

    Raises:
        EditFailed: there is no hairline: the head is bald.
    """
    x, y = subject.grid[..., 0], subject.grid[..., 1]
    skin = alike(subject.pixels, subject.skin, _SKIN_REACH, 1.4, 0.8)
    # From above: a search from below would take a highlight on the forehead for the hairline.
    heights = np.arange(top - 0.55, top + 0.2, 0.05)
    for at in heights:
        row = (np.abs(x) < 0.4) & (np.abs(y - at) < 0.03)
        if row.any() and skin[row].mean() > _SKIN_BEGINS:
            if at == heights[0]:
                raise EditFailed("the head is bald")
            return float(at - 0.05)
    return float(heights[-1])  # hair, or a hat, down to the brows


def _locks(
    subject: EditedFace, hairline: float, brow: float, random: np.random.Generator
) -> Points:
    """Strands in locks, (N, 9, 2) pixels; those of one lock have one direction and one length."""
    left, right = (float(subject.inside(subject.at(i))[0, 0]) for i in (21, 251))
    middle, reach = (left + right) / 2, (right - left) / 2
    sweep = random.choice([0.0, 0.4, -0.4]) + random.uniform(-0.15, 0.15)
    ends = brow + random.uniform(-0.30, -0.06)
    locks = random.integers(10, 17)
    lock = random.integers(0, locks, _STRANDS)
    lean, lower = random.normal(scale=0.07, size=locks), random.uniform(-0.12, 0.08, locks)
    within = random.beta(1.4, 1.4, _STRANDS)
    x = (lock + 1.3 * within - 0.15) / locks * 2 - 1
    # The ends of a lock come together in a point.
    tip = 0.6 * (np.abs(within - 0.5) / 0.5) ** 2 * 0.12
    arch = 0.55 * np.abs(x) ** 3  # at the temples it hangs lower
    start = np.stack([
        middle + 0.8 * reach * x - 0.25 * sweep,
        hairline - 0.28 + 0.15 * x**2 + random.uniform(-0.12, 0.12, _STRANDS),
    ], axis=1)  # fmt: skip
    end = np.stack([
        middle + reach * (0.98 * x + 0.06 * (0.5 - within)) + sweep * (1 - np.abs(x)) + lean[lock],
        ends + lower[lock] + arch - tip + random.normal(scale=0.025, size=_STRANDS),
    ], axis=1)  # fmt: skip
    bend = np.stack([
        middle + reach * 1.05 * x - 0.1 * sweep, 0.55 * start[:, 1] + 0.45 * end[:, 1]
    ], axis=1)  # fmt: skip
    return curves(subject.outside(start), subject.outside(bend), subject.outside(end), 9)


def _body(subject: EditedFace, grown: Points, soft: float) -> Mask:
    return stroke(list(grown), subject.size, 0.03 * subject.unit, soft * subject.unit)


def _gloss(subject: EditedFace, top: float, random: np.random.Generator) -> Mask:
    """Light on the hair, (S, S) float32 factor, with a brighter band around the head."""
    y, x = subject.grid[..., 1], subject.grid[..., 0]
    band = np.exp(-(((y - top - 0.05 + 0.15 * x**2) / random.uniform(0.10, 0.18)) ** 2))
    general = 0.65 + 0.25 * subject.shading.clip(0.4, 1.3)
    return np.asarray(general * (1 + 0.22 * band), np.float32)


def _behind(
    subject: EditedFace, radius: NDArray[np.float64], base: float, random: np.random.Generator
) -> Pixels:
    """The photo with the hair outside of the skull replaced by the blurred background beside it.

    Only hair that is connected to the skull's edge is replaced; the rest is background.

    Raises:
        EditFailed: less than 1 % of the picture is background.
    """
    pixels, size = subject.pixels, subject.size
    x, y = subject.grid[..., 0], subject.grid[..., 1]
    likely = alike(pixels, subject.hair, (34, 14, 16), 2.0, 1.0) > 0.2
    near = (radius > 0.9) & (y < base - 0.1) & (np.hypot(x, y - base) < 2.1)
    _, parts = cv2.connectedComponents((likely & near).astype(np.uint8))
    touching = np.unique(parts[(radius < 1.06) & likely & near])
    hair = np.isin(parts, touching[touching > 0]).astype(np.uint8)
    closed: Any = cv2.morphologyEx(hair, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    grown = cv2.dilate(closed, np.ones((7, 7), np.uint8)).astype(np.float32)
    fade = step(y, base - 0.15, base - 0.6)
    out = np.asarray(cv2.GaussianBlur(grown, (0, 0), 1.2)) * fade
    known = ((grown == 0) & (radius > 1.1) & (y < base + 0.2)).astype(np.float32)
    if known.sum() < 0.01 * known.size:
        raise EditFailed("nothing of the background is seen")
    filled, missing = np.zeros_like(pixels), np.ones_like(known)
    for sigma in _FILL_SIGMAS:
        weight: Any = cv2.GaussianBlur(known, (0, 0), sigma)
        colour: Any = cv2.GaussianBlur(pixels * known[..., None], (0, 0), sigma)
        last = sigma == _FILL_SIGMAS[-1]
        take = missing if last else missing * step(weight, 0.02, 0.15)
        filled += take[..., None] * colour / np.maximum(weight, 1e-6)[..., None]
        missing = missing - take
    grain = 1.5 * noise(random, size, 1.0)[..., None]
    return over(pixels, (filled + grain).clip(0, 255), np.where(out > 0.02, out, 0))


def _scalp(
    subject: EditedFace,
    skull: Skull,
    radius: NDArray[np.float64],
    top: float,
    random: np.random.Generator,
) -> Pixels:
    """Skin of a bald head: the forehead's colour, darker towards the edge, with a highlight."""
    x, y = (subject.grid[..., 0] - skull.middle) / skull.half, subject.grid[..., 1]
    forehead = fill(subject.at(151, 108, 69, 67, 10, 297, 299, 337), subject.size)
    shown = subject.pixels[
        forehead * alike(subject.pixels, subject.skin, _SKIN_REACH, 1.4, 0.8) > 0.5
    ]
    colour = subject.skin
    if len(shown) > 30:
        grey = shown.mean(axis=1)  # its brighter half: the darker half may be hair
        bright = np.median(shown[grey >= np.median(grey)], axis=0)
        colour = np.asarray(0.5 * bright + 0.5 * colour, np.float32)
    limb = 1 - 0.30 * step(radius, 0.6, 1.05)
    spot = x + random.uniform(-0.3, 0.3), y - 0.55 * skull.crown - 0.45 * top
    gloss = np.exp(-((spot[0] / 0.35) ** 2) - (spot[1] / 0.22) ** 2)
    tone = limb * (1 + random.uniform(0.05, 0.14) * gloss)
    grain = 1 + 0.012 * noise(random, subject.size, 0.03 * subject.unit)
    stubble = random.uniform(0.0, 0.15) * step(y, top + 0.1, top - 0.15) * step(radius, 0.5, 0.9)
    mixed = colour * (1 - stubble[..., None]) + subject.hair * stubble[..., None]
    return np.asarray((mixed * (tone * grain)[..., None]).clip(0, 255), np.float32)
