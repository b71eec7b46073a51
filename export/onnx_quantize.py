"""fp32 ONNX to static int8 (QDQ) for ONNX Runtime: uint8 activations, int8 weights per channel."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from export.calibration import CalibrationSet
from export.ranges import Ranges, cache_folder
from export.stages import progress
from model.errors import BadInput, ConversionError
from model.files import write_atomically
from model.tensors import Signature
from pipeline.quiet import quiet

if TYPE_CHECKING:
    import onnx

_CACHE_VERSION = 1
# These stay as they are: PRelu has no 8-bit kernel, and the L2 norm of an embedding needs floats.
_VECTOR_OPS = frozenset({"ReduceL2", "ReduceSum", "Clip", "Expand", "Div", "Gemm", "MatMul"})


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
        kept = [_convolution_with(model, weights) for weights in keep]
        quantizer = QDQQuantizer(
            model,
            per_channel=True,
            reduce_range=False,
            weight_qType=QuantType.QInt8,
            activation_qType=QuantType.QUInt8,
            tensors_range=TensorsData(CalibrationMethod.MinMax, spans),
            nodes_to_quantize=[],
            nodes_to_exclude=[
                n.name for n in model.graph.node if n.op_type in _VECTOR_OPS or n.name in kept
            ],
            op_types_to_quantize=list(QDQRegistry),
            extra_options={},
        )
        quantizer.quantize_model()
        _shorten_names(quantizer.model.model)
        onnx.save(quantizer.model.model, int8)


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
    """Smallest and largest value of every tensor, or those of last time."""
    key = hashlib.sha256(fp32.read_bytes())
    key.update(f"{pairs.sha256} onnx {_CACHE_VERSION}".encode())
    cached = cache_folder() / f"{key.hexdigest()}.json"
    with contextlib.suppress(OSError, ValueError):
        known: Ranges = json.loads(cached.read_text(encoding="utf-8"))
        return known
    ranges = _measure(fp32, border, pairs, log, bar)
    with contextlib.suppress(BadInput):  # a cache that cannot be written is no reason to fail
        write_atomically(cached, lambda beside: beside.write_text(json.dumps(ranges), "utf-8"))
    return ranges


def _measure(fp32: Path, border: Signature, pairs: CalibrationSet, log: Path, bar: bool) -> Ranges:
    augmented = fp32.with_name(f".{fp32.stem}.augmented.onnx")
    try:
        with quiet(log):
            from onnxruntime.quantization import CalibrationMethod
            from onnxruntime.quantization.calibrate import create_calibrator

            calibrator = create_calibrator(
                fp32, None, str(augmented), calibrate_method=CalibrationMethod.MinMax
            )
        for i in progress(len(pairs), f"{fp32.stem}: ranges", bar):
            with quiet(log):
                calibrator.collect_data(_Once(pairs.feed(border, i)))
        found = calibrator.compute_data()
    finally:
        augmented.unlink(missing_ok=True)
    return {
        name: (float(np.min(span.range_value[0])), float(np.max(span.range_value[1])))
        for name, span in found.items()
    }


class _Once:
    """A calibration reader with one sample."""

    def __init__(self, feed: dict[str, Any]) -> None:
        self._feeds = [feed]

    def get_next(self) -> dict[str, Any] | None:
        """The sample, then None."""
        return self._feeds.pop() if self._feeds else None


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
