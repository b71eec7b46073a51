"""Whether a file holds a photo or a video: by its first bytes, and where they do not tell, by name.

Standard library only: it is asked before any decoder is loaded.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pipeline.media import heif

Kind = Literal["photo", "video"]

_PHOTO_BRANDS = heif.BRANDS | {b"avif", b"avis", b"jp2 ", b"jpx ", b"crx "}  # of ISO containers
_SOUND_BRANDS = (b"M4A ", b"M4B ", b"M4P ")
_HEAD_BYTES = 400
# No TIFF: most cameras' raw files are such, and Pillow reads a small preview of them.
_PHOTO = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n|GIF8[79]a|BM.{4}\0{4}|RIFF....WEBP"
    rb"|\0\0\0\x0cjP  |\xff\x4f\xff\x51"  # JPEG 2000
    rb"|P[1-6][ \t\r\n]+[#0-9]",  # PBM, PGM, PPM
    re.DOTALL,
)
_VIDEO = re.compile(
    rb"\x1a\x45\xdf\xa3|RIFF....AVI |FLV\x01|nut/multimedia"
    rb"|\x30\x26\xb2\x75\x8e\x66\xcf\x11"  # ASF
    rb"|\x06\x0e\x2b\x34\x02\x05\x01\x01"  # MXF
    rb"|\0\0\x01[\xba\xb3]"  # MPEG
    rb"|\x47.{187}\x47|.{4}\x47.{191}\x47"  # MPEG transport streams
    rb"|....(?:moov|mdat|wide|free|skip|pnot)",  # QuickTime without a brand
    re.DOTALL,
)


def kind_of(path: Path) -> Kind | None:
    """What a file holds by its first bytes; None where they do not tell, or cannot be read."""
    try:
        if not path.is_file():  # a pipe would block
            return None
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except (OSError, ValueError):  # a NUL in the name is a ValueError
        return None
    if head[4:8] == b"ftyp" and head[8:12] not in _SOUND_BRANDS:
        return "photo" if head[8:12] in _PHOTO_BRANDS else "video"
    if _PHOTO.match(head):
        return "photo"
    return "video" if _VIDEO.match(head) else None


def what_instead(path: Path) -> str:
    """What a file is that no decoder takes for a picture, as the end of a sentence: `is empty`."""
    if not path.stat().st_size:
        return "is empty"
    if kind_of(path) == "video":
        return "holds a video by its content, whatever its name says"
    return "is no picture that can be read"
