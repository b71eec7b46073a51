"""Swap faces in a picture: find, align, generate, put back."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from model.contract import Precision
from model.errors import BadInput, ImageError, UsageError
from pipeline.backends.base import Backend
from pipeline.bundles import open_models
from pipeline.faces.detect import Detector, Face, align_matrix
from pipeline.faces.paste import Blend, paste
from pipeline.faces.pyramid import Image8, Pyramid
from pipeline.tensor import to_image, to_tensor

Identity = NDArray[np.float32]
Which = Literal["all", "largest"] | int


@dataclass(slots=True)
class Stage:
    """The times of one stage in milliseconds; of a long video only the latest are kept."""

    n: int = 0
    sum_ms: float = 0.0
    latest_ms: deque[float] = field(default_factory=lambda: deque(maxlen=4096))

    def add(self, ms: float) -> None:
        """Count one time."""
        self.n += 1
        self.sum_ms += ms
        self.latest_ms.append(ms)


@dataclass(slots=True)
class Stopwatch:
    """Time spent in each stage: detect, align, generate, blend.

    From file to file also read and write, or decode and encode, which run beside the others.
    """

    stages: dict[str, Stage] = field(default_factory=dict)

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        """Count the time inside the `with` block for `stage`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.add(stage, (time.perf_counter() - start) * 1e3)

    def add(self, stage: str, ms: float) -> None:
        """Count a time for `stage`; each is one thread's."""
        self.stages.setdefault(stage, Stage()).add(ms)

    def summary(self) -> dict[str, dict[str, float]]:
        """Per stage: how often, median, 90th percentile and sum, in milliseconds."""
        return {
            name: {
                "n": stage.n,
                "p50": round(float(np.percentile(stage.latest_ms, 50)), 3),
                "p90": round(float(np.percentile(stage.latest_ms, 90)), 3),
                "sum": round(stage.sum_ms, 3),
            }
            for name, stage in self.stages.items()
        }


