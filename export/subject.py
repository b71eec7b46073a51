"""What is exported: a network, the tensors that it takes and gives, and the files made of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from model.contract import Calibration, Format, Model, ModelSpec, Parity, Precision, Recipe
from model.digest import digest
from model.tensors import Pictures, Signature, signature

if TYPE_CHECKING:
    from torch import Tensor, nn


# The side of an aligned face divided by this: 64 px and 8 px.
_COARSE: dict[Model, int] = {"generator": 4, "identity": 32}


@dataclass(frozen=True, slots=True)
class Subject:
    """A network ready for export, between tensors in [-1, 1].

    Attributes:
        model: generator or identity encoder.
        network: `DeployedGenerator`, `BakedGenerator` or `MobileFaceNet`.
        face_size: edge of the aligned face in pixels.
        embedding_size: length of an embedding.
        baked: the generator's identity is inside.
    """

    model: Model
    network: nn.Module
    face_size: int
    embedding_size: int
    baked: bool = False

    @property
    def coarse(self) -> int:
        """Longest side in pixels of the maps that int8 leaves in float: docs/quantization.md."""
        return self.face_size // _COARSE[self.model]

    def wrapped(self, peak: float = 1.0) -> nn.Module:
        """The network between pictures in [0, peak]."""
        from model.wrap import PictureGenerator, PictureIdentityEncoder

        if self.model == "identity":
            return PictureIdentityEncoder(self.network, peak, self.face_size).eval()  # type: ignore[arg-type]
        return PictureGenerator(self.network, peak).eval()

    def example(self, peak: float = 1.0) -> tuple[Tensor, ...]:
        """Inputs for tracing, NCHW; their values do not matter, the graph has no branches."""
        import torch

        face = torch.full((1, 3, self.face_size, self.face_size), peak / 2)
        if self.model == "identity" or self.baked:
            return (face,)
        return face, torch.full((1, self.embedding_size), self.embedding_size**-0.5)

    def signature(self, format: Format, pictures: Pictures = "float") -> Signature:
        """The inputs and outputs of one of its files."""
        return signature(
            self.model,
            format,
            pictures,
            face_size=self.face_size,
            embedding_size=self.embedding_size,
            baked=self.baked,
        )

    def file_name(self, format: Format, precision: Precision) -> str:
        """Model and precision; what else differs goes into the name too."""
        return f"{self.model}-{precision}{'-baked' if self.baked else ''}.{format}"


@dataclass(frozen=True, slots=True)
class Artifact:
    """A model file that has just been made.

    Attributes:
        subject: what it was made of.
        path: the file, or the folder of a Core ML package.
        format: of the file.
        precision: of the file.
        signature: its inputs and outputs.
        calibration: what its activation ranges were measured on.
        recipe: layers that it keeps in higher precision.
    """

    subject: Subject
    path: Path
    format: Format
    precision: Precision
    signature: Signature
    calibration: Calibration | None = None
    recipe: Recipe | None = None

    def spec(self, parity: Parity | None = None) -> ModelSpec:
        """Its entry in the manifest; without `parity` as not proved."""
        sha256, size = digest(self.path)
        return ModelSpec(
            self.subject.model, self.path.name, self.format, self.precision, sha256, size,
            self.signature.inputs, self.signature.outputs, parity or Parity("skipped"),
            self.calibration, self.recipe,
        )  # fmt: skip
