"""The golden samples of a bundle: a few inputs with PyTorch's answers, to replay on any runtime."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.contract import ModelSpec
from model.errors import ContractError
from model.place import GOLDEN, GOLDEN_BAKED
from model.typed_json import load_json
from model.untrusted import LARGEST_TEXT_BYTES, read_regular
from pipeline.backends.base import Arrays, Backend
from pipeline.metrics import cosine, psnr_db
from pipeline.tensor import inputs_for, to_unit

GoldenSample = dict[str, NDArray[Any]]

_ARRAYS = {  # dtype and number of axes
    "target": ("uint8", 4),
    "embedding": ("float32", 2),
    "image": ("float32", 4),
    "target_embedding": ("float32", 2),
}
_LONGEST_AXIS = 1 << 13
_MOST_SAMPLES = 64  # an export writes three


def folder_for(spec: ModelSpec) -> str:
    """Which of a bundle's sample folders fits a model file."""
    baked = spec.model == "generator" and len(spec.inputs) == 1
    return GOLDEN_BAKED if baked else GOLDEN


def read_golden(folder: Path) -> list[GoldenSample]:
    """Read all samples of a folder.

    Returns:
        Arrays by name, one dict per sample: `target` (1, H, W, 3) uint8, `embedding` (1, E),
        `image` (1, H, W, 3) in [0, 1] and, where an identity encoder was there, `target_embedding`
        (1, E); float32 but for the first.

    Raises:
        ContractError: the bundle was made with --no-parity, or its samples are damaged.
    """
    try:
        path = folder / "index.json"
        index = load_json(read_regular(path, LARGEST_TEXT_BYTES), str(path))
        samples = index["samples"][:_MOST_SAMPLES]
        return [_read_sample(folder, sample) for sample in samples]
    except (ContractError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ContractError(
            f"{folder} holds no readable golden samples ({_words(error)}). "
            "Export without --no-parity"
        ) from None


def feeds(spec: ModelSpec, sample: GoldenSample) -> Arrays:
    """The inputs of a model file for a sample, by name.

    Raises:
        ContractError: the sample is of another size than the model.
    """
    return inputs_for(spec.inputs, sample["target"][0], sample.get("embedding"))


def score(backend: Backend, sample: GoldenSample) -> float:
    """How near a backend comes to PyTorch: PSNR in dB (peak 1), or the embeddings' cosine.

    Raises:
        ContractError: the sample is of another size than the model.
    """
    spec = backend.spec
    output = spec.outputs[0]
    answer = backend.run(**feeds(spec, sample))[output.name]
    wanted = sample["target_embedding" if spec.model == "identity" else "image"]
    if answer.shape != output.shape or answer.size != wanted.size:
        raise ContractError(
            f"{spec.file} gives {answer.shape} where its manifest says {output.shape} and the "
            f"golden sample {wanted.shape}. Export again"
        )
    if spec.model == "identity":
        near = cosine(answer, sample["target_embedding"])
    else:
        near = psnr_db(to_unit(answer, output), sample["image"][0], peak=1.0)
    return -math.inf if math.isnan(near) else near


def _read_sample(folder: Path, sample: dict[str, Any]) -> GoldenSample:
    arrays = {
        name: _read_array(folder, sample[name], name, dtype, axes)
        for name, (dtype, axes) in _ARRAYS.items()
        if name in sample or name != "target_embedding"
    }
    if arrays["target"].shape != arrays["image"].shape:
        raise ValueError("target and image differ in size")
    return arrays


def _read_array(
    folder: Path, entry: dict[str, Any], name: str, dtype: str, axes: int
) -> NDArray[Any]:
    """A raw little-endian array of `axes` axes; its file has as many bytes as its shape needs."""
    shape = [int(length) for length in entry["shape"]]
    picture = axes == 4
    if (
        entry["dtype"] != dtype
        or len(shape) != axes
        or not all(1 <= length <= _LONGEST_AXIS for length in shape)
        or shape[0] != 1
        or (picture and shape[3] != 3)
    ):
        raise ValueError(
            f"{name} is {entry['dtype']!r} of {shape}; expected {dtype} of (1, "
            f"{'H, W, 3' if picture else 'E'})"
        )
    size = math.prod(shape) * np.dtype(dtype).itemsize
    data = read_regular(folder / Path(str(entry["file"])).name, size)
    if len(data) != size:
        raise ValueError(f"{name} has {len(data)} bytes; {shape} {dtype} needs {size}")
    array: NDArray[Any] = np.frombuffer(data, np.dtype(dtype).newbyteorder("<")).reshape(shape)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} has values that are not finite")
    return array.astype(dtype)


def _words(error: Exception) -> str:
    return f"it lacks {error}" if isinstance(error, KeyError) else str(error)
