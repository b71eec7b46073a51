"""Read one array from an `.npy` file that nobody vouches for."""

from __future__ import annotations

import io
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from model.errors import BadInput

_LARGEST_BYTES = 1 << 20  # an embedding of 512 numbers takes 2 kB
_LARGEST_HEADER = 4096


def read_npy(path: Path) -> NDArray[Any]:
    """The array of numbers in an `.npy` file, of any shape and type.

    The header is compared with the size of the file before anything is allocated.

    Raises:
        BadInput: the file cannot be read, is too large for an embedding, or holds no numbers.
    """
    try:
        if not path.is_file():
            raise OSError("it is missing or no regular file")
        with path.open("rb") as file:
            data = file.read(_LARGEST_BYTES + 1)
        if len(data) > _LARGEST_BYTES:
            raise OSError(f"it has over {_LARGEST_BYTES >> 20} MB")
        return _parse(data)
    except Exception as error:  # numpy raises many kinds, by where a header stops making sense
        known = isinstance(error, OSError)
        why = (
            getattr(error, "strerror", None) or str(error) if known else "it is no .npy of numbers"
        )
        raise BadInput(
            f"{path} cannot be read: {why}; expected a file made with --save-identity"
        ) from None


def _parse(data: bytes) -> NDArray[Any]:
    stream = io.BytesIO(data)
    readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of files that Python 2 wrote
        read_header = readers[npy.read_magic(stream)]
        shape, columns_first, dtype = read_header(stream, max_header_size=_LARGEST_HEADER)  # type: ignore[call-arg]
    stored = data[stream.tell() :]
    if dtype.kind not in "fiu" or math.prod(shape) * dtype.itemsize != len(stored):
        raise ValueError("the header does not fit the data")
    array: NDArray[Any] = np.frombuffer(stored, dtype)
    return array.reshape(shape, order="F" if columns_first else "C").copy()
