"""Progress of a long job: a bar on a terminal, a line every ten seconds elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import Any

_LINE_EVERY_S = 10.0


def say(text: str) -> None:
    """Write a line to stderr; stdout is for results."""
    print(text, file=sys.stderr, flush=True)


class Progress:
    """Counts frames, or other units, and their rate."""

    def __init__(
        self, total: int | None, what: str, *, shown: bool = True, unit: str = "frame"
    ) -> None:
        """Start the clock.

        Args:
            total: number of frames, None if it is not known.
            what: file name to show.
            shown: print the progress on stderr.
            unit: name of what is counted, in the singular.
        """
        self._total, self._what, self._shown, self._unit = total, what, shown, unit
        self._count, self._start = 0, time.monotonic()
        self._line_at = self._start + _LINE_EVERY_S
        self._bar: Any = None
        if shown and sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(total=total, desc=what, unit=unit, leave=False, file=sys.stderr)

    @property
    def fps(self) -> float:
        """Mean number of frames per second so far."""
        return self._count / max(1e-9, time.monotonic() - self._start)

    def step(self, count: int = 1) -> None:
        """Count `count` more frames."""
        self._count += count
        if self._bar is not None:
            self._bar.update(count)
        elif self._shown and time.monotonic() >= self._line_at:
            self._line_at += _LINE_EVERY_S
            of = f" of {self._total}" if self._total else ""
            print(
                f"{self._what}: {self._count}{of} {self._unit}s, {self.fps:.1f} a second",
                file=sys.stderr,
                flush=True,
            )

    def close(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.close()


def counted(count: int, what: str, *, shown: bool, unit: str = "pair") -> Iterator[int]:
    """Yield 0 to `count - 1`, and show how far that is.

    Args:
        count: how many.
        what: the name that is shown.
        shown: print the progress on stderr.
        unit: name of what is counted, in the singular.
    """
    progress = Progress(count, what, shown=shown, unit=unit)
    try:
        for i in range(count):
            yield i
            progress.step()
    finally:
        progress.close()
