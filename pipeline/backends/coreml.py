"""Core ML packages: executed by Core ML on macOS, interpreted everywhere else."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.contract import Measured, ModelSpec, TensorSpec
from model.errors import ContractError
from pipeline.backends.base import Arrays, Availability, check_inputs, check_names, installed
from pipeline.quiet import quiet


class _Runner(Protocol):
    """Computes a package from and to arrays as `ModelSpec` describes them."""

    measured: Measured

    def __call__(self, inputs: Arrays) -> Arrays: ...


class CoreMLBackend:
    """One loaded package. Pictures cross the border as 8-bit images, as they do in the app."""

    name: ClassVar[str] = "coreml"

    def __init__(self, runner: _Runner, spec: ModelSpec) -> None:
        """Use `load`."""
        self.spec = spec
        self.measured = runner.measured
        self._runner = runner

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
    def load(cls, spec: ModelSpec, root: Path, *, threads: int = 4) -> Self:
        """Load `root / spec.file`; Core ML chooses its threads and compute units itself.

        Raises:
            ContractError: the package is damaged, foreign, or has other tensors than `spec` says.
        """
        path = root / spec.file
        return cls(
            _Executed(path, spec) if sys.platform == "darwin" else _Interpreted(path, spec), spec
        )

    def run(self, **inputs: NDArray[Any]) -> Arrays:
        """Compute one frame."""
        check_inputs(self.spec, inputs)
        return self._runner(inputs)


class _Interpreted:
    """Our reading of the saved program, with every result rounded to its stored type."""

    measured: Measured = "interpreted"

    def __init__(self, path: Path, spec: ModelSpec) -> None:
        from pipeline.mlprogram.program import Package

        self._function = Package(path).function()
        check_names(
            spec, {f.name for f in self._function.inputs}, {f.name for f in self._function.outputs}
        )

    def __call__(self, inputs: Arrays) -> Arrays:
        return self._function.run(inputs, mode="stored")


class _Executed:
    """Core ML itself."""

    measured: Measured = "executed"

    def __init__(self, path: Path, spec: ModelSpec) -> None:
        with quiet():
            import coremltools

            try:
                self._mlmodel = coremltools.models.MLModel(str(path))
            except Exception as error:  # coremltools passes on whatever Core ML says
                raise ContractError(f"Core ML cannot load {path}: {error}. Export again") from None
        self._spec = spec

    def __call__(self, inputs: Arrays) -> Arrays:
        spec = self._spec
        answers = self._mlmodel.predict(
            {t.name: _to_coreml(inputs[t.name], t) for t in spec.inputs}
        )
        return {t.name: _from_coreml(answers[t.name], t) for t in spec.outputs}


def _to_coreml(array: NDArray[Any], spec: TensorSpec) -> Any:
    return Image.fromarray(array[0]) if spec.color and spec.dtype == "uint8" else array


def _from_coreml(value: Any, spec: TensorSpec) -> NDArray[Any]:
    if isinstance(value, Image.Image):  # Core ML hands out RGBA
        return np.asarray(value.convert("RGB"))[None]
    return np.asarray(value, spec.dtype).reshape(spec.shape)
