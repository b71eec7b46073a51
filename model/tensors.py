"""What each kind of artifact takes and gives: the border where apps and models meet.

Pictures are aligned RGB faces: in [0, 1] for float artifacts, 0..255 where the file holds 8-bit
pictures. The [-1, 1] of the networks stays inside. Embeddings are float32 everywhere.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from model.aligned_face import FACE_SIZE
from model.contract import Format, Model, TensorSpec

Pictures = Literal["float", "uint8"]


class Signature(NamedTuple):
    """The inputs and outputs of a model, in the order of its Python arguments."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


def signature(
    model: Model,
    format: Format,
    pictures: Pictures = "float",
    *,
    face_size: int = FACE_SIZE,
    embedding_size: int = 512,
    baked: bool = False,
) -> Signature:
    """The border of one model file.

    Args:
        model: generator or identity encoder.
        format: decides the layout: TFLite and Core ML pictures are NHWC, the others NCHW.
        pictures: float32 in [0, 1], or uint8 in 0..255.
        face_size: edge of the aligned face in pixels.
        embedding_size: length of an embedding.
        baked: the generator's identity is inside, so it takes the target alone.
    """

    def picture(name: str, description: str) -> TensorSpec:
        nhwc = format in ("tflite", "mlpackage")
        shape = (1, face_size, face_size, 3) if nhwc else (1, 3, face_size, face_size)
        layout: Literal["NHWC", "NCHW"] = "NHWC" if nhwc else "NCHW"
        if pictures == "uint8":
            return TensorSpec(
                name, description, shape, layout, "uint8", (0, 255), "RGB", 1 / 255, 0
            )
        return TensorSpec(name, description, shape, layout, "float32", (0, 1), "RGB")

    def embedding(description: str) -> TensorSpec:
        return TensorSpec("embedding", description, (1, embedding_size), "NC", "float32", (-1, 1))

    if model == "identity":
        return Signature(
            (picture("face", "Aligned face of the person whose identity is wanted."),),
            (embedding("Identity of the face: a vector of unit L2 norm."),),
        )
    target = picture("target", "Aligned face that gives pose, light and background.")
    image = picture("image", "Swapped face: synthetic, label it as such.")
    if baked:
        return Signature((target,), (image,))
    return Signature((target, embedding("Identity of the source: unit L2 norm.")), (image,))
