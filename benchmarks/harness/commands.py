"""What the commands that time frames share: their flags, and progress on stderr.

No heavy imports: `--help` loads this module.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from model import arguments


def add_timing(parser: argparse.ArgumentParser, *, runs: int, rounds: int, warmup: int) -> None:
    """Add --threads, --runs, --rounds, --warmup and --quiet with the given defaults."""
    parser.add_argument("--threads", type=arguments.threads, default=2, help="default: %(default)s")
    parser.add_argument(
        "--runs", type=arguments.count, default=runs, help="timed frames (default: %(default)s)"
    )
    parser.add_argument(
        "--rounds", type=arguments.count, default=rounds, help="turns (default: %(default)s)"
    )
    parser.add_argument(
        "--warmup", type=arguments.count, default=warmup, help="default: %(default)s"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")


def teller(quiet: bool, every: int = 5) -> Callable[[str], None]:
    """A function that shows progress on stderr.

    Args:
        quiet: show nothing.
        every: without a terminal, only one in so many messages is shown; on a terminal each one
            replaces the line of the last.
    """
    heard = 0

    def tell(words: str) -> None:
        nonlocal heard
        heard += 1
        if quiet:
            return
        if sys.stderr.isatty():
            print(f"\r\x1b[K{words}", end="", file=sys.stderr, flush=True)
        elif heard % every == 0:
            print(words, file=sys.stderr, flush=True)

    return tell
