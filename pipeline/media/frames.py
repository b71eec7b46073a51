"""Put RGB pixels back into a decoded frame, touching no more of it than has changed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.faces.pyramid import Image8

_HALF_COLOUR = ("yuv420p", "yuvj420p")


def repainted(frame: Any, before: Image8, after: Image8, format: str) -> Any:
    """A frame with the pixels that differ between two pictures, and the rest as decoded.

    Going to RGB and back costs about a level of brightness; outside of the face nothing has to.

    Args:
        frame: as decoded (PyAV); not changed, since the decoder may still refer to it.
        before: (H, W, 3) uint8 RGB, the frame's picture.
        after: (H, W, 3) uint8 RGB, what it shall be.
        format: pixel format of the result.

    Returns:
        A new frame with the time and colours of `frame`, or `frame` where nothing differs.
    """
    region = _changed(before, after)
    if region is None:
        return frame
    height, width = after.shape[:2]
    even = not (height % 2 or width % 2)
    if frame.format.name == format and format in _HALF_COLOUR and even:
        planes = frame.to_ndarray()
        top, bottom, left, right = region
        part = _converted(frame, after[top:bottom, left:right], format).to_ndarray()
        for whole, new, step in zip(_planes(planes), _planes(part), (1, 2, 2), strict=True):
            whole[top // step : bottom // step, left // step : right // step] = new
        made = _frame(planes, format)
    else:
        made = _converted(frame, after, format)
    made.pts, made.time_base = frame.pts, frame.time_base
    made.colorspace, made.color_range = frame.colorspace, frame.color_range
    return made


def _changed(before: Image8, after: Image8) -> tuple[int, int, int, int] | None:
    """Top, bottom, left and right of what differs, on even numbers; None where nothing does."""
    differs = before != after
    rows = np.flatnonzero(differs.any(axis=(1, 2)))
    if not len(rows):
        return None
    columns = np.flatnonzero(differs[rows[0] : rows[-1] + 1].any(axis=(0, 2)))
    edges = (rows[0] // 2, rows[-1] // 2 + 1, columns[0] // 2, columns[-1] // 2 + 1)
    top, bottom, left, right = (int(edge) * 2 for edge in edges)
    return top, bottom, left, right


def _converted(frame: Any, image: Image8, format: str) -> Any:
    return _frame(np.ascontiguousarray(image), "rgb24").reformat(
        format=format, dst_colorspace=frame.colorspace, dst_color_range=frame.color_range
    )


def _frame(array: NDArray[np.uint8], format: str) -> Any:
    import av

    return av.VideoFrame.from_ndarray(array, format=format)


def _planes(stacked: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], ...]:
    """Views of luma and the two colour planes in a (3/2 H, W) array."""
    height, width = stacked.shape[0] * 2 // 3, stacked.shape[1]
    colours = stacked[height:].reshape(2, height // 2, width // 2)
    return stacked[:height], colours[0], colours[1]
