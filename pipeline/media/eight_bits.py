"""Turn the pixels of any file into 8 bits per channel, and say what that loses."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.errors import ImageError

_DEPTHS = (8, 10, 12)  # what is stored in 16 bits now and then, without the upper ones being used


def depth(opened: Image.Image) -> int:
    """Bits per channel that the file stores; Pillow tells only before it unpacks the pixels."""
    tiles = getattr(opened, "tile", ())
    if opened.mode.startswith("I") or any(";16" in str(tile) for tile in tiles):
        return 16
    return int(opened.info.get("bit_depth", 8))


def from_integers(path: Path, image: Image.Image) -> tuple[Image.Image, int]:
    """A picture of mode "I" in mode "L", and how many bits its values use.

    Raises:
        ImageError: the values do not fit into 16 bits.
    """
    values = np.asarray(image)
    if not values.size or values.min() < 0 or values.max() > 65535:
        raise ImageError(f"{path} holds 32-bit integers; expected 8 or 16 bits. Convert it")
    shifted, bits = _shifted(values)
    return Image.fromarray(shifted), bits


def from_low_bits(path: Path, image: Image.Image) -> tuple[Image.Image, int] | None:
    """A 16-bit colour picture again from its file where it uses 12 bits or fewer of them.

    Pillow keeps the upper 8 bits, which are all but black then.

    Args:
        path: the file.
        image: as Pillow unpacked it.

    Returns:
        The picture, not turned upright, and how many bits its values use; None where the upper
        bits are used.
    """
    if np.asarray(image).max(initial=0) > 15:
        return None
    data = np.frombuffer(path.read_bytes(), np.uint8)
    try:
        deep = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    if deep is None or deep.dtype != np.uint16 or deep.shape != (image.height, image.width, 3):
        return None
    shifted, bits = _shifted(deep[..., ::-1])
    return Image.fromarray(np.ascontiguousarray(shifted)), bits


def from_cmyk(image: Image.Image, icc: bytes | None) -> Image.Image:
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


def _shifted(values: NDArray[np.generic]) -> tuple[NDArray[np.uint8], int]:
    """The upper 8 of the bits that are used, and how many these are."""
    used = int(values.max()).bit_length()
    bits = next((depth for depth in _DEPTHS if used <= depth), 16)
    return (values.astype(np.uint16) >> np.uint16(bits - 8)).astype(np.uint8), bits
