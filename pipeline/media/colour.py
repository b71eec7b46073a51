"""Pixel formats and colour matrices: what a decoded frame has, and what an encoder can write.

Numbers of matrices and ranges are those of ITU-T H.273, which FFmpeg uses too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from pipeline.media.geometry import plane_views

RGB, BT709, UNSPECIFIED, YCGCO, BT2020 = 0, 1, 2, 8, 9
LIMITED, FULL = 1, 2
ALPHA_LOST = "transparency is left out"
_FCC = 4
_DERIVED = 12  # "chromaticity-derived": BT.709 or BT.2020, by the primaries
_BT2020_PRIMARIES = 9
_CONVERTIBLE = (BT709, UNSPECIFIED, _FCC, 5, 6, 7, BT2020)  # by FFmpeg's scaler
_NAMES = {YCGCO: "YCgCo", 10: "BT.2020 constant luminance", 11: "YDzDx", 13: "derived constant "
          "luminance", 14: "ICtCp", 15: "IPT-C2", 16: "YCgCo-Re", 17: "YCgCo-Ro"}  # fmt: skip
_WRITTEN = {f"yuv{j}{chroma}p" for j in ("", "j") for chroma in (420, 422, 444)}


@dataclass(frozen=True, slots=True)
class Colours:
    """How the colours of a film are read and written.

    Attributes:
        stored: matrix by which the frames are read.
        matrix: matrix of the result, one that both the scaler and the encoder know.
        range: LIMITED, FULL or 0 for unspecified, of the result.
        primaries: of both, H.273.
        transfer: of both, H.273.
        notes: what is converted, in words.
    """

    stored: int
    matrix: int
    range: int
    primaries: int
    transfer: int
    notes: tuple[str, ...] = ()

    @property
    def converts(self) -> bool:
        """Whether pixels have to be converted for their colours alone."""
        return self.stored != self.matrix


def colours_of(frame: Any, context: Any, encoder: str) -> Colours | None:
    """The colours of a film by its first frame and its decoder; None where they cannot be read.

    Args:
        frame: decoded (PyAV).
        context: codec context of the stream, asked where the frame says nothing.
        encoder: FFmpeg's name.
    """
    stored = int(_known(frame.colorspace, context.colorspace, UNSPECIFIED))
    spread = int(_known(frame.color_range, context.color_range, 0))
    primaries = int(_known(frame.color_primaries, context.color_primaries, 2))
    transfer = int(_known(frame.color_trc, context.color_trc, 2))
    if frame.format.is_rgb or frame.format.has_palette:
        note = "RGB becomes YCbCr by BT.709"
        return Colours(RGB, BT709, LIMITED, primaries, transfer, (note,))
    if frame.format.name.startswith("yuvj"):
        spread = FULL
    if stored == _DERIVED:
        matrix = BT2020 if primaries == _BT2020_PRIMARIES else BT709
        return Colours(matrix, matrix, spread, primaries, transfer)
    if stored in (RGB, 3):  # RGB says nothing of YCbCr, 3 is reserved
        stored = UNSPECIFIED
    if stored == _FCC and encoder != "libx264":  # VP9 has no tag for it
        note = "YCbCr by FCC becomes YCbCr by BT.709"
        return Colours(stored, BT709, spread, primaries, transfer, (note,))
    if stored in _CONVERTIBLE:
        return Colours(stored, stored, spread, primaries, transfer)
    if stored == YCGCO:
        note = "YCgCo becomes YCbCr by BT.709"
        return Colours(YCGCO, BT709, spread, primaries, transfer, (note,))
    return None


def name_of_matrix(number: int) -> str:
    """The name of a matrix that cannot be read."""
    return _NAMES.get(number, f"H.273 number {number}")


def pixel_format(frame: Any, encoder: str, size: tuple[int, int]) -> str:
    """FFmpeg's name of the format to encode: 8 bits, the chroma of the frame where possible.

    Args:
        frame: decoded (PyAV).
        encoder: FFmpeg's name.
        size: width and height of the result.
    """
    if encoder != "libx264":
        return "yuv420p"
    name = str(frame.format.name)
    odd_width, odd_height = (edge % 2 for edge in size)
    kept = name if name in _WRITTEN else "yuv420p"
    if frame.interlaced_frame and name.startswith("yuv411"):
        kept = "yuv422p"  # half the rows of chroma would mix the fields
    # H.264 has no odd width with half the columns of chroma, no odd height with half its rows.
    if (odd_width and "444" not in kept) or (odd_height and "420" in kept):
        return kept.replace("420", "444").replace("422", "444")
    return kept


def loss(frame: Any, format: str) -> list[str]:
    """What a format cannot keep of a frame, in words."""
    notes = []
    bits = max(component.bits for component in frame.format.components)
    if bits > 8:
        notes.append(f"{bits} bits per channel become 8")
    before, after = _subsampling(frame.format), _SUBSAMPLINGS[format[-4:-1]]
    if before and (before[0] > after[0] or before[1] > after[1]):
        notes.append(f"colour resolution {_RATIO[before]} becomes {_RATIO[after]}")
    if any(component.is_alpha for component in frame.format.components):
        notes.append(ALPHA_LOST)
    return notes


# Width and height of the chroma of 8x8 pixels.
_SUBSAMPLINGS = {"420": (4, 4), "422": (4, 8), "444": (8, 8)}
_RATIO = {
    (4, 4): "4:2:0", (4, 8): "4:2:2", (8, 8): "4:4:4", (2, 8): "4:1:1", (2, 2): "4:1:0",
    (8, 4): "4:4:0",
}  # fmt: skip


def _subsampling(format: Any) -> tuple[int, int] | None:
    """Width and height of the chroma of 8x8 pixels of a YCbCr format; None of any other."""
    if format.is_rgb or format.has_palette or len(format.components) < 3:
        return None
    size = format.chroma_width(8), format.chroma_height(8)
    return size if size in _RATIO else None


def from_ycgco(frame: Any, spread: int) -> Any:
    """A yuv444p PyAV frame that holds YCgCo, converted to YCbCr by BT.709, in place.

    Args:
        frame: its planes are Y, Cg and Co (H.273, equations 57 to 60).
        spread: FULL, or anything else for the limited range.
    """
    to_rgb = np.array([[1, -1, 1], [1, 1, 0], [1, -1, -1]], float)
    red, blue = 0.2126, 0.0722
    luma = np.array([red, 1 - red - blue, blue])
    to_ycbcr = np.array(
        [
            luma,
            (np.array([0, 0, 1]) - luma) / (2 * (1 - blue)),
            (np.array([1, 0, 0]) - luma) / (2 * (1 - red)),
        ]
    )
    black, scale = (0, (255, 255, 255)) if spread == FULL else (16, (219, 224, 224))
    zero = np.array([black, 128, 128], float)
    linear = np.diag(scale) @ to_ycbcr @ to_rgb @ np.diag(1 / np.array(scale))
    matrix = np.column_stack([linear, zero - linear @ zero])
    frame.make_writable()
    planes = plane_views(frame)
    converted = cv2.transform(np.dstack(planes), matrix)
    for plane, new in zip(planes, cv2.split(converted), strict=True):
        plane[:] = new
    return frame


def conform(frame: Any, colours: Colours) -> Any:
    """The frame, its tags those of the result."""
    frame.colorspace, frame.color_range = colours.matrix, colours.range
    return frame


def _known(of_frame: int, of_context: int, unspecified: int) -> int:
    return of_frame if of_frame != unspecified else of_context
