"""Measure the latency of a frame on each runtime: `python benchmarks/latency.py [BUNDLE]`.

All runtimes are timed in turns, each in a process of its own.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if not __package__:
    import harness.run_as_file  # noqa: F401

from benchmarks.harness.commands import add_timing, check_outputs, show, teller
from model import arguments
from model.errors import EXIT_INTERRUPTED, BackendUnavailable, UsageError, guard
from pipeline.backends import BACKENDS

if TYPE_CHECKING:
    from benchmarks.harness.contenders import Contender
    from benchmarks.harness.rows import Row


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print the table, keep the rows."""
    args = _parse(argv)
    check_outputs(args.json, args.plot)
    if args.device == "web":
        rows, interrupted = _rows_from_browser(args), False
    elif args.device:
        from benchmarks.harness.devices import Settings, rows_from

        settings = Settings(args.backend, args.runs, args.threads)
        rows, interrupted = rows_from(args.device, settings), False
    elif args.sustained:
        from benchmarks.harness.sustained import sustain, words

        rows, interrupted = sustain(
            _contenders(args), args.sustained, warmup=args.warmup, threads=args.threads,
            tell=teller(args.quiet),
        )  # fmt: skip
        print("\n".join(words(row) for row in rows), file=sys.stderr)
    else:
        from benchmarks.harness.measure import measure

        found = _contenders(args)
        rows, interrupted = measure(
            found, runs=args.runs, rounds=min(args.rounds, args.runs), warmup=args.warmup,
            threads=args.threads, against=_against(found, args.against), tell=teller(args.quiet),
        )  # fmt: skip
    _show(rows, args)
    if interrupted:
        print("interrupted: the rows measured until then are above", file=sys.stderr)
        return EXIT_INTERRUPTED
    return _verdict(rows)


def _rows_from_browser(args: argparse.Namespace) -> Sequence[Row]:
    from benchmarks.harness.browser import WebSettings, rows_from_browser

    settings = WebSettings(
        args.precision, args.runs, args.warmup, args.threads, args.port, args.https
    )
    return rows_from_browser(settings, teller(args.quiet, every=1))


def _verdict(rows: Sequence[Row]) -> int:
    """0 where at least one row has a latency.

    Raises:
        BackendUnavailable: no row has one; the message has the reasons.
    """
    reasons = {row.reason for row in rows if row.reason}
    if all(row.total is None for row in rows):
        raise BackendUnavailable("; ".join(sorted(r for r in reasons if r)))
    return 0


def _show(rows: Sequence[Row], args: argparse.Namespace) -> None:
    from benchmarks.harness import plot, table

    show(rows, table.text(rows), args.json)
    if args.plot:
        plot.latency(rows, args.plot)


def _contenders(args: argparse.Namespace) -> list[Contender]:
    from benchmarks.harness.contenders import Wanted, contenders
    from model.manifest import load_bundle
    from pipeline.bundles import newest_bundle

    bundle = args.bundle or newest_bundle()
    wanted = Wanted(
        bundle, load_bundle(bundle), args.model, args.backend, args.precision, args.threads,
        args.warmup, args.checkpoint,
    )  # fmt: skip
    return contenders(wanted)


def _against(found: Sequence[Contender], given: str | None) -> str:
    """The name of the row that ratios refer to.

    Raises:
        UsageError: the given one is not among the contenders.
    """
    names = sorted({f"{c.requested}-{c.model.precision}" for c in found})
    if given and given not in names:
        raise UsageError(f"--against {given}: no such row; there are {', '.join(names)}")
    return given or ("pytorch-fp32" if "pytorch-fp32" in names else names[0])


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = arguments.Parser(prog="python benchmarks/latency.py", description=__doc__)
    parser.add_argument("bundle", nargs="?", type=Path, help="default: the newest below dist/")
    parser.add_argument(
        "--model", choices=("generator", "identity"), default="generator", help="default: generator"
    )
    parser.add_argument(
        "--backend", nargs="+", choices=(*BACKENDS, "all"), default=["all"], help="default: all"
    )
    parser.add_argument(
        "--precision", nargs="+", choices=arguments.PRECISIONS, default=arguments.PRECISIONS,
        help="default: all",
    )  # fmt: skip
    add_timing(parser, runs=50, rounds=10, warmup=5)
    parser.add_argument(
        "--sustained", type=arguments.minutes, metavar="MINUTES",
        help="keep each runtime busy for so long, and tell when it slows down",
    )  # fmt: skip
    parser.add_argument(
        "--against", metavar="NAME", help="row that ratios refer to (default: pytorch-fp32)"
    )
    parser.add_argument("--checkpoint", type=Path, help="for PyTorch; default: looked for")
    parser.add_argument(
        "--device", choices=("android", "ios", "web"),
        help="run the demo app's benchmark on a phone, or the web demo's in a browser",
    )  # fmt: skip
    parser.add_argument(
        "--port", type=arguments.port, default=0, help="for --device web; default: any free"
    )
    parser.add_argument(
        "--https", action="store_true",
        help="for --device web: with a certificate made here; a phone needs it for threads",
    )  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the rows; - for stdout")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw latencies as PNG or SVG")
    args = parser.parse_args(argv)
    if (args.https or args.port) and args.device != "web":
        parser.error("--port and --https go with --device web")
    if args.bundle and args.device == "web":
        parser.error(
            "--device web measures what web_demo/bundle holds; put BUNDLE there with: "
            "python -m export.bundle --web BUNDLE"
        )
    if "all" in args.backend and not args.device:  # an app knows best what "all" is on its phone
        args.backend = list(BACKENDS)
    return args


if __name__ == "__main__":
    sys.exit(main())
