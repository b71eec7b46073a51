"""Open files of bundles and packages that may come from anyone.

A link could lead out of the folder, a pipe could block for ever, a device could have no end. Only
regular files are opened, and their sizes are compared with a limit before they are read.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from model.errors import ContractError

LARGEST_TEXT_BYTES = 16 << 20  # manifests and lists of samples
LARGEST_MODEL_BYTES = 2 << 30  # no ONNX or TFLite file can be larger
_MOST_FILES = 10_000
_KIND_OF_ERROR = {errno.ELOOP: "a link", errno.ENXIO: "a socket"}
# What file managers leave behind in every folder that they show.
_LITTER = frozenset({".DS_Store", ".localized", "Thumbs.db", "desktop.ini"})
_LITTER_PREFIX = "._"  # macOS writes these on volumes of others


def open_regular(path: Path, limit_bytes: int = LARGEST_MODEL_BYTES) -> BinaryIO:
    """Open a regular file to read; a link at `path` itself is not followed.

    Args:
        path: the file.
        limit_bytes: a larger file is refused.

    Raises:
        ContractError: it is missing, cannot be read, is no regular file or is too large.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags)
    except (OSError, ValueError) as error:  # a NUL in the name is a ValueError
        kind = _KIND_OF_ERROR.get(getattr(error, "errno", None) or 0)
        if kind:
            raise _not_regular(path, kind) from None
        why = getattr(error, "strerror", None) or error
        raise ContractError(f"{path} cannot be read: {why}. Copy or export it again") from None
    status = os.fstat(descriptor)
    if stat.S_ISREG(status.st_mode) and status.st_size <= limit_bytes:
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise _not_regular(path, _kind(status.st_mode))
    raise ContractError(
        f"{path} has {status.st_size:,} bytes; at most {limit_bytes:,} are expected. "
        "Copy or export it again"
    )


def read_regular(path: Path, limit_bytes: int = LARGEST_MODEL_BYTES) -> bytes:
    """The content of a regular file; arguments and errors as of `open_regular`."""
    with open_regular(path, limit_bytes) as file:
        return file.read(limit_bytes)


def read_named(path: Path, limit_bytes: int = LARGEST_TEXT_BYTES) -> bytes:
    """The content of a file that the user named: links are followed; else as `read_regular`."""
    try:
        mode, resolved = path.stat().st_mode, Path(os.path.realpath(path))
    except (OSError, ValueError) as error:  # a NUL in the name is a ValueError
        why = getattr(error, "strerror", None) or error
        raise ContractError(f"{path} cannot be read: {why}") from None
    if not stat.S_ISREG(mode):
        raise ContractError(f"{path} is {_kind(mode)}; expected a file. Save it as one first")
    return read_regular(resolved, limit_bytes)


def check_model_kind(path: Path) -> None:
    """Refuse a model that is neither a regular file nor a folder of regular files.

    Raises:
        ContractError: it is missing, or a link, a pipe or a device, or holds one.
    """
    try:
        mode = path.lstat().st_mode
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ContractError(f"{path} cannot be read: {why}. Copy or export it again") from None
    if stat.S_ISDIR(mode):
        package_files(path)
    elif not stat.S_ISREG(mode):
        raise _not_regular(path, _kind(mode))


def package_files(folder: Path) -> list[Path]:
    """All files below a package folder, sorted, without those that file managers leave behind.

    Raises:
        ContractError: something in it is a link, a pipe or a device, or there are too many files.
    """
    files = []
    for path in _walk(folder):
        files.append(path)
        if len(files) > _MOST_FILES:
            raise ContractError(f"{folder} holds over {_MOST_FILES:,} files; it is no package")
    return sorted(files)


def _walk(folder: Path) -> Iterator[Path]:
    folders = [folder]
    while folders:
        try:
            entries = list(os.scandir(folders.pop()))
        except OSError as error:
            raise ContractError(
                f"{error.filename} cannot be read: {error.strerror}. Copy the package again"
            ) from None
        for entry in entries:
            path = Path(entry.path)
            if entry.is_dir(follow_symlinks=False):
                folders.append(path)
            elif not entry.is_file(follow_symlinks=False):
                raise _not_regular(path, _kind(entry.stat(follow_symlinks=False).st_mode))
            elif not (entry.name in _LITTER or entry.name.startswith(_LITTER_PREFIX)):
                yield path


def _not_regular(path: Path, kind: str) -> ContractError:
    return ContractError(
        f"{path} is {kind}; a bundle or package holds regular files only. Copy it with the files "
        "themselves (cp -rL), or export it again"
    )


def _kind(mode: int) -> str:
    if stat.S_ISLNK(mode):
        return "a link"
    if stat.S_ISDIR(mode):
        return "a folder"
    return "a pipe" if stat.S_ISFIFO(mode) else "a device or a socket"
