"""Read a photo of any common kind as upright RGB, and write the result as the kind it was."""

from __future__ import annotations

import io
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from model.errors import BackendUnavailable, ImageError
from model.files import write_atomically
from pipeline.faces.pyramid import Image8
from pipeline.media import label

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
_HEIF = (".heic", ".heif")
READABLE = (*WRITABLE, ".bmp", ".ppm", ".gif", ".avif")


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture, upright, and what goes with it into the result.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        alpha: (H, W) uint8, or None where the picture is opaque.
        grey: the file holds shades of grey.
        exif: the camera's notes without orientation and thumbnail.
        icc: colour profile that the numbers of `image` are in.
        xmp: the packet that the file came with, without orientation and thumbnail.
        notes: what could not be kept, in words.
    """

    image: Image8
    alpha: NDArray[np.uint8] | None = None
    grey: bool = False
    exif: bytes | None = None
    icc: bytes | None = None
    xmp: bytes | None = None
    notes: tuple[str, ...] = ()


def read(path: Path) -> Photo:
    """Read a photo: 8 or 16 bits, grey, RGB, CMYK or a palette, with or without alpha.

    Raises:
        ImageError: the file is missing, empty, cut off, too large, animated or no picture.
        BackendUnavailable: it is HEIF, and pillow-heif is not installed.
    """
    if path.suffix.lower() in _HEIF:
        _register_heif(path)
    try:
        with warnings.catch_warnings():
            # Pillow warns above 89 million pixels; we have a limit of our own.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as opened:
                _refuse(path, opened)
                notes = [*_lost_depth(opened), *_lost_pages(opened)]
                opened.load()
                return _photo(opened, notes)
    except Image.DecompressionBombError as error:
        pixels = int("".join(re.findall(r"\((\d+) pixels", str(error))) or 0)
        raise _too_large(path, f"{pixels // 10**6} million") from None
    except UnidentifiedImageError:
        what = "is empty" if path.stat().st_size == 0 else "is no picture that can be read"
        raise ImageError(f"{path} {what}; expected a photo ({', '.join(READABLE)})") from None
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        why = getattr(error, "strerror", None) or str(error) or "damaged"
        raise ImageError(f"{path} cannot be read: {why}; expected a whole photo") from None


def write(path: Path, photo: Photo, image: Image8, xmp: bytes | None = None) -> None:
    """Write `image` with the alpha, profile and notes of `photo`; beside first, then renamed.

    Args:
        path: its suffix decides the format, see `WRITABLE`.
        photo: what `image` was made from.
        image: (H, W, 3) uint8 RGB.
        xmp: packet to put in; that of `photo` where None.

    Raises:
        ImageError: the suffix is unknown, the format cannot hold alpha, or the disk refuses.
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
    extra: dict[str, Any] = dict(options)
    if photo.exif:
        extra["exif"] = photo.exif
    if photo.icc:
        extra["icc_profile"] = photo.icc
    if packet := xmp or photo.xmp:
        extra |= _xmp_option(format, packet)
    written = io.BytesIO()
    try:
        picture.save(written, format, **extra)
    except OSError as error:
        raise ImageError(f"{path} cannot be written: {error.strerror or error}") from None
    write_atomically(path, lambda beside: beside.write_bytes(written.getbuffer()))


def check_writable(path: Path) -> tuple[str, dict[str, Any]]:
    """Pillow's name of the format that `path` asks for, and its options.

    Raises:
        ImageError: there is none; said before any work is done.
        BackendUnavailable: it is HEIF, and pillow-heif is not installed.
    """
    suffix = path.suffix.lower()
    if suffix not in WRITABLE:
        raise ImageError(
            f"{path.name} cannot be written: unknown suffix '{suffix}'; expected one of "
            f"{', '.join(WRITABLE)}"
        )
    if suffix in _HEIF:
        _register_heif(path)
    return WRITABLE[suffix]


def _refuse(path: Path, opened: Image.Image) -> None:
    """Say no before the pixels are unpacked."""
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


def _lost_depth(opened: Image.Image) -> list[str]:
    """A note if the file holds more than 8 bits; Pillow tells only before it unpacks them."""
    bits = opened.info.get("bit_depth", 8)
    tiles = getattr(opened, "tile", ())
    if opened.mode.startswith("I") or any(";16" in str(tile) for tile in tiles):
        bits = 16
    return [f"{bits} bits per channel become 8"] if bits > 8 else []


def _lost_pages(opened: Image.Image) -> list[str]:
    pages = getattr(opened, "n_frames", 1) if opened.format == "TIFF" else 1
    return [f"the first of {pages} pages is taken, the others are left out"] if pages > 1 else []


def _photo(opened: Image.Image, notes: list[str]) -> Photo:
    icc, xmp = opened.info.get("icc_profile"), opened.info.get("xmp")
    exif = opened.getexif()
    upright = ImageOps.exif_transpose(opened)
    exif.pop(0x0112, None)  # orientation: the pixels are upright now
    if upright.mode.startswith("I"):  # Pillow would clip, not scale
        upright = Image.fromarray((np.asarray(upright) >> 8).clip(0, 255).astype(np.uint8))
    grey = upright.mode in ("1", "L", "LA")
    alpha = None
    if upright.has_transparency_data:
        upright = upright.convert("RGBA")
        alpha = np.asarray(upright.getchannel("A"))
    if upright.mode == "CMYK":
        upright = _from_cmyk(upright, icc)
        icc = None
        notes.append("CMYK becomes RGB")
    return Photo(
        np.ascontiguousarray(np.asarray(upright.convert("RGB"))),
        alpha,
        grey,
        exif.tobytes() if len(exif) else None,
        icc,
        label.without_original(xmp.encode() if isinstance(xmp, str) else xmp) if xmp else None,
        tuple(notes),
    )


def _from_cmyk(image: Image.Image, icc: bytes | None) -> Image.Image:
    """By the picture's own profile where it has a usable one, by the plain formula otherwise."""
    from PIL import ImageCms

    if icc:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
            converted = ImageCms.profileToProfile(
                image, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except (ImageCms.PyCMSError, OSError):
            return image.convert("RGB")
        if converted is not None:
            return converted
    return image.convert("RGB")


def _xmp_option(format: str, packet: bytes) -> dict[str, Any]:
    """How Pillow takes an XMP packet in this format."""
    if format == "PNG":
        from PIL import PngImagePlugin

        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", packet.decode("utf-8", "replace"))
        return {"pnginfo": info}
    if format == "TIFF":
        return {"tiffinfo": {700: packet}}
    return {"xmp": packet}


def _register_heif(path: Path) -> None:
    try:
        import pillow_heif
    except ImportError:
        raise BackendUnavailable(
            f"{path.name}: HEIF needs pillow-heif, which is not installed. "
            "pip install -e '.[swap]', or convert the photo to JPEG"
        ) from None
    pillow_heif.register_heif_opener()
