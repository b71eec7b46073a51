"""Tell the user what is going on, and keep the converters' noise in a log."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from model.errors import ConversionError
from model.files import append_to

_TAIL_LINES = 12


@dataclass
class Stages:
    """One line per stage on stderr: seconds, what, and what came of it."""

    quiet: bool = False
    _note: str = field(default="", init=False)

    @contextlib.contextmanager
    def stage(self, what: str) -> Iterator[None]:
        """Time the work inside; on a terminal the line shows from the start."""
        started, self._note = time.perf_counter(), ""
        terminal = sys.stderr.isatty() and not self.quiet
        if terminal:
            print(f"   ...    {what}", end="", file=sys.stderr, flush=True)
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
        """Say what the current stage came to; shown when it ends."""
        self._note = text

    def say(self, text: str) -> None:
        """Something the user should know that is not a stage."""
        if not self.quiet:
            print(f"{'':10}{text}", file=sys.stderr, flush=True)


def run_child(
    module: str, arguments: Sequence[str], log: Path, cwd: Path, python: str = sys.executable
) -> None:
    """Run `python -m module` as a child process whose whole output goes to `log`.

    Converters print from C++, keep gigabytes and sometimes segfault; in a child none of that
    reaches the user or this process. The child ends with us, also on Ctrl-C.

    Args:
        module: what to run.
        arguments: its words.
        log: heard by nobody but a message of failure.
        cwd: where it runs.
        python: the interpreter; another one has other packages.

    Raises:
        ConversionError: the child crashed or failed; the message has the log's tail.
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
    """The last lines of `log` from byte `start` on, ready to stand in an error message."""
    with log.open("rb") as file:
        file.seek(start)
        lines = file.read().decode(errors="replace").strip().splitlines()
    shown = "".join(f"\n  | {line[:200]}" for line in lines[-_TAIL_LINES:])
    return f"The end of its log ({log}):{shown or ' empty'}"


def progress(count: int, what: str, show: bool) -> Iterator[int]:
    """0 .. count - 1, with a bar on a terminal and a line every quarter elsewhere."""
    from tqdm import tqdm

    terminal = sys.stderr.isatty()
    if show and terminal:
        yield from tqdm(range(count), what, unit="pair", leave=False, file=sys.stderr)
        return
    for i in range(count):
        yield i
        done = i + 1
        if show and (done == count or done % max(1, count // 4) == 0):
            print(f"{'':10}{what}: {done}/{count}", file=sys.stderr, flush=True)
