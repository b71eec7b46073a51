"""Progress of an export on stderr, and converters as child processes with a log."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from model.errors import ContractError, ConversionError
from model.files import append_to
from model.untrusted import open_regular

_TAIL_LINES = 12
_TAIL_BYTES = 1 << 16  # more than so many lines have


@dataclass
class Stages:
    """Prints a line for each stage: seconds, what was done, and the result.

    Attributes:
        quiet: print nothing.
    """

    quiet: bool = False
    _note: str = field(default="", init=False)

    @contextlib.contextmanager
    def stage(self, what: str) -> Iterator[None]:
        """Time the work inside; print a line when it begins, and one when it is done.

        On a terminal the second takes the place of the first.

        Args:
            what: the stage's name.
        """
        started, self._note = time.perf_counter(), ""
        terminal = sys.stderr.isatty() and not self.quiet
        if not self.quiet:
            end = "" if terminal else "\n"
            print(f"   ...    {what}", end=end, file=sys.stderr, flush=True)
        try:
            yield
        except BaseException:
            if terminal:
                print(file=sys.stderr)
            raise
        if not self.quiet:
            line = f"{time.perf_counter() - started:6.1f} s  {what:<34} {self._note}".rstrip()
            print(("\r\x1b[K" if terminal else "") + line, file=sys.stderr, flush=True)

    def note(self, text: str) -> None:
        """Set the result of the current stage; its line shows it."""
        self._note = text

    def say(self, text: str) -> None:
        """Print a remark between the stages."""
        if not self.quiet:
            print(f"{'':10}{text}", file=sys.stderr, flush=True)


def run_child(
    module: str, arguments: Sequence[str], log: Path, cwd: Path, python: str = sys.executable
) -> None:
    """Run `python -m module` as a child process, with its output in a log.

    Converters print from C++, do not free their memory and sometimes crash. A child process keeps
    all of that away from this process. It is killed when this process is interrupted.

    Args:
        module: the module to run.
        arguments: its command line.
        log: the file that stdout and stderr are appended to. An error message quotes its end.
        cwd: the working folder.
        python: the interpreter to use.

    Raises:
        ConversionError: the child crashed or failed; the message has the end of the log.
        OSError: the log cannot be written to.
    """
    root = Path(__file__).resolve().parent.parent
    path = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
    with append_to(log) as output:
        start = output.tell()
        child = subprocess.Popen(
            [python, "-m", module, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": path},
        )
        try:
            code = child.wait()
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()
    if code != 0:
        how = f"was killed by signal {-code}" if code < 0 else f"failed with exit code {code}"
        raise ConversionError(f"{module} {how}. {log_tail(log, start)}")


def log_tail(log: Path, start: int = 0) -> str:
    """The end of a log, for an error message.

    Args:
        log: the file.
        start: the byte from which on it is of interest.
    """
    try:
        with open_regular(log) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(start, size - _TAIL_BYTES))
            lines = file.read().decode(errors="replace").strip().splitlines()
    except ContractError:  # the failure itself is what the user has to know
        return f"Its log ({log}) cannot be read"
    shown = "".join(f"\n  | {line[:200]}" for line in lines[-_TAIL_LINES:])
    return f"The end of its log ({log}):{shown or ' empty'}"
