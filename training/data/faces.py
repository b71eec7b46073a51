"""Read aligned faces from a tar of `Person/N.webp`, and a teacher's embeddings of them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from model.errors import BadInput
from training.data.archives import members
from training.data.pictures import decode_rgb

PICTURES = (".webp", ".jpg", ".jpeg", ".png")
HELD_OUT_PEOPLE = 300
_LARGEST_EMBEDDINGS_BYTES = 4 << 30  # two million rows of 512 floats
# Two photos make one same-person pair. People with hundreds of photos would dominate the pairs, so
# they stay in the training set.
HELD_OUT_PHOTOS = (2, 10)


@dataclass(frozen=True, slots=True)
class Faces:
    """Aligned faces in memory.

    Attributes:
        names: `Person/N` of each face, without the file's ending.
        pixels: (N, size, size, 3) NHWC uint8 RGB.
        skipped: how many files of the tar were not readable pictures.
    """

    names: tuple[str, ...]
    pixels: np.ndarray[Any, Any]
    skipped: int = 0

    @property
    def people(self) -> np.ndarray[Any, Any]:
        """The person of each face, (N,) str."""
        return np.array([name.split("/")[0] for name in self.names])

    def __len__(self) -> int:
        return len(self.names)

    def take(self, rows: np.ndarray[Any, Any]) -> Faces:
        """The faces at those indices."""
        return Faces(tuple(self.names[i] for i in rows), self.pixels[rows], self.skipped)


def read_faces(path: Path) -> Faces:
    """Decode all faces of a tar into memory; a broken picture is skipped and counted.

    Raises:
        BadInput: not a tar, no face, faces of several sizes, or fewer than two people.
    """
    found = [
        (_stem(name), data)
        for name, data in members(path, "give a tar holding Person/N.webp with --data")
        if name.lower().endswith(PICTURES)
    ]
    with ThreadPoolExecutor() as pool:
        decoded = list(pool.map(_decode, [data for _, data in found]))
    pictures = [picture for picture in decoded if picture is not None]
    names = [name for (name, _), picture in zip(found, decoded, strict=True) if picture is not None]
    skipped = len(found) - len(pictures)
    if not pictures:
        raise BadInput(
            f"{path} holds no readable face ({skipped} broken); expected Person/N.webp. "
            "Look at what it holds with tar -tf"
        )
    sizes = {picture.shape for picture in pictures}
    if len(sizes) > 1 or pictures[0].shape[0] != pictures[0].shape[1]:
        raise BadInput(
            f"{path} holds pictures of {_some(sorted(s[:2] for s in sizes))} px; expected square "
            "faces of one size. Align them again with one size"
        )
    faces = Faces(tuple(names), np.stack(pictures), skipped)
    if len(set(faces.people)) < 2:
        raise BadInput(
            f"{path} shows one person, {faces.people[0]}; telling people apart needs at least two. "
            "Each person is a folder of the tar"
        )
    return faces


def read_embeddings(path: Path, names: Sequence[str]) -> np.ndarray[Any, Any]:
    """The teacher's embeddings of those faces, (N, D) float32 with unit L2 norm.

    Args:
        path: .npz with `names` (`Person/N` and any ending) and `emb`.
        names: the faces wanted, in this order.

    Raises:
        BadInput: not such a file, a face without embedding, or numbers that are not finite.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            unpacked = sum(info.file_size for info in archive.zip.infolist())
            if unpacked > _LARGEST_EMBEDDINGS_BYTES:
                raise ValueError(f"{unpacked:,} bytes unpacked")
            known = {_stem(str(name)): i for i, name in enumerate(archive["names"])}
            table = archive["emb"].astype(np.float32)
    except Exception as error:  # numpy and zipfile raise errors of all kinds for damaged files
        raise BadInput(
            f"{path} cannot be read as embeddings ({str(error) or type(error).__name__}). "
            "Give an .npz with `names` and `emb` with --embeddings"
        ) from None
    if table.ndim != 2 or len(table) != len(known):
        raise BadInput(
            f"{path} has `emb` of shape {table.shape} for {len(known)} different names; "
            "expected one row for each. Compute the embeddings again"
        )
    missing = [name for name in names if name not in known]
    if missing:
        raise BadInput(
            f"{path} has no embedding of {len(missing)} faces ({_some(missing)}). "
            "Compute the embeddings of the same tar"
        )
    rows = table[[known[name] for name in names]]
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    if not np.isfinite(rows).all() or (norms == 0).any():
        raise BadInput(
            f"{path} has embeddings that are zero or not finite; expected unit vectors. "
            "Compute the embeddings again"
        )
    return rows / norms


def split_people(faces: Faces, seed: int = 0) -> tuple[Faces, Faces]:
    """Split by people into faces for training and held-out faces.

    Of the people with 2 to 10 photos, 300 are held out, or a quarter if that is fewer.
    """
    held_out = np.isin(faces.people, held_out_people(faces.people, seed))
    return faces.take(np.flatnonzero(~held_out)), faces.take(np.flatnonzero(held_out))


def held_out_people(people: np.ndarray[Any, Any], seed: int = 0) -> np.ndarray[Any, Any]:
    """The held-out people, see `split_people`; `people` has one entry per photo."""
    names, counts = np.unique(people, return_counts=True)
    low, high = HELD_OUT_PHOTOS
    eligible = names[(counts >= low) & (counts <= high)]
    count = min(HELD_OUT_PEOPLE, len(eligible) // 4)
    return np.random.default_rng(seed).choice(eligible, count, replace=False)


def _stem(name: str) -> str:
    return str(PurePosixPath(name).with_suffix(""))


def _some(items: Sequence[object], count: int = 3) -> str:
    more = ", ..." if len(items) > count else ""
    return ", ".join(str(item) for item in items[:count]) + more


def _decode(data: bytes) -> np.ndarray[Any, Any] | None:
    try:
        return np.asarray(decode_rgb(data))
    except BadInput:
        return None
