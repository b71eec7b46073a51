"""Draw shapes, strands and noise as masks. Shapes are drawn enlarged, then averaged down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.faces.facemesh import Points
from training.edits.subject import Mask, Pixels

_FINE = 3  # factor by which shapes are drawn larger
_SHIFT = 4  # fractional bits of OpenCV's coordinates: sixteenths of a pixel
_SHADES = 7  # of hair


def fill(polygon: Points, size: int, soft: float = 0.0) -> Mask:
    """The inside of a polygon as a mask.

    Args:
        polygon: (N, 2) pixels.
        size: edge of the mask in pixels.
        soft: standard deviation of a Gaussian blur in pixels; 0 is none.

    Returns:
        (size, size) float32 in [0, 1].
    """
    mask = np.zeros((size * _FINE, size * _FINE), np.uint8)
    cv2.fillPoly(mask, [_fixed(polygon)], (255,), cv2.LINE_AA, _SHIFT)
    return _shrink(mask, size, soft)


def stroke(
    lines: Sequence[Points], size: int, width: float, soft: float = 0.0, *, closed: bool = False
) -> Mask:
    """Lines as a mask.

    Args:
        lines: (N, 2) pixels each.
        size: edge of the mask in pixels.
        width: of the lines in pixels; below 1/3 a line becomes fainter instead of thinner.
        soft: standard deviation of a Gaussian blur in pixels; 0 is none.
        closed: join the last point of each line with its first.

    Returns:
        (size, size) float32 in [0, 1].
    """
    mask = np.zeros((size * _FINE, size * _FINE), np.uint8)
    thickness = max(1, round(width * _FINE))
    cv2.polylines(mask, [_fixed(line) for line in lines], closed, (255,), thickness, cv2.LINE_AA,
                  _SHIFT)  # fmt: skip
    return _shrink(mask, size, soft) * min(1.0, width * _FINE / thickness)


def strands(
    pixels: Pixels,
    curves: Points,
    colour: NDArray[np.float32],
    light: Mask,
    random: np.random.Generator,
    *,
    width: float,
    opacity: float,
    spread: float = 0.3,
    fade: Mask | None = None,
) -> Pixels:
    """Draw hair over a picture, each strand in one of seven shades of a colour.

    Args:
        pixels: (S, S, 3) float32 RGB 0..255.
        curves: (N, K, 2), N strands of K points in pixels.
        colour: (3,) RGB 0..255, the middle shade.
        light: (S, S) float32 factor on the colour.
        random: draws the shades.
        width: of a strand in pixels.
        opacity: of a strand, 0..1.
        spread: 0..1; the shades go from 1 - spread to 1 + spread of the colour.
        fade: (S, S) float32 in [0, 1], factor on the opacity; 1 where None.

    Returns:
        As `pixels`. Values are unchanged where no strand is.
    """
    order = random.permutation(len(curves))
    for i, some in enumerate(np.array_split(order, _SHADES)):
        cover = stroke(list(curves[some]), len(pixels), width) * opacity
        if fade is not None:
            cover = cover * fade
        # Bright strands are drawn last: those on top receive the light.
        shade = 1 + spread * (2 * i / (_SHADES - 1) - 1)
        # The added term keeps the shades of black hair apart.
        tone = (colour * shade + 28 * (shade - 1)).clip(0, 255)
        pixels = over(pixels, tone * light[..., None], cover)
    return pixels


def over(pixels: Pixels, colour: Any, alpha: Mask) -> Pixels:
    """Blend a colour over a picture; values are unchanged where alpha is 0.

    Args:
        pixels: (S, S, 3) float32 RGB 0..255.
        colour: (3,) or (S, S, 3) RGB 0..255.
        alpha: (S, S) float32 in [0, 1].

    Returns:
        As `pixels`.
    """
    cover = alpha[..., None]
    return np.where(cover > 0, pixels + (np.asarray(colour) - pixels) * cover, pixels).astype(
        np.float32
    )


def curves(start: Points, bend: Points, end: Points, points: int = 7) -> Points:
    """Quadratic Bézier curves, (N, points, 2), from (N, 2) starts, control points and ends."""
    t = np.linspace(0, 1, points)[None, :, None]
    a, b, c = (p[:, None, :] for p in (start, bend, end))
    return (1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c


def smooth(line: Points, points: int = 24) -> Points:
    """Round the corners of an (N, 2) line (Chaikin's cutting); (points, 2), at equal steps."""
    for _ in range(3):
        a, b = line[:-1], line[1:]
        cut = np.stack([0.75 * a + 0.25 * b, 0.25 * a + 0.75 * b], axis=1).reshape(-1, 2)
        line = np.concatenate([line[:1], cut, line[-1:]])
    along = np.r_[0, np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))]
    at = np.linspace(0, along[-1], points)
    return np.stack([np.interp(at, along, line[:, i]) for i in (0, 1)], axis=1)


def noise(random: np.random.Generator, size: int, grain: float) -> Mask:
    """Smooth noise with bumps of about `grain` pixels: mean 0, standard deviation 1."""
    rough = random.normal(size=(size, size)).astype(np.float32)
    bumps: Any = cv2.GaussianBlur(rough, (0, 0), max(0.3, grain / 2))
    return np.asarray((bumps - bumps.mean()) / max(1e-6, float(bumps.std())), np.float32)


def step(values: NDArray[Any], low: float, high: float) -> Mask:
    """Smoothstep: 0 below `low`, 1 above `high`. Where `low` is larger, 1 below and 0 above."""
    t = ((values - low) / (high - low)).clip(0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def _fixed(points: Points) -> NDArray[np.int32]:
    # Pixel centre x of the picture is at (x + 0.5) * _FINE - 0.5 of the fine mask.
    fine = (np.asarray(points, np.float64) + 0.5) * _FINE - 0.5
    return np.rint(fine * (1 << _SHIFT)).astype(np.int32)


def _shrink(mask: NDArray[np.uint8], size: int, soft: float) -> Mask:
    small: Any = cv2.resize(mask, (size, size), interpolation=cv2.INTER_AREA)
    small = small.astype(np.float32) / 255
    return np.asarray(cv2.GaussianBlur(small, (0, 0), soft) if soft > 0 else small, np.float32)
