"""Swap the same pairs of held-out people by every model file that is to be judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.contract import Precision
from model.errors import BackendUnavailable, BadInput, ContractError, UsageError, install
from pipeline.faces.pyramid import Image8

if TYPE_CHECKING:
    from pipeline.backends.base import Backend

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SwapPairs:
    """Source and target of each swap, as rows of a set of faces: (N,) int64 each."""

    source: Rows
    target: Rows


class JudgedModel(NamedTuple):
    """A generator to judge; `open` loads it and its identity encoder."""

    backend: str
    precision: Precision
    open: Callable[[], tuple[Backend, Backend]]


class Painted(NamedTuple):
    """The result of one swap.

    Attributes:
        image: (S, S, 3) HWC uint8 RGB.
        unit: the generator's output, float32 in about [0, 1]; 0 where it was not finite.
        finite: whether every value was finite.
    """

    image: Image8
    unit: NDArray[np.float32]
    finite: bool


def draw_pairs(people: NDArray[Any], count: int, seed: int = 0) -> SwapPairs:
    """Draw pairs of two people; everybody is a source before anybody is one again.

    Args:
        people: (N,) the person of each face.
        count: how many pairs.
        seed: draws people and photos.

    Raises:
        BadInput: there are fewer than two people.
    """
    names = np.unique(people)
    if len(names) < 2:
        raise BadInput(
            f"the faces show {len(names)} person; a swap takes two. Give faces of more people"
        )
    random = np.random.default_rng(seed)
    rows = {name: np.flatnonzero(people == name) for name in names}
    source: list[int] = []
    target: list[int] = []
    while len(source) < count:
        order = random.permutation(names)
        shift = int(random.integers(1, len(names)))
        for giver, taker in zip(order, np.roll(order, shift), strict=True):
            source.append(random.choice(rows[giver]))
            target.append(random.choice(rows[taker]))
    return SwapPairs(np.array(source[:count], np.int64), np.array(target[:count], np.int64))


def candidates(
    path: Path,
    identity: Path | None,
    backends: Sequence[str],
    precisions: Sequence[Precision],
    threads: int,
) -> list[JudgedModel]:
    """The models of a checkpoint or a bundle.

    Args:
        path: a generator's checkpoint, or a folder made by `python -m export`.
        identity: the identity encoder's checkpoint, the shipped one where None; a bundle brings its
            own.
        backends: those wanted; onnx and tflite where empty.
        precisions: those wanted; all that there are where empty.
        threads: for the runtimes.

    Raises:
        UsageError: flags that do not fit a checkpoint.
        ContractError: the folder is no bundle, or has nothing of what is wanted.
    """
    if path.is_dir():
        return _of_bundle(path, backends, precisions, threads)
    if set(backends) - {"pytorch"} or set(precisions) - {"fp32"}:
        raise UsageError(
            f"{path} is a checkpoint, which runs in pytorch and fp32 alone. Give a bundle made by "
            "python -m export for other backends and precisions"
        )
    return [JudgedModel("pytorch", "fp32", lambda: open_checkpoint(path, identity, threads))]


def _of_bundle(
    path: Path, backends: Sequence[str], precisions: Sequence[Precision], threads: int
) -> list[JudgedModel]:
    from model.manifest import load_bundle
    from pipeline.backends import BACKENDS, backend_class
    from pipeline.bundles import open_models

    files = {
        (spec.format, spec.precision)
        for spec in load_bundle(path).models
        if spec.file == f"generator-{spec.precision}.{spec.format}"
    }
    found = []
    for name in backends or ("onnx", "tflite"):
        backend_class(name)  # an unknown name is said at once
        format = BACKENDS[name][2]
        for precision in precisions or ("fp32", "fp16", "dynamic", "int8", "pal6", "w8a8"):
            if (format, precision) in files or (format == "pt" and precision == "fp32"):

                def opened(name: str = name, precision: Any = precision) -> tuple[Any, Any]:
                    generator, encoder = open_models(path, name, precision, threads)
                    return generator, encoder()

                found.append(JudgedModel(name, precision, opened))
    if not found:
        have = ", ".join(f"{f} {p}" for f, p in sorted(files)) or "no generator"
        raise ContractError(
            f"{path} has nothing for --backend {' '.join(backends) or 'onnx tflite'} --precision "
            f"{' '.join(precisions) or 'any'}; it holds {have}. Export what is missing"
        )
    return found


def open_checkpoint(path: Path, identity: Path | None, threads: int) -> tuple[Backend, Backend]:
    """A generator as it is deployed, and an identity encoder, both run by PyTorch.

    Raises:
        CheckpointError: a file is missing or foreign.
        BadInput: the two do not fit each other.
        BackendUnavailable: PyTorch is not installed.
    """
    import importlib.util

    if importlib.util.find_spec("torch") is None:
        raise BackendUnavailable(f"a checkpoint needs PyTorch. {install('torch')}")
    import torch

    from model.checkpoint import load_generator, load_identity_encoder
    from model.deploy import DeployedGenerator
    from model.shipped import SHIPPED_IDENTITY_ENCODER
    from model.wrap import PictureGenerator, PictureIdentityEncoder
    from pipeline.backends.pytorch import PyTorchBackend
    from pipeline.bundles import checkpoint_spec

    torch.set_num_threads(threads)
    identity = identity or SHIPPED_IDENTITY_ENCODER
    generator, encoder = load_generator(path), load_identity_encoder(identity)
    length = generator.config.embedding_size
    if encoder.config.embedding_size != length:
        raise BadInput(
            f"{identity} gives identities of {encoder.config.embedding_size} numbers, and {path} "
            f"takes {length}. Give the encoder that the generator was trained with, by --identity"
        )

    return (
        PyTorchBackend(
            PictureGenerator(DeployedGenerator(generator)),
            checkpoint_spec(path, "generator", length),
        ),
        PyTorchBackend(
            PictureIdentityEncoder(encoder), checkpoint_spec(identity, "identity", length)
        ),
    )


def paint(
    generator: Backend, encoder: Backend, faces: NDArray[np.uint8], pairs: SwapPairs
) -> Iterator[Painted]:
    """Swap each pair in turn.

    Args:
        generator: takes `target` and `embedding`.
        encoder: takes `face`.
        faces: (N, S, S, 3) uint8 RGB.
        pairs: rows of `faces`.
    """
    from pipeline.tensor import to_tensor, to_unit

    shape = next(t for t in generator.spec.inputs if t.name == "target")
    for source, target in zip(pairs.source, pairs.target, strict=True):
        embedding = encode(encoder, faces[source][None])
        answers = generator.run(target=to_tensor(faces[target], shape), embedding=embedding)
        raw = to_unit(answers["image"], generator.spec.outputs[0])
        finite = bool(np.isfinite(raw).all())
        picture = np.nan_to_num(raw, nan=0.0, posinf=0.0, neginf=0.0)
        yield Painted(np.rint(picture.clip(0, 1) * 255).astype(np.uint8), picture, finite)


def encode(encoder: Backend, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The identity of each face, (N, S, S, 3) uint8 RGB, as (N, E) float32 unit vectors."""
    from pipeline.swap import unit
    from pipeline.tensor import to_tensor

    (spec,) = encoder.spec.inputs
    answers = [encoder.run(face=to_tensor(face, spec))["embedding"] for face in faces]
    return np.stack([unit(answer.astype(np.float32).ravel()) for answer in answers])
