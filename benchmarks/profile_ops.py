"""Time a model file by kind of operator and by layer: `python benchmarks/profile_ops.py`.

An ONNX file is profiled by ONNX Runtime; a TFLite file is cut into its operators, each timed alone
(`benchmarks/profiling`).
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

if not __package__:
    import harness.run_as_file  # noqa: F401

from benchmarks.harness.commands import teller
from model import arguments
from model.errors import BadInput, guard

if TYPE_CHECKING:
    from benchmarks.profiling.layers import Profile
    from benchmarks.profiling.roofline import Roofline


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Profile one file, and print both tables and the share of the machine's peak."""
    parser = arguments.Parser(prog="python benchmarks/profile_ops.py", description=__doc__)
    parser.add_argument("file", type=Path, help="a .tflite or .onnx file of a bundle")
    parser.add_argument("--threads", type=arguments.threads, default=2, help="default: 2")
    parser.add_argument(
        "--repeats", type=arguments.count, default=10, help="runs of each (default: 10)"
    )
    parser.add_argument(
        "--layers", type=arguments.count, default=15, help="slowest layers shown (default: 15)"
    )
    parser.add_argument("--json", action="store_true", help="machine-readable result on stdout")
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")
    args = parser.parse_args(argv)

    from benchmarks.profiling import cut_ops, onnx_profiler, roofline

    if not args.file.is_file():
        raise BadInput(f"{args.file} is no file; expected a .tflite or .onnx file of a bundle")
    timers = {".tflite": cut_ops.time_ops, ".onnx": onnx_profiler.time_ops}
    timer = timers.get(args.file.suffix.lower())
    if timer is None:
        raise BadInput(f"{args.file} cannot be profiled; expected a .tflite or .onnx file")
    profile = timer(args.file, args.threads, args.repeats, teller(args.quiet))
    precision = next((p for p in ("int8", "dynamic") if p in args.file.stem), "fp32")
    limits = roofline.measure(args.threads)
    if args.json:
        print(json.dumps({
            "file": args.file.name, "threads": args.threads, "roofline": asdict(limits),
            **asdict(profile),
        }, indent=2))  # fmt: skip
    else:
        print(_report(profile, limits, precision, args.layers))
    return 0


def _report(profile: Profile, limits: Roofline, precision: str, shown: int) -> str:
    """Both tables, the sum of the operators against the whole frame, and the machine's peak."""
    from benchmarks.profiling.layers import by_kind
    from pipeline.table import plain

    layers, whole_ms = profile.layers, profile.whole_ms
    total_ms, gflop = sum(layer.ms for layer in layers), sum(layer.gflop for layer in layers)
    peak = limits.peak(precision)
    kinds = [("kind", "count", "ms", "share", "GFLOP/s", "of peak")]
    for kind, count, ms, work in by_kind(layers):
        rate = _rate(work, ms)
        kinds.append((
            kind, f"{count}", f"{ms:.2f}", _percent(ms, total_ms), f"{rate:.0f}" if rate else "",
            _percent(rate, peak) if rate else "",
        ))  # fmt: skip
    slowest = [("slowest layers", "shape", "ms", "GFLOP/s")]
    for layer in sorted(layers, key=lambda layer: -layer.ms)[:shown]:
        rate, name = _rate(layer.gflop, layer.ms), f"{layer.kind} {layer.name}"[-52:]
        shape = "x".join(map(str, layer.shape))
        slowest.append((name, shape, f"{layer.ms:.2f}", f"{rate:.0f}" if rate else ""))
    per_second = _rate(gflop, whole_ms)
    return "\n".join([
        plain(kinds, {"kind"}), "", plain(slowest, {"slowest layers", "shape"}), "",
        f"whole frame {whole_ms:.1f} ms; its {len(layers)} operators one by one {total_ms:.1f} ms "
        f"({_percent(total_ms, whole_ms)})",
        *(f"not timed alone: {n} {words}" for words, n in Counter(profile.left_out).items()),
        f"this machine: fp32 {limits.fp32_gflops:.0f} GFLOP/s, int8 {limits.int8_gops:.0f} GOP/s, "
        f"copy {limits.copy_gbs:.0f} GB/s (ONNX Runtime's matrix product, numpy's copy)",
        f"{gflop:.1f} GFLOP a frame: {per_second:.0f} a second, "
        f"{_percent(per_second, peak)} of the {precision} peak",
    ])  # fmt: skip


def _rate(gflop: float, ms: float) -> float:
    """GFLOP a second; 0 where the clock saw no time."""
    return 1e3 * gflop / ms if ms else 0.0


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "-"


if __name__ == "__main__":
    sys.exit(main())
