"""Pictures to tensors and back, driven only by a `TensorSpec`.

The common ground is the unit picture: (H, W, 3) float32 RGB in [0, 1].
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.contract import TensorSpec
from model.errors import ContractError


def to_tensor(image: NDArray[Any], spec: TensorSpec) -> NDArray[Any]:
    """Turn a picture into what a model takes.

    Args:
        image: (H, W, 3) RGB, uint8 in 0..255 or float32 in [0, 1].
        spec: the model's input.

    Returns:
        Array of `spec`'s shape, layout, dtype and range.

    Raises:
        ContractError: the picture's size or dtype does not fit; faces are aligned before this.
    """
    unit = image.astype(np.float32) / 255 if image.dtype == np.uint8 else image.astype(np.float32)
    low, high = spec.range
    stored = unit * np.float32(high - low) + np.float32(low)
    if spec.dtype == "uint8":
        stored = np.rint(stored.clip(0, 255))
    if unit.ndim != 3 or unit.shape[2] != 3:
        raise ContractError(f"picture is {image.shape}; expected (H, W, 3) RGB")
    tensor = stored.transpose(2, 0, 1) if spec.layout == "NCHW" else stored
    tensor = np.ascontiguousarray(tensor[None], dtype=spec.dtype)
    spec.check(tensor, "the model")
    return tensor


def inputs_for(
    tensors: Iterable[TensorSpec], face: NDArray[Any], embedding: NDArray[np.float32] | None
) -> dict[str, NDArray[Any]]:
    """What a model takes for one face and one identity, by tensor name.

    Args:
        tensors: the model's inputs.
        face: aligned, (H, W, 3) RGB, uint8 in 0..255 or float32 in [0, 1].
        embedding: (1, E) float32, unit L2 norm; None for a model that takes pictures alone.

    Raises:
        ContractError: the picture's size or dtype does not fit, or the embedding is missing.
    """
    inputs: dict[str, NDArray[Any]] = {}
    for tensor in tensors:
        if tensor.color:
            inputs[tensor.name] = to_tensor(face, tensor)
        elif embedding is not None:
            inputs[tensor.name] = embedding
        else:
            raise ContractError(
                f"the model takes '{tensor.name}' {tensor.shape}, and no embedding is given"
            )
    return inputs


def to_unit(tensor: NDArray[Any], spec: TensorSpec) -> NDArray[np.float32]:
    """Turn a model's picture, of `spec`'s layout and range, into a unit picture (not clipped)."""
    low, high = spec.range
    picture = tensor[0].transpose(1, 2, 0) if spec.layout == "NCHW" else tensor[0]
    return ((picture.astype(np.float32) - np.float32(low)) / np.float32(high - low)).astype(
        np.float32
    )


def to_image(tensor: NDArray[Any], spec: TensorSpec) -> NDArray[np.uint8]:
    """Turn a model's picture into (H, W, 3) RGB uint8, rounded and clipped."""
    return np.rint(to_unit(tensor, spec) * 255).clip(0, 255).astype(np.uint8)
