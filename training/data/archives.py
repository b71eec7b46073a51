"""Tars of training data, which may be cut short, damaged or made to fill the memory."""

from __future__ import annotations

import lzma
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from model.errors import BadInput

LARGEST_MEMBER_BYTES = 64 << 20  # an encoded picture of 120 million pixels has less


def tars_in(folder: Path) -> list[Path]:
    """The tars of a folder by name, without hidden ones, which a killed writer leaves behind."""
    return sorted(path for path in folder.glob("*.tar") if not path.name.startswith("."))


@contextmanager
def open_tar(
    path: Path, expected: str, mode: Literal["r", "r:"] = "r"
) -> Iterator[tarfile.TarFile]:
    """Open a tar; what goes wrong while it is read is an error of the user's file.

    Args:
        path: plain, or compressed by gzip, bzip2 or xz.
        expected: what the error says after the reason: what is expected and what to do.
        mode: `r:` refuses compressed ones.

    Raises:
        BadInput: the file is missing, no regular file, no tar, cut short or damaged.
    """
    if not path.is_file():  # a pipe would block, a device may have no end
        reason = "is no regular file" if path.exists() else "does not exist"
        raise BadInput(f"{path} {reason}; {expected}")
    try:
        with tarfile.open(path, mode) as tar:
            yield tar
    except (OSError, tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, ValueError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0].rstrip(":")
        raise BadInput(f"{path} cannot be read as a tar ({reason}); {expected}") from None


def members(path: Path, expected: str) -> Iterator[tuple[str, bytes]]:
    """Name and content of every regular file of a tar, in its order.

    Args:
        path: see `open_tar`.
        expected: see `open_tar`.

    Raises:
        BadInput: as `open_tar`, or a file in it is larger than 64 MiB.
    """
    with open_tar(path, expected) as tar:
        for member in tar:
            stream = tar.extractfile(member) if member.isfile() else None
            if stream is None:
                continue
            if member.size > LARGEST_MEMBER_BYTES:
                raise BadInput(
                    f"{path} holds {member.name} of {member.size:,} bytes; expected at most "
                    f"{LARGEST_MEMBER_BYTES:,}; {expected}"
                )
            yield member.name, stream.read()
