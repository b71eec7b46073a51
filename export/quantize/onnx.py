"""fp32 ONNX to static int8 (QDQ) for ONNX Runtime: uint8 activations, int8 weights per channel."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from export.quantize.eight_bit import EightBit
from export.quantize.float_maps import Step, fine_floats
from export.quantize.onnx_ranges import measured
from export.quantize.weights import per_channel, same_layer
from export.subject import Artifact
from export.workbench import Workbench
from model.errors import ConversionError
from pipeline.quiet import quiet

if TYPE_CHECKING:
    import onnx

# These stay as they are: they make the embedding, whose numbers and L2 norm need floats.
_VECTOR_OPS = frozenset(
    {"BatchNormalization", "ReduceL2", "ReduceSum", "Clip", "Expand", "Div", "Gemm", "MatMul"}
)


def quantize(graph: Artifact, path: Path, eight_bit: EightBit, bench: Workbench) -> None:
    """Write `graph` with convolutions in int8; inputs and outputs stay float32.

    Coarse maps and what the picture is painted from (`float_maps`) stay in float, and only the
    weights that make them are stored in int8.

    Args:
        graph: the fp32 file.
        path: where to write.
        eight_bit: pairs that ranges are measured on, and layers that stay in float.
        bench: where to work.

    Raises:
        ConversionError: the graph has no layer with the weights of one to keep.
    """
    signature, fp32 = graph.signature, graph.path
    ranges = measured(fp32, signature, eight_bit.pairs(), bench.log, not bench.stages.quiet)
    with quiet(bench.log):
        import onnx
        from onnxruntime.quantization import CalibrationMethod, QuantType
        from onnxruntime.quantization.calibrate import TensorsData
        from onnxruntime.quantization.qdq_quantizer import QDQQuantizer
        from onnxruntime.quantization.registry import QDQRegistry

        spans = {n: (np.float32(low), np.float32(high)) for n, (low, high) in ranges.items()}
        model = onnx.load(fp32)
        _unshare_weights(model)
        # Linear layers are vector operations, which stay in float anyway.
        kept = {_convolution_with(model, w) for w in eight_bit.keep if w.ndim == 4}
        pictures = {spec.name for spec in signature.inputs if spec.color}
        painted = [spec.name for spec in signature.outputs if spec.color]
        maps = _float_maps(model, painted, graph.subject.coarse)
        only_stored = (_beside_pictures(model, pictures) | maps) - kept
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
        _read_floats(quantizer.model.model.graph, only_stored)
        _eight_bit_weights(quantizer.model.model.graph, only_stored)
        _shorten_names(quantizer.model.model)
        onnx.save(quantizer.model.model, path)


def _beside_pictures(model: onnx.ModelProto, pictures: set[str]) -> set[str]:
    """Names of the operators that do not depend on a picture: they turn the embedding into vectors.

    They stay in float. The modulation of all blocks is one tensor. It is sliced into vectors whose
    values differ a hundredfold, and the quantizer would give every slice the scale of the whole.
    """
    seen, beside = set(pictures), set()
    for node in model.graph.node:
        if seen.intersection(node.input):
            seen.update(node.output)
        else:
            beside.add(node.name)
    return beside


def _float_maps(model: onnx.ModelProto, pictures: Sequence[str], coarse: int) -> set[str]:
    """Names of the operators whose results are maps that stay in float.

    They are maps of at most `coarse` pixels a side, which carry the identity and cost little time
    (docs/quantization.md), and what `pictures` are painted from.
    """
    steps = _steps(model)
    fine = fine_floats([step for _, step in steps], pictures, coarse)
    return {name for name, step in steps if step.side <= coarse or step.output in fine}


def _steps(model: onnx.ModelProto) -> list[tuple[str, Step]]:
    """The operators that give maps, with their names."""
    import onnx

    graph = onnx.shape_inference.infer_shapes(model).graph
    shapes = {
        value.name: [d.dim_value for d in value.type.tensor_type.shape.dim]
        for value in (*graph.value_info, *graph.output)
    }
    steps = []
    for node in model.graph.node:
        shape = shapes.get(node.output[0], [])
        if len(shape) == 4 and max(shape[2:]) > 0:
            step = Step(
                node.op_type.upper(), tuple(node.input), node.output[0], shape[1], max(shape[2:])
            )
            steps.append((node.name, step))
    return steps


def _unshare_weights(model: onnx.ModelProto) -> None:
    """Copy weights that two convolutions share, in place, so that each has its own.

    With exact products (`session_options`) ONNX Runtime 1.23 cannot load shared weights: it
    converts them once per convolution, under one name.
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


def _read_floats(graph: onnx.GraphProto, floats: set[str]) -> None:
    """Let an operator that computes in float read what another one gives, in place.

    The quantizer gives all readers of a tensor its rounded copy where one of them is int8. A
    picture between -1 and 1 has no level at its black and white then, and half its levels are lost.
    """
    made = {name: node for node in graph.node for name in node.output}
    for node in graph.node:
        if node.name not in floats:
            continue
        for i, name in enumerate(node.input):
            source = _before_rounding(name, made)
            if source in made and made[source].name in floats:
                node.input[i] = source


def _before_rounding(tensor: str, made: dict[str, onnx.NodeProto]) -> str:
    """The tensor that `tensor` is the rounded copy of; itself where it is none.

    Args:
        tensor: name of a tensor.
        made: the operators by the names of what they give.
    """
    for kind in ("DequantizeLinear", "QuantizeLinear"):
        if tensor in made and made[tensor].op_type == kind:
            tensor = made[tensor].input[0]
    return tensor


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
            if same_layer(stored, weights):
                return node.name
    raise ConversionError(
        f"a layer of the recipe, with weights {weights.shape}, is not in the ONNX file as it is in "
        "PyTorch. Take it out of the recipe"
    )


def _shorten_names(model: onnx.ModelProto) -> None:
    """Shorten inner names, in place: the quantizer's own are 4 % of the file."""
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
