"""Keep what native libraries print off the terminal, and keep it in a file."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from model.files import append_to
from model.streams import occupy_closed


@contextlib.contextmanager
def quiet(log: Path | None = None) -> Iterator[None]:
    """Send everything that this process writes to stdout and stderr to `log`, native code included.

    TensorFlow, XNNPACK and onnxsim print from C++, which `contextlib.redirect_stdout` cannot catch,
    so the file descriptors themselves are exchanged. Not for use while other threads print.

    Args:
        log: the file to append to; None throws the output away.

    Raises:
        OSError: stdout takes no more of what was printed before, or `log` cannot be opened.
    """
    occupy_closed()
    sys.stdout.flush()
    sys.stderr.flush()
    with _target(log) as target:
        saved = [os.dup(1), os.dup(2)]
        try:
            os.dup2(target, 1)
            os.dup2(target, 2)
            yield
        finally:
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(OSError):  # the log's disk is full
                    stream.flush()
            for number, original in zip((1, 2), saved, strict=True):
                os.dup2(original, number)
                os.close(original)


@contextlib.contextmanager
def _target(log: Path | None) -> Iterator[int]:
    if log is not None:
        with append_to(log) as file:
            yield file.fileno()
        return
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        yield null
    finally:
        os.close(null)
