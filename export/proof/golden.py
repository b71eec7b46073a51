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
from pipeline.backends.base import Arrays, Backend
from pipeline.metrics import cosine, psnr_db
from pipeline.tensor import inputs_for, to_unit

Sample = dict[str, NDArray[Any]]


def folder_for(spec: ModelSpec) -> str:
    """Which of a bundle's sample folders fits a model file."""
    baked = spec.model == "generator" and len(spec.inputs) == 1
    return GOLDEN_BAKED if baked else GOLDEN


def read_golden(folder: Path) -> list[Sample]:
    """Arrays by name, one dict per sample.

    Raises:
        ContractError: the bundle was made with --no-parity, or its samples are damaged.
    """
    try:
        path = folder / "index.json"
        index = load_json(path.read_bytes(), str(path))
        return [
            {
                name: _read_array(folder, entry)
                for name, entry in sample.items()
                if name != "description"
            }
            for sample in index["samples"]
        ]
    except (OSError, ContractError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ContractError(
            f"{folder} holds no readable golden samples ({error}). Export without --no-parity"
        ) from None


def feeds(spec: ModelSpec, sample: Sample) -> Arrays:
    """The inputs of a model file for a sample, by name."""
    return inputs_for(spec.inputs, sample["target"][0], sample.get("embedding"))


def score(backend: Backend, sample: Sample) -> float:
    """How near a backend comes to PyTorch: PSNR in dB (peak 1), or the embeddings' cosine."""
    spec = backend.spec
    output = spec.outputs[0]
    answer = backend.run(**feeds(spec, sample))[output.name]
    if spec.model == "identity":
        near = cosine(answer, sample["target_embedding"])
    else:
        near = psnr_db(to_unit(answer, output), sample["image"][0], peak=1.0)
    return -math.inf if math.isnan(near) else near


def _read_array(folder: Path, entry: dict[str, Any]) -> NDArray[Any]:
    path = folder / Path(entry["file"]).name
    dtype = np.dtype(entry["dtype"]).newbyteorder("<")
    array: NDArray[Any] = np.frombuffer(path.read_bytes(), dtype).reshape(entry["shape"])
    return array.astype(entry["dtype"])
