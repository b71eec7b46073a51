"""Read a photo of any common format as upright 8-bit RGB, and write the result in a format."""

from __future__ import annotations

import re
import stat
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from model.errors import FaceSwapError, ImageError, UsageError
from model.files import write_atomically
from pipeline.faces.pyramid import Image8
from pipeline.media import eight_bits, exif, heif, label
from pipeline.media import xmp as xmp_packets
from pipeline.media.encode import Packets, encode
from pipeline.media.kinds import what_instead

MAX_PIXELS = 120_000_000  # above any phone's everyday photo; 1 GB of memory while it is worked on

# Suffix of a result: what Pillow calls the format, and how it is asked for good quality.
WRITABLE: dict[str, tuple[str, dict[str, Any]]] = {
    # Pillow's default takes five times as long, more than the swap, for a tenth fewer bytes.
    ".png": ("PNG", {"compress_level": 1}),
    ".jpg": ("JPEG", {"quality": 95, "subsampling": 0}),
    ".jpeg": ("JPEG", {"quality": 95, "subsampling": 0}),
    ".webp": ("WEBP", {"quality": 95}),
    ".tif": ("TIFF", {"compression": "tiff_lzw"}),
    ".tiff": ("TIFF", {"compression": "tiff_lzw"}),
    ".heic": ("HEIF", {"quality": 90}),
    ".heif": ("HEIF", {"quality": 90}),
}
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
READABLE = (*WRITABLE, ".bmp", ".ppm", ".gif", ".avif")


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture, upright, and what goes with it into the result.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        alpha: (H, W) uint8, or None where the picture is opaque.
        grey: the file holds shades of grey.
        exif: the camera's notes without orientation and thumbnail; unless all was asked for,
            without place, serial numbers and maker notes.
        icc: colour profile that the numbers of `image` are in.
        xmp: the packet that the file came with, likewise.
        notes: what could not be kept, in words.
    """

    image: Image8
    alpha: NDArray[np.uint8] | None = None
    grey: bool = False
    exif: bytes | None = None
    icc: bytes | None = None
    xmp: bytes | None = None
    notes: tuple[str, ...] = ()


def read(path: Path, *, keep_metadata: bool = False) -> Photo:
    """Read a photo: 8 or 16 bits, grey, RGB, CMYK or a palette, with or without alpha.

    What the file is, is told by its content; the suffix does not matter.

    Args:
        path: the file.
        keep_metadata: keep what tells where and with which device it was taken as well.

    Raises:
        ImageError: the file is missing, empty, cut off, too large, animated or no picture.
        BackendUnavailable: it is HEIF, and pillow-heif is not installed.
    """
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            _refuse_device(path)
            if heif.is_heif(path):
                heif.register(path)
            with Image.open(path) as opened:
                _refuse(path, opened)
                pages = _lost_pages(path, opened)
                taken = _photo(path, opened, keep_metadata)
            # Pillow warns above 89 million pixels; we have a limit of our own.
            damaged = any("exif" in str(one.message).lower() for one in warned)
            notes = ["its metadata are damaged in part"] if damaged else []
            return replace(taken, notes=(*taken.notes, *pages, *notes))
    except FaceSwapError:
        raise
    except Image.DecompressionBombError as error:
        pixels = int("".join(re.findall(r"\((\d+) pixels", str(error))) or 0)
        raise _too_large(path, f"{pixels // 10**6} million") from None
    except UnidentifiedImageError:
        raise ImageError(
            f"{path} {what_instead(path)}; expected a photo ({', '.join(READABLE)})"
        ) from None
    except Exception as error:  # a decoder may raise anything on a damaged file
        why = getattr(error, "strerror", None) or " ".join(str(error).split()) or "damaged"
        raise ImageError(f"{path} cannot be read: {why}; expected a whole photo") from None


def write(path: Path, photo: Photo, image: Image8, xmp: bytes | None = None) -> list[str]:
    """Write `image` with the alpha, profile and notes of `photo`; beside first, then renamed.

    Args:
        path: its suffix decides the format, see `WRITABLE`.
        photo: what `image` was made from.
        image: (H, W, 3) uint8 RGB.
        xmp: packet to put in; that of `photo` where None.

    Returns:
        What of the metadata the format cannot hold and was left out, in words.

    Raises:
        ImageError: the format cannot hold alpha or a picture of this size.
        UsageError: the suffix is unknown.
        BadInput: the disk refuses.
        BackendUnavailable: HEIF is asked for, and pillow-heif is not installed.
    """
    format, options = check_writable(path)
    picture = Image.fromarray(image)
    if photo.grey:
        picture = picture.convert("L")
    if photo.alpha is not None:
        if format == "JPEG":
            raise ImageError(f"{path}: JPEG cannot hold transparency; write .png or .webp")
        picture.putalpha(Image.fromarray(photo.alpha))
    packets = Packets(photo.exif, photo.icc, xmp or photo.xmp, label.xmp_packet() if xmp else None)
    data, left_out = encode(picture, format, options, packets)
    if data is None:
        raise ImageError(f"{path} cannot be written: {left_out}")
    write_atomically(path, lambda beside: beside.write_bytes(data))
    return [f"{format} cannot hold its {left_out}, which is left out"] if left_out else []


def check_writable(path: Path) -> tuple[str, dict[str, Any]]:
    """Pillow's name of the format that `path` asks for, and its options.

    Raises:
        UsageError: there is none; said before any work is done.
        BackendUnavailable: it is HEIF, and pillow-heif is not installed.
    """
    suffix = path.suffix.lower()
    if suffix not in WRITABLE:
        raise UsageError(
            f"{path.name} cannot be written: unknown suffix '{suffix}'; expected one of "
            f"{', '.join(WRITABLE)}"
        )
    if suffix in heif.SUFFIXES:
        heif.register(path)
    return WRITABLE[suffix]


def _refuse_device(path: Path) -> None:
    """Refuse what cannot be read twice, or never ends."""
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise ImageError(f"{path} is a device or a pipe; expected a photo. Save it as a file first")


def _refuse(path: Path, opened: Image.Image) -> None:
    """Refuse a picture that is too large, animated or of floats, before its pixels are unpacked.

    Raises:
        ImageError: it is one of these.
    """
    if opened.width * opened.height > MAX_PIXELS:
        raise _too_large(path, f"{opened.width}x{opened.height}")
    # A camera's MPO is a JPEG with more pictures behind the first, HEIF may hold a burst.
    if getattr(opened, "is_animated", False) and opened.format in ("GIF", "PNG", "WEBP", "AVIF"):
        frames = getattr(opened, "n_frames", 2)
        raise ImageError(
            f"{path} is an animation of {frames} frames; expected a photo. Make it a video first"
        )
    if opened.mode == "F":
        raise ImageError(f"{path} holds floating-point numbers; expected 8 or 16 bits. Convert it")


def _too_large(path: Path, size: str) -> ImageError:
    return ImageError(
        f"{path} is too large ({size}); expected up to {MAX_PIXELS // 10**6} million pixels. "
        "Make it smaller first"
    )


def _lost_pages(path: Path, opened: Image.Image) -> list[str]:
    if opened.format != "TIFF":
        return []
    try:
        # Apart: a failed count would leave a picture that cannot be loaded.
        with warnings.catch_warnings(record=True), Image.open(path) as counted:
            pages = getattr(counted, "n_frames", 1)
    except Exception:
        return ["further pages are damaged and left out"]
    return [f"the first of {pages} pages is taken, the others are left out"] if pages > 1 else []


def _photo(path: Path, opened: Image.Image, keep_metadata: bool) -> Photo:
    bits = eight_bits.depth(opened)
    opened.load()
    icc, xmp = opened.info.get("icc_profile"), opened.info.get("xmp")
    notes, used = [], bits
    image: Image.Image = opened
    if image.mode.startswith("I"):
        image, used = eight_bits.from_integers(path, image)
    elif bits == 16 and (again := eight_bits.from_low_bits(path, image)):
        image, used = again
    if bits > 8:
        inside = f" in {bits}" if used < bits else ""
        notes.append(f"{used} bits{inside} per channel become 8")
    camera = exif.notes_of(opened)
    turn = _TURNS.get(exif.orientation(camera))
    if turn is not None:
        image = image.transpose(turn)
    grey = image.mode in ("1", "L", "LA")
    alpha = None
    if image.has_transparency_data:
        image = image.convert("RGBA")
        alpha = np.asarray(image.getchannel("A"))
    if image.mode == "CMYK":
        image = eight_bits.from_cmyk(image, icc)
        icc = None
        notes.append("CMYK becomes RGB")
    kept, damage = exif.carried(camera, keep_all=keep_metadata)
    packet = xmp.encode() if isinstance(xmp, str) else xmp
    return Photo(
        np.ascontiguousarray(np.asarray(image if image.mode == "RGB" else image.convert("RGB"))),
        alpha,
        grey,
        kept,
        icc,
        xmp_packets.carried(packet, keep_all=keep_metadata) if packet else None,
        (*notes, *damage),
    )
