"""Keep native libraries' chatter off the terminal, and keep it in a file."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def quiet(log: Path | None = None) -> Iterator[None]:
    """Send everything this process writes to stdout and stderr to `log`, native code included.

    TensorFlow, XNNPACK and onnxsim print from C++, which `contextlib.redirect_stdout` cannot catch,
    so the file descriptors themselves are exchanged. Not for use while other threads print.

    Args:
        log: the file to append to; None throws the output away.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    saved = [os.dup(1), os.dup(2)]
    target = os.open(log or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.dup2(target, 1)
        os.dup2(target, 2)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, original in zip((1, 2), saved, strict=True):
            os.dup2(original, number)
            os.close(original)
        os.close(target)
