"""Time the operators of a TFLite file one by one, each in a file of its own.

XNNPACK runs the whole graph as one operator, so LiteRT's Python interface cannot time its parts. In
a file of its own each operator runs in XNNPACK with its real shapes, but with other contents in the
caches. Therefore the sum is compared with the time of the whole file, and the difference is shown.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness.interleave import child_environment
from benchmarks.profiling.layers import LayerTime, Profile, random_input
from export.quantize import flatbuffer
from model.errors import BackendUnavailable, BadInput
from pipeline.quiet import quiet


def time_ops(path: Path, threads: int, repeats: int, tell: Callable[[str], None]) -> Profile:
    """Time every operator of a TFLite file's first subgraph, and the whole file in turns with them.

    A child process does the work, because LiteRT aborts the process on some damaged files.

    Args:
        path: the file.
        threads: of XNNPACK.
        repeats: timed runs of each operator; the median is reported.
        tell: called with lines about the progress.

    Raises:
        BadInput: it is not a TFLite file, LiteRT cannot run it, or it has no operators.
        BackendUnavailable: LiteRT is not installed.
    """
    if importlib.util.find_spec("ai_edge_litert") is None:
        raise BackendUnavailable(
            "TFLite files are profiled with LiteRT, which is not installed. "
            "pip install ai-edge-litert"
        )
    answer: dict[str, Any] = {}
    words = [str(path), str(threads), str(repeats)]
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.profiling.cut_ops", *words],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env=child_environment(),
    ) as child:  # fmt: skip
        assert child.stdout is not None
        try:
            for line in child.stdout:
                answer = json.loads(line)
                if "progress" in answer:
                    tell(answer["progress"])
        finally:
            child.kill()
    if "refused" in answer:
        raise BadInput(answer["refused"])
    if "whole_ms" not in answer:
        raise BadInput(f"{path} makes LiteRT crash: damaged? Copy or export it again")
    layers = [LayerTime(**{**layer, "shape": tuple(layer["shape"])}) for layer in answer["layers"]]
    return Profile(layers, answer["whole_ms"], answer["left_out"])


def main(argv: Sequence[str] | None = None) -> int:
    """Child process: time the file argv[0] with argv[1] threads, argv[2] times; JSON lines."""
    path, threads, repeats = sys.argv[1:] if argv is None else argv

    def send(message: dict[str, Any]) -> None:
        print(json.dumps(message), flush=True)

    try:
        profile = _time_ops(
            Path(path), int(threads), int(repeats), lambda words: send({"progress": words})
        )
    except BadInput as error:
        send({"refused": str(error)})
    else:
        send(asdict(profile))
    return 0


def _time_ops(path: Path, threads: int, repeats: int, tell: Callable[[str], None]) -> Profile:
    """As `time_ops`, in this process."""
    model, listed = _read(path)
    try:
        # Packed anew: LiteRT reads beyond the end of a file that was cut off.
        whole = _runner(flatbuffer.pack(model), threads)
        whole_ms = [whole()]
    except Exception as error:  # LiteRT raises RuntimeError and ValueError; numpy MemoryError
        raise BadInput(f"LiteRT cannot run {path}: {_first_line(error)}") from None
    layers, left_out = [], []
    for i, op in enumerate(listed):
        if i % max(1, len(listed) // repeats) == 0:
            whole_ms.append(whole())
        try:
            run = _runner(_alone(model, op), threads)
            ms = float(np.median([run() for _ in range(repeats)]))
        except (RuntimeError, ValueError) as error:  # LiteRT cannot run it without the others
            left_out.append(f"{op.name}: {_first_line(error)}")
            continue
        tensor = model.subgraphs[0].tensors[op.outputs[0]]
        shape = () if tensor.shape is None else tuple(int(edge) for edge in tensor.shape)
        name = (tensor.name or b"").decode(errors="replace")
        layers.append(LayerTime(op.name, name, shape, ms, _gflop(model, op, shape)))
        tell(f"{i + 1}/{len(listed)} operators")
    return Profile(layers, float(np.median(whole_ms)), left_out)


def _read(path: Path) -> tuple[Any, list[flatbuffer.Op]]:
    """The model and the operators of its main subgraph.

    Raises:
        BadInput: the file cannot be read, is not a TFLite file, or has no operators.
    """
    try:
        model = flatbuffer.read(path.read_bytes())
        listed = list(flatbuffer.ops(model))
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from None
    except Exception:  # the schema's readers raise any error on damaged files, as struct.error
        raise BadInput(
            f"{path} is not a whole TFLite file: cut off, damaged, or of another kind. "
            "Copy or export it again"
        ) from None
    if not listed or not all(op.outputs for op in listed):
        raise BadInput(f"{path} has no operators that compute something; expected a model")
    return model, listed


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__


def _alone(model: Any, op: flatbuffer.Op) -> bytes:
    """A TFLite file with this one operator; the tensors that it reads become inputs or constants.

    Raises:
        ValueError: the operator cannot be timed alone. It calls another subgraph, or it reads
            constants only, and LiteRT computes it once while it loads the file.
    """
    from ai_edge_litert import schema_py_generated as schema

    for options in (op.operator.builtinOptions, op.operator.builtinOptions2):
        if options and any("subgraph" in name.lower() for name in vars(options)):
            raise ValueError("it calls a subgraph")
    if op.inputs and all(_stored(model, index) for index in op.inputs):
        raise ValueError("it reads constants only, and is computed once at load")
    graph = model.subgraphs[0]
    used = list(dict.fromkeys([*op.inputs, *op.outputs]))
    place = {index: i for i, index in enumerate(used)}
    alone, cut, operator = schema.ModelT(), schema.SubGraphT(), schema.OperatorT()
    operator.__dict__.update(op.operator.__dict__)
    operator.opcodeIndex = 0
    operator.inputs = [place.get(int(i), -1) for i in op.operator.inputs]
    operator.outputs = [place[i] for i in op.outputs]
    empty = schema.BufferT()
    alone.buffers = [empty]
    cut.tensors = []
    for index in used:
        tensor = schema.TensorT()
        tensor.__dict__.update(graph.tensors[index].__dict__)
        tensor.buffer = 0
        if _stored(model, index):
            alone.buffers.append(model.buffers[graph.tensors[index].buffer])
            tensor.buffer = len(alone.buffers) - 1
        cut.tensors.append(tensor)
    cut.inputs = [place[i] for i in op.inputs if not _stored(model, i)]
    cut.outputs = list(operator.outputs)
    cut.operators = [operator]
    alone.version, alone.subgraphs = model.version, [cut]
    alone.operatorCodes = [model.operatorCodes[op.operator.opcodeIndex]]
    return flatbuffer.pack(alone)


def _stored(model: Any, tensor: int) -> bool:
    """Whether a tensor's values are in the file."""
    data = model.buffers[model.subgraphs[0].tensors[tensor].buffer].data
    return data is not None and len(data) > 0


def _runner(content: bytes, threads: int) -> Callable[[], float]:
    """Load a file; the result runs it once and returns the milliseconds."""
    with quiet():
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(model_content=content, num_threads=threads)
        interpreter.allocate_tensors()
    rng = np.random.default_rng(0)
    for entry in interpreter.get_input_details():
        interpreter.set_tensor(entry["index"], random_input(rng, entry["shape"], entry["dtype"]))

    def run() -> float:
        started = time.perf_counter()
        interpreter.invoke()
        return 1e3 * (time.perf_counter() - started)

    run()
    return run


def _gflop(model: Any, op: flatbuffer.Op, shape: tuple[int, ...]) -> float:
    if op.name not in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
        return 0.0
    shape_of_weights = model.subgraphs[0].tensors[op.inputs[1]].shape
    if shape_of_weights is None:
        return 0.0
    weights = [int(edge) for edge in shape_of_weights]
    per_output = np.prod(weights[1:3] if op.name == "DEPTHWISE_CONV_2D" else weights[1:])
    return 2 * float(np.prod(shape)) * float(per_output) / 1e9


if __name__ == "__main__":
    sys.exit(main())
