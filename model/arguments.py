"""The parser of every command, and types for the numbers, precisions and names that it takes.

Floor 0: standard library only, apart from the contract and the errors. Every command uses this
parser and these types, for `add_argument(type=...)`. So a wrong flag or a value out of bounds ends
in the same usage error (exit 2) everywhere, before any work begins.
"""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, get_args

from model.contract import Precision
from model.errors import UsageError

# The words after --precision, for `choices`.
PRECISIONS: tuple[Precision, ...] = get_args(Precision)

MOST_THREADS = 256  # more than any CPU of today has use for; runtimes fail late on huge counts
MOST = 2**31 - 1  # for counts without a limit of their own; fits the 32-bit integers of runtimes
MOST_SEED = 2**63 - 1  # what torch.manual_seed takes without wrapping
LONGEST_NAME = 200  # bytes; leaves room for endings and temporary names below the usual 255

# int() and float() also take spaces, underscores, the digits of other scripts, nan and inf.
_WHOLE = re.compile(r"[+-]?[0-9]{1,20}")
_DECIMAL = re.compile(r"[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,3})?")


_typed: ContextVar[str | None] = ContextVar("_typed", default=None)


@contextmanager
def typed(command: str) -> Iterator[None]:
    """Name parsers that are made in the block after the command that the user typed.

    Args:
        command: takes the place of `prog`, in help and in refusals.
    """
    token = _typed.set(command)
    try:
        yield
    finally:
        _typed.reset(token)


class Parser(argparse.ArgumentParser):
    """A parser whose refusals are usage errors of one line; argparse prints its usage before.

    Args:
        prog: how the command is typed, where `typed` says nothing else.
        description: what it does. Where it says `prog`, it gets the name that was typed.
        others: what else `argparse.ArgumentParser` takes.
    """

    def __init__(self, prog: str, description: str | None = None, **others: Any) -> None:
        name = _typed.get() or prog
        super().__init__(prog=name, description=(description or "").replace(prog, name), **others)

    def error(self, message: str) -> NoReturn:
        """Refuse the command line.

        Args:
            message: what was wrong, and what was expected.

        Raises:
            UsageError: always; its message names `--help`.
        """
        raise UsageError(f"{message}. See {self.prog} --help")


@dataclass(frozen=True, slots=True)
class WholeNumber:
    """A whole number from `low` to `high`, both included."""

    low: int
    high: int = MOST

    def __call__(self, text: str) -> int:
        """Parse the text of a flag.

        Raises:
            argparse.ArgumentTypeError: not a whole number, or out of bounds.
        """
        value = int(text) if _WHOLE.fullmatch(text) else None
        if value is None or not self.low <= value <= self.high:
            raise argparse.ArgumentTypeError(f"'{_shown(text)}'; expected {self}")
        return value

    def __str__(self) -> str:
        if self.high in (MOST, MOST_SEED):
            return f"a whole number from {self.low} on"
        return f"a whole number from {self.low} to {self.high}"


@dataclass(frozen=True, slots=True)
class Number:
    """A finite number from `low` to `high`; `above` leaves out `low` itself."""

    low: float
    high: float
    what: str = "a number"
    above: bool = False

    def __call__(self, text: str) -> float:
        """Parse the text of a flag.

        Raises:
            argparse.ArgumentTypeError: not a number, not finite, or out of bounds.
        """
        value = float(text) if _DECIMAL.fullmatch(text) else math.nan
        if not self.low <= value <= self.high or (self.above and value == self.low):
            raise argparse.ArgumentTypeError(f"'{_shown(text)}'; expected {self}")
        return value

    def __str__(self) -> str:
        low = f"above {self.low:g}" if self.above else f"from {self.low:g}"
        return f"{self.what} {low} to {self.high:g}"


count = WholeNumber(1)
"""How many of something: at least one."""

from_zero = WholeNumber(0)
"""How many of something, or which one, counted from 0."""

threads = WholeNumber(1, MOST_THREADS)
"""CPU threads of a runtime, or worker processes."""

port = WholeNumber(0, 65535)
"""A TCP port; 0 takes any that is free."""

seed = WholeNumber(0, MOST_SEED)
"""Seed of a random generator."""

share = Number(0, 1, "a share")
"""A share of a whole."""

gain = Number(0, 100, "a factor", above=True)
"""What something is multiplied by."""

minutes = Number(0, 1e6, "minutes", above=True)
"""A time in minutes; there is no run of no time."""

interval_minutes = Number(0, 1e6, "minutes")
"""Minutes between two events; 0 is each time."""


learning_rate = Number(0, 100, "a learning rate", above=True)
"""Step size of an optimizer."""


def stem(text: str) -> str:
    """A name that files can be made of: visible, one path component, not too long.

    Raises:
        argparse.ArgumentTypeError: empty, a path, hidden (`.`, `..`, `.x`), or too long.
    """
    hidden = not text or text.startswith(".")
    unfit = hidden or "/" in text or "\\" in text or not text.isprintable()
    if unfit or len(text.encode(errors="surrogateescape")) > LONGEST_NAME:
        raise argparse.ArgumentTypeError(
            f"'{_shown(text)}'; expected a plain file name that does not begin with a dot, of at "
            f"most {LONGEST_NAME} bytes"
        )
    return text


def checkpoint(text: str) -> Path:
    """A weights file; the bundle made from it takes its stem as name.

    Raises:
        argparse.ArgumentTypeError: the stem cannot be a file name, as that of `..pt`.
    """
    path = Path(text)
    stem(path.stem)
    return path


def _shown(text: str) -> str:
    """The text for a one-line message: printable, and cut where it is long."""
    clean = "".join(c if c.isprintable() else "?" for c in text)
    return clean if len(clean) <= 40 else clean[:37] + "..."
