"""The contract between tools and apps: what a bundle holds, and what its numbers mean.

Floor 0: standard library, and numpy where arrays are checked, so that `--help` loads it at once.
A bundle is a folder with `manifest.json`, the model files and `golden/`; Python, Kotlin and Swift
read the same manifest and type no number themselves.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from model.aligned_face import FACE_SIZE as FACE_SIZE
from model.aligned_face import IDENTITY_INPUT_SIZE as IDENTITY_INPUT_SIZE
from model.aligned_face import IdentityCrop as IdentityCrop
from model.aligned_face import face_template as face_template
from model.aligned_face import identity_crop as identity_crop
from model.errors import ContractError
from model.place import MANIFEST_NAME, recover
from model.possible import check_sides
from model.typed_json import load_json, parse
from model.untrusted import (
    LARGEST_MODEL_BYTES,
    LARGEST_TEXT_BYTES,
    check_model_kind,
    open_regular,
    package_files,
    read_regular,
)

if TYPE_CHECKING:
    import numpy as np

SCHEMA = 1
_READ_BYTES = 1 << 20

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
            f"Make it with python -m export.{'coreml' if format == 'mlpackage' else format}"
        )


def dumps(manifest: Manifest) -> str:
    """The manifest as JSON text."""
    return json.dumps(dataclasses.asdict(manifest), indent=2, allow_nan=False) + "\n"


def loads(text: str) -> Manifest:
    """The manifest from JSON text; unknown keys are ignored, as apps do.

    Raises:
        ContractError: not JSON, an unknown schema, a missing key or a value of the wrong type.
    """
    data = load_json(text, "the manifest")
    schema = data.get("schema") if isinstance(data, dict) else None
    if schema != SCHEMA:
        raise ContractError(
            f"the manifest has schema {schema!r}; this version reads schema {SCHEMA}. "
            "Export the bundle again with these tools, or update them"
        )
    manifest = parse(Manifest, data, "manifest")
    for spec in manifest.models:
        # A manifest may come from anywhere; a file name must not lead out of its bundle.
        plain = spec.file == os.path.basename(spec.file) and spec.file.isprintable()
        if not spec.file or not plain or spec.file.startswith("."):
            raise ContractError(f"the manifest names {spec.file!r}, which is not a plain file name")
        check_sides(spec)
    return manifest


def load_bundle(folder: Path) -> Manifest:
    """Read `folder`'s manifest.

    A bundle whose replacement was interrupted is put back first.

    Raises:
        ContractError: the folder is no bundle, or its manifest is broken or names missing files.
    """
    recover(folder)
    try:
        text = read_regular(folder / MANIFEST_NAME, LARGEST_TEXT_BYTES).decode("utf-8")
    except (ContractError, UnicodeDecodeError) as error:
        raise ContractError(
            f"{folder} is no bundle: {MANIFEST_NAME} cannot be read ({error}). "
            "Make a bundle with python -m export CHECKPOINT"
        ) from None
    manifest = loads(text)
    for spec in manifest.models:
        path = folder / spec.file
        if not os.path.lexists(path):
            raise ContractError(
                f"{folder} lacks {spec.file}, which its manifest names. Export again"
            )
        check_model_kind(path)
    return manifest


def checked_file(bundle: Path, spec: ModelSpec) -> Path:
    """The file of a model, after its kind, size and hash were held against the manifest.

    Raises:
        ContractError: it is not the file that the manifest describes.
    """
    path = bundle / spec.file
    check_model_kind(path)
    # A file of another size need not be read.
    as_large = path.is_dir() or path.stat().st_size == spec.bytes
    if as_large and digest(path) == (spec.sha256, spec.bytes):
        return path
    raise ContractError(
        f"{spec.file} is not the file that its manifest describes; it was damaged or exchanged. "
        "Copy or export the bundle again"
    )


def digest(path: Path) -> tuple[str, int]:
    """SHA-256 and size in bytes of a file, or of a folder's files in the order of their names.

    What file managers leave in folders (`.DS_Store`) does not count.

    Raises:
        ContractError: it is missing, no regular file, larger than a model can be, or a folder that
            holds a link, a pipe or a device.
    """
    folder = path.is_dir()
    sha, size = hashlib.sha256(), 0
    # The user may name a checkpoint through a link; inside a folder there are none.
    for file in package_files(path) if folder else [Path(os.path.realpath(path))]:
        if folder:
            sha.update(os.fsencode(file.relative_to(path).as_posix()) + b"\0")
        with open_regular(file, LARGEST_MODEL_BYTES - size) as opened:
            while part := opened.read(_READ_BYTES):
                sha.update(part)
                size += len(part)
    return sha.hexdigest(), size
