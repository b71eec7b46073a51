"""What the commands that time frames share: flags, checks, and progress on stderr.

No heavy imports: `--help` loads this module.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from model import arguments

if TYPE_CHECKING:
    from benchmarks.harness.rows import Row


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


def add_bundles(parser: argparse.ArgumentParser, *, precision: str) -> None:
    """Add BUNDLE ..., --precision with the given default, --threads and --json."""
    parser.add_argument(
        "bundles", nargs="*", type=Path, metavar="BUNDLE", help="default: the newest below dist/"
    )
    parser.add_argument(
        "--precision", choices=arguments.PRECISIONS, default=precision, help="default: %(default)s"
    )
    parser.add_argument("--threads", type=arguments.threads, default=2, help="default: %(default)s")
    parser.add_argument("--json", action="store_true", help="machine-readable result on stdout")


def check_outputs(rows: Path | None, plot: Path | None = None) -> None:
    """Refuse files that cannot be written, before the minutes that measuring takes.

    Args:
        rows: the value of --json; None, and `-` for stdout, are taken.
        plot: the value of --plot.

    Raises:
        BadInput: a file cannot be written.
    """
    from benchmarks.harness.plot import check_kind
    from model.files import check_place

    if rows and rows != Path("-"):
        check_place(rows)
    if plot:
        check_kind(plot)


def show(rows: Sequence[Row], table: str, json: Path | None) -> None:
    """Print the results on stdout, and keep the rows where --json asks for it.

    Args:
        rows: what was measured.
        table: the rows as text.
        json: the value of --json. For `-`, the rows take the place of the table on stdout.

    Raises:
        BadInput: the file of --json cannot be written.
    """
    from benchmarks.harness import rows as results

    if json == Path("-"):
        print(results.dumps(rows), end="", flush=True)
        return
    print(table, flush=True)
    if json:
        results.write(json, rows)


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
