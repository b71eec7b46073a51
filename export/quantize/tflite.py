"""Quantize a float TFLite file to 8 bits; as a child process where TensorFlow is needed.

TensorFlow's quantizer reads the ranges from the file itself. They are written there by us; its own
calibration is not used. Its option for integer inputs and outputs would turn the embedding into
bytes too, so only the pictures are turned into uint8, afterwards.
"""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from export.quantize import flatbuffer
from export.quantize.float_maps import Step, fine_floats
from export.quantize.graph_ranges import FINEST
from export.quantize.ranges import Ranges
from export.quantize.weights import per_channel
from model.errors import ConversionError

_FLOAT32, _UINT8, _INT8 = 0, 3, 9  # schema's TensorType
_PICTURE_SCALE = 1 / 255
_KINDS = {"CONV_2D": "CONV", "RESIZE_BILINEAR": "RESIZE", "ADD": "ADD"}


def main() -> int:
    """Do the task in argv[1], JSON: float, ranges, pictures, coarse, int8 ({path: kept names})."""
    task = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    content = Path(task["float"]).read_bytes()
    for path, keep in task["int8"].items():
        Path(path).write_bytes(
            quantize(content, task["ranges"], task["pictures"], task["coarse"], keep)
        )
    return 0


def quantize(
    content: bytes,
    ranges: Ranges,
    pictures: Sequence[str],
    coarse: int,
    keep: Sequence[str] = (),
) -> bytes:
    """Make an integer file: int8, weights per channel, pictures uint8, vectors float32.

    Vectors (the modulation, the embedding) keep float activations: they are a thousandth of the
    work, and their numbers are too different for one scale. So do coarse maps, where who is seen is
    written into few, large values; their convolutions round their inputs picture by picture.

    Args:
        content: a float TFLite file.
        ranges: smallest and largest value of every computed tensor, by name.
        pictures: the inputs and outputs that are pictures.
        coarse: longest side of maps that keep float activations, in pixels; 1 for none.
        keep: names of tensors whose operators stay float, weights included.
    """
    from ai_edge_litert import schema_py_generated as schema
    from tensorflow.lite.python.convert import mlir_quantize

    model = flatbuffer.read(content)
    stay_float = _stay_float(model, pictures, coarse)
    for tensor in model.subgraphs[0].tensors:
        span = ranges.get(tensor.name.decode())
        if span is not None:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.min, tensor.quantization.max = [span[0]], [span[1]]
    quantized = mlir_quantize(
        flatbuffer.pack(model), fully_quantize=True, denylisted_nodes=[*keep, *stay_float]
    )
    model = flatbuffer.read(quantized)
    _eight_bit_weights(model, keep)
    _own_scales(model, ranges)
    _addable_constants(model)
    _convert_inputs_and_outputs(model, set(pictures))
    return flatbuffer.pack(model)


def dynamic(content: bytes, keep: Sequence[str] = ()) -> bytes:
    """Store the weights of a float TFLite file as int8; activations are quantized at run time.

    Args:
        content: a float TFLite file.
        keep: names of tensors whose operators stay float.
    """
    model = flatbuffer.read(content)
    _eight_bit_weights(model, keep)
    return flatbuffer.pack(model)


def _stay_float(model: Any, pictures: Sequence[str], coarse: int) -> list[str]:
    """Names of the computed tensors that stay float.

    They are vectors, coarse maps, what the picture is painted from (`float_maps`), and results of
    operators that XNNPACK does not have in int8.
    """
    inputs, outputs = flatbuffer.signature(model)
    seen = {index for name, index in inputs.items() if name in pictures}
    painted = [flatbuffer.name_of(model, i) for name, i in outputs.items() if name in pictures]
    names = sorted(fine_floats(_steps(model), painted, coarse))
    for op in flatbuffer.ops(model):
        shape = model.subgraphs[0].tensors[op.outputs[0]].shape
        if seen.intersection(op.inputs):
            seen.update(op.outputs)
        beside = not seen.intersection(op.inputs)
        if beside or _side(shape) <= coarse or op.name == "PRELU":
            names += [flatbuffer.name_of(model, i) for i in op.outputs]
    return names


def _steps(model: Any) -> list[Step]:
    """The operators that give maps."""
    steps = []
    for op in flatbuffer.ops(model):
        shape = model.subgraphs[0].tensors[op.outputs[0]].shape
        if _side(shape) > 1:
            inputs = tuple(flatbuffer.name_of(model, i) for i in op.inputs)
            output = flatbuffer.name_of(model, op.outputs[0])
            kind = _KINDS.get(op.name, op.name)
            steps.append(Step(kind, inputs, output, int(shape[3]), _side(shape)))
    return steps


def _side(shape: Sequence[int]) -> int:
    """The longer side in pixels of a map, NHWC; 1 for a vector."""
    return max(shape[1:3]) if len(shape) == 4 else 1


def _eight_bit_weights(model: Any, keep: Sequence[str]) -> None:
    """Store the weights of layers that compute in float as int8 per channel, in place.

    XNNPACK quantizes their inputs at run time ("dynamic"). Layers that compute one of the tensors
    in `keep` are left as they are.
    """
    graph = model.subgraphs[0]
    for op in flatbuffer.ops(model):
        if op.name not in ("CONV_2D", "FULLY_CONNECTED"):
            continue
        if flatbuffer.name_of(model, op.outputs[0]) in keep:
            continue
        tensor = graph.tensors[op.inputs[1]]
        weights = flatbuffer.constant(model, op.inputs[1])
        if weights is None or weights.dtype != np.float32:
            continue
        stored, scale = per_channel(weights)
        model.buffers[tensor.buffer].data = np.frombuffer(stored.tobytes(), np.uint8)
        tensor.type = _INT8
        tensor.quantization = _quantization(scale.tolist(), [0] * len(scale))


