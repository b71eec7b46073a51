"""Identities come from files of others: one array, or one refusal."""

import io
import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from model.array_file import read_npy
from model.errors import BadInput


def saved(array: object, save: Callable[..., None] = np.save) -> bytes:
    file = io.BytesIO()
    save(file, array)
    return file.getvalue()


def header(text: str, rest: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(text)) + text.encode() + rest


@pytest.mark.parametrize(
    "array",
    [np.arange(4, dtype=np.float32), np.arange(6.0).reshape(2, 3).T, np.float16([[1, 2]])],
    ids=["vector", "transposed", "half"],
)
def test_an_array_comes_back(array: np.ndarray, tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(saved(array))
    found = read_npy(tmp_path / "a.npy")
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)


HOSTILE = {
    "empty": b"",
    "cut in the header": saved(np.zeros(3))[:40],
    "cut in the data": saved(np.zeros(3))[:-4],
    "more data than the header says": saved(np.zeros(3)) + b"x",
    "a huge shape": header("{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,)}"),
    "a shape beyond 64 bits": header(
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296, 4)}"
    ),
    "a negative shape": header("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", b"1234"),
    "a header without an end": header("{'descr': '<f4', 'fortran_order': False, 'shape': ("),
    "a header that is code": header("__import__('os').system('true')"),
    "a nested header": header("(" * 5000),
    "a long header": header(" " * 60_000),
    "a zip archive": saved(np.zeros(3), np.savez),
    "objects": saved(np.array([{}], dtype=object)),
    "words": saved(np.array(["a"])),
    "a pickle": b"\x80\x04}.",
    "too large": saved(np.zeros(1 << 18)),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_anything_else_is_refused_in_one_line(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(data)
    with pytest.raises(BadInput, match="cannot be read") as refused:
        read_npy(tmp_path / "a.npy")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["missing.npy", "pipe.npy", ".", "x" * 300, "a\0b.npy"])
def test_a_path_that_is_no_file_is_refused(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.npy")
    with pytest.raises(BadInput, match="cannot be read"):
        read_npy(tmp_path / name)
