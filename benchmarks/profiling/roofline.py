"""Measure the machine's peak rates: operations per second, and bytes copied per second."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from model.errors import BackendUnavailable

_SIZE = 1024  # of the square matrices: bound by arithmetic, and small enough for the caches
_BYTES = 64 * 2**20  # of a copy: more than the caches hold
_REPEATS = 8


@dataclass(frozen=True, slots=True)
class Roofline:
    """The highest rates that were measured, in 10^9 per second.

    Attributes:
        fp32_gflops: operations of a float32 matrix product; a multiply-add counts as two.
        int8_gops: operations of an 8-bit matrix product with 32-bit sums.
        copy_gbs: bytes read plus bytes written by a large copy.
    """

    fp32_gflops: float
    int8_gops: float
    copy_gbs: float

    def peak(self, precision: str) -> float:
        """The peak rate of layers of a precision, in 10^9 operations per second."""
        return self.int8_gops if precision in ("int8", "dynamic") else self.fp32_gflops


def measure(threads: int) -> Roofline:
    """Multiply matrices in ONNX Runtime, and copy memory; the best of several tries each.

    ONNX Runtime's matrix product is optimized for each processor, as XNNPACK's is. The result is
    what software reaches on this machine; the processor's data sheet may say more.

    Raises:
        BackendUnavailable: onnx or ONNX Runtime is not installed.
    """
    for package in ("onnx", "onnxruntime"):
        if importlib.util.find_spec(package) is None:
            raise BackendUnavailable(
                f"the machine's limits are measured with {package}, which is not installed. "
                "pip install onnx onnxruntime"
            )
    rng = np.random.default_rng(0)
    work = 2 * _SIZE**3
    floats = rng.standard_normal((_SIZE, _SIZE)).astype(np.float32)
    bytes_ = rng.integers(0, 255, (_SIZE, _SIZE), np.uint8)
    signed = rng.integers(-127, 127, (_SIZE, _SIZE), np.int8)
    fp32 = _product("MatMul", floats, floats, threads)
    int8 = _product("MatMulInteger", bytes_, signed, threads)
    big, target = np.ones(_BYTES, np.uint8), np.empty(_BYTES, np.uint8)
    copy = _best(lambda: np.copyto(target, big))
    return Roofline(work / _best(fp32) / 1e9, work / _best(int8) / 1e9, 2 * _BYTES / copy / 1e9)


def _product(kind: str, a: Any, b: Any, threads: int) -> Callable[[], Any]:
    """A function that multiplies `a` by `b`. `b` is a constant, so the runtime packs it once."""
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    from pipeline.backends.onnx import session_options

    types = {"MatMul": (TensorProto.FLOAT, TensorProto.FLOAT),
             "MatMulInteger": (TensorProto.UINT8, TensorProto.INT32)}  # fmt: skip
    graph = helper.make_graph(
        [helper.make_node(kind, ["a", "b"], ["c"])],
        kind,
        [helper.make_tensor_value_info("a", types[kind][0], a.shape)],
        [helper.make_tensor_value_info("c", types[kind][1], a.shape)],
        [numpy_helper.from_array(b, "b")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), session_options(threads), ["CPUExecutionProvider"]
    )
    return lambda: session.run(None, {"a": a})


def _best(work: Callable[[], Any]) -> float:
    """Seconds of the fastest of several tries, after one to warm up."""
    work()
    times = []
    for _ in range(_REPEATS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)
