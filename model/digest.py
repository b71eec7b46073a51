"""The SHA-256 and the size of a model file, as manifests state them.

Floor 0: standard library only.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from model.untrusted import LARGEST_MODEL_BYTES, open_regular, package_files

_READ_BYTES = 1 << 20


def digest(path: Path) -> tuple[str, int]:
    """SHA-256 and size in bytes of a file, or of a folder's files in the order of their names.

    What file managers leave in folders (`.DS_Store`) does not count.

    Raises:
        ContractError: it is missing, no regular file, larger than a model can be, or a folder that
            holds a link, a pipe or a device.
    """
    folder = path.is_dir()
    sha, size = hashlib.sha256(), 0
    # The user may name a checkpoint through a link; inside a folder there are none.
    for file in package_files(path) if folder else [Path(os.path.realpath(path))]:
        if folder:
            sha.update(os.fsencode(file.relative_to(path).as_posix()) + b"\0")
        with open_regular(file, LARGEST_MODEL_BYTES - size) as opened:
            while part := opened.read(_READ_BYTES):
                sha.update(part)
                size += len(part)
    return sha.hexdigest(), size
