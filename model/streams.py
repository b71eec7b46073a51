"""Standard input, output and error of a command, which may be closed, full or gone."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO

_STANDARD = (0, 1, 2)


def occupy_closed() -> None:
    """Open the null device where a standard file descriptor is closed, as daemons are started.

    Otherwise the next file that is opened gets the number 1 or 2, and what native code prints goes
    into that file.
    """
    for number in _STANDARD:
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


@contextlib.contextmanager
def tolerant() -> Iterator[None]:
    """Let neither a lost stderr nor a name that stdout cannot encode end the work inside."""
    occupy_closed()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    stderr = sys.stderr
    sys.stderr = _Talk(stderr)
    try:
        yield
    finally:
        sys.stderr = stderr


def one_line(text: str) -> str:
    """The text with control characters as escapes, line ends among them.

    Names of files and texts in them come from anyone; a terminal obeys what is in them.
    """
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text
    )


def silence_stdout() -> None:
    """Send what is still buffered for stdout to the null device, after writing it failed."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)


class _Talk:
    """Standard error whose failures are ignored: nobody is left who could be told."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            return self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
