"""The (face, identity) pairs that parity is measured on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.faces.portraits import PORTRAITS, faces

if TYPE_CHECKING:
    from model.mobilefacenet import MobileFaceNet

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
        # The portraits' identities are swapped first; random identities follow.
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


def _own_identities(
    encoder: MobileFaceNet, face_size: int
) -> list[tuple[str, NDArray[np.float32]]]:
    from model.wrap import embed

    hopper, collins = faces(2, face_size)
    return [("Hopper", embed(encoder, hopper)), ("Collins", embed(encoder, collins))]
