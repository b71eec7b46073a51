"""Constants of an ML Program: numbers and words, in the program itself or in the weight file."""

from __future__ import annotations

import math
import re
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.errors import ContractError
from pipeline.mlprogram.blob import KINDS, BlobFile, unpack

Constant = NDArray[Any] | str

_MODEL_PATH = "@model_path/"  # stands for the folder of the .mlmodel file


class TensorKind(NamedTuple):
    """Element type by its name in the format, and shape; -1 where it is not fixed."""

    kind: str
    shape: tuple[int, ...]


class Constants:
    """Reads the constants of one package; weight files are read once."""

    def __init__(self, folder: Path) -> None:
        """Resolve weight files below `folder`, where the .mlmodel file lies."""
        self._folder = folder
        self._files: dict[str, BlobFile] = {}

    def read(self, value: Any) -> Constant:
        """An array of the stored type, or a word.

        Args:
            value: a `MILSpec.Value`.

        Raises:
            ContractError: the value is of a kind this does not know, or its file is damaged.
        """
        if value.type.WhichOneof("type") != "tensorType":
            raise ContractError(
                f"a constant is a {value.type.WhichOneof('type')}; only tensors are known here"
            )
        kind, shape = tensor_kind(value.type)
        if value.WhichOneof("value") == "blobFileValue":
            stored = value.blobFileValue
            return self._file(stored.fileName).read(stored.offset, kind, shape)
        return _immediate(value.immediateValue.tensor, kind, shape)

    def _file(self, name: str) -> BlobFile:
        if name not in self._files:
            inside = PurePosixPath(name.removeprefix(_MODEL_PATH))
            if inside.is_absolute() or ".." in inside.parts:
                raise ContractError(f"the program names the weight file {name!r}, outside of it")
            self._files[name] = BlobFile(self._folder / inside)
        return self._files[name]


def tensor_kind(value_type: Any) -> TensorKind:
    """Element type and shape of a `MILSpec.ValueType` that is a tensor."""
    from coremltools.proto import MIL_pb2

    tensor = value_type.tensorType
    shape = tuple(
        int(d.constant.size) if d.WhichOneof("dimension") == "constant" else -1
        for d in tensor.dimensions
    )
    names = {number: name for name, number in MIL_pb2.DataType.items()}
    return TensorKind(names.get(tensor.dataType, f"TYPE{tensor.dataType}"), shape)


def element_bits(kind: str) -> int:
    """Bits of an element in a weight file, by the name of its type: 16 of FLOAT16, 8 of BOOL."""
    digits = re.search(r"\d+", kind)
    return int(digits[0]) if digits else 8 if kind == "BOOL" else 0


def _immediate(tensor: Any, kind: str, shape: tuple[int, ...]) -> Constant:
    field = tensor.WhichOneof("value")
    if kind == "STRING":
        words = tensor.strings.values
        if len(words) > 1:
            raise ContractError(f"a constant is {len(words)} words; expected one")
        return str(words[0]) if words else ""
    if field == "bytes":
        if kind not in KINDS:
            raise ContractError(f"a constant has the element type {kind}, which is not known here")
        return unpack(tensor.bytes.values, kind, shape, "a constant in the program")
    dtype = np.dtype(bool) if kind == "BOOL" else KINDS[kind].dtype if kind in KINDS else None
    if dtype is None or field is None:
        if kind == "INT64" and field == "longInts":
            dtype = np.dtype(np.int64)
        elif field is None and not math.prod(shape):
            return np.zeros(shape, dtype or np.float32)
        else:
            raise ContractError(f"a constant has the element type {kind}, which is not known here")
    numbers = np.array(getattr(tensor, field).values).astype(dtype)
    if numbers.size != math.prod(shape):
        raise ContractError(f"a constant of shape {shape} has {numbers.size} values. Export again")
    return numbers.reshape(shape)
