"""Core ML packages: executed by Core ML on macOS, interpreted everywhere else."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.contract import Measured, ModelSpec, TensorSpec
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

if TYPE_CHECKING:
    from pipeline.mlprogram.program import Feature

ComputeUnits = Literal["ALL", "CPU_AND_NE", "CPU_AND_GPU", "CPU_ONLY"]  # coremltools' names


class _Runner(Protocol):
    """Computes a package from and to arrays as `ModelSpec` describes them."""

    measured: Measured

    def __call__(self, inputs: Arrays) -> Arrays: ...

    def ops_by_device(self) -> dict[str, int]: ...


class CoreMLBackend:
    """One loaded package. Pictures cross the border as 8-bit images, as they do in the app."""

    name: ClassVar[str] = "coreml"

    def __init__(self, runner: _Runner, spec: ModelSpec) -> None:
        """Use `load`."""
        self.spec = spec
        self.measured = runner.measured
        self._runner = runner
        self.invoke_ms = 0.0

    @classmethod
    def available(cls) -> Availability:
        """Core ML needs macOS; elsewhere the interpreter needs coremltools and PyTorch."""
        coremltools = installed("coremltools", "coreml")
        if sys.platform == "darwin" or not coremltools:
            return coremltools
        torch = installed("torch", "torch")
        return (
            Availability(True, "Core ML runs on Apple systems only", "interpreted")
            if torch
            else torch
        )

    @classmethod
    def load(
        cls, spec: ModelSpec, root: Path, *, threads: int = 4, units: ComputeUnits = "ALL"
    ) -> Self:
        """Load `root / spec.file`; Core ML chooses its threads itself.

        Args:
            spec: the file and its tensors.
            root: the bundle.
            threads: not used.
            units: the processors that Core ML may use; the interpreter uses none of them.

        Raises:
            ContractError: the package is damaged, foreign, or has other tensors than `spec` says.
        """
        path = root / spec.file
        return cls(
            _Executed(path, spec, units) if sys.platform == "darwin" else _Interpreted(path, spec),
            spec,
        )

    @property
    def ops_by_device(self) -> dict[str, int]:
        """How many operations Core ML plans for each processor; empty where nothing tells."""
        return self._runner.ops_by_device()

    def run(self, **inputs: NDArray[Any]) -> Arrays:
        """Compute one frame."""
        check_inputs(self.spec, inputs)
        started = time.perf_counter()
        outputs = self._runner(inputs)
        self.invoke_ms = 1e3 * (time.perf_counter() - started)
        return outputs


class _Interpreted:
    """Our reading of the saved program, with every result rounded to its stored type."""

    measured: Measured = "interpreted"

    def __init__(self, path: Path, spec: ModelSpec) -> None:
        from pipeline.mlprogram.program import Package

        self._function = Package(path).function()
        function = self._function
        check_tensors(spec, _declared(function.inputs), _declared(function.outputs))

    def __call__(self, inputs: Arrays) -> Arrays:
        return self._function.run(inputs, mode="stored")

    def ops_by_device(self) -> dict[str, int]:
        return {}


def _declared(features: Iterable[Feature]) -> dict[str, Declared]:
    """Images are 8-bit; of an array a package need not give the shape."""
    return {f.name: Declared(f.shape, "uint8" if f.color else "") for f in features}


class _Executed:
    """Core ML itself."""

    measured: Measured = "executed"

    def __init__(self, path: Path, spec: ModelSpec, units: ComputeUnits) -> None:
        with quiet():
            import coremltools

            self._units = coremltools.ComputeUnit[units]
            try:
                self._mlmodel = coremltools.models.MLModel(str(path), compute_units=self._units)
            except Exception as error:  # coremltools passes on whatever Core ML says
                raise ContractError(f"Core ML cannot load {path}: {error}. Export again") from None
        self._spec = spec

    def __call__(self, inputs: Arrays) -> Arrays:
        spec = self._spec
        answers = self._mlmodel.predict(
            {t.name: _to_coreml(inputs[t.name], t) for t in spec.inputs}
        )
        return {t.name: _from_coreml(answers[t.name], t) for t in spec.outputs}

    def ops_by_device(self) -> dict[str, int]:
        from coremltools.models.compute_plan import MLComputePlan

        plan = MLComputePlan.load_from_path(self._mlmodel.get_compiled_model_path(), self._units)
        return count_devices(plan)


def count_devices(plan: Any) -> dict[str, int]:
    """Operations by the processor that a coremltools `MLComputePlan` prefers for each.

    Constants have none. Needs macOS 14.4; processors are called neural engine, gpu and cpu.
    """
    names = {"MLNeuralEngineComputeDevice": "neural engine", "MLGPUComputeDevice": "gpu"}
    counts: Counter[str] = Counter()
    for function in plan.model_structure.program.functions.values():
        for operation in function.block.operations:
            usage = plan.get_compute_device_usage_for_mlprogram_operation(operation)
            if usage is not None:
                kind = type(usage.preferred_compute_device).__name__
                counts[names.get(kind, "cpu")] += 1
    return dict(counts)


def _to_coreml(array: NDArray[Any], spec: TensorSpec) -> Any:
    return Image.fromarray(array[0]) if spec.color and spec.dtype == "uint8" else array


def _from_coreml(value: Any, spec: TensorSpec) -> NDArray[Any]:
    if isinstance(value, Image.Image):  # Core ML hands out RGBA
        return np.asarray(value.convert("RGB"))[None]
    return np.asarray(value, spec.dtype).reshape(spec.shape)
