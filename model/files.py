"""Write files so that no reader ever meets half of one, and a failure leaves the old one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from model.errors import BadInput


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` make the file beside its place, and move it there when it is whole.

    Args:
        path: where the file goes; its folder is made.
        write: called with the path to write to, which has the same ending as `path`.

    Raises:
        BadInput: the place cannot be written to.
    """
    beside = path.with_name(f".{path.stem}.{os.getpid()}.tmp{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            write(beside)
            os.replace(beside, path)
        finally:
            beside.unlink(missing_ok=True)
    except (OSError, RuntimeError) as error:  # torch wraps some OS errors in the latter
        raise BadInput(f"cannot write {path} ({error}). Choose a writable place") from None
