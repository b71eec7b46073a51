"""Edits that warp the face: a fatter face, and a grin."""

from __future__ import annotations

import numpy as np

from pipeline.faces.facemesh import MOUTH, Points
from training.edits.draw import fill, over, smooth, step, stroke
from training.edits.subject import EditedFace, Pixels
from training.edits.warp import field, moved

_CORNERS = (61, 291)
_CHEEK_FOLDS = ((129, 203, 206, 216), (358, 423, 426, 436))
# y of the chin, in the head's axes.
_CHIN_AT = 1.9


def fat(subject: EditedFace, random: np.random.Generator) -> Pixels:
    """Widen cheeks and jaw, enlarge the chin, and move eyes, nose and mouth closer together."""
    places = subject.inside(subject.mesh[:, :2])
    x, y = places[:, 0], places[:, 1]
    wide, full = random.uniform(0.25, 0.40), random.uniform(0.05, 0.14)
    lowest = random.uniform(1.2, 1.5)  # where the face is widened most
    rise = step(y, -0.3, lowest) * (1 - 0.45 * step(y, lowest, _CHIN_AT + 0.1))
    side = step(np.abs(x), 0.28, 0.88)  # eyes and mouth stay
    moves = np.zeros((len(places), 2))
    moves[:, 0] = wide * x * rise * side
    moves[:, 1] = full * step(y, 1.2, _CHIN_AT) + 0.04 * side * step(y, 0.8, 1.4)
    inner = 1 - step(np.hypot(x, y - 0.8), 0.55, 0.95)
    squeeze = random.uniform(0.06, 0.12)
    moves[:, 0] -= squeeze * x * inner
    moves[:, 1] -= squeeze * (y - 0.7) * inner
    pixels = moved(subject.pixels, field(subject, _in_picture(subject, moves), 0.75))
    return _round_cheeks(subject, pixels, random)


def grin(subject: EditedFace, random: np.random.Generator) -> Pixels:
    """Move mouth corners up and out and cheeks up; narrow the eyes, deepen the folds."""
    places = subject.inside(subject.mesh[:, :2])
    corners = subject.inside(subject.at(*_CORNERS))
    out, up = random.uniform(0.10, 0.17), random.uniform(0.10, 0.17)
    moves = np.zeros((len(places), 2))
    for corner, sign in zip(corners, (-1, 1), strict=True):
        near = np.exp(-(((places - corner) / (0.22, 0.16)) ** 2).sum(axis=1))
        moves += near[:, None] * (sign * out, -up)
        cheek = corner + np.array([sign * 0.22, -0.45])
        near = np.exp(-(((places - cheek) / (0.26, 0.22)) ** 2).sum(axis=1))
        moves += near[:, None] * (sign * 0.03, -0.6 * up)
    lids = [145, 144, 153, 163, 154, 374, 373, 380, 390, 381]
    moves[lids, 1] -= 0.025
    pixels = moved(subject.pixels, field(subject, _in_picture(subject, moves), 0.5))
    mesh = subject.mesh[:, :2] + _in_picture(subject, moves)
    return _teeth(subject, _folds(subject, pixels, mesh, random), mesh)


def _in_picture(subject: EditedFace, moves: Points) -> Points:
    """Convert (N, 2) displacements in the head's axes to pixels."""
    return subject.unit * (moves[:, :1] * subject.right + moves[:, 1:] * subject.down)


def _round_cheeks(subject: EditedFace, pixels: Pixels, random: np.random.Generator) -> Pixels:
    """Lighten the cheeks, and darken the line where a double chin begins."""
    x, y = subject.grid[..., 0], subject.grid[..., 1]
    strength = random.uniform(0.03, 0.07)
    glow = sum(
        np.exp(-(((x - side) / 0.28) ** 2) - ((y - 1.0) / 0.28) ** 2) for side in (-0.68, 0.68)
    )
    chin = float(subject.inside(subject.at(152))[0, 1])
    crease = np.exp(-((x / 0.45) ** 2) - ((y - chin + 0.08 - 0.12 * x**2) / 0.05) ** 2)
    gain = 1 + strength * np.asarray(glow) - 2.2 * strength * crease
    touched = np.abs(gain - 1) > 2e-3
    return np.where(touched[..., None], (pixels * gain[..., None]).clip(0, 255), pixels).astype(
        np.float32
    )


def _folds(
    subject: EditedFace, pixels: Pixels, mesh: Points, random: np.random.Generator
) -> Pixels:
    """Darken the lines from the nose to the corners of the mouth."""
    lines = [smooth(mesh[list(path)]) for path in _CHEEK_FOLDS]
    dark = stroke(lines, subject.size, 0.05 * subject.unit, 0.035 * subject.unit)
    return over(pixels, 0.62 * pixels, dark * random.uniform(0.35, 0.6))


def _teeth(subject: EditedFace, pixels: Pixels, mesh: Points) -> Pixels:
    """Draw the upper teeth between open lips; nothing where the lips are closed."""
    gap = float(np.linalg.norm(mesh[13] - mesh[14])) / subject.unit
    if gap < 0.06:
        return pixels
    inner = fill(mesh[list(MOUTH)], subject.size, 0.02 * subject.unit)
    middle = (mesh[13] + mesh[14]) / 2
    below = subject.inside(middle[None])[0, 1] - subject.grid[..., 1]
    upper = step(below, -0.25 * gap, 0.1 * gap)
    light = 0.35 + 0.65 * min(1.0, float(subject.skin.mean()) / 190)
    return over(pixels, np.array([236, 226, 212]) * light, inner * upper * 0.4)
