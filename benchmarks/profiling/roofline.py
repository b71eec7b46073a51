"""Measure the machine's peak: multiplications a second, and bytes copied a second."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from model.errors import BackendUnavailable

_SIZE = 1024  # of the square matrices: large enough to be bound by arithmetic, small enough to fit
_BYTES = 64 * 2**20
_REPEATS = 8


@dataclass(frozen=True, slots=True)
class Roofline:
    """The best that was measured, in 10^9 a second.

    Attributes:
        fp32_gflops: of a float32 matrix product; a multiplication and an addition are two.
        int8_gops: of an 8-bit one with 32-bit sums.
        copy_gbs: bytes read plus bytes written by a large copy.
    """

    fp32_gflops: float
    int8_gops: float
    copy_gbs: float

    def peak(self, precision: str) -> float:
        """What layers of a precision could reach."""
        return self.int8_gops if precision in ("int8", "dynamic") else self.fp32_gflops


def measure(threads: int) -> Roofline:
    """Multiply matrices in ONNX Runtime, and copy memory; the best of several tries each.

    ONNX Runtime's matrix product is hand-written for each processor, as XNNPACK's is: it stands for
    what software gets out of the machine, not for its data sheet.

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
    """A session that multiplies `a` by the constant `b`, which lets the runtime pack it."""
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
