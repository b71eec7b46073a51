"""fp32 ONNX to static int8 (QDQ) for ONNX Runtime: uint8 activations, int8 weights per channel."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from export.calibration import CalibrationSet
from export.graph_ranges import cut_before_leaky, cut_before_tanh
from export.int8_weights import per_channel
from export.ranges import Method, Ranges, Statistics, Tally, cache_folder, recalled
from export.stages import progress
from model.errors import ConversionError
from model.tensors import Signature
from pipeline.quiet import quiet

if TYPE_CHECKING:
    import onnx

_CACHE_VERSION = 2
# These stay as they are: they make the embedding, whose numbers and L2 norm need floats.
_VECTOR_OPS = frozenset(
    {"BatchNormalization", "ReduceL2", "ReduceSum", "Clip", "Expand", "Div", "Gemm", "MatMul"}
)
_SMALL = 7  # px
# What these make of a picture between black and white lies between what they make of those two.
_AFFINE = frozenset({"Slice", "Resize", "Mul", "Sub", "Add"})


def quantize(
    fp32: Path, int8: Path, border: Signature, pairs: CalibrationSet, log: Path, bar: bool,
    keep: Sequence[NDArray[np.float32]] = (),
) -> None:  # fmt: skip
    """Write `fp32` with convolutions in int8; inputs and outputs stay float32.

    Args:
        fp32: the float file.
        int8: where to write.
        border: inputs and outputs of `fp32`.
        pairs: what ranges are measured on.
        log: ONNX Runtime's own words.
        bar: show the progress on stderr.
        keep: weights, (O, I, H, W), of convolutions that stay in float.

    Raises:
        ConversionError: `fp32` has no convolution with such weights.
    """
    ranges = _ranges(fp32, border, pairs, log, bar)
    with quiet(log):
        import onnx
        from onnxruntime.quantization import CalibrationMethod, QuantType
        from onnxruntime.quantization.calibrate import TensorsData
        from onnxruntime.quantization.qdq_quantizer import QDQQuantizer
        from onnxruntime.quantization.registry import QDQRegistry

        spans = {n: (np.float32(low), np.float32(high)) for n, (low, high) in ranges.items()}
        model = onnx.load(fp32)
        _unshare_weights(model)
        kept = {_convolution_with(model, weights) for weights in keep}
        pictures = {spec.name for spec in border.inputs if spec.color}
        only_stored = (_beside_pictures(model, pictures) | _small_maps(model)) - kept
        quantizer = QDQQuantizer(
            model,
            per_channel=True,
            reduce_range=False,
            weight_qType=QuantType.QInt8,
            activation_qType=QuantType.QUInt8,
            tensors_range=TensorsData(CalibrationMethod.MinMax, spans),
            nodes_to_quantize=[],
            nodes_to_exclude=[
                n.name
                for n in model.graph.node
                if n.op_type in _VECTOR_OPS or n.name in kept | only_stored
            ],
            op_types_to_quantize=list(QDQRegistry),
            extra_options={},
        )
        quantizer.quantize_model()
        _eight_bit_weights(quantizer.model.model.graph, only_stored)
        _shorten_names(quantizer.model.model)
        onnx.save(quantizer.model.model, int8)


def _beside_pictures(model: onnx.ModelProto, pictures: set[str]) -> set[str]:
    """Names of the operators that no picture goes through: they make vectors of the embedding.

    They stay in float. The modulation of all blocks is one tensor, cut into vectors whose numbers
    differ a hundredfold, and the quantizer gives what is cut the scale of the whole.
    """
    seen, beside = set(pictures), set()
    for node in model.graph.node:
        if seen.intersection(node.input):
            seen.update(node.output)
        else:
            beside.add(node.name)
    return beside


def _small_maps(model: onnx.ModelProto) -> set[str]:
    """Names of the convolutions that paint maps of 7 px and less, at the end of the recogniser.

    A few of their channels are far louder than the others, and there is little work in them: in
    8 bits they took the worst face from a cosine of 0.991 to its float embedding down to 0.988.
    """
    import onnx

    maps = onnx.shape_inference.infer_shapes(model).graph.value_info
    sides = {m.name: [d.dim_value for d in m.type.tensor_type.shape.dim] for m in maps}
    return {
        node.name
        for node in model.graph.node
        if node.op_type == "Conv" and max(sides.get(node.output[0], [8])[2:] or [8]) <= _SMALL
    }


def _unshare_weights(model: onnx.ModelProto) -> None:
    """Give every convolution weights of its own, in place, where two have the same.

    ONNX Runtime 1.23 asked for exact products (`session_options`) cannot load shared ones: it makes
    each into uint8 by a name that is then there already.
    """
    constants = {i.name: i for i in model.graph.initializer}
    taken: set[str] = set()
    for node in model.graph.node:
        if node.op_type != "Conv" or node.input[1] not in constants:
            continue
        name = node.input[1]
        if name in taken:
            own = model.graph.initializer.add()
            own.CopyFrom(constants[name])
            node.input[1] = own.name = f"{name}_of_{node.output[0]}"
        taken.add(node.input[1])


def _eight_bit_weights(graph: onnx.GraphProto, layers: set[str]) -> None:
    """Store the weights of convolutions that compute in float as int8 per channel, in place."""
    from onnx import helper, numpy_helper

    constants = {i.name: i for i in graph.initializer}
    for node in [n for n in graph.node if n.name in layers and n.op_type == "Conv"]:
        name = node.input[1]
        stored, scale = per_channel(numpy_helper.to_array(constants[name]))
        constants[name].CopyFrom(numpy_helper.from_array(stored, name))
        graph.initializer.append(numpy_helper.from_array(scale, f"{name}_scale"))
        zeros = np.zeros(len(scale), np.int8)
        graph.initializer.append(numpy_helper.from_array(zeros, f"{name}_zero"))
        inputs = [name, f"{name}_scale", f"{name}_zero"]
        node.input[1] = f"{name}_float"
        read = helper.make_node("DequantizeLinear", inputs, [node.input[1]], axis=0)
        graph.node.insert(0, read)


def _convolution_with(model: onnx.ModelProto, weights: NDArray[np.float32]) -> str:
    """The name of the convolution with these weights: simplifying renames, weights stay."""
    from onnx import numpy_helper

    constants = {i.name: i for i in model.graph.initializer if tuple(i.dims) == weights.shape}
    for node in model.graph.node:
        if node.op_type == "Conv" and node.input[1] in constants:
            stored = numpy_helper.to_array(constants[node.input[1]])
            if np.allclose(stored, weights, rtol=1e-4):
                return node.name
    raise ConversionError(
        f"a layer of the recipe, with weights {weights.shape}, is not in the ONNX file as it is in "
        "PyTorch. Take it out of the recipe"
    )


def _ranges(fp32: Path, border: Signature, pairs: CalibrationSet, log: Path, bar: bool) -> Ranges:
    """The range of every computed tensor; what was measured is kept for next time."""
    import onnx

    model = onnx.load(fp32)
    key = hashlib.sha256(fp32.read_bytes())
    key.update(f"{pairs.sha256} onnx {_CACHE_VERSION}".encode())
    cached = cache_folder() / f"{key.hexdigest()}.npz"
    statistics = recalled(cached, lambda: _measure(model, border, pairs, fp32.stem, log, bar))
    leaky = [
        (node.input[0], onnx.helper.get_node_attr_value(node, "alpha"))
        for node in model.graph.node
        if node.op_type == "LeakyRelu"
    ]
    ranges = cut_before_leaky(leaky, statistics, statistics.ranges(_method(border)))
    tanh = [node.input[0] for node in model.graph.node if node.op_type == "Tanh"]
    ranges = cut_before_tanh(tanh, statistics, ranges)
    return {**ranges, **_exact_ranges(model, border)}


def _method(border: Signature) -> Method:
    """How ranges are chosen: docs/quantization.md.

    What paints loses who is seen with the few largest values, though narrower ranges give up to a
    decibel more. What makes an embedding is better off without them.
    """
    return "minmax" if any(spec.color for spec in border.outputs) else "percentile"


def _exact_ranges(model: onnx.ModelProto, border: Signature) -> Ranges:
    """Of the picture and what is made of it before the first layer: from black and white ones.

    A folder of dark faces must not make white impossible.
    """
    import onnx
    import onnxruntime

    known = {spec.name for spec in border.inputs if spec.color}
    constants = {i.name for i in model.graph.initializer}
    nodes = []
    for node in model.graph.node:
        if known.intersection(node.input) and node.op_type in _AFFINE:
            known.update(node.output)
            nodes.append(node)
        elif node.op_type == "Constant":
            nodes.append(node)
    (picture,) = (i for i in model.graph.input if i.name in known)
    made = [onnx.ValueInfoProto(name=name) for name in sorted(known - {picture.name})]
    used = {name for node in nodes for name in node.input} & constants
    graph = onnx.helper.make_graph(
        nodes, "border", [picture], made, [i for i in model.graph.initializer if i.name in used]
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
    model: onnx.ModelProto, border: Signature, pairs: CalibrationSet, name: str, log: Path,
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
    for i in progress(len(pairs), f"{name}: ranges", bar):
        feed = pairs.feed(border, i)
        computed = [n for n in names if n not in inputs]
        answers = dict(zip(computed, session.run(computed, feed), strict=True))
        for t, tensor in enumerate(names):
            tally.add(t, i, answers[tensor] if tensor in answers else feed[tensor])
    return tally.statistics()


def _shorten_names(model: onnx.ModelProto) -> None:
    """Replace inner names, in place: those that the quantizer makes are 4 % of the file."""
    graph = model.graph
    kept = {value.name for value in (*graph.input, *graph.output)} | {""}
    short: dict[str, str] = {}

    def shorten(name: str) -> str:
        return name if name in kept else short.setdefault(name, f"t{len(short):x}")

    for node in graph.node:
        node.name, node.doc_string = "", ""
        node.input[:] = [shorten(name) for name in node.input]
        node.output[:] = [shorten(name) for name in node.output]
    for initializer in graph.initializer:
        initializer.name = shorten(initializer.name)
    del graph.value_info[:]
