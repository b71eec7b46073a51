"""Compare int8 files of several quantizers: `python benchmarks/quantizers.py BUNDLE_OR_CKPT`.

The toolkit's quantizer and three others get the same float network and the same built-in pairs for
calibration. Every file is compared with PyTorch on 32 pairs, and timed in turns with the toolkit's.
A quantizer that is missing or fails gets a row with the reason.
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
from model.errors import EXIT_INTERRUPTED, BadInput, guard

if TYPE_CHECKING:
    from benchmarks.harness.rows import Row

_NAMES = ("toolkit", "tensorflow", "onnx2tf", "ai-edge-quantizer")
_HEADER = (
    "quantizer", "MB", "partitions", "mean dB", "worst dB", "worst id cosine", "median ms",
    "spread %", "ratio",
)  # fmt: skip


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Quantize what is not quantized yet, judge, time everything in turns, print the table."""
    args = _parse(argv)
    check_outputs(args.json)

    from dataclasses import replace

    from benchmarks.harness.measure import measure
    from benchmarks.rivals.quantizer_bench import OURS, bench, contender
    from export.stages import Stages

    shared = bench(
        _checkpoint(args), args.identity, python=args.ai_edge_quantizer, threads=args.threads,
        warmup=args.warmup, stages=Stages(args.quiet),
    )  # fmt: skip
    # Ours is always there: ratios refer to it.
    found = [contender(name, shared) for name in _NAMES if name in (OURS, *args.quantizers)]
    rows, interrupted = measure(
        [contender for contender, _ in found], runs=args.runs, rounds=min(args.rounds, args.runs),
        warmup=args.warmup, threads=args.threads, against=f"{OURS}-int8", tell=teller(args.quiet),
    )  # fmt: skip
    rows = [replace(row, check=check) for row, (_, check) in zip(rows, found, strict=True)]
    show(rows, _text(rows), args.json)
    return EXIT_INTERRUPTED if interrupted else 0


def _checkpoint(args: argparse.Namespace) -> Path:
    """The generator's weights: given, or those that the given bundle was made from."""
    from benchmarks.harness.contenders import checkpoint_of
    from model.manifest import load_bundle

    if not args.network.is_dir():
        return Path(args.network)
    record = load_bundle(args.network).checkpoint
    checkpoint = checkpoint_of(record, args.checkpoint)
    if checkpoint is None:
        raise BadInput(
            f"{record.file}, which {args.network} was made from, is not at hand; PyTorch's answers "
            "come from it. Give it with --checkpoint CKPT"
        )
    return checkpoint


def _text(rows: Sequence[Row]) -> str:
    """The table, and below it the reasons of rows without a latency."""
    from benchmarks.harness.rows import Check
    from pipeline.table import plain

    def cell(value: float | None, form: str) -> str:
        return "-" if value is None else format(value, form)

    lines = [_HEADER]
    for row in rows:
        check, total = row.check or Check(), row.total
        lines.append((
            row.backend.requested, cell(row.model.size_mb or None, ".2f"),
            cell(row.backend.partitions, "d"), cell(check.mean_psnr_db, ".1f"),
            cell(check.psnr_db, ".1f"), cell(check.identity_cosine, ".4f"),
            cell(total.p50_ms if total else None, ".1f"), cell(row.spread_percent, ".1f"),
            cell(row.ratio, ".2f"),
        ))  # fmt: skip
    reasons = [f"{row.backend.requested}: {row.reason}" for row in rows if row.reason]
    ratio = "ratio: times as fast as toolkit, paired round by round"
    return "\n".join([plain(lines, {"quantizer"}), *reasons, ratio])


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = arguments.Parser(prog="python benchmarks/quantizers.py", description=__doc__)
    parser.add_argument("network", type=Path, metavar="BUNDLE_OR_CKPT", help="of the generator")
    parser.add_argument("--identity", type=Path, metavar="CKPT", help="default: the shipped one")
    parser.add_argument("--checkpoint", type=Path, help="a bundle's; default: looked for")
    parser.add_argument(
        "--quantizers", nargs="+", choices=_NAMES[1:], default=_NAMES[1:],
        help="beside the toolkit's own; default: all",
    )  # fmt: skip
    parser.add_argument(
        "--ai-edge-quantizer", type=Path, metavar="PYTHON",
        help="the interpreter of an environment that has it",
    )  # fmt: skip
    add_timing(parser, runs=60, rounds=30, warmup=3)
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the rows; - for stdout")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
