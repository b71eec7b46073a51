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

import errno
import functools
import re
import signal
import sys
from collections.abc import Sequence
from typing import ClassVar, NoReturn, Protocol

from model.streams import one_line, silence_stdout, tolerant

EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells report it
_SHORT_WRITE = re.compile(r"\d+ requested and \d+ written")  # numpy's words for a full disk
_OWN_PACKAGES = {"benchmarks", "export", "mobilefsgan", "model", "pipeline", "training"}
_REMEDIES = {
    errno.ENOSPC: "Free some space, or choose another place",
    errno.EDQUOT: "Free some space, or choose another place",
    errno.ENAMETOOLONG: "Give a shorter name",
}


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


def install(extra: str) -> str:
    """What to type to get the packages of an extra of this toolkit, the end of a message."""
    return f"pip install 'mobilefsgan-toolkit[{extra}]'"


class Command(Protocol):
    """A command's `main`: takes argv (None for `sys.argv`), returns an exit code."""

    def __call__(self, argv: Sequence[str] | None = None) -> int: ...


def guard(main: Command) -> Command:
    """Wrap a command so that a user's mistake ends in one line on stderr and an exit code.

    What the system refuses (a file that may not be read, a full disk, a stdout that takes nothing)
    is a user's mistake here, too, and so is a Python without the packages. Bugs still end in a
    traceback. SIGTERM is handled as Ctrl-C is: temporary folders are removed and child processes
    are ended on both.
    """

    @functools.wraps(main)
    def guarded(argv: Sequence[str] | None = None) -> int:
        previous = signal.signal(signal.SIGTERM, _interrupt)
        try:
            with tolerant():
                return _answered(main, argv)
        finally:
            signal.signal(signal.SIGTERM, previous)

    return guarded


def _answered(main: Command, argv: Sequence[str] | None) -> int:
    """Run `main`; return its exit code, or print the error it ended in and return that one's."""
    try:
        try:
            return main(argv)
        finally:  # also after --help, which leaves by SystemExit
            _flush_results()
    except ConversionError as error:  # with the end of the converter's log below
        first, *log = str(error).splitlines() or [""]
        return _refused("\n".join([one_line(first), *map(one_line, log)]), error.exit_code)
    except FaceSwapError as error:
        return _refused(one_line(str(error)), error.exit_code)
    except KeyboardInterrupt:
        print("interrupted: nothing that was there before has changed", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # the reader (`| head`) has seen enough
        silence_stdout()
        return 0
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] in _OWN_PACKAGES:
            raise
        return _refused(one_line(_missing(error.name)), BackendUnavailable.exit_code)
    except OSError as error:
        return _refused(one_line(_system_error(error)), BadInput.exit_code)
    except ValueError as error:
        if "null byte" not in str(error):  # Python's words for a file name with a NUL
            raise
        return _refused("a file name holds a NUL character. Give another name", BadInput.exit_code)


def _flush_results() -> None:
    """Write the results out while an error can still be told."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        silence_stdout()
        raise BadInput(
            f"the results cannot be written to stdout: {error.strerror or error}. "
            "Send them to another place"
        ) from None


def _refused(message: str, exit_code: int) -> int:
    print(f"error: {message}", file=sys.stderr)
    return exit_code


def _missing(module: str) -> str:
    """That this Python lacks a package, and where to get it, in one line."""
    return (
        f"{sys.executable} has no module {module}. Use the Python that the toolkit is installed in "
        "(`make demo` makes .venv/bin/python), or install it: pip install '.[all]'"
    )


def _system_error(error: OSError) -> str:
    """What the operating system refused, in one line."""
    names = " -> ".join(str(n) for n in (error.filename, error.filename2) if n is not None)
    why = error.strerror or " ".join(str(error).split()) or type(error).__name__
    if error.errno is None and _SHORT_WRITE.search(why):
        why, remedy = f"a file could not be written in full ({why})", _REMEDIES[errno.ENOSPC]
    else:
        remedy = _REMEDIES.get(error.errno or 0, "Check the path and the permissions")
    return f"{names}: {why}. {remedy}" if names else f"{why}. {remedy}"


def _interrupt(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt
