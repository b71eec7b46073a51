"""The range of every tensor of an ONNX file, measured on calibration pairs, for its int8 copy."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from export.quantize.calibration import CalibrationSet
from export.quantize.graph_ranges import cut_before_leaky, cut_before_tanh
from export.quantize.ranges import Method, Ranges, Statistics, Tally, cache_folder, recalled
from model.tensors import Signature
from pipeline.progress import counted
from pipeline.quiet import quiet

if TYPE_CHECKING:
    import onnx

_CACHE_VERSION = 2
# The result of these operators for any picture lies between those for a black and a white one.
_AFFINE = frozenset({"Slice", "Resize", "Mul", "Sub", "Add"})


def measured(
    fp32: Path, signature: Signature, pairs: CalibrationSet, log: Path, bar: bool
) -> Ranges:
    """The range of every computed tensor; what was measured is kept for next time.

    Args:
        fp32: the float file.
        signature: its inputs and outputs.
        pairs: what ranges are measured on.
        log: ONNX Runtime's own words.
        bar: show the progress on stderr.
    """
    import onnx

    model = onnx.load(fp32)
    key = hashlib.sha256(fp32.read_bytes())
    key.update(f"{pairs.sha256} onnx {_CACHE_VERSION}".encode())
    cached = cache_folder() / f"{key.hexdigest()}.npz"
    statistics = recalled(cached, lambda: _measure(model, signature, pairs, fp32.stem, log, bar))
    leaky = [
        (node.input[0], onnx.helper.get_node_attr_value(node, "alpha"))
        for node in model.graph.node
        if node.op_type == "LeakyRelu"
    ]
    ranges = cut_before_leaky(leaky, statistics, statistics.ranges(_method(signature)))
    tanh = [node.input[0] for node in model.graph.node if node.op_type == "Tanh"]
    ranges = cut_before_tanh(tanh, statistics, ranges)
    return {**ranges, **_exact_ranges(model, signature)}


def _method(signature: Signature) -> Method:
    """How ranges are chosen: docs/quantization.md.

    Cutting the few largest values of the generator costs identity, although it gains up to 1 dB of
    PSNR. The identity encoder is more exact with them cut.
    """
    return "minmax" if any(spec.color for spec in signature.outputs) else "percentile"


def _exact_ranges(model: onnx.ModelProto, signature: Signature) -> Ranges:
    """The ranges of the picture and of all that is computed from it before the first layer.

    They follow from a black and a white picture, and do not depend on the calibration set: a folder
    of dark faces must not clip white.
    """
    import onnx
    import onnxruntime

    known = {spec.name for spec in signature.inputs if spec.color}
    constants = {i.name for i in model.graph.initializer}
    nodes = []
    for node in model.graph.node:
        computed = set(node.input) - constants
        if computed and computed <= known and node.op_type in _AFFINE:
            known.update(node.output)
            nodes.append(node)
        elif node.op_type == "Constant":
            constants.update(node.output)
            nodes.append(node)
    (picture,) = (i for i in model.graph.input if i.name in known)
    made = [onnx.ValueInfoProto(name=name) for name in sorted(known - {picture.name})]
    used = {name for node in nodes for name in node.input} & constants
    graph = onnx.helper.make_graph(
        nodes, "signature", [picture], made, [i for i in model.graph.initializer if i.name in used]
    )
    start = onnx.helper.make_model(graph, opset_imports=model.opset_import, ir_version=8)
    session = onnxruntime.InferenceSession(
        start.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    sides = [d.dim_value for d in picture.type.tensor_type.shape.dim]
    ends = [session.run(None, {picture.name: np.full(sides, e, np.float32)}) for e in (0, 1)]
    ranges: Ranges = {picture.name: (0.0, 1.0)}
    for value, black, white in zip(made, *ends, strict=True):
        low, high = min(black.min(), white.min()), max(black.max(), white.max())
        ranges[value.name] = float(low), float(high)
    return ranges


def _measure(
    model: onnx.ModelProto, signature: Signature, pairs: CalibrationSet, name: str, log: Path,
    bar: bool,
) -> Statistics:  # fmt: skip
    """Run every pair through a copy of the file that hands out all it computes."""
    import onnx
    import onnxruntime

    exposed = onnx.ModelProto()
    exposed.CopyFrom(model)
    inferred = onnx.shape_inference.infer_shapes(model).graph
    floats = [
        value
        for value in (*inferred.value_info, *inferred.input, *inferred.output)
        if value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    ]
    known = {value.name for value in (*exposed.graph.output, *exposed.graph.input)}
    exposed.graph.output.extend(value for value in floats if value.name not in known)
    with quiet(log):
        session = onnxruntime.InferenceSession(
            exposed.SerializeToString(), providers=["CPUExecutionProvider"]
        )
    names = [value.name for value in floats]
    inputs = {value.name for value in model.graph.input}
    tally = Tally(names, len(pairs))
    for i in counted(len(pairs), f"{name}: ranges", shown=bar):
        feed = pairs.feed(signature, i)
        computed = [n for n in names if n not in inputs]
        answers = dict(zip(computed, session.run(computed, feed), strict=True))
        for t, tensor in enumerate(names):
            tally.add(t, i, answers[tensor] if tensor in answers else feed[tensor])
    return tally.statistics()
