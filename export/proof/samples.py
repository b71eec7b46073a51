"""The (face, identity) pairs that parity is judged on, and identities given by the user."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from model.errors import BadInput, ImageError, UsageError
from pipeline.faces.portraits import PORTRAITS, faces

if TYPE_CHECKING:
    from model.mobilefacenet import MobileFaceNet

_NORM_TOLERANCE = 1e-3
_NAMES = ("Hopper", "Collins")  # in the order of PORTRAITS
MAX_SAMPLES = 12  # crops and flips of the portraits


@dataclass(frozen=True, slots=True)
class Pair:
    """One sample: what the generator is asked to do.

    Attributes:
        name: which face and which identity, for messages.
        face: aligned target, (H, W, 3) uint8 RGB.
        embedding: source identity, (1, E) float32, unit L2 norm.
    """

    name: str
    face: NDArray[np.uint8]
    embedding: NDArray[np.float32]


def make_pairs(
    count: int,
    face_size: int,
    embedding_size: int,
    encoder: MobileFaceNet | None,
    baked: NDArray[np.float32] | None,
    seed: int,
) -> list[Pair]:
    """Cross the portraits with several identities.

    Args:
        count: how many; beyond `MAX_SAMPLES` the same faces meet other identities.
        face_size: edge of the aligned faces in pixels.
        embedding_size: length of the embeddings.
        encoder: gives the portraits' own identities; without it all are random.
        baked: the one identity of a baked generator, (1, E); it is then the only one.
        seed: for the random unit embeddings.
    """
    pictures = faces(min(count, MAX_SAMPLES), face_size)
    identities = [("baked", baked)] if baked is not None else []
    if not identities:
        # Each face meets the other's identity first; random ones follow.
        own = [] if encoder is None else _own_identities(encoder, face_size)
        rng = np.random.default_rng(seed)
        drawn = rng.standard_normal((max(4, count // 4) - len(own), 1, embedding_size)).astype(
            np.float32
        )
        unit = drawn / np.linalg.norm(drawn, axis=2, keepdims=True)
        identities = own[::-1] + [(f"random {i + 1}", e) for i, e in enumerate(unit)]
    pairs = []
    for i in range(count):
        who, turn = i % len(pictures), i // len(pictures)
        identity, embedding = identities[(i + turn) % len(identities)]
        name = _NAMES[who % len(PORTRAITS)]
        pairs.append(
            Pair(f"{name} {who // len(PORTRAITS) + 1} as {identity}", pictures[who], embedding)
        )
    return pairs


def load_identity(
    path: Path, encoder: MobileFaceNet | None, face_size: int, embedding_size: int
) -> NDArray[np.float32]:
    """An identity from an embedding (`.npy`) or from an aligned face.

    Returns:
        (1, E) float32, unit L2 norm.

    Raises:
        BadInput: the file is missing, or the embedding has another size or norm.
        ImageError: the picture cannot be read or is not an aligned face.
        UsageError: a face was given but there is no identity encoder.
    """
    if not path.is_file():
        raise BadInput(f"{path} does not exist; expected an embedding (.npy) or an aligned face")
    if path.suffix == ".npy":
        return _load_embedding(path, embedding_size)
    face = _load_face(path, face_size)
    if encoder is None:
        raise UsageError(
            "a face needs an identity encoder to become an embedding: add --identity CKPT, "
            "or give an embedding as .npy"
        )
    return embed(encoder, face)


def embed(encoder: MobileFaceNet, face: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The embedding (1, E) of an aligned face (H, W, 3) uint8 RGB, by PyTorch."""
    import torch

    from model.wrap import PictureIdentityEncoder

    wrapped = PictureIdentityEncoder(encoder, peak=255.0, face_size=face.shape[0])
    with torch.inference_mode():
        tensor = torch.from_numpy(face.astype(np.float32).transpose(2, 0, 1)[None])
        embedding: NDArray[np.float32] = wrapped(tensor).numpy()
    return embedding


def _own_identities(
    encoder: MobileFaceNet, face_size: int
) -> list[tuple[str, NDArray[np.float32]]]:
    hopper, collins = faces(2, face_size)
    return [("Hopper", embed(encoder, hopper)), ("Collins", embed(encoder, collins))]


def _load_embedding(path: Path, embedding_size: int) -> NDArray[np.float32]:
    try:
        array = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError):
        raise BadInput(
            f"{path} is not a numpy array file. Save the embedding with numpy.save"
        ) from None
    if array.shape not in ((embedding_size,), (1, embedding_size)) or array.dtype.kind != "f":
        raise BadInput(
            f"{path} is {array.shape} {array.dtype}; this generator expects an embedding of "
            f"{embedding_size} floats. Make it with the identity encoder it was trained with"
        )
    norm = float(np.linalg.norm(array.astype(np.float64)))
    if not abs(norm - 1) <= _NORM_TOLERANCE:  # NaN is refused too
        raise BadInput(
            f"{path} has L2 norm {norm:.4g}; expected 1. Divide it by its norm: "
            "e / numpy.linalg.norm(e)"
        )
    return array.astype(np.float32).reshape(1, embedding_size)


def _load_face(path: Path, face_size: int) -> NDArray[np.uint8]:
    from PIL import Image

    try:
        with Image.open(path) as image:
            size, face = image.size, np.asarray(image.convert("RGB"))
    except (OSError, ValueError, Image.DecompressionBombError):
        raise ImageError(f"{path} is neither a readable picture nor an embedding (.npy)") from None
    if size != (face_size, face_size):
        raise ImageError(
            f"{path} is {size[0]}x{size[1]}; expected an aligned face of {face_size}x{face_size}. "
            "pipeline.faces.align.align() cuts one out of a photo, given five points"
        )
    return face
