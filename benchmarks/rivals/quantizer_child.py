"""Child process of `benchmarks.quantizers`: run one other quantizer as its documentation says.

The top of the module imports numpy only, because ai-edge-quantizer runs in another environment,
with a newer LiteRT.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np

_SIGNATURE = "serving_default"


def main() -> int:
    """Do the task that argv[1] describes in JSON.

    Its keys: `quantizer`, a name; `onnx` and `tflite`, the float files; `pairs`, a .npy file for
    each input, one pair a row; `made`, the file to write.
    """
    task = json.loads(sys.argv[1])
    quantizers = {
        "tensorflow": tensorflow, "onnx2tf": onnx2tf, "ai-edge-quantizer": ai_edge_quantizer,
    }  # fmt: skip
    Path(task["made"]).write_bytes(quantizers[task["quantizer"]](task))
    return 0


def tensorflow(task: dict[str, Any]) -> bytes:
    """TensorFlow's calibrator and quantizer, in the order in which `TFLiteConverter` calls them.

    They are called on the shared float file, so that only the quantizers differ.
    """
    from tensorflow.lite.python.convert import mlir_quantize
    from tensorflow.lite.python.optimize.calibrator import (
        Calibrator,
        add_intermediate_tensors,
    )

    content = add_intermediate_tensors(Path(task["tflite"]).read_bytes())
    calibrated = Calibrator(content).calibrate(lambda: iter(_feeds(task)))
    return bytes(mlir_quantize(calibrated))


def onnx2tf(task: dict[str, Any]) -> bytes:
    """`onnx2tf -oiqt -qt per-channel`: its int8 file with float inputs and outputs."""
    import onnx2tf as tool

    shutil.copy(task["onnx"], "graph.onnx")  # onnx2tf rewrites its input file
    network = tool.convert(
        input_onnx_file_path="graph.onnx", output_folder_path="onnx2tf",
        copy_onnx_input_output_names_to_tflite=True, not_use_onnxsim=True, non_verbose=True,
        output_integer_quantized_tflite=True, quant_type="per-channel",
        custom_input_op_name_np_data_path=[[n, p, 0.0, 1.0] for n, p in task["pairs"].items()],
    )  # fmt: skip
    _refuse_another_network(network, task)
    return _tidied(Path("onnx2tf/graph_integer_quant.tflite").read_bytes())


def ai_edge_quantizer(task: dict[str, Any]) -> bytes:
    """ai-edge-quantizer's static recipe: int8 weights and activations, float inputs and outputs."""
    from ai_edge_quantizer import quantizer, recipe
    from ai_edge_quantizer.qtyping import TFLOperationName

    tool = quantizer.Quantizer(task["tflite"], recipe.static_wi8_ai8())
    for border in (TFLOperationName.INPUT, TFLOperationName.OUTPUT):
        tool.update_quantization_recipe(".*", border, algorithm_key="no_quantize")
    measured = tool.calibrate({_SIGNATURE: _feeds(task)}, num_threads=2)
    return bytes(tool.quantize(measured).quantized_model)


def _refuse_another_network(network: Any, task: dict[str, Any]) -> None:
    """Stop where onnx2tf's float network is wrong.

    onnx2tf can confuse axes of equal length, as in maps of 64x64x64.
    """
    import onnxruntime

    feed = _feeds(task)[0]
    channels_first = {
        name: value.transpose(0, 3, 1, 2) if value.ndim == 4 else value
        for name, value in feed.items()
    }
    session = onnxruntime.InferenceSession(task["onnx"], providers=["CPUExecutionProvider"])
    (wanted,) = session.run(None, channels_first)
    got = np.asarray(network([feed[tensor.name.split(":")[0]] for tensor in network.inputs]))
    off = float(np.abs(got.transpose(0, 3, 1, 2) - wanted).max())
    if not off < 1e-3:
        sys.exit(f"onnx2tf's float network is off by {off:.3g} already. Try again")


def _tidied(content: bytes) -> bytes:
    """Remove onnx2tf's needless transposes from a file, as the toolkit does from its own."""
    from export.quantize import flatbuffer

    model = flatbuffer.read(content)
    flatbuffer.drop_transposed_activations(model)
    return flatbuffer.pack(model)


def _feeds(task: dict[str, Any]) -> list[dict[str, Any]]:
    """The calibration pairs: one dict of inputs, each with a batch axis of 1, per pair."""
    stacks = {name: np.load(path) for name, path in task["pairs"].items()}
    count = len(next(iter(stacks.values())))
    return [{name: stack[i : i + 1] for name, stack in stacks.items()} for i in range(count)]


if __name__ == "__main__":
    sys.exit(main())
