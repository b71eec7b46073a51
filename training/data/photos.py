"""Photos of people on disk: a folder or an uncompressed tar of Person/N.jpg.

A set may be larger than memory, so a `Photo` is a place on disk that is read when it is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from model.errors import BadInput
from pipeline.faces.pyramid import Image8
from training.data.archives import LARGEST_MEMBER_BYTES, open_tar
from training.data.faces import PICTURES, Faces, split_people
from training.data.pictures import MAX_PHOTO_PIXELS, decode_rgb


@dataclass(frozen=True, slots=True)
class Photo:
    """Where a photo lies.

    Attributes:
        name: `Person/N`, without the file's ending.
        file: the photo, or the tar that holds it.
        start: its first byte in there.
        size: its bytes.
    """

    name: str
    file: Path
    start: int
    size: int

    @property
    def person(self) -> str:
        """The name of the person."""
        return self.name.split("/")[0]

    def read(self) -> Image8 | None:
        """The picture upright, (H, W, 3) uint8 RGB, or None where it is broken."""
        try:
            data = self.content()
            return np.asarray(decode_rgb(data, max_pixels=MAX_PHOTO_PIXELS, upright=True))
        except (OSError, BadInput):
            return None

    def content(self) -> bytes:
        """The photo still encoded; nothing where it is larger than any photo.

        Raises:
            OSError: the file cannot be read any more.
        """
        if self.size > LARGEST_MEMBER_BYTES:
            return b""
        with self.file.open("rb") as file:
            file.seek(self.start)
            return file.read(self.size)


def list_photos(path: Path) -> list[Photo]:
    """All photos of a folder or a tar, sorted by name; they are not decoded.

    Raises:
        BadInput: neither a folder nor a plain tar, or no photo in a person's folder.
    """
    photos = _of_folder(path) if path.is_dir() else _of_tar(path)
    if not photos:
        raise BadInput(
            f"{path} holds no photo in a folder of its person; expected Person/N.jpg "
            f"({', '.join(PICTURES)}). Put each person's photos into a folder of their own"
        )
    return sorted(photos, key=lambda photo: photo.name)


def held_out_people(names: Iterable[str], seed: int = 0) -> frozenset[str]:
    """The held-out people, given the names of all readable photos; see `split_people`."""
    every = tuple(names)
    _, held_out = split_people(Faces(every, np.empty((len(every), 0))), seed)
    return frozenset(held_out.people.tolist())


def held_out_faces(
    path: Path, size: int, seed: int = 0, step: Callable[[], None] | None = None
) -> Faces:
    """The faces of the held-out people of a set of aligned faces.

    Args:
        path: folder or tar of aligned faces.
        size: edge to bring them to, in pixels.
        seed: of the split.
        step: called after each photo of the set.

    Returns:
        Faces with (N, size, size, 3) pixels; `skipped` counts the broken pictures of the set.

    Raises:
        BadInput: no photos, faces that are not square, or nobody to hold out.
    """
    readable, broken = [], 0
    for photo in list_photos(path):
        picture = photo.read()  # broken ones do not count for who is held out
        if picture is None:
            broken += 1
        elif picture.shape[0] != picture.shape[1]:
            raise BadInput(
                f"{photo.name} of {path} is {picture.shape[1]}x{picture.shape[0]} px; expected "
                "aligned, square faces. Align them first, with pipeline.faces.detect.aligned_faces"
            )
        else:
            readable.append(photo)
        if step:
            step()
    chosen = held_out_people((photo.name for photo in readable), seed)
    kept = [photo for photo in readable if photo.person in chosen]
    if len(chosen) < 2:
        raise BadInput(
            f"{path} gives {len(chosen)} people to hold out; evaluation needs at least 2. Use a "
            "set with at least 8 people who have 2 to 10 photos each"
        )
    pixels = np.stack([resized(photo.read(), size) for photo in kept])
    return Faces(tuple(photo.name for photo in kept), pixels, broken)


def resized(picture: Any, size: int) -> Image8:
    """A square picture at (size, size, 3), bicubic."""
    from PIL import Image

    if len(picture) == size:
        return np.asarray(picture, np.uint8)
    scaled = Image.fromarray(picture).resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(scaled)


def _of_folder(folder: Path) -> list[Photo]:
    found = []
    for file in folder.rglob("*"):
        inside = file.relative_to(folder)
        if file.suffix.lower() in PICTURES and len(inside.parts) > 1 and file.is_file():
            found.append(Photo(_stem(inside.as_posix()), file, 0, file.stat().st_size))
    return found


def _of_tar(path: Path) -> list[Photo]:
    with open_tar(path, "give a folder or an uncompressed tar of Person/N.jpg", "r:") as tar:
        return [
            Photo(_stem(member.name), path, member.offset_data, member.size)
            for member in tar
            if member.isfile()
            and member.name.lower().endswith(PICTURES)
            and "/" in _stem(member.name)
        ]


def _stem(name: str) -> str:
    return str(PurePosixPath(name).with_suffix(""))
