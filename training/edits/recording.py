"""Make the record of one photo: align it, and make every edit that the face allows."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from model.aligned_face import face_template
from pipeline.faces.facemesh import Points, five_points
from pipeline.faces.pyramid import Image8, Pyramid
from training.data.photos import Photo, resized
from training.data.records import EDITS, Edit, Record

_QUALITY = 92  # of WebP: finer than the photos are
_ALIGNED_WITHIN = 0.06  # of the edge: so far from the template's its five points may lie


@dataclass(frozen=True, slots=True)
class ShardSettings:
    """Settings that decide the content of shards."""

    size: int
    seed: int
    limit: int | None
    per_shard: int


class Made(NamedTuple):
    """The result for one photo: a record, or what is wrong with it; and the edits that failed."""

    record: Record | None
    wrong: str
    failed: tuple[Edit, ...]


def make_record(task: tuple[Photo, str, ShardSettings]) -> Made:
    """Align a photo and make every edit that the face allows."""
    from training.edits.all import edit
    from training.edits.subject import EditFailed

    photo, key, settings = task
    picture = photo.read()
    if picture is None:
        return Made(None, "broken", ())
    found = aligned(picture, settings.size)
    if found is None:
        return Made(None, "faceless", ())
    face, mesh = found
    edits: dict[Edit, bytes] = {}
    failed: list[Edit] = []
    # The seed depends on the photo and on --seed only.
    seed = zlib.crc32(f"{settings.seed} {photo.name}".encode())
    for name in EDITS:
        try:
            edits[name] = encode(edit(name, face, mesh, seed))
        except EditFailed:
            failed.append(name)
    return Made(Record(key, photo.person, encode(face), edits), "", tuple(failed))


def aligned(picture: Image8, size: int) -> tuple[Image8, Points] | None:
    """The largest face of a photo on the contract's template, and its landmarks; None without one.

    A square picture whose face lies on the template already is only resized.

    Args:
        picture: (H, W, 3) uint8 RGB.
        size: edge of the aligned face in pixels.

    Returns:
        (size, size, 3) uint8 RGB and (468, 3).
    """
    from pipeline.faces.face import align_matrix

    detector, landmarks = _models()
    if picture.shape[0] == picture.shape[1]:
        face = resized(picture, size)
        mesh = landmarks.find(face)
        if mesh is not None:
            off = five_points(mesh[:, :2]) - np.array(face_template(size))
            if np.abs(off).max() < _ALIGNED_WITHIN * size:
                return face, mesh
    pyramid = Pyramid(picture)
    faces = detector().find(pyramid)
    if not faces:
        return None
    face = pyramid.cut(align_matrix(faces[0], size), size, smooth=True)
    mesh = landmarks.find(face)
    return None if mesh is None else (face, mesh)


def encode(picture: Image8) -> bytes:
    """A picture as WebP."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "webp", quality=_QUALITY)
    return stream.getvalue()


_loaded: list[Any] = []


def _models() -> tuple[Callable[[], Any], Any]:
    """The models of this process: a function that loads the detector, and the landmarks."""
    if not _loaded:
        start()
    return _loaded[0], _loaded[1]


def start() -> None:
    """Load the models of this process; otherwise they are loaded at their first use."""
    import functools

    import cv2

    from pipeline.faces.detect import Detector
    from training.data.landmarks import Landmarks

    cv2.setNumThreads(1)  # the processes are the parallelism
    if not _loaded:
        _loaded.extend([functools.cache(lambda: Detector(1)), Landmarks(1)])
