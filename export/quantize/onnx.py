"""fp32 ONNX to static int8 (QDQ) for ONNX Runtime: uint8 activations, int8 weights per channel."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from export.quantize.calibration import CalibrationSet
from export.quantize.onnx_ranges import measured
from export.quantize.weights import per_channel
from model.errors import ConversionError
from model.tensors import Signature
from pipeline.quiet import quiet

if TYPE_CHECKING:
    import onnx

# These stay as they are: they make the embedding, whose numbers and L2 norm need floats.
_VECTOR_OPS = frozenset(
    {"BatchNormalization", "ReduceL2", "ReduceSum", "Clip", "Expand", "Div", "Gemm", "MatMul"}
)


def quantize(
    fp32: Path, int8: Path, border: Signature, pairs: CalibrationSet, coarse: int, log: Path,
    bar: bool, keep: Sequence[NDArray[np.float32]] = (),
) -> None:  # fmt: skip
    """Write `fp32` with convolutions in int8; inputs and outputs stay float32.

    Args:
        fp32: the float file.
        int8: where to write.
        border: inputs and outputs of `fp32`.
        pairs: what ranges are measured on.
        coarse: longest side of maps that stay in float, in pixels; their weights are still stored
            in int8.
        log: ONNX Runtime's own words.
        bar: show the progress on stderr.
        keep: weights, (O, I, H, W), of convolutions that stay in float.

    Raises:
        ConversionError: `fp32` has no convolution with such weights.
    """
    ranges = measured(fp32, border, pairs, log, bar)
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
        only_stored = (_beside_pictures(model, pictures) | _coarse_maps(model, coarse)) - kept
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


def _coarse_maps(model: onnx.ModelProto, coarse: int) -> set[str]:
    """Names of the operators that make maps of at most so many pixels a side.

    There it is decided who is seen, and there is little work in them: docs/quantization.md.
    """
    import onnx

    maps = onnx.shape_inference.infer_shapes(model).graph.value_info
    sides = {m.name: [d.dim_value for d in m.type.tensor_type.shape.dim][2:] for m in maps}
    return {
        node.name
        for node in model.graph.node
        if 0 < max(sides.get(node.output[0]) or [0]) <= coarse
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
