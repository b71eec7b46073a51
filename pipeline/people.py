"""Whose face goes where: identities from photos or files, and which face each is put on."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from model.array_file import read_npy
from model.errors import BadInput, ImageError
from model.files import write_atomically
from pipeline.faces.face import Face
from pipeline.media import photo
from pipeline.swap import FaceSwapper, Identity, Which, unit

_UNIT = 1e-3  # how far a norm may be from 1 without a note


def _silent(_note: str) -> None:
    pass


def person(swapper: FaceSwapper, source: str, tell: Callable[[str], None] = _silent) -> Identity:
    """The identity that a source on the command line means.

    Args:
        swapper: embeds the faces.
        source: a photo, several of one person with commas between, or an `.npy`.
        tell: called with a note for the user.

    Raises:
        ImageError: a photo cannot be read or shows no face.
        BadInput: the `.npy` is no identity for this generator.
    """
    path = Path(source)
    if path.suffix.lower() == ".npy":
        return load_identity(path, swapper.embedding_size, tell)
    images = [photo.read(path).image for path in photos_of(source)]
    try:
        return swapper.identity(*images, tell=lambda note: tell(f"{source}: {note}"))
    except ImageError as error:
        raise ImageError(f"{source}: {error}") from None


def photos_of(source: str) -> list[Path]:
    """The files that a source on the command line names."""
    # Many names together are longer than a name may be: os.path says no, Path.exists raises.
    if os.path.exists(source):
        return [Path(source)]
    return [Path(os.path.expanduser(part)) for part in source.split(",") if part]


def load_identity(path: Path, size: int, tell: Callable[[str], None] = _silent) -> Identity:
    """Read an identity from an `.npy`, and bring it to unit norm.

    Args:
        path: the file; (size,) or (1, size) floats.
        size: length of the embeddings of the generator.
        tell: called with a note if the norm in the file is not 1.

    Returns:
        (size,) float32, unit L2 norm.

    Raises:
        BadInput: it cannot be read, holds something else, is zero or is not finite.
    """
    vector = read_npy(path)
    shape = vector.shape
    if shape not in ((size,), (1, size)) or vector.dtype.kind != "f":
        raise BadInput(
            f"{path} holds {vector.dtype} of shape {shape}; "
            f"this generator takes floats of ({size},). Make it again with --save-identity"
        )
    vector = vector.astype(np.float64).ravel()  # half and double beyond the range of float32
    norm = float(np.linalg.norm(vector))
    if not np.isfinite(norm) or norm == 0:
        raise BadInput(
            f"{path} holds a vector that is zero or not finite; expected an identity of unit "
            "length. Make it again with --save-identity"
        )
    if abs(norm - 1) > _UNIT:
        tell(f"{path} has L2 norm {norm:.4g}; it is divided by its norm")
    return unit((vector / norm).astype(np.float32))


def save_identity(path: Path, identity: Identity) -> None:
    """Write an identity as an `.npy` that `load_identity` and `--bake-identity` read."""
    data = io.BytesIO()  # np.save appends .npy to a path that lacks it
    np.save(data, identity)
    # An embedding of a face is biometric data: for its owner alone.
    write_atomically(path, lambda beside: beside.write_bytes(data.getvalue()), private=True)


def assign(
    faces: Sequence[tuple[int, Face]],
    people: Sequence[Identity],
    which: Which,
    pairs: Mapping[int, int] | None,
) -> list[tuple[Face, Identity]]:
    """Which identity goes on which face.

    Args:
        faces: with their numbers, in the order of these; 0 is the largest.
        people: the identities, in the order of the sources.
        which: the faces to swap where there are no pairs. Several people go on the faces in turn.
        pairs: face to person; only these faces are swapped.
    """
    if pairs is not None:
        return [(face, people[pairs[number]]) for number, face in faces if number in pairs]
    count = {"all": len(faces), "largest": 1}.get(str(which), which)
    return [(face, people[number % len(people)]) for number, face in faces[: int(count)]]
