"""Say what a file is from its first bytes, for files that are not what was expected.

Floor 0: standard library only.
"""

from __future__ import annotations

from typing import NamedTuple

HEAD_BYTES = 512  # what `kind_of` looks at

_MAGIC: tuple[tuple[int, bytes, str, str], ...] = (
    # offset, bytes there, what the file is, what to do with it
    (0, b"\x1f\x8b", "a gzip archive", "Unpack it with gunzip"),
    (0, b"BZh", "a bzip2 archive", "Unpack it with bunzip2"),
    (0, b"\xfd7zXZ\0", "an xz archive", "Unpack it with unxz"),
    (0, b"\x28\xb5\x2f\xfd", "a zstd archive", "Unpack it with unzstd"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "Unpack it"),
    (0, b"Rar!", "a RAR archive", "Unpack it"),
    (257, b"ustar", "a tar archive", "Unpack it"),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file, such as Keras writes", ""),
    (4, b"TFL3", "a TFLite model", ""),
    (4, b"ET1", "an ExecuTorch model", ""),
    (0, b"GGUF", "a GGUF file", ""),
    (0, b"\x93NUMPY", "a NumPy array", ""),
    (0, b"\x89PNG", "a PNG picture", ""),
    (0, b"\xff\xd8\xff", "a JPEG picture", ""),
    (0, b"%PDF", "a PDF document", ""),
    (0, b"\x7fELF", "a program", ""),
    (0, b"version https://git-lfs", "a Git LFS pointer", "Fetch the file with git lfs pull"),
)


class Kind(NamedTuple):
    """What a file is, with its article, and what to do with it, empty where nothing helps."""

    what: str
    advice: str = ""


def kind_of(head: bytes) -> Kind | None:
    """What a file with these first bytes is; None where nothing tells.

    Args:
        head: the first `HEAD_BYTES` bytes, or the whole file where it is shorter.
    """
    for offset, magic, what, advice in _MAGIC:
        if head.startswith(magic, offset):
            return Kind(what, advice)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith((b"<!doctype html", b"<html")):
        return Kind("a web page", "Download the file itself")
    if text.startswith(b"<?xml"):  # such as the errors of S3
        return Kind("XML", "Download the file itself")
    if text.startswith((b"{", b"[")):
        return Kind("JSON")
    return _protobuf_model(head)


def _protobuf_model(head: bytes) -> Kind | None:
    """ONNX and Core ML models start with field 1, a small version number.

    Field 2 follows: ONNX has its producer there, a name; Core ML a message.
    """
    if len(head) < 4 or head[0] != 0x08 or not 1 <= head[1] <= 32:
        return None
    if head[2] == 0x12:
        name = head[4 : 4 + head[3]]
        named = name.isascii() and name[:1].isalpha()
        return Kind("an ONNX model" if named else "a Core ML model")
    return Kind("an ONNX model") if head[2] in (0x3A, 0x42) else None
