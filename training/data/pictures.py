"""Decode pictures of training data, which may be damaged or made to fill the memory."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

from model.errors import BadInput
from pipeline.media.photo import MAX_PIXELS

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PHOTO_PIXELS = MAX_PIXELS  # of a photo that is still to be aligned
MAX_FACE_PIXELS = 4096 * 4096  # of an aligned face; training uses 256 x 256


def decode_rgb(data: bytes, *, max_pixels: int = MAX_FACE_PIXELS, upright: bool = False) -> Image:
    """An encoded picture as Pillow's RGB.

    Args:
        data: the file's content.
        max_pixels: a larger picture is refused before it is decoded.
        upright: turn it as its EXIF orientation says.

    Raises:
        BadInput: it is damaged, too large or no picture.
    """
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit is ours
            with Image.open(io.BytesIO(data)) as image:
                if image.width * image.height > max_pixels:
                    raise ValueError(
                        f"{image.width}x{image.height} px; expected up to {max_pixels:,} pixels"
                    )
                picture = ImageOps.exif_transpose(image) if upright else image
                return picture.convert("RGB")
    except Exception as error:  # codecs raise errors of all kinds for damaged data
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise BadInput(f"a picture cannot be read ({reason})") from None
