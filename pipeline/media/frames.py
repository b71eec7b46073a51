"""Put RGB pixels back into a decoded frame, touching no more of it than has changed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.faces.pyramid import Image8
from pipeline.media.geometry import plane_views

_REACH = 2  # pixels from one that changed to the last chroma sample that it has a part in


def repaint(frame: Any, before: Image8, after: Image8) -> None:
    """Change a frame by the difference between two pictures, in place.

    Going to RGB and back costs about a level of brightness. Only the difference goes that way, so
    pixels that are equal in both pictures keep their bits, and no level is lost where they differ.

    Args:
        frame: 8-bit planar YCbCr (PyAV), its colours tagged. What other frames share is copied.
        before: (H, W, 3) uint8 RGB, the frame's picture.
        after: (H, W, 3) uint8 RGB, what it shall be.
    """
    region = _changed(before, after)
    if region is None:
        return
    top, bottom, left, right = region
    old, new = (_converted(frame, of[top:bottom, left:right]) for of in (before, after))
    frame.make_writable()
    for whole, was, becomes in zip(*map(plane_views, (frame, old, new)), strict=True):
        y = top // (2 if len(whole) < frame.height else 1)
        x = left // (2 if whole.shape[1] < frame.width else 1)
        part = whole[y : y + was.shape[0], x : x + was.shape[1]]
        moved = part.astype(np.int16) + becomes - was.astype(np.int16)
        part[:] = moved.clip(0, 255)


def _changed(before: Image8, after: Image8) -> tuple[int, int, int, int] | None:
    """Top, bottom, left and right around what differs, from even numbers; None where nothing."""
    # Rows of bytes: to look at pixels of three channels takes thirty times as long.
    rows_of_bytes = before.reshape(len(before), -1), after.reshape(len(after), -1)
    differs = rows_of_bytes[0] != rows_of_bytes[1]
    rows = np.flatnonzero(differs.any(axis=1))
    if not len(rows):
        return None
    columns = np.flatnonzero(differs[rows[0] : rows[-1] + 1].any(axis=0)) // before.shape[2]
    height, width = before.shape[:2]
    top, left = (max(0, int(first) // 2 * 2 - _REACH) for first in (rows[0], columns[0]))
    bottom = min(height, (int(rows[-1]) // 2 + 1) * 2 + _REACH)
    right = min(width, (int(columns[-1]) // 2 + 1) * 2 + _REACH)
    return top, bottom, left, right


def _converted(frame: Any, image: Image8) -> Any:
    import av

    picture: NDArray[np.uint8] = np.ascontiguousarray(image)
    return av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(
        format=frame.format.name,
        dst_colorspace=frame.colorspace,
        dst_color_range=frame.color_range,
    )
