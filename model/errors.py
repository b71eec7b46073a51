"""Every error a user can meet, and the exit code each one ends a command with.

FaceSwapError
├── ParityError            exit 1   an artifact does not compute what PyTorch computes
├── UsageError             exit 2   flags that do not go together
├── BackendUnavailable     exit 3   this machine lacks what the work needs
│   └── ConversionError    exit 3   a converter crashed; the message carries its log's tail
└── BadInput               exit 4   a file or folder the user gave
    ├── CheckpointError             weights that are missing, foreign or broken
    ├── ContractError               a manifest or tensor that differs from the contract
    ├── ImageError                  a picture that cannot be read or used
    └── VideoError                  a video that cannot be read, used or written
"""

from __future__ import annotations

import functools
import os
import signal
import sys
from collections.abc import Sequence
from typing import ClassVar, NoReturn, Protocol

EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells report it


class FaceSwapError(Exception):
    """Base of all errors meant for the user: says what was wrong, what was expected, what to do."""

    exit_code: ClassVar[int] = 4


class ParityError(FaceSwapError):
    """An artifact does not compute what the network as trained computes."""

    exit_code = 1


class UsageError(FaceSwapError):
    """Flags that do not go together."""

    exit_code = 2


class BackendUnavailable(FaceSwapError):
    """The runtime or converter asked for cannot work on this machine."""

    exit_code = 3


class ConversionError(BackendUnavailable):
    """A converter crashed or refused a graph."""


class BadInput(FaceSwapError):
    """Something the user gave cannot be used."""


class CheckpointError(BadInput):
    """A checkpoint is missing, foreign, truncated or holds unusable numbers."""


class ContractError(BadInput):
    """A manifest or a tensor differs from the contract between tools and apps."""


class ImageError(BadInput):
    """A picture cannot be read or used."""


class VideoError(BadInput):
    """A video cannot be read, used or written."""


class Command(Protocol):
    """A command's `main`: takes argv (None for `sys.argv`), returns an exit code."""

    def __call__(self, argv: Sequence[str] | None = None) -> int: ...


def guard(main: Command) -> Command:
    """Wrap a command so that a user's mistake ends in one line on stderr and an exit code.

    Bugs still end in a traceback: hiding them would help nobody. SIGTERM is handled as Ctrl-C is,
    so that temporary folders are removed and children are ended on both.
    """

    @functools.wraps(main)
    def guarded(argv: Sequence[str] | None = None) -> int:
        previous = signal.signal(signal.SIGTERM, _interrupt)
        try:
            return main(argv)
        except FaceSwapError as error:
            print(f"error: {error}", file=sys.stderr)
            return error.exit_code
        except KeyboardInterrupt:
            print("interrupted: nothing that was there before has changed", file=sys.stderr)
            return EXIT_INTERRUPTED
        except BrokenPipeError:
            # The reader (`| head`) is gone; a second failure at interpreter exit would be noise.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        finally:
            signal.signal(signal.SIGTERM, previous)

    return guarded


def _interrupt(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt
