"""Profiles of files of any kind: numbers, or one line with exit code 4."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from ai_edge_litert import schema_py_generated as schema
from onnx import TensorProto, helper

from benchmarks import profile_ops
from benchmarks.profiling import cut_ops, roofline
from export.quantize import flatbuffer
from model.errors import BadInput

Profile = Callable[..., int]


@pytest.fixture
def profile(monkeypatch: pytest.MonkeyPatch) -> Profile:
    monkeypatch.setattr(roofline, "measure", lambda threads: roofline.Roofline(1.0, 1.0, 1.0))
    return lambda file, *flags: profile_ops.main([str(file), "--repeats", "1", "--quiet", *flags])


def tensor(name: str, shape: list[int] | None, kind: int, buffer: int = 0) -> Any:
    made = schema.TensorT()
    made.name, made.shape, made.type, made.buffer = name.encode(), shape, kind, buffer
    return made


def operator(code: int, inputs: list[int], outputs: list[int], options: Any = None) -> Any:
    made = schema.OperatorT()
    made.opcodeIndex, made.inputs, made.outputs = code, inputs, outputs
    if options is not None:
        made.builtinOptions = options
        name = type(options).__name__.removesuffix("T")
        made.builtinOptionsType = getattr(schema.BuiltinOptions, name)
    return made


def graph(tensors: list[Any], operators: list[Any], inputs: list[int], outputs: list[int]) -> Any:
    made = schema.SubGraphT()
    made.tensors, made.operators, made.inputs, made.outputs = tensors, operators, inputs, outputs
    return made


def tflite(codes: list[str], graphs: list[Any], constants: list[Any] = ()) -> bytes:  # type: ignore[assignment]
    model = schema.ModelT()
    model.version, model.subgraphs, model.operatorCodes = 3, graphs, []
    for name in codes:
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, name)
        code.version = 1
        model.operatorCodes.append(code)
    model.buffers = [schema.BufferT()]
    for values in constants:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
        model.buffers.append(buffer)
    return flatbuffer.pack(model)


def added(kind: int = schema.TensorType.FLOAT32, shape: list[int] | None = None) -> bytes:
    edges = [1, 4] if shape is None else shape
    tensors = [tensor(name, edges, kind) for name in "abc"]
    return tflite(
        ["ADD"], [graph(tensors, [operator(0, [0, 1], [2], schema.AddOptionsT())], [0, 1], [2])]
    )


def gathered() -> bytes:
    """Rows of a table by computed 32-bit indices, which random numbers would overrun."""
    tensors = [
        tensor("table", [3, 2], schema.TensorType.FLOAT32, 1),
        tensor("indices", [2], schema.TensorType.INT32),
        tensor("rows", [2, 2], schema.TensorType.FLOAT32),
    ]
    take = operator(0, [0, 1], [2], schema.GatherOptionsT())
    return tflite(["GATHER"], [graph(tensors, [take], [1], [2])], [np.ones((3, 2), np.float32)])


def halves() -> bytes:
    """Weights in half precision behind a DEQUANTIZE, as fp16 files have them."""
    tensors = [
        tensor("half", [4], schema.TensorType.FLOAT16, 1),
        tensor("whole", [4], schema.TensorType.FLOAT32),
        tensor("x", [4], schema.TensorType.FLOAT32),
        tensor("y", [4], schema.TensorType.FLOAT32),
    ]
    steps = [
        operator(0, [0], [1], schema.DequantizeOptionsT()),
        operator(1, [1, 2], [3], schema.AddOptionsT()),
    ]
    return tflite(
        ["DEQUANTIZE", "ADD"], [graph(tensors, steps, [2], [3])], [np.ones(4, np.float16)]
    )


def looped() -> bytes:
    """While a < 5: a += 1. The loop calls two other subgraphs."""
    whole, truth = schema.TensorType.INT32, schema.TensorType.BOOL
    loop = schema.WhileOptionsT()
    loop.condSubgraphIndex, loop.bodySubgraphIndex = 1, 2
    main = graph(
        [tensor("a", [1], whole), tensor("b", [1], whole)], [operator(0, [0], [1], loop)], [0], [1]
    )
    cond = graph(
        [tensor("a", [1], whole), tensor("five", [1], whole, 1), tensor("less", [1], truth)],
        [operator(1, [0, 1], [2], schema.LessOptionsT())], [0], [2],
    )  # fmt: skip
    body = graph(
        [tensor("a", [1], whole), tensor("one", [1], whole, 2), tensor("more", [1], whole)],
        [operator(2, [0, 1], [2], schema.AddOptionsT())], [0], [2],
    )  # fmt: skip
    constants = [np.array([5], np.int32), np.array([1], np.int32)]
    return tflite(["WHILE", "LESS", "ADD"], [main, cond, body], constants)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "operators", "left_out"),
    [
        (added(), ["ADD"], 0),
        (added(schema.TensorType.INT32), ["ADD"], 0),
        (added(schema.TensorType.INT64), ["ADD"], 0),
        (added(shape=[]), ["ADD"], 0),
        (gathered(), ["GATHER"], 0),
        (halves(), ["ADD"], 1),
        (looped(), [], 1),
    ],
    ids=["float", "int32", "int64", "scalar", "indices", "half", "subgraphs"],
)
def test_tflite_of_any_type_is_profiled(
    content: bytes, operators: list[str], left_out: int, tmp_path: Path, profile: Profile,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    (tmp_path / "file.tflite").write_bytes(content)
    assert profile(tmp_path / "file.tflite", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [layer["kind"] for layer in found["layers"]] == operators
    assert len(found["left_out"]) == left_out
    assert found["whole_ms"] > 0
    assert profile(tmp_path / "file.tflite") == 0
    assert "whole frame" in capsys.readouterr().out


def onnx_file(kind: int, shape: list[Any], operation: str = "Add") -> bytes:
    values = [helper.make_tensor_value_info(name, kind, shape) for name in "abc"]
    node = helper.make_node(operation, ["a", "b"], ["c"])
    made = helper.make_graph([node], "g", values[:2], values[2:])
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(made, opset_imports=opset, ir_version=9).SerializeToString()


def branched() -> bytes:
    """An If, whose branches are graphs of their own."""
    value = helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])
    branches = [
        helper.make_graph(
            [helper.make_node("Constant", [], ["y"], value_floats=[float(i), 1.0])],
            f"b{i}",
            [],
            [value],
        )
        for i in range(2)
    ]
    choose = helper.make_node("If", ["c"], ["y"], then_branch=branches[0], else_branch=branches[1])
    condition = helper.make_tensor_value_info("c", TensorProto.BOOL, [1])
    made = helper.make_graph([choose], "g", [condition], [value])
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(made, opset_imports=opset, ir_version=9).SerializeToString()


@pytest.mark.parametrize(
    "content",
    [
        onnx_file(TensorProto.FLOAT, ["batch", 4]),
        onnx_file(TensorProto.FLOAT, ["batch", None, 4]),
        onnx_file(TensorProto.INT64, [1, 4]),
        onnx_file(TensorProto.INT32, [1, 4]),
        onnx_file(TensorProto.FLOAT16, [1, 4]),
        onnx_file(TensorProto.DOUBLE, []),
        branched(),
    ],
    ids=["named axis", "open axis", "int64", "int32", "half", "scalar", "subgraphs"],
)
def test_onnx_of_any_type_is_profiled(
    content: bytes, tmp_path: Path, profile: Profile, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file.onnx").write_bytes(content)
    assert profile(tmp_path / "file.onnx", "--json") == 0
    assert json.loads(capsys.readouterr().out)["whole_ms"] >= 0
    assert profile(tmp_path / "file.onnx") == 0
    assert "whole frame" in capsys.readouterr().out


STRINGS = onnx_file(TensorProto.STRING, [1], "Equal")


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
@pytest.mark.parametrize("kind", ["empty", "junk", "half", "no operators", "other kind"])
def test_file_that_cannot_be_profiled_is_refused_in_one_line(
    suffix: str, kind: str, tmp_path: Path, profile: Profile, capfd: pytest.CaptureFixture[str]
) -> None:
    whole = {".tflite": gathered(), ".onnx": onnx_file(TensorProto.FLOAT, [1, 4])}
    nothing = {
        ".tflite": tflite([], [graph([], [], [], [])]),
        ".onnx": onnx.ModelProto().SerializeToString(),
    }
    other = {".tflite": whole[".onnx"], ".onnx": STRINGS}
    content = {
        "empty": b"",
        "junk": bytes(range(256)) * 8,
        "half": whole[suffix][: len(whole[suffix]) // 2],
        "no operators": nothing[suffix],
        "other kind": other[suffix],
    }[kind]
    (tmp_path / f"file{suffix}").write_bytes(content)
    assert profile(tmp_path / f"file{suffix}") == 4
    error = capfd.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1


def test_tflite_that_crashes_litert_is_refused(
    tmp_path: Path, profile: Profile, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    # An executable that dies as LiteRT does on some damaged files.
    dying = tmp_path / "python"
    dying.write_text("#!/bin/sh\nkill -SEGV $$\n")
    dying.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(dying))
    (tmp_path / "file.tflite").write_bytes(gathered())
    assert profile(tmp_path / "file.tflite") == 4
    assert "makes LiteRT crash" in capsys.readouterr().err


@pytest.mark.slow
def test_damaged_tflite_is_timed_or_refused(tmp_path: Path) -> None:
    rng, whole, outcomes = np.random.default_rng(0), gathered(), set()
    for _ in range(6):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), 3):
            damaged[place] = rng.integers(256)
        (tmp_path / "file.tflite").write_bytes(bytes(damaged))
        try:
            cut_ops.time_ops(tmp_path / "file.tflite", 1, 1, lambda words: None)
            outcomes.add("timed")
        except BadInput:
            outcomes.add("refused")
    assert outcomes <= {"timed", "refused"}
