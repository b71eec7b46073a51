"""Frames of another shape: fitted into the size of a film without being stretched, between bars."""

from __future__ import annotations

from typing import Any

from pipeline.media.geometry import plane_views

_CHROMA = 128  # no colour


def inside(shape: tuple[float, float], size: tuple[int, int]) -> tuple[int, int]:
    """The largest even width and height of the given shape that fit into `size`.

    Args:
        shape: width and height, in any unit.
        size: width and height in pixels; returned itself where the shape is the same.
    """
    scale = min(size[0] / shape[0], size[1] / shape[1])
    width, height = (edge * scale for edge in shape)
    if round(width) >= size[0] - 1 and round(height) >= size[1] - 1:
        return size
    return min(size[0], max(2, 2 * round(width / 2))), min(size[1], max(2, 2 * round(height / 2)))


def between_bars(frame: Any, size: tuple[int, int], black: int) -> Any:
    """A frame in the middle of a black one.

    Args:
        frame: PyAV frame, 8 bits, planar, of even width and height.
        size: width and height of the result.
        black: luma of the bars.
    """
    from av import VideoFrame

    whole = VideoFrame(*size, frame.format.name)
    whole.pts, whole.time_base, whole.duration = frame.pts, frame.time_base, frame.duration
    left, top = (size[0] - frame.width) // 4 * 2, (size[1] - frame.height) // 4 * 2
    planes = zip(plane_views(whole), plane_views(frame), strict=True)
    for index, (into, given) in enumerate(planes):
        into[:] = _CHROMA if index else black
        height, width = given.shape
        y, x = top * height // frame.height, left * width // frame.width
        into[y : y + height, x : x + width] = given
    return whole
