"""Where the time goes, by kind of operator and by layer: `python benchmarks/profile_ops.py`.

So that the next optimisation is chosen by measurement. ONNX Runtime tells by its own profiler; a
TFLite file is cut into its operators (`benchmarks/profiling/cut_ops.py`).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model import arguments
from model.errors import BackendUnavailable, BadInput, guard

if TYPE_CHECKING:
    from benchmarks.profiling.cut_ops import LayerTime
    from benchmarks.profiling.roofline import Roofline


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Profile one file, print both tables and how near the machine's limits it comes."""
    parser = argparse.ArgumentParser(prog="python benchmarks/profile_ops.py", description=__doc__)
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

    from benchmarks.latency import teller
    from benchmarks.profiling import roofline

    if not args.file.is_file():
        raise BadInput(f"{args.file} is no file; expected a .tflite or .onnx file of a bundle")
    timers = {".tflite": _time_tflite, ".onnx": _time_onnx}
    if args.file.suffix not in timers:
        raise BadInput(f"{args.file} cannot be profiled; expected a .tflite or .onnx file")
    layers, whole_ms = timers[args.file.suffix](args, teller(args.quiet))
    precision = next((p for p in ("int8", "dynamic") if p in args.file.stem), "fp32")
    limits = roofline.measure(args.threads)
    if args.json:
        print(json.dumps({
            "file": args.file.name, "threads": args.threads, "whole_ms": whole_ms,
            "roofline": asdict(limits), "layers": [asdict(layer) for layer in layers],
        }, indent=2))  # fmt: skip
    else:
        print(_report(layers, whole_ms, limits, precision, args.layers))
    return 0


def _time_tflite(
    args: argparse.Namespace, tell: Callable[[str], None]
) -> tuple[list[LayerTime], float]:
    from benchmarks.profiling.cut_ops import time_ops

    return time_ops(args.file, args.threads, args.repeats, tell)


def _time_onnx(
    args: argparse.Namespace, tell: Callable[[str], None]
) -> tuple[list[LayerTime], float]:
    """Run with ONNX Runtime's profiler; its events carry time, kind and shapes.

    Its convolutions pad channels to blocks of 8 or 16, and are counted as they compute.
    """
    try:
        import onnxruntime
    except ImportError:
        raise BackendUnavailable(
            "ONNX files are profiled with onnxruntime, which is not installed. "
            "pip install -e '.[onnx]'"
        ) from None
    import numpy as np

    from pipeline.backends.onnx import session_options

    with tempfile.TemporaryDirectory() as folder:
        options = session_options(args.threads)
        options.enable_profiling, options.profile_file_prefix = True, f"{folder}/ort"
        session = onnxruntime.InferenceSession(str(args.file), options, ["CPUExecutionProvider"])
        rng = np.random.default_rng(0)
        feeds = {i.name: rng.random(i.shape, np.float32) for i in session.get_inputs()}
        for i in range(args.repeats + 1):
            session.run(None, feeds)
            tell(f"{i}/{args.repeats} frames")
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    return _from_events(events)


def _from_events(events: list[dict[str, Any]]) -> tuple[list[LayerTime], float]:
    """The median of each node over all frames but the first, and of whole frames."""
    import numpy as np

    from benchmarks.profiling.cut_ops import LayerTime

    times: dict[str, list[float]] = defaultdict(list)
    described: dict[str, dict[str, Any]] = {}
    frames = [e["dur"] / 1e3 for e in events if e.get("name") == "model_run"]
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            name = event["name"].removesuffix("_kernel_time")
            times[name].append(event["dur"] / 1e3)
            described[name] = event["args"]
    layers = []
    for name, listed in times.items():
        given = described[name]
        shape = next(iter(given["output_type_shape"][0].values()))
        inputs = [next(iter(entry.values())) for entry in given["input_type_shape"]]
        convolves = "Conv" in given["op_name"]
        kernel = next((i for i in inputs[1:] if convolves and len(i) == 4), None)
        gflop = 2 * float(np.prod(shape)) * float(np.prod(kernel[1:])) / 1e9 if kernel else 0.0
        layers.append(
            LayerTime(given["op_name"], name, tuple(shape), float(np.median(listed[1:])), gflop)
        )
    return layers, float(np.median(frames[1:]))


def _report(
    layers: list[LayerTime], whole_ms: float, limits: Roofline, precision: str, shown: int
) -> str:
    from benchmarks.profiling.cut_ops import by_kind

    total_ms = sum(layer.ms for layer in layers)
    gflop = sum(layer.gflop for layer in layers)
    lines = [f"{'kind':<26} {'count':>5} {'ms':>8} {'share':>6} {'GFLOP/s':>8} {'of peak':>8}"]
    peak = limits.peak(precision)
    for kind, count, ms, work in by_kind(layers):
        rate = f"{work / ms * 1e3:8.0f} {100 * work / ms * 1e3 / peak:6.0f} %" if work else ""
        lines.append(f"{kind:<26} {count:5} {ms:8.2f} {100 * ms / total_ms:4.0f} % {rate}".rstrip())
    lines += ["", f"{'slowest layers':<52} {'shape':<18} {'ms':>8} {'GFLOP/s':>8}"]
    for layer in sorted(layers, key=lambda layer: -layer.ms)[:shown]:
        rate = f"{layer.gflop / layer.ms * 1e3:8.0f}" if layer.gflop else ""
        shape = "x".join(map(str, layer.shape))
        name = f"{layer.kind} {layer.name}"[-52:]
        lines.append(f"{name:<52} {shape:<18} {layer.ms:8.2f} {rate}".rstrip())
    lines += [
        "",
        f"whole frame {whole_ms:.1f} ms; its {len(layers)} operators one by one {total_ms:.1f} ms "
        f"({100 * total_ms / whole_ms:.0f} %)",
        f"this machine: fp32 {limits.fp32_gflops:.0f} GFLOP/s, int8 {limits.int8_gops:.0f} GOP/s, "
        f"copy {limits.copy_gbs:.0f} GB/s (ONNX Runtime's matrix product, numpy's copy)",
        f"{gflop:.1f} GFLOP a frame: {gflop / whole_ms * 1e3:.0f} a second, "
        f"{100 * gflop / whole_ms * 1e3 / peak:.0f} % of the {precision} peak",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
