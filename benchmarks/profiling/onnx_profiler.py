"""Time the nodes of an ONNX file with ONNX Runtime's own profiler."""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.profiling.layers import LayerTime, Profile, random_input
from model.errors import BackendUnavailable, BadInput, install
from pipeline.backends.onnx import session_options
from pipeline.quiet import quiet

# What an ONNX input may hold, in numpy's words.
_NUMBERS = {"float16", "float32", "float64", "bool"} | {
    f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
}


def time_ops(path: Path, threads: int, repeats: int, tell: Callable[[str], None]) -> Profile:
    """Time every node of an ONNX file, and whole frames.

    Convolutions pad channels to blocks of 8 or 16; their gflop include the padding.

    Args:
        path: the file.
        threads: of ONNX Runtime.
        repeats: timed frames; the median is reported.
        tell: called with lines about the progress.

    Raises:
        BadInput: it is not an ONNX file, or ONNX Runtime cannot run it.
        BackendUnavailable: ONNX Runtime is not installed.
    """
    try:
        import onnxruntime
    except ImportError:
        raise BackendUnavailable(
            f"ONNX files are profiled with onnxruntime, which is not installed. {install('onnx')}"
        ) from None
    with tempfile.TemporaryDirectory() as folder:
        options = session_options(threads)
        options.enable_profiling, options.profile_file_prefix = True, f"{folder}/ort"
        try:
            with quiet():  # its errors go to stderr as well as into the exception
                session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
                feeds = {entry.name: _feed(entry) for entry in session.get_inputs()}
                session.run(None, feeds)
        except BadInput:
            raise
        except Exception as error:  # onnxruntime's own exceptions share no base class
            lines = str(error).strip().splitlines() or [type(error).__name__]
            raise BadInput(f"ONNX Runtime cannot run {path}: {lines[0][:300]}") from None
        for i in range(repeats):
            session.run(None, feeds)
            tell(f"{i + 1}/{repeats} frames")
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    return _from_events(events)


def _feed(entry: Any) -> Any:
    """Values for one input of a session; axes of no fixed size become 1.

    Raises:
        BadInput: the input is no tensor of numbers.
    """
    kind = entry.type.removeprefix("tensor(").removesuffix(")")
    name = {"float": "float32", "double": "float64"}.get(kind, kind)
    if name not in _NUMBERS:
        raise BadInput(f"input '{entry.name}' is a {entry.type}; expected a tensor of numbers")
    shape = [edge if isinstance(edge, int) and edge > 0 else 1 for edge in entry.shape]
    return random_input(np.random.default_rng(0), shape, np.dtype(name))


def _from_events(events: list[dict[str, Any]]) -> Profile:
    """The median of each node over all frames but the first, and of whole frames."""
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
        shapes = _shapes(given["output_type_shape"])
        shape = shapes[0] if shapes else ()
        kernels = _shapes(given["input_type_shape"])[1:] if "Conv" in given["op_name"] else []
        kernel = next((edges for edges in kernels if len(edges) == 4), None)
        gflop = 2 * float(np.prod(shape)) * float(np.prod(kernel[1:])) / 1e9 if kernel else 0.0
        ms = float(np.median(listed[1:] or listed))
        layers.append(LayerTime(given["op_name"], name, shape, ms, gflop))
    return Profile(layers, float(np.median(frames[1:])))


def _shapes(entries: list[dict[str, list[int]]]) -> list[tuple[int, ...]]:
    """Shapes from the profiler's `[{"float": [1, 3]}]`."""
    return [tuple(edges) for entry in entries for edges in entry.values()]
