"""The aligned faces in a picture file, wherever an export command takes one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def faces_in(path: Path, size: int, *, thorough: bool = True) -> list[NDArray[np.uint8]]:
    """Read a picture by the rules for photos, and align every face in it, largest first.

    A picture of exactly `size` x `size` px is taken for an aligned face.

    Args:
        path: any kind of photo that `pipeline.media.photo` reads.
        size: edge of an aligned face in pixels.
        thorough: look for turned and tiny faces too when a plain look finds some.

    Returns:
        (size, size, 3) uint8 RGB each; an empty list where no face is found.

    Raises:
        ImageError: the picture cannot be read or is too large.
        BackendUnavailable: the face detector or a codec is not installed.
    """
    from pipeline.media import photo

    picture = photo.read(path).image
    if picture.shape[:2] == (size, size):
        return [picture]
    from pipeline.faces.detect import aligned_faces

    return aligned_faces(picture, size, thorough=thorough)