def _own_scales(model: Any, ranges: Ranges) -> None:
    """Give every float vector that becomes int8 the scale of its own range, in place.

    The modulation of all blocks is one tensor, cut into vectors whose numbers differ a hundredfold;
    TensorFlow's quantizer hands the whole tensor's scale on to each.
    """
    tensors = model.subgraphs[0].tensors
    for op in flatbuffer.ops(model):
        span = ranges.get(flatbuffer.name_of(model, op.inputs[0])) if op.inputs else None
        if op.name != "QUANTIZE" or span is None or tensors[op.inputs[0]].type != _FLOAT32:
            continue
        if _side(tensors[op.inputs[0]].shape) > 1:
            continue  # a map: what pads or enlarges it wants the very same scale on both sides
        low, high = min(span[0], 0.0), max(span[1], 0.0)
        scale = max(high - low, 1e-9) / 255
        zero = round(-128 - low / scale)
        shared = tensors[op.outputs[0]].quantization.scale[0]
        # Not for a last digit: a PAD behind it wants the very same scale on both sides.
        if not np.isclose(scale, shared, rtol=1e-3):
            tensors[op.outputs[0]].quantization = _quantization([scale], [zero])


def _addable_constants(model: Any) -> None:
    """Store very small constant terms with larger steps, in place, so that XNNPACK adds them.

    XNNPACK refuses an int8 term whose steps are 2^10 times finer than those of the sum. A shift
    that training left near zero has such steps.
    """
    tensors = model.subgraphs[0].tensors
    for op in flatbuffer.ops(model):
        if op.name not in ("ADD", "SUB") or tensors[op.outputs[0]].type != _INT8:
            continue
        for index in op.inputs:
            values, tensor = flatbuffer.constant(model, index), tensors[index]
            least = FINEST * tensors[op.outputs[0]].quantization.scale[0]
            if values is None or tensor.type != _INT8 or tensor.quantization.scale[0] >= least:
                continue
            old, (zero,) = tensor.quantization.scale[0], tensor.quantization.zeroPoint
            stored = np.rint((values.astype(np.float32) - zero) * old / least).astype(np.int8)
            model.buffers[tensor.buffer].data = np.frombuffer(stored.tobytes(), np.uint8)
            tensor.quantization = _quantization([float(least)], [0])


def _convert_inputs_and_outputs(model: Any, pictures: set[str]) -> None:
    """Make pictures uint8 and vectors float32, in place: the quantizer leaves both int8."""
    graph, (signature,) = model.subgraphs[0], model.signatureDefs
    for entries, ends, incoming in (
        (signature.inputs, graph.inputs, True),
        (signature.outputs, graph.outputs, False),
    ):
        for entry in entries:
            inner = int(entry.tensorIndex)
            if graph.tensors[inner].type != _INT8:
                continue
            if entry.name.decode() in pictures:
                outer = _requantize(model, inner, incoming)
            else:
                outer = _float_beyond(model, inner, incoming)
            graph.tensors[outer].name = entry.name
            ends[list(ends).index(inner)] = outer
            entry.tensorIndex = outer


def _requantize(model: Any, inner: int, incoming: bool) -> int:
    """Put a uint8 picture before or behind an int8 one; its tensor."""
    from ai_edge_litert import schema_py_generated as schema

    graph = model.subgraphs[0]
    picture = copy.copy(graph.tensors[inner])
    picture.type, picture.quantization = _UINT8, _quantization([_PICTURE_SCALE], [0])
    graph.tensors.append(picture)
    outer = len(graph.tensors) - 1
    operator = schema.OperatorT()
    operator.opcodeIndex = flatbuffer.opcode(model, "QUANTIZE")
    operator.inputs, operator.outputs = ([outer], [inner]) if incoming else ([inner], [outer])
    graph.operators.insert(0 if incoming else len(graph.operators), operator)
    return outer


def _float_beyond(model: Any, inner: int, incoming: bool) -> int:
    """Remove the conversion between an int8 vector of the signature and the float one inside."""
    graph = model.subgraphs[0]
    for op in flatbuffer.ops(model):
        near, far = (op.inputs, op.outputs) if incoming else (op.outputs, op.inputs)
        if near == [inner] and op.name in ("QUANTIZE", "DEQUANTIZE"):
            graph.operators = [o for o in graph.operators if o is not op.operator]
            return far[0]
    raise ConversionError(
        f"'{flatbuffer.name_of(model, inner)}' is an 8-bit vector; float32 is expected, so the "
        "layer next to it has to stay float. TensorFlow's quantizer did not leave it so"
    )


def _quantization(scale: list[float], zero_point: list[int]) -> Any:
    from ai_edge_litert import schema_py_generated as schema

    quantization = schema.QuantizationParametersT()
    quantization.scale, quantization.zeroPoint = scale, zero_point
    quantization.quantizedDimension = 0
    return quantization


if __name__ == "__main__":
    sys.exit(main())