class FaceSwapper:
    """The loaded models of a bundle, and the face detector."""

    def __init__(
        self,
        generator: Backend,
        identity_encoder: Callable[[], Backend],
        detector: Detector,
        watch: Stopwatch | None = None,
    ) -> None:
        """Use `load`; this is for other ways to come by the parts, tests among them."""
        self._generator = generator
        self._open_encoder = identity_encoder
        self._encoder: Backend | None = None
        self.detector = detector
        self.watch = watch or Stopwatch()

    @classmethod
    def load(
        cls,
        bundle: Path | str,
        *,
        backend: str = "tflite",
        precision: Precision = "fp32",
        threads: int = 2,
    ) -> Self:
        """Load the generator of a bundle; its identity encoder follows when it is needed.

        Args:
            bundle: a folder made by `python -m export`.
            backend: pytorch, onnx, tflite or coreml.
            precision: of the generator. The identity encoder runs once per source, in the highest
                precision that the bundle has.
            threads: for the runtime.

        Raises:
            ContractError: the folder is no bundle, or lacks that precision.
            BackendUnavailable: a runtime or the detector cannot work here.
            UsageError: there is no such backend.
        """
        generator, encoder = open_models(Path(bundle), backend, precision, threads)
        return cls(generator, encoder, Detector(threads))

    @property
    def size(self) -> int:
        """Edge of an aligned face in pixels."""
        target = next(t for t in self._generator.spec.inputs if t.name == "target")
        return target.shape[2]

    @property
    def embedding_size(self) -> int:
        """Length of an identity."""
        return next(t for t in self._generator.spec.inputs if t.name == "embedding").shape[1]

    def identity(self, *images: Image8) -> Identity:
        """The identity of one person: of the largest face of each picture, averaged.

        Args:
            images: (H, W, 3) uint8 RGB each, at least one.

        Returns:
            (E,) float32, unit L2 norm.

        Raises:
            ImageError: a picture shows no face.
        """
        if not images:
            raise UsageError("an identity needs at least one picture of the person")
        found = []
        for number, image in enumerate(images):
            faces = self.detector.find(image)
            if not faces:
                which = f"picture {number + 1} of the source" if len(images) > 1 else "the source"
                raise ImageError(f"no face found in {which}; expected a photo of one person")
            found.append(self.embed(self._cut(Pyramid(image), faces[0])))
        return unit(np.mean(found, axis=0))

    def embed(self, aligned: Image8) -> Identity:
        """The identity, (E,) float32 of unit norm, of an aligned (size, size, 3) uint8 face."""
        if self._encoder is None:
            self._encoder = self._open_encoder()
        (face,) = self._encoder.spec.inputs
        answer = self._encoder.run(face=to_tensor(aligned, face))["embedding"]
        return unit(answer.astype(np.float32).ravel())

    def swap(
        self,
        image: Image8,
        identity: Identity,
        *,
        faces: Which = "largest",
        blend: Blend | None = None,
    ) -> Image8:
        """A copy of a picture with `identity` on its faces.

        Args:
            image: (H, W, 3) uint8 RGB, upright or not.
            identity: (E,) float32, unit L2 norm.
            faces: all, the largest, or the N largest.
            blend: how the faces are put back.

        Returns:
            (H, W, 3) uint8 RGB; synthetic, label it as such (`pipeline.media.label`).

        Raises:
            ImageError: there is no face.
            BadInput: the identity does not fit the generator.
        """
        pyramid = Pyramid(image)
        found = choose(self.find(pyramid, thorough=faces != "largest"), faces)
        if not found:
            raise ImageError(
                "no face found; expected a picture with a face of some 20 pixels or more"
            )
        return self.put(pyramid, [(face, identity) for face in found], blend)

    def swap_batch(
        self, images: Sequence[Image8], identity: Identity, *, faces: Which = "largest"
    ) -> list[Image8]:
        """As `swap`, for several pictures; the generator takes one face at a time."""
        return [self.swap(image, identity, faces=faces) for image in images]

    def find(self, picture: Image8 | Pyramid, *, thorough: bool = False) -> list[Face]:
        """The faces of a picture, largest first; see `Detector.find`."""
        with self.watch.time("detect"):
            return self.detector.find(picture, thorough=thorough)

    def put(
        self,
        picture: Pyramid,
        faces: Sequence[tuple[Face, Identity]],
        blend: Blend | None = None,
    ) -> Image8:
        """A copy of `picture` with each identity on its face.

        Every face is cut out of the picture as it came, so that faces that touch do not see each
        other's swap.
        """
        result = picture.image.copy()
        for face, identity in faces:
            with self.watch.time("align"):
                matrix = align_matrix(face, self.size)
                aligned = picture.cut(matrix, self.size, smooth=True)
            with self.watch.time("generate"):
                swapped = self.generate(aligned, identity)
            with self.watch.time("blend"):
                paste(result, swapped, aligned, matrix, face.mesh, blend)
        return result

    def generate(self, aligned: Image8, identity: Identity) -> Image8:
        """`identity` on an aligned (size, size, 3) uint8 face.

        Raises:
            BadInput: the identity has another length than the generator takes.
        """
        if identity.shape != (self.embedding_size,):
            raise BadInput(
                f"the identity has shape {identity.shape}; {self._generator.spec.file} takes "
                f"({self.embedding_size},). Make it with the bundle that swaps"
            )
        target = next(t for t in self._generator.spec.inputs if t.name == "target")
        embedding = np.ascontiguousarray(identity[None], np.float32)
        answer = self._generator.run(target=to_tensor(aligned, target), embedding=embedding)
        return to_image(answer["image"], self._generator.spec.outputs[0])

    def _cut(self, pyramid: Pyramid, face: Face) -> Image8:
        return pyramid.cut(align_matrix(face, self.size), self.size, smooth=True)


def choose(faces: list[Face], which: Which) -> list[Face]:
    """All of `faces`, which come largest first, the largest, or the N largest."""
    if which == "all":
        return faces
    return faces[: 1 if which == "largest" else which]


def unit(vector: NDArray[np.float32]) -> Identity:
    """`vector` at length one, float32."""
    norm = float(np.linalg.norm(vector))
    if not np.isfinite(norm) or norm == 0:
        raise BadInput("the identity is zero or not finite; expected a vector of unit length")
    return (vector / np.float32(norm)).astype(np.float32)
