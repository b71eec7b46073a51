"""LiteRT (TensorFlow Lite) on the CPU, through XNNPACK."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from model.contract import Measured, ModelSpec
from model.errors import ContractError
from pipeline.backends.base import (
    Arrays,
    Availability,
    Declared,
    check_inputs,
    check_tensors,
    installed,
)
from pipeline.quiet import quiet


class TfliteBackend:
    """One interpreter, allocated once: rebuilding it per frame would ruin latency."""

    name: ClassVar[str] = "tflite"
    measured: Measured = "executed"

    def __init__(self, interpreter: Any, spec: ModelSpec) -> None:
        """Use `load`."""
        self.spec = spec
        self._interpreter = interpreter
        self.invoke_ms = 0.0
        # The signature gives names; the tensors themselves are addressed by index, because the
        # signature's own runner copies every input and output once more.
        signature = interpreter.get_signature_runner()
        self._inputs = {n: d["index"] for n, d in signature.get_input_details().items()}
        self._outputs = {n: d["index"] for n, d in signature.get_output_details().items()}

    @classmethod
    def available(cls) -> Availability:
        """LiteRT must be installed."""
        return installed("ai_edge_litert", "tflite")

    @classmethod
    def load(cls, spec: ModelSpec, root: Path, *, threads: int = 4) -> Self:
        """Load `root / spec.file`.

        Raises:
            ContractError: LiteRT cannot load the file, it has no signature or other names in it.
        """
        with quiet():  # "INFO: Created TensorFlow Lite XNNPACK delegate for CPU."
            from ai_edge_litert.interpreter import Interpreter

            try:
                interpreter = Interpreter(str(root / spec.file), num_threads=threads)
                interpreter.allocate_tensors()
            except (ValueError, RuntimeError) as error:
                raise ContractError(
                    f"LiteRT cannot load {root / spec.file}: {str(error).splitlines()[0]}. "
                    "Export the bundle again"
                ) from None
        signatures = interpreter.get_signature_list()
        if len(signatures) != 1:
            raise ContractError(
                f"{spec.file} has {len(signatures)} signatures; one is expected, since tensors are "
                "addressed by name. Export the bundle again"
            )
        runner = interpreter.get_signature_runner()
        check_tensors(
            spec, _declared(runner.get_input_details()), _declared(runner.get_output_details())
        )
        return cls(interpreter, spec)

    @property
    def partitions(self) -> int:
        """How many pieces XNNPACK computes; anything between two of them runs on slow kernels."""
        # LiteRT has no public call for this; the ops of the execution plan are what it shows.
        ops = self._interpreter._get_ops_details()
        return sum(op["op_name"] == "DELEGATE" for op in ops)

    def run(self, **inputs: NDArray[Any]) -> Arrays:
        """Compute one frame."""
        check_inputs(self.spec, inputs)
        for name, index in self._inputs.items():
            self._interpreter.set_tensor(index, inputs[name])
        started = time.perf_counter()
        self._interpreter.invoke()
        self.invoke_ms = 1e3 * (time.perf_counter() - started)
        return {n: self._interpreter.get_tensor(i) for n, i in self._outputs.items()}


def _declared(details: dict[str, Any]) -> dict[str, Declared]:
    return {
        name: Declared([int(n) for n in tensor["shape"]], np.dtype(tensor["dtype"]).name)
        for name, tensor in details.items()
    }
