"""The contract between tools and apps: what a bundle holds, and what its numbers mean.

A bundle is a folder with `manifest.json`, the model files and `golden/`; Python, Kotlin, Swift and
JavaScript read the same manifest and type no number themselves. These are the manifest's values;
`model.manifest` reads and writes them, `model.aligned_face` has the numbers of an aligned face.
Floor 0: standard library, and numpy where arrays are checked, so that `--help` loads it at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from model.aligned_face import IdentityCrop
from model.errors import ContractError

if TYPE_CHECKING:
    import numpy as np

SCHEMA = 1

# int8: whole numbers throughout (Core ML: weights only). dynamic: 8-bit weights, activations are
# quantized on the fly. pal6: weights from a palette of 64 values.
Precision = Literal["fp32", "fp16", "int8", "dynamic", "pal6", "w8a8"]
Format = Literal["pt", "onnx", "tflite", "mlpackage"]
Model = Literal["generator", "identity"]
Layout = Literal["NCHW", "NHWC", "NC"]
Measured = Literal["executed", "interpreted", "not executed", "skipped"]

DUAL_USE_NOTICE = (
    "Pictures made with these models are synthetic and must be labelled as such. "
    "Use them only with the consent of the people shown."
)


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One input or output of a model, addressed by its name, never by its position.

    Attributes:
        name: the tensor's name in the file.
        description: one sentence for the person who wires it up.
        shape: all axes, batch first.
        layout: what the axes mean; NC is a batch of vectors.
        dtype: numpy name, little-endian.
        range: smallest and largest value, in the units of the stored numbers.
        color: channel order of a picture, None for vectors.
        scale: real value = scale * (stored - zero_point); None where stored values are real.
        zero_point: see `scale`.
    """

    name: str
    description: str
    shape: tuple[int, ...]
    layout: Layout
    dtype: Literal["float32", "uint8"]
    range: tuple[float, float]
    color: Literal["RGB"] | None = None
    scale: float | None = None
    zero_point: int | None = None

    def check(self, array: np.ndarray[Any, Any], model_file: str) -> None:
        """Refuse an array that is not what this tensor takes.

        Raises:
            ContractError: shape or dtype differ, or a value is not finite.
        """
        import numpy as np  # here: `--help` of every command loads this module

        if array.shape != self.shape or array.dtype != np.dtype(self.dtype):
            raise ContractError(
                f"'{self.name}' is {array.shape} {array.dtype}; {model_file} expects "
                f"{self.shape} {self.layout} {self.dtype}. "
                "pipeline.tensor converts pictures to what a model takes"
            )
        if not np.isfinite(array).all():
            raise ContractError(
                f"'{self.name}' has values that are not finite; {model_file} expects numbers in "
                f"{self.range[0]:g}..{self.range[1]:g}. Look at where the array was made"
            )


@dataclass(frozen=True, slots=True)
class Parity:
    """How far a model file is from the PyTorch network as trained, worst case over all samples.

    The numbers are None where nothing was executed. `psnr_peak` is the picture range that psnr_db
    refers to (255 for 8-bit pictures); for the identity encoder the pictures' numbers are None.
    The `mean_` numbers are averages over the same samples.
    """

    measured: Measured
    samples: int = 0
    psnr_db: float | None = None
    psnr_peak: float | None = None
    ssim: float | None = None
    max_abs: float | None = None
    identity_cosine: float | None = None
    mean_psnr_db: float | None = None
    mean_ssim: float | None = None
    mean_identity_cosine: float | None = None


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the 8-bit ranges of a model file were measured on.

    Attributes:
        set: the built-in set or the name of a folder.
        pairs: how many (face, embedding) pairs.
        faces: how many different faces among them.
        sha256: of all faces and embeddings.
    """

    set: str
    pairs: int
    faces: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """The layers of a compressed model file that are kept in higher precision.

    Attributes:
        keep: their names in the network as it is exported.
        lost_share: the part of what compression saves against an fp16 file that they cost.
    """

    keep: tuple[str, ...]
    lost_share: float


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One model file of a bundle. `sha256` and `bytes` of a package folder cover all its files."""

    model: Model
    file: str
    format: Format
    precision: Precision
    sha256: str
    bytes: int
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    parity: Parity
    calibration: Calibration | None = None
    recipe: Recipe | None = None

    @property
    def size_mb(self) -> float:
        """Megabytes of 10^6 bytes, as phones count them."""
        return self.bytes / 1e6


@dataclass(frozen=True, slots=True)
class Align:
    """Where a face must lie before the models see it; see `face_template`."""

    size: int
    template: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Which weights a bundle was made from."""

    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """`manifest.json`: everything an app has to know about a bundle."""

    name: str
    version: str
    created: str
    checkpoint: Checkpoint
    identity_checkpoint: Checkpoint | None
    tools: dict[str, str]
    align: Align
    identity: IdentityCrop
    models: tuple[ModelSpec, ...]
    notice: str = DUAL_USE_NOTICE
    schema: int = SCHEMA

    def find(self, model: Model, format: Format, precision: Precision) -> ModelSpec:
        """The plain model file of that kind (not a baked one).

        Raises:
            ContractError: the bundle has none.
        """
        wanted = f"{model}-{precision}.{format}"
        for spec in self.models:
            if spec.file == wanted:
                return spec
        have = ", ".join(spec.file for spec in self.models) or "nothing"
        raise ContractError(
            f"bundle '{self.name}' has no {wanted}; it holds {have}. "
            f"Make it with python -m export.{'coreml' if format == 'mlpackage' else format} "
            f"CHECKPOINT --precision {precision}"
        )
