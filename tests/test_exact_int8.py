"""8-bit ONNX files give what they say on every processor."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.backends.onnx import session_options

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

CHANNELS = 64


def loud_convolution(path: Path) -> None:
    """A 1x1 convolution whose products are as large as 8 bits allow; every output is a sum."""
    from onnx import TensorProto, helper, numpy_helper

    weights = np.full((8, CHANNELS, 1, 1), 127, np.int8)
    constants = [
        numpy_helper.from_array(weights, "weights"),
        numpy_helper.from_array(np.ones(8, np.float32), "one_each"),
        numpy_helper.from_array(np.zeros(8, np.int8), "zero_each"),
        numpy_helper.from_array(np.float32(1), "one"),
        numpy_helper.from_array(np.float32(CHANNELS * 127), "coarse"),
        numpy_helper.from_array(np.uint8(0), "zero"),
    ]
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "one", "zero"], ["x8"]),
        helper.make_node("DequantizeLinear", ["x8", "one", "zero"], ["xf"]),
        helper.make_node("DequantizeLinear", ["weights", "one_each", "zero_each"], ["wf"], axis=0),
        helper.make_node("Conv", ["xf", "wf"], ["y"]),
        helper.make_node("QuantizeLinear", ["y", "coarse", "zero"], ["y8"]),
        helper.make_node("DequantizeLinear", ["y8", "coarse", "zero"], ["out"]),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "loud", [value("x", TensorProto.FLOAT, [1, CHANNELS, 4, 4])],
        [value("out", TensorProto.FLOAT, [1, 8, 4, 4])], constants,
    )  # fmt: skip
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path
    )


def test_sums_of_loud_products_do_not_saturate(tmp_path: Path) -> None:
    """On x86 without VNNI the default kernel gives 128 where 255 is right."""
    loud_convolution(tmp_path / "loud.onnx")
    session = onnxruntime.InferenceSession(
        str(tmp_path / "loud.onnx"), session_options(1), ["CPUExecutionProvider"]
    )
    (out,) = session.run(None, {"x": np.full((1, CHANNELS, 4, 4), 255, np.float32)})
    assert out / (CHANNELS * 127) == pytest.approx(255)
