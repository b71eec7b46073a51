"""Compressed weights: the `constexpr_*` operations of iOS 16, 17 and 18, bit for bit.

The arithmetic runs in the types and in the order of coremltools' own decoding, so that rounding
comes out the same. Trap of the format: iOS 16 and 17 keep the operands in an operation's
attributes, iOS 18 in its inputs; the two generations also share names while their operands differ.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.errors import ContractError
from pipeline.mlprogram.blob import unpack_bits
from pipeline.mlprogram.operands import choose

Array = NDArray[Any]
Operands = Mapping[str, Any]


def _affine(o: Operands) -> Array:
    """One scale per slice along `axis` (iOS 16): scale * (data - zero_point)."""
    data, axis = o["quantized_data"], int(o["axis"])

    def along_axis(values: Array) -> Array:
        shape = [1] * data.ndim
        shape[axis] = -1
        return values.reshape(shape) if values.ndim else values

    scale = along_axis(o["scale"])
    dense = data.astype(np.float32) - along_axis(o["zero_point"]).astype(np.float32)
    dense *= scale
    return dense.astype(scale.dtype)


def _blockwise(o: Operands) -> Array:
    """One scale per block of any shape (iOS 18): scale * (data - offset)."""
    scale, offset = o["scale"], o.get("offset")
    dense = o["data"].astype(scale.dtype)
    if offset is not None:
        dense = dense - _spread(offset, dense.shape)
    return _spread(scale, dense.shape) * dense


def _lut(o: Operands) -> Array:
    """A palette. iOS 16: one for all, packed indices; iOS 18: one per block, maybe of vectors."""
    lut = o["lut"]
    if "shape" in o:
        shape = tuple(int(n) for n in o["shape"])
        bits, count = lut.size.bit_length() - 1, math.prod(shape)
        if lut.size != 1 << max(bits, 0):
            raise ContractError(f"lut has {lut.size} values; expected a power of two")
        return lut[unpack_bits(o["indices"].view(np.uint8), bits, count)].reshape(shape)
    return _lut_blocks(o["indices"], lut, int(o.get("vector_axis", 0)))


def _lut_blocks(indices: Array, lut: Array, vector_axis: int) -> Array:
    palettes, vector = lut.shape[-2:]
    tables = _spread(lut.reshape(*lut.shape[:-2], -1), (*indices.shape, palettes * vector))
    tables = tables.reshape(*indices.shape, palettes, vector)
    chosen = indices.astype(np.int64)[..., None, None]
    found = np.take_along_axis(tables, chosen, axis=-2)[..., 0, :]  # (..., vector)
    axis = vector_axis % indices.ndim
    found = np.moveaxis(found, -1, axis + 1)  # the vector follows its axis, then joins it
    shape = list(indices.shape)
    shape[axis] *= vector
    return found.reshape(shape)


def _sparse(o: Operands) -> Array:
    """Zero wherever the mask is: packed and with a shape in iOS 16, 1-bit integers in iOS 18."""
    values, mask = o["nonzero_data"], o["mask"]
    if "shape" in o:
        shape = tuple(int(n) for n in o["shape"])
        mask = unpack_bits(mask.view(np.uint8), 1, math.prod(shape)).reshape(shape)
    dense = np.zeros(mask.shape, values.dtype)
    kept = int((mask != 0).sum())
    if values.size != kept:
        raise ContractError(f"nonzero_data has {values.size} values; the mask keeps {kept}")
    dense[mask != 0] = values
    return dense


def _lut_to_sparse(o: Operands) -> tuple[Array, Array]:
    """A palette for the values that are not zero: gives the mask and those values."""
    mask = o["indices_mask"]
    indices = _sparse({"nonzero_data": o["indices_nonzero_data"], "mask": mask})
    axis = o.get("vector_axis")
    dense = _lut_blocks(indices, o["lut"], int(axis or 0))
    if axis is not None:
        mask = np.repeat(mask, o["lut"].shape[-1], axis=int(axis))
    return mask, dense[mask != 0].flatten()


def _sparse_blockwise(o: Operands) -> tuple[Array, Array]:
    """Scales for the values that are not zero: gives the mask and those values."""
    mask = o["data_mask"]
    data = _sparse({"nonzero_data": o["nonzero_data"], "mask": mask})
    dense = _blockwise({"data": data, "scale": o["scale"], "offset": o.get("offset")})
    return mask, dense[mask != 0].flatten()


def _cast(o: Operands) -> Array:
    kinds: dict[str, type] = {"fp32": np.float32, "fp16": np.float16}
    dense: Array = o["source_val"].astype(choose(o, "output_dtype", kinds, ""))
    return dense


def _spread(values: Array, shape: tuple[int, ...]) -> Array:
    """Repeat each value over its block, so that `values` takes `shape`."""
    for axis, (have, wanted) in enumerate(zip(values.shape, shape, strict=True)):
        if have != wanted:
            values = np.repeat(values, wanted // have, axis)
    return values


CONSTEXPR: dict[str, Callable[[Operands], Array | tuple[Array, ...]]] = {
    "constexpr_affine_dequantize": _affine,
    "constexpr_blockwise_shift_scale": _blockwise,
    "constexpr_lut_to_dense": _lut,
    "constexpr_sparse_to_dense": _sparse,
    "constexpr_lut_to_sparse": _lut_to_sparse,
    "constexpr_sparse_blockwise_shift_scale": _sparse_blockwise,
    "constexpr_cast": _cast,
}
