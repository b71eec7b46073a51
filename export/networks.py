"""The networks that an export starts from, and the form of them that is converted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from export.stages import Stages
from export.subject import Subject
from model.aligned_face import FACE_SIZE
from model.errors import BadInput, ImageError, UsageError

if TYPE_CHECKING:
    from model.lite import SwapNetwork
    from model.mobilefacenet import MobileFaceNet


@dataclass(frozen=True, slots=True)
class Networks:
    """The networks as trained.

    Attributes:
        trained: the generator.
        encoder: the identity encoder, where one fits.
        identity: the checkpoint that `encoder` came from.
        baked: the only identity of the files to make, (1, E) float32, unit L2 norm; None for
            generators that take an identity as input.
    """

    trained: SwapNetwork
    encoder: MobileFaceNet | None
    identity: Path | None
    baked: NDArray[np.float32] | None

    @property
    def embedding_size(self) -> int:
        """Length of the embeddings that the generator takes."""
        return self.trained.config.embedding_size


def load(checkpoint: Path, identity: Path | None, bake: Path | None, stages: Stages) -> Networks:
    """Load what the user named.

    Args:
        checkpoint: the generator's weights.
        identity: the identity encoder's weights; None takes the shipped ones if they fit.
        bake: a photo or an embedding to bake in, or None.
        stages: told which encoder was chosen.

    Raises:
        CheckpointError: the weights cannot be used.
        BadInput: the encoder does not fit the generator, or `bake` cannot be used.
        UsageError: `bake` is a photo, and there is no encoder.
    """
    from model.checkpoint import load_generator, load_identity_encoder

    trained = load_generator(checkpoint)
    size = trained.config.embedding_size
    identity = identity or _shipped_identity_for(size, stages)
    encoder = load_identity_encoder(identity) if identity else None
    if encoder and encoder.config.embedding_size != size:
        raise BadInput(
            f"the identity encoder gives {encoder.config.embedding_size} numbers, the generator "
            f"takes {size}. Give the encoder it was trained with"
        )
    baked = read_identity(bake, encoder, size, stages.say) if bake else None
    return Networks(trained, encoder, identity, baked)


def subjects(networks: Networks) -> list[Subject]:
    """The networks rewritten for inference, in the order in which they are exported."""
    import torch

    from model.deploy import BakedGenerator, DeployedGenerator

    size, baked = networks.embedding_size, networks.baked
    network: torch.nn.Module = DeployedGenerator(networks.trained)
    if baked is not None:
        assert isinstance(network, DeployedGenerator)
        network = BakedGenerator(network, torch.from_numpy(baked))
    network = network.requires_grad_(False).eval()
    generator = Subject("generator", network, FACE_SIZE, size, baked is not None)
    # A baked generator is used without an encoder.
    if networks.encoder is None or baked is not None:
        return [generator]
    return [generator, Subject("identity", networks.encoder, FACE_SIZE, size)]


def read_identity(
    path: Path, encoder: MobileFaceNet | None, size: int, tell: Callable[[str], None]
) -> NDArray[np.float32]:
    """An identity from an embedding (`.npy`) or from a photo.

    Args:
        path: an `.npy`, a photo, or an aligned face of 256x256 px. Of several faces in a photo the
            largest is taken.
        encoder: turns a face into an embedding.
        size: length of the generator's embeddings.
        tell: called with a note for the user.

    Returns:
        (1, size) float32, unit L2 norm.

    Raises:
        BadInput: the file is missing, or holds no identity for this generator.
        ImageError: the picture cannot be read or shows no face.
        BackendUnavailable: a face has to be found, and the detector is not installed.
        UsageError: a picture was given, and there is no identity encoder.
    """
    from export.faces import faces_in
    from model.wrap import embed
    from pipeline.people import load_identity

    if path.suffix.lower() == ".npy":
        return load_identity(path, size, tell)[None]
    if not path.is_file():
        raise BadInput(f"{path} does not exist; expected an embedding (.npy) or a photo")
    if encoder is None:
        raise UsageError(
            "a photo needs an identity encoder to become an embedding: add --identity CKPT, "
            "or give an embedding as .npy"
        )
    faces = faces_in(path, FACE_SIZE)
    if not faces:
        raise ImageError(f"{path} shows no face; expected a photo of the source person")
    if len(faces) > 1:
        tell(f"{path} shows {len(faces)} faces; the largest is taken")
    return embed(encoder, faces[0])


def _shipped_identity_for(embedding_size: int, stages: Stages) -> Path | None:
    """The identity encoder that comes with the toolkit, where it fits; says what was chosen."""
    from model.shipped import SHIPPED_EMBEDDING_SIZE, SHIPPED_IDENTITY_ENCODER

    if embedding_size == SHIPPED_EMBEDDING_SIZE and SHIPPED_IDENTITY_ENCODER.is_file():
        stages.say(
            "the identity encoder is the shipped one, which fits generators trained with it;"
        )
        stages.say("give the one that yours was trained with as --identity CKPT")
        return SHIPPED_IDENTITY_ENCODER
    stages.say("no identity encoder fits (give one with --identity CKPT): only the generator is")
    stages.say("exported, and identity cosines are not measured")
    return None
