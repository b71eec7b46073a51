"""The generator in other runtimes, each with the interface of our own backends.

Inputs and outputs are those of an ONNX file: pictures (1, 3, 256, 256) NCHW float32 RGB in [0, 1],
in the files of the network as trained in [-1, 1]. `threads` are the runtime's.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.contract import Layout, Measured, ModelSpec, Parity, TensorSpec
from model.errors import BackendUnavailable, ConversionError
from model.tensors import signature
from pipeline.backends.base import Arrays, check_inputs


@dataclass
class Peer:
    """A loaded model of another runtime.

    Attributes:
        spec: its inputs and outputs.
        call: computes the picture from `target` and `embedding`.
        partitions: of the graph that a delegate took; None where there is no delegate.
        measured: see `model.contract.Parity`.
        invoke_ms: time of the last call.
    """

    spec: ModelSpec
    call: Callable[[Arrays], NDArray[Any]]
    partitions: int | None = None
    measured: Measured = "executed"
    invoke_ms: float = 0.0

    def run(self, **inputs: NDArray[Any]) -> Arrays:
        """Compute one frame, as `pipeline.backends.base.Backend.run` does."""
        check_inputs(self.spec, inputs)
        started = time.perf_counter()
        image = self.call(inputs)
        self.invoke_ms = 1e3 * (time.perf_counter() - started)
        return {"image": image}


def openvino(path: str, threads: int, hint: str, embedding_size: int) -> Peer:
    """An ONNX or OpenVINO file on the CPU.

    Args:
        path: the file.
        threads: of OpenVINO.
        hint: OpenVINO's inference precision, f32 or bf16.
        embedding_size: of the generator.

    Raises:
        BackendUnavailable: bf16 is asked for, and the processor has no bf16 arithmetic.
    """
    import openvino as ov

    core = ov.Core()
    if hint == "bf16" and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise BackendUnavailable("this processor has no bf16 arithmetic; it would run in fp32")
    compiled = core.compile_model(
        path, "CPU",
        {
            "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": hint,
        },
    )  # fmt: skip
    return Peer(_spec(embedding_size), lambda inputs: compiled(inputs)["image"])


def mnn(path: str, threads: int, embedding_size: int) -> Peer:
    """An MNN file on the CPU, in full float precision."""
    import MNN

    spec = _spec(embedding_size)
    net = MNN.Interpreter(path)
    session = net.createSession({"numThread": threads, "precision": "high", "backend": "CPU"})
    places = net.getSessionInputAll(session)

    def wrapped(array: NDArray[np.float32]) -> Any:
        return MNN.Tensor(array.shape, MNN.Halide_Type_Float, array, MNN.Tensor_DimensionType_Caffe)

    def call(inputs: Arrays) -> NDArray[Any]:
        for name, array in inputs.items():
            places[name].copyFrom(wrapped(array))
        net.runSession(session)
        image = wrapped(np.empty(spec.outputs[0].shape, np.float32))
        net.getSessionOutput(session, "image").copyToHostTensor(image)
        return np.array(image.getNumpyData())

    return Peer(spec, call)


def ncnn(path: str, threads: int, embedding_size: int) -> Peer:
    """The ncnn files `path`.param and `path`.bin on the CPU, in float32 throughout.

    Raises:
        ConversionError: ncnn cannot load them.
    """
    import ncnn as runtime

    net = runtime.Net()
    net.opt.num_threads = threads
    for half in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_storage"):
        setattr(net.opt, half, False)
    if net.load_param(f"{path}.param") or net.load_model(f"{path}.bin"):
        raise ConversionError(f"ncnn cannot load {path}.param and .bin")

    def call(inputs: Arrays) -> NDArray[Any]:
        # clone(): ncnn keeps no reference to the numpy array and would read freed memory.
        target = runtime.Mat(np.ascontiguousarray(inputs["target"][0])).clone()
        embedding = runtime.Mat(np.ascontiguousarray(inputs["embedding"][0])).clone()
        with net.create_extractor() as extractor:
            extractor.input("in0", target)
            extractor.input("in1", embedding)
            return np.array(extractor.extract("out0")[1])[None]

    return Peer(_spec(embedding_size), call)


def onnxruntime_as_trained(path: str, threads: int, embedding_size: int) -> Peer:
    """The network as trained in ONNX Runtime, pictures in [-1, 1]."""
    import onnxruntime

    from pipeline.backends.onnx import session_options

    session = onnxruntime.InferenceSession(path, session_options(threads), ["CPUExecutionProvider"])
    spec = _signed(_spec(embedding_size))
    return Peer(spec, lambda inputs: session.run(["image"], inputs)[0])


def tflite_as_trained(path: str, threads: int, embedding_size: int) -> Peer:
    """The network as trained in LiteRT, pictures NHWC in [-1, 1].

    The file has no signature: the picture is the input with four axes, the embedding has two.
    """
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(path, num_threads=threads)
    interpreter.allocate_tensors()
    axes = {len(d["shape"]): d["index"] for d in interpreter.get_input_details()}
    out = interpreter.get_output_details()[0]["index"]

    def call(inputs: Arrays) -> NDArray[Any]:
        interpreter.set_tensor(axes[4], inputs["target"])
        interpreter.set_tensor(axes[2], inputs["embedding"])
        interpreter.invoke()
        image: NDArray[Any] = interpreter.get_tensor(out)
        return image

    delegated = sum(op["op_name"] == "DELEGATE" for op in interpreter._get_ops_details())
    return Peer(_signed(_spec(embedding_size, "NHWC")), call, delegated)


def _spec(embedding_size: int, layout: Layout = "NCHW") -> ModelSpec:
    format = "onnx" if layout == "NCHW" else "tflite"
    border = signature("generator", format, embedding_size=embedding_size)  # type: ignore[arg-type]
    return ModelSpec(
        "generator", "peer", "onnx", "fp32", "", 0, border.inputs, border.outputs,
        Parity("not executed"),
    )  # fmt: skip


def _signed(spec: ModelSpec) -> ModelSpec:
    """`spec` with the range [-1, 1] for pictures."""

    def signed(tensors: tuple[TensorSpec, ...]) -> tuple[TensorSpec, ...]:
        return tuple(replace(t, range=(-1, 1)) if t.color else t for t in tensors)

    return replace(spec, inputs=signed(spec.inputs), outputs=signed(spec.outputs))
