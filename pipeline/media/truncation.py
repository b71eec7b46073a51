"""Whether a video file is shorter than it says itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

_SEGMENT = 0x18538067  # Matroska element that holds everything but the first header
_UNKNOWN = {length: (1 << 7 * length) - 1 for length in range(1, 9)}  # sizes of live streams


def is_cut_off(path: Path, format: str) -> bool | None:
    """Whether the file ends before its outermost structure does.

    Args:
        path: of the file.
        format: FFmpeg's name of the container.

    Returns:
        None where the container does not tell its size.
    """
    tell = next((tell for name, tell in _TELLS.items() if name in format.split(",")), None)
    if tell is None:
        return None
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            return tell(file, size) > size
    except IndexError:
        return True  # it ends within a header
    except OSError:
        return None


def _end_of_boxes(file: BinaryIO, size: int) -> int:
    """ISO 14496-12, 4.2: boxes of a length and a type, one after the other."""
    at = 0
    while at < size:
        file.seek(at)
        header = file.read(16)
        length = int.from_bytes(header[:4], "big")
        if length == 0:  # to the end of the file
            return size
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        if length < 8:
            return size  # not a box: something was appended
        at += length
    return at


def _end_of_segment(file: BinaryIO, size: int) -> int:
    """RFC 8794, 5 and 6: an identifier, a length, content; the second element is the segment."""
    at = 0
    while at < size:
        file.seek(at)
        header = file.read(12)
        id_length = 9 - header[0].bit_length()
        identifier = int.from_bytes(header[:id_length], "big")
        length = 9 - header[id_length].bit_length()
        value = int.from_bytes(header[id_length : id_length + length], "big")
        value &= (1 << 7 * length) - 1
        if identifier == _SEGMENT:
            unknown = value == _UNKNOWN.get(length)
            return size if unknown else at + id_length + length + value
        at += id_length + length + value
    return at


def _end_of_riff(file: BinaryIO, _: int) -> int:
    """RIFF: four letters and the length of the rest; long files have several of them."""
    header = file.read(8)
    return 8 + int.from_bytes(header[4:8], "little")


_TELLS = {
    "mov": _end_of_boxes,
    "matroska": _end_of_segment,
    "webm": _end_of_segment,
    "avi": _end_of_riff,
}
