"""Swap faces in a picture: find, align, generate, put back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from model.aligned_face import face_template
from model.contract import Align, Precision
from model.errors import BadInput, ImageError, UsageError
from model.manifest import load_bundle
from pipeline.backends.base import Backend
from pipeline.bundles import open_models
from pipeline.faces.align import Matrix, scale_of, similarity
from pipeline.faces.detect import LEAST_PX, Detector
from pipeline.faces.face import Face
from pipeline.faces.paste import Blend, paste
from pipeline.faces.pyramid import Image8, Pyramid
from pipeline.stopwatch import Stopwatch
from pipeline.tensor import to_image, to_tensor

Identity = NDArray[np.float32]
Which = Literal["all", "largest"] | int

_OTHERS = 0.5  # of the largest face's size: further faces of a source that are looked for

FROM_THE_SIDE = (
    "the face is seen from the side, where a swap would smear it; expected one turned by up to "
    "about 60 degrees"
)


class FaceSwapper:
    """The loaded models of a bundle, and the face detector.

    Threads may share one: each model runs one thread at a time, so that threads wait for each
    other where they need the same model. For more speed load one per thread.
    """

    def __init__(
        self,
        generator: Backend,
        identity_encoder: Callable[[], Backend],
        detector: Detector,
        watch: Stopwatch | None = None,
        align: Align | None = None,
        boost: bool = False,
    ) -> None:
        """Use `load`; this is for other ways to come by the parts, tests among them.

        Args:
            generator: paints a face.
            identity_encoder: opens the identity encoder, once, when it is needed.
            detector: finds faces.
            watch: told the time of every stage.
            align: where the generator expects a face; the contract's template where None.
            boost: swap faces that are larger than the generator's picture at twice its size.
        """
        self._generator = generator
        self._open_encoder = identity_encoder
        self._encoder: Backend | None = None
        self.detector = detector
        self.watch = watch or Stopwatch()
        self._boost = boost
        self._align = align or Align(self.size, face_template(self.size))
        # LiteRT raises where two threads use one interpreter.
        self._generator_lock, self._encoder_lock = threading.Lock(), threading.Lock()

    @classmethod
    def load(
        cls,
        bundle: Path | str,
        *,
        backend: str = "tflite",
        precision: Precision = "fp32",
        threads: int = 2,
        boost: bool = False,
    ) -> Self:
        """Load the generator of a bundle; its identity encoder follows when it is needed.

        Args:
            bundle: a folder made by `python -m export`.
            backend: pytorch, onnx, tflite or coreml.
            precision: of the generator. The identity encoder runs once per source, in the highest
                precision that the bundle has.
            threads: for the runtime.
            boost: swap faces that are larger than the generator's picture at twice its size, which
                takes four runs of the generator for one.

        Raises:
            ContractError: the folder is no bundle, or lacks that precision.
            BackendUnavailable: a runtime or the detector cannot work here.
            UsageError: there is no such backend.
        """
        generator, encoder = open_models(Path(bundle), backend, precision, threads)
        align = load_bundle(Path(bundle)).align
        return cls(generator, encoder, Detector(threads), align=align, boost=boost)

    @property
    def size(self) -> int:
        """Edge of an aligned face in pixels."""
        target = next(t for t in self._generator.spec.inputs if t.name == "target")
        return target.shape[2]

    @property
    def embedding_size(self) -> int:
        """Length of an identity."""
        return next(t for t in self._generator.spec.inputs if t.name == "embedding").shape[1]

    def identity(self, *images: Image8, tell: Callable[[str], None] | None = None) -> Identity:
        """The identity of one person: of the largest face of each picture, averaged.

        Args:
            images: (H, W, 3) uint8 RGB each, at least one.
            tell: called with a note on each picture that shows several faces.

        Returns:
            (E,) float32, unit L2 norm.

        Raises:
            ImageError: a picture shows no face.
        """
        if not images:
            raise UsageError("an identity needs at least one picture of the person")
        found = []
        for number, image in enumerate(images):
            which = f"picture {number + 1} of the source" if len(images) > 1 else "the source"
            pyramid = Pyramid(image)
            faces = self.detector.find(pyramid)
            if not faces:
                raise ImageError(f"no face found in {which}; expected a photo of one person")
            # A plain look ends with the first face; others may be as large.
            least_px = max(LEAST_PX, faces[0].side * _OTHERS)
            faces = self.detector.find(pyramid, thorough=True, known=faces, least_px=least_px)
            if len(faces) > 1 and tell is not None:
                tell(f"{which} shows {len(faces)} faces; the largest is taken")
            matrix = self._matrix(faces[0], self.size)
            found.append(self.embed(pyramid.cut(matrix, self.size, smooth=True)))
        return unit(np.mean(found, axis=0))

    def embed(self, aligned: Image8) -> Identity:
        """The identity, (E,) float32 of unit norm, of an aligned (size, size, 3) uint8 face."""
        with self._encoder_lock:
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
            ImageError: there is no face, or only such as are seen from the side.
            BadInput: the identity does not fit the generator.
        """
        pyramid = Pyramid(image)
        found = choose(self.find(pyramid, thorough=faces != "largest"), faces)
        if not found:
            raise ImageError(
                "no face found; expected a picture with a face of some 20 pixels or more"
            )
        if not any(face.frontal for face in found):
            raise ImageError(FROM_THE_SIDE)
        return self.put(pyramid, [(face, identity) for face in found], blend)

    def swap_each(
        self, images: Sequence[Image8], identity: Identity, *, faces: Which = "largest"
    ) -> list[Image8]:
        """As `swap`, for several pictures; the generator takes one face at a time."""
        return [self.swap(image, identity, faces=faces) for image in images]

    def find(
        self,
        picture: Image8 | Pyramid,
        *,
        thorough: bool = False,
        step: Callable[[], object] | None = None,
    ) -> list[Face]:
        """The faces of a picture, largest first; see `Detector.find`."""
        with self.watch.time("detect"):
            return self.detector.find(picture, thorough=thorough, step=step)

    def put(
        self,
        picture: Pyramid,
        faces: Sequence[tuple[Face, Identity]],
        blend: Blend | None = None,
    ) -> Image8:
        """A copy of `picture` with each identity on its face.

        Every face is cut out of the picture as it came, so that faces that touch do not see each
        other's swap. A face that turns away from the camera fades out, see `Face.frontal`.
        """
        result, blend = picture.image.copy(), blend or Blend()
        for face, identity in faces:
            if not face.frontal:
                continue
            with self.watch.time("align"):
                matrix = self._matrix(face, self.size)
                parts = 2 if self._boost and scale_of(matrix) < 1 else 1
                if parts > 1:
                    matrix = self._matrix(face, parts * self.size)
                aligned = picture.cut(matrix, parts * self.size, smooth=True)
            with self.watch.time("generate"):
                swapped = self._generate_parts(aligned, identity, parts)
            with self.watch.time("blend"):
                faded = replace(blend, opacity=blend.opacity * face.frontal)
                paste(result, swapped, aligned, matrix, face.mesh, faded)
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
        with self._generator_lock:
            answer = self._generator.run(target=to_tensor(aligned, target), embedding=embedding)
            return to_image(answer["image"], self._generator.spec.outputs[0])

    def _generate_parts(self, aligned: Image8, identity: Identity, parts: int) -> Image8:
        """`identity` on an aligned face of `parts` times the generator's edge.

        Every picture of each `parts`-th row and column shows the whole face; each is swapped, and
        the results are interleaved again. This is what FaceFusion calls pixel boost.
        """
        if parts == 1:
            return self.generate(aligned, identity)
        swapped = np.empty_like(aligned)
        for row in range(parts):
            for column in range(parts):
                part = np.ascontiguousarray(aligned[row::parts, column::parts])
                swapped[row::parts, column::parts] = self.generate(part, identity)
        return swapped

    def _matrix(self, face: Face, size: int) -> Matrix:
        """(2, 3): picture to the bundle's template, in `size` px."""
        template = np.array(self._align.template) * (size / self._align.size)
        return similarity(face.points, template)


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
