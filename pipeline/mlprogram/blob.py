"""The weight file of an ML Program (`weights/weight.bin`), read without trusting it.

coremltools has a reader too. This one is kept because the interpreter proves what the converter
wrote: a mistake that writer and reader of one library share would go unnoticed. It also runs where
coremltools has no native library, and on files that are damaged.

Layout (MILBlob, coremltools' storage format 2): a header of 64 bytes (count u32, version u32), then
blobs, each with 64 bytes of metadata at a 64-byte boundary: sentinel u32, data type u32, size in
bytes u64, offset u64, unused bits in the last byte u64. Everything is little-endian, and elements
narrower than a byte are packed from the least significant bit on.
"""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.errors import ContractError
from model.untrusted import read_regular

_HEADER = struct.Struct("<II")
_METADATA = struct.Struct("<IIQQQ")
_ALIGNMENT = 64
_SENTINEL = 0xDEADBEEF
_VERSION = 2


class Kind(NamedTuple):
    """An element type: how many bits it takes in a file, and what numpy type holds it here."""

    bits: int
    dtype: np.dtype[Any]


KINDS: dict[str, Kind] = {
    "FLOAT16": Kind(16, np.dtype("<f2")),
    "FLOAT32": Kind(32, np.dtype("<f4")),
    "INT8": Kind(8, np.dtype("i1")),
    "UINT8": Kind(8, np.dtype("u1")),
    "INT16": Kind(16, np.dtype("<i2")),
    "UINT16": Kind(16, np.dtype("<u2")),
    "INT32": Kind(32, np.dtype("<i4")),
    "UINT32": Kind(32, np.dtype("<u4")),
    "INT4": Kind(4, np.dtype("i1")),
    "UINT1": Kind(1, np.dtype("u1")),
    "UINT2": Kind(2, np.dtype("u1")),
    "UINT3": Kind(3, np.dtype("u1")),
    "UINT4": Kind(4, np.dtype("u1")),
    "UINT6": Kind(6, np.dtype("u1")),
}

_BLOB_KINDS = {
    1: "FLOAT16", 2: "FLOAT32", 3: "UINT8", 4: "INT8", 6: "INT16", 7: "UINT16", 8: "INT4",
    9: "UINT1", 10: "UINT2", 11: "UINT4", 12: "UINT3", 13: "UINT6", 14: "INT32", 15: "UINT32",
}  # fmt: skip


class BlobFile:
    """One weight file in memory."""

    def __init__(self, path: Path) -> None:
        """Read `path`.

        Raises:
            ContractError: it is missing, too short, or of another version.
        """
        self.path = path
        self._data = read_regular(path)
        if len(self._data) < _ALIGNMENT:
            raise ContractError(
                f"{path} has {len(self._data)} bytes; a weight file has at least {_ALIGNMENT}. "
                "Copy the package again"
            )
        version = _HEADER.unpack_from(self._data)[1]
        if version != _VERSION:
            raise ContractError(
                f"{path} has storage version {version}; this reads version {_VERSION}"
            )

    def read(self, offset: int, kind: str, shape: tuple[int, ...]) -> NDArray[Any]:
        """The blob whose metadata stands at `offset`.

        Args:
            offset: in bytes from the start of the file.
            kind: the element type that the program expects.
            shape: the shape that the program expects.

        Raises:
            ContractError: there is no such blob, or it leads out of the file.
        """
        if offset % _ALIGNMENT or not 0 <= offset <= len(self._data) - _METADATA.size:
            raise self._damaged(offset, f"no blob can start there (file: {len(self._data)} bytes)")
        sentinel, code, size, start, _ = _METADATA.unpack_from(self._data, offset)
        if sentinel != _SENTINEL:
            raise self._damaged(offset, "the marker of a blob is not there")
        if _BLOB_KINDS.get(code) != kind:
            raise self._damaged(offset, f"it holds {_BLOB_KINDS.get(code, code)}, not {kind}")
        if start + size > len(self._data):
            raise self._damaged(offset, f"it ends at {start + size} of {len(self._data)} bytes")
        return unpack(self._data[start : start + size], kind, shape, f"{self.path} at {offset}")

    def _damaged(self, offset: int, what: str) -> ContractError:
        return ContractError(f"{self.path}, blob at {offset}: {what}. Copy or export it again")


def unpack(data: bytes, kind: str, shape: tuple[int, ...], where: str) -> NDArray[Any]:
    """Elements of `kind` from their packed bytes.

    Raises:
        ContractError: the bytes are not as many as the shape needs.
    """
    if kind not in KINDS:
        raise ContractError(f"{where}: elements of {kind} are not known here")
    bits, dtype = KINDS[kind]
    count = math.prod(shape)
    if len(data) != (count * bits + 7) // 8:
        raise ContractError(
            f"{where}: {len(data)} bytes for {count} elements of {kind}. Copy or export it again"
        )
    if bits >= 8:
        return np.frombuffer(data, dtype).reshape(shape)
    return unpack_bits(np.frombuffer(data, np.uint8), bits, count, dtype.kind == "i").reshape(shape)


def unpack_bits(
    packed: NDArray[np.uint8], bits: int, count: int, signed: bool = False
) -> NDArray[Any]:
    """The first `count` numbers of `bits` bits each, least significant bit first."""
    each = np.unpackbits(packed, bitorder="little")[: count * bits].reshape(count, bits)
    values = (each << np.arange(bits, dtype=np.uint8)).sum(axis=1).astype(np.uint8)
    if not signed:
        return values
    return np.where(
        values >= 1 << (bits - 1), values.astype(np.int16) - (1 << bits), values
    ).astype(np.int8)
