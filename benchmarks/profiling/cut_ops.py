"""Time the operators of a TFLite file one by one, each cut out into a file of its own.

XNNPACK takes the whole graph as one operator, so LiteRT's Python interface cannot see inside. Cut
out, every operator runs in XNNPACK at its real shapes, with cold neighbours: the sum is compared
with the whole file, and the difference is said.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from export.quantize import flatbuffer
from pipeline.quiet import quiet


@dataclass(frozen=True, slots=True)
class LayerTime:
    """One operator.

    Attributes:
        kind: operator name.
        name: of the tensor that it computes.
        shape: of that tensor.
        ms: median time.
        gflop: 10^9 multiplications and additions; 0 for what only moves or maps values.
    """

    kind: str
    name: str
    shape: tuple[int, ...]
    ms: float
    gflop: float


def time_ops(
    path: Path, threads: int, repeats: int, tell: Callable[[str], None]
) -> tuple[list[LayerTime], float]:
    """Time every operator of a file, and the whole file in between.

    Args:
        path: a TFLite file with one subgraph.
        threads: of XNNPACK.
        repeats: timed runs of each; the median counts.
        tell: hears about the progress.

    Returns:
        The operators in their order, and the milliseconds of the whole file.
    """
    model = flatbuffer.read(path.read_bytes())
    whole, whole_ms = _runner(path.read_bytes(), threads), []
    layers = []
    listed = list(flatbuffer.ops(model))
    for i, op in enumerate(listed):
        if i % max(1, len(listed) // repeats) == 0:
            whole_ms.append(whole())
        run = _runner(_alone(model, op), threads)
        run()
        tensor = model.subgraphs[0].tensors[op.outputs[0]]
        shape = tuple(int(edge) for edge in tensor.shape)
        ms = float(np.median([run() for _ in range(repeats)]))
        layers.append(LayerTime(op.name, tensor.name.decode(), shape, ms, _gflop(model, op, shape)))
        tell(f"{i + 1}/{len(listed)} operators")
    return layers, float(np.median(whole_ms))


def _alone(model: Any, op: flatbuffer.Op) -> bytes:
    """A TFLite file with this one operator; what it reads and no constant becomes an input."""
    from ai_edge_litert import schema_py_generated as schema

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
        if flatbuffer.constant(model, index) is not None:
            alone.buffers.append(model.buffers[graph.tensors[index].buffer])
            tensor.buffer = len(alone.buffers) - 1
        cut.tensors.append(tensor)
    cut.inputs = [place[i] for i in op.inputs if flatbuffer.constant(model, i) is None]
    cut.outputs = list(operator.outputs)
    cut.operators = [operator]
    alone.version, alone.subgraphs = model.version, [cut]
    alone.operatorCodes = [model.operatorCodes[op.operator.opcodeIndex]]
    return flatbuffer.pack(alone)


def _runner(content: bytes, threads: int) -> Callable[[], float]:
    """Load a file, and give a function that runs it once and returns the milliseconds."""
    with quiet():
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(model_content=content, num_threads=threads)
        interpreter.allocate_tensors()
    rng = np.random.default_rng(0)
    for entry in interpreter.get_input_details():
        interpreter.set_tensor(entry["index"], _random(rng, entry["shape"], entry["dtype"]))

    def run() -> float:
        started = time.perf_counter()
        interpreter.invoke()
        return 1e3 * (time.perf_counter() - started)

    run()
    return run


def _random(rng: np.random.Generator, shape: Any, dtype: Any) -> Any:
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        return rng.integers(max(limits.min, -128), min(limits.max, 255), shape, dtype)
    return rng.standard_normal(shape).astype(dtype)


def _gflop(model: Any, op: flatbuffer.Op, shape: tuple[int, ...]) -> float:
    if op.name not in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
        return 0.0
    weights = [int(edge) for edge in model.subgraphs[0].tensors[op.inputs[1]].shape]
    per_output = np.prod(weights[1:3] if op.name == "DEPTHWISE_CONV_2D" else weights[1:])
    return 2 * float(np.prod(shape)) * float(per_output) / 1e9


def by_kind(layers: list[LayerTime]) -> Iterator[tuple[str, int, float, float]]:
    """Kind, how many, milliseconds and gflop, the slowest kind first."""
    kinds = sorted(
        {layer.kind for layer in layers},
        key=lambda kind: -sum(layer.ms for layer in layers if layer.kind == kind),
    )
    for kind in kinds:
        of_kind = [layer for layer in layers if layer.kind == kind]
        yield (
            kind,
            len(of_kind),
            sum(layer.ms for layer in of_kind),
            sum(layer.gflop for layer in of_kind),
        )
