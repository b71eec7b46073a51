"""Read the content of a checkpoint file that nobody vouches for.

Nothing in the file is executed, and memory stays within a small multiple of the file's size.
PyTorch itself promises the first (`weights_only`) and not the second, so that archives and pickles
are looked through before it sees them.

The format is told by the content: safetensors may be named .pt.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import stat
import struct
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor

from model.errors import CheckpointError
from model.file_kinds import HEAD_BYTES, Kind, kind_of
from model.pickle_scan import (
    LARGEST_PICKLE_BYTES,
    check_legacy_pickles,
    check_pickle,
    more_than_tensors,
    one_line,
    too_large,
)

_LARGEST_DIRECTORY_BYTES = 4 << 20  # of a zip archive: 40,000 entries


def read_checkpoint(path: Path) -> object:
    """What `torch.save` or safetensors stored in a file: tensors on the CPU, plain values, dicts.

    Tensors may share memory with the file; copy them before the file changes.

    Raises:
        CheckpointError: the file is missing, cannot be read, is of another kind, holds more than
            tensors and plain values, or asks for more memory than it has bytes.
    """
    with _open(path) as file:
        head = file.read(HEAD_BYTES)
        size = os.fstat(file.fileno()).st_size
        if head.startswith(b"PK"):
            _check_archive(file, size, path)
            mapped = True
        elif head.startswith(b"\x80"):
            _check_legacy(file, size, path)
            mapped = False
        elif _is_safetensors(head):
            return _read_safetensors(path)
        else:
            raise _unreadable(path, size, kind_of(head))
    if path.suffix == ".safetensors":  # torch.load goes by the name
        raise CheckpointError(
            f"{path} is a file of torch.save; expected safetensors by its name. Rename it to .pt"
        )
    content = _load(path, size, mapped=mapped)
    _check_storages(content, size, path)
    return content


def _open(path: Path) -> BinaryIO:
    """Open a regular file; links are followed, for a checkpoint is the user's own choice."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISREG(mode):
            return path.open("rb")
    except (OSError, ValueError) as error:  # a NUL in a name is a ValueError
        missing = isinstance(error, FileNotFoundError)
        kind = "does not exist" if missing else f"cannot be read ({_reason(error)})"
    else:
        kind = "is a folder" if stat.S_ISDIR(mode) else "is a pipe or a device"
    shown = os.fspath(path)
    raise CheckpointError(f"{shown} {kind}; expected a checkpoint (.pt, .pth or .safetensors)")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _check_archive(file: BinaryIO, size: int, path: Path) -> None:
    """Refuse archives that PyTorch would expand, and those that are no checkpoints."""
    if _directory_size(file, size) > _LARGEST_DIRECTORY_BYTES:
        raise CheckpointError(
            f"{path} holds too many files for a checkpoint. Save it again with torch.save"
        )
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            names = [entry.filename for entry in entries]
            pickles = [entry for entry in entries if entry.filename.endswith("/data.pkl")]
            if any(name.endswith("/constants.pkl") or "/code/" in name for name in names):
                raise CheckpointError(
                    f"{path} is a TorchScript program; expected weights. Save them with "
                    "torch.save(torch.jit.load(FILE).state_dict(), NEW)"
                )
            if len(pickles) != 1:
                listed = ", ".join(repr(name) for name in names[:3]) or "nothing"
                raise CheckpointError(
                    f"{path} is a zip archive, but not of torch.save (it holds {listed}); "
                    "expected a checkpoint. Unpack it and give the file inside"
                )
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
                raise CheckpointError(
                    f"{path} is a checkpoint that was compressed afterwards; torch.save writes "
                    "uncompressed files. Load it with torch.load and save it again"
                )
            if pickles[0].file_size > LARGEST_PICKLE_BYTES:
                raise too_large(path)
            check_pickle(io.BytesIO(archive.read(pickles[0])), path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, EOFError):
        # What zipfile raises for foreign bytes depends on where they stop making sense.
        raise _unreadable(path, size) from None


def _directory_size(file: BinaryIO, size: int) -> int:
    """Bytes of a zip archive's directory; zipfile takes ten times as many to read it."""
    file.seek(max(0, size - (1 << 16) - 98))
    tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) < end + 22:
        return 0  # not an archive: zipfile refuses it
    (found,) = struct.unpack_from("<I", tail, end + 12)
    large = tail.rfind(b"PK\x06\x06", 0, end)  # the end record of an archive beyond 4 GB
    if large >= 0 and len(tail) >= large + 48:
        (found,) = struct.unpack_from("<Q", tail, large + 40)
    return int(found)


def _check_legacy(file: BinaryIO, size: int, path: Path) -> None:
    """Refuse a file of PyTorch before 1.6 that asks for too much, and every other pickle."""
    file.seek(0)
    try:
        check_legacy_pickles(file.read(LARGEST_PICKLE_BYTES), path)
    except ValueError:
        raise _unreadable(path, size) from None


def _load(path: Path, size: int, *, mapped: bool) -> object:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Mapped, a storage is a slice of the file and cannot reach beyond it.
            return torch.load(str(path), map_location="cpu", weights_only=True, mmap=mapped)
    except pickle.UnpicklingError as error:
        raise more_than_tensors(path, str(error)) from None
    except Exception:  # torch raises many kinds, by where foreign bytes stop making sense
        raise _unreadable(path, size) from None


def _check_storages(content: object, size: int, path: Path) -> None:
    """Refuse tensors that claim more memory than the file has bytes."""
    storages: dict[int, int] = {}
    seen: set[int] = set()
    waiting = [content]
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Mapping):
            waiting += value.values()
        elif isinstance(value, list | tuple | set):
            waiting += value
        elif isinstance(value, Tensor) and value.layout == torch.strided and not value.is_meta:
            storage = value.untyped_storage()
            storages[storage.data_ptr()] = storage.nbytes()
    if sum(storages.values()) > size:
        raise CheckpointError(
            f"{path} has {size:,} bytes and asks for {sum(storages.values()):,}; it is damaged or "
            "made to exhaust memory. Copy or download it again"
        )


def _is_safetensors(head: bytes) -> bool:
    """Whether the file starts with the size of a JSON header and the header."""
    return len(head) > 8 and head[8:9] == b"{" and head[6:8] == b"\0\0"


def _read_safetensors(path: Path) -> object:
    import safetensors
    import safetensors.torch

    with _open(path) as file:
        (header,) = struct.unpack("<Q", file.read(8))
        size = os.fstat(file.fileno()).st_size
        if header > LARGEST_PICKLE_BYTES:
            raise too_large(path)
        try:
            json.loads(file.read(header))
        except (ValueError, RecursionError) as error:
            raise _cut_safetensors(path, one_line(str(error)), size) from None
    try:
        return safetensors.torch.load_file(path)
    except Exception as error:  # unknown types are a KeyError, damaged files a SafetensorError
        raise _cut_safetensors(path, one_line(str(error)), size) from None


def _cut_safetensors(path: Path, why: str, size: int) -> CheckpointError:
    return CheckpointError(
        f"{path} is a safetensors file that is damaged or cut short ({why}; {size:,} bytes). "
        "Copy or download it again"
    )


def _unreadable(path: Path, size: int, kind: Kind | None = None) -> CheckpointError:
    if kind:
        advice = kind.advice or "Give the file that torch.save(network.state_dict(), file) wrote"
        return CheckpointError(
            f"{path} is {kind.what}; expected a PyTorch checkpoint or safetensors. {advice}"
        )
    return CheckpointError(
        f"{path} is not a PyTorch checkpoint, or is cut short ({size:,} bytes); "
        "expected a file made by torch.save. Copy or download it again"
    )
